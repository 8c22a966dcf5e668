"""Agents fall silent, say goodbye or are marked gone: events with the exact effects of each (drain.md 1.4, 2, 4.7)."""

from __future__ import annotations

from mesolite.actors.decisions.contract import CancelTimer, Link, Send, SetTimer, TimerFired
from mesolite.actors.decisions.master.timers import Allocation, Permit, PingBatch, Pruning, ReregisterTimeout
from mesolite.messages.agent import (
    AgentReregistered,
    PingAgent,
    ReregisterAgent,
    ShutdownAgent,
    UnregisterAgent,
    UpdateFramework,
)
from mesolite.messages.operator import OPERATOR, MarkAgentGoneCall
from mesolite.messages.registrar import (
    MarkAgentGone,
    MarkAgentReachable,
    MarkAgentUnreachable,
    Registry,
    RemoveAgent,
    UnreachableAgent,
)
from mesolite.messages.scheduler import AgentLost, RescindOffer
from mesolite.messages.tasks import Cause, Reason, TaskState
from tests.actors.masters import (
    A1,
    A2,
    BACK,
    KNOWN,
    NEVER_ALLOCATE,
    OLD,
    PING,
    PING_AGAIN,
    PONG,
    SETTINGS,
    admit,
    done,
    leading,
    offered,
    refused,
    running,
    tell,
)

UNREACHABLE_AT_75 = MarkAgentUnreachable(agent_id="m1-S1", unreachable_time=75.0)
REMOVE = RemoveAgent(agent_id="m1-S1")


# --- silence ---


def test_the_fifth_unanswered_ping_makes_an_agent_unreachable() -> None:
    """After 75 s: written first, then said; tasks are out of reach, the agent is lost (1.4.2, 1.6, EL-52, RC-30)."""
    master = running("t1")
    offered(master, 7.0)

    # The first ping was answered.
    assert master.hear(PONG, "agent-1", 8.0) == []
    assert master.fire(PING, 15.0) == [
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
    ]
    # From here on it is silent. Each ping that finds the one before it unanswered counts.
    for at in (30.0, 45.0, 60.0, 75.0):
        assert master.fire(PING, at) == [Send("agent-1", PingAgent(connected=True)), PING_AGAIN]
    # The fifth: that it is unreachable is to be written; it is pinged all the same (1.4.1).
    assert master.fire(PING, 90.0) == [
        master.writes(MarkAgentUnreachable(agent_id="m1-S1", unreachable_time=90.0)),
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
    ]
    # Another goes unanswered while that is being written: once is enough.
    assert master.fire(PING, 105.0) == [
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
    ]
    # It is written: the task is out of reach, the offer void, the agent lost to every framework (1.6.3).
    assert master.durable(MarkAgentUnreachable(agent_id="m1-S1", unreachable_time=90.0), 105.5) == [
        tell(
            "t1",
            TaskState.TASK_UNREACHABLE,
            Reason.REASON_AGENT_REMOVED,
            message="agent m1-S1 (host-1) is unreachable",
            timestamp=105.5,
            unreachable_time=90.0,
            cause=Cause.UNREACHABLE,
        ),
        Send("web", RescindOffer(offer_id="m1-O2")),
        CancelTimer(PingBatch(1)),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("web", AgentLost(agent_id="m1-S1")),
        SetTimer(Pruning(), 794.5),
    ]
    # A pong comes now. It is too late, and nobody's (1.4.3).
    assert master.hear(PONG, "agent-1", 106.0) == []


def test_a_framework_that_does_not_know_partitions_is_told_lost() -> None:
    """TASK_UNREACHABLE is for those that understand it (1.6.3, FW-47)."""
    master = running("t1", framework=OLD)
    for nth in range(1, 6):
        master.fire(PING, 15.0 * nth)

    assert master.durable(UNREACHABLE_AT_75, 75.5) == [
        tell(
            "t1",
            TaskState.TASK_LOST,
            Reason.REASON_AGENT_REMOVED,
            to="old",
            message="agent m1-S1 (host-1) is unreachable",
            timestamp=75.5,
            unreachable_time=75.0,
            cause=Cause.UNREACHABLE,
        ),
        CancelTimer(PingBatch(1)),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("old", AgentLost(agent_id="m1-S1")),
        NEVER_ALLOCATE,
        SetTimer(Pruning(), 824.5),
    ]


