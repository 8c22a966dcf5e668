"""`explore` with its defaults finds what schedulers are often written with, and nothing in one that has none of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mesolite import Simulation
from mesolite.harness import explore
from tests.harness.mistakes import MISTAKES, RIGHT, Mistake

SEEDS = 500
"""Within so many seeds a mistake has to be found."""

AT_ONCE = ("loses_its_state",)
"""What a quick run tries, as the first seeds find it."""


def _find(mistake: Mistake) -> None:
    found = explore(mistake.scenario, seeds=SEEDS)
    assert found.failure is not None, f"{mistake.name} is not found within {SEEDS} seeds"
    assert mistake.found_by in str(found.failure.identity)


@pytest.mark.parametrize("mistake", [each for each in MISTAKES if each.name in AT_ONCE], ids=lambda each: each.name)
def test_a_mistake_that_shows_at_once_is_found_at_once(mistake: Mistake) -> None:
    """By what its user states, or by a checker that is on unless it is switched off."""
    _find(mistake)


@pytest.mark.long
@pytest.mark.parametrize("mistake", [each for each in MISTAKES if each.name not in AT_ONCE], ids=lambda each: each.name)
def test_a_mistake_of_a_scheduler_is_found(mistake: Mistake) -> None:
    """Within 500 seeds, with defaults."""
    _find(mistake)


@pytest.mark.parametrize("scenario", [RIGHT["plain"], RIGHT["fails over"]], ids=["plain", "fails over"])
def test_a_right_scheduler_passes_some_seeds(scenario: Callable[[Simulation], None]) -> None:
    """Whoever reports what is right is switched off soon."""
    explore(scenario, seeds=10).check()


@pytest.mark.long
@pytest.mark.parametrize("scenario", RIGHT.values(), ids=list(RIGHT))
def test_a_right_scheduler_passes(scenario: Callable[[Simulation], None]) -> None:
    """All of them: two thousand seeds for the one of the guide, as it is."""
    explore(scenario, seeds=2000 if scenario is RIGHT["plain"] else 300).check()
