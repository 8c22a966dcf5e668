"""The dispatcher of a simulation: its loop, its clock, and who may drive it.

Rule: one thing happens at a time, the order says which of those that are due (choices.py), and time moves only when
none is left, to the next live timer. Nothing is ever run inside the call that moves the clock.
"""

from __future__ import annotations

import math
import threading
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

import pykka

from mesolite.actors.errors import EndlessLoop, NothingToWaitFor, Refused, WouldBlock, WrongThread
from mesolite.actors.runtime.future import PortFuture
from mesolite.actors.runtime.timeout import limit
from mesolite.actors.trace import Trace
from mesolite.simulation import instant
from mesolite.simulation.choices import Order
from mesolite.simulation.deliveries import Deliveries
from mesolite.simulation.scheduled_actions import ScheduledAction

_new_tuple: Any = tuple.__new__

M = TypeVar("M", bound=ScheduledAction)

SAME_INSTANT_S = 1e-9
"""Sums of seconds are not exact: what is due so shortly after the end of an advance is due at its end."""

LONGEST_WAIT_S = 24 * 3600.0
"""A wait without a time-out is given up after so long, a few seconds of real time: it must not hang a test."""


class Dispatcher(Deliveries):
    """Lets things happen. What an actor is, and what ends with it, its subclass knows."""

    def __init__(
        self, seed: int, trace: Trace, latency_s: tuple[float, float], standstill_s: float, order: Order
    ) -> None:
        """Start at time 0 with nothing to do. A message takes a random time within `latency_s`.

        An unbounded wait ends when for `standstill_s`, or longer, only what repeats itself has happened.
        """
        super().__init__(seed, trace, latency_s, standstill_s, order)
        self._thread = threading.get_ident()
        self.looks: list[Callable[[], object]] = []
        """What is called after every event: checks, and what a script wants done then."""
        self.looking = False
        """Whether a check of a test is called now, which must change nothing."""

    @abstractmethod
    def situation(self) -> str:
        """Say in a few lines who is there, and what they may be waited for with."""

    def check_thread(self) -> None:
        """Refuse foreign threads.

        Raises:
            WrongThread: called from another thread than the one that made the simulation.
        """
        if threading.get_ident() != self._thread:
            raise WrongThread(
                "a simulation runs on one thread, and this call came from another; "
                "use driver.call_later(delay, function) to do something at a later virtual time"
            )

    check_open = check_thread  # a simulation is never closed

    def check_may_act(self) -> None:
        """Refuse what changes something while it is only looked at, and foreign threads.

        Raises:
            Refused: called inside of what `sim.always` or the like states.
            WrongThread: called from another thread than the one that made the simulation.
        """
        self.check_thread()
        if self.looking:
            raise Refused(
                "what is stated of a simulation only looks at it, after every event, and can do nothing to it; let "
                "sim.at(time, action) or sim.when(kind).then(action) do that"
            )

    def settle(self) -> None:
        """Let everything happen that is due now, until nobody has anything to do. No timer of the future fires.

        Raises:
            EndlessLoop: that never comes to an end.
            ActorFailed: a core raised.
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

    def bind(self, future: pykka.Future[Any], asked: str) -> None:
        """Make the `get` of a future, which somebody was asked for, drive this simulation."""
        if isinstance(future, PortFuture):
            future.pump = lambda future, timeout: self._answer(future, asked, timeout)

    # ------------------------------------------------------------------------------------------------ inside

    def _let_happen(self, done: Callable[[], bool] | None) -> bool:
        """Let things happen that are due now, one after another, until it is done (True) or none is left (False).

        This loop runs for every message: it keeps what it needs at hand, and calls as little as it can.
        """
        runnable, take, looks = self.runnable, self.in_flight.take, self.looks
        network, unraised = self.network, self.user_errors.unraised
        steps, next_look, watched = 0, instant.EVENTS_PER_INSTANT, None
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
            if looks:
                for look in tuple(looks):
                    look()
            steps += 1
            if steps >= next_look:
                watched = watched or instant.Instant()  # not before: hardly any instant comes so far
                if watched.never_ends(steps, len(self.directory), len(self.runnable) + len(self.in_flight)):
                    raise EndlessLoop(
                        f"{steps} events at {self._now:.3f} s without time passing, and no end in sight; the last were:"
                        f"\n{self.trace.tail()}"
                    )
                next_look = watched.next_look
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
        if self.looking:
            raise WouldBlock("what is stated of a simulation only looks at it: no time can pass while it does")
        if self._running is not None:
            raise WouldBlock(
                f"{self._running.name} tried to wait inside a handler, but only this thread could bring about what it "
                "waits for; return from the handler, and use call_later(delay, function) to go on later"
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
