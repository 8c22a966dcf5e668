"""A trace as lines of JSON: what it is of in the first, and then a record each, for programs to read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from mesolite.actors.trace.exports.lines import Told, tell
from mesolite.actors.trace.head import TraceHead
from mesolite.actors.trace.records import Disturbed, Done, Lost, Record
from mesolite.actors.trace.words import Names


def json_lines(records: Iterable[Record], names: Names, head: TraceHead) -> str:
    """The head, then each record: its numbers, who, of which kind, its lines as in `trace.text()`, what lost it.

    What a record says is in its lines alone: commands, environments and `data` are in none, and ids are names.
    """
    lines = [json.dumps({"head": attrs.asdict(head)}, ensure_ascii=False)]
    lines += [json.dumps(_plain(told), ensure_ascii=False) for told in tell(records, names)]
    # A lone surrogate cannot be written into a file.
    return "\n".join(lines).encode("utf-8", "backslashreplace").decode() + "\n"


def _plain(told: Told) -> dict[str, Any]:
    record = told.record
    plain = {
        "index": record.index,
        "time": record.time,
        "actor": record.actor,
        "sender": record.sender,
        "life": record.life,
        "cause": record.cause,
        "sort": told.sort,
        "kind": told.kind,
        "lines": [list(row) for row in (told.head, *told.rest)],
    }
    return plain | dict(_more(record))


def _more(record: Record) -> Iterator[tuple[str, Any]]:
    match record.event:
        case Lost(why=why, by=by):
            yield from (("why", why), ("by", by))
        case Disturbed(how=how, by=by):
            yield from (("how", how), ("by", by))
        case Done(verb=verb, about=about):
            yield from (("verb", verb), ("about", list(about)))
