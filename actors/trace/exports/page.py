"""One page that opens anywhere: the data of a trace, and the files of page/ put into one.

The data is one table of strings, and columns of integers that unpack in a pass each: what repeats itself is a place in
the table, what grows is a difference. All of it is text that users may have made, so no `<` is written as one.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Iterable
from typing import Any

import attrs

from mesolite.actors.decisions.contract import TimerFired
from mesolite.actors.trace.exports.bars import Bar, BarRow, Mark, bands, bar_rows
from mesolite.actors.trace.exports.lanes import Lane, lane_key, lane_keys, lanes
from mesolite.actors.trace.exports.lines import ALWAYS, Told, tell
from mesolite.actors.trace.exports.mentions import mentions, stories
from mesolite.actors.trace.head import TraceFailure, TraceHead
from mesolite.actors.trace.moments import TraceMoment, moments
from mesolite.actors.trace.records import Disturbed, Done, Lost, Record
from mesolite.actors.trace.states import states
from mesolite.actors.trace.values import one_line
from mesolite.actors.trace.why import is_passed_over
from mesolite.actors.trace.words import Names

SORTS = (
    "message", "tell", "verb", "lost", "disturbed", "fault", "undone", "signal", "work", "exit", "link", "failed",
    "timer", "system",
)  # fmt: skip
SCRIPTS = ("data.js", "time.js", "chain.js", "overview.js", "detail.js", "side.js", "page.js")
STYLES = ("tokens.css", "page.css")
STORIES = ("task", "drain", "reclaim")
"""Of each of these it is told which records are its story, as `trace.story(id)` chooses them."""
PASSED_OVER = 4
"""Beside when a record is shown (lines.py): a chain of causes leaves it out."""
EXITS = 8
"""An actor ends here."""
OLDER = -1
"""Instead of how far back a cause is: it has fallen out of the trace."""


def page(records: Iterable[Record], names: Names, head: TraceHead) -> str:
    """The page of a trace, as HTML."""
    data = json.dumps(page_data(list(records), names, head), ensure_ascii=False, separators=(",", ":"))
    data = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    frame = _file("page.html")
    frame = frame.replace("/*styles*/", "\n".join(map(_file, STYLES)), 1)
    frame = frame.replace("/*scripts*/", "\n".join(map(_file, SCRIPTS)), 1)
    # Data last: nothing in it is taken for a place to fill in.
    return frame.replace("/*data*/", data, 1)


def _file(name: str) -> str:
    return (importlib.resources.files(__package__) / "page" / name).read_text(encoding="utf-8")


def page_data(records: list[Record], names: Names, head: TraceHead) -> dict[str, Any]:
    """Everything the page draws, ready for JSON."""
    places = {record.index: place for place, record in enumerate(records)}
    stand = lanes(records, names)
    found = states(records, names)
    happened = moments(records, names)
    told = list(tell(records, names))
    strings = _Strings()
    return {
        "head": _head(head, told),
        "lanes": [[lane.name, lane.kind, _number(stand, lane.at)] for lane in stand.values()],
        "sorts": SORTS,
        **_columns(told, places, stand, strings),
        "mentions": attrs.asdict(mentions(records, names)),
        "stories": stories(records, [state.subject for state in found if state.kind in STORIES]),
        "states": [_plain(str(state)) for state in found],
        "bands": [[_number(stand, band.lane), band.start, band.end, band.look] for band in bands(found, places)],
        "bars": [_bar_row(row) for row in bar_rows(found, places, names)],
        "moments": [[places[each.index], _micros(each.time), each.kind, each.words] for each in happened],
        "fold": _fold(happened, places),
        "strings": strings.all,
    }


class _Strings:
    """The table of strings: each once; the first is empty."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {"": 0}

    def __call__(self, text: str) -> int:
        return self._places.setdefault(text, len(self._places))

    @property
    def all(self) -> list[str]:
        return [text.encode("utf-8", "backslashreplace").decode() for text in self._places]


def _micros(time: float) -> int:
    """Microseconds, moved by less than one where rounding twice would print another time than texts do."""
    micros, printed = round(time * 1e6), int(f"{time:.3f}".replace(".", ""))
    if (micros + 500) // 1000 > printed:
        return printed * 1000 + 499
    return printed * 1000 - 500 if (micros + 500) // 1000 < printed else micros


