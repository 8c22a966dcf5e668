"""What an executor finds in its environment, and what becomes of one whose process cannot be started (http.md 8.4)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from mesolite.actors.decisions.agent.core import AgentCore
from mesolite.actors.decisions.agent.environment import duration, environment
from mesolite.actors.decisions.agent.state import ExecutorRecord, FrameworkRecord
from mesolite.actors.decisions.agent.timers import ExecutorRegistrationTimeout, ExecutorShutdownTimeout, UpdateRetry
from mesolite.actors.decisions.contract import CancelTimer, PeerExited, Send, SetTimer
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.agent import ExitedExecutor
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.infos import AgentInfo
from mesolite.messages.tasks import Cause, CommandInfo, ExecutorInfo, Reason, TaskInfo, TaskState
from tests.actors.agents import executor_of, own, registered, run

CUSTOM = ExecutorInfo(executor_id="e1", command=CommandInfo(value="./executor"))


def variables(info: ExecutorInfo | None, *, checkpoint: bool = False, **listens: Any) -> dict[str, str]:
    """Of an executor on an agent that listens there."""
    info_of_agent = AgentInfo(hostname="h1", resources="cpus:4", id="m1-S1", **listens)
    agent = AgentCore(Settings.mesos(), info_of_agent, "/work").state
    framework = FrameworkRecord(
        info=FrameworkInfo(name="web", id="m1-F1", role="ads", checkpoint=checkpoint), scheduler="web"
    )
    executor = ExecutorRecord(id="e1", info=info, pid="agent-1/m1-F1/e1", run=1, shutdown_grace_s=90.0, sandbox="/s")
    found = environment(agent, framework, executor)
    assert list(found) == sorted(found)
    return dict(found)


def test_an_executor_learns_who_and_where_it_is() -> None:
    """Spelt as its libraries read it (HT-222 to HT-231, HT-234, HT-239)."""
    assert variables(CUSTOM, ip="10.0.0.1", port=5051) == {
        "LIBPROCESS_PORT": "0",
        "MESOS_AGENT_ENDPOINT": "10.0.0.1:5051",
        "MESOS_AGENT_ID": "m1-S1",
        "MESOS_CHECKPOINT": "0",
        "MESOS_DIRECTORY": "/s",
        "MESOS_EXECUTOR_ID": "e1",
        "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "90secs",
        "MESOS_FRAMEWORK_ID": "m1-F1",
        "MESOS_HTTP_COMMAND_EXECUTOR": "0",
        "MESOS_SANDBOX": "/s",
        "MESOS_SLAVE_ID": "m1-S1",
        "MESOS_SLAVE_PID": "slave(1)@10.0.0.1:5051",
    }


def test_with_checkpointing_it_learns_how_long_to_wait() -> None:
    """And only then (HT-230, HT-232, HT-233)."""
    plain, durable = variables(CUSTOM), variables(CUSTOM, checkpoint=True)

    assert {name: value for name, value in durable.items() if plain.get(name) != value} == {
        "MESOS_CHECKPOINT": "1",
        "MESOS_RECOVERY_TIMEOUT": "15mins",
        "MESOS_SUBSCRIPTION_BACKOFF_MAX": "2secs",
    }


def test_a_command_task_learns_its_role() -> None:
    """An executor of its framework's own does not (HT-237)."""
    assert variables(None).items() - variables(CUSTOM).items() == {("MESOS_ALLOCATION_ROLE", "ads")}


def test_an_agent_that_does_not_listen_says_no_address() -> None:
    """There is none to be said (HT-228, HT-229)."""
    assert not {"MESOS_SLAVE_PID", "MESOS_AGENT_ENDPOINT"} & variables(CUSTOM).keys()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, "5secs"),
        (90, "90secs"),
        (60, "1mins"),
        (900, "15mins"),
        (7200, "2hrs"),
        (86_400, "1days"),
        (1_209_600, "2weeks"),
        (0.05, "50ms"),
        (2.5, "2500ms"),
        (0.000_25, "250us"),
        (1e-9, "1ns"),
        (0, "0ns"),
    ],
)
def test_durations_are_whole_numbers_of_the_largest_unit(seconds: float, text: str) -> None:
    """Executors fail on any other spelling (HT-242)."""
    assert duration(seconds) == text


def test_tasks_of_a_process_that_could_not_be_started_have_failed_for_that() -> None:
    """It says so with no status at all, and why (HT-215, TK-39)."""
    agent = registered()
    info = attrs.evolve(CUSTOM, executor_id="t1")
    agent.hear(run(TaskInfo(task_id="t1", agent_id="m1-S1", executor=info)), "master-1", 2.0)

    effects = agent.hear(PeerExited(executor_of("t1"), 1, -1, "cannot fetch it"), executor_of("t1"), 3.0)

    why = Reason.REASON_CONTAINER_LAUNCH_FAILED
    assert effects == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1)),
        Send("master-1", own("t1", TaskState.TASK_FAILED, why, "cannot fetch it", Cause.NEVER_STARTED, 3.0)),
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
        Send("master-1", ExitedExecutor(agent_id="m1-S1", framework_id="m1-F1", executor_id="t1", status=-1)),
    ]
