"""What api/v1 of a master tells (docs/spec/http.md section 9.1)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from mesolite.gateway.reading import metrics, operator_reads
from mesolite.gateway.v1.writing import VERSION
from mesolite.messages.drains import DrainConfig, DrainState
from mesolite.messages.tasks import TaskState
from tests.gateway.reading.clusters import (
    ADDRESSES,
    CONTAINER,
    DISCOVERY,
    DRAIN,
    EMPTY,
    EPOCH,
    LABELS,
    RUNNING,
    SETTINGS,
    check_strict,
    cluster,
    task,
)

Answer = dict[str, Any]


def first(answer: Answer, name: str) -> Answer:
    found: Answer = answer[name][0]
    return found


@pytest.mark.parametrize("snapshot", [cluster(), EMPTY], ids=["full", "empty"])
def test_every_answer_is_strict_json(snapshot: Any) -> None:
    """HT-43, HT-44, HT-47 to HT-49: no nulls, real types, ASCII, and never a slave."""
    for answer in (
        operator_reads.get_state(snapshot, EPOCH),
        operator_reads.get_roles(snapshot),
        operator_reads.get_master(snapshot, EPOCH, ADDRESSES),
        operator_reads.get_maintenance_schedule(snapshot, EPOCH),
        operator_reads.get_maintenance_status(snapshot, EPOCH),
        operator_reads.get_weights(),
        operator_reads.get_quota(),
        operator_reads.get_operations(),
        operator_reads.get_version(),
        operator_reads.get_health(),
        operator_reads.get_flags(SETTINGS),
    ):
        check_strict(answer)
    named = {name: value for name, value in metrics.of_master(snapshot, 5.0).items() if "slave" not in name}
    check_strict(operator_reads.get_metrics(named))


def test_health_is_good() -> None:
    """HT-254."""
    assert operator_reads.get_health() == {"healthy": True}


def test_version_says_version_and_build() -> None:
    """HT-255."""
    info = operator_reads.get_version()["version_info"]
    assert info["version"] == VERSION
    assert (type(info["build_date"]), type(info["build_time"]), type(info["build_user"])) == (str, float, str)


def test_flags_are_names_and_texts() -> None:
    """HT-256."""
    flags = operator_reads.get_flags(SETTINGS)["flags"]
    assert flags == [{"name": "cluster", "value": "small"}, {"name": "quorum", "value": "1"}]


def test_metrics_are_names_and_numbers() -> None:
    """HT-257."""
    told = operator_reads.get_metrics({"master/elected": 1.0})
    assert told == {"metrics": [{"name": "master/elected", "value": 1.0}]}


def test_state_is_the_four_other_answers() -> None:
    """HT-259, HT-253: all of one snapshot."""
    snapshot = cluster()
    assert operator_reads.get_state(snapshot, EPOCH) == {
        "get_tasks": operator_reads.get_tasks(snapshot, EPOCH),
        "get_executors": operator_reads.get_executors(snapshot),
        "get_frameworks": operator_reads.get_frameworks(snapshot, EPOCH),
        "get_agents": operator_reads.get_agents(snapshot, EPOCH),
    }


def test_agents_tell_what_they_are_and_have() -> None:
    """HT-260, HT-347."""
    answer = operator_reads.get_agents(cluster(), EPOCH)
    agent = first(answer, "agents")
    assert agent["agent_info"]["id"] == {"value": "S1"}
    assert (agent["active"], agent["deactivated"], agent["version"]) == (True, False, VERSION)
    assert agent["pid"] == "slave(1)@10.0.0.1:5051"
    assert agent["registered_time"] == {"nanoseconds": 1_003_000_000_000}
    assert not {"reregistered_time", "drain_info", "estimated_drain_start_time"} & agent.keys()
    amounts = {
        kind: {each["name"]: each["scalar"]["value"] for each in agent[kind] if each["type"] == "SCALAR"}
        for kind in ("total_resources", "allocated_resources", "offered_resources")
    }
    assert amounts == {
        "total_resources": {"cpus": 4.0, "mem": 1024.0, "licences": 2.0},
        "allocated_resources": {"cpus": 1.5, "mem": 64.0},
        "offered_resources": {"cpus": 2.0, "mem": 128.0},
    }
    assert {"type": "AGENT_DRAINING"} in agent["capabilities"]


def test_agents_not_back_yet_are_recovered_ones() -> None:
    """HT-260: recovered_agents is a list of AgentInfo."""
    recovered = first(operator_reads.get_agents(cluster(), EPOCH), "recovered_agents")
    assert (recovered["hostname"], recovered["id"]) == ("c.example", {"value": "S3"})


def test_draining_agent_says_how_far_it_is() -> None:
    """HT-260, HT-275, HT-289."""
    agent = operator_reads.get_agents(cluster(), EPOCH)["agents"][1]
    assert agent["reregistered_time"] == {"nanoseconds": 1_008_000_000_000}
    assert agent["drain_info"] == {
        "state": "DRAINING",
        "config": {"max_grace_period": {"nanoseconds": 30_000_000_000}, "mark_gone": True},
    }
    assert agent["estimated_drain_start_time"] == {"nanoseconds": 1_009_000_000_000}


def test_drain_without_a_grace_period_has_none() -> None:
    """HT-275, HT-43."""
    told = operator_reads.drain_info(attrs.evolve(DRAIN, state=DrainState.DRAINED, config=DrainConfig()))
    assert told == {"state": "DRAINED", "config": {"mark_gone": False}}


@pytest.mark.parametrize("state", [DrainState.GONE, DrainState.LEFT])
def test_states_of_a_drain_that_v1_has_not_are_not_shown(state: DrainState) -> None:
    """HT-50: a strict client could not read them."""
    agent = attrs.evolve(cluster().agents[1], drain=attrs.evolve(DRAIN, state=state))
    assert "drain_info" not in operator_reads.agent(agent, EPOCH)


def test_frameworks_tell_who_they_are_and_what_is_out() -> None:
    """HT-261."""
    told = first(operator_reads.get_frameworks(cluster(), EPOCH), "frameworks")
    assert told["framework_info"]["id"] == {"value": "F1"}
    assert (told["active"], told["connected"], told["recovered"]) == (True, True, False)
    assert told["registered_time"] == {"nanoseconds": 1_003_500_000_000}
    assert told["reregistered_time"] == {"nanoseconds": 1_004_500_000_000}
    assert "unregistered_time" not in told
    assert [offer["id"] for offer in told["offers"]] == [{"value": "O1"}]
    assert [inverse["id"] for inverse in told["inverse_offers"]] == [{"value": "O2"}]
    allocated = {each["name"]: each for each in told["allocated_resources"]}
    assert allocated["cpus"]["scalar"] == {"value": 1.5}
    assert allocated["cpus"]["allocation_info"] == {"role": "web"}
    assert first(told, "offered_resources")["scalar"] == {"value": 2.0}


def test_frameworks_that_have_ended_are_completed_ones() -> None:
    """HT-261."""
    answer = operator_reads.get_frameworks(cluster(), EPOCH)
    ended = first(answer, "completed_frameworks")
    assert [each["framework_info"]["name"] for each in answer["frameworks"]] == ["remote", "local"]
    assert ended["framework_info"]["name"] == "ended"
    assert ended["unregistered_time"] == {"nanoseconds": 1_007_000_000_000}


def test_frameworks_show_all_that_they_have_said() -> None:
    """HT-45: also what nothing here knows."""
    info = first(operator_reads.get_frameworks(cluster(), EPOCH), "frameworks")["framework_info"]
    assert info["webui_url"] == "http://f.example/"
    assert {"type": "REGION_AWARE"} in info["capabilities"]


def test_executors_are_custom_ones_with_their_agent() -> None:
    """HT-262."""
    (told,) = operator_reads.get_executors(cluster())["executors"]
    assert told["agent_id"] == {"value": "S1"}
    assert told["executor_info"]["executor_id"] == {"value": "e1"}
    assert told["executor_info"]["framework_id"] == {"value": "F1"}


def test_tasks_are_listed_by_what_has_become_of_them() -> None:
    """HT-263: also those of a framework that has ended."""
    answer = operator_reads.get_tasks(cluster(), EPOCH)
    ids = {name: [each["task_id"]["value"] for each in tasks] for name, tasks in answer.items()}
    assert ids == {
        "pending_tasks": [],
        "tasks": ["t1", "t2"],
        "unreachable_tasks": ["t3"],
        "completed_tasks": ["t4", "t0"],
        "orphan_tasks": [],
    }


def test_task_has_what_it_was_asked_for_with() -> None:
    """HT-273, HT-45: what belongs to a Task of its TaskInfo, and nothing else of it."""
    told = operator_reads.task(RUNNING, EPOCH)
    assert (told["name"], told["task_id"], told["state"]) == ("web", {"value": "t1"}, "TASK_RUNNING")
    assert (told["framework_id"], told["agent_id"]) == ({"value": "F1"}, {"value": "S1"})
    assert told["executor_id"] == {"value": "e1"}
    assert (told["labels"], told["discovery"], told["container"]) == (LABELS, DISCOVERY, CONTAINER)
    assert told["health_check"] == {"type": "COMMAND"}
    assert told["kill_policy"] == {"grace_period": {"nanoseconds": 5}}
    assert told["limits"] == {"mem": {"value": float("inf")}}
    assert told["user"] == "carla"
    assert not {"max_completion_time", "executor", "command", "data"} & told.keys()


def test_task_says_what_its_agent_has_last_forwarded() -> None:
    """HT-273: the state and the uuid, or neither."""
    told = operator_reads.task(RUNNING, EPOCH)
    assert told["status_update_state"] == "TASK_RUNNING"
    assert told["status_update_uuid"] == told["statuses"][1]["uuid"]
    assert not {"status_update_state", "status_update_uuid"} & operator_reads.task(task("t2"), EPOCH).keys()


def test_command_task_has_no_executor_id() -> None:
    """HT-273."""
    assert "executor_id" not in operator_reads.task(task("t2", TaskState.TASK_STAGING), EPOCH)


def test_statuses_are_in_order_and_without_data() -> None:
    """HT-274, HT-179; labels and the like are as the executor has sent them (HT-46)."""
    statuses = operator_reads.task(RUNNING, EPOCH)["statuses"]
    assert [each["state"] for each in statuses] == ["TASK_STARTING", "TASK_RUNNING"]
    assert [each["timestamp"] for each in statuses] == [1004.0, 1005.0]
    assert all("data" not in each for each in statuses)
    assert (statuses[1]["labels"], statuses[1]["healthy"]) == (LABELS, True)


def test_roles_are_those_of_frameworks_that_have_not_ended() -> None:
    """HT-265: resources are what is allocated and what is offered."""
    local, web = operator_reads.get_roles(cluster())["roles"]
    assert (local["name"], local["frameworks"], local["resources"]) == ("*", [{"value": "F2"}], [])
    assert (web["name"], web["weight"], web["frameworks"]) == ("web", 1.0, [{"value": "F1"}])
    amounts = {each["name"]: each["scalar"]["value"] for each in web["resources"]}
    assert amounts == {"cpus": 3.5, "mem": 192.0}


def test_weights_quota_and_operations_are_empty() -> None:
    """HT-264, HT-266, HT-267."""
    assert operator_reads.get_operations() == {"operations": []}
    assert operator_reads.get_weights() == {"weight_infos": []}
    assert operator_reads.get_quota() == {"status": {"configs": [], "infos": []}}


def test_master_says_who_leads_and_since_when() -> None:
    """HT-268, HT-53: the times in seconds."""
    told = operator_reads.get_master(cluster(), EPOCH, ADDRESSES)
    assert (told["start_time"], told["elected_time"]) == (1001.0, 1002.0)
    assert told["master_info"]["ip"] == 16777343
    assert told["master_info"]["address"] == {"hostname": "m.example", "ip": "127.0.0.1", "port": 5050}


def test_maintenance_schedule_is_what_was_posted() -> None:
    """HT-269, HT-291: a machine may have only one of hostname and ip."""
    assert operator_reads.get_maintenance_schedule(cluster(), EPOCH) == {
        "schedule": {
            "windows": [
                {
                    "machine_ids": [{"hostname": "b.example", "ip": "10.0.0.2"}, {"hostname": "d.example"}],
                    "unavailability": {
                        "start": {"nanoseconds": 1_050_000_000_000},
                        "duration": {"nanoseconds": 60_000_000_000},
                    },
                }
            ]
        }
    }


def test_maintenance_status_says_what_frameworks_answered() -> None:
    """HT-270."""
    answered = {"status": "ACCEPT", "framework_id": {"value": "F1"}, "timestamp": {"nanoseconds": 1_010_000_000_000}}
    assert operator_reads.get_maintenance_status(cluster(), EPOCH) == {
        "status": {
            "draining_machines": [{"id": {"hostname": "b.example", "ip": "10.0.0.2"}, "statuses": [answered]}],
            "down_machines": [{"hostname": "d.example"}],
        }
    }


def test_events_tell_of_nouns_as_the_calls_do() -> None:
    """HT-295, HT-297, HT-298; what a framework holds and is offered no event tells."""
    snapshot = cluster()
    assert operator_reads.agent(snapshot.agents[0], EPOCH) == first(
        operator_reads.get_agents(snapshot, EPOCH), "agents"
    )
    assert operator_reads.task(RUNNING, EPOCH) == first(operator_reads.get_tasks(snapshot, EPOCH), "tasks")
    told = operator_reads.framework(snapshot.frameworks[0], EPOCH)
    whole = first(operator_reads.get_frameworks(snapshot, EPOCH), "frameworks")
    assert told.items() <= whole.items()
    assert whole.keys() - told.keys() == {"offers", "inverse_offers", "allocated_resources", "offered_resources"}
