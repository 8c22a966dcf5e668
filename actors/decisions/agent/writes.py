"""Nothing is said that is not stored (core.md AG-1, TK-9): what an event wants done waits for what it changes.

    event --> changes --> one write, all or none --> Saved --> what was to be said and done, in order
                 ^            |
                 +-- changes of the events until then: the next write, and what they want done after it

So whenever the agent is killed, its store holds what the agent was after some event, never half of one; and nobody has
heard of anything that the store does not hold. Timers are the agent's own affair: they are set and cancelled at once.
"""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.contract import CancelTimer, Effect, Save, SetTimer


class Writes:
    """At most one write under way, and what waits for it and for the next."""

    def __init__(self) -> None:
        """Start with nothing under way."""
        self.changes: dict[str, Any] = {}
        """What the events since the last write have changed, by key; None deletes. Of two changes the later counts."""
        self._under_way = False
        self._after_this: list[Effect] = []
        self._after_next: list[Effect] = []
        self._count = 0

    @property
    def in_flight(self) -> bool:
        """Whether something is being written, for which what is to be said waits."""
        return self._under_way

    def commit(self, effects: list[Effect]) -> list[Effect]:
        """What of these may be done at once; the rest comes out of `saved`."""
        if not (self.changes or self._under_way):
            return effects
        at_once = [effect for effect in effects if type(effect) in (SetTimer, CancelTimer)]
        waiting = self._after_next if self.changes else self._after_this
        waiting += [effect for effect in effects if type(effect) not in (SetTimer, CancelTimer)]
        return at_once if self._under_way else [*at_once, self._next()]

    def saved(self, tag: str) -> list[Effect]:
        """The write is durable: what waited for it, and the next write if there is one."""
        assert self._under_way, "nothing is being written"
        assert tag == self._tag(), f"{tag} was written, not {self._tag()}"
        done, self._after_this, self._under_way = self._after_this, [], False
        return [*done, self._next()] if self.changes else done

    def refused(self) -> None:
        """The write has failed: what waited for it is never said."""
        self.changes, self._after_this, self._after_next, self._under_way = {}, [], [], False

    def _next(self) -> Save:
        changes, self.changes = self.changes, {}
        self._after_this, self._after_next = self._after_next, []
        self._under_way = True
        self._count += 1
        return Save(tuple(changes.items()), tag=self._tag())

    def _tag(self) -> str:
        return f"write-{self._count}"
