"""Tasks are launched, reported, acknowledged, killed and asked after: events with the exact effects of each."""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.contract import CancelTimer, Link, LinkBroken, Send, SetTimer
from mesolite.actors.decisions.master.timers import Allocation, ReregisterTimeout
from mesolite.messages.agent import AgentReregistered, ExitedExecutor, UpdateFramework
from mesolite.messages.operator import OPERATOR, DeactivateAgentCall
from mesolite.messages.registrar import DeactivateAgent
from mesolite.messages.relayed import ExecutorToFramework, FrameworkToExecutor, KillTask, StatusUpdate
from mesolite.messages.resources import Resources
from mesolite.messages.scheduler import ReconcileTasks, RescindOffer
from mesolite.messages.tasks import (
    Cause,
    CommandInfo,
    ExecutorInfo,
    KillPolicy,
    Reason,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from tests.actors.masters import (
    ALLOCATE,
    BACK,
    KNOWN,
    OLD,
    accept,
    acknowledgement,
    done,
    offered,
    offering,
    run,
    running,
    task,
    tell,
    update,
    working,
)

KILL = KillTask(framework_id="m1-F1", task_id="t1", kill_policy=KillPolicy(grace_period_s=9.0))
EXITED = ExitedExecutor(agent_id="m1-S1", framework_id="m1-F1", executor_id="e1", status=9)
DOWN = FrameworkToExecutor(framework_id="m1-F1", agent_id="m1-S1", executor_id="e1", data="hi")
UP = ExecutorToFramework(framework_id="m1-F1", agent_id="m1-S1", executor_id="e1", data="ho")
BEHIND = StatusUpdate(
    framework_id="m1-F1",
    status=TaskStatus(task_id="t1", agent_id="m1-S1", state=TaskState.TASK_RUNNING, uuid="t1:2"),
    latest_state=TaskState.TASK_FINISHED,
)
"""Its status is behind what the agent knows already."""
FINISHED = update("t1", TaskState.TASK_FINISHED, 2)


# --- launches ---


def test_a_task_from_its_offer_to_its_end() -> None:
    """It is in the books before its agent hears of it; its end is forwarded, and frees what it held (OF-66, TK-14)."""
    master = working()
    offered(master)

    # The framework accepts the offer: the task goes to the agent, what is left over is declined for 5 s (OF-61, OF-67).
    assert master.hear(accept(task("t1")), "web", 1.5) == [
        run(task("t1"), 1.5),
        SetTimer(Allocation(), 0.5),
    ]
    # The next run finds nobody to offer that to, and waits for the end of that time.
    assert master.fire(ALLOCATE, 2.0) == [
        SetTimer(Allocation(), 5.0),
    ]
    # It runs, which the framework hears (TK-14).
    assert master.hear(update("t1", TaskState.TASK_RUNNING), "agent-1", 2.0) == [
        Send("web", update("t1", TaskState.TASK_RUNNING)),
    ]
    # And has taken: its agent hears that (TK-14).
    assert master.hear(acknowledgement("t1"), "web", 2.5) == [
        Send("agent-1", acknowledgement("t1")),
    ]
    # That time is over.
    assert master.fire(ALLOCATE, 7.0) == [
        offering("m1-O2", "cpus:3;mem:3996"),
    ]
    # It has finished: what it held is free at once (0.2.11), and offered with the next run.
    assert master.hear(FINISHED, "agent-1", 7.5) == [
        Send("web", update("t1", TaskState.TASK_FINISHED, 2)),
        SetTimer(Allocation(), 0.5),
    ]
    assert master.fire(ALLOCATE, 8.0) == [
        offering("m1-O3", "cpus:1;mem:100"),
    ]
    # Its end has been taken: it is history (TK-27).
    assert master.hear(acknowledgement("t1", 2), "web", 8.0) == [
        Send("agent-1", acknowledgement("t1", 2)),
    ]
    # The same acknowledgement again goes to the agent, which knows what to make of it.
    assert master.hear(acknowledgement("t1", 2), "web", 8.0) == [
        Send("agent-1", acknowledgement("t1", 2)),
    ]


def test_tasks_are_launched_one_after_the_other_against_what_the_former_left() -> None:
    """One that is invalid, or does not fit, is an error of its own; its neighbours start (OF-60, OF-65)."""
    master = working()
    offered(master)
    call = accept(task("t1", "cpus:3;mem:100"), task("t2", "cpus:2;mem:100"), task("t1"), task("t3"))

    assert master.hear(call, "web", 1.5) == [
        run(
            TaskInfo(
                task_id="t1",
                agent_id="m1-S1",
                resources=Resources.parse("cpus:3;mem:100"),
                command=CommandInfo(value="true"),
            ),
            1.5,
        ),
        tell(
            "t2",
            TaskState.TASK_ERROR,
            Reason.REASON_TASK_INVALID,
            timestamp=1.5,
            message="task 't2' was not launched: it needs cpus:2;mem:100, but only cpus:1;mem:3996 is left of the "
            "offers",
        ),
        tell(
            "t1",
            TaskState.TASK_ERROR,
            Reason.REASON_TASK_INVALID,
            timestamp=1.5,
            message="task 't1' was not launched: a task of this framework with that id is alive; choose another "
            "id, or wait until it has ended",
        ),
        run(task("t3"), 1.5),
        SetTimer(Allocation(), 0.5),
    ]


def test_an_executor_is_charged_with_its_first_task() -> None:
    """The agent is told that a new one is expected; with the second task it is there (OF-67)."""
    master = working()
    offered(master)
    executor = ExecutorInfo(executor_id="e1", name="E", resources="cpus:1")
    tasks = [
        TaskInfo(task_id=task_id, agent_id="m1-S1", resources="cpus:1;mem:100", executor=executor)
        for task_id in ("t1", "t2")
    ]

    # Both tasks and the executor: three of four cpus. The rest is offered again when its filter is over.
    master.hear(accept(*tasks), "web", 1.5)
    assert master.fire(ALLOCATE, 6.5) == [
        offering("m1-O2", "cpus:1;mem:3896", executor_ids=("e1",)),
    ]
    # The executor is gone. What it held is free; its tasks are the agent's to report (TK-57).
    assert master.hear(EXITED, "agent-1", 7.0) == [
        Send("web", EXITED),
        SetTimer(Allocation(), 0.5),
    ]
    # Said again, it is nothing: nobody has that executor any more.
    assert master.hear(EXITED, "agent-1", 7.1) == []
    assert master.fire(ALLOCATE, 7.5) == [
        offering("m1-O3", "cpus:1"),
    ]


def test_tasks_of_an_offer_that_is_none_any_more_are_dropped() -> None:
    """Each is said to have never started: DROPPED where that is understood, else LOST (OF-55 to OF-57, FW-47)."""
    aware, old = working(), working(framework=OLD)

    assert aware.hear(accept(task("t1"), offer="m1-O7"), "web", 1.5) == [
        tell(
            "t1",
            TaskState.TASK_DROPPED,
            Reason.REASON_INVALID_OFFERS,
            timestamp=1.5,
            message="task t1 was not launched: offer m1-O7 is not outstanding: it was used, declined or rescinded; "
            "wait for the next one",
            cause=Cause.NEVER_STARTED,
        ),
    ]
    assert old.hear(accept(task("t1"), offer="m1-O7"), "old", 1.5) == [
        tell(
            "t1",
            TaskState.TASK_LOST,
            Reason.REASON_INVALID_OFFERS,
            timestamp=1.5,
            to="old",
            message="task t1 was not launched: offer m1-O7 is not outstanding: it was used, declined or rescinded; "
            "wait for the next one",
            cause=Cause.NEVER_STARTED,
        ),
    ]


def test_a_rescinded_offer_and_its_acceptance_cross() -> None:
    """The agent was deactivated while the framework accepted: the tasks have not started (OF-55)."""
    master = working()
    offered(master)
    master.hear(DeactivateAgentCall(call_id=1, agent_id="m1-S1"), OPERATOR, 1.5)

    # The offer is rescinded.
    assert master.durable(DeactivateAgent(agent_id="m1-S1"), 2.0) == [
        Send("web", RescindOffer(offer_id="m1-O1")),
        done(1),
    ]
    # The framework has not heard that.
    assert master.hear(accept(task("t1")), "web", 2.1) == [
        tell(
            "t1",
            TaskState.TASK_DROPPED,
            Reason.REASON_INVALID_OFFERS,
            timestamp=2.1,
            message="task t1 was not launched: offer m1-O1 is not outstanding: it was used, declined or rescinded; "
            "wait for the next one",
            cause=Cause.NEVER_STARTED,
        ),
    ]


# --- updates and acknowledgements ---


def test_what_is_acknowledged_is_the_update_that_was_forwarded() -> None:
    """The agent may know a newer state: the task is history when the framework has taken the end (TK-25 to TK-29)."""
    master = running("t1")

    # An update that says besides that the task has finished meanwhile: what it held is free (0.2.11).
    assert master.hear(BEHIND, "agent-1", 3.0) == [
        Send("web", BEHIND),
    ]
    # It is taken; the end itself is still to come.
    assert master.hear(acknowledgement("t1", 2), "web", 3.5) == [
        Send("agent-1", acknowledgement("t1", 2)),
    ]
    # The end.
    assert master.hear(update("t1", TaskState.TASK_FINISHED, 3), "agent-1", 4.0) == [
        Send("web", update("t1", TaskState.TASK_FINISHED, 3)),
    ]
    # An acknowledgement of something else is passed on, and ends nothing.
    assert master.hear(acknowledgement("t1", 2), "web", 4.5) == [
        Send("agent-1", acknowledgement("t1", 2)),
    ]
    assert master.hear(acknowledgement("t1", 3), "web", 5.0) == [
        Send("agent-1", acknowledgement("t1", 3)),
    ]


def test_only_the_agent_that_has_a_task_reports_it_and_only_its_scheduler_acknowledges() -> None:
    """Who else says so is not heard (SEC-32, FW-32)."""
    master = running("t1")

    assert master.hear(FINISHED, "agent-2", 3.0) == []
    assert master.hear(acknowledgement("t1"), "web-2", 3.0) == []


def test_an_update_of_a_task_that_the_master_does_not_have_is_forwarded() -> None:
    """Its framework can acknowledge it, and have the task ended (TK-24)."""
    master = running()

    # The agent reports a task that this master never launched.
    assert master.hear(update("t9", TaskState.TASK_RUNNING), "agent-1", 3.0) == [
        Send("web", update("t9", TaskState.TASK_RUNNING)),
    ]
    assert master.hear(acknowledgement("t9"), "web", 3.5) == [
        Send("agent-1", acknowledgement("t9")),
    ]
    # The framework wants it ended: the agent that has it is told. Ours: nobody else could end it.
    assert master.hear(KillTask(framework_id="m1-F1", task_id="t9"), "web", 4.0) == [
        Send("agent-1", KillTask(framework_id="m1-F1", task_id="t9")),
    ]


# --- kills ---


def test_a_task_is_killed_with_the_policy_that_was_given() -> None:
    """The order is passed on, and again when the agent comes back with the task, with that policy (3.3.1, RC-27)."""
    master = running("t1")

    # Its framework wants it ended.
    assert master.hear(KILL, "web", 3.0) == [
        Send("agent-1", KILL),
    ]
    # The link to the agent breaks, and the order may be lost.
    master.hear(LinkBroken("agent-1"), "agent-1", 4.0)
    # It is back with the task, which still runs.
    assert master.hear(BACK, "agent-1", 5.0) == [
        Link("agent-1"),
        Send("agent-1", AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0)),
        Send("agent-1", KILL),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("agent-1", UpdateFramework(framework_info=KNOWN, scheduler="web")),
    ]


