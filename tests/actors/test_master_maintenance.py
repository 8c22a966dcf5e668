"""Machines are scheduled, taken down and up again: lists of events with the exact effects of each (drain.md 5)."""

from __future__ import annotations

from mesolite.actors.decisions.contract import CancelTimer, Link, Send, SetTimer, TimerFired
from mesolite.actors.decisions.master.timers import Allocation, Enforcement, PingBatch, ReregisterTimeout, WindowBound
from mesolite.messages.agent import AgentRegistered, PingAgent, RegisterAgent, RevokeTask, ShutdownAgent
from mesolite.messages.infos import AgentInfo
from mesolite.messages.maintenance import MachineId, Maintenance, Unavailability, Window
from mesolite.messages.operator import (
    OPERATOR,
    DrainAgentCall,
    StartMaintenanceCall,
    StopMaintenanceCall,
    UpdateMaintenanceScheduleCall,
)
from mesolite.messages.registrar import AdmitAgent, RemoveAgent, UpdateMaintenance
from mesolite.messages.scheduler import (
    AcceptInverseOffers,
    AgentLost,
    DeclineInverseOffers,
    RescindInverseOffer,
    RescindOffer,
)
from mesolite.messages.tasks import Cause, Reason, TaskState
from tests.actors.masters import (
    A1,
    ALLOCATE,
    BACK,
    NEWCOMER,
    PING_AGAIN,
    Master,
    acknowledgement,
    asking_back,
    done,
    leading,
    offered,
    offering,
    refused,
    running,
    tell,
    update,
)

WHEN = Unavailability(start=100.0, duration_s=50.0)
WINDOW = Window(machines="host-1", unavailability=WHEN)
ENFORCED = Window(machines="host-1", unavailability=WHEN, enforce=True)
SUCCESSOR = AgentInfo(id="m1-S2", hostname="host-1", resources="cpus:4;mem:4096")
TURNED_AWAY = Send(
    "agent-1", ShutdownAgent(reason="machine host-1 is down for maintenance; start agents when it is up again")
)
REVOKED = update("t1", TaskState.TASK_KILLED, 2, cause=Cause.REVOKED)
HOST_1 = MachineId(hostname="host-1")
SCHEDULE = UpdateMaintenanceScheduleCall(call_id=1, windows=(WINDOW,))
SCHEDULED = UpdateMaintenance(maintenance=Maintenance(windows=(WINDOW,)))
DOWN = UpdateMaintenance(maintenance=Maintenance(windows=(WINDOW,), down=(HOST_1,)))
UP = UpdateMaintenance(maintenance=Maintenance())
REVOKING = UpdateMaintenance(maintenance=Maintenance(windows=(ENFORCED,)))


def scheduled(*task_ids: str) -> Master:
    """A leader whose agent's machine is scheduled for second 100; these run there since second 1."""
    master = running(*task_ids)
    master.hear(SCHEDULE, OPERATOR, 3.0)
    master.durable(SCHEDULED, 3.0)
    return master


# --- the schedule ---


def test_when_a_machine_is_scheduled_its_offers_are_made_anew_and_holders_are_asked() -> None:
    """Written first; then what was offered is void, and whoever holds something is asked for it (5.2.4, 5.2.6, 5.6)."""
    master = running("t1")
    offered(master, 7.0)

    # An operator schedules the machine.
    assert master.hear(SCHEDULE, OPERATOR, 8.0) == [
        master.writes(SCHEDULED),
    ]
    # Another change of the schedule waits for the first: one is written at a time.
    assert master.hear(UpdateMaintenanceScheduleCall(call_id=2), OPERATOR, 8.1) == []
    # It is written: the offer does not say when the machine goes. Then it is the next call's turn.
    assert master.durable(SCHEDULED, 8.5) == [
        Send("web", RescindOffer(offer_id="m1-O2")),
        master.writes(UP),
        done(1),
        SetTimer(Allocation(), 0.0),
    ]
    # Said once more, that is nothing.
    assert master.durable(SCHEDULED, 8.5) == []
    # The offer that comes now says it, and an inverse offer asks for what is held (5.4.1, 5.6.4).
    assert master.fire(ALLOCATE, 8.75) == [
        offering("m1-O3", "cpus:3;mem:3996", unavailability=WHEN),
        asking_back("m1-O4", WHEN),
    ]
    # The schedule is empty again: both are void (5.8.1).
    assert master.durable(UP, 9.5) == [
        Send("web", RescindOffer(offer_id="m1-O3")),
        Send("web", RescindInverseOffer(inverse_offer_id="m1-O4")),
        done(2),
        SetTimer(Allocation(), 0.0),
    ]


