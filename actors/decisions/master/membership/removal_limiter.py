"""How fast agents may be given up: one permit at a time (drain.md 1.8).

The first is given at once, later ones are an interval apart, first come first served; whoever stops waiting takes
none. Pure: it is told the time, and says when it wants to be asked again.
"""

from __future__ import annotations

import enum

from mesolite.messages.ids import AgentId


class Absence(enum.Enum):
    """Why an agent is to be given up; unregistering, marking gone and machine down need no permit (1.8.1)."""

    UNHEALTHY = "its pings are not answered"
    DISCONNECTED = "its link broke and it has not come back"
    NOT_BACK = "it has not come back to a new leader"


PendingRemoval = tuple[Absence, AgentId]


class RemovalLimiter:
    """Who waits for a permit, and when the next one is due."""

    def __init__(self, interval_s: float) -> None:
        """Give permits at least so many seconds apart; 0: whenever they are asked for."""
        self._interval_s = interval_s
        self._next_at = float("-inf")
        self._waiting: dict[PendingRemoval, None] = {}

    def __contains__(self, agent: PendingRemoval) -> bool:
        """Whether it waits."""
        return agent in self._waiting

    def ask(self, agent: PendingRemoval) -> None:
        """Join the end of the queue; who waits already keeps its place."""
        self._waiting.setdefault(agent)

    def cancel(self, agent: PendingRemoval) -> bool:
        """Leave the queue without taking a permit; whether it was waiting."""
        waited = agent in self._waiting
        self._waiting.pop(agent, None)
        return waited

    def permit(self, now: float) -> PendingRemoval | None:
        """Give the next permit, if one is due; None if nobody is waiting, or all have to wait longer."""
        if not self._waiting or now < self._next_at:
            return None
        first = next(iter(self._waiting))
        del self._waiting[first]
        self._next_at = now + self._interval_s
        return first

    def due(self, now: float) -> float | None:
        """In how many seconds the next permit is due; None while nobody waits."""
        return max(0.0, self._next_at - now) if self._waiting else None
