"""Why something happened: the chain of causes of one record, told so that it explains.

     9.000  master-1 => web           StatusUpdate t1 TASK_UNREACHABLE MASTER ...
    because of
     9.000  registrar -> master-1     OperationApplied MarkAgentUnreachable agent-1
     ...
     9.000  master-1                  (timer ping-batch 0), the 6th in a row: 6.0 s passed
                                      meanwhile: sim.partition('agent-1', 'master-1') at 3.000
                                      meanwhile: 5 PingAgent to agent-1 lost (cut)

A timer's cause is what has set it; its reason is what did not come, and that stands beneath it. A timer that sets
itself again and again is one line. What was stored and what only returned is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from attrs import frozen

from mesolite.actors.decisions.contract import CallbackReturned, Saved, TimerFired
from mesolite.actors.trace.records import Disturbed, Done, Lost, Record
from mesolite.actors.trace.values import cut
from mesolite.actors.trace.words import PAIR_WIDTH, TIME_WIDTH, Names, rows, said_of

OLDER = "older than this trace"
INDENT = " " * (TIME_WIDTH + 2 + PAIR_WIDTH + 2)
MEANWHILE_AT_MOST = 6
WORD = re.compile(r"[\w.#-]+")


@frozen
class _Link:
    """One step of a chain: a record, or a timer's row of them, from the moment it was first set."""

    record: Record
    times: int = 1
    set_at: Record | None = None


def why(records: Iterable[Record], index: int, names: Names) -> str:
    """The chain of causes of that record as text, itself first, and the first cause last.

    Raises:
        LookupError: that record is not kept.
    """
    kept = {record.index: record for record in records}
    if index not in kept:
        held = f"{min(kept)} to {max(kept)}" if kept else "none"
        raise LookupError(f"record {index} is not in this trace; it holds {held}")
    chain, older = _chain(kept, index)
    about = _mentioned(chain, names)
    lines: list[str] = []
    for place, link in enumerate(chain):
        lines += _told(link, kept, names, about)
        if place == 0 and len(chain) > 1:
            lines.append("because of")
    return "\n".join([*lines, *([f"{' ' * (TIME_WIDTH + 2)}({OLDER})"] if older else [])])


def _chain(kept: dict[int, Record], index: int) -> tuple[list[_Link], bool]:
    """The links from that record to the first cause; and whether there was an earlier one, which has fallen out."""
    records: list[Record] = []
    while index in kept:
        records.append(kept[index])
        index = kept[index].cause
    firings: dict[object, list[int]] = {}
    for place, record in enumerate(records):
        if type(record.event) is TimerFired:
            firings.setdefault((record.actor, record.event.key), []).append(place)
    chain: list[_Link] = []
    place = 0
    while place < len(records):
        record = records[place]
        link = _Link(record)
        if type(record.event) is TimerFired:
            # What lies between two firings of one timer has only set it again.
            row = [firing for firing in firings[record.actor, record.event.key] if firing >= place]
            place = row[-1]
            link = _Link(record, len(row), records[place + 1] if place + 1 < len(records) else None)
        if not chain or not is_passed_over(record):
            chain.append(link)
        place += 1
    return chain, index >= 0


def is_passed_over(record: Record) -> bool:
    """Whether a chain of causes leaves this out: what was stored, and what only returned."""
    event = record.event
    return type(event) is Saved or (type(event) is CallbackReturned and event.error is None)


def _mentioned(chain: list[_Link], names: Names) -> frozenset[str]:
    """Everybody whom the chain names."""
    words: dict[str, None] = {}
    for link in chain:
        record = link.record
        text = names.put_in(f"{record.sender} {record.actor} {said_of(record.event)}")
        words.update(dict.fromkeys(WORD.findall(text)))
    return frozenset(words)


def _told(link: _Link, kept: dict[int, Record], names: Names, about: frozenset[str]) -> Iterator[str]:
    record = link.record
    who, what = rows(record, names)[0]
    if link.set_at is not None:
        passed = f"{record.time - link.set_at.time:.3g} s passed"
        what = cut(what)
        what += f", the {_nth(link.times)} in a row: {passed}" if link.times > 1 else f": {passed}"
    yield f"{record.time:{TIME_WIDTH}.3f}  {who:<{PAIR_WIDTH}}  {cut(what, 140)}"
    if isinstance(record.event, Lost | Disturbed) and record.event.by in kept:
        by = kept[record.event.by]
        yield f"{INDENT}by: {cut(rows(by, names)[0][1])} at {by.time:.3f}"
    if link.set_at is not None and record.time > link.set_at.time:
        yield from _meanwhile(record, link.set_at, kept, names, about)


def _meanwhile(
    fired: Record, set_at: Record, kept: dict[int, Record], names: Names, about: frozenset[str]
) -> Iterator[str]:
    """What happened between a timer's setting and its firing that bears on whoever set it."""
    lost: dict[str, int] = {}
    done: dict[int, Record] = {}
    for record in kept.values():
        if not set_at.index < record.index < fired.index:
            continue
        if type(record.event) is Done and (not record.event.about or about.intersection(record.event.about)):
            done[record.index] = record
        elif type(record.event) is Lost and fired.actor in (record.sender, record.actor):
            if record.event.by in kept and type(kept[record.event.by].event) is Done:
                done[record.event.by] = kept[record.event.by]
            other = record.actor if fired.actor == record.sender else record.sender
            if names.put_in(other) in about or other in about:
                way = "to" if other == record.actor else "from"
                said = f"{type(record.event.message).__name__} {way} {names.put_in(other)} lost ({record.event.why})"
                lost[said] = lost.get(said, 0) + 1
    told = [f"{rows(each, names)[0][1]} at {each.time:.3f}" for _, each in sorted(done.items())]
    told += [f"{count} {said}" for said, count in lost.items()]
    more = len(told) - MEANWHILE_AT_MOST
    for text in [*told[:MEANWHILE_AT_MOST], *([f"and {more} more"] if more > 0 else [])]:
        yield f"{INDENT}meanwhile: {text}"


def _nth(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
