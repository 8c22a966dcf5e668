"""One action at every instant; one thing changed, side by side."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from mesolite import InvalidValue, Simulation
from mesolite.harness import NothingReached, compare, sweep
from mesolite.messages import UnregisterAgent
from tests.harness.naive import Naive


def _crash_leader(sim: Simulation) -> None:
    assert sim.started is not None
    leader = sim.started.leader
    if leader is not None:
        leader.crash()
        leader.restart()


def _drained(sim: Simulation) -> None:
    cluster = sim.cluster(agents=2, masters=2)
    cluster.run(Naive(), framework="naive")
    sim.advance(10)
    sim.at(12.0, lambda: cluster.agents["agent-1"].signal(signal.SIGUSR1))
    sim.advance(20)


def test_every_instant_of_a_story_is_tried() -> None:
    """A leader that dies at any event of it is nothing that a cluster does not survive."""
    swept = sweep(_drained, _crash_leader)

    swept.check()
    assert swept.instants > 30
    assert swept.failures == {}


def test_the_instants_that_fail_are_known() -> None:
    """Those at which the action makes a difference, and no others; the first is raised, with its place."""

    def scenario(sim: Simulation) -> None:
        cluster = sim.cluster(agents=1)
        cluster.run(Naive(), framework="naive")
        heard = sim.observe(UnregisterAgent)
        sim.advance(5)
        cluster.agents["agent-1"].signal(signal.SIGUSR1)
        sim.settle()
        assert heard.count == 1, "it has not unregistered"
        sim.advance(5)

    def power_off(sim: Simulation) -> None:
        assert sim.started is not None
        sim.started.agents["agent-1"].power_off()

    swept = sweep(scenario, power_off)
    assert 0 < len(swept.failures) < swept.instants
    assert len(swept.kinds) >= 1
    with pytest.raises(Exception) as raised:  # noqa: PT011  # which of two it is depends on the instant
        swept.check()
    assert "the action came after event" in raised.value.__notes__[-1]


def _noticed(sim: Simulation, ending: Any) -> dict[str, Any]:
    sim.cluster(agents=2)
    sim.advance(5)
    began = sim.now
    ending()
    sim.run_until(lambda: len(sim.view.agents) == 1, timeout=200)
    return {"noticed after": sim.now - began, "left": [agent.name for agent in sim.view.agents]}


def test_what_is_refused_is_no_failure() -> None:
    """Killing what is dead; if it is refused at every instant, nothing was tried."""

    def scenario(sim: Simulation) -> None:
        cluster = sim.cluster(agents=2)
        cluster.run(Naive(), framework="naive")
        agent = cluster.agents["agent-1"]
        sim.at(3.0, lambda: agent.stop() if agent.alive else None)
        sim.advance(10)

    swept = sweep(scenario, lambda sim: sim.started.agents["agent-1"].crash())
    swept.check()
    assert 0 < len(swept.refused) < swept.runs
    assert f"{swept.runs} instants tried, 0 fail, {len(swept.refused)} were refused" in str(swept)
    assert swept.failure is None
    with pytest.raises(NothingReached, match="refused at every instant"):
        sweep(scenario, lambda sim: sim.break_link("agent-1", "nobody")).check()


ENDINGS = {
    "SIGUSR1": lambda sim: sim.started.agents["agent-1"].signal(signal.SIGUSR1),
    "power off": lambda sim: sim.started.agents["agent-1"].power_off(),
}


def test_endings_are_put_side_by_side() -> None:
    """The keys of what the scenario returns are the columns."""
    comparison = compare(_noticed, ENDINGS, seeds=7)

    assert comparison.columns == ["noticed after", "left"]
    assert comparison.rows["SIGUSR1"]["noticed after"] == 0.0
    assert 75 <= comparison.rows["power off"]["noticed after"] <= 90
    first, second, third = str(comparison).splitlines()
    assert first.split() == ["noticed", "after", "left"]
    assert second.startswith("SIGUSR1    0.0")
    assert third.startswith("power off  ")


def test_several_seeds_give_ranges() -> None:
    """From the least to the greatest, where they differ."""
    comparison = compare(_noticed, ENDINGS, seeds=range(4), latency=(0.01, 0.4))
    low, high = comparison.rows["power off"]["noticed after"]
    assert 70 < low < high < 95
    assert " to " in str(comparison)


def test_a_scenario_that_returns_no_dict_is_refused() -> None:
    """Its keys would be the columns."""
    with pytest.raises(InvalidValue, match="returns a dict"):
        compare(lambda sim, ending: 7, {"once": lambda sim: None})  # type: ignore[arg-type,return-value]


def test_an_action_may_take_the_simulation_or_what_it_is_given_or_nothing() -> None:
    """As people write them: `lambda: ...`, `lambda sim: ...`, or with what the scenario hands over."""

    def scenario(sim: Simulation, ending: Any) -> dict[str, Any]:
        cluster = sim.cluster(agents=1)
        return {"seen": ending(cluster) if sim.seed else ending()}

    assert compare(scenario, {"one": lambda: 7}, seeds=0).rows == {"one": {"seen": 7}}
    assert compare(scenario, {"one": lambda sim: sim.seed}, seeds=0).rows == {"one": {"seen": 0}}
    assert compare(scenario, {"one": lambda cluster: len(cluster.agents)}, seeds=5).rows == {"one": {"seen": 1}}
    sim = Simulation(seed=1)
    seen: list[object] = []
    sim.at(1.0, seen.append)
    sim.at(2.0, lambda: seen.append("nothing"))
    sim.advance(3.0)
    assert seen == [sim, "nothing"]
