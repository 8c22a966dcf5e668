"""What a leader answers to who only wants to know: a pure function of what it knows, the query and the time.

Nothing is decided here, nothing changes, and no record is left. Whoever may ask a master anything may ask this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mesolite.actors.decisions.master import snapshot, view
from mesolite.actors.decisions.master.drain import view as drain_view
from mesolite.actors.decisions.master.reclaim import view as reclaim_view
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.base import Query
from mesolite.messages.checking import misfit
from mesolite.messages.queries import (
    GetDrain,
    GetDrains,
    GetFramework,
    GetMaintenanceSchedule,
    GetMaintenanceStatus,
    GetReclaim,
    GetReclaims,
    GetSnapshot,
    GetState,
    QueryAnswered,
)

WRONG, UNKNOWN, NOT_LEADING = 400, 404, 503


def answer(m: MasterState, query: Any, now: float) -> QueryAnswered:
    """What this master has to say to that query now."""
    asked = type(query).__name__
    if why_not := misfit(query):
        number = query.call_id if type(query.call_id) is int else 0
        return QueryAnswered(call_id=number, code=WRONG, refusal=f"{asked} was refused: {why_not}")
    if not m.leading:
        refusal = f"{asked} was put to a master that does not lead; ask the one that does"
        return QueryAnswered(call_id=query.call_id, code=NOT_LEADING, refusal=refusal)
    if type(query) is GetSnapshot:
        return QueryAnswered(call_id=query.call_id, snapshot=snapshot.take(m))
    return _ANSWERS[type(query)](m, query)


def _state(m: MasterState, query: GetState) -> QueryAnswered:
    return QueryAnswered(call_id=query.call_id, data=view.view(m))


def _schedule(m: MasterState, query: GetMaintenanceSchedule) -> QueryAnswered:
    return QueryAnswered(call_id=query.call_id, data={"windows": view.schedule(m)})


def _status(m: MasterState, query: GetMaintenanceStatus) -> QueryAnswered:
    return QueryAnswered(call_id=query.call_id, data=view.maintenance_status(m))


def _framework(m: MasterState, query: GetFramework) -> QueryAnswered:
    if query.framework_id in m.frameworks:
        return QueryAnswered(call_id=query.call_id)
    return _unknown(query, f"there is no framework {query.framework_id!r}; the state lists the frameworks by id")


def _drains(m: MasterState, query: GetDrains) -> QueryAnswered:
    return QueryAnswered(call_id=query.call_id, drains=tuple(drain_view.all_known(m)))


def _drain(m: MasterState, query: GetDrain) -> QueryAnswered:
    info = drain_view.find(m, query.drain_id, query.agent_id)
    if info is None:
        return _unknown(query, f"there is no drain {query.drain_id!r} of agent {query.agent_id!r}, or none any more")
    waits_for = drain_view.blocked_by(m, info) if info.ended_at is None else ()
    return QueryAnswered(call_id=query.call_id, drains=(info,), blocked_by=tuple(waits_for))


def _reclaims(m: MasterState, query: GetReclaims) -> QueryAnswered:
    known = tuple(reclaim_view.view(m, record) for record in reclaim_view.all_known(m))
    return QueryAnswered(call_id=query.call_id, reclaims=known)


def _reclaim(m: MasterState, query: GetReclaim) -> QueryAnswered:
    record = reclaim_view.find(m, query.reclaim_id)
    if record is None:
        return _unknown(query, f"there is no reclaim {query.reclaim_id!r}, or none any more")
    return QueryAnswered(call_id=query.call_id, reclaims=(reclaim_view.view(m, record),))


def _unknown(query: Any, refusal: str) -> QueryAnswered:
    return QueryAnswered(call_id=query.call_id, code=UNKNOWN, refusal=refusal)


_ANSWERS: dict[type[Query], Callable[[MasterState, Any], QueryAnswered]] = {
    GetState: _state,
    GetMaintenanceSchedule: _schedule,
    GetMaintenanceStatus: _status,
    GetFramework: _framework,
    GetDrains: _drains,
    GetDrain: _drain,
    GetReclaims: _reclaims,
    GetReclaim: _reclaim,
}