def test_a_kill_of_a_task_on_an_agent_that_is_away_is_said_when_it_is_back() -> None:
    """It is remembered (TK-42)."""
    master = running("t1")
    master.hear(LinkBroken("agent-1"), "agent-1", 3.0)

    assert master.hear(KillTask(framework_id="m1-F1", task_id="t1"), "web", 4.0) == []
    assert master.hear(BACK, "agent-1", 5.0) == [
        Link("agent-1"),
        Send("agent-1", AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0)),
        Send("agent-1", KillTask(framework_id="m1-F1", task_id="t1")),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("agent-1", UpdateFramework(framework_info=KNOWN, scheduler="web")),
    ]


def test_a_kill_of_a_task_that_nobody_knows_is_answered_as_if_it_had_been_asked_after() -> None:
    """So the framework learns what to think of it (TK-41, RC-1)."""
    master = running("t1")

    assert master.hear(KillTask(framework_id="m1-F1", task_id="t9"), "web", 3.0) == [
        tell(
            "t9",
            TaskState.TASK_UNKNOWN,
            Reason.REASON_RECONCILIATION,
            message="the master knows of no such task",
            agent_id=None,
            timestamp=3.0,
        ),
    ]


def test_a_kill_that_names_another_agent_is_ignored() -> None:
    """Nothing is said to anybody; with the right one it is passed on (TK-43)."""
    master = running("t1")
    kill = KillTask(framework_id="m1-F1", task_id="t1", agent_id="m1-S1")

    assert master.hear(attrs.evolve(kill, agent_id="m1-S2"), "web", 3.0) == []
    assert master.hear(kill, "web", 3.0) == [Send("agent-1", kill)]


