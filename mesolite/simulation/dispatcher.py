"""The dispatcher of a simulation: its loop, its clock, and who may drive it.

Rule: one thing happens at a time, the order says which of those that are due (choices.py), and time moves only when
none is left, to the next live timer. Nothing is ever run inside the call that moves the clock.
"""

from __future__ import annotations

import contextlib
import math
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

import pykka

from mesolite.actors.errors import EndlessLoop, NothingToWaitFor, WouldBlock, WrongThread
from mesolite.actors.runtime.directory import Directory
from mesolite.actors.runtime.future import PortFuture
from mesolite.actors.runtime.patience import limit
from mesolite.actors.runtime.port import Delivery, Seat, Timer
from mesolite.actors.runtime.pykka_inside import Failed, run_loop, tear_down
from mesolite.actors.runtime.timeline import Timeline
from mesolite.actors.trace import Disturbed, Lost, Trace
from mesolite.actors.user_errors import UserErrors
from mesolite.simulation import instant
from mesolite.simulation.choices import Order, draw, stream
from mesolite.simulation.in_flight import NOT_BEGUN, Channel, Entry, InFlight, Special
from mesolite.simulation.inbox import Idle
from mesolite.simulation.messages_in_flight import MessageInFlight, messages_in_flight
from mesolite.simulation.moments import Arrival, Moment
from mesolite.simulation.network import Network, Parcel, Verdict
from mesolite.simulation.standstill import Standstill

_new_tuple: Any = tuple.__new__

M = TypeVar("M", bound=Moment)

SAME_INSTANT_S = 1e-9
"""Sums of seconds are not exact: what is due so shortly after the end of an advance is due at its end."""

LONGEST_WAIT_S = 24 * 3600.0
"""A wait without a time-out is given up after so long, a few seconds of real time: it must not hang a test."""


