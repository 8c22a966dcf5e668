"""Operators drain, deactivate and reactivate agents: lists of events with the exact effects of each (drain.md 4)."""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.contract import CancelTimer, Link, LinkBroken, Publish, Send, SetTimer
from mesolite.actors.decisions.master.timers import Allocation, PingBatch, Pruning, ReregisterTimeout
from mesolite.messages.agent import (
    AgentDrained,
    AgentReregistered,
    DrainAgent,
    PingAgent,
    Reconciliation,
    ShutdownAgent,
    UnregisterAgent,
    UpdateFramework,
)
from mesolite.messages.drains import DrainConfig, DrainInfo, DrainState
from mesolite.messages.offers import Offer
from mesolite.messages.operator import OPERATOR, CallAnswered, DeactivateAgentCall, DrainAgentCall, ReactivateAgentCall
from mesolite.messages.registrar import (
    DeactivateAgent,
    EndDrain,
    MarkAgentGone,
    ReactivateAgent,
    RemoveAgent,
    StartDrain,
)
from mesolite.messages.scheduler import AgentLost, RescindOffer, ResourceOffers
from mesolite.messages.tasks import Cause, Reason, TaskState
from tests.actors.masters import (
    ALL,
    ALLOCATE,
    BACK,
    KNOWN,
    NEVER_ALLOCATE,
    PING,
    PING_AGAIN,
    Master,
    acknowledgement,
    done,
    offered,
    refused,
    running,
    tell,
    update,
)

DRAINING = DrainInfo(
    id="m1-D1",
    agent_id="m1-S1",
    state=DrainState.DRAINING,
    config=DrainConfig(max_grace_period_s=30.0),
    started_at=3.0,
    message="new disk",
    initiator="ann",
)
DRAINED = attrs.evolve(DRAINING, state=DrainState.DRAINED, ended_at=6.0)
LEFT = attrs.evolve(DRAINING, state=DrainState.LEFT, ended_at=5.0)
STARTED = attrs.evolve(DRAINING, started_at=8.0)
ENDED = attrs.evolve(STARTED, state=DrainState.DRAINED, ended_at=12.0)
LEAVING = DrainInfo(
    id="m1-D1", agent_id="m1-S1", state=DrainState.DRAINING, config=DrainConfig(mark_gone=True), started_at=3.0
)
GONE = attrs.evolve(LEAVING, state=DrainState.GONE, ended_at=6.0)
HURRIED = attrs.evolve(DRAINING, config=DrainConfig(max_grace_period_s=0.0))
DRAIN = DrainAgentCall(call_id=1, agent_id="m1-S1", max_grace_period_s=30.0, message="new disk", initiator="ann")
KILLED = update("t1", TaskState.TASK_KILLED, 2, cause=Cause.DRAINED)
CONFIRMED = AgentDrained(agent_id="m1-S1")


def draining(*task_ids: str) -> Master:
    """A leader whose agent is being drained since second 3; these run there."""
    master = running(*task_ids)
    master.hear(DRAIN, OPERATOR, 3.0)
    master.durable(StartDrain(drain=DRAINING), 3.0)
    return master


# --- drains ---


def test_a_drain_from_the_call_to_its_end() -> None:
    """Recorded, told, confirmed, recorded: it ends when nothing is left in the books and at the agent (4.3 to 4.5)."""
    master = running("t1")
    offered(master, 7.0)

    # An operator wants it drained. Nothing is withdrawn before that is recorded (4.3.4).
    assert master.hear(DRAIN, OPERATOR, 8.0) == [
        master.writes(StartDrain(drain=STARTED)),
    ]
    # It is: offers are rescinded, the agent is told, the operator hears which drain he has made (4.3.5).
    assert master.durable(StartDrain(drain=STARTED), 8.5) == [
        Publish(STARTED),
        Send("web", RescindOffer(offer_id="m1-O2")),
        Send("agent-1", DrainAgent(config=DrainConfig(max_grace_period_s=30.0))),
        done(1, "m1-D1"),
    ]
    # The agent kills; its task has ended, which its framework has to acknowledge.
    assert master.hear(KILLED, "agent-1", 9.0) == [
        Send("web", KILLED),
    ]
    # The framework has taken it. Nothing is left in the books, but the agent has not confirmed (ours: 4.5.3).
    assert master.hear(acknowledgement("t1", 2), "web", 10.0) == [
        Send("agent-1", acknowledgement("t1", 2)),
    ]
    # It confirms: the end is to be recorded (4.5.1, 4.5.5).
    assert master.hear(CONFIRMED, "agent-1", 12.0) == [
        master.writes(EndDrain(drain=ENDED)),
    ]
    # It confirms again, as it was told again; that is under way.
    assert master.hear(CONFIRMED, "agent-1", 12.1) == []
    # It is recorded. The agent stays out of the offers until it is reactivated.
    assert master.durable(EndDrain(drain=ENDED), 12.5) == [
        Publish(ENDED),
    ]
    # The same confirmation once more is nothing.
    assert master.durable(EndDrain(drain=ENDED), 12.5) == []


