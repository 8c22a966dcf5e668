"""How what is in flight is delivered: at once, late, twice, later, or not at all; and how an actor handles it.

A message that arrives is judged by the network (network.py), found its actor, and handled, one at a time.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections import deque
from typing import Any, TypeVar

from mesolite.actors.decisions.contract import LinkBroken
from mesolite.actors.runtime.directory import Directory
from mesolite.actors.runtime.port import Delivery, Seat, Timer
from mesolite.actors.runtime.pykka_inside import Failed, run_loop, tear_down
from mesolite.actors.runtime.timeline import Timeline
from mesolite.actors.trace import RELEASED, Disturbed, Lost, Trace
from mesolite.actors.user_errors import UserErrors
from mesolite.simulation.choices import Order, draw, stream
from mesolite.simulation.in_flight import NOT_BEGUN, Channel, Entry, InFlight, Special
from mesolite.simulation.inbox import Idle
from mesolite.simulation.messages_in_flight import MessageInFlight, messages_in_flight
from mesolite.simulation.moments import Arrival, Moment
from mesolite.simulation.network import Network, Parcel, Verdict
from mesolite.simulation.standstill import Standstill

_new_tuple: Any = tuple.__new__

M = TypeVar("M", bound=Moment)


class Deliveries(ABC):
    """What is to come, and what becomes of it when it has come."""

    def __init__(
        self, seed: int, trace: Trace, latency_s: tuple[float, float], standstill_s: float, order: Order
    ) -> None:
        """Start at time 0 with nothing to come."""
        self._standstill = Standstill(standstill_s)
        self.trace = trace
        self.network = Network()
        self.directory = Directory()
        self.user_errors = UserErrors(seed)
        self.runnable: deque[Seat] = deque()
        self.in_flight = InFlight(order)
        self._seed = seed
        self._put_in_flight = self.in_flight.put
        self._latency_s = latency_s
        self._takes_time = latency_s[1] > 0.0
        self._now = 0.0
        self._find = self.directory.find
        self._timeline: Timeline[Timer | Moment] = Timeline()
        self._running: Seat | None = None
        self._failure: BaseException | None = None

    @abstractmethod
    def end(self, seat: Seat, status: int, *, silent: bool = False, reason: str = "", cause: int = -1) -> None:
        """End a party whose loop has come to its end."""

    def now(self) -> float:
        """Virtual seconds since the start."""
        return self._now

    def post(self, seat: Seat, event: object, sender: str = "", cause: int = -1) -> None:
        """Put a system event before one particular seat; if that life is over, nothing happens."""
        if seat.alive:
            seat.ref.tell(Delivery(event, sender, cause))

    def messages_in_flight(self) -> tuple[MessageInFlight, ...]:
        """What is in flight, in order of arrival."""
        return messages_in_flight(self.in_flight, self._timeline, self._now)

    def release(self, parcels: list[Parcel], by: int = -1) -> None:
        """Put held parcels back in flight, ahead of what came later, past the rules. `by`, here and below: the record
        of whoever does so.
        """
        kept: dict[tuple[str, str], list[Entry]] = {}
        for parcel in parcels:
            sender, to, event, _, entry = parcel
            assert entry is not None, "only what was in flight can be released"
            delivery = Delivery(Special(event, judged=True), sender, self._disturbed(parcel, RELEASED, by))
            kept.setdefault((sender, to), []).append((self._channel(sender, to), entry[1], delivery))
        for entries in kept.values():
            self.in_flight.put_first(entries)

    def heal(self, one: str | None, other: str | None, by: int) -> None:
        """Undo cuts, and let those at both ends learn what a broken connection tells (network.py)."""
        broken: dict[tuple[str, ...], None] = {}
        for way, cut in self.network.heal(one, other).items():
            for parcel, seat in cut.exits:
                self._put(parcel.sender, parcel.to, Special(parcel.event, seat), parcel.cause)
            if cut.matters:
                broken[tuple(sorted(way))] = None
        for first, second in broken:
            self._tell_broken(first, second, by)
            self._tell_broken(second, first, by)

    def lose(self, parcels: list[Parcel], by: int) -> None:
        """Let parcels never arrive."""
        for parcel in parcels:
            self._lose(parcel, "dropped", by)

    def break_link(self, one: str, other: str, *, both_ways: bool, by: int) -> None:
        """Let the connection of two actors break: what is in flight between them is lost, and they hear of it.

        Not `both_ways`: only the first hears of it, as its peer has not noticed yet.
        """
        for sender, to in ((one, other), (other, one)):
            lost = [delivery for _, _, delivery in self.in_flight.clear(self._channel(sender, to))]
            for _, moment in list(self._timeline):
                if type(moment) is Arrival and (moment.channel.key.sender, moment.channel.to) == (sender, to):
                    self.call_off(moment)
                    lost.append(moment.delivery)
            for event, _, cause in lost:
                said = event.event if type(event) is Special else event
                self._lose(Parcel(sender, to, said, cause), "link broken", by)
        self._tell_broken(one, other, by)
        if both_ways:
            self._tell_broken(other, one, by)

    def _tell_broken(self, name: str, peer: str, by: int) -> None:
        """Let one end of a connection learn that it has broken, if both are alive."""
        seat = self._find(name)
        if seat is not None and self._find(peer) is not None:
            self._put(peer, name, Special(LinkBroken(peer), seat), by)

    def pause(self, seat: Seat) -> None:
        """Let an actor handle nothing until it is resumed, as SIGSTOP does: what comes waits, no link breaks."""
        seat.inbox.paused = True

    def resume(self, seat: Seat) -> None:
        """Let a paused actor go on with what has come meanwhile, in order."""
        seat.inbox.paused = False
        self.runnable.extend([seat] * len(seat.inbox))

    # ------------------------------------------------------------------------------------------------ inside

    def _channel(self, sender: str, to: str) -> Channel:
        """The channel from whoever has that name, or had it."""
        seat = self._find(sender)
        if seat is None:
            return self.in_flight.of_nobody(sender, to)
        channel: Channel | None = seat.outgoing.get(to)
        return self.in_flight.open(seat, to) if channel is None else channel

    def _put(self, sender: str, to: str, event: object, cause: int) -> None:
        channel = self._channel(sender, to)
        self._post(channel, Delivery(event, sender, cause))

    def _post(self, channel: Channel, delivery: Delivery) -> None:
        """Put it at the end of its channel, on which it takes its time."""
        channel.sent = serial = channel.sent + 1
        if self._takes_time and delivery.sender != channel.to:
            shortest, longest = self._latency_s
            if channel.begin_latency == NOT_BEGUN:
                channel.begin_latency = stream(self._seed, "latency", *channel.key)
            takes = shortest + (longest - shortest) * draw(channel.begin_latency, serial)
            # Nothing overtakes on one channel: arrive no earlier than what was sent before (core.md LP-13).
            channel.arrives = max(self._now + takes, channel.arrives)
            self.at(channel.arrives, Arrival(channel, serial, delivery), routine=self._standstill.routine)
        else:
            self.in_flight.put(channel, serial, delivery)

    def _deliver(self, to: str, delivery: Delivery) -> None:
        event = delivery[0]
        seat = self._find(to)
        # Some things belong to one life, a name to many (core.md LP-11).
        if type(event) is Timer:
            seat = event.seat
        elif type(event) is Special:
            seat, delivery = event.seat or seat, Delivery(event.event, delivery.sender, delivery.cause)
        if seat is None:
            by = self.directory.ends.get(to, -1)
            self._lose(Parcel(delivery.sender, to, delivery.event, delivery.cause), "nobody there", by)
        elif seat.alive:
            seat.ref.tell(delivery)
            self._run(self.runnable.pop())

    def _judge(self, entry: Entry) -> None:
        """Ask the network what becomes of it."""
        channel, serial, delivery = entry
        event, seat, judged = delivery.event if type(delivery.event) is Special else Special(delivery.event)
        parcel = Parcel(delivery.sender, channel.to, event, delivery.cause, entry)
        verdict, rule = (Verdict.DELIVER, None) if judged else self.network.judge(parcel)
        match verdict:
            case Verdict.DROP:
                by = self.network.swallow(parcel, seat) if rule is None else rule.by
                self._lose(parcel, "dropped" if rule else "cut", by)
            case Verdict.DELAY:
                assert rule is not None
                cause = self._disturbed(parcel, f"delayed by {rule.delay_s:g} s", rule.by)
                late = Delivery(Special(event, seat, judged=True), delivery.sender, cause)
                arrival = Arrival(self._channel(delivery.sender, channel.to), serial, late)
                self.at(self._now + rule.delay_s, arrival, routine=self._standstill.routine)
            case Verdict.DELIVER:
                self.network.observe(parcel)
                self._deliver(channel.to, delivery)
            case Verdict.DUPLICATE:
                assert rule is not None
                twice = delivery._replace(cause=self._disturbed(parcel, "duplicated", rule.by))
                for _ in range(2):
                    self.network.observe(parcel)
                    self._deliver(channel.to, twice)
            case Verdict.HOLD:
                assert rule is not None
                rule.matched[-1] = parcel._replace(cause=self._disturbed(parcel, "held", rule.by))

    def _lose(self, parcel: Parcel, why: str, by: int) -> None:
        self.trace.record(self._now, parcel.to, parcel.sender, Lost(parcel.event, why, by), (), parcel.cause)

    def _disturbed(self, parcel: Parcel, how: str, by: int) -> int:
        """Record what a fault did to it; of that record comes its delivery."""
        event = Disturbed(parcel.event, how, by)
        return self.trace.record(self._now, parcel.to, parcel.sender, event, (), parcel.cause)

    def _run(self, seat: Seat) -> None:
        """Let an actor handle the oldest envelope of its inbox.

        A plain delivery is handled as Pykka's loop would, without entering it; all else, and every failure, is left to
        that loop. This halves the cost of Pykka per message.
        """
        inbox = seat.inbox
        self._running = seat
        delivery = inbox.take_delivery() if seat.alive else None  # what it had not got to dies with it
        try:
            if delivery is not None:
                seat.handle(*delivery)
        except Exception as error:  # noqa: BLE001  # Pykka's failure path takes it from here
            inbox.put_first(Failed(error))
            delivery = None
        except BaseException as interruption:  # noqa: BLE001  # Ctrl-C is for whoever drives us, not for Pykka
            self._failure = interruption
        if delivery is None or not seat.alive:
            self._run_loop(seat)
        self._running = None

    def _run_loop(self, seat: Seat) -> None:
        """Run Pykka's own loop, until the inbox is empty or the actor was stopped, by us or through its ref."""
        if seat.vacant:
            return  # it had several envelopes when it ended, and all were refused at the first
        with contextlib.suppress(Idle):
            run_loop(seat.actor)
            tear_down(seat.actor)
            self.end(seat, 0)
        if not seat.alive:
            self.vacate(seat)

    def vacate(self, seat: Seat) -> None:
        """Let go of an actor that has ended and will not be run any more."""
        seat.inbox.close()
        seat.vacate()

    def at(self, deadline: float, moment: M, *, routine: bool = False) -> M:
        """Let this happen at that virtual time, unless it is called off; for the simulation itself, not for actors."""
        moment.routine = routine
        self._timeline.add(deadline, moment)
        if not routine:
            self._standstill.to_come.add(moment)
        return moment

    def call_off(self, moment: Moment) -> None:
        """Let it not come to that; doing so late or twice is harmless."""
        if moment.live:
            moment.live = False
            self._standstill.to_come.discard(moment)
            self._timeline.called_off()

    def _fire(self) -> bool:
        """Put what is due now in flight; the order then says which of all that goes first."""
        fired, standstill, in_flight = False, self._standstill, self.in_flight
        while (entry := self._timeline.take_due(self._now)) is not None:
            fired = True
            if type(entry) is Timer:
                seat = entry.seat
                if not entry.period_s:
                    standstill.routine = False
                    standstill.to_come.discard(entry)
                channel = seat.outgoing.get(seat.name) or in_flight.open(seat, seat.name)
                channel.sent = serial = channel.sent + 1
                in_flight.put(channel, serial, _new_tuple(Delivery, (entry, seat.name, entry.cause)))
            elif isinstance(entry, Moment):
                entry.live = False
                if not entry.routine:
                    standstill.routine = False
                    standstill.to_come.discard(entry)
                entry.occur(self)
        return fired
