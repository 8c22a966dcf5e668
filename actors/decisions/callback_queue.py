"""User code is called one call at a time, in order: the next begins when the one before has returned.

So whatever a callback brings about (an acknowledgement, an abort) is decided before the next callback begins,
on every runtime and also when one event leads to several callbacks.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from mesolite.actors.decisions.contract import Callback, CallbackReturned, Effect


class CallbackQueue:
    """What is running, and those behind it. Methods that may begin one answer with the effects."""

    def __init__(self) -> None:
        """Start with nothing called."""
        self.running: Callback | None = None
        self._waiting: deque[Callback] = deque()
        self._serial = 0

    def add(self, callback: str, *arguments: Any) -> list[Effect]:
        """Call this when its turn comes: now, if nothing is running."""
        self._serial += 1
        self._waiting.append(Callback(callback, arguments, self._serial))
        return [] if self.running else self.begin_next()

    def returned(self, event: CallbackReturned) -> Callback:
        """What has just returned; nothing is running now."""
        finished = self.running
        assert finished is not None, f"{event} came, but nothing was called"
        assert finished.serial == event.serial, f"{event} came while {finished} is running"
        self.running = None
        return finished

    def begin_next(self) -> list[Effect]:
        """Begin the oldest that waits, if any does."""
        assert self.running is None, f"{self.running} has not returned yet"
        if not self._waiting:
            return []
        self.running = self._waiting.popleft()
        return [self.running]

    def forget(self) -> None:
        """What has not begun never will (core.md FW-42)."""
        self._waiting.clear()
