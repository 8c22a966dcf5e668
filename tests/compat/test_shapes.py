"""Dictionaries in v1 shapes become our nouns and come out of them: leniently as Mesos reads, strictly as it writes."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import (
    Capability,
    Cause,
    Filters,
    InvalidValue,
    InverseOffer,
    Offer,
    Reason,
    Refused,
    Resources,
    Source,
    TaskState,
    TaskStatus,
    Unavailability,
    Uri,
)
from mesolite.compat.pymesos import Dict, encode_data, reading, writing
from mesolite.compat.pymesos.sealed import sealed, unsealed
from mesolite.gateway.v1.writing import resources

CPU = {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}}
TASK: dict[str, Any] = {
    "task_id": {"value": "t1"},
    "agent_id": {"value": "S1"},
    "name": "t",
    "resources": [CPU],
    "command": {"value": "echo"},
}
EXECUTOR = {"executor_id": {"value": "e"}, "command": {"value": "python e.py"}}


def task(**changes: Any) -> Any:
    """A task that was read, with other fields."""
    return reading.task_info(TASK | changes, "tasks[0]", ["e"])


# --- reading -----------------------------------------------------------------------------------------------


def test_a_task_is_read() -> None:
    """With all that we have a field for."""
    environment = {"variables": [{"name": "A", "value": "1"}]}
    command = {
        "value": "x",
        "shell": False,
        "arguments": ["x", "-v"],
        "environment": environment,
        "uris": [
            {"value": "/a.tgz", "extract": False},
            {"value": "http://x/b", "executable": "true", "output_file": "c"},
        ],
        "user": "root",
    }
    read = task(command=command, data=encode_data(b"raw"), kill_policy={"grace_period": {"nanoseconds": 2_500_000_000}})

    assert (read.task_id, read.agent_id, read.name, read.data) == ("t1", "S1", "t", b"raw")
    assert read.resources == Resources.parse("cpus:1")
    assert (read.command.value, read.command.shell, read.command.arguments) == ("x", False, ("-v",))
    assert read.command.environment == (("A", "1"),)
    assert read.command.uris == (
        Uri(value="/a.tgz", extract=False),
        Uri(value="http://x/b", executable=True, output_file="c"),
    )
    assert read.command.user == "root"
    assert read.kill_policy.grace_period_s == 2.5


def test_resources_of_every_type_are_read() -> None:
    """Those of an offer, with role and allocation, as they are written."""
    held = Resources.parse("cpus:1.5;mem:32;ports:[1-2,5-9];zones:{a,b}")

    assert reading.resources(resources(held, "web"), "resources") == held


@pytest.mark.parametrize(
    "changes",
    [
        {"slave_id": {"value": "S1"}, "unknown": {"deep": [1]}},
        {"data": None, "kill_policy": None, "container": None, "labels": None},
        {"resources": CPU},
        {"resources": [CPU | {"scalar": {"value": "1"}}, None]},
        {"command": {"value": "echo", "shell": "true"}},
        {"container": {"type": "MESOS"}},
        {"container": {}, "health_check": {}, "executor": Dict()},
        {"discovery": {"name": "x"}, "labels": {"labels": []}},
    ],
)
def test_what_mesos_overlooks_is_overlooked(changes: dict[str, Any]) -> None:
    """HT-29 to HT-34, HT-174: the task is the same."""
    assert task(**changes) == task()


@pytest.mark.parametrize(
    ("changes", "path", "why"),
    [
        ({"container": {"type": "DOCKER", "docker": {"image": "x"}}}, r"tasks\[0\]\.container", "no Docker containers"),
        ({"container": {"type": "MESOS", "volumes": [{"mode": "RW"}]}}, r"tasks\[0\]\.container", "volumes"),
        ({"health_check": {"type": "HTTP"}}, r"tasks\[0\]\.health_check", "no such things here as health checks"),
        ({"check": {"type": "TCP"}}, r"tasks\[0\]\.check", "checks"),
        ({"max_completion_time": {"nanoseconds": 1}}, r"tasks\[0\]\.max_completion_time", "time"),
        ({"limits": {"cpus": {"value": 2}}}, r"tasks\[0\]\.limits", "limits"),
        (
            {"command": {"value": "x", "environment": {"variables": [{"name": "a", "type": "SECRET"}]}}},
            r"environment\.variables\[0\]\.type",
            "secrets",
        ),
        ({"resources": [CPU | {"role": "web"}]}, r"resources\[0\]\.role", "reservation"),
        ({"resources": [CPU | {"reservations": [{"role": "x"}]}]}, r"resources\[0\]\.reservations", "reservations"),
        ({"resources": [CPU | {"disk": {"persistence": {"id": "x"}}}]}, r"resources\[0\]\.disk", "volumes"),
        ({"executor": {"type": "DEFAULT", "executor_id": {"value": "e"}}}, r"executor\.type", "task groups"),
        ({"executor": {"executor_id": {"value": "other"}, "name": "n"}}, r"executor", r"on\(cluster, executors="),
        ({"executor": EXECUTOR | {"container": {"type": "DOCKER"}}}, r"executor\.container", "no Docker containers"),
    ],
)
def test_what_does_not_exist_here_is_refused(changes: dict[str, Any], path: str, why: str) -> None:
    """By its path, and never in silence."""
    with pytest.raises(Refused, match=path) as refused:
        task(**changes)
    assert why.replace("\\", "") in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"task_id": "t1"}, r"tasks\[0\]\.task_id"),
        ({"task_id": None}, r"tasks\[0\]\.task_id"),
        ({"name": None}, r"tasks\[0\]\.name"),
        ({"agent_id": {"value": 5}}, r"tasks\[0\]\.agent_id"),
        ({"resources": [{"name": "cpus", "type": "SCALAR"}]}, r"resources\[0\]\.scalar"),
        ({"resources": [CPU | {"type": "MANY"}]}, r"resources\[0\]\.type"),
        ({"resources": [CPU | {"scalar": {"value": True}}]}, r"scalar\.value"),
        ({"resources": [CPU | {"scalar": {"value": "much"}}]}, r"scalar\.value"),
        ({"command": "echo"}, r"tasks\[0\]\.command"),
        ({"command": {"value": "x", "shell": 1}}, r"command\.shell"),
        ({"command": {"value": "x", "uris": [{"value": 5}]}}, r"command\.uris\[0\]\.value"),
        ({"command": {"value": "x", "user": 5}}, r"user"),
        ({"data": b"raw"}, r"tasks\[0\]\.data"),
        ({"data": "a"}, r"tasks\[0\]\.data"),
        ({"kill_policy": {"grace_period": 5}}, r"grace_period"),
        ({"executor": EXECUTOR, "data": "a"}, r"tasks\[0\]\.data"),
        ({"executor": EXECUTOR | {"data": b"raw"}}, r"tasks\[0\]\.executor\.data"),
        ({"executor": EXECUTOR, "labels": {"labels": [{"key": b"raw"}]}}, r"tasks\[0\] cannot be written as JSON"),
    ],
)
def test_what_is_no_such_thing_is_refused(changes: dict[str, Any], path: str) -> None:
    """By its path (HT-42)."""
    with pytest.raises(InvalidValue, match=path):
        task(**changes)


@pytest.mark.parametrize("plain", [None, {"type": "RESERVE"}, {"type": "LAUNCH_GROUP", "launch_group": {}}, {}])
def test_operations_other_than_launch_are_refused(plain: Any) -> None:
    """None of them is dropped."""
    if plain is None:
        assert reading.operations([plain], []) == ()
    else:
        with pytest.raises(Refused, match=r"operations"):
            reading.operations([plain, {"type": "CREATE"}], [])


def test_a_framework_is_read() -> None:
    """What it leaves out is as pymesos says it (HT-183); capabilities to be offered more are no obstacle."""
    plain = {"name": "f", "user": "me", "capabilities": [{"type": "PARTITION_AWARE"}, {"type": "GPU_RESOURCES"}]}
    read = reading.framework_info(plain | {"roles": ["web"], "checkpoint": "true", "labels": {}}, "someone")

    assert (read.name, read.user, read.role, read.principal, read.id) == ("f", "me", "web", "someone", None)
    assert (read.failover_timeout_s, read.checkpoint) == (100.0, True)
    assert read.capabilities == (Capability.PARTITION_AWARE,)
    returning = reading.framework_info({"name": "f", "user": "", "id": {"value": "F1"}, "failover_timeout": "5"})
    assert (returning.id, returning.failover_timeout_s) == ("F1", 5.0)


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        ({"roles": ["a", "b"]}, "one role"),
        ({"capabilities": [{"type": "TELEPATHY"}]}, "TELEPATHY"),
        ({"id": "F1"}, r"framework\.id"),
        ({"failover_timeout": "soon"}, r"framework\.failover_timeout"),
        ({"name": ""}, "name"),
        ({"name": None}, r"framework\.name"),
        ({"user": None}, r"framework\.user"),
    ],
)
def test_a_framework_that_cannot_be_is_refused(plain: dict[str, Any], why: str) -> None:
    """It says what is wrong."""
    with pytest.raises(Refused, match=why):
        reading.framework_info({"name": "f", "user": "me"} | plain)


@pytest.mark.parametrize(
    ("plain", "read"),
    [
        (None, None),
        ({}, Filters()),
        ({"refuse_seconds": 2}, Filters(refuse_seconds=2)),
        ({"refuse_seconds": "Infinity"}, Filters(refuse_seconds=4294967295)),
    ],
)
def test_filters_are_read(plain: Any, read: Filters | None) -> None:
    """For ever is a year (HT-139)."""
    assert reading.filters(plain) == read


# --- writing -----------------------------------------------------------------------------------------------


def test_an_offer_is_written() -> None:
    """As v1 has it, for a framework that has several roles (HT-170, HT-171)."""
    offer = Offer(
        id="O1",
        framework_id="F1",
        agent_id="S1",
        hostname="h",
        resources=Resources.parse("cpus:0.5;ports:[1-2]"),
        attributes=(("rack", "a"),),
        executor_ids=("e",),
        role="web",
        unavailability=Unavailability(start=1.5, duration_s=2),
    )
    allocated = {"role": "*", "allocation_info": {"role": "web"}}

    assert writing.offer(offer, ["MULTI_ROLE"]) == {
        "id": {"value": "O1"},
        "framework_id": {"value": "F1"},
        "agent_id": {"value": "S1"},
        "hostname": "h",
        "resources": [
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.5}} | allocated,
            {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 1, "end": 2}]}} | allocated,
        ],
        "attributes": [{"name": "rack", "type": "TEXT", "text": {"value": "a"}}],
        "executor_ids": [{"value": "e"}],
        "allocation_info": {"role": "web"},
        "unavailability": {"start": {"nanoseconds": 1_500_000_000}, "duration": {"nanoseconds": 2_000_000_000}},
    }


def test_a_status_is_written() -> None:
    """All of it, and what is not set is left out (HT-43)."""
    full = TaskStatus(
        task_id="t1",
        state=TaskState.TASK_UNREACHABLE,
        source=Source.SOURCE_MASTER,
        reason=Reason.REASON_AGENT_REMOVED,
        message="gone",
        data="text",
        agent_id="S1",
        executor_id="e",
        timestamp=2.5,
        uuid="u",
        unreachable_time=1.0,
        cause=Cause.UNREACHABLE,
    )

    assert writing.status(TaskStatus(task_id="t1", state=TaskState.TASK_RUNNING)) == {
        "task_id": {"value": "t1"},
        "state": "TASK_RUNNING",
    }
    assert writing.status(full) == {
        "task_id": {"value": "t1"},
        "state": "TASK_UNREACHABLE",
        "source": "SOURCE_MASTER",
        "reason": "REASON_AGENT_REMOVED",
        "message": "gone",
        "data": encode_data(b"text"),
        "agent_id": {"value": "S1"},
        "executor_id": {"value": "e"},
        "timestamp": 2.5,
        "uuid": encode_data(b"u"),
        "unreachable_time": {"nanoseconds": 1_000_000_000},
        "x_mesolite_cause": "UNREACHABLE",
    }


def test_an_inverse_offer_is_written() -> None:
    """What is ours has our prefix (HT-51)."""
    asked = InverseOffer(
        id="I1", framework_id="F1", agent_id="S1", unavailability=Unavailability(start=3), enforced=True
    )

    assert writing.inverse_offer(asked) == {
        "id": {"value": "I1"},
        "framework_id": {"value": "F1"},
        "agent_id": {"value": "S1"},
        "unavailability": {"start": {"nanoseconds": 3_000_000_000}},
        "resources": [],
        "x_mesolite_enforced": True,
    }


def test_an_executor_sees_the_task_as_it_was_sent() -> None:
    """With fields that we know nothing of; only the framework's id is added (HT-192)."""
    sent = {key: value for key, value in TASK.items() if key != "command"}
    sent |= {"executor": EXECUTOR | {"labels": {"labels": []}}, "labels": {"labels": [{"key": "k"}]}, "x": [1, None]}
    read = reading.task_info(sent, "tasks[0]", ["python e.py"])

    assert read.executor is not None
    assert read.executor.name == "python e.py"
    assert writing.task_info(read) == sent


def test_only_what_was_sealed_is_unsealed() -> None:
    """Other text, and bytes that look alike, are somebody's data."""
    text = sealed({"a": 1}, "x")

    assert unsealed(text) == {"a": 1}
    assert unsealed(text.encode()) is None
    assert unsealed("{}") is None