def test_an_agent_with_nothing_on_it_is_drained_as_soon_as_it_confirms() -> None:
    """Nothing is in the books, and yet something may be on its way: the agent knows (4.5.1)."""
    master = draining()

    assert master.hear(CONFIRMED, "agent-1", 6.0) == [
        master.writes(EndDrain(drain=DRAINED)),
    ]


def test_what_an_agent_confirmed_before_a_new_update_does_not_count() -> None:
    """An update shows that something was alive there after all (4.5.3)."""
    master = draining("t1")

    # It has nothing alive; the books have t1, whose end is not known yet.
    assert master.hear(CONFIRMED, "agent-1", 4.0) == []
    # The end, and its acknowledgement: now the agent has to confirm again.
    assert master.hear(KILLED, "agent-1", 5.0) == [
        Send("web", KILLED),
    ]
    assert master.hear(acknowledgement("t1", 2), "web", 5.5) == [
        Send("agent-1", acknowledgement("t1", 2)),
    ]
    # It does.
    assert master.hear(CONFIRMED, "agent-1", 6.0) == [
        master.writes(EndDrain(drain=DRAINED)),
    ]


def test_an_agent_that_does_not_react_is_told_again_with_its_pings() -> None:
    """A lost message must not hang a drain; ours, as are the pings that bring it about (4.6.1)."""
    master = draining("t1")

    # It has not had an interval's time yet.
    assert master.fire(PING, 15.0) == [
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
    ]
    # Now it has.
    assert master.fire(PING, 30.0) == [
        Send("agent-1", PingAgent(connected=True)),
        Send("agent-1", DrainAgent(config=DrainConfig(max_grace_period_s=30.0))),
        PING_AGAIN,
    ]


def test_an_agent_that_has_confirmed_is_asked_what_became_of_tasks_that_never_came_to_it() -> None:
    """The launch was lost on its way: only the agent can say so (1.3.9)."""
    master = draining("t1")
    master.hear(CONFIRMED, "agent-1", 4.0)

    assert master.fire(PING, 15.0) == [
        Send("agent-1", PingAgent(connected=True)),
        Send(
            "agent-1",
            AgentReregistered(
                agent_id="m1-S1",
                total_ping_timeout_s=75.0,
                reconciliations=(Reconciliation(framework_info=KNOWN, scheduler="web", task_ids=("t1",)),),
            ),
        ),
        PING_AGAIN,
    ]


def test_asked_again_while_it_is_under_way_the_same_drain_goes_on_with_the_new_wish() -> None:
    """It is recorded anew and told anew, under the same id; what is not said again stays (4.3.7)."""
    master = draining("t1")

    # Now, please.
    assert master.hear(DrainAgentCall(call_id=2, agent_id="m1-S1", max_grace_period_s=0.0), OPERATOR, 4.0) == [
        master.writes(StartDrain(drain=HURRIED)),
    ]
    # Meanwhile the agent confirms. The drain does not end before the new wish is recorded.
    assert master.hear(update("t1", TaskState.TASK_FINISHED, 2), "agent-1", 4.1) == [
        Send("web", update("t1", TaskState.TASK_FINISHED, 2)),
    ]
    assert master.hear(acknowledgement("t1", 2), "web", 4.2) == [
        Send("agent-1", acknowledgement("t1", 2)),
    ]
    assert master.hear(CONFIRMED, "agent-1", 4.3) == []
    # It is: the agent is told the new grace, and has to confirm again.
    assert master.durable(StartDrain(drain=HURRIED), 4.5) == [
        Publish(HURRIED),
        Send("agent-1", DrainAgent(config=DrainConfig(max_grace_period_s=0.0))),
        done(2, "m1-D1"),
    ]


