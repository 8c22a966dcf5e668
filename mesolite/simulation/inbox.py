"""The inbox of an actor on virtual time: what Pykka puts in, the dispatcher takes out, one at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pykka

from mesolite.actors.runtime.port import ActorContext
from mesolite.actors.runtime.pykka_inside import Envelope


class Idle(Exception):  # not an error: it leaves Pykka's loop when the inbox is empty
    """The inbox is empty."""


class VirtualInbox:
    """A Pykka inbox that tells the dispatcher when it has something, and gives out one envelope a turn."""

    __slots__ = ("_bind", "_context", "_given", "_runnable", "paused", "turns", "waiting")

    def __init__(
        self, context: ActorContext, runnable: deque[ActorContext], bind: Callable[[pykka.Future[Any], str], None]
    ) -> None:
        """Belong to this context; note it as runnable, and bind futures that wait for its answers to the dispatcher."""
        # A list, the smallest there is, as hardly anything is ever in here; what was given out leaves it in one go.
        self.waiting: list[Envelope[Any]] = []
        """What was put in and not all given out yet."""
        self._given = 0
        self._context = context
        self._runnable = runnable
        self._bind = bind
        self.paused = False
        """Whether nothing is given out."""
        self.turns = 0
        """How many may be given out now."""

    def put(self, envelope: Envelope[Any]) -> None:
        """Take an envelope; its actor becomes runnable."""
        if envelope.reply_to is not None:
            self._bind(envelope.reply_to, self._context.name)
        self.waiting.append(envelope)
        self._runnable.append(self._context)

    def get(self) -> Envelope[Any]:
        """Give out the oldest envelope.

        Raises:
            Idle: there is none, the turn is over, or its actor is paused.
        """
        if self.paused or self.turns == 0 or not self.waiting:
            raise Idle
        self.turns -= 1
        envelope = self.waiting[self._given]
        self._given += 1
        if self._given == len(self.waiting):
            self.waiting.clear()
            self._given = 0
        return envelope

    def put_first(self, message: object) -> None:
        """Let this be given out next."""
        self.waiting.insert(self._given, Envelope(message))

    def close(self) -> None:
        """Let go of the context, whose actor takes nothing any more."""
        del self._context

    def __len__(self) -> int:
        """How many there are."""
        return len(self.waiting) - self._given

    def empty(self) -> bool:
        """Whether there is none."""
        return not self.waiting
