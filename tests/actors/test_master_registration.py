"""Agents come to a master, and come back: lists of events with the exact effects of each (drain.md 1.2, 1.3, 1.5)."""

from __future__ import annotations

from mesolite.actors.decisions.contract import CancelTimer, Link, LinkBroken, Send, SetTimer, TimerFired
from mesolite.actors.decisions.master.timers import Allocation, PingBatch, ReregisterTimeout
from mesolite.messages.agent import (
    AgentRegistered,
    AgentReregistered,
    PingAgent,
    Reconciliation,
    RegisterAgent,
    ReregisterAgent,
    ShutdownAgent,
    UpdateFramework,
)
from mesolite.messages.infos import AgentInfo
from mesolite.messages.registrar import AdmitAgent, MarkAgentUnreachable, RemoveAgent
from mesolite.messages.scheduler import AgentLost, RescindOffer
from mesolite.messages.tasks import Cause, Reason, TaskState
from tests.actors.masters import (
    A1,
    BACK,
    KNOWN,
    NEVER_ALLOCATE,
    NEWCOMER,
    OLD,
    PING,
    PING_AGAIN,
    leading,
    offered,
    running,
    subscribe,
    tell,
    working,
)

BIGGER = AgentInfo(id="m1-S1", hostname="host-1", resources="cpus:8;mem:4096")
SUCCESSOR = AgentInfo(id="m1-S2", hostname="host-1", resources="cpus:4;mem:4096")
REMOVE = RemoveAgent(agent_id="m1-S1")


# --- registration ---


def test_an_agent_is_admitted_when_that_is_written() -> None:
    """Registry first: it is answered, pinged and offered when its admission is durable, not before (0.2.4, 1.2.5)."""
    master = subscribe(leading())

    # It wants in, and gets an id that no other leader can have made (EL-35); its end is to be heard of.
    assert master.hear(RegisterAgent(agent=NEWCOMER), "agent-1", 1.0) == [
        Link("agent-1"),
        master.writes(AdmitAgent(agent=A1)),
    ]
    # It asks again, in its second life: one admission is enough, and the newest life is answered (RC-13).
    assert master.hear(RegisterAgent(agent=NEWCOMER, life=2), "agent-1", 2.0) == [
        Link("agent-1"),
    ]
    # It is durable: ping, answer, and a run of the allocator at once (1.2.6, 1.4.1, OF-3).
    assert master.durable(AdmitAgent(agent=A1), 2.5) == [
        Link("agent-1"),
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
        Send("agent-1", AgentRegistered(agent_id="m1-S1", total_ping_timeout_s=75.0, life=2)),
        SetTimer(Allocation(), 0.0),
    ]
    # The same confirmation once more is nothing.
    assert master.durable(AdmitAgent(agent=A1), 2.5) == []
    # It had not heard the answer: it gets it again, under the same id (1.2.3).
    assert master.hear(RegisterAgent(agent=NEWCOMER, life=2), "agent-1", 3.0) == [
        Send("agent-1", AgentRegistered(agent_id="m1-S1", total_ping_timeout_s=75.0, life=2)),
    ]


def test_an_agent_that_comes_with_other_facts_while_it_is_being_admitted_is_written_again() -> None:
    """The newest of its lives counts (RC-13)."""
    master = leading()
    bigger = AgentInfo(hostname="host-1", resources="cpus:8;mem:4096")

    # It wants in, dies, and comes again with more.
    assert master.hear(RegisterAgent(agent=NEWCOMER), "agent-1", 1.0) == [
        Link("agent-1"),
        master.writes(AdmitAgent(agent=A1)),
    ]
    assert master.exit_of("agent-1", 1.1) == []
    assert master.hear(RegisterAgent(agent=bigger), "agent-1", 1.2) == [
        Link("agent-1"),
    ]
    # What was written is not what it is: it is written again, under the same id.
    assert master.durable(AdmitAgent(agent=A1), 1.3) == [
        master.writes(AdmitAgent(agent=BIGGER)),
    ]
    # That is what it is.
    assert master.durable(AdmitAgent(agent=BIGGER), 1.4) == [
        Link("agent-1"),
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
        Send("agent-1", AgentRegistered(agent_id="m1-S1", total_ping_timeout_s=75.0)),
    ]


def test_an_agent_that_dies_while_it_is_being_admitted_joins_as_one_that_is_away() -> None:
    """The registry has it; it is not answered, as its next life would take the answer for its own."""
    master = leading()

    # It wants in, and dies.
    assert master.hear(RegisterAgent(agent=NEWCOMER), "agent-1", 1.0) == [
        Link("agent-1"),
        master.writes(AdmitAgent(agent=A1)),
    ]
    assert master.exit_of("agent-1", 1.1) == []
    # It is written: it has ten minutes to come back (1.5.3).
    assert master.durable(AdmitAgent(agent=A1), 1.2) == [
        Link("agent-1"),
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
        SetTimer(ReregisterTimeout("m1-S1"), 600.0),
    ]


