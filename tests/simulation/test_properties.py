"""What must hold always, eventually, sometimes; what is done at a time, at a message, in which order; recovery."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from mesolite import InvalidValue, Refused, Simulation, WouldBlock
from mesolite.messages import (
    PongAgent,
    ReconcileTasks,
    RegisterAgent,
    ReregisterAgent,
    ReviveOffers,
    SuppressOffers,
    UnregisterAgent,
)
from mesolite.simulation.properties import PropertyViolated
from tests.scenarios.schedulers import Launcher, Recorder, command_task, leader_of


def test_always_is_checked_after_every_event(sim: Simulation) -> None:
    """What it raises comes out of what lets things happen, and the run can go on."""
    cluster = sim.cluster(agents=2)
    looked = 0

    @sim.always
    def two_agents() -> None:
        nonlocal looked
        looked += 1
        assert len([agent for agent in sim.view.agents if agent.connected]) == 2

    before = len(sim.trace)
    sim.advance(20.0)
    assert looked >= len(sim.trace) - before > 10
    cluster.agents["agent-1"].crash()
    with pytest.raises(AssertionError):
        sim.advance(1.0)


def test_always_may_say_whether_it_holds(sim: Simulation) -> None:
    """False is a violation that names the check; anything but a bool and None is a mistake in the check itself."""
    sim.cluster(agents=1)
    sim.always(lambda: sim.now < 5.0)
    with pytest.raises(PropertyViolated, match=r"sim.now < 5.0.* does not hold, at"):
        sim.advance(30.0)
    other = Simulation(seed=1)
    other.cluster(agents=1)
    other.always(lambda: 7)
    with pytest.raises(TypeError, match="must assert, or return a bool, and returned 7"):
        other.advance(30.0)


@pytest.mark.parametrize(
    "act",
    [
        lambda sim: sim.started.agents["agent-1"].crash(),
        lambda sim: sim.started.agents["agent-1"].power_off(),
        lambda sim: sim.started.agents["agent-1"].restart(),
        lambda sim: sim.started.agents["agent-1"].signal(signal.SIGUSR1),
        lambda sim: sim.started.agents["agent-1"].disk.fail(),
        lambda sim: sim.started.masters["master-1"].crash(),
        lambda sim: sim.started.frameworks["web"].kill_task("t1"),
        lambda sim: sim.started.frameworks["web"].stop(),
        lambda sim: sim.partition("agent-1", "master-1"),
        lambda sim: sim.heal(),
        lambda sim: sim.pause("agent-1"),
        lambda sim: sim.kill("web"),
        lambda sim: sim.drop(PongAgent),
        lambda sim: sim.inject("master-1", PongAgent()),
        lambda sim: sim.recover(),
        lambda sim: sim.probe("web-2"),
    ],
)
def test_what_only_looks_can_do_nothing(sim: Simulation, act: Callable[[Any], object]) -> None:
    """Or it would disturb the run after every event, and what it breaks would be taken for somebody else's fault."""
    cluster = sim.cluster(agents=1)
    cluster.run(Recorder(), framework="web")
    sim.advance(5.0)
    before = (cluster.agents["agent-1"].history, cluster.masters["master-1"].history)

    @sim.always
    def acts() -> None:
        act(sim)

    with pytest.raises(Refused, match=r"only looks at it.*let sim.at\(time, action\) or sim.when"):
        sim.advance(20.0)

    sim.stated.always.clear()
    sim.advance(20.0)
    assert (cluster.agents["agent-1"].history, cluster.masters["master-1"].history) == before
    assert cluster.agents["agent-1"].registered
    assert leader_of(cluster).name == "master-1"


def test_what_is_waited_for_only_looks(sim: Simulation) -> None:
    """Else it would come true by what asks whether it has."""
    sim.cluster(agents=1)
    sim.eventually(lambda: sim.advance(5.0) or True, within=60)

    with pytest.raises(WouldBlock, match="only looks at it: no time can pass"):
        sim.recover()


def test_eventually_is_demanded_once_faults_have_stopped(sim: Simulation) -> None:
    """A partition heals, the dead return; then the task has to run."""
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(command_task("t1")), framework="web")
    sim.eventually(lambda: len(sim.view.running("web")) == 1, within=120)
    sim.partition("web", "master-1")
    sim.advance(30.0)
    assert sim.view.running() == ()
    assert not sim.stated.recovered

    sim.recover()

    assert len(sim.view.running("web")) == 1
    assert sim.stated.recovered


def test_what_does_not_come_true_is_named(sim: Simulation) -> None:
    """With how long was waited, and since when."""
    sim.cluster(agents=1)
    sim.eventually(lambda: False, within=10)
    with pytest.raises(PropertyViolated, match=r"False.* has not come true within 10 virtual seconds since faults"):
        sim.recover()
    with pytest.raises(PropertyViolated, match="within 3 virtual seconds"):
        sim.recover(within=3)


def test_recovery_mends_everything(sim: Simulation) -> None:
    """Holds, drops, disks, pauses, partitions, the dead; then there is a leader, and all agents are back."""
    cluster = sim.cluster(agents=2, masters=3)
    sim.hold(PongAgent)
    sim.drop(RegisterAgent)
    cluster.agents["agent-1"].disk.fail()
    sim.pause("agent-1")
    cluster.agents["agent-2"].power_off()
    for master in cluster.masters.values():
        master.crash()
    sim.advance(100.0)

    sim.recover()
    sim.advance(120.0)

    assert sorted(agent.name for agent in sim.view.agents if agent.connected) == ["agent-1", "agent-2"]
    assert all(master.alive for master in cluster.masters.values())


