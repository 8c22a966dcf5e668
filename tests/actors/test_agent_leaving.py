"""An agent is told to go, or to drain: lists of events with the exact effects of each (drain.md 2.1, 2.2, 4.4)."""

from __future__ import annotations

from mesolite.actors.decisions.agent.timers import (
    ExecutorRegistrationTimeout,
    ExecutorShutdownTimeout,
    LastGraceEnd,
    RegistrationAttempt,
    UpdateRetry,
)
from mesolite.actors.decisions.contract import (
    CancelTimer,
    Destroy,
    Exit,
    Publish,
    Save,
    Send,
    SetTimer,
    SignalReceived,
    TimerFired,
)
from mesolite.messages.agent import AgentDrained, DrainAgent, RevokeTask, ShutdownAgent, UnregisterAgent
from mesolite.messages.drains import DrainConfig
from mesolite.messages.executor import ShutdownExecutor
from mesolite.messages.facts import AgentStatus
from mesolite.messages.relayed import KillTask
from mesolite.messages.tasks import Cause, KillPolicy, Reason, TaskState
from tests.actors.agents import (
    acknowledgement,
    executor_of,
    own,
    passed_on,
    registered,
    run,
    running,
    started,
    task,
    update,
)

USR1 = SignalReceived("SIGUSR1")
KILLED = passed_on("t1", TaskState.TASK_KILLED, 2, cause=Cause.DRAINED, reason=Reason.REASON_AGENT_DRAINING)
GRACE = DrainConfig(max_grace_period_s=30.0)


# --- the signal ---


def test_sigusr1_says_goodbye_before_anything_is_shut_down() -> None:
    """UnregisterAgent; then every executor gets its grace, and the agent ends with the last (2.1.2 to 2.1.4, AG-22)."""
    agent = running(task("t1"), task("t2", kill_policy=KillPolicy(grace_period_s=30.0)))

    # Drain now.
    assert agent.hear(USR1, "agent-1", 6.0) == [
        Send("master-1", UnregisterAgent(agent_id="m1-S1")),
        Publish(AgentStatus(name="agent-1", agent_id="m1-S1")),
        CancelTimer(RegistrationAttempt()),
        CancelTimer(UpdateRetry("m1-F1", "t1")),
        CancelTimer(UpdateRetry("m1-F1", "t2")),
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        Send(executor_of("t1"), ShutdownExecutor(grace_s=5.0)),
        SetTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1), 5.0),
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t2", 2)),
        Send(executor_of("t2"), ShutdownExecutor(grace_s=32.0)),
        SetTimer(ExecutorShutdownTimeout("m1-F1", "t2", 2), 32.0),
    ]
    # Once more: all that is under way, but the goodbye may have been lost.
    assert agent.hear(USR1, "agent-1", 6.1) == [
        Send("master-1", UnregisterAgent(agent_id="m1-S1")),
        CancelTimer(RegistrationAttempt()),
    ]
    # What its executors say now is nobody's business any more (2.1.7).
    assert agent.hear(update("t1", TaskState.TASK_KILLED, 2), executor_of("t1"), 7.0) == []
    # Nothing new is taken (TK-34).
    assert agent.hear(run(task("t3")), "master-1", 7.0) == []
    # One of them has gone.
    assert agent.exit_of(executor_of("t1"), 7.5, 0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1)),
    ]
    # The other does not go in time (3.1.3).
    assert agent.fire(TimerFired(ExecutorShutdownTimeout("m1-F1", "t2", 2)), 38.0) == [
        Destroy(executor_of("t2")),
    ]
    # The last of them is gone, and so is the agent.
    assert agent.exit_of(executor_of("t2"), 38.5) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t2", 2)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t2", 2)),
        Exit("shut down"),
    ]


def test_an_agent_with_nothing_on_it_goes_at_once() -> None:
    """There is nobody to wait for (2.1.4)."""
    assert registered().hear(USR1, "agent-1", 6.0) == [
        Send("master-1", UnregisterAgent(agent_id="m1-S1")),
        Publish(AgentStatus(name="agent-1", agent_id="m1-S1")),
        CancelTimer(RegistrationAttempt()),
        Exit("shut down"),
    ]


def test_an_agent_without_a_master_goes_without_a_word() -> None:
    """Nobody admitted it, so there is nothing to take back (2.1.3)."""
    assert started().hear(USR1, "agent-1", 6.0) == [
        CancelTimer(RegistrationAttempt()),
        Exit("shut down"),
    ]


def test_other_signals_are_not_the_agents_to_decide_about() -> None:
    """Only this one means something to it (2.1.1)."""
    assert registered().hear(SignalReceived("SIGHUP"), "agent-1", 6.0) == []


# --- the master's order ---