def test_an_answer_to_an_inverse_offer_ends_no_task() -> None:
    """It asks, and nothing more: accepted or declined, it is forgotten without a word (5.7.1, 5.7.3)."""
    master = scheduled("t1")

    # The framework is asked for what it holds, and offered what is free.
    assert master.fire(ALLOCATE, 7.0) == [
        offering("m1-O2", "cpus:3;mem:3996", unavailability=WHEN),
        asking_back("m1-O3", WHEN),
    ]
    # It will give it back.
    assert master.hear(AcceptInverseOffers(framework_id="m1-F1", inverse_offer_ids=("m1-O3",)), "web", 8.0) == [
        SetTimer(Allocation(), 0.0),
    ]
    # It has thought better of it; that request is forgotten.
    assert master.hear(DeclineInverseOffers(framework_id="m1-F1", inverse_offer_ids=("m1-O3",)), "web", 8.0) == []


def test_a_scheduled_machine_is_not_drained_besides() -> None:
    """An agent in the schedule cannot be drained (4.3.3)."""
    master = scheduled("t1")

    assert master.hear(DrainAgentCall(call_id=2, agent_id="m1-S1"), OPERATOR, 4.0) == [
        refused(
            2,
            400,
            "agent m1-S1 cannot be drained: its machine host-1 is in the maintenance schedule; take the machine "
            "down, or out of the schedule first",
        ),
    ]


def test_a_change_that_cannot_be_is_refused_and_nothing_is_written() -> None:
    """A machine that is not scheduled cannot go down, nor can one come up that is not down (5.5.1, 5.5.5)."""
    master = running("t1")

    assert master.hear(StartMaintenanceCall(call_id=1, machines=(HOST_1,)), OPERATOR, 3.0) == [
        refused(1, 400, "machine host-1 is UP: it is not in the schedule; schedule it first"),
    ]
    assert master.hear(StopMaintenanceCall(call_id=2, machines=(HOST_1,)), OPERATOR, 3.0) == [
        refused(2, 400, "machine host-1 is UP: it is not down"),
    ]


# --- down and up ---


def test_the_agents_of_a_machine_that_goes_down_are_told_to_end_and_removed() -> None:
    """Written first; they are removed even if they never hear of it, and turned away until it is up (5.5)."""
    master = scheduled("t1")

    # The work on the machine begins.
    assert master.hear(StartMaintenanceCall(call_id=2, machines=(HOST_1,)), OPERATOR, 100.0) == [
        master.writes(DOWN),
    ]
    # It is down: its agent is told to end, and is to be removed (5.5.2).
    assert master.durable(DOWN, 100.5) == [
        TURNED_AWAY,
        master.writes(RemoveAgent(agent_id="m1-S1")),
        done(2),
    ]
    # It is removed: its tasks are lost, with the machine as the cause (5.5.3).
    assert master.durable(RemoveAgent(agent_id="m1-S1"), 101.0) == [
        tell(
            "t1",
            TaskState.TASK_LOST,
            Reason.REASON_AGENT_REMOVED,
            message="agent m1-S1 (host-1) was removed: its machine was taken down for maintenance",
            timestamp=101.0,
            cause=Cause.MACHINE_DOWN,
        ),
        CancelTimer(PingBatch(1)),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("web", AgentLost(agent_id="m1-S1")),
    ]
    # An agent comes up there, or comes back: neither is let in (1.2.2, 1.3.3).
    assert master.hear(RegisterAgent(agent=NEWCOMER), "agent-1", 110.0) == [
        TURNED_AWAY,
    ]
    assert master.hear(BACK, "agent-1", 111.0) == [
        TURNED_AWAY,
    ]
    # The work is done: the machine leaves the schedule (5.5.5).
    assert master.hear(StopMaintenanceCall(call_id=3, machines=(HOST_1,)), OPERATOR, 150.0) == [
        master.writes(UP),
    ]
    assert master.durable(UP, 150.5) == [
        done(3),
    ]
    # Its agent is let in again, under a new id.
    assert master.hear(RegisterAgent(agent=NEWCOMER), "agent-1", 151.0) == [
        Link("agent-1"),
        master.writes(AdmitAgent(agent=SUCCESSOR)),
    ]


