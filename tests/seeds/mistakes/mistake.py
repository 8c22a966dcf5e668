"""What a planted mistake is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve, frozen

from mesolite.actors.decisions.master import core
from mesolite.harness import Fault, Faults
from tests.seeds.scenario import PLAN

Plant = Callable[[pytest.MonkeyPatch], None]

NOBODY_FAILS = "nobody fails"
"""Instead of a checker: an actor has raised, or keeps others busy for ever."""


_AGENTS = ("agent-1", "agent-2", "agent-3", "agent-4")

AGENTS_DISKS = Faults.none().but(
    slow_disk=Fault(10.0, targets=_AGENTS),
    full_disk=Fault(20.0, targets=_AGENTS),
    last_write=Fault(20.0, targets=_AGENTS),
)
"""The disks of agents are slow, full, or the last that an agent uses."""

SILENCE = Faults.none().but(split=10.0, swizzle=10.0, rack_loss=10.0)
"""Several agents at once are not heard."""


def subscribed(patch: pytest.MonkeyPatch, **lists: Any) -> None:
    """Let masters tell these instead of whom they should tell."""
    patch.setattr(core, "SUBSCRIBERS", evolve(core.SUBSCRIBERS, **lists))


@frozen
class Mistake:
    """Something a decision could get wrong, and the checkers that may notice first.

    `faults`: those that bring it to light, if it takes many seeds with all the others among them.
    """

    name: str
    checkers: tuple[str, ...]
    plant: Plant
    faults: Faults = PLAN.faults


def nothing(*_: object, **__: object) -> None:
    """Decide nothing."""