def test_a_late_pong_takes_an_agent_out_of_the_queue_of_those_to_be_given_up() -> None:
    """With a limit on removals it waits for a permit, and a pong saves it until that comes (1.4.3, 1.8, EL-52)."""
    settings = SETTINGS.but(agent_removal_interval_s=1200.0)
    master = admit(leading(settings=settings), A1, A2)
    for nth in range(1, 5):
        master.fire(PING, 15.0 * nth)

    # Both have missed the fifth. There is one permit at once, the next in twenty minutes.
    assert master.fire(PING, 75.0) == [
        master.writes(UNREACHABLE_AT_75),
        Send("agent-1", PingAgent(connected=True)),
        SetTimer(Permit(), 1200.0),
        Send("agent-2", PingAgent(connected=True)),
        PING_AGAIN,
    ]
    # The second is heard of again.
    assert master.hear(PONG, "agent-2", 80.0) == []
    # The permit is there, and nobody waits for it.
    assert master.fire(TimerFired(Permit()), 1275.0) == []


def test_an_unreachable_agent_that_returns_gets_its_tasks_back() -> None:
    """That it is reachable is written first; then its frameworks are told what still runs (1.3.7, 1.3.8)."""
    master = running("t1", "t2")
    for nth in range(1, 6):
        master.fire(PING, 15.0 * nth)
    master.durable(UNREACHABLE_AT_75, 75.5)

    # It is back, with one of its two tasks.
    assert master.hear(BACK, "agent-1", 100.0) == [
        Link("agent-1"),
        master.writes(MarkAgentReachable(agent=A1)),
    ]
    # That is written: the task runs, which is said; the other is forgotten (1.3.8 step 1).
    assert master.durable(MarkAgentReachable(agent=A1), 100.5) == [
        tell("t1", TaskState.TASK_RUNNING, Reason.REASON_AGENT_REREGISTERED, message="agent m1-S1 (host-1) is back"),
        Link("agent-1"),
        Send("agent-1", PingAgent(connected=True)),
        SetTimer(PingBatch(2), 15.0),
        Send("agent-1", AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0)),
        Send("agent-1", UpdateFramework(framework_info=KNOWN, scheduler="web")),
        SetTimer(Allocation(), 0.0),
    ]


# --- goodbye ---


def test_an_agent_that_unregisters_is_removed_at_once() -> None:
    """Written first; then every task is lost, every offer void, and the agent lost (2.3)."""
    master = running("t1", "t2")
    offered(master, 7.0)

    # Somebody else says so in its name: only the agent itself may (2.3.1).
    assert master.hear(UnregisterAgent(agent_id="m1-S1"), "agent-2", 8.0) == []
    # It says goodbye.
    assert master.hear(UnregisterAgent(agent_id="m1-S1"), "agent-1", 8.0) == [
        master.writes(REMOVE),
    ]
    # Once more: that is under way (2.3.2).
    assert master.hear(UnregisterAgent(agent_id="m1-S1"), "agent-1", 8.0) == []
    # Its process ends, as it does after that. Its tasks are checkpointed, so nothing is said yet (1.5.2).
    assert master.exit_of("agent-1", 8.25) == [
        Send("web", RescindOffer(offer_id="m1-O2")),
        SetTimer(ReregisterTimeout("m1-S1"), 600.0),
    ]
    # It is deleted: now that is said, in Mesos's order (2.3.5).
    assert master.durable(REMOVE, 8.5) == [
        tell(
            "t1",
            TaskState.TASK_LOST,
            Reason.REASON_AGENT_REMOVED,
            message="agent m1-S1 (host-1) was removed: unregistered",
            timestamp=8.5,
            cause=Cause.UNREGISTERED,
        ),
        tell(
            "t2",
            TaskState.TASK_LOST,
            Reason.REASON_AGENT_REMOVED,
            message="agent m1-S1 (host-1) was removed: unregistered",
            timestamp=8.5,
            cause=Cause.UNREGISTERED,
        ),
        CancelTimer(PingBatch(1)),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("web", AgentLost(agent_id="m1-S1")),
    ]
    # The same confirmation once more is nothing.
    assert master.durable(REMOVE, 8.5) == []


def test_an_agent_that_unregisters_while_it_is_being_marked_unreachable_becomes_unreachable() -> None:
    """What began first is taken to its end, and the goodbye is not heard (2.3.2, 2.3.3)."""
    master = running("t1")
    for nth in range(1, 5):
        master.fire(PING, 15.0 * nth)

    # The fifth ping goes unanswered.
    assert master.fire(PING, 75.0) == [
        master.writes(UNREACHABLE_AT_75),
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
    ]
    # It was not dead, it was leaving.
    assert master.hear(UnregisterAgent(agent_id="m1-S1"), "agent-1", 75.1) == []
    # It is unreachable.
    assert master.durable(UNREACHABLE_AT_75, 75.5) == [
        tell(
            "t1",
            TaskState.TASK_UNREACHABLE,
            Reason.REASON_AGENT_REMOVED,
            message="agent m1-S1 (host-1) is unreachable",
            timestamp=75.5,
            unreachable_time=75.0,
            cause=Cause.UNREACHABLE,
        ),
        CancelTimer(PingBatch(1)),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("web", AgentLost(agent_id="m1-S1")),
        NEVER_ALLOCATE,
        SetTimer(Pruning(), 824.5),
    ]


