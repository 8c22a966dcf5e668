"""The master before it leads, when it begins and when it ends: lists of events with the exact effects of each."""

from __future__ import annotations

from mesolite.actors.decisions.contract import CancelTimer, Exit, Link, Publish, Send, SetTimer, Started, TimerFired
from mesolite.actors.decisions.detector import DetectRetry, SessionExpiry, SessionHeartbeat
from mesolite.actors.decisions.master.timers import Allocation, Pruning, RecoveryTimeout
from mesolite.messages.agent import (
    AgentReregistered,
    DrainAgent,
    PingAgent,
    RegisterAgent,
    ReregisterAgent,
    ShutdownAgent,
    UnregisterAgent,
)
from mesolite.messages.drains import DrainConfig, DrainInfo, DrainState
from mesolite.messages.election import (
    ELECTOR,
    DetectLeader,
    ElectionJoined,
    JoinElection,
    KeepSession,
    LeaderDetected,
    SessionExpired,
    SessionKept,
)
from mesolite.messages.facts import MasterStatus
from mesolite.messages.infos import AgentInfo, MasterInfo
from mesolite.messages.operator import OPERATOR, DrainAgentCall
from mesolite.messages.registrar import (
    AdmitAgent,
    AdmittedAgent,
    DeactivatedAgent,
    GoneAgent,
    MarkAgentReachable,
    MarkAgentUnreachable,
    OperationApplied,
    RecoverRegistry,
    Registry,
    RegistryRecovered,
    RegistryRefused,
    UnreachableAgent,
)
from mesolite.messages.scheduler import AgentLost, Subscribe
from tests.actors.masters import A1, ME, NEWCOMER, PING_AGAIN, REGISTRAR, WEB, Master, elected, leading, subscribe

DRAINING = DrainInfo(id="m1-D1", agent_id="m1-S1", state=DrainState.DRAINING, config=DrainConfig(), started_at=-9.0)
DRAINED = DrainInfo(
    id="m1-D2", agent_id="m1-S7", state=DrainState.DRAINED, config=DrainConfig(), started_at=-50.0, ended_at=-40.0
)


def test_a_master_contends_is_elected_and_reads_the_registry_before_it_leads() -> None:
    """It leads when it has read the registry in its term, and not before (EL-36, EL-37, 0.2.1)."""
    master = Master()

    # Its first event: it wants to know of its registrar's end, and begins a session with the elector (EL-8).
    assert master.hear(Started("master-1", 1), "master-1", 0.0) == [
        Link(REGISTRAR),
        Send(ELECTOR, KeepSession(session=None, timeout_s=10.0, sent_at=0.0)),
        SetTimer(SessionHeartbeat(), 3.3333333333333335),
        Send(ELECTOR, DetectLeader(known_term=None)),
        SetTimer(DetectRetry(), 10.0),
    ]
    # The session is open: it contends (EL-1).
    assert master.hear(SessionKept(session=1, sent_at=0.0, opened=True), ELECTOR, 0.1) == [
        SetTimer(SessionExpiry(), 9.9),
        Send(ELECTOR, JoinElection(session=1)),
    ]
    # It is a candidate (EL-13).
    assert master.hear(ElectionJoined(sequence=1), ELECTOR, 0.2) == []
    # It is the one that leads: it claims the store for its term and reads what is there (EL-36, EL-37).
    assert master.hear(LeaderDetected(leader=ME), ELECTOR, 0.3) == [
        CancelTimer(DetectRetry()),
        Send(REGISTRAR, RecoverRegistry(term=1)),
    ]
    # An agent wants in; a leader that has not read the registry drops every message (0.2.1).
    assert master.hear(RegisterAgent(agent=NEWCOMER), "agent-1", 0.4) == []
    # The registry is empty: it leads, and waits for nobody.
    assert master.hear(RegistryRecovered(registry=Registry()), REGISTRAR, 0.5) == [
        Publish(MasterStatus(name="master-1", leading=True, term=1)),
    ]
    # Said again, that is nothing.
    assert master.hear(RegistryRecovered(registry=Registry()), REGISTRAR, 0.6) == []


def test_a_new_leader_makes_known_what_it_found_and_gives_agents_time_to_come_back() -> None:
    """Agents in the registry get `agent_reregister_timeout_s`; drains are told of, old and open (EL-40, 4.6.7)."""
    master = elected()
    registry = Registry(
        admitted=(AdmittedAgent(agent=A1),),
        unreachable=(UnreachableAgent(agent_id="m1-S8", unreachable_time=-5.0),),
        gone=(GoneAgent(agent_id="m1-S9", gone_time=-7.0),),
        deactivated=(DeactivatedAgent(agent_id="m1-S1", drain=DRAINING),),
        past_drains=(DRAINED,),
    )

    # The registry holds an agent that is being drained, one that is out of reach, one that is gone.
    assert master.hear(RegistryRecovered(registry=registry), REGISTRAR, 1.0) == [
        Publish(DRAINING),
        Publish(DRAINED),
        Publish(MasterStatus(name="master-1", leading=True, term=1)),
        SetTimer(RecoveryTimeout(), 600.0),
        SetTimer(Pruning(), 900.0),
    ]
    # The one that is gone comes, and is turned away for good (1.3.2).
    gone = AgentInfo(id="m1-S9", hostname="host-9", resources="cpus:1")
    assert master.hear(ReregisterAgent(agent=gone), "agent-9", 2.0) == [
        Send("agent-9", ShutdownAgent(reason="agent m1-S9 was marked gone", gone=True)),
    ]
    # The drained one comes: it is taken in without a write, told to drain before it is answered, and not offered
    # (1.3.6, 1.3.8 step 4).
    assert master.hear(ReregisterAgent(agent=A1, life=2), "agent-1", 3.0) == [
        Link("agent-1"),
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
        Send("agent-1", DrainAgent(config=DrainConfig())),
        Send("agent-1", AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0, life=2)),
    ]
    # All that were admitted are back; the time-out finds nobody (1.7.3).
    assert master.fire(TimerFired(RecoveryTimeout()), 601.0) == []


