"""Making scripts smaller: fewest things that still do it, and planted failures of many faults."""

from __future__ import annotations

from collections.abc import Sequence

import hypothesis
import pytest
from hypothesis import strategies as st

from mesolite import Simulation
from mesolite.harness.faults import Fault, Faults
from mesolite.harness.run import Setting, drawn
from mesolite.harness.script import Script
from mesolite.harness.shrink import Shrunk, fewest, shrink


@hypothesis.given(st.sets(st.integers(0, 60), max_size=5), st.integers(0, 60))
def test_what_is_left_does_it_and_nothing_of_it_can_be_spared(needed: set[int], length: int) -> None:
    """Whatever is needed of a list, exactly that is found."""
    needed = {number for number in needed if number < length}

    def still(some: Sequence[int]) -> bool:
        return needed <= set(some)

    assert fewest(range(length), still) == sorted(needed)


def test_few_tries_are_enough() -> None:
    """Two of two hundred are found in far fewer tries than one by one would take."""
    tries = 0

    def still(some: Sequence[int]) -> bool:
        nonlocal tries
        tries += 1
        return {17, 150} <= set(some)

    assert fewest(range(200), still) == [17, 150]
    assert tries < 80


def planted(sim: Simulation) -> None:
    """Fails when agent-1 was restarted, and agent-2 after it."""
    cluster = sim.cluster(agents=3)
    sim.advance(600)
    first, second = (
        [at for at, what in cluster.agents[name].history if what == "restart"] for name in ("agent-1", "agent-2")
    )
    assert not (first and second and max(second) > min(first)), "agent-2 was restarted after agent-1"


@pytest.mark.slow
def test_a_failure_of_two_hundred_faults_becomes_one_of_two() -> None:
    """Of all that was done only what matters is left, in the order that matters, first in first out."""
    faults = {"restart": Fault(15.0), "stop": Fault(6.0, lasts=(0.0, 2.0))}
    outcome = drawn(planted, 0, Script(latency=(0.01, 0.1)), faults, Setting(), note=True)
    assert outcome.error is not None
    assert len(outcome.script.faults) > 150
    shrunk = Shrunk(outcome=outcome)

    shrink(planted, Setting(), shrunk)

    assert len(shrunk.outcome.script.faults) == 2  # what stops an agent starts it again
    assert shrunk.outcome.script.order == ()
    assert shrunk.outcome.script.latency == (0.0, 0.0)
    assert shrunk.outcome.identity == outcome.identity


def test_another_failure_is_counted_and_not_followed() -> None:
    """A smaller script may fail otherwise; that is another failure."""

    def scenario(sim: Simulation) -> None:
        cluster = sim.cluster(agents=2)
        sim.advance(200)
        crashed = [name for name, agent in cluster.agents.items() if agent.history]
        assert len(crashed) != 1, "one"
        assert len(crashed) != 2, "two"

    for seed in range(40):
        outcome = drawn(scenario, seed, Script(), {"restart": Faults().restart.__class__(2.0)}, Setting(), note=True)
        if "two" in str(outcome.error):
            break
    shrunk = Shrunk(outcome=outcome)
    shrink(scenario, Setting(), shrunk)

    assert "two" in str(shrunk.outcome.error)
    assert len(shrunk.outcome.script.faults) == 2
    assert len(shrunk.others) == 1