def test_a_drain_under_way_cannot_be_called_off() -> None:
    """Reactivation is refused until it has ended (4.2.1, 4.3.7); then it takes the mark away, too (4.2)."""
    master = draining()

    # Not now.
    assert master.hear(ReactivateAgentCall(call_id=2, agent_id="m1-S1"), OPERATOR, 4.0) == [
        refused(
            2,
            400,
            "agent m1-S1 is draining and a drain cannot be called off; reactivate it when drain m1-D1 has ended: "
            "wait for its end, and look at what blocks it",
        ),
    ]
    # It is drained.
    master.hear(CONFIRMED, "agent-1", 6.0)
    assert master.durable(EndDrain(drain=DRAINED), 6.5) == [
        Publish(DRAINED),
    ]
    # Now it may be.
    assert master.hear(ReactivateAgentCall(call_id=3, agent_id="m1-S1"), OPERATOR, 7.0) == [
        master.writes(ReactivateAgent(agent_id="m1-S1")),
    ]
    # It is recorded: with the next run of the allocator it is offered (4.2.3).
    assert master.durable(ReactivateAgent(agent_id="m1-S1"), 7.5) == [
        done(3),
    ]
    assert master.fire(ALLOCATE, 8.0) == [
        Send(
            "web",
            ResourceOffers(
                offers=(Offer(id="m1-O2", framework_id="m1-F1", agent_id="m1-S1", hostname="host-1", resources=ALL),)
            ),
        ),
    ]


def test_a_drain_to_be_gone_ends_with_the_agent() -> None:
    """Instead of EndDrain, the mark is written, and with it the drain has ended (4.5.6)."""
    master = running("t1")
    call = DrainAgentCall(call_id=1, agent_id="m1-S1", mark_gone=True)

    # It is to be drained, and gone then.
    assert master.hear(call, OPERATOR, 3.0) == [
        master.writes(StartDrain(drain=LEAVING)),
    ]
    master.durable(StartDrain(drain=LEAVING), 3.5)
    # Its task ends.
    master.hear(KILLED, "agent-1", 4.0)
    master.hear(acknowledgement("t1", 2), "web", 5.0)
    # It confirms.
    assert master.hear(CONFIRMED, "agent-1", 6.0) == [
        master.writes(MarkAgentGone(agent_id="m1-S1", gone_time=6.0, drain=GONE)),
    ]
    # It is recorded: the agent has to end.
    assert master.durable(MarkAgentGone(agent_id="m1-S1", gone_time=6.0, drain=GONE), 6.5) == [
        Publish(GONE),
        Send("agent-1", ShutdownAgent(reason="agent m1-S1 was marked gone by an operator", gone=True)),
        CancelTimer(PingBatch(1)),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("web", AgentLost(agent_id="m1-S1")),
        NEVER_ALLOCATE,
        SetTimer(Pruning(), 893.5),
    ]


def test_an_agent_that_unregisters_while_it_is_draining_has_left() -> None:
    """Its removal is written with the drain in it, which has ended with that (4.6.8)."""
    master = draining("t1")

    # It says goodbye.
    assert master.hear(UnregisterAgent(agent_id="m1-S1"), "agent-1", 5.0) == [
        master.writes(RemoveAgent(agent_id="m1-S1", drain=LEFT)),
    ]
    # A confirmation comes too late to end the drain otherwise.
    assert master.hear(CONFIRMED, "agent-1", 5.1) == []
    # It is removed: the task is lost, and the drain LEFT.
    assert master.durable(RemoveAgent(agent_id="m1-S1", drain=LEFT), 5.5) == [
        Publish(LEFT),
        tell(
            "t1",
            TaskState.TASK_LOST,
            Reason.REASON_AGENT_REMOVED,
            message="agent m1-S1 (host-1) was removed: unregistered",
            timestamp=5.5,
            cause=Cause.UNREGISTERED,
        ),
        CancelTimer(PingBatch(1)),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("web", AgentLost(agent_id="m1-S1")),
        NEVER_ALLOCATE,
    ]


def test_an_agent_that_was_away_is_told_to_drain_when_it_returns() -> None:
    """The order stands in the registry; it is said before the agent is answered (4.6.1, 1.3.8 step 4)."""
    master = draining("t1")

    # Its link breaks.
    assert master.hear(LinkBroken("agent-1"), "agent-1", 4.0) == [
        SetTimer(ReregisterTimeout("m1-S1"), 600.0),
    ]
    # It is back. Nothing is offered from it.
    assert master.hear(BACK, "agent-1", 5.0) == [
        Link("agent-1"),
        Send("agent-1", AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0)),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("agent-1", DrainAgent(config=DrainConfig(max_grace_period_s=30.0))),
        Send("agent-1", UpdateFramework(framework_info=KNOWN, scheduler="web")),
    ]