def test_an_agent_that_does_not_come_back_to_a_new_leader_is_marked_unreachable() -> None:
    """It is out of reach once that is written; every framework is told that it is lost (1.7.3, EL-41, EL-42)."""
    master = subscribe(leading(Registry(admitted=(AdmittedAgent(agent=A1),))))
    marked = MarkAgentUnreachable(agent_id="m1-S1", unreachable_time=600.0)

    # Nobody has come in time.
    assert master.fire(TimerFired(RecoveryTimeout()), 600.0) == [
        master.writes(MarkAgentUnreachable(agent_id="m1-S1", unreachable_time=600.0)),
    ]
    # It comes now, and is not heard while that is being written (1.3.1).
    assert master.hear(ReregisterAgent(agent=A1), "agent-1", 600.1) == []
    # It is written.
    assert master.durable(marked, 600.5) == [
        Send("web", AgentLost(agent_id="m1-S1")),
        SetTimer(Pruning(), 299.5),
    ]
    # It comes again: that it is reachable is written before it is taken in (1.3.7).
    assert master.hear(ReregisterAgent(agent=A1), "agent-1", 601.0) == [
        Link("agent-1"),
        master.writes(MarkAgentReachable(agent=A1)),
    ]
    # Now it is, with the next allocation at once.
    assert master.durable(MarkAgentReachable(agent=A1), 601.1) == [
        Link("agent-1"),
        Send("agent-1", PingAgent(connected=True)),
        PING_AGAIN,
        Send("agent-1", AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0)),
        SetTimer(Allocation(), 0.0),
    ]


def test_a_leader_that_is_deposed_ends() -> None:
    """A leader never steps down within one process (0.2.2, EL-32); a follower goes on."""
    leader, follower = leading(), Master()
    follower.hear(Started("master-2", 1), "master-2", 0.0)
    other = LeaderDetected(leader=MasterInfo(name="master-3", term=3))

    # Another master leads.
    assert leader.hear(other, ELECTOR, 5.0) == [
        CancelTimer(DetectRetry()),
        Publish(MasterStatus(name="master-1", term=1)),
        Exit("was deposed", 1),
    ]
    assert follower.hear(other, ELECTOR, 5.0) == [
        CancelTimer(DetectRetry()),
    ]


def test_a_leader_whose_session_is_over_ends() -> None:
    """Whether the elector says so or is silent, the candidacy is lost with the session (EL-9, EL-30)."""
    master = leading()

    assert master.hear(SessionExpired(session=1), ELECTOR, 5.0) == [
        CancelTimer(SessionExpiry()),
        Send(ELECTOR, KeepSession(session=None, timeout_s=10.0, sent_at=5.0)),
        SetTimer(SessionHeartbeat(), 3.3333333333333335),
        Send(ELECTOR, DetectLeader(known_term=None)),
        SetTimer(DetectRetry(), 10.0),
        Publish(MasterStatus(name="master-1", term=1)),
        Exit("lost its candidacy while leading", 1),
    ]


def test_a_leader_whose_registry_refuses_a_write_ends() -> None:
    """A failed registry write is fatal (0.2.6); nothing is said that was waiting for it."""
    master = leading()
    master.hear(RegisterAgent(agent=NEWCOMER), "agent-1", 1.0)

    # Somebody else's registrar has nothing to say here.
    assert master.hear(RegistryRefused(reason="disk full"), "registrar-2", 1.0) == []
    # Its own has.
    assert master.hear(RegistryRefused(reason="disk full"), REGISTRAR, 1.1) == [
        Publish(MasterStatus(name="master-1", term=1)),
        Exit("the registry refused: disk full", 1),
    ]
    # The write was done after all, and nobody is told: the next leader reads it.
    assert master.durable(AdmitAgent(agent=A1), 1.2) == []


def test_a_master_ends_with_its_registrar() -> None:
    """In Mesos they are one process."""
    assert Master().exit_of(REGISTRAR, 1.0) == [
        Exit("its registrar has ended", 1),
    ]
    assert leading().exit_of(REGISTRAR, 1.0) == [
        Publish(MasterStatus(name="master-1", term=1)),
        Exit("its registrar has ended", 1),
    ]


def test_what_is_said_to_a_master_that_does_not_lead_is_dropped() -> None:
    """Whoever says it, the master says nothing (0.2.1)."""
    master = elected()

    for message, sender in [
        (RegisterAgent(agent=NEWCOMER), "agent-1"),
        (ReregisterAgent(agent=A1), "agent-1"),
        (UnregisterAgent(agent_id="m1-S1"), "agent-1"),
        (Subscribe(framework_info=WEB), "web"),
        (DrainAgentCall(call_id=1, agent_id="m1-S1"), OPERATOR),
        (OperationApplied(write_id="m1-W1", operation=AdmitAgent(agent=A1)), REGISTRAR),
    ]:
        assert master.hear(message, sender, 1.0) == []
