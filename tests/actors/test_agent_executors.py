"""Executors end, or do not begin; tasks are killed: lists of events with the exact effects of each (drain.md 3)."""

from __future__ import annotations

from mesolite.actors.decisions.agent.timers import ExecutorRegistrationTimeout, ExecutorShutdownTimeout, UpdateRetry
from mesolite.actors.decisions.contract import CancelTimer, Destroy, Send, SetTimer, SpawnFailed, TimerFired
from mesolite.messages.agent import ShutdownAgent, ShutdownFramework
from mesolite.messages.executor import RegisterExecutor, ShutdownExecutor
from mesolite.messages.relayed import KillTask
from mesolite.messages.tasks import Cause, KillPolicy, Reason, TaskState
from tests.actors.agents import acknowledgement, executor_of, own, passed_on, registered, run, running, task, update

IT_REGISTERS = RegisterExecutor(framework_id="m1-F1", executor_id="t1")
TO_GO = Send(executor_of("t1"), ShutdownExecutor(grace_s=5.0))


def test_tasks_of_an_executor_that_dies_have_failed() -> None:
    """The agent says so itself; of a command executor nobody else hears (TK-57, 3.1.9)."""
    agent = running(task("t1"))

    assert agent.exit_of(executor_of("t1"), 6.0, 137) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1)),
        Send(
            "master-1",
            own(
                "t1",
                TaskState.TASK_FAILED,
                Reason.REASON_EXECUTOR_TERMINATED,
                "executor t1 ended with status 137 before the task did",
                Cause.EXECUTOR_DIED,
                6.0,
            ),
        ),
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
    ]


def test_an_executor_that_never_registers_is_destroyed() -> None:
    """After a minute; its task has failed when it is gone (TK-50)."""
    agent = registered()
    agent.hear(run(task("t1")), "master-1", 2.0)

    # It has not come.
    assert agent.fire(TimerFired(ExecutorRegistrationTimeout("m1-F1", "t1", 1)), 62.0) == [
        Destroy(executor_of("t1")),
    ]
    # It is gone.
    assert agent.exit_of(executor_of("t1"), 62.5) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1)),
        Send(
            "master-1",
            own(
                "t1",
                TaskState.TASK_FAILED,
                Reason.REASON_EXECUTOR_REGISTRATION_TIMEOUT,
                "executor t1 did not register within 60 s",
                Cause.EXECUTOR_DIED,
                62.5,
            ),
        ),
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
    ]


def test_an_executor_that_cannot_be_started_fails_its_task() -> None:
    """With the words of whoever tried (TK-39)."""
    agent = registered()
    agent.hear(run(task("t1")), "master-1", 2.0)

    # It could not be.
    assert agent.hear(SpawnFailed(executor_of("t1"), "no memory"), "agent-1", 2.5) == []
    # The link to it breaks, as there is nobody.
    assert agent.exit_of(executor_of("t1"), 2.5) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1)),
        Send(
            "master-1",
            own(
                "t1",
                TaskState.TASK_FAILED,
                Reason.REASON_CONTAINER_LAUNCH_FAILED,
                "no memory",
                Cause.NEVER_STARTED,
                2.5,
            ),
        ),
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
    ]