class Dispatcher(ABC):
    """Lets things happen. What a party is, and what ends with it, its subclass knows."""

    def __init__(
        self, seed: int, trace: Trace, latency_s: tuple[float, float], standstill_s: float, order: Order
    ) -> None:
        """Start at time 0 with nothing to do. A message takes a random time within `latency_s`.

        An unbounded wait ends when for `standstill_s`, or longer, only what repeats itself has happened.
        """
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
        self._thread = threading.get_ident()
        self._find = self.directory.find
        self._timeline: Timeline[Timer | Moment] = Timeline()
        self._running: Seat | None = None
        self._failure: BaseException | None = None

    @abstractmethod
    def situation(self) -> str:
        """Say in a few lines who is there, and what they may be waited for with."""

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

    def check_thread(self) -> None:
        """Refuse foreign threads.

        Raises:
            WrongThread: called from another thread than the one that made the simulation.
        """
        if threading.get_ident() != self._thread:
            raise WrongThread(
                "a simulation runs on one thread, and this call came from another; "
                "use driver.call_later(delay_s, function) to do something at a later virtual time"
            )

    check_open = check_thread  # a simulation is never closed

    def settle(self) -> None:
        """Let everything happen that is due now, until nobody has anything to do. No timer of the future fires.

        Raises:
            EndlessLoop: that never comes to an end.
            PartyFailed: a core raised.
            Exception: user code raised it, as itself; so does everything that lets things happen.
            WouldBlock: called inside a handler.
        """
        self._enter()
        self._let_happen(None)

    def advance(self, seconds: float) -> None:
        """Let so much time pass, firing every timer on the way, in order, settling at each instant."""
        self._enter()
        until = self._now + seconds
        self._let_happen(None)
        while (due := self._timeline.next()) is not None and due <= until + SAME_INSTANT_S:
            self._now = due
            self._let_happen(None)
        self._now = max(until, self._now)

    def wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        """Let things happen, and time pass when nothing else can, until it is done; False if the time-out came first.

        Raises:
            NothingToWaitFor: there is no time-out, and nothing is to come but what repeats itself (standstill.py), or
                a day has passed, in which a scheduler declines ten thousand offers.
        """
        self._enter()
        timeout, began = limit(timeout), self._now
        until = math.inf if timeout is None else began + timeout
        while not self._let_happen(done):
            due = self._timeline.next()
            if timeout is None:
                self._refuse_standstill(due, began)
            if due is None or due > until:
                self._now = until
                return False
            self._now = due
            self._standstill.routine = True
        return True

    def messages_in_flight(self) -> tuple[MessageInFlight, ...]:
        """What is in flight, in order of arrival."""
        return messages_in_flight(self.in_flight, self._timeline, self._now)

    def bind(self, future: pykka.Future[Any], asked: str) -> None:
        """Make the `get` of a future, which somebody was asked for, drive this simulation."""
        if isinstance(future, PortFuture):
            future.pump = lambda future, timeout: self._answer(future, asked, timeout)

    # ------------------------------------------------------------------------------------------------ inside

    def _let_happen(self, done: Callable[[], bool] | None) -> bool:
        """Let things happen that are due now, one after another, until it is done (True) or none is left (False).

        This loop runs for every message: it keeps what it needs at hand, and calls as little as it can.
        """
        runnable, take = self.runnable, self.in_flight.take
        network, unraised = self.network, self.user_errors.unraised
        steps, next_look, looks = 0, instant.EVENTS_PER_INSTANT, None
        while done is None or not done():
            if runnable:
                self._run(runnable.popleft())
            elif (entry := take()) is not None:
                if network.plain:
                    self._deliver(entry[0].to, entry[2])
                else:
                    self._judge(entry)
            elif not self._fire():
                return False
            if unraised or self._failure is not None:
                self._raise()
            steps += 1
            if steps >= next_look:
                looks = looks or instant.Instant()  # not before: hardly any instant comes so far
                if looks.never_ends(steps, len(self.directory), len(self.runnable) + len(self.in_flight)):
                    raise EndlessLoop(
                        f"{steps} events at {self._now:.3f} s without time passing, and no end in sight; the last were:"
                        f"\n{self.trace.tail()}"
                    )
                next_look = looks.next_look
        return True

    def _refuse_standstill(self, due: float | None, began: float) -> None:
        """Raise if an unbounded wait can have no end: there is nothing to come, or only what repeats itself."""
        standstill = self._standstill
        if due is None or due == math.inf:
            found = "nothing is under way and no timer is set"
        elif standstill.reached(self._now, self.directory):
            found = (
                "nothing is under way, no simulated work will end, and for "
                f"{standstill.lasted_s:g} s only what repeats itself has happened (pings, heartbeats, retries)"
            )
        elif self._now - began > LONGEST_WAIT_S:
            found = "a day has passed and it is still not so; perhaps a scheduler declines offers again and again"
        else:
            return
        raise NothingToWaitFor(
            f"{found}, so this would wait for ever; give a timeout, or make happen what is waited for first:\n"
            f"{self.situation()}"
        )

    def _enter(self) -> None:
        self.check_thread()
        if self._running is not None:
            raise WouldBlock(
                f"{self._running.name} tried to wait inside a handler, but only this thread could bring about what it "
                "waits for; return from the handler, and use call_later(delay_s, function) to go on later"
            )
        self._standstill.begin()
        self.user_errors.raise_first()  # two errors of one event: the second is raised here

    def _raise(self) -> None:
        """Raise what has come up in the event that was just handled in full, so that all goes on if it is caught."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        self.user_errors.raise_first()

    def _answer(self, future: PortFuture, asked: str, timeout: float | None) -> None:
        if not self.wait(lambda: future.is_ready, timeout):
            raise pykka.Timeout(f"{asked} has not answered within {timeout:g} virtual seconds")

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
                rule.keep(parcel._replace(cause=self._disturbed(parcel, "held", rule.by)))

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
