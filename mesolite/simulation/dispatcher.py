"""The dispatcher of a simulation: its loop, its clock, and who may drive it.

Rule: one thing happens at a time, the seed says which of those that are due, and time moves only when none is left, to
the next live timer. Nothing is ever run inside the call that moves the clock.
"""

from __future__ import annotations

import contextlib
import math
import random
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import pykka

from mesolite.actors.errors import EndlessLoop, NothingToWaitFor, WouldBlock, WrongThread
from mesolite.actors.role import Failed
from mesolite.actors.runtime.directory import Directory
from mesolite.actors.runtime.future import PortFuture
from mesolite.actors.runtime.port import Delivery, Seat, Timer
from mesolite.actors.runtime.timeline import Timeline
from mesolite.actors.trace import Lost, Trace
from mesolite.actors.user_errors import UserErrors
from mesolite.simulation.inbox import Idle
from mesolite.simulation.network import Network, Parcel, Verdict
from mesolite.simulation.under_way import UnderWay

_new_tuple: Any = tuple.__new__

STEPS_PER_INSTANT = 1_000_000
STEPS_PER_PARTY = 100
"""More events than both without time passing, the latter for each party alive, are taken for an endless loop."""

SAME_INSTANT_S = 1e-9
"""Sums of seconds are not exact: what is due so shortly after the end of an advance is due at its end."""

class Special(NamedTuple):
    """Something under way that is not simply for whoever has the name when it arrives, or not for the network to judge.

    `seat`: an answer or a piece of news for one life of a party; its successor under that name must not get it.
    """

    event: object
    seat: Seat | None = None
    judged: bool = False


class Moment:
    """Something the simulation itself does at a point in time: a delayed parcel arrives, simulated work ends."""

    __slots__ = ("act", "live")

    def __init__(self, act: Callable[[], None]) -> None:
        """Be live until called off."""
        self.act = act
        self.live = True