def test_an_agent_whose_machine_goes_down_while_it_is_being_admitted_is_shut_down() -> None:
    """It is taken in, as that is in the registry; then it is told to end, and removed (5.5.4)."""
    master = leading()
    master.hear(SCHEDULE, OPERATOR, 1.0)
    master.durable(SCHEDULED, 1.0)

    # The machine is to go down.
    assert master.hear(StartMaintenanceCall(call_id=2, machines=(HOST_1,)), OPERATOR, 2.0) == [
        master.writes(DOWN),
    ]
    # Before that is written, an agent comes up there.
    assert master.hear(RegisterAgent(agent=NEWCOMER), "agent-1", 2.1) == [
        Link("agent-1"),
        master.writes(AdmitAgent(agent=A1)),
    ]
    # The machine is down; the agent is not known yet.
    assert master.durable(DOWN, 2.2) == [
        done(2),
    ]
    # It is admitted: it does not stay.
    assert master.durable(AdmitAgent(agent=A1), 2.3) == [
        Link("agent-1"),
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
        TURNED_AWAY,
        master.writes(RemoveAgent(agent_id="m1-S1")),
        Send("agent-1", AgentRegistered(agent_id="m1-S1", total_ping_timeout_s=75.0)),
        SetTimer(Allocation(), 0.0),
    ]


# --- windows that are enforced (docs/reclaim.md) ---


def test_an_enforced_window_revokes_what_is_held_when_it_begins() -> None:
    """Nothing is offered from then on, and what lives on is told again until the window ends (RV-61, RV-63, RV-37)."""
    master = running("t1")
    call = UpdateMaintenanceScheduleCall(call_id=1, windows=(ENFORCED,))

    # An operator means it.
    assert master.hear(call, OPERATOR, 8.0) == [
        master.writes(REVOKING),
    ]
    # It is written: the master will be woken when the window begins.
    assert master.durable(REVOKING, 8.5) == [
        SetTimer(WindowBound(), 91.5),
        done(1),
    ]
    # What is asked for says that it will be revoked.
    assert master.fire(ALLOCATE, 8.75) == [
        offering("m1-O2", "cpus:3;mem:3996", unavailability=WHEN),
        asking_back("m1-O3", WHEN, enforced=True),
    ]
    # The window begins: the task is revoked, by its agent; what is offered is rescinded.
    assert master.fire(TimerFired(WindowBound()), 100.0) == [
        Send("web", RescindOffer(offer_id="m1-O2")),
        Send("agent-1", RevokeTask(framework_id="m1-F1", task_id="t1")),
        SetTimer(Enforcement(), 15.0),
        SetTimer(WindowBound(), 50.0),
    ]
    # It lives on: perhaps the order was lost.
    assert master.fire(TimerFired(Enforcement()), 115.0) == [
        Send("agent-1", RevokeTask(framework_id="m1-F1", task_id="t1")),
        SetTimer(Enforcement(), 15.0),
    ]
    # It has ended.
    assert master.hear(REVOKED, "agent-1", 116.0) == [
        Send("web", REVOKED),
    ]
    assert master.hear(acknowledgement("t1", 2), "web", 116.5) == [
        Send("agent-1", acknowledgement("t1", 2)),
    ]
    # There is nobody to be told any more.
    assert master.fire(TimerFired(Enforcement()), 130.0) == []
    # The window ends: what is there is offered again.
    assert master.fire(TimerFired(WindowBound()), 150.0) == [
        SetTimer(Allocation(), 0.75),
    ]
