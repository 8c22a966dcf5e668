"""What is kept, what falls out, and what the head of a trace says."""

from __future__ import annotations

import signal

import pytest

import mesolite
from mesolite import Cluster, InvalidValue, Settings, Simulation
from mesolite.actors.decisions.contract import TimerFired
from mesolite.actors.trace import HEARTBEATS, Lost, Record, Trace, TraceFailure, TraceHead
from mesolite.harness.run import Setting, replayed
from mesolite.harness.script import Injection, Script
from mesolite.messages import PingAgent, PongAgent, UnregisterAgent
from mesolite.messages.ids import AgentId

PING = PingAgent(connected=True)
LEAVES = UnregisterAgent(agent_id=AgentId("m1-S1"))


def test_silence_pushes_nothing_out() -> None:
    """After hours of pings, sessions and timers the trace still begins where it began, and is bounded."""
    sim = Simulation(seed=1, trace_records=400)
    sim.cluster(agents=2)
    began = sim.trace.text()

    sim.advance(4 * 3600.0)

    assert sim.trace.text() == began
    assert len(list(sim.trace)) <= 500 < len(sim.trace)
    assert sim.trace.head.fallen == len(sim.trace) - len(list(sim.trace))


def test_a_heartbeat_that_is_lost_is_news() -> None:
    """It stays when thousands that arrived have gone, and is shown."""
    trace = Trace(40)
    trace.record(0.0, "agent-1", "master-1", Lost(PING, "cut"), (), -1)
    for number in range(1000):
        trace.record(1.0 + number, "agent-1", "master-1", PING, (), -1)

    assert trace.text() == "    0.000  master-1 -x agent-1       PingAgent  (cut)"
    assert [record.index for record in trace] == [0, *range(991, 1001)]


def test_both_rings_are_read_in_the_order_of_writing() -> None:
    """Whatever has fallen out of one of them."""
    trace = Trace(8)
    for number in range(60):
        kind = PING if number % 3 else LEAVES
        trace.record(float(number), "agent-1", "master-1", kind, (), -1)

    indices = [record.index for record in trace]
    assert indices == sorted(indices)
    assert indices[-3:] == [57, 58, 59]
    assert len(indices) == 8 + 2


@pytest.mark.parametrize("records", [0, 1])
def test_a_trace_may_keep_next_to_nothing(records: int) -> None:
    """And is read as any other."""
    trace = Trace(records)
    for kind in (PING, LEAVES, PongAgent()):
        trace.record(0.0, "agent-1", "master-1", kind, (), -1)

    assert len(list(trace)) == 2 * records
    assert trace.text().count("UnregisterAgent") == records
    assert len(trace.last(5)) == records
    assert trace.tail().count("\n") == records
    assert trace.hash() == trace.hash()


def test_the_hash_is_of_heartbeats_too() -> None:
    """Two runs that differ in one ping differ."""
    hashes = []
    for actor in ("agent-1", "agent-2"):
        trace = Trace()
        trace.record(0.0, actor, "master-1", PING, (), -1)
        hashes.append(trace.hash())

    assert hashes[0] != hashes[1]


def test_heartbeats_are_shown_to_subscribers_too() -> None:
    """Every record is, whichever ring it goes into; ids are learnt meanwhile as well."""
    sim = Simulation(seed=1)
    seen: list[Record] = []
    sim.trace.subscribe(seen.append)
    sim.cluster(agents=1)
    sim.advance(40.0)

    assert seen == list(sim.trace)
    assert any(isinstance(record.event, HEARTBEATS) for record in seen)
    assert any(isinstance(record.event, TimerFired) for record in seen)
    assert sim.trace.names.of("m1-S1") == "agent-1"


def test_a_record_says_in_which_life_it_happened(sim: Simulation) -> None:
    """The second life of a name is another."""
    agent = sim.cluster(agents=1).agents["agent-1"]
    agent.signal(signal.SIGKILL)
    agent.restart()
    sim.advance(5.0)

    lives = [record.life for record in sim.trace if record.actor == "agent-1"]
    assert lives == sorted(lives)
    assert dict.fromkeys(lives) == {1: None, 2: None}


def test_the_head_says_what_a_reader_needs() -> None:
    """Seed, version, kind of time, and the settings that are not Mesos's."""
    sim = Simulation(seed=42, settings=Settings.mesos().but(agent_ping_timeout_s=3.0))

    assert sim.trace.head == TraceHead(
        version=mesolite.__version__, virtual=True, seed=42, settings=(("agent_ping_timeout_s", "3.0"),)
    )


def test_the_head_of_a_real_run_has_no_seed() -> None:
    """Nothing was drawn that could be drawn again."""
    with Cluster(agents=0) as cluster:
        head = cluster.trace.head

    assert (head.virtual, head.seed, head.script) == (False, None, None)
    assert ("allocation_interval_s", "0.02") in head.settings


def test_what_is_said_of_a_run_later_stands_beside_what_was_said_before() -> None:
    """Whoever replays says the script, whoever checks says the failure."""
    trace = Simulation(seed=3).trace
    failure = TraceFailure(check="nothing runs twice", words="t1 does", time=4.0, index=17)
    trace.describe(script=("agent-1.crash()",))
    trace.describe(failure=failure, repeat="pytest x")

    assert (trace.head.seed, trace.head.script) == (3, ("agent-1.crash()",))
    assert (trace.head.failure, trace.head.repeat) == (failure, "pytest x")
    with pytest.raises(InvalidValue):
        trace.describe(seed="three")  # type: ignore[arg-type]


def test_the_head_of_an_explored_run_has_its_script_and_what_failed() -> None:
    """So that a trace by itself says what was done to the run, and what did not hold."""

    def scenario(sim: Simulation) -> None:
        sim.cluster(agents=2)
        sim.advance(5.0)
        raise ValueError("no luck")

    crash = Injection(kind="crash", at=2.0, lasts=1.0, arguments=(("machine", "agent-1"),))
    outcome = replayed(scenario, 1, Script(faults=(crash,), order=()), Setting())

    head = outcome.sim.trace.head
    assert head.script == ("at 2 s: cluster.agents['agent-1'].crash()  # for 1 s",)
    assert head.failure is not None
    assert head.failure.words == "ValueError: no luck"
    assert head.failure.index == len(outcome.sim.trace) - 1
