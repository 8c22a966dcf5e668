"""Who stands where: operator, schedulers, masters, their registrar, agents each with its executors, the elector."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen

from mesolite.actors.trace.records import Done, Record
from mesolite.actors.trace.values import one_line
from mesolite.actors.trace.words import Names

REGISTRAR = "registrar"
_NUMBERED = re.compile(r"(master|agent)-(\d+)")
_ORDER = ("operator", "scheduler", "master", "registrar", "agent", "executor", "elector")


@frozen
class Lane:
    """One who says or hears something: by which name, of which kind, and of an executor at which agent."""

    actor: str
    name: str
    kind: str
    at: str = ""


def lane_key(actor: str) -> str:
    """Whose lane an actor has: its own; the registrars of all masters share one."""
    return REGISTRAR if actor.endswith("/registrar") else actor


def lane_keys(record: Record) -> tuple[str, str]:
    """Where a record is drawn: at whom it happened, and who said it; what hands did is said by nobody on a lane."""
    if isinstance(record.event, Done):
        return "", ""
    return lane_key(record.actor), lane_key(record.sender)


def lanes(records: Iterable[Record], names: Names) -> dict[str, Lane]:
    """Everybody who occurs, by `lane_key`, in the order in which they stand."""
    found: dict[str, Lane] = {}
    for record in records:
        for key in lane_keys(record):
            if key and key not in found:
                found[key] = _lane(key, names)
    return dict(sorted(found.items(), key=lambda each: _place(each[1])))


def _lane(actor: str, names: Names) -> Lane:
    name = one_line(names.put_in(actor))
    if actor in ("operator", "elector", REGISTRAR):
        return Lane(actor, name, actor)
    numbered = _NUMBERED.fullmatch(actor)
    if numbered:
        return Lane(actor, name, numbered[1])
    agent, slash, rest = actor.partition("/")
    if slash and _NUMBERED.fullmatch(agent):
        return Lane(actor, one_line(rest.partition("/")[2] or rest), "executor", agent)
    return Lane(actor, name, "scheduler")


def _place(lane: Lane) -> tuple[object, ...]:
    """Executors stand behind their agent; agents in the order of their numbers."""
    machine = lane.at or lane.actor
    numbered = _NUMBERED.fullmatch(machine)
    group = "agent" if lane.at else lane.kind
    return (_ORDER.index(group), int(numbered[2]) if numbered else 0, machine, bool(lane.at))
