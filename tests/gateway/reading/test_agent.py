"""What an agent tells of what it holds (docs/spec/http.md sections 10 and 12.1)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from mesolite.gateway.reading import agent_legacy, agent_reads
from mesolite.messages.drains import DrainConfig
from mesolite.messages.infos import AgentInfo
from mesolite.messages.snapshot import AgentHoldings
from tests.gateway.reading.clusters import (
    ADDRESSES,
    DISCOVERY,
    EPOCH,
    HOLDINGS,
    LABELS,
    SETTINGS,
    STATISTICS,
    check_strict,
)

RECOVERING = AgentHoldings(
    info=AgentInfo(hostname="a.example", resources="cpus:1"), recovering=True, registered=False, leader=""
)
DRAINING = attrs.evolve(HOLDINGS, drain=DrainConfig(max_grace_period_s=2.0))


def state(holdings: AgentHoldings = HOLDINGS) -> dict[str, Any]:
    return agent_legacy.state(holdings, EPOCH, 1.0, ADDRESSES, SETTINGS)


@pytest.mark.parametrize("holdings", [HOLDINGS, DRAINING, RECOVERING], ids=["full", "draining", "recovering"])
def test_every_answer_is_strict_json(holdings: AgentHoldings) -> None:
    """HT-43, HT-44, HT-356: also while recovering."""
    for answer in (
        agent_reads.get_agent(holdings),
        agent_reads.get_state(holdings, EPOCH),
        agent_reads.get_containers(holdings, STATISTICS),
        agent_reads.get_operations(),
        agent_reads.get_resource_providers(),
    ):
        check_strict(answer)
    check_strict(state(holdings), v1=False)
    check_strict(agent_legacy.containers(holdings, STATISTICS), v1=False)
    check_strict(agent_legacy.monitor_statistics(holdings, STATISTICS), v1=False)


def test_agent_says_what_it_is_and_how_it_is_drained() -> None:
    """HT-305."""
    assert agent_reads.get_agent(HOLDINGS)["agent_info"]["id"] == {"value": "S1"}
    assert "drain_config" not in agent_reads.get_agent(HOLDINGS)
    drained = agent_reads.get_agent(DRAINING)["drain_config"]
    assert drained == {"max_grace_period": {"nanoseconds": 2_000_000_000}, "mark_gone": False}


def test_state_is_the_three_other_answers() -> None:
    """HT-306."""
    assert agent_reads.get_state(HOLDINGS, EPOCH) == {
        "get_tasks": agent_reads.get_tasks(HOLDINGS, EPOCH),
        "get_executors": agent_reads.get_executors(HOLDINGS),
        "get_frameworks": agent_reads.get_frameworks(HOLDINGS),
    }


def test_frameworks_are_those_with_something_there() -> None:
    """HT-307."""
    answer = agent_reads.get_frameworks(HOLDINGS)
    (told,) = answer["frameworks"]
    assert told["framework_info"]["id"] == {"value": "F1"}
    assert answer["completed_frameworks"] == []


def test_executors_of_both_kinds_are_told() -> None:
    """HT-308."""
    answer = agent_reads.get_executors(HOLDINGS)
    ids = [each["executor_info"]["executor_id"]["value"] for each in answer["executors"]]
    assert ids == ["e1", "t9"]
    assert all(each["executor_info"]["framework_id"] == {"value": "F1"} for each in answer["executors"])
    assert answer["completed_executors"] == []


def test_tasks_are_listed_by_how_far_they_have_come() -> None:
    """HT-309."""
    answer = agent_reads.get_tasks(HOLDINGS, EPOCH)
    ids = {name: [each["task_id"]["value"] for each in tasks] for name, tasks in answer.items()}
    assert ids == {
        "pending_tasks": [],
        "queued_tasks": ["t2", "t9"],
        "launched_tasks": ["t1"],
        "terminated_tasks": ["t3"],
        "completed_tasks": [],
    }


def test_tasks_have_labels_and_discovery() -> None:
    """HT-389, HT-273: exporters read them from launched_tasks; command tasks have no executor id."""
    answer = agent_reads.get_tasks(HOLDINGS, EPOCH)
    (launched,) = answer["launched_tasks"]
    assert (launched["labels"], launched["discovery"]) == (LABELS, DISCOVERY)
    assert (launched["executor_id"], launched["agent_id"]) == ({"value": "e1"}, {"value": "S1"})
    assert "executor_id" not in answer["queued_tasks"][1]


def test_containers_are_told_with_what_was_measured() -> None:
    """HT-310, HT-358: what could not be measured is left out."""
    measured, other = agent_reads.get_containers(HOLDINGS, STATISTICS)["containers"]
    assert measured == {
        "framework_id": {"value": "F1"},
        "executor_id": {"value": "e1"},
        "executor_name": "runner",
        "container_id": {"value": "c1"},
        "container_status": {
            "container_id": {"value": "c1"},
            "network_infos": [{"ip_addresses": [{"protocol": "IPv4", "ip_address": "10.0.0.1"}]}],
        },
        "resource_statistics": STATISTICS["c1"],
    }
    assert other["executor_name"] == "Command Executor (Task: t9)"
    assert "resource_statistics" not in other


def test_operations_and_resource_providers_are_none() -> None:
    """HT-311."""
    assert agent_reads.get_operations() == {"operations": []}
    assert agent_reads.get_resource_providers() == {"resource_providers": []}


def test_plain_state_says_what_the_agent_is() -> None:
    """HT-352, HT-347."""
    told = state()
    assert (told["id"], told["pid"], told["hostname"]) == ("S1", "slave(1)@10.0.0.1:5051", "a.example")
    assert (told["start_time"], told["master_hostname"], told["flags"]) == (1001.0, "m.example", SETTINGS)
    assert told["attributes"] == {"rack": 2.0, "os": "linux"}
    assert (told["resources"]["cpus"], told["unreserved_resources"]) == (4.0, told["resources"])
    assert told["reserved_resources"] == told["reserved_resources_full"] == {}
    assert (told["reserved_resources_allocated"], told["resource_providers"]) == ({}, [])
    assert told["unreserved_resources_allocated"]["cpus"] == 3.5
    assert {"version", "build_date", "build_time", "build_user"} <= told.keys()
    assert told["completed_frameworks"] == []
    assert "drain_config" not in told
    assert state(DRAINING)["drain_config"]["max_grace_period"] == {"nanoseconds": 2_000_000_000}


def test_plain_state_of_a_recovering_agent_is_what_is_known() -> None:
    """HT-356."""
    told = state(RECOVERING)
    assert (told["id"], told["frameworks"], told["hostname"]) == ("", [], "a.example")
    assert "master_hostname" not in told


def test_plain_state_has_frameworks() -> None:
    """HT-352."""
    (told,) = state()["frameworks"]
    assert (told["id"], told["name"], told["user"]) == ("F1", "remote", "carla")
    assert (told["failover_timeout"], told["checkpoint"], told["hostname"]) == (60.0, True, "f.example")
    assert (told["principal"], told["role"], told["completed_executors"]) == ("p", "web", [])


def test_plain_state_has_executors_with_their_sandbox() -> None:
    """HT-352, HT-357: a task that has ended holds nothing any more."""
    custom, of_command = state()["frameworks"][0]["executors"]
    assert (custom["id"], custom["name"], custom["source"], custom["type"]) == ("e1", "runner", "there", "CUSTOM")
    assert (custom["container"], custom["directory"]) == ("c1", "/work/S1/F1/e1.1-1")
    assert (custom["resources"]["cpus"], custom["labels"], custom["role"]) == (2.5, LABELS["labels"], "web")
    assert (of_command["id"], of_command["source"], of_command["resources"]["cpus"]) == ("t9", "t9", 1.0)
    assert "labels" not in of_command


def test_plain_state_has_tasks_of_executors() -> None:
    """HT-352: ended ones that wait for the acknowledgement are among the completed."""
    custom, of_command = state()["frameworks"][0]["executors"]
    lists = ("tasks", "queued_tasks", "completed_tasks")
    assert {name: [each["id"] for each in custom[name]] for name in lists} == {
        "tasks": ["t1"],
        "queued_tasks": ["t2"],
        "completed_tasks": ["t3"],
    }
    (running,), (queued,) = custom["tasks"], custom["queued_tasks"]
    assert (running["slave_id"], running["executor_id"], running["role"]) == ("S1", "e1", "web")
    assert (queued["executor_id"], queued["slave_id"], queued["discovery"]) == ("e1", "S1", DISCOVERY)
    (queued,) = of_command["queued_tasks"]
    assert queued["command"]["value"] == "sleep 9"
    assert "executor_id" not in queued


def test_plain_containers_can_be_selected() -> None:
    """HT-353."""
    both = agent_legacy.containers(HOLDINGS, STATISTICS)
    assert both[0] == {
        "framework_id": "F1",
        "executor_id": "e1",
        "executor_name": "runner",
        "source": "there",
        "container_id": "c1",
        "status": {
            "container_id": {"value": "c1"},
            "network_infos": [{"ip_addresses": [{"protocol": "IPv4", "ip_address": "10.0.0.1"}]}],
        },
        "statistics": STATISTICS["c1"],
    }
    assert "statistics" not in both[1]
    assert agent_legacy.containers(HOLDINGS, STATISTICS, "c2") == both[1:]
    assert agent_legacy.containers(HOLDINGS, STATISTICS, "c9") == []


def test_monitor_statistics_tells_of_what_was_measured() -> None:
    """HT-354, HT-358."""
    assert agent_legacy.monitor_statistics(HOLDINGS, STATISTICS) == [
        {
            "framework_id": "F1",
            "executor_id": "e1",
            "executor_name": "runner",
            "source": "there",
            "statistics": STATISTICS["c1"],
        }
    ]


def test_sandboxes_are_found_by_four_paths() -> None:
    """HT-357, HT-359; and as Mesos's agents call their folders, which names the run, too."""
    paths = agent_legacy.sandboxes(HOLDINGS)
    run = "/work/S1/F1/e1.1-1"
    assert [path for path, real in paths.items() if real == run] == [
        run,
        "/frameworks/F1/executors/e1/runs/latest",
        "/work/S1/F1/e1/runs/latest",
        "/slaves/S1/frameworks/F1/executors/e1/runs/c1",
    ]
