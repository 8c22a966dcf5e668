"""What happened, in a few lines: what hands did, what was lost, what state things came to. What one reads first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import define, field, frozen

from mesolite.actors.decisions.contract import CallbackReturned, Exit, Send
from mesolite.actors.decisions.operator import PlaceCall
from mesolite.actors.trace.records import Done, Lost, Record
from mesolite.actors.trace.states import TraceState, states
from mesolite.actors.trace.values import cut, one_line
from mesolite.actors.trace.words import Names, failure_of, say
from mesolite.messages.operator import CallAnswered
from mesolite.messages.tasks import TaskState

UNDOES = frozenset({"restart", "heal", "release", "forget", "mend", "resume", "recover"})
"""Verbs that take a fault back."""

NAMED_AT_MOST = 4
"""So many of those that came to the same state at the same time are named."""

TOGETHER_S = 1.0
"""What happens within so long is one moment, where it is the same; and who is told so soon was told at once."""

_AS_THEY_DO = ("", "ended with 0", TaskState.TASK_FINISHED.name)
"""How work ends by itself, or has not ended: no moment."""

_GOOD_ENDS = (TaskState.TASK_FINISHED, TaskState.TASK_KILLED)


@frozen
class TraceMoment:
    """One thing that happened: when, at which record, of which kind, in which words.

    Kinds: `fault` and `undone` (hands), `verb` (an operator), `lost` (messages), and of states `leads`, `up`,
    `leaving`, `rest` (ended as wished), `away`, `bad`.
    """

    time: float
    index: int
    kind: str
    words: str

    def __str__(self) -> str:
        """Print it as a line: time and words."""
        return f"{self.time:9.3f}  {self.words}"


@define
class _Telling:
    """A moment in the making: several things of which the same can be said."""

    time: float
    index: int
    kind: str
    says: str
    """With a place for whom it is said of, if it is said of somebody."""
    whom: list[str] = field(factory=list)
    why: str = ""
    """What was said of the first of them, if it was said why."""

    def moment(self) -> TraceMoment:
        more = len(self.whom) - NAMED_AT_MOST
        named = ", ".join(self.whom[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
        words = self.says.replace("{}", named, 1)
        return TraceMoment(self.time, self.index, self.kind, f"{words} {self.why}" if self.why else words)


def moments(records: Iterable[Record], names: Names) -> list[TraceMoment]:
    """The moments of a run, in their order. What was before the first that hands or an operator did is left out."""
    kept = list(records)
    told = [*_done(kept, names), *_losses(kept, names), *_changes(states(kept, names), names)]
    told.sort(key=lambda each: each.index)
    first = next((place for place, each in enumerate(told) if each.kind in ("fault", "undone", "verb")), 0)
    return [each.moment() for each in _together(told[first:])]


def _together(told: list[_Telling]) -> list[_Telling]:
    """Put into one what is said of several at about the same time."""
    joined: list[_Telling] = []
    for each in told:
        for earlier in reversed(joined):
            if each.time - earlier.time > TOGETHER_S:
                joined.append(each)
                break
            if each.whom and (earlier.kind, earlier.says) == (each.kind, each.says):
                earlier.whom += [name for name in each.whom if name not in earlier.whom]
                break
        else:
            joined.append(each)
    return joined


def _done(records: list[Record], names: Names) -> Iterator[_Telling]:
    """What hands and operators did, who ended by himself, and what was raised."""
    for record in records:
        match record.event:
            case Done(verb=verb, code=code):
                yield _Telling(record.time, record.index, "undone" if verb in UNDOES else "fault", _said(code))
            case PlaceCall():
                for effect in record.effects:
                    if isinstance(effect, Send):
                        words = say(effect.message, record.actor, names=names)
                        yield _Telling(record.time, record.index, "verb", _said(words))
            case CallAnswered(code=code, refusal=refusal) if code != 200 and record.actor == "operator":
                yield _Telling(record.time, record.index, "bad", _said(f"refused: {one_line(refusal)}"))
            case CallbackReturned(error=str(error)):
                yield _Telling(record.time, record.index, "bad", _said(f"{record.actor} raised {one_line(error)}"))
        if failure := failure_of(record):
            yield _Telling(record.time, record.index, "bad", _said(f"{record.actor} failed: {one_line(failure)}"))
        for effect in record.effects:
            if isinstance(effect, Exit) and "/" not in record.actor:
                kind = "bad" if effect.status else "rest"
                words = f"{record.actor} exits: {one_line(effect.reason)}"
                yield _Telling(record.time, record.index, kind, _said(words))


def _said(words: str) -> str:
    """Words in which nothing is to be filled in."""
    return words.replace("{}", "{ }")


def _losses(records: list[Record], names: Names) -> Iterator[_Telling]:
    """What was lost, equal ones in one line with their number, where the first was lost."""
    groups: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        if type(record.event) is Lost:
            key = (type(record.event.message), record.sender, record.actor, record.event.why, record.event.by)
            groups.setdefault(key, []).append(record)
    for (kind, sender, actor, why, _), lost in groups.items():
        first = lost[0]
        pair = names.put_in(f"{sender} -x {actor}")
        words = cut(say(first.event.message, str(sender), str(actor), names=names))
        if len(lost) > 1:
            words = f"{len(lost)} {getattr(kind, '__name__', kind)}, until {lost[-1].time:.3f}"
        yield _Telling(first.time, first.index, "lost", _said(f"{pair}  {words}  ({one_line(str(why))})"))


# ------------------------------------------------------------------------------------------------------ states


def _changes(found: list[TraceState], names: Names) -> Iterator[_Telling]:
    before: dict[tuple[str, str, str], TraceState] = {}
    for state in found:
        key = (state.kind, state.subject, state.believer)
        change = _CHANGES[state.kind](state, before.get(key), names)
        if change is not None:
            kind, says = change
            yield _Telling(state.from_time, state.from_index, kind, says, [state.subject], state.message)
        before[key] = state
        if state.to_time is not None and state.to_index is not None:
            ending = _ENDINGS.get(state.kind)
            said = ending(state) if ending is not None else None
            if said is not None:
                yield _Telling(state.to_time, state.to_index, said[0], said[1], [state.subject])
    yield from _ends_of_work(found)


def _leader(state: TraceState, before: TraceState | None, names: Names) -> tuple[str, str] | None:
    return "leads", "{} leads"


def _agent(state: TraceState, before: TraceState | None, names: Names) -> tuple[str, str] | None:
    match state.state:
        case "CONNECTED" if before is None:
            return "up", "{} registered"
        case "CONNECTED":
            return "up", f"{{}} back with {state.believer}"
        case "DISCONNECTED":
            return "away", "{} disconnected"
        case "UNREACHABLE" if before is not None:
            return "away", "{} unreachable"
        case "GONE" if before is not None:
            return "rest", "{} gone for good"
    return None  # read from the registry by a new leader


def _offering(state: TraceState, before: TraceState | None, names: Names) -> tuple[str, str] | None:
    return ("leaving", "{} deactivated") if state.state == "DEACTIVATED" else None


def _drain(state: TraceState, before: TraceState | None, names: Names) -> tuple[str, str] | None:
    of = state.words.partition(" ")[0]
    kind = "leaving" if state.state == "DRAINING" else "rest"
    return kind, f"{_said(of)} {state.state} ({{}})"


def _reclaim(state: TraceState, before: TraceState | None, names: Names) -> tuple[str, str] | None:
    kind = "leaving" if state.state in ("ASKED", "REVOKING") else "rest"
    return kind, f"{{}} {state.state}: {_said(state.words)}"


def _task(state: TraceState, before: TraceState | None, names: Names) -> tuple[str, str] | None:
    """Ends, and what is out of reach or back; that one starts is no news."""
    is_now = TaskState[state.state]
    if is_now is TaskState.TASK_FINISHED and not state.words:
        return None  # as tasks do
    words = _said(" ".join(word for word in (state.state, state.words) if word))
    if is_now.is_terminal or not is_now.holds_resources:
        kind = "rest" if is_now in _GOOD_ENDS else "away" if not is_now.is_terminal else "bad"
        return kind, f"{{}}: {words}"
    if before is not None and not TaskState[before.state].holds_resources:
        return "up", f"{{}} back: {words}"
    return None


def _process(state: TraceState, before: TraceState | None, names: Names) -> tuple[str, str] | None:
    return ("bad", "{} gets SIGKILL") if state.words == "SIGKILL" else None


_CHANGES = {
    "leader": _leader,
    "agent": _agent,
    "offering": _offering,
    "drain": _drain,
    "reclaim": _reclaim,
    "task": _task,
    "process": _process,
}


def _leader_ends(state: TraceState) -> tuple[str, str] | None:
    return "bad", "{} leads no more"


def _agent_ends(state: TraceState) -> tuple[str, str] | None:
    return ("rest", "{} removed") if state.ending == "removed" and state.state != "GONE" else None


_ENDINGS = {"leader": _leader_ends, "agent": _agent_ends}


def _ends_of_work(found: list[TraceState]) -> Iterator[_Telling]:
    """Ends of processes of which a scheduler did not hear at once."""
    told: dict[str, list[float]] = {}
    for state in found:
        if state.kind == "task" and not TaskState[state.state].holds_resources:
            told.setdefault(state.subject, []).append(state.from_time)
    for state in found:
        if state.kind != "process" or state.ending in _AS_THEY_DO:
            continue
        if state.to_time is not None and state.to_index is not None:
            heard = [time for time in told.get(state.subject, ()) if time >= state.to_time]
            if heard and heard[0] - state.to_time <= TOGETHER_S:
                continue
            late = f", which is heard {heard[0] - state.to_time:.1f} s later" if heard else ", which is not heard"
            ending = "ended" if state.ending.startswith("TASK_") else state.ending
            yield _Telling(state.to_time, state.to_index, "bad", f"{{}} {ending}{late}", [state.subject])
