"""What happened, in a few lines, and why: as one would tell it."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from typing import Any

import pytest

from mesolite import FrameworkInfo, SimulatedCluster, SimulatedWork, Simulation
from mesolite.actors.trace import Done, Lost, Record, Trace, TraceMoment
from mesolite.actors.trace.why import OLDER
from mesolite.failure_report import last_of_tasks
from mesolite.messages import PingAgent, StatusUpdate
from tests.scenarios.schedulers import Launcher, command_task
from tests.trace.test_states import live

FOR_EVER = SimulatedWork(duration=None)
STUBBORN = SimulatedWork(duration=None, on_sigterm=None)
INFO = FrameworkInfo(name="web", checkpoint=True, failover_timeout_s=600.0)


def stage(*works: SimulatedWork, masters: int = 1) -> tuple[Simulation, SimulatedCluster]:
    """A cluster with an agent and tasks on it, ten seconds old."""
    sim = Simulation(seed=1)
    cluster = sim.cluster(agents=1, masters=masters)
    each = "cpus:0.5;mem:32"
    tasks = [command_task(f"t{number}", work, resources=each) for number, work in enumerate(works, start=1)]
    cluster.run(Launcher(*tasks), INFO)
    sim.advance(10.0)
    return sim, cluster


def told(sim: Simulation) -> list[str]:
    """What happened, without times; who comes first among masters is for the seed."""
    return [re.sub(r"master-\d", "master", moment.words) for moment in sim.trace.moments()]


def index_of(sim: Simulation, wanted: Callable[[Record], object]) -> int:
    return next(record.index for record in sim.trace if wanted(record))


def test_a_drain_with_a_task_that_does_not_go() -> None:
    """The call, the drain, the kill, the end of the task, the end of the drain."""
    sim, cluster = stage(STUBBORN)
    cluster.operator.drain("agent-1", max_grace_period=5)
    sim.advance(20.0)

    assert told(sim) == [
        "DrainAgentCall agent-1 max_grace_period_s=5",
        "agent-1 DRAINING (m1-D1)",
        "t1 gets SIGKILL",
        "t1: TASK_KILLED DRAINED REASON_AGENT_DRAINING",
        "agent-1 DRAINED (m1-D1)",
    ]
    assert [moment.kind for moment in sim.trace.moments()] == ["verb", "leaving", "bad", "rest", "rest"]


def test_a_drain_whose_leader_dies() -> None:
    """Nobody leads for a while, and what ended meanwhile is heard late."""
    sim, cluster = stage(STUBBORN, masters=2)
    cluster.operator.drain("agent-1", max_grace_period=5)
    leader = cluster.leader
    assert leader is not None
    leader.crash()
    sim.advance(30.0)

    lines = told(sim)
    assert lines[:4] == [
        "DrainAgentCall agent-1 max_grace_period_s=5",
        "agent-1 DRAINING (m1-D1)",
        "master.crash()",
        "master leads no more",
    ]
    assert any(re.fullmatch(r"t1 ended by SIGKILL, which is heard \d+\.\d s later", line) for line in lines)
    assert "agent-1/t1 ended" not in lines
    assert [line for line in lines if "leads" in line] == ["master leads no more", "master leads"]
    assert lines[-1] == "agent-1 DRAINED (m1-D1)"
    assert 5 <= len(lines) <= 15


def test_equal_losses_are_one_line_with_their_number() -> None:
    """A partition is told in as many lines as there are kinds of things that were lost."""
    sim, _ = stage(FOR_EVER, FOR_EVER)
    sim.partition("agent-1", "master-1")
    sim.advance(120.0)
    sim.heal()
    sim.advance(30.0)

    lines = told(sim)
    assert lines[0] == "sim.partition('agent-1', 'master')"
    (pings,) = [line for line in lines if "PingAgent" in line]
    assert re.fullmatch(r"master -x agent-1  6 PingAgent, until \d+\.\d+  \(cut\)", pings)
    assert "t1, t2: TASK_LOST UNREACHABLE REASON_AGENT_REMOVED" in lines
    assert lines.index("sim.heal()") < lines.index("agent-1 back with master")
    assert len(lines) <= 15


def test_many_that_share_a_fate_are_counted() -> None:
    """Four are named."""
    sim, cluster = stage(*[FOR_EVER] * 6)
    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.advance(20.0)

    (lost,) = [line for line in told(sim) if "TASK_LOST" in line]
    assert re.match(r"t\d, t\d, t\d, t\d and 2 more: TASK_LOST", lost)


def test_why_a_task_came_to_nothing_is_told() -> None:
    """In what happened, in its states, and in the last state of each: a reason alone would not help anybody."""
    sim = Simulation(seed=1)
    sim.drop(PingAgent)
    sim.cluster(agents=1).run(Launcher(command_task("t1", FOR_EVER, resources="cpus:99")), INFO)
    sim.advance(10.0)
    why = "\"task 't1' was not launched: it needs cpus:99, but only cpus:4;mem:4096;"

    (state,) = [state for state in sim.trace.states() if state.state == "TASK_ERROR"]

    assert state.message.startswith(why)
    assert why in str(state)
    assert f"t1: TASK_ERROR (REASON_TASK_INVALID) {why}" in last_of_tasks(sim)[0]
    assert any(line.startswith(f"t1: TASK_ERROR REASON_TASK_INVALID {why}") for line in told(sim))


def test_before_the_first_deed_there_is_nothing_to_tell() -> None:
    """Set-up is left out; where nothing was done all there is is told."""
    sim = Simulation(seed=1)
    sim.cluster(agents=2)
    assert told(sim) == ["master leads", "agent-1, agent-2 registered"] or told(sim) == [
        "master leads", "agent-2, agent-1 registered"
    ]  # fmt: skip
    sim.drop(PingAgent)
    assert told(sim) == ["sim.drop(PingAgent)"]
    assert Trace().moments() == []


@pytest.mark.parametrize("seed", [0, 2])
def test_moments_are_in_order_and_belong_to_records(seed: int) -> None:
    """Each has its record, and prints as a line."""
    trace = live(seed).sim.trace
    known = {record.index: record for record in trace}
    moments = trace.moments()

    assert [moment.index for moment in moments] == sorted(moment.index for moment in moments)
    assert all(known[moment.index].time == moment.time for moment in moments)
    assert all("\n" not in str(moment) for moment in moments)
    assert str(TraceMoment(1.5, 3, "fault", "x.crash()")) == "    1.500  x.crash()"


def test_what_users_name_is_not_taken_for_a_place_to_fill() -> None:
    """Braces in names and reasons are only that."""
    sim, _ = stage()
    trace = sim.trace
    trace.record(20.0, "", "outside", Done("crash", (), "{}.crash({})"), (), -1)
    trace.record(21.0, "{}", "{0}", Lost("{}", "{}"), (), -1)

    assert [moment.words for moment in trace.moments()] == ["{ }.crash({ })", "{0} -x { }  '{ }'  ({ })"]


# ------------------------------------------------------------------------------------------------------------- why


def test_why_a_task_is_unreachable_names_the_cut_and_what_it_swallowed() -> None:
    """The chain leads over the pings' timer, which is one line, to the first cause."""
    sim, _ = stage(FOR_EVER)
    sim.partition("agent-1", "master-1")
    sim.advance(120.0)
    index = index_of(sim, lambda record: record.actor == "web" and "UNREACHABLE" in repr(record.event))

    lines = sim.trace.why(index).splitlines()

    assert "=> web" in lines[0]
    assert lines[1] == "because of"
    (timer,) = [line for line in lines if "(timer ping" in line]
    assert re.search(r"the \d+(st|nd|rd|th) in a row: \d+ s passed", timer)
    meanwhile = [line.strip() for line in lines if "meanwhile:" in line]
    assert meanwhile[0].startswith("meanwhile: sim.partition('agent-1', 'master-1') at ")
    assert any(re.fullmatch(r"meanwhile: \d PingAgent to agent-1 lost \(cut\)", line) for line in meanwhile)
    assert lines[-1].endswith("(starts)")
    assert not any("(Saved" in line or "returned)" in line for line in lines)