def test_a_task_is_killed_by_its_executor_or_ends_before_it_has_come_to_it() -> None:
    """The order is passed on; what was not delivered ends here (3.3.2 to 3.3.7)."""
    delivered, queued = running(task("t1")), registered()
    queued.hear(run(task("t1")), "master-1", 2.0)
    kill = KillTask(framework_id="m1-F1", task_id="t1", kill_policy=KillPolicy(grace_period_s=9.0))

    # Its executor has it.
    assert delivered.hear(kill, "master-1", 6.0) == [
        Send(
            executor_of("t1"),
            KillTask(framework_id="m1-F1", task_id="t1", agent_id="m1-S1", kill_policy=KillPolicy(grace_period_s=9.0)),
        ),
    ]
    # It has died of it, which its cause says.
    assert delivered.hear(update("t1", TaskState.TASK_KILLED, 2), executor_of("t1"), 7.0) == [
        Send("master-1", passed_on("t1", TaskState.TASK_KILLED, 2, cause=Cause.KILLED)),
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
        Send(executor_of("t1"), acknowledgement("t1", 2)),
    ]
    # Its executor is still on its way up: the agent itself says that it was killed (3.3.5).
    assert queued.hear(kill, "master-1", 3.0) == [
        Send(
            "master-1",
            own(
                "t1",
                TaskState.TASK_KILLED,
                Reason.REASON_TASK_KILLED_DURING_LAUNCH,
                "killed before it was delivered to its executor",
                Cause.KILLED,
                3.0,
            ),
        ),
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
    ]
    # And sends the executor home.
    assert queued.hear(RegisterExecutor(framework_id="m1-F1", executor_id="t1"), executor_of("t1"), 4.0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        Send(executor_of("t1"), ShutdownExecutor(grace_s=5.0)),
        SetTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1), 5.0),
    ]


def test_a_framework_that_is_ended_takes_its_executors_with_it() -> None:
    """They get their grace; updates are discarded, as nobody will acknowledge them (FW-38, 2.1.7, 3.1.2)."""
    agent = running(task("t1"))

    # The master wants it ended.
    assert agent.hear(ShutdownFramework(framework_id="m1-F1"), "master-1", 6.0) == [
        CancelTimer(UpdateRetry("m1-F1", "t1")),
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        Send(executor_of("t1"), ShutdownExecutor(grace_s=5.0)),
        SetTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1), 5.0),
    ]
    # It says how its task ended; that is nobody's business any more.
    assert agent.hear(update("t1", TaskState.TASK_KILLED, 2), executor_of("t1"), 7.0) == []
    # It does not end in time: it is destroyed (3.1.3).
    assert agent.fire(TimerFired(ExecutorShutdownTimeout("m1-F1", "t1", 1)), 11.0) == [
        Destroy(executor_of("t1")),
    ]
    assert agent.exit_of(executor_of("t1"), 11.5) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1)),
    ]


def test_an_executor_that_nobody_waits_for_is_told_to_go() -> None:
    """Its framework or it is unknown, it is there already, or its agent is about to end (TK-51)."""
    empty, other, again, ending = registered(), running(task("t2")), running(task("t1")), registered()
    ending.hear(run(task("t1")), "master-1", 2.0)
    ending.hear(ShutdownAgent(reason="no more"), "master-1", 3.0)

    for agent in (empty, other, again, ending):
        assert agent.hear(IT_REGISTERS, executor_of("t1"), 6.0) == [TO_GO]


def test_an_executor_that_is_to_end_does_not_come_back() -> None:
    """It registers when its framework has been ended: too late (TK-51). Its grace goes on, then it is gone (TK-49)."""
    agent = registered()
    agent.hear(run(task("t1")), "master-1", 2.0)
    end_of_grace = TimerFired(ExecutorShutdownTimeout("m1-F1", "t1", 1))

    # Its framework is ended before it is up.
    assert agent.hear(ShutdownFramework(framework_id="m1-F1"), "master-1", 3.0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        TO_GO,
        SetTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1), 5.0),
    ]
    # It is up now. It gets no task, and is told once more.
    assert agent.hear(IT_REGISTERS, executor_of("t1"), 4.0) == [TO_GO]
    # That it has registered does not save it.
    assert agent.fire(end_of_grace, 8.0) == [
        Destroy(executor_of("t1")),
    ]
    # It is gone. Whatever was on its way finds nobody of that name.
    agent.exit_of(executor_of("t1"), 8.5)
    assert agent.fire(end_of_grace, 9.0) == []
    assert agent.hear(IT_REGISTERS, executor_of("t1"), 9.0) == [TO_GO]
