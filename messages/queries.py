"""What can be asked of the leading master without changing anything, and the one answer every query gets.

`call_id` is the asker's own number for the query; the answer names it. Names are those of Mesos's v1 operator calls
where it has one (docs/spec/http.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from mesolite.messages.base import Message, Query
from mesolite.messages.drains import Blocker, DrainInfo
from mesolite.messages.ids import AgentId, DrainId, FrameworkId, ReclaimId
from mesolite.messages.reclaims import ReclaimView
from mesolite.messages.snapshot import AgentHoldings, ClusterSnapshot


@frozen(kw_only=True)
class GetState(Query):
    """Operator to master: tell me everything (core.md OP-2). `data` is a `ClusterState`."""

    call_id: int


@frozen(kw_only=True)
class GetSnapshot(Query):
    """A master's HTTP endpoint to it: tell me everything, as nouns (docs/spec/http.md section 9.1). Ours."""

    call_id: int


@frozen(kw_only=True)
class GetHoldings(Query):
    """An agent's HTTP endpoint to it: what do you have (docs/spec/http.md section 10)? Ours."""

    call_id: int


@frozen(kw_only=True)
class GetMaintenanceSchedule(Query):
    """Operator to master: which windows are there (drain.md 5.2.8)? `data` has them under `windows`."""

    call_id: int


@frozen(kw_only=True)
class GetMaintenanceStatus(Query):
    """Operator to master: which machines are DRAINING or DOWN (drain.md 5.9)? `data` is a `MaintenanceStatusEntry`."""

    call_id: int


@frozen(kw_only=True)
class GetFramework(Query):
    """Operator to master: is there a framework of that id? 404 if not. Ours."""

    call_id: int
    framework_id: FrameworkId


@frozen(kw_only=True)
class GetDrains(Query):
    """Operator to master: which drains are there, under way and remembered? Ours."""

    call_id: int


@frozen(kw_only=True)
class GetDrain(Query):
    """Operator to master: where does that drain of that agent stand, and what does it wait for? Ours."""

    call_id: int
    drain_id: DrainId
    agent_id: AgentId


@frozen(kw_only=True)
class GetReclaims(Query):
    """Operator to master: which reclaims are there, remembered and open? Ours."""

    call_id: int


@frozen(kw_only=True)
class GetReclaim(Query):
    """Operator to master: where does that reclaim stand, and what does it wait for? Ours."""

    call_id: int
    reclaim_id: ReclaimId


@frozen(kw_only=True)
class QueryAnswered(Message):
    """Master to operator: this is so, or why there is no telling.

    `code` and `refusal` are as in `CallAnswered`; 503: this master does not lead. Of the others a query fills those
    that it is about: `data` is plain data, as JSON has it; `blocked_by` is about the one drain that was asked for.
    """

    call_id: int
    code: int = 200
    refusal: str = ""
    data: Mapping[str, Any] = field(factory=dict)
    drains: tuple[DrainInfo, ...] = ()
    blocked_by: tuple[Blocker, ...] = ()
    reclaims: tuple[ReclaimView, ...] = ()
    snapshot: ClusterSnapshot | None = None
    holdings: AgentHoldings | None = None


QUERIES = (
    GetState, GetSnapshot, GetHoldings, GetMaintenanceSchedule, GetMaintenanceStatus, GetFramework, GetDrains, GetDrain,
    GetReclaims, GetReclaim,
)  # fmt: skip
"""All that can be asked."""
