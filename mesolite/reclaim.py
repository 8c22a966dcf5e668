"""A reclaim one can look at: who was asked, what came back, what was revoked (docs/reclaim.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mesolite.actors.runtime.port import Runtime
from mesolite.messages.operator import CallAnswered


class Reclaim:
    """One reclaim, as the leading master knows it."""

    def __init__(
        self,
        runtime: Runtime,
        state: Callable[[], dict[str, Any]],
        call: Callable[[Callable[[int], Any]], CallAnswered],
        reclaim_id: str,
    ) -> None:
        """Refer to that reclaim."""
        self._runtime = runtime
        self._state = state
        self._call = call
        self.id = reclaim_id