def test_of_three_dead_agents_one_may_never_return() -> None:
    """As on a real cluster; which, the seed says. Somebody always returns."""
    missing = []
    for seed in range(12):
        sim = Simulation(seed)
        cluster = sim.cluster(agents=3)
        for agent in cluster.agents.values():
            agent.crash()
        sim.recover()
        missing.append(sum(not agent.alive for agent in cluster.agents.values()))

    assert sorted(set(missing)) == [0, 1]


def test_sometimes_notes_that_it_was_so(sim: Simulation) -> None:
    """Once is enough; that it never was is for many runs to say."""
    sim.cluster(agents=1)
    sim.sometimes(lambda: sim.view.agents == (), "nobody")
    sim.sometimes(lambda: len(sim.view.agents) == 1, "somebody")
    sim.advance(20.0)
    sim.reached("the end")

    assert {name: one.reached for name, one in sim.stated.sometimes.items()} == {
        "nobody": False,
        "somebody": True,
        "the end": True,
    }


def test_something_is_done_at_a_time(sim: Simulation) -> None:
    """Any verb, also one that waits for an answer; a time that has passed is refused."""
    cluster = sim.cluster(agents=1)
    states: list[str] = []
    sim.at(20.0, lambda: states.append(str(cluster.operator.drain("agent-1").state)))
    sim.advance(19.0)
    assert states == []
    sim.advance(2.0)
    assert states == ["DRAINING"] or states == ["DRAINED"]
    with pytest.raises(InvalidValue, match="nothing can be done any more"):
        sim.at(3.0, lambda: None)


def test_something_is_done_when_a_message_was_handled(sim: Simulation) -> None:
    """The nth from now on; what its receiver says to it is in flight, and nothing else has happened."""
    cluster = sim.cluster(agents=1)
    seen: list[tuple[float, bool]] = []
    second = sim.when(PongAgent, receiver="master-1", nth=2).then(lambda: seen.append((sim.now, True)))
    sim.when(UnregisterAgent).then(cluster.agents["agent-1"].power_off)

    sim.advance(20.0)
    assert (seen, second.happened) == ([], False)
    sim.advance(15.0)
    assert len(seen) == 1
    assert second.happened
    assert "PongAgent from anybody to master-1, the 2. of them: happened" in repr(second)


@pytest.mark.parametrize("seed", range(6))
def test_an_order_can_be_said_by_events(seed: int) -> None:
    """Whatever the seed: agent-2 registers again before the others, and their sessions do not suffer from waiting."""
    sim = Simulation(seed)
    cluster = sim.cluster(agents=3, masters=2)
    for agent in cluster.agents.values():
        agent.stop()
    leader = leader_of(cluster)
    first = sim.first(ReregisterAgent, "agent-2", leader)
    heard = sim.observe(ReregisterAgent, receiver=leader)
    for name in ("agent-3", "agent-1", "agent-2"):
        cluster.agents[name].restart()
        sim.advance(12.0)
    sim.advance(10.0)

    assert heard.first.agent.hostname == "agent-2"
    assert first.happened
    assert len([agent for agent in sim.view.agents if agent.connected]) == 3
    assert leader.alive
    with pytest.raises(InvalidValue, match="give the receiver"):
        sim.first(ReregisterAgent)


@pytest.mark.parametrize("seed", range(6))
def test_what_comes_first_does_not_overtake_on_its_own_channel(seed: int) -> None:
    """What its sender said before it still comes before it (core.md LP-13); what others said comes after."""
    sim = Simulation(seed)
    cluster = sim.cluster(agents=1)
    web, other = (cluster.run(Recorder(), framework=name) for name in ("web", "other"))
    sim.settle()
    first = sim.first(ReviveOffers, "web", "master-1")
    said = sim.observe((SuppressOffers, ReviveOffers, ReconcileTasks), receiver="master-1")
    other.reconcile_tasks()
    sim.settle()
    web.suppress_offers()
    web.revive_offers()
    sim.settle()

    assert [type(event).__name__ for event in said.all] == ["SuppressOffers", "ReviveOffers", "ReconcileTasks"]
    assert first.happened


def _leave(done: Callable[[Simulation], bool], error: Exception | None = None) -> None:
    with Simulation(1) as sim:
        sim.cluster(agents=1)
        sim.eventually(lambda: done(sim), within=5)
        if error is not None:
            raise error


def test_leaving_a_simulation_demands_what_must_come_true() -> None:
    """Unless something was raised already."""
    _leave(lambda sim: bool(sim.view.agents))
    with pytest.raises(PropertyViolated, match="not come true within 5"):
        _leave(lambda sim: False)
    with pytest.raises(ZeroDivisionError):
        _leave(lambda sim: False, ZeroDivisionError())


def test_an_order_whose_condition_raises_hurts_no_actor(sim: Simulation) -> None:
    """It comes out of what lets things happen, and the actor that was being asked about works on."""
    cluster = sim.cluster(agents=1)
    sim.when(PongAgent, where=lambda pong: pong.nonsense)  # type: ignore[attr-defined,unused-ignore]

    with pytest.raises(AttributeError, match="nonsense"):
        sim.advance(20.0)
    sim.advance(100.0)
    assert leader_of(cluster).alive
    assert cluster.agents["agent-1"].registered


@pytest.mark.parametrize("verb", ["always", "eventually"])
def test_what_cannot_be_called_states_nothing(sim: Simulation, verb: str) -> None:
    """It is refused where it is given, and not at the first event."""
    with pytest.raises(InvalidValue, match="function"):
        getattr(sim, verb)("three run")
    with pytest.raises(InvalidValue, match="function"):
        sim.when().then(5)  # type: ignore[arg-type]
    sim.settle()
