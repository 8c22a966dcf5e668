"""Threads of ours that can be waited for, and waited for again after Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Thread(threading.Thread):
    """A daemon thread. Wait for it with `wait`.

    `join` of Python 3.11 takes a thread for ended when the wait for it was interrupted, while it runs on.
    """

    def __init__(self, target: Callable[..., object], name: str, args: tuple[Any, ...] = ()) -> None:
        """Run this under that name, once started."""
        super().__init__(target=target, name=name, args=args, daemon=True)
        self._over = threading.Event()

    def run(self) -> None:
        """Run it, and tell who waits."""
        try:
            super().run()
        finally:
            self._over.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it has ended, at most so long; whether it has. One that was never started has."""
        if self.ident is None:
            return True
        if not self._over.wait(timeout_s):
            return False
        self.join()  # all that is left of it is Python's own
        return True
