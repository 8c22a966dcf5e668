"""Who is stuck in user code: a callback that does not return holds up everything else for its scheduler or executor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mesolite.actors.logs import logger

if TYPE_CHECKING:
    from mesolite.actors.runtime.port import ActorContext, UserCall

BLOCKED_S = 10.0
"""A callback that runs longer is named in the log. Twice that, and what it has not acknowledged is said again."""

LOOK_EVERY_S = 2.5
"""A callback is named at most so much later."""


class BlockingWatch:
    """Names each callback that takes too long, once. Looks at what actors note anyway, so callbacks cost nothing."""

    def __init__(self, limit_s: float = BLOCKED_S) -> None:
        """Name callbacks that run longer than this."""
        self._limit_s = limit_s
        self._named: dict[ActorContext, UserCall] = {}

    def look(self, contexts: Iterable[ActorContext], now: float) -> None:
        """Log which of these actors are in a callback that began too long ago and was not named before."""
        stuck: dict[ActorContext, UserCall] = {}
        for context in contexts:
            call = context.user_call
            if call is None or now - call.since <= self._limit_s:
                continue
            stuck[context] = call
            if self._named.get(context) is not call:
                logger.warning(
                    "{}: {} has not returned since {:.3f} s, for {:.1f} s now; until it does, nothing else reaches {}. "
                    "Do what takes long on a thread of your own (docs/write-a-scheduler.md)",
                    *(context.name, call.callback, call.since, now - call.since, context.name),
                )
        self._named = stuck