def test_an_agent_that_unregisters_while_its_return_is_being_written_comes_and_goes() -> None:
    """Ours: in Mesos nobody hears the goodbye, and it is waited for."""
    master = leading(Registry(unreachable=(UnreachableAgent(agent_id="m1-S1", unreachable_time=-1.0),)))

    # It returns, and says goodbye before that is written.
    assert master.hear(ReregisterAgent(agent=A1), "agent-1", 1.0) == [
        Link("agent-1"),
        master.writes(MarkAgentReachable(agent=A1)),
    ]
    assert master.hear(UnregisterAgent(agent_id="m1-S1"), "agent-1", 1.1) == []
    # It is written: it is taken in, and its removal begins.
    assert master.durable(MarkAgentReachable(agent=A1), 1.2) == [
        Link("agent-1"),
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
        master.writes(REMOVE),
        Send("agent-1", AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0)),
    ]
    # It is removed.
    assert master.durable(REMOVE, 1.3) == [
        CancelTimer(PingBatch(1)),
        CancelTimer(ReregisterTimeout("m1-S1")),
    ]


# --- marked gone ---


def test_an_agent_that_is_marked_gone_is_told_so_and_its_tasks_with_it() -> None:
    """Written first; then it has to end, and what ran there is gone by an operator's word (4.7.1 to 4.7.3)."""
    master = running("t1")
    gone = MarkAgentGone(agent_id="m1-S1", gone_time=3.0)

    # An operator says that it will never be back.
    assert master.hear(MarkAgentGoneCall(call_id=7, agent_id="m1-S1"), OPERATOR, 3.0) == [
        master.writes(MarkAgentGone(agent_id="m1-S1", gone_time=3.0)),
    ]
    # And again, while that is being written: not now.
    assert master.hear(MarkAgentGoneCall(call_id=8, agent_id="m1-S1"), OPERATOR, 3.1) == [
        refused(8, 503, "agent m1-S1 is just leaving; ask again when that is done"),
    ]
    # It is written: the agent is told to end, its framework is told, then the operator.
    assert master.durable(gone, 3.5) == [
        Send("agent-1", ShutdownAgent(reason="agent m1-S1 was marked gone by an operator", gone=True)),
        tell(
            "t1",
            TaskState.TASK_GONE_BY_OPERATOR,
            Reason.REASON_AGENT_REMOVED_BY_OPERATOR,
            message="agent m1-S1 (host-1) was marked gone by an operator",
            timestamp=3.5,
            cause=Cause.GONE,
        ),
        CancelTimer(PingBatch(1)),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("web", AgentLost(agent_id="m1-S1")),
        done(7),
        NEVER_ALLOCATE,
        SetTimer(Pruning(), 896.5),
    ]
    # Said once more, that is nothing.
    assert master.durable(gone, 3.5) == []
    # Asked again, it is so already.
    assert master.hear(MarkAgentGoneCall(call_id=9, agent_id="m1-S1"), OPERATOR, 4.0) == [
        done(9),
    ]
    # It has not heard, and comes back: it is refused for good (1.3.2).
    assert master.hear(BACK, "agent-1", 5.0) == [
        Send("agent-1", ShutdownAgent(reason="agent m1-S1 was marked gone", gone=True)),
    ]


def test_an_agent_that_is_marked_gone_while_its_return_is_being_written_comes_and_is_sent_away() -> None:
    """Both are written in the order in which they began; what the operator said is what is left (4.7.2)."""
    master = leading(Registry(unreachable=(UnreachableAgent(agent_id="m1-S1", unreachable_time=-1.0),)))

    # It returns.
    assert master.hear(ReregisterAgent(agent=A1), "agent-1", 1.0) == [
        Link("agent-1"),
        master.writes(MarkAgentReachable(agent=A1)),
    ]
    # Meanwhile it is marked gone.
    assert master.hear(MarkAgentGoneCall(call_id=7, agent_id="m1-S1"), OPERATOR, 1.1) == [
        master.writes(MarkAgentGone(agent_id="m1-S1", gone_time=1.1)),
    ]
    # It is reachable, that was written first: it is taken in.
    assert master.durable(MarkAgentReachable(agent=A1), 1.2) == [
        Link("agent-1"),
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
        Send("agent-1", AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0)),
    ]
    # And it is gone: it has to end.
    assert master.durable(MarkAgentGone(agent_id="m1-S1", gone_time=1.1), 1.3) == [
        Send("agent-1", ShutdownAgent(reason="agent m1-S1 was marked gone by an operator", gone=True)),
        CancelTimer(PingBatch(1)),
        CancelTimer(ReregisterTimeout("m1-S1")),
        done(7),
    ]