def test_somebody_new_at_the_address_of_an_agent_that_had_gone_replaces_it() -> None:
    """The old one is removed in the registry, the new one admitted under an id of its own (1.2.4, RC-14)."""
    master = running("t1")
    master.exit_of("agent-1", 3.0)

    # Its successor does not know the old id.
    assert master.hear(RegisterAgent(agent=NEWCOMER), "agent-1", 4.0) == [
        master.writes(REMOVE),
        Link("agent-1"),
        master.writes(AdmitAgent(agent=SUCCESSOR)),
    ]
    # The old one is removed: what ran there is lost.
    assert master.durable(REMOVE, 4.25) == [
        tell(
            "t1",
            TaskState.TASK_LOST,
            Reason.REASON_AGENT_REMOVED,
            message="agent m1-S1 (host-1) was removed: another agent came up at its address",
            timestamp=4.25,
            cause=Cause.CRASHED,
        ),
        CancelTimer(PingBatch(1)),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("web", AgentLost(agent_id="m1-S1")),
        NEVER_ALLOCATE,
    ]
    # The new one is admitted.
    assert master.durable(AdmitAgent(agent=SUCCESSOR), 4.5) == [
        Link("agent-1"),
        Send("agent-1", PingAgent(connected=True)),
        SetTimer(PingBatch(2), 15.0),
        Send("agent-1", AgentRegistered(agent_id="m1-S2", total_ping_timeout_s=75.0)),
        SetTimer(Allocation(), 0.0),
    ]


# --- return ---


def test_an_agent_whose_link_broke_is_back_in_time() -> None:
    """Nothing is lost but offers; what it does not report it is asked about (1.5.1, 1.3.5, TK-74)."""
    master = running("t1", "t2")
    offered(master, 7.0)

    # The connection broke: nothing more is offered, and it has ten minutes (1.5.3). Its tasks are not lost.
    assert master.hear(LinkBroken("agent-1"), "agent-1", 8.0) == [
        Send("web", RescindOffer(offer_id="m1-O2")),
        SetTimer(ReregisterTimeout("m1-S1"), 600.0),
    ]
    # It is back with t1. What became of t2 it has to say (1.3.5 step 2); where its framework is, it is told (FW-22).
    assert master.hear(BACK, "agent-1", 9.0) == [
        Link("agent-1"),
        Send(
            "agent-1",
            AgentReregistered(
                agent_id="m1-S1",
                total_ping_timeout_s=75.0,
                reconciliations=(Reconciliation(framework_info=KNOWN, scheduler="web", task_ids=("t2",)),),
            ),
        ),
        CancelTimer(ReregisterTimeout("m1-S1")),
        Send("agent-1", UpdateFramework(framework_info=KNOWN, scheduler="web")),
        SetTimer(Allocation(), 0.0),
    ]
    # It is pinged as one that is connected.
    assert master.fire(PING, 15.0) == [
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
    ]


def test_an_agent_with_other_facts_is_written_again_before_it_is_taken_back() -> None:
    """What was offered of it is rescinded, as it is not what there is (1.3.5, OF-50)."""
    master = working()
    offered(master)

    # It comes with twice the cpus.
    assert master.hear(ReregisterAgent(agent=BIGGER), "agent-1", 2.0) == [
        Link("agent-1"),
        master.writes(AdmitAgent(agent=BIGGER)),
    ]
    # That is written.
    assert master.durable(AdmitAgent(agent=BIGGER), 2.5) == [
        Send("web", RescindOffer(offer_id="m1-O1")),
        Link("agent-1"),
        Send("agent-1", AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0)),
        SetTimer(Allocation(), 0.0),
    ]


def test_an_agent_that_comes_back_with_less_than_is_in_use_is_sent_away() -> None:
    """Its books and ours could not both be right."""
    master = running("t1")
    smaller = AgentInfo(id="m1-S1", hostname="host-1", resources="cpus:0.5;mem:4096")

    assert master.hear(ReregisterAgent(agent=smaller), "agent-1", 3.0) == [
        Send(
            "agent-1",
            ShutdownAgent(reason="agent m1-S1 came back with cpus:0.5;mem:4096, but cpus:1;mem:100 is in use there"),
        ),
    ]


def test_of_a_framework_that_does_not_checkpoint_tasks_are_lost_with_the_process_of_their_agent() -> None:
    """Those of one that does wait for its return (1.5.2, FW-45)."""
    plain, durable = running("t1", framework=OLD), running("t1")

    # The process of the agent is gone.
    assert plain.exit_of("agent-1", 4.0) == [
        SetTimer(ReregisterTimeout("m1-S1"), 600.0),
        tell(
            "t1",
            TaskState.TASK_LOST,
            Reason.REASON_AGENT_DISCONNECTED,
            to="old",
            message="agent m1-S1 (host-1) disconnected",
            timestamp=4.0,
            cause=Cause.CRASHED,
        ),
    ]
    assert durable.exit_of("agent-1", 4.0) == [
        SetTimer(ReregisterTimeout("m1-S1"), 600.0),
    ]


def test_an_agent_that_is_not_back_in_time_is_marked_unreachable() -> None:
    """Ten minutes after its link broke (1.5.3)."""
    master = running("t1")
    master.exit_of("agent-1", 4.0)

    # The time is over.
    assert master.fire(TimerFired(ReregisterTimeout("m1-S1")), 604.0) == [
        master.writes(MarkAgentUnreachable(agent_id="m1-S1", unreachable_time=604.0)),
    ]