def test_why_something_was_lost_names_what_lost_it() -> None:
    """Under the message stands the verb."""
    sim, cluster = stage()
    sim.drop(PingAgent, times=1)
    sim.advance(20.0)
    index = index_of(sim, lambda record: type(record.event) is Lost)

    lines = sim.trace.why(index).splitlines()

    assert lines[0].endswith("PingAgent  (dropped)")
    assert lines[1].strip().startswith("by: sim.drop(PingAgent, times=1) at ")
    assert cluster.leader is not None


def test_a_chain_that_has_fallen_out_says_so() -> None:
    """It ends in words, not as if that were the first cause."""
    sim = Simulation(seed=1, trace_records=60)
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(*[command_task(f"t{number}", resources="cpus:0.1;mem:32") for number in range(9)]), "web")
    sim.advance(10.0)
    newest = [record for record in sim.trace if isinstance(record.event, StatusUpdate)][-1]

    assert sim.trace.why(newest.index).splitlines()[-1].strip() == f"({OLDER})"
    with pytest.raises(LookupError, match="record 0 is not in this trace; it holds"):
        sim.trace.why(0)
    with pytest.raises(LookupError, match="it holds none"):
        Trace().why(0)


@pytest.mark.parametrize("seed", [0, 1])
def test_every_record_can_be_explained(seed: int) -> None:
    """Whatever it is, in not too many lines, none of them broken."""
    trace: Any = live(seed).sim.trace
    for record in list(trace)[::97]:
        lines = trace.why(record.index).splitlines()
        assert 1 <= len(lines) < 120
        assert max(map(len, lines)) < 300