def test_an_agent_that_is_sent_away_shuts_down_without_a_goodbye() -> None:
    """Its master knows; but for that it is as with the signal (2.2, AG-22)."""
    agent = running(task("t1"))

    assert agent.hear(ShutdownAgent(reason="its machine is down"), "master-1", 6.0) == [
        Publish(AgentStatus(name="agent-1", agent_id="m1-S1")),
        CancelTimer(RegistrationAttempt()),
        CancelTimer(UpdateRetry("m1-F1", "t1")),
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        Send(executor_of("t1"), ShutdownExecutor(grace_s=5.0)),
        SetTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1), 5.0),
    ]
    assert agent.exit_of(executor_of("t1"), 7.0, 0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1)),
        Exit("shut down by the master: its machine is down"),
    ]


def test_an_agent_that_is_gone_drops_its_id() -> None:
    """Its next life is another agent, as nobody will use that id again (4.7.7)."""
    agent = registered()

    assert agent.hear(ShutdownAgent(reason="gone", gone=True), "master-1", 6.0) == [
        CancelTimer(RegistrationAttempt()),
        Save((("agent", None),), tag="write-2"),
    ]
    assert agent.saved(6.1) == [
        Publish(AgentStatus(name="agent-1", agent_id="m1-S1")),
        Exit("shut down by the master: gone; with restart() its machine joins as a new agent"),
    ]


# --- drains ---


def test_an_agent_drains_kills_with_grace_takes_nothing_new_and_says_when_it_is_done() -> None:
    """The order is stored before it is obeyed; a task with a shorter grace of its own keeps that (4.4.2 to 4.4.9)."""
    short = KillPolicy(grace_period_s=5.0)
    agent = running(task("t1"), task("t2", kill_policy=short))

    # The master wants it drained, and gives each task 30 s at most.
    assert agent.hear(DrainAgent(config=GRACE), "master-1", 6.0) == [
        SetTimer(LastGraceEnd("m1-F1", "t1", 1, "t1"), 32.0),
        SetTimer(LastGraceEnd("m1-F1", "t2", 2, "t2"), 7.0),
        Save((("drain", GRACE),), tag="write-2"),
    ]
    # It is stored: now the kills go out. A second's margin each way, then the executor has to go (4.4.5, 3.1.5).
    assert agent.saved(6.5) == [
        Send(
            executor_of("t1"),
            KillTask(framework_id="m1-F1", task_id="t1", agent_id="m1-S1", kill_policy=KillPolicy(grace_period_s=30.0)),
        ),
        Send(executor_of("t2"), KillTask(framework_id="m1-F1", task_id="t2", agent_id="m1-S1")),
    ]
    # Said again, it is no news.
    assert agent.hear(DrainAgent(config=GRACE), "master-1", 7.0) == []
    # A launch that crossed the order is answered: it never started (4.4.8).
    assert agent.hear(run(task("t3")), "master-1", 7.0) == [
        Send(
            "master-1",
            own(
                "t3",
                TaskState.TASK_LOST,
                Reason.REASON_AGENT_DRAINING,
                "the agent is draining",
                Cause.NEVER_STARTED,
                7.0,
            ),
        ),
        SetTimer(UpdateRetry("m1-F1", "t3"), 10.0),
    ]
    # One task has been killed, which says why it was (4.4.7).
    assert agent.hear(update("t1", TaskState.TASK_KILLED, 2), executor_of("t1"), 8.0) == [
        Send("master-1", KILLED),
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
        Send(executor_of("t1"), acknowledgement("t1", 2)),
    ]
    assert agent.hear(acknowledgement("t1", 2), "master-1", 8.5) == [
        CancelTimer(UpdateRetry("m1-F1", "t1")),
    ]
    assert agent.exit_of(executor_of("t1"), 9.0, 0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1)),
    ]
    # The other does not end within its own five seconds and the margin: its executor has to go.
    assert agent.fire(TimerFired(LastGraceEnd("m1-F1", "t2", 2, "t2")), 13.0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t2", 2)),
        Send(executor_of("t2"), ShutdownExecutor(grace_s=7.0)),
        SetTimer(ExecutorShutdownTimeout("m1-F1", "t2", 2), 7.0),
    ]
    # It does: the agent says that the task was killed, and why.
    assert agent.exit_of(executor_of("t2"), 14.0, 0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t2", 2)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t2", 2)),
        Send(
            "master-1",
            own(
                "t2",
                TaskState.TASK_KILLED,
                Reason.REASON_AGENT_DRAINING,
                "executor t2 was shut down: t2 was killed because the agent drains and had not ended within its grace",
                Cause.DRAINED,
                14.0,
                2,
            ),
        ),
        SetTimer(UpdateRetry("m1-F1", "t2"), 10.0),
    ]
    # The launch that was refused: its framework has taken that.
    assert agent.hear(acknowledgement("t3", uuid="agent-1.1:1"), "master-1", 14.5) == [
        CancelTimer(UpdateRetry("m1-F1", "t3")),
    ]
    # And that of the last task: nothing is left. That it drains is forgotten, then it says so (4.4.9).
    assert agent.hear(acknowledgement("t2", uuid="agent-1.1:2"), "master-1", 15.0) == [
        CancelTimer(UpdateRetry("m1-F1", "t2")),
        Save((("drain", None),), tag="write-3"),
    ]
    assert agent.saved(15.5) == [
        Send("master-1", AgentDrained(agent_id="m1-S1")),
    ]
    # Asked again, it says so at once (4.4.2).
    assert agent.hear(DrainAgent(config=GRACE), "master-1", 16.0) == [
        Send("master-1", AgentDrained(agent_id="m1-S1")),
    ]


