"""Real time: one thread that fires timers when they are due."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable

from mesolite.actors.runtime.port import Timer


class Clock:
    """Seconds since the cluster began, and its timers; those due at once fire in the order they were set (LP-40)."""

    def __init__(self, fire: Callable[[Timer], None]) -> None:
        """Start the timer thread; `fire` puts a due timer before its party."""
        self._fire = fire
        self._start = time.monotonic()
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="mesolite clock", daemon=True)
        self._thread.start()

    def now(self) -> float:
        """Seconds since the cluster began; never goes back."""
        return time.monotonic() - self._start

    def schedule(self, timer: Timer) -> None:
        """Fire it when it is due, unless it has been cancelled or set again by then."""
        with self._changed:
            self._count += 1
            heapq.heappush(self._timers, (timer.deadline, self._count, timer))
            if self._timers[0][2] is timer:
                self._changed.notify()

    def close(self) -> None:
        """Fire nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                while self._timers and not self._timers[0][2].live:
                    heapq.heappop(self._timers)
                wait = self._timers[0][0] - self.now() if self._timers else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                timer = heapq.heappop(self._timers)[2]
            self._fire(timer)
