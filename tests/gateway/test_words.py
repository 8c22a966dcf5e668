"""What is refused over HTTP is refused in the words of v1: fields by their paths, and nothing of Python (HT-42)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.calling import EXECUTOR_INFO, FRAMEWORK, World, an_id

BEFORE: dict[str, Any] = {"nanoseconds": -1}
ONE = {
    "windows": [
        {"machine_ids": [{"hostname": "a"}], "unavailability": {"start": {"nanoseconds": 0}}},
        {"machine_ids": [{"hostname": "b"}], "unavailability": {"start": {"nanoseconds": 0}, "duration": BEFORE}},
    ]
}


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        (
            "UPDATE_MAINTENANCE_SCHEDULE",
            {"schedule": ONE},
            "UPDATE_MAINTENANCE_SCHEDULE: windows[1].unavailability.duration is -1e-09 s; it must be 0 or more",
        ),
        (
            "DRAIN_AGENT",
            {"agent_id": an_id("x"), "max_grace_period": {"seconds": -5}},
            "DRAIN_AGENT: max_grace_period is -5 s; it must be 0 or more",
        ),
        (
            "X_MESOLITE_RECLAIM",
            {"agent_id": an_id("x"), "within": {"nanos": -1}},
            "X_MESOLITE_RECLAIM: within is -1e-09 s; it must be 0 or more",
        ),
    ],
)
def test_a_negative_duration_is_named_as_v1_names_it(world: World, kind: str, body: Any, says: str) -> None:
    """HT-42, HT-280, HT-289."""
    answer = world.operate(kind, body)
    assert (answer.status, answer.body.decode()) == (400, says)


def test_so_is_one_of_the_plain_schedule(world: World) -> None:
    """HT-42, HT-339."""
    answer = world.post("/maintenance/schedule", ONE)
    assert answer.status == 400
    assert "windows[1].unavailability.duration is -1e-09 s; it must be 0 or more" in answer.body.decode()


@pytest.mark.parametrize("timeout", [-1.0, "-Infinity", "Infinity", 1e18])
def test_so_is_a_failover_timeout_that_cannot_be(world: World, timeout: Any) -> None:
    """HT-42, HT-127: when a framework subscribes, and when it is updated (HT-151)."""
    (told,) = world.subscribe(failover_timeout=timeout).stream.of_type("ERROR")
    assert told["message"].startswith("framework_info.failover_timeout is ")
    assert told["message"].endswith(" s; it must be 0 or more, below 292 years")

    framework = world.subscribe()
    updated = {**FRAMEWORK, "id": framework.id, "failover_timeout": timeout}
    answer = framework.call("UPDATE_FRAMEWORK", {"framework_info": updated})
    assert answer.status == 400
    assert answer.body.startswith(b"update_framework: framework_info.failover_timeout is ")


def test_so_is_the_grace_of_an_executor() -> None:
    """HT-42, HT-174."""
    framework = World().offered()
    framework.launch("t1", executor={**EXECUTOR_INFO, "shutdown_grace_period": BEFORE})
    (status,) = framework.statuses
    assert status["message"] == "task 't1': executor 'e1': shutdown_grace_period is -1e-09 s; it must be 0 or more"


def test_a_number_of_thousands_of_digits_is_not_explained_in_python(world: World) -> None:
    """HT-40, HT-42."""
    answer = world.post("/api/v1", b'{"type": "GET_STATE", "x": ' + b"9" * 5000 + b"}")
    assert answer.status == 400
    assert b"a number of thousands of digits" in answer.body
    assert b"sys" not in answer.body


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("DRAIN_AGENT", {"agent_id": an_id("nope")}),
        ("DEACTIVATE_AGENT", {"agent_id": an_id("nope")}),
        ("REACTIVATE_AGENT", {"agent_id": an_id("nope")}),
        ("MARK_AGENT_GONE", {"agent_id": an_id("nope")}),
        ("TEARDOWN", {"framework_id": an_id("nope")}),
        ("X_MESOLITE_RECLAIM", {"agent_id": an_id("nope"), "within": {"seconds": 1}}),
        ("START_MAINTENANCE", {"machines": [{"hostname": "nope"}]}),
        ("STOP_MAINTENANCE", {"machines": [{"hostname": "nope"}]}),
    ],
)
def test_a_master_refuses_in_words_that_hold_over_http_too(world: World, kind: str, body: Any) -> None:
    """HT-42: whoever calls by HTTP has no functions, and no None."""
    answer = world.operate(kind, body)
    assert answer.status in (400, 404)
    assert b"()" not in answer.body
    assert b"None" not in answer.body


def test_so_is_the_drain_of_an_agent_whose_machine_is_scheduled() -> None:
    """HT-42: and the reclaim of what is being reclaimed, or is nothing."""
    world = World()
    (agent,) = world.read("GET_AGENTS")["agents"]
    agent_id = agent["agent_info"]["id"]
    reclaim = {"agent_id": agent_id, "within": {"seconds": 1000}}
    assert world.operate("X_MESOLITE_RECLAIM", {**reclaim, "resources": []}).body.endswith(b"or none for everything")
    assert world.operate("X_MESOLITE_RECLAIM", reclaim).status == 200
    assert world.operate("X_MESOLITE_RECLAIM", reclaim).body.endswith(b"; wait for its end, or release it first")

    machine = {"hostname": agent["agent_info"]["hostname"], "ip": world.agent().url.split("/")[2].split(":")[0]}
    window = {"machine_ids": [machine], "unavailability": {"start": {"nanoseconds": 0}}}
    assert world.operate("UPDATE_MAINTENANCE_SCHEDULE", {"schedule": {"windows": [window]}}).status == 200
    answer = world.operate("DRAIN_AGENT", {"agent_id": agent_id})
    assert answer.body.endswith(b"; take the machine down, or out of the schedule first")
