"""When something that runs at whole intervals is due next: offers (core.md OF-2) and inverse offers (drain.md 5.6.2).

The grid is the previous run plus whole intervals. While nothing is due, nothing has to run.
"""

from __future__ import annotations

import math

from attrs import define

TIME_EPSILON_S = 1e-6
"""What adding and subtracting points of time may be wrong by. Without it, a timer that fires a rounding error early
would find nothing due and be set again for the same instant, for ever.
"""


def earlier(one: float | None, other: float | None) -> float | None:
    """The earlier of two points of time, of which either may never come."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


@define
class IntervalSchedule:
    """When the previous run was, and when the next one is due; None while nothing asks for one."""

    interval_s: float
    due_at: float | None = None
    _last_run: float | None = None

    def ask(self, at: float) -> None:
        """Something wants a run then, or earlier."""
        self.due_at = earlier(self.due_at, at)

    def ran(self, now: float) -> None:
        """Everybody who asked has been served."""
        self.due_at, self._last_run = None, now

    def next_run(self, expiry: float | None) -> float | None:
        """When a run is due, if the next filter expires then; None when there is nothing to wait for."""
        if expiry is None or (self.due_at is not None and self.due_at <= expiry):
            return self.due_at  # what expires waits for the grid
        return earlier(self.due_at, self.on_grid(expiry))

    def on_grid(self, at: float) -> float:
        """The first time not before `at` that is whole intervals after the previous run."""
        if self._last_run is None:
            return at
        intervals = math.ceil((at - self._last_run - TIME_EPSILON_S) / self.interval_s)
        return self._last_run + max(1, intervals) * self.interval_s
