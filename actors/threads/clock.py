"""Real time: one thread that fires timers when they are due, and looks every now and then whether somebody is stuck."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from mesolite.actors.runtime.port import Timer
from mesolite.actors.runtime.thread import Thread
from mesolite.actors.runtime.timeline import Timeline


class Later(NamedTuple):
    """Something the runtime itself does when it is due; nobody calls it off."""

    deadline: float
    act: Callable[[], None]
    live: bool = True


class Clock:
    """Seconds since the cluster began, and its timers; those due at once fire in the order they were set (LP-40).

    A cluster that goes on where an earlier one ended, on the same store, goes on in its time too: the registry holds
    times, and a deadline is to come when it would have come.
    """

    def __init__(
        self, fire: Callable[[Timer | Later], None], look: Callable[[], None], look_every_s: float, reads_s: float = 0.0
    ) -> None:
        """Start the timer thread with the clock reading this.

        `fire` puts a due timer before its actor; `look` is called every so often, whatever the timers.
        """
        self._fire = fire
        self._look = look
        self._look_every_s = look_every_s
        self._zero = time.monotonic() - reads_s
        self._timeline: Timeline[Timer | Later] = Timeline()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = Thread(self._run, "mesolite clock")
        self._thread.start()

    def now(self) -> float:
        """Seconds since the cluster began, or the first on the same store did; never goes back."""
        return time.monotonic() - self._zero

    def schedule(self, timer: Timer | Later) -> None:
        """Fire it when it is due, unless it has been cancelled or set again by then."""
        with self._changed:
            self._timeline.add(timer.deadline, timer)
            if self._timeline.next() == timer.deadline:
                self._changed.notify()

    def called_off(self, count: int = 1) -> None:
        """Learn that so many timers will never be due. A count lost between threads only delays tidying up."""
        self._timeline.called_off(count)

    def close(self) -> None:
        """Fire nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.wait()

    def _run(self) -> None:
        look_at = self.now() + self._look_every_s
        while True:
            with self._changed:
                if self._closed:
                    return
                due = list(self._timeline.due(self.now()))
                if not due:
                    next_at = self._timeline.next()
                    next_at = look_at if next_at is None else min(next_at, look_at)
                    self._changed.wait(max(0.0, next_at - self.now()))
            for timer in due:
                self._fire(timer)
            if self.now() >= look_at:
                self._look()
                look_at = self.now() + self._look_every_s
