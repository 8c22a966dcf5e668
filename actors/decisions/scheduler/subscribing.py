"""How far a driver is with whoever leads, and how long it waits before it asks again (core.md EL-55 to EL-57)."""

from __future__ import annotations

import enum
from typing import ClassVar

from attrs import frozen

from mesolite.actors.decisions.contract import SetTimer, TimerKey
from mesolite.actors.decisions.moves import Moves
from mesolite.actors.decisions.settings import Settings


class Subscription(enum.Enum):
    """How far a driver is with whoever leads. PARTING: user code is being told that it is not connected any more."""

    WAITING = "WAITING"
    SUBSCRIBING = "SUBSCRIBING"
    CONNECTED = "CONNECTED"
    PARTING = "PARTING"


SUBSCRIPTION_MOVES: Moves[Subscription] = {
    Subscription.WAITING: frozenset({Subscription.WAITING, Subscription.SUBSCRIBING}),
    Subscription.SUBSCRIBING: frozenset({Subscription.WAITING, Subscription.SUBSCRIBING, Subscription.CONNECTED}),
    Subscription.CONNECTED: frozenset({Subscription.PARTING}),
    Subscription.PARTING: frozenset({Subscription.WAITING, Subscription.SUBSCRIBING}),
}


@frozen
class SubscribeRetry(TimerKey):
    """Nobody has answered the subscription: ask again."""

    PERIODIC: ClassVar[bool] = True


class SubscribeBackoff:
    """A random wait below a bound that doubles up to its cap, which is short if the framework may be given up soon."""

    def __init__(self, settings: Settings, failover_timeout_s: float) -> None:
        """Start with the first bound."""
        self._first_s = self._bound_s = settings.subscription_backoff_factor_s
        self._max_s = settings.subscription_backoff_max_s
        if failover_timeout_s:
            self._max_s = min(self._max_s, failover_timeout_s / 10)

    def reset(self) -> None:
        """Somebody else leads: the bounds start over."""
        self._bound_s = self._first_s

    def next(self) -> SetTimer:
        """Wait once more, and up to twice as long the next time."""
        bound_s = min(self._bound_s, self._max_s)
        self._bound_s = bound_s * 2
        return SetTimer(SubscribeRetry(), 0.0, bound_s)
