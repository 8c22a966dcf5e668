"""The future behind `ref.ask` on every runtime: it waits, or, on virtual time, makes happen what it waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pykka

from mesolite.actors.runtime.timeout import limit


class PortFuture(pykka.ThreadingFuture[Any]):
    """A Pykka future. A virtual runtime sets `pump` when the question reaches an inbox."""

    def __init__(self) -> None:
        """Start without an answer."""
        super().__init__()
        self.is_ready = False
        """Whether `get` would return at once."""
        self.pump: Callable[[PortFuture, float | None], None] | None = None

    def set(self, value: Any | None = None) -> None:
        """Answer it."""
        super().set(value)
        self.is_ready = True

    def set_exception(self, exc_info: Any = None) -> None:
        """Answer it with an error, by default the one that is being handled."""
        super().set_exception(exc_info)
        self.is_ready = True

    def get(self, *, timeout: float | None = None) -> Any:
        """Return the answer; on virtual time `timeout` is virtual too.

        Raises:
            pykka.Timeout: no answer within the time-out.
            WouldBlock: asked inside a handler on virtual time.
        """
        if self.pump is not None and not self.is_ready:
            self.pump(self, limit(timeout))
        return super().get(timeout=limit(timeout))
