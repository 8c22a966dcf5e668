"""What a planted mistake is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import frozen

from tests.seeds.faults import FAULTS, Fault

Plant = Callable[[pytest.MonkeyPatch], None]


@frozen
class Mistake:
    """Something a decision could get wrong, and the checkers that may notice first.

    `faults`: those that bring it to light, if it takes many seeds with all the others among them.
    """

    name: str
    checkers: tuple[str, ...]
    plant: Plant
    faults: tuple[Fault, ...] = FAULTS


def nothing(*_: object, **__: object) -> None:
    """Decide nothing."""
