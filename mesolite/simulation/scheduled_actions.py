"""What the simulation itself does at a point in time. All but what a test wants done is data: it can be listed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from mesolite.actors.runtime.port import ActorContext, Delivery
from mesolite.simulation.in_flight import Channel, InFlight


class Loop(Protocol):
    """What moments need of the loop in which they occur (deliveries.py)."""

    in_flight: InFlight

    def post(self, context: ActorContext, event: object, sender: str = "", cause: int = -1) -> None:
        """Put a system event before one particular context."""


class ScheduledAction(ABC):
    """Something that will happen once.

    Attributes:
        live: False once it was called off.
        routine: it comes of nothing but timers that repeat themselves, as a ping in flight does.
    """

    __slots__ = ("live", "routine")

    def __init__(self) -> None:
        """Be live until called off."""
        self.live = True
        self.routine = False

    @abstractmethod
    def occur(self, loop: Loop) -> None:
        """Do it; its time has come."""


class Arrival(ScheduledAction):
    """A message has taken its time, and is due."""

    __slots__ = ("channel", "delivery", "serial")

    def __init__(self, channel: Channel, serial: int, delivery: Delivery) -> None:
        """Let the serial-th message of a channel arrive."""
        self.live, self.routine = True, False  # without a call: one is made for every message
        self.channel = channel
        self.serial = serial
        self.delivery = delivery

    def occur(self, loop: Loop) -> None:
        """Put it on its channel."""
        loop.in_flight.put(self.channel, self.serial, self.delivery)


class Scheduled(ScheduledAction):
    """What a test or a script wants done."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], object]) -> None:
        """Call it when the time has come."""
        super().__init__()
        self.action = action

    def occur(self, loop: Loop) -> None:
        """Call it."""
        self.action()