def test_a_drain_that_cannot_be_is_refused_with_what_would_work() -> None:
    """Of an agent that is not there, or that leaves, and with a grace that is none (4.3.2, 4.3.3)."""
    master = running("t1")

    assert master.hear(DrainAgentCall(call_id=1, agent_id="m1-S7"), OPERATOR, 3.0) == [
        refused(1, 400, "there is no agent 'm1-S7'; the state lists the agents by id"),
    ]
    assert master.hear(DrainAgentCall(call_id=2, agent_id="m1-S1", max_grace_period_s=-1.0), OPERATOR, 3.0) == [
        refused(2, 400, "a longest grace period of -1.0 s cannot be; give 0 or more seconds, or none for no limit"),
    ]
    # It says goodbye.
    master.hear(UnregisterAgent(agent_id="m1-S1"), "agent-1", 4.0)
    assert master.hear(DrainAgentCall(call_id=3, agent_id="m1-S1"), OPERATOR, 4.1) == [
        refused(3, 409, "agent m1-S1 is just being removed; look at the state again when that is done"),
    ]


def test_only_the_operator_is_obeyed() -> None:
    """A drain that anybody else asks for is refused (SEC-13)."""
    master = running("t1")
    why = "DrainAgentCall is an operator's to make, and web is none; use cluster.operator"

    assert master.hear(DrainAgentCall(call_id=1, agent_id="m1-S1"), "web", 3.0) == [
        Send("web", CallAnswered(call_id=1, code=403, refusal=why)),
    ]


# --- deactivation ---


def test_a_deactivated_agent_is_not_offered_and_its_tasks_go_on() -> None:
    """Recorded, then its offers are rescinded; again it is harmless; reactivated, it is offered again (4.1, 4.2)."""
    master = running("t1")
    offered(master, 7.0)
    call = DeactivateAgentCall(call_id=1, agent_id="m1-S1")

    # An operator wants nothing more offered from it.
    assert master.hear(call, OPERATOR, 8.0) == [
        master.writes(DeactivateAgent(agent_id="m1-S1")),
    ]
    # Asked again before that is recorded, it is recorded again.
    assert master.hear(DeactivateAgentCall(call_id=2, agent_id="m1-S1"), OPERATOR, 8.0) == [
        master.writes(DeactivateAgent(agent_id="m1-S1")),
    ]
    # It is: the offer is rescinded (2.5.1, 4.1.3). Each confirmation answers one call.
    assert master.durable(DeactivateAgent(agent_id="m1-S1"), 8.5) == [
        Send("web", RescindOffer(offer_id="m1-O2")),
        done(1),
    ]
    assert master.durable(DeactivateAgent(agent_id="m1-S1"), 8.5) == [
        done(2),
    ]
    # Asked once more, it is so already.
    assert master.hear(DeactivateAgentCall(call_id=3, agent_id="m1-S1"), OPERATOR, 9.0) == [
        done(3),
    ]
    # What runs there goes on.
    assert master.hear(update("t1", TaskState.TASK_FINISHED, 2), "agent-1", 9.0) == [
        Send("web", update("t1", TaskState.TASK_FINISHED, 2)),
    ]
    # It may be offered again.
    assert master.hear(ReactivateAgentCall(call_id=4, agent_id="m1-S1"), OPERATOR, 10.0) == [
        master.writes(ReactivateAgent(agent_id="m1-S1")),
    ]
    assert master.durable(ReactivateAgent(agent_id="m1-S1"), 10.5) == [
        done(4),
        SetTimer(Allocation(), 0.5),
    ]
    # There is nothing to undo any more.
    assert master.hear(ReactivateAgentCall(call_id=5, agent_id="m1-S1"), OPERATOR, 11.0) == [
        refused(5, 400, "agent m1-S1 is not deactivated, so there is nothing to undo"),
    ]


def test_of_two_decisions_about_an_agent_that_overlap_the_later_counts() -> None:
    """Whichever write is done first: the drain that was being recorded is not lost by a deactivation (4.1.2)."""
    master = running("t1")

    # It is to be drained.
    assert master.hear(DRAIN, OPERATOR, 3.0) == [
        master.writes(StartDrain(drain=DRAINING)),
    ]
    # Before that is recorded, somebody deactivates it: the drain is recorded again, as that ends no drain.
    assert master.hear(DeactivateAgentCall(call_id=2, agent_id="m1-S1"), OPERATOR, 3.1) == [
        master.writes(StartDrain(drain=DRAINING)),
    ]
