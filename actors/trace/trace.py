"""Trace: the rings that records are kept in, and every way to read them."""

from __future__ import annotations

import functools
import hashlib
import itertools
import operator
import pathlib
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from mesolite.actors.trace.head import TraceFailure, TraceHead
from mesolite.actors.trace.moments import TraceMoment, moments
from mesolite.actors.trace.records import HEARTBEATS, Record, Routine
from mesolite.actors.trace.states import TraceState, states
from mesolite.actors.trace.why import why
from mesolite.actors.trace.words import Names, lines, said_of
from mesolite.messages.agent import AgentRegistered
from mesolite.messages.checking import Count, PathText, checked_arguments
from mesolite.messages.errors import Refused
from mesolite.messages.scheduler import FrameworkRegistered

DEFAULT_RECORDS = 20_000
"""How many records a trace keeps unless told otherwise; older ones fall out."""

ROUTINE_SHARE = 4
"""Of heartbeats and timers that repeat themselves a ring keeps one for so many of all other records."""

Keep = Callable[[tuple[Any, ...]], object]

_index_of = operator.itemgetter(0)

_record: Callable[[tuple[Any, ...]], Record] = functools.partial(tuple.__new__, Record)
"""Make a record of what is kept, without a step in between: this is done for every message."""


def _records(kept: list[Any]) -> list[Record]:
    """What rings hold, in order: records where somebody was shown them, plain tuples of their fields elsewhere."""
    # Rings are in order, but for what threads did in the same moment: sorting costs hardly more than merging.
    return [each if type(each) is Record else _record(each) for each in sorted(kept, key=_index_of)]


class _Keepers(dict[type, Keep]):
    """How to keep a record, by the kind of its event; asked for every record, so it answers in one look-up."""

    def __init__(self, usual: Keep, others: Iterable[tuple[type, Keep]] = ()) -> None:
        super().__init__(others)
        self._usual = usual

    def __missing__(self, kind: type) -> Keep:
        self[kind] = self._usual
        return self._usual


