"""Puts what happened in a simulation into lines: who said what to whom, which callbacks that led to, who was signalled.

How a line reads is the product's (actors/trace/words.py). Here they get into an order that does not depend on the seed:
what one actor is told stands in the order in which it was told, and what came of a message below it; otherwise what was
said first stands first. The time stands where it has changed. Elections are left out, and what the verb above said.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator
from typing import Any

from mesolite.actors.decisions.contract import CallbackReturned, PeerExited
from mesolite.actors.trace import Done, Lost, Record
from mesolite.actors.trace.words import PAIR_WIDTH, TIME_WIDTH, rows
from mesolite.messages import Message, PingAgent, PongAgent

WIDTH = 120

HIDDEN_MODULE = "mesolite.messages.election"
HIDDEN = (PingAgent, PongAgent)


class Exchange:
    """Tells what was recorded since it last told something. `shown` and `hidden` are names of kinds of messages."""

    def __init__(self) -> None:
        self.shown: set[str] = set()
        self.hidden: set[str] = set()
        self._next = 0
        self._effects: dict[int, Any] = {}
        self._last_of: dict[str, int] = {}

    def skip(self, trace: Any) -> None:
        """Take note of everything new without telling it."""
        self._news(trace)

    def tell(self, trace: Any) -> list[str]:
        """The lines of everything new, each at most as wide as a page."""
        told, last = [], None
        for record in self._news(trace):
            if type(record.event) is Done or (type(record.event) is Lost and not self._is_shown(record.event.message)):
                continue
            unheard = () if self._is_shown(record.event) else (Message,)
            for who, what in rows(record, trace.names, False, unheard):
                stamp = f"{record.time:{TIME_WIDTH}.3f}" if record.time != last else " " * TIME_WIDTH
                told += wrapped(f"{stamp}  {who:<{PAIR_WIDTH}}  {what}")
                last = record.time
        return told

    def _news(self, trace: Any) -> list[Record]:
        """What is new, in the order in which it is told."""
        news = [record for record in trace if record.index >= self._next]
        for record in news:
            self._next = record.index + 1
            self._effects[record.index] = record.effects
            if not isinstance(record.event, Lost):
                self._last_of[record.actor] = record.index
        return [record for _, batch in itertools.groupby(news, _time) for record in self._in_order(list(batch))]

    def _in_order(self, batch: list[Record]) -> Iterator[Record]:
        """What happened at one instant: at every actor in the order in which it did, else in the order of saying."""
        before: dict[int, set[int]] = {}
        last_of: dict[str, int] = {}
        for record in batch:
            first = {record.cause, last_of.get(record.actor, -1)}
            before[record.index] = first & before.keys()
            last_of[record.actor] = record.index
        waiting = {record.index: record for record in batch}
        while waiting:
            ready = [record for record in waiting.values() if not before[record.index] & waiting.keys()]
            yield waiting.pop(min(ready, key=self._said_at).index)

    def _said_at(self, record: Record) -> tuple[int, int, str]:
        """When it was said: by which record's handling, as which of its effects."""
        cause = record.cause if record.cause >= 0 else record.index
        match record.event:
            case CallbackReturned():
                return -1, 0, ""  # part of the line above
            case PeerExited(name=name):
                return self._last_of.get(name, -1), len(self._effects), record.actor
            case Lost(message=said) | said:
                effects = self._effects.get(cause, ())
                places = [place for place, each in enumerate(effects) if getattr(each, "message", None) is said]
                return cause, places[0] if places else -1, ""

    def _is_shown(self, message: object) -> bool:
        kind = type(message)
        if kind.__name__ in self.hidden:
            return False
        return kind.__name__ in self.shown or not (kind.__module__ == HIDDEN_MODULE or kind in HIDDEN)


def _time(record: Record) -> float:
    return record.time


def wrapped(line: str, indent: int = TIME_WIDTH + 2 + PAIR_WIDTH + 4) -> list[str]:
    """A line, continued so far below itself if it is too wide."""
    if len(line) <= WIDTH:
        return [line.rstrip()]
    return textwrap.wrap(line, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
