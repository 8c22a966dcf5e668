"""What is in flight, listed for whoever looks: tests, reports of failures."""

from __future__ import annotations

from typing import Any, NamedTuple

from mesolite.actors.runtime.port import Timer
from mesolite.actors.runtime.timeline import Timeline
from mesolite.simulation.in_flight import Directed, InFlight
from mesolite.simulation.scheduled_actions import Arrival, ScheduledAction


class MessageInFlight(NamedTuple):
    """One message in flight: from whom to whom, which on its channel (the first is 1), what, and when it arrives."""

    sender: str
    receiver: str
    serial: int
    message: Any
    arrives_at: float


def messages_in_flight(
    in_flight: InFlight, timeline: Timeline[Timer | ScheduledAction], now: float
) -> tuple[MessageInFlight, ...]:
    """List what is due now, channel by channel, then what still takes its time, by arrival. Timers are no messages."""
    due = [(*entry, now) for entry in in_flight]
    late = [(each.channel, each.serial, each.delivery, at) for at, each in timeline if type(each) is Arrival]
    return tuple(
        MessageInFlight(channel.key.sender, channel.to, serial, event.event if type(event) is Directed else event, at)
        for channel, serial, (event, _, _), at in due + late
        if type(event) is not Timer
    )