def _head(head: TraceHead, told: list[Told]) -> dict[str, Any]:
    failure = head.failure
    if failure is not None:
        title = failure.check
    elif head.virtual is False:
        title = "A run on real time"
    else:
        title = "A run" if head.seed is None else f"A run with seed {head.seed}"
    return {
        "title": _plain(title),
        "version": head.version,
        "seed": head.seed,
        "records": len(told),
        "first": head.first_index,
        "fallen": head.fallen,
        "length": _micros(told[-1].record.time - told[0].record.time) if told else 0,
        "settings": [[_plain(name), _plain(value)] for name, value in head.settings],
        "script": [_plain(line) for line in head.script or ()],
        "repeat": _plain(head.repeat or ""),
        "failure": None if failure is None else _failure(failure, told),
    }


def _failure(failure: TraceFailure, told: list[Told]) -> dict[str, Any]:
    """What failed; and where: at the last record until then that is shown without being asked for."""
    usual = (place for place in range(len(told) - 1, -1, -1) if told[place].record.index <= failure.index)
    return {
        "check": _plain(failure.check),
        "words": _plain(failure.words),
        "time": _micros(failure.time),
        "at": next((place for place in usual if told[place].wanted == ALWAYS or told[place].rest), 0),
    }


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _number(stand: dict[str, Lane], actor: str) -> int:
    """The place of a lane, -1 if there is none."""
    return list(stand).index(actor) if actor in stand else -1


def _fold(happened: list[TraceMoment], places: dict[int, int]) -> int:
    """How many records are setting up: all before what hands or operators did first."""
    first = next((each for each in happened if each.kind in ("fault", "undone", "verb")), None)
    return 0 if first is None else places[first.index]


def _columns(told: list[Told], places: dict[int, int], stand: dict[str, Lane], strings: _Strings) -> dict[str, Any]:
    """A column per question about records, and what only some records have, by their place."""
    number = {key: place for place, key in enumerate(stand)}
    timers: dict[object, int] = {}
    columns: dict[str, list[int]] = {name: [] for name in ("index", "time", "actor", "sender", "kind", "who", "what")}
    columns |= {name: [] for name in ("flags", "sort", "cause", "timer")}
    rest: dict[int, list[int]] = {}
    last_index, last_time = 0, 0
    for place, each in enumerate(told):
        record, time = each.record, _micros(each.record.time)
        flags = each.wanted | (PASSED_OVER if is_passed_over(record) else 0) | (EXITS if each.exits else 0)
        timer = 0
        if type(record.event) is TimerFired:
            timer = timers.setdefault((record.actor, record.event.key), len(timers) + 1)
        row = (
            record.index - last_index,
            time - last_time,
            *(number.get(key, -1) for key in lane_keys(record)),
            strings(each.kind),
            strings(each.head[0]),
            strings(each.head[1]),
            flags,
            SORTS.index(each.sort),
            place - places[record.cause] if record.cause in places else OLDER if record.cause >= 0 else 0,
            timer,
        )
        for column, value in zip(columns.values(), row, strict=True):
            column.append(value)
        last_index, last_time = record.index, time
        if each.rest:
            rest[place] = [strings(text) for line in each.rest for text in line]
    return {
        "columns": columns,
        "rest": rest,
        "by": _by(told, places, strings),
        "about": _about(told, number, strings),
        "badges": {place: each.badges for place, each in enumerate(told) if each.badges},
    }


def _by(told: list[Told], places: dict[int, int], strings: _Strings) -> dict[int, list[int]]:
    """Of what was lost or disturbed: by which record, -1 if none is kept, and why."""
    found = {}
    for place, each in enumerate(told):
        match each.record.event:
            case Lost(why=why, by=by):
                found[place] = [places.get(by, -1), strings(why)]
            case Disturbed(how=how, by=by):
                found[place] = [places.get(by, -1), strings(how)]
    return found


def _about(told: list[Told], number: dict[str, int], strings: _Strings) -> dict[int, list[list[int]]]:
    """Whom hands did something to: their lanes, and their names as a chain of causes may mention them."""
    return {
        place: [
            [number[lane_key(name)] for name in event.about if lane_key(name) in number],
            [strings(name) for name in event.about],
        ]
        for place, each in enumerate(told)
        if isinstance(event := each.record.event, Done)
    }


def _bar_row(row: BarRow) -> dict[str, Any]:
    return {
        "name": _plain(one_line(row.name)),
        "kind": row.kind,
        "bars": [_bar(bar) for bar in row.bars],
        "marks": [_mark(mark) for mark in row.marks],
    }


def _bar(bar: Bar) -> list[Any]:
    return [bar.start, bar.end, bar.look, _plain(one_line(bar.label)), bar.height]


def _mark(mark: Mark) -> list[Any]:
    return [mark.at, mark.shape, mark.look, _plain(one_line(mark.label))]
