"""The inbox of an actor on virtual time: what Pykka puts in, the dispatcher takes out, one at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pykka

from mesolite.actors.runtime.port import ActorContext, Delivery
from mesolite.actors.runtime.pykka_inside import Envelope


class Idle(Exception):  # not an error: it leaves Pykka's loop when the inbox is empty
    """The inbox is empty."""


class VirtualInbox:
    """A Pykka inbox that tells the dispatcher when it has something."""

    __slots__ = ("_bind", "_context", "_envelopes", "_runnable", "paused")

    def __init__(
        self, context: ActorContext, runnable: deque[ActorContext], bind: Callable[[pykka.Future[Any], str], None]
    ) -> None:
        """Belong to this context; note it as runnable, and bind futures that wait for its answers to the dispatcher."""
        self._envelopes: list[Envelope[Any]] = []
        self._context = context
        self._runnable = runnable
        self._bind = bind
        self.paused = False
        """Whether nothing is given out."""

    def put(self, envelope: Envelope[Any]) -> None:
        """Take an envelope; its actor becomes runnable."""
        if envelope.reply_to is not None:
            self._bind(envelope.reply_to, self._context.name)
        self._envelopes.append(envelope)
        self._runnable.append(self._context)

    def get(self) -> Envelope[Any]:
        """Give out the oldest envelope.

        Raises:
            Idle: there is none, or its actor is paused.
        """
        if self.paused or not self._envelopes:
            raise Idle
        return self._envelopes.pop(0)

    def take_delivery(self) -> Delivery | None:
        """Give out the oldest envelope's content if it is a plain delivery, so that Pykka's loop need not be run."""
        envelopes = self._envelopes
        if envelopes and not self.paused and type(message := envelopes[0].message) is Delivery:
            del envelopes[0]
            return message
        return None

    def put_first(self, message: object) -> None:
        """Let this be handled next, by Pykka's loop."""
        self._envelopes.insert(0, Envelope(message))

    def close(self) -> None:
        """Let go of the context, whose actor takes nothing any more."""
        del self._context

    def __len__(self) -> int:
        """How many there are."""
        return len(self._envelopes)

    def empty(self) -> bool:
        """Whether there is none."""
        return not self._envelopes
