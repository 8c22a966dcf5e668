"""States as bars: a row each for leader, drains, agents and tasks, belief above truth; and the bands on the lanes.

Places are records by their place in the trace, not their index; an end of None is the end of the trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import Factory, define, frozen

from mesolite.actors.trace.exports.lanes import lane_key
from mesolite.actors.trace.states import TraceState
from mesolite.actors.trace.words import Names
from mesolite.messages.tasks import TaskState

FULL, BELIEF, TRUTH = 0, 1, 2
"""How high a bar is: all of its row, its upper part, its lower part."""

DRAINS_APART = 3
"""So many drains and reclaims have a row each; more share one."""

_AGENT_LOOKS = {"CONNECTED": "up", "RECOVERED": "faint", "DISCONNECTED": "away", "UNREACHABLE": "away", "GONE": "rest"}
_ENDED_WELL = (TaskState.TASK_FINISHED, TaskState.TASK_KILLED)


@frozen
class Bar:
    """One state, drawn: from which record to which, how it looks, what stands on it."""

    start: int
    end: int | None
    look: str
    label: str = ""
    height: int = FULL


@frozen
class Mark:
    """Something at one record: a dot with the end that a scheduler was told, a square where a process ended."""

    at: int
    shape: str
    look: str
    label: str = ""


@define
class BarRow:
    """One row of the overview: whose, of which kind, and what is drawn in it."""

    name: str
    kind: str
    bars: list[Bar] = Factory(list)
    marks: list[Mark] = Factory(list)


@frozen
class Band:
    """A bar on a lane of the detail."""

    lane: str
    start: int
    end: int | None
    look: str


Places = Mapping[int, int]


def bands(found: Iterable[TraceState], places: Places) -> list[Band]:
    """What leader, agents and executors are, on their lanes."""
    made = []
    for state in found:
        look = {"leader": "tell", "agent": _agent_look(state), "offering": _offering_look(state)}.get(state.kind, "")
        if state.kind == "process":
            look = "leaving" if state.state == "SIGNALLED" else "up"
        if look:
            lane = state.believer if state.kind == "process" else state.subject
            made.append(Band(lane_key(lane), _start(state, places), _end(state, places), look))
    return made


def bar_rows(found: list[TraceState], places: Places, names: Names) -> list[BarRow]:
    """The rows of the overview, from the leader down."""
    agents = _agents(found, places)
    tasks = _tasks(found, places, names)
    rows = [_leader(found, places), *_undertakings(found, places)]
    for name in sorted(agents, key=_natural):
        rows.append(agents[name])
        rows += [row for agent, row in tasks if agent == name]
    rows += [row for agent, row in tasks if agent not in agents]
    return [row for row in rows if row.bars or row.marks]


def _start(state: TraceState, places: Places) -> int:
    return places.get(state.from_index, 0)


def _end(state: TraceState, places: Places) -> int | None:
    return None if state.to_index is None else places.get(state.to_index)


def _natural(name: str) -> tuple[str, int]:
    stem, _, number = name.rpartition("-")
    return (stem, int(number)) if number.isdecimal() else (name, 0)


def _agent_look(state: TraceState) -> str:
    return _AGENT_LOOKS.get(state.state, "faint")


def _offering_look(state: TraceState) -> str:
    return {"DRAINING": "leaving", "DRAINED": "rest"}.get(state.state, "held")


def _leader(found: list[TraceState], places: Places) -> BarRow:
    """Who leads, and where nobody does."""
    row = BarRow("leader", "leader")
    led_until: int | None = None
    for number, state in enumerate(each for each in found if each.kind == "leader"):
        start, end = _start(state, places), _end(state, places)
        if number and led_until is not None and led_until < start:
            row.bars.append(Bar(led_until, start, "nobody", "nobody leads"))
        row.bars.append(Bar(start, end, "tell", state.subject))
        led_until = end if not number or led_until is None or end is None else max(end, led_until)
    if led_until is not None:
        row.bars.append(Bar(led_until, None, "nobody", "nobody leads"))
    return row


def _undertakings(found: list[TraceState], places: Places) -> list[BarRow]:
    """Drains and reclaims: while they last, and how they end."""
    rows: dict[str, BarRow] = {}
    for state in found:
        if state.kind not in ("drain", "reclaim"):
            continue
        row = rows.setdefault(state.subject, BarRow(state.subject, state.kind))
        start = _start(state, places)
        if state.state in ("DRAINING", "ASKED", "REVOKING"):
            label = state.words if state.kind == "drain" else f"{state.state.lower()} {state.words}"
            look = "leaving" if state.state != "ASKED" else "asked"
            row.bars.append(Bar(start, _end(state, places), look, label))
        else:
            row.marks.append(Mark(start, "dot", "rest", state.state))
    if len(rows) <= DRAINS_APART:
        return list(rows.values())
    kinds = " and ".join(f"{kind}s" for kind in ("drain", "reclaim") if any(row.kind == kind for row in rows.values()))
    bars = [Bar(bar.start, bar.end, bar.look) for row in rows.values() for bar in row.bars]
    return [BarRow(f"{kinds} ({len(rows)})", "drain", bars)]


def _agents(found: list[TraceState], places: Places) -> dict[str, BarRow]:
    """What leaders have of agents; what keeps one from being used is drawn above that it is up, away above both."""
    rows: dict[str, BarRow] = {}
    for layer in ("agent", "offering", "away"):
        for state in found:
            away = state.kind == "agent" and _agent_look(state) == "away"
            if ("away" if away else state.kind) != layer:
                continue
            row = rows.setdefault(state.subject, BarRow(state.subject, "agent"))
            look = _offering_look(state) if state.kind == "offering" else _agent_look(state)
            label = "" if look in ("up", "faint") else state.state.lower()
            row.bars.append(Bar(_start(state, places), _end(state, places), look, label))
    return rows


# -------------------------------------------------------------------------------------------------------------- tasks


def _tasks(found: list[TraceState], places: Places, names: Names) -> list[tuple[str, BarRow]]:
    """Each task at the agent where it runs: what its scheduler was told, and below it the process."""
    rows: dict[tuple[str, str, str], BarRow] = {}
    home: dict[tuple[str, str], str] = {}
    ended: dict[tuple[str, str], int] = {}
    truth: list[tuple[tuple[str, str], TraceState]] = []
    for state in found:
        if state.kind == "process":
            agent, _, rest = state.believer.partition("/")
            key = (state.subject, names.of(rest.partition("/")[0]))
            row = rows.setdefault((*key, agent), BarRow(state.subject, "task"))
            home.setdefault(key, agent)
            truth.append((key, state))
            _draw_truth(row, state, places)
            if (end := _end(state, places)) is not None and agent == home[key]:
                ended[key] = end
            else:
                ended.pop(key, None)
    for state in found:
        if state.kind == "task":
            key = (state.subject, names.of(state.believer))
            if key not in home:  # it was started for a scheduler of another name, of the same framework
                key = next((other for other in home if other[0] == state.subject), key)
            row = rows.setdefault((*key, home.get(key, "")), BarRow(state.subject, "task"))
            _draw_belief(row, state, places, ended.get(key))
    return [(key[2], row) for key, row in rows.items()]


def _draw_truth(row: BarRow, state: TraceState, places: Places) -> None:
    start, end = _start(state, places), _end(state, places)
    row.bars.append(Bar(start, end, "leaving" if state.state == "SIGNALLED" else "up", "", TRUTH))
    if state.state == "SIGNALLED":
        row.marks.append(Mark(start, "badge", "bad" if state.words == "SIGKILL" else "leaving", state.words[3:]))
    if end is not None and state.ending:
        row.marks.append(Mark(end, "square", "ink", state.ending))


def _draw_belief(row: BarRow, state: TraceState, places: Places, ended: int | None) -> None:
    """What a scheduler was told: as long as it takes its task for running after that has ended, hollow."""
    is_now = TaskState[state.state]
    start, end = _start(state, places), _end(state, places)
    said = state.state.removeprefix("TASK_")
    if not is_now.holds_resources and (is_now.is_terminal or is_now is TaskState.TASK_LOST):
        cause = "" if is_now is TaskState.TASK_FINISHED else state.words.partition(" ")[0]
        look = "rest" if is_now in _ENDED_WELL else "bad"
        row.marks.append(Mark(start, "dot" if look == "rest" else "cross", look, f"{said} {cause}".strip()))
        return
    if not is_now.holds_resources:
        row.bars.append(Bar(start, end, "away", said, BELIEF))
        return
    look = "leaving" if is_now is TaskState.TASK_KILLING else "up"
    if ended is not None and (end is None or start <= ended < end):
        if start < ended:
            row.bars.append(Bar(start, ended, look, "", BELIEF))
        row.bars.append(Bar(ended, end, "untold", "ended, not told", BELIEF))
        return
    row.bars.append(Bar(start, end, look, "", BELIEF))
