"""States with tables of their moves: what is no move is a mistake of ours, and ends the actor with its story."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TypeVar

State = TypeVar("State", bound=enum.Enum)
Moves = Mapping[State, frozenset[State]]
"""From each state, where one gets."""


def moved(present: State, to: State, moves: Moves[State]) -> State:
    """The state after the move.

    Raises:
        ValueError: there is no way from where it stands.
    """
    if to not in moves[present]:
        raise ValueError(f"{type(to).__name__} {present.name} cannot become {to.name}")
    return to
