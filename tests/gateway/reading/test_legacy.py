"""What the plain endpoints of a master answer (docs/spec/http.md section 11)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from mesolite.gateway.reading import legacy, legacy_nouns
from mesolite.gateway.reading.builds import version_info
from mesolite.messages.drains import DrainState
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.tasks import CommandInfo
from tests.gateway.reading.clusters import (
    ADDRESSES,
    AGENT,
    CONTAINER,
    DISCOVERY,
    DRAIN,
    EMPTY,
    EPOCH,
    LABELS,
    REMOTE,
    RUNNING,
    SETTINGS,
    check_strict,
    cluster,
    task,
)

OP_2 = {
    "version build_date build_time build_user start_time elected_time id pid hostname capabilities activated_slaves",
    "deactivated_slaves unreachable_slaves leader leader_info flags slaves recovered_slaves frameworks",
    "completed_frameworks orphan_tasks unregistered_frameworks",
}
OP_3 = {
    "id name used_resources offered_resources capabilities hostname webui_url active connected recovered user",
    "failover_timeout checkpoint resources registered_time unregistered_time tasks unreachable_tasks completed_tasks",
    "offers executors",
}
OP_4 = {
    "id hostname port attributes pid registered_time resources used_resources offered_resources reserved_resources",
    "unreserved_resources active deactivated version capabilities",
}


def names(lines: set[str]) -> set[str]:
    return {name for line in lines for name in line.split()}


def state(snapshot: Any = None) -> dict[str, Any]:
    return legacy.state(snapshot or cluster(), EPOCH, ADDRESSES, SETTINGS)


@pytest.mark.parametrize("snapshot", [cluster(), EMPTY], ids=["full", "empty"])
def test_every_answer_is_strict_json(snapshot: Any) -> None:
    """HT-43, HT-44, HT-324: no nulls, real types; empty objects and lists are there."""
    for answer in (
        state(snapshot),
        legacy.state_summary(snapshot, EPOCH, ADDRESSES, SETTINGS),
        legacy.slaves(snapshot, EPOCH),
        legacy.frameworks(snapshot, EPOCH),
        legacy.roles(snapshot),
        legacy.flags(SETTINGS),
        legacy.maintenance_schedule(snapshot, EPOCH),
        legacy.maintenance_status(snapshot, EPOCH),
    ):
        check_strict(answer, v1=False)


def test_resources_are_an_object() -> None:
    """HT-325: ranges and sets as text, cpus and its like always, other scalars by name."""
    assert legacy_nouns.resources(AGENT.resources) == {
        "cpus": 4.0,
        "gpus": 0.0,
        "mem": 1024.0,
        "disk": 0.0,
        "licences": 2.0,
        "ports": "[31000-31999, 32005-32005]",
        "zones": "{a, b}",
    }
    assert legacy_nouns.resources(NOTHING) == {"cpus": 0.0, "gpus": 0.0, "mem": 0.0, "disk": 0.0}


def test_attributes_are_an_object() -> None:
    """HT-326: numbers as numbers; of several with one name the last counts."""
    assert legacy_nouns.attributes(AGENT.attributes) == {"rack": 2.0, "os": "linux"}


def test_version_is_digits_and_dots_and_recent() -> None:
    """HT-327."""
    parts = version_info()["version"].split(".")
    assert [int(part) for part in parts] >= [1, 11, 0]


def test_state_has_all_that_mesos_has() -> None:
    """HT-332, OP-2: no list is ever missing."""
    assert names(OP_2) <= state(EMPTY).keys()
    assert state(EMPTY)["frameworks"] == state(EMPTY)["slaves"] == state()["orphan_tasks"] == []


def test_state_says_who_leads_from_where() -> None:
    """HT-347, HT-348, HT-52: pids with the address, times in seconds."""
    told = state()
    assert told["pid"] == told["leader"] == "master@127.0.0.1:5050"
    assert told["leader_info"] == {
        "id": told["id"],
        "pid": "master@127.0.0.1:5050",
        "port": 5050,
        "hostname": "m.example",
    }
    assert (told["start_time"], told["elected_time"], told["hostname"]) == (1001.0, 1002.0, "m.example")
    assert (told["cluster"], told["flags"]) == ("small", SETTINGS)
    assert "log_dir" not in told


def test_state_counts_agents_by_whether_they_are_active() -> None:
    """OP-6: one that is disconnected counts as deactivated."""
    told = state()
    assert (told["activated_slaves"], told["deactivated_slaves"], told["unreachable_slaves"]) == (1, 1, 1)


def test_state_has_agents_as_they_are() -> None:
    """OP-4, HT-347."""
    agent = state()["slaves"][0]
    assert names(OP_4) <= agent.keys()
    assert (agent["id"], agent["hostname"], agent["port"]) == ("S1", "a.example", 5051)
    assert agent["pid"] == "slave(1)@10.0.0.1:5051"
    assert agent["registered_time"] == 1003.0
    assert agent["used_resources"]["ports"] == "[31000-31001]"
    assert agent["offered_resources"]["cpus"] == 2.0
    assert (agent["reserved_resources"], agent["unreserved_resources"]) == ({}, agent["resources"])
    assert not {"reregistered_time", "drain_info", "estimated_drain_start_time_seconds"} & agent.keys()


def test_state_says_how_far_a_drain_is() -> None:
    """HT-346: and the agent is deactivated meanwhile."""
    agent = state()["slaves"][1]
    assert agent["drain_info"] == {
        "state": "DRAINING",
        "config": {"max_grace_period": {"nanoseconds": 30_000_000_000}, "mark_gone": True},
    }
    assert (agent["estimated_drain_start_time_seconds"], agent["deactivated"]) == (1009.0, True)
    assert agent["reregistered_time"] == 1008.0


def test_state_shows_no_state_of_a_drain_that_mesos_has_not() -> None:
    """HT-50."""
    agent = attrs.evolve(cluster().agents[1], drain=attrs.evolve(DRAIN, state=DrainState.LEFT))
    assert "drain_info" not in legacy_nouns.agent(agent, EPOCH)


def test_state_has_agents_that_are_not_back_yet() -> None:
    """OP-2."""
    assert state()["recovered_slaves"] == [{"id": "S3", "hostname": "c.example", "port": 0, "attributes": {}}]


def test_state_has_frameworks_as_they_are() -> None:
    """OP-3, OP-5."""
    told, local = state()["frameworks"]
    assert names(OP_3) <= told.keys()
    assert names(OP_3) <= local.keys()
    assert (told["id"], told["name"], told["user"], told["principal"]) == ("F1", "remote", "carla", "p")
    assert (told["hostname"], told["webui_url"]) == ("f.example", "http://f.example/")
    assert (local["hostname"], local["webui_url"]) == ("", "")
    assert (told["failover_timeout"], told["checkpoint"]) == (60.0, True)
    assert (told["registered_time"], told["reregistered_time"], told["unregistered_time"]) == (1003.5, 1004.5, 0.0)
    assert (told["resources"]["cpus"], told["used_resources"]["cpus"]) == (3.5, 1.5)
    assert told["capabilities"] == ["PARTITION_AWARE", "REGION_AWARE"]
    assert told["labels"] == LABELS["labels"]
    assert (local["active"], local["connected"], local["recovered"]) == (False, False, True)
    assert "principal" not in local


def test_frameworks_over_http_have_no_pid() -> None:
    """HT-347."""
    assert all("pid" not in framework for framework in state()["frameworks"])


def test_frameworks_have_roles_only_if_they_can_have_several() -> None:
    """HT-349."""
    several = attrs.evolve(REMOTE, v1_json='{"roles": ["web"], "capabilities": [{"type": "MULTI_ROLE"}]}')
    one = legacy_nouns.framework_info(REMOTE)
    many = legacy_nouns.framework_info(several)
    assert (one["role"], one.get("roles")) == ("web", None)
    assert (many["roles"], many.get("role")) == (["web"], None)


def test_frameworks_have_their_offers_and_executors() -> None:
    """OP-3."""
    told = state()["frameworks"][0]
    (offer,) = told["offers"]
    (executor,) = told["executors"]
    assert (offer["id"], offer["framework_id"], offer["slave_id"]) == ("O1", "F1", "S1")
    assert (offer["allocation_info"], offer["resources"]["cpus"]) == ({"role": "web"}, 2.0)
    assert (executor["executor_id"], executor["slave_id"], executor["framework_id"]) == ("e1", "S1", "F1")
    assert (executor["type"], executor["role"], executor["labels"]) == ("CUSTOM", "web", LABELS["labels"])
    assert executor["command"] == {
        "value": "./run",
        "shell": False,
        "argv": ["./run", "-v"],
        "uris": [{"value": "/x", "executable": True}],
        "environment": {"variables": [{"name": "A", "value": "b"}]},
    }


def test_command_has_its_lists_always() -> None:
    """HT-43: whether there is a command or not."""
    assert legacy_nouns.command(None) == {"argv": [], "uris": []}
    assert legacy_nouns.command(CommandInfo(value="ls")) == {"value": "ls", "shell": True, "argv": [], "uris": []}


def test_tasks_are_told_with_old_names() -> None:
    """OP-7, HT-324."""
    told = legacy_nouns.task(RUNNING, "web", EPOCH)
    assert (told["id"], told["name"], told["framework_id"]) == ("t1", "web", "F1")
    assert (told["executor_id"], told["slave_id"], told["role"]) == ("e1", "S1", "web")
    assert (told["state"], told["resources"]["ports"]) == ("TASK_RUNNING", "[31000-31001]")
    assert (told["labels"], told["discovery"], told["container"]) == (LABELS["labels"], DISCOVERY, CONTAINER)
    assert (told["health_check"], told["user"], told["limits"]) == ({"type": "COMMAND"}, "carla", {"mem": float("inf")})


def test_command_task_has_an_empty_executor_id() -> None:
    """HT-324, OP-7."""
    told = legacy_nouns.task(task("t2"), "web", EPOCH)
    assert (told["executor_id"], told["statuses"]) == ("", [])


def test_statuses_say_little() -> None:
    """HT-350."""
    starting, running = legacy_nouns.task(RUNNING, "web", EPOCH)["statuses"]
    assert starting == {"state": "TASK_STARTING", "timestamp": 1004.0}
    assert running == {
        "state": "TASK_RUNNING",
        "timestamp": 1005.0,
        "labels": LABELS["labels"],
        "healthy": True,
        "container_status": {
            "container_id": {"value": "c1"},
            "network_infos": [{"ip_addresses": [{"ip_address": "10.0.0.1"}], "labels": LABELS["labels"]}],
        },
    }


def test_state_summary_counts_tasks() -> None:
    """HT-333: for agents and frameworks, with who is where."""
    told = legacy.state_summary(cluster(), EPOCH, ADDRESSES, SETTINGS)
    agent, other = told["slaves"]
    framework, local = told["frameworks"]
    counted = {"TASK_RUNNING": 1, "TASK_STAGING": 1, "TASK_FINISHED": 1}
    none = dict.fromkeys(
        ["TASK_STARTING", "TASK_KILLING", "TASK_KILLED", "TASK_FAILED", "TASK_LOST", "TASK_ERROR", "TASK_UNREACHABLE"],
        0,
    )
    assert (told["hostname"], told["cluster"]) == ("m.example", "small")
    assert names(OP_4) <= agent.keys()
    assert (counted | none).items() <= agent.items()
    assert (counted | none | {"TASK_UNREACHABLE": 1}).items() <= framework.items()
    assert (agent["framework_ids"], framework["slave_ids"]) == (["F1"], ["S1", "S4"])
    assert (other["framework_ids"], local["slave_ids"], local["TASK_RUNNING"]) == ([], [], 0)
    assert not {"tasks", "user", "executors"} & framework.keys()


def test_slaves_have_their_resources_in_full_beside() -> None:
    """HT-334."""
    agent = legacy.slaves(cluster(), EPOCH)["slaves"][0]
    assert agent["reserved_resources_full"] == {}
    assert agent["used_resources_full"][0] == {
        "name": "cpus",
        "role": "*",
        "type": "SCALAR",
        "scalar": {"value": 1.5},
    }
    assert [each["name"] for each in agent["offered_resources_full"]] == ["cpus", "mem"]
    assert [each["name"] for each in agent["unreserved_resources_full"]] == [
        "cpus",
        "mem",
        "licences",
        "ports",
        "zones",
    ]


@pytest.mark.parametrize(
    ("asked", "registered", "recovered"),
    [(None, ["S1", "S2"], ["S3"]), ("S2", ["S2"], []), ("S3", [], ["S3"]), ("S9", [], []), ("", [], [])],
)
def test_slaves_can_be_selected(asked: str | None, registered: list[str], recovered: list[str]) -> None:
    """HT-334: an id that is not known gives empty lists."""
    told = legacy.slaves(cluster(), EPOCH, asked)
    assert [each["id"] for each in told["slaves"]] == registered
    assert [each["id"] for each in told["recovered_slaves"]] == recovered


@pytest.mark.parametrize(
    ("asked", "registered", "completed"),
    [(None, ["F1", "F2"], ["F0"]), ("F2", ["F2"], []), ("F0", [], ["F0"]), ("F9", [], [])],
)
def test_frameworks_can_be_selected(asked: str | None, registered: list[str], completed: list[str]) -> None:
    """HT-335."""
    told = legacy.frameworks(cluster(), EPOCH, asked)
    assert [each["id"] for each in told["frameworks"]] == registered
    assert [each["id"] for each in told["completed_frameworks"]] == completed
    assert told["unregistered_frameworks"] == []


def test_roles_tell_what_is_allocated_and_offered() -> None:
    """HT-337."""
    local, web = legacy.roles(cluster())["roles"]
    assert (local["name"], local["frameworks"], web["frameworks"], web["weight"]) == ("*", ["F2"], ["F1"], 1.0)
    assert (web["allocated"]["cpus"], web["offered"]["cpus"], web["resources"]["cpus"]) == (1.5, 2.0, 3.5)
    assert web["reserved"]["cpus"] == 0.0
    assert web["quota"] == {"role": "web", "guarantee": {}, "limit": {}, "consumed": web["allocated"]}


def test_flags_are_text_by_name() -> None:
    """HT-338."""
    assert legacy.flags(SETTINGS) == {"flags": {"cluster": "small", "quorum": "1"}}


def test_maintenance_has_no_envelope_and_no_empty_lists() -> None:
    """HT-339, HT-340."""
    full = cluster()
    assert [*legacy.maintenance_schedule(full, EPOCH)] == ["windows"]
    assert [*legacy.maintenance_status(full, EPOCH)] == ["draining_machines", "down_machines"]
    assert legacy.maintenance_schedule(EMPTY, EPOCH) == {}
    assert legacy.maintenance_status(EMPTY, EPOCH) == {}
    only_down = attrs.evolve(full, maintenance=None)
    assert legacy.maintenance_status(only_down, EPOCH) == {"down_machines": [{"hostname": "d.example"}]}


def test_quantities_are_numbers_only() -> None:
    """HT-337: ranges of many agents mean nothing together."""
    assert legacy_nouns.quantities(Resources.parse("cpus:1;ports:[1-2];licences:3")) == {
        "cpus": 1.0,
        "gpus": 0.0,
        "mem": 0.0,
        "disk": 0.0,
        "licences": 3.0,
    }