# --- reconciliation ---


def test_a_framework_asks_after_its_tasks() -> None:
    """All of them, or those it names; what is not known is said to be so (RC-1 to RC-8)."""
    master = running("t1")

    def about(task_id: str, agent_id: str | None = None) -> ReconcileTasks:
        status = TaskStatus(task_id=task_id, agent_id=agent_id, state=TaskState.TASK_STAGING)
        return ReconcileTasks(framework_id="m1-F1", statuses=(status,))

    # All.
    assert master.hear(ReconcileTasks(framework_id="m1-F1"), "web", 3.0) == [
        tell(
            "t1",
            TaskState.TASK_RUNNING,
            Reason.REASON_RECONCILIATION,
            message="the latest state the master knows",
            timestamp=3.0,
        ),
    ]
    # One that runs.
    assert master.hear(about("t1"), "web", 3.0) == [
        tell(
            "t1",
            TaskState.TASK_RUNNING,
            Reason.REASON_RECONCILIATION,
            message="the latest state the master knows",
            timestamp=3.0,
        ),
    ]
    # One that nobody knows, on an agent that is here; and on one that never was.
    assert master.hear(about("t9", "m1-S1"), "web", 3.0) == [
        tell(
            "t9",
            TaskState.TASK_GONE,
            Reason.REASON_RECONCILIATION,
            message="the master knows of no such task on agent m1-S1, which is registered",
            timestamp=3.0,
        ),
    ]
    assert master.hear(about("t9", "m1-S7"), "web", 3.0) == [
        tell(
            "t9",
            TaskState.TASK_UNKNOWN,
            Reason.REASON_RECONCILIATION,
            message="the master knows neither of such a task nor of agent m1-S7",
            agent_id="m1-S7",
            timestamp=3.0,
        ),
    ]


# --- messages between schedulers and executors ---


def test_messages_between_scheduler_and_executor_are_passed_on() -> None:
    """Best effort, and only by who they are from (TK-71 to TK-73)."""
    master = running("t1")

    assert master.hear(DOWN, "web", 3.0) == [
        Send("agent-1", DOWN),
    ]
    assert master.hear(DOWN, "web-2", 3.0) == []
    assert master.hear(UP, "agent-1", 3.0) == [
        Send("web", UP),
    ]
    assert master.hear(UP, "agent-2", 3.0) == []
