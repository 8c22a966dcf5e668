"""A sequence diagram of what matters, for places that draw Mermaid: issues, wikis, notes.

Bounded, as nobody reads a long one: what hands and operators did, what was lost, what changed its state, and what led
to these; as much of all else as there is room for. What is left out is counted where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mesolite.actors.trace.exports.lanes import Lane, lane_key, lane_keys, lanes
from mesolite.actors.trace.exports.lines import ALWAYS, Told, tell
from mesolite.actors.trace.moments import TraceMoment, moments
from mesolite.actors.trace.records import Done, Record
from mesolite.actors.trace.values import cut
from mesolite.actors.trace.words import Names

ROWS_MAX = 60
LINE = 70
SILENCE_S = 1.0

_ARROWS = {"lost": "-x", "tell": "->>", "verb": "->>", "link": "--x", "disturbed": "--)"}
_SPECIAL = re.compile(r"[#;<>{}%\"`\\&]")


def mermaid(records: Iterable[Record], names: Names) -> str:
    """The diagram, as text."""
    kept = list(records)
    told = {each.record.index: each for each in tell(kept, names)}
    happened = moments(kept, names)
    first = next((each.index for each in happened if each.kind in ("fault", "undone", "verb")), 0)
    usual = [each for index, each in told.items() if index >= first and (each.wanted == ALWAYS or each.rest)]
    chosen = usual if len(usual) <= ROWS_MAX else _telling(usual, told, happened)
    stand = lanes(kept, names)
    seen = dict.fromkeys(key for each in chosen for key in lane_keys(each.record) if key in stand)
    order = [key for key in stand if key in seen]
    number = {key: f"p{place}" for place, key in enumerate(order, start=1)}
    lines = ["sequenceDiagram"]
    lines += [f"  participant {number[key]} as {_said(_name(stand[key], stand))}" for key in order]
    lines += _body(chosen, usual, number)
    return "\n".join(lines) + "\n"


def _telling(usual: list[Told], told: dict[int, Told], happened: list[TraceMoment]) -> list[Told]:
    """The moments first, then what led to them, as many as there is room for, in their order."""
    shown = {each.record.index for each in usual}
    wanted: dict[int, None] = dict.fromkeys(each.index for each in happened if each.index in shown)
    for moment in happened:
        index = moment.index
        while index in told:
            if index in shown:
                wanted[index] = None
            index = told[index].record.cause
    return [told[index] for index in sorted(list(wanted)[:ROWS_MAX])]


def _body(chosen: list[Told], usual: list[Told], number: dict[str, str]) -> list[str]:
    lines: list[str] = []
    order = {each.record.index: place for place, each in enumerate(usual)}
    everybody = list(number.values())
    over = ",".join(dict.fromkeys((everybody[0], everybody[-1]))) if everybody else ""
    before: Told | None = None
    for each in chosen:
        left_out = order[each.record.index] - (-1 if before is None else order[before.record.index]) - 1
        passed = 0.0 if before is None else each.record.time - before.record.time
        words = [f"{passed:.3g} s pass"] if passed > SILENCE_S else []
        words += [f"{left_out} more"] if left_out else []
        if words:
            lines.append(f"  Note over {over}: {_said(' and '.join(words))}")
        lines.append(f"  {_line(each, number, over)}")
        before = each
    if chosen and (left_out := len(usual) - 1 - order[chosen[-1].record.index]):
        lines.append(f"  Note over {over}: and {left_out} more")
    return lines


def _line(each: Told, number: dict[str, str], over: str) -> str:
    record = each.record
    words = [each.head[1]] if each.wanted == ALWAYS else []
    words += [" ".join(row if row[0] != each.head[0] else row[1:]) for row in each.rest]
    said = _said(f"{record.time:.3f} {cut(' · '.join(words), LINE)}")
    if isinstance(record.event, Done):
        hit = [number[key] for key in map(lane_key, record.event.about) if key in number]
        return f"Note over {','.join(dict.fromkeys((hit[0], hit[-1]))) if hit else over}: {said}"
    actor, sender = lane_keys(record)
    if sender in number and actor in number and sender != actor:
        return f"{number[sender]}{_ARROWS.get(each.sort, '->>')}{number[actor]}: {said}"
    return f"Note over {number.get(actor, over)}: {said}"


def _name(lane: Lane, stand: dict[str, Lane]) -> str:
    return f"{stand[lane.at].name}/{lane.name}" if lane.at in stand else lane.name


def _said(text: str) -> str:
    """A text that ends no line and is no mark of the diagram: its special characters by number."""
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", text)