class Trace:
    """A bounded ring of records, oldest first: to be gone through, or read as `text`, `story`, `tail` and `hash`.

    What repeats itself and tells nothing, heartbeats that arrive and timers that set themselves again, has a smaller
    ring of its own, so that an hour of silence pushes nothing out; a heartbeat that is lost is news.

    Attributes:
        next_index: for those who write: take the index of the next record.
        keepers: for those who write: by the type of the event, what keeps the fields of a `Record` as a plain tuple.
        names: what the ids of agents and frameworks stand for in texts.
    """

    @checked_arguments
    def __init__(self, records: Count = DEFAULT_RECORDS) -> None:
        """Keep at most so many records, and a quarter as many of what repeats itself; 0 keeps none."""
        self._ring: deque[Any] = deque(maxlen=records)
        self._routine: deque[Any] = deque(maxlen=-(-records // ROUTINE_SHARE))
        self._observers: tuple[Callable[[Record], object], ...] = ()
        self._head = TraceHead()
        self.names = Names()
        # Writing is three calls that cannot be interrupted, as threads share a trace, and that cost next to nothing,
        # as it is done for every message: take an index, look up who keeps it, keep a plain tuple of a Record's fields.
        self.next_index: Callable[[], int] = itertools.count().__next__
        self._quiet = _Keepers(
            self._ring.append,
            [
                *((kind, self._routine.append) for kind in (*HEARTBEATS, Routine)),
                *((kind, self._keep_and_learn) for kind in (AgentRegistered, FrameworkRegistered)),
            ],
        )
        self.keepers = self._quiet

    @checked_arguments
    def subscribe(self, observer: Callable[[Record], object]) -> Callable[[], None]:
        """Show every record that is written from now on to `observer`, before its effects are carried out.

        It runs where the record was written, on threads on any of them, and only looks; what it raises ends its
        subscription and whoever wrote the record. Returns what ends the subscription.
        """
        self._observers = (*self._observers, observer)
        shown = [(kind, self._shown_by(self._quiet[kind])) for kind in self._quiet]
        self.keepers = _Keepers(self._shown_by(self._ring.append), shown)

        return lambda: self._unsubscribe(observer)

    def _unsubscribe(self, observer: Callable[[Record], object]) -> None:
        self._observers = tuple(other for other in self._observers if other is not observer)
        if not self._observers:
            self.keepers = self._quiet

    def _shown_by(self, keep: Keep) -> Keep:
        def keep_and_show(fields: tuple[Any, ...]) -> None:
            record = _record(fields)
            keep(record)
            for observer in self._observers:
                try:
                    observer(record)
                except BaseException:
                    self._unsubscribe(observer)  # or the record of the end that this leads to would be in its way
                    raise

        return keep_and_show

    def _keep_and_learn(self, fields: tuple[Any, ...]) -> None:
        self._ring.append(fields)
        self.names.learn(_record(fields))

    def record(
        self, time: float, actor: str, sender: str, event: object, effects: object, cause: int, life: int = 0
    ) -> int:
        """Write one record; returns its index, to be the cause of what follows."""
        index = self.next_index()
        self.keepers[type(event)]((index, time, actor, sender, event, effects, cause, life))
        return index

    def forget(self) -> None:
        """Let go of all records: for who has run something, has seen what he wanted of it, and goes on."""
        self._ring.clear()
        self._routine.clear()

    # ------------------------------------------------------------------------------------------------------ the run

    @property
    def head(self) -> TraceHead:
        """What is known of the run, and how much of it is kept."""
        kept = self._kept()
        written = kept[-1][0] + 1 if kept else 0
        return attrs.evolve(self._head, first_index=kept[0][0] if kept else 0, fallen=written - len(kept))

    @checked_arguments
    def describe(
        self,
        *,
        version: str | None = None,
        virtual: bool | None = None,
        seed: int | None = None,
        settings: tuple[tuple[str, str], ...] | None = None,
        script: tuple[str, ...] | None = None,
        failure: TraceFailure | None = None,
        repeat: str | None = None,
    ) -> None:
        """Say what is known of the run; what is None stays as it was."""
        said = {
            "version": version,
            "virtual": virtual,
            "seed": seed,
            "settings": settings,
            "script": script,
            "failure": failure,
            "repeat": repeat,
        }
        known: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        self._head = attrs.evolve(self._head, **known)

    # ------------------------------------------------------------------------------------------------------ reading

    def __len__(self) -> int:
        """How many records were ever written, kept or not."""
        return max((ring[-1][0] + 1 for ring in (self._ring, self._routine) if ring), default=0)

    def __iter__(self) -> Iterator[Record]:
        """Go through the records kept, oldest first."""
        return iter(self._kept())

    @checked_arguments
    def newer_than(self, index: int) -> list[Record]:
        """The records kept with a higher index, oldest first; who asks again and again pays for what is new only."""
        newer: list[Any] = []
        for ring in (self._ring, self._routine):
            newer += itertools.takewhile(lambda fields: fields[0] > index, reversed(ring))
        return _records(newer)

    def _kept(self) -> list[Record]:
        return _records([*tuple(self._ring), *tuple(self._routine)])

    @checked_arguments
    def text(self, *, system: bool = False, heartbeats: bool = False) -> str:
        """Return a line per message, and per signal, start or end that came of it, in the words of words.py.

        `system` adds timers, storage, work and callbacks, `heartbeats` the pings that arrived.
        """
        return "\n".join(text for record in self for text in lines(record, self.names, system, heartbeats))

    @checked_arguments
    def last(self, lines: Count) -> list[str]:
        """The last lines of `text()`, without formatting what comes before them."""
        return list(itertools.islice(self._backwards(self._kept(), system=False, heartbeats=False), lines))[::-1]

    def _backwards(self, kept: list[Record], *, system: bool, heartbeats: bool) -> Iterator[str]:
        for record in reversed(kept):
            yield from reversed(lines(record, self.names, system, heartbeats))

    def states(self) -> list[TraceState]:
        """What state agents, tasks, drains, reclaims and leaders were in, and who believed so, from when to when."""
        return states(self, self.names)

    def moments(self) -> list[TraceMoment]:
        """What happened, in a few lines: what hands and operators did, what was lost, what changed its state."""
        return moments(self, self.names)

    @checked_arguments
    def why(self, index: int) -> str:
        """The chain of causes of that record as text, and what bears on it.

        Raises:
            LookupError: that record is not kept.
        """
        return why(self, index, self.names)

    def hash(self) -> str:
        """A digest of every record kept: equal runs have equal hashes, under any PYTHONHASHSEED."""
        digest = hashlib.sha256()
        for record in self._kept():
            digest.update(repr(tuple(record)).encode("utf-8", "backslashreplace"))
        return digest.hexdigest()

    @checked_arguments
    def tail(self, actor: str | None = None, lines: Count = 8) -> str:
        """The last things that actor saw, or anybody, as text, for an error."""
        seen = [record for record in self._kept() if actor in (None, record.actor)][-lines or len(self) :]
        return "\n".join(list(itertools.islice(self._backwards(seen, system=True, heartbeats=True), lines))[::-1])

    @checked_arguments
    def story(self, *ids: str) -> str:
        """Everything that mentions one of these ids or names, and what directly caused it, as text."""
        wanted = (*ids, *self.names.ids_of(*ids))
        mentions = re.compile("|".join(rf"(?<![\w.-]){re.escape(name)}(?![\w-])" for name in wanted))
        records = {record.index: record for record in self}
        chosen: dict[int, None] = {}
        for record in records.values():
            if mentions.search(said_of(record.event)) or record.actor in ids:
                if record.cause in records:
                    chosen[record.cause] = None
                chosen[record.index] = None
        return "\n".join(
            text for index in sorted(chosen) for text in lines(records[index], self.names, system=True, heartbeats=True)
        )

    # ---------------------------------------------------------------------------------------------------- exporting
    # What makes these is loaded here, as few ask for them.

    @checked_arguments
    def html(self, path: PathText | pathlib.Path) -> pathlib.Path:
        """Write the run as one page that opens in any browser, without a network; returns where it is.

        Above is an overview, below it every event with its arrow, beside it what happened or, for the event selected,
        why. Commands, environments and `data` are not in it.

        Raises:
            Refused: nothing can be written there.
        """
        from mesolite.actors.trace.exports.page import page

        return _written(path, page(self, self.names, self.head))

    @checked_arguments
    def json_lines(self, path: PathText | pathlib.Path | None = None) -> str:
        """The run as lines of JSON, its head first and then a record each.

        Written into a file, too, if one is named.
        """
        from mesolite.actors.trace.exports.plain import json_lines

        text = json_lines(self, self.names, self.head)
        if path is not None:
            _written(path, text)
        return text

    @checked_arguments
    def mermaid(self, path: PathText | pathlib.Path | None = None) -> str:
        """A Mermaid sequence diagram of what matters, sixty rows at most; written into a file, too, if there is one."""
        from mesolite.actors.trace.exports.mermaid import mermaid

        text = mermaid(self, self.names)
        if path is not None:
            _written(path, text)
        return text


def _written(path: str | pathlib.Path, text: str) -> pathlib.Path:
    file = pathlib.Path(path)
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as why:
        raise Refused(f"{file} cannot be written: {why}; name a file in a folder that is there") from why
    return file