def test_a_drain_that_is_to_go_faster_kills_again_with_the_new_grace() -> None:
    """Stored and said anew (4.3.7)."""
    agent = running(task("t1"))
    agent.hear(DrainAgent(config=GRACE), "master-1", 6.0)
    agent.saved(6.0)

    assert agent.hear(DrainAgent(config=DrainConfig(max_grace_period_s=0.0)), "master-1", 7.0) == [
        SetTimer(LastGraceEnd("m1-F1", "t1", 1, "t1"), 2.0),
        Save((("drain", DrainConfig(max_grace_period_s=0.0)),), tag="write-3"),
    ]
    assert agent.saved(7.1) == [
        Send(
            executor_of("t1"),
            KillTask(framework_id="m1-F1", task_id="t1", agent_id="m1-S1", kill_policy=KillPolicy(grace_period_s=0.0)),
        ),
    ]


def test_an_agent_with_nothing_on_it_is_drained_at_once() -> None:
    """Whoever tells it, if that is its leader (4.4.1, 4.4.2)."""
    agent = registered()

    assert agent.hear(DrainAgent(config=GRACE), "master-2", 6.0) == []
    assert agent.hear(DrainAgent(config=GRACE), "master-1", 6.0) == [
        Send("master-1", AgentDrained(agent_id="m1-S1")),
    ]


def test_a_task_whose_executor_is_still_starting_ends_at_once_when_its_agent_drains() -> None:
    """It was never delivered, so the agent itself says that it was killed, and why (3.3.5)."""
    agent = registered()
    agent.hear(run(task("t1")), "master-1", 2.0)

    # It drains.
    assert agent.hear(DrainAgent(config=GRACE), "master-1", 3.0) == [
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
        Save((("drain", GRACE),), tag="write-2"),
    ]
    assert agent.saved(3.1) == [
        Send(
            "master-1",
            own(
                "t1",
                TaskState.TASK_KILLED,
                Reason.REASON_AGENT_DRAINING,
                "killed before it was delivered to its executor",
                Cause.DRAINED,
                3.0,
            ),
        ),
    ]


def test_an_agent_that_drains_and_gets_the_signal_leaves() -> None:
    """The drain is forgotten, for its next life is not to go on with it (4.6.8)."""
    agent = running(task("t1"))
    agent.hear(DrainAgent(config=GRACE), "master-1", 6.0)
    agent.saved(6.0)

    # It is not patient any more.
    assert agent.hear(USR1, "agent-1", 7.0) == [
        CancelTimer(RegistrationAttempt()),
        CancelTimer(UpdateRetry("m1-F1", "t1")),
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        SetTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1), 5.0),
        Save((("drain", None),), tag="write-3"),
    ]
    assert agent.saved(7.1) == [
        Send("master-1", UnregisterAgent(agent_id="m1-S1")),
        Publish(AgentStatus(name="agent-1", agent_id="m1-S1")),
        Send(executor_of("t1"), ShutdownExecutor(grace_s=5.0)),
    ]


# --- revocation ---


def test_a_task_that_is_revoked_gets_its_own_grace_and_not_a_moment_more() -> None:
    """If it has not ended then, its executor is shut down (docs/reclaim.md)."""
    agent = running(task("t1", kill_policy=KillPolicy(grace_period_s=5.0)))

    # Its resources were not returned in time.
    assert agent.hear(RevokeTask(framework_id="m1-F1", task_id="t1"), "master-1", 6.0) == [
        Send(executor_of("t1"), KillTask(framework_id="m1-F1", task_id="t1", agent_id="m1-S1")),
        SetTimer(LastGraceEnd("m1-F1", "t1", 1, "t1"), 7.0),
    ]
    # It has not ended.
    assert agent.fire(TimerFired(LastGraceEnd("m1-F1", "t1", 1, "t1")), 13.0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        Send(executor_of("t1"), ShutdownExecutor(grace_s=7.0)),
        SetTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1), 7.0),
    ]
    # Its executor has: that says the cause.
    assert agent.exit_of(executor_of("t1"), 14.0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1)),
        Send(
            "master-1",
            own(
                "t1",
                TaskState.TASK_KILLED,
                Reason.REASON_RESOURCES_REVOKED,
                "executor t1 was shut down: t1 was revoked and had not ended within its grace",
                Cause.REVOKED,
                14.0,
            ),
        ),
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
    ]