class Dispatcher(ABC):
    """Lets things happen. What a party is, and what ends with it, its subclass knows."""

    def __init__(self, seed: int, trace: Trace, latency_s: tuple[float, float]) -> None:
        """Start at time 0 with nothing to do. A message takes a random time within `latency_s`."""
        self.trace = trace
        self.network = Network()
        self.directory = Directory()
        self.user_errors = UserErrors(seed)
        self.runnable: deque[Seat] = deque()
        self._random = random.Random(seed)
        self._latency_s = latency_s
        self._now = 0.0
        self._thread = threading.get_ident()
        self._under_way = UnderWay()
        self._find = self.directory.find
        self._timeline: Timeline[Timer | Moment] = Timeline()
        self._arrivals: dict[tuple[str, str], float] = {}
        self._running: Seat | None = None
        self._failure: BaseException | None = None

    @abstractmethod
    def end(self, seat: Seat, status: int, *, silent: bool = False, reason: str = "") -> None:
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
            NothingToWaitFor: there is no time-out, nothing is under way, and no timer is set.
        """
        self._enter()
        until = None if timeout is None else self._now + timeout
        while not self._let_happen(done):
            due = self._timeline.next()
            if until is not None and (due is None or due > until):
                self._now = until
                return False
            if due is None:
                raise NothingToWaitFor(
                    "nothing is under way and no timer is set, so this would wait for ever; give a timeout, or make "
                    "happen what is waited for first"
                )
            self._now = due
        return True

    def bind(self, future: pykka.Future[Any]) -> None:
        """Make a future's `get` drive this simulation."""
        if isinstance(future, PortFuture):
            future.pump = self._answer

    def release(self, parcels: list[Parcel]) -> None:
        """Put held parcels back under way, ahead of what came later, past the rules."""
        for sender, to, event, cause in reversed(parcels):
            self._under_way.put_first(sender, to, Delivery(Special(event, judged=True), sender, cause))

    # ------------------------------------------------------------------------------------------------ inside

    def _let_happen(self, done: Callable[[], bool] | None) -> bool:
        """Let things happen that are due now, one after another, until it is done (True) or none is left (False).

        This loop runs for every message: it keeps what it needs at hand, and calls as little as it can.
        """
        runnable, active, take = self.runnable, self._under_way.active, self._under_way.take
        draw, network, unraised = self._random.random, self.network, self.user_errors.unraised
        steps = 0
        while done is None or not done():
            if runnable:
                self._run(runnable.popleft())
            elif active:
                # The seed picks a channel; within it, order holds.
                to, delivery = take(int(draw() * len(active)))
                if network.plain:
                    self._deliver(to, delivery)
                else:
                    self._judge(to, delivery)
            elif not self._fire():
                return False
            if unraised or self._failure is not None:
                self._raise()
            steps += 1
            if steps > STEPS_PER_INSTANT and steps > STEPS_PER_PARTY * len(self.directory):
                raise EndlessLoop(
                    f"more than {steps - 1} events at {self._now:.3f} s without time passing; the last were:\n"
                    + "\n".join(self.trace.text(system=True).splitlines()[-6:])
                )
        return True

    def _enter(self) -> None:
        self.check_thread()
        if self._running is not None:
            raise WouldBlock(
                f"{self._running.name} tried to wait inside a handler, but only this thread could bring about what it "
                "waits for; return from the handler, and use call_later(delay_s, function) to go on later"
            )
        self.user_errors.raise_first()  # two errors of one event: the second is raised here

    def _raise(self) -> None:
        """Raise what has come up in the event that was just handled in full, so that all goes on if it is caught."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        self.user_errors.raise_first()

    def _answer(self, future: PortFuture, timeout: float | None) -> None:
        if not self.wait(lambda: future.is_ready, timeout):
            raise pykka.Timeout(f"{timeout} virtual seconds")

    def _put(self, sender: str, to: str, event: object, cause: int) -> None:
        delivery = Delivery(event, sender, cause)
        if self._latency_s[1] > 0.0 and sender != to:
            # Nothing overtakes on one channel: arrive no earlier than what was sent before (core.md LP-13).
            arrival = max(self._now + self._random.uniform(*self._latency_s), self._arrivals.get((sender, to), 0.0))
            self._arrivals[sender, to] = arrival
            self.at(arrival, lambda: self._arrive(to, delivery))
        else:
            self._under_way.put(delivery.sender, to, delivery)

    def _arrive(self, to: str, delivery: Delivery) -> None:
        """A message has taken its time. What is behind us holds nobody up, and is forgotten."""
        sender = delivery.sender
        if self._arrivals.get((sender, to), math.inf) <= self._now:
            del self._arrivals[sender, to]
        self._under_way.put(sender, to, delivery)

    def _deliver(self, to: str, delivery: Delivery) -> None:
        event = delivery[0]
        seat = self._find(to)
        # Some things belong to one life, a name to many (core.md LP-11).
        if type(event) is Timer:
            seat = event.seat
        elif type(event) is Special:
            seat, delivery = event.seat or seat, Delivery(event.event, delivery.sender, delivery.cause)
        if seat is None:
            self._lose(to, delivery, "nobody there")
        elif seat.alive:
            seat.ref.tell(delivery)
            self._run(self.runnable.pop())

    def _judge(self, to: str, delivery: Delivery) -> None:
        """Ask the network what becomes of it."""
        event, seat, judged = delivery.event if type(delivery.event) is Special else Special(delivery.event)
        parcel = Parcel(delivery.sender, to, event, delivery.cause)
        verdict, rule = (Verdict.DELIVER, None) if judged else self.network.judge(parcel)
        match verdict:
            case Verdict.DROP:
                self._lose(to, Delivery(event, delivery.sender, delivery.cause), "dropped" if rule else "cut")
            case Verdict.DELAY:
                assert rule is not None
                late = Delivery(Special(event, seat, judged=True), delivery.sender, delivery.cause)
                self.at(self._now + rule.delay_s, lambda: self._under_way.put(late.sender, to, late))
            case Verdict.DELIVER | Verdict.DUPLICATE:
                for _ in range(1 if verdict is Verdict.DELIVER else 2):
                    self.network.observe(parcel)
                    self._deliver(to, delivery)
            case Verdict.HOLD:
                pass  # the rule keeps it until its hold is released

    def _lose(self, to: str, delivery: Delivery, why: str) -> None:
        self.trace.record(self._now, to, delivery.sender, Lost(delivery.event, why), (), delivery.cause)

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
            seat.actor._actor_loop_running()  # noqa: SLF001
            seat.actor._actor_loop_teardown()  # noqa: SLF001
            self.end(seat, 0)
        if not seat.alive:
            self.vacate(seat)

    def vacate(self, seat: Seat) -> None:
        """Let go of an actor that has ended and will not be run any more."""
        seat.inbox.close()
        seat.vacate()

    def at(self, deadline: float, action: Callable[[], None]) -> Moment:
        """Do this at that virtual time, unless the moment is called off; for the simulation itself, not for parties."""
        moment = Moment(action)
        self._timeline.add(deadline, moment)
        return moment

    def call_off(self, moment: Moment) -> None:
        """Let it not come to that; doing so late or twice is harmless."""
        if moment.live:
            moment.live = False
            self._timeline.called_off()

    def _fire(self) -> bool:
        """Put what is due now under way; the seed then chooses among it and everything else."""
        fired = False
        while (entry := self._timeline.take_due(self._now)) is not None:
            fired = True
            if isinstance(entry, Timer):
                name = entry.seat.name
                self._under_way.put(name, name, _new_tuple(Delivery, (entry, name, entry.cause)))
            else:
                entry.live = False
                entry.act()
        return fired
