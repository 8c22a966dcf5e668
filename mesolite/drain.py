"""A drain one can look at: where it stands, what is left, what it waits for (drain.md 4.3 to 4.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mesolite.actors.runtime.port import Runtime


class Drain:
    """One drain, as the leading master knows it."""

    def __init__(self, runtime: Runtime, state: Callable[[], dict[str, Any]], drain_id: str) -> None:
        """Refer to that drain."""
        self._runtime = runtime
        self._state = state
        self.id = drain_id
