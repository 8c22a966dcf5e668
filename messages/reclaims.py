"""Nouns about reclaims: resources an operator wants back by a deadline (docs/reclaim.md). Ours, not Mesos's."""

from __future__ import annotations

from attrs import frozen

from mesolite.messages.ids import AgentId, FrameworkId, ReclaimId
from mesolite.messages.resources import Resources


@frozen(kw_only=True)
class Demand:
    """One framework must hold no more than `keep`, of the resources named in the reclaim, by the deadline."""

    framework_id: FrameworkId
    keep: Resources


@frozen(kw_only=True)
class ReclaimInfo:
    """What is wanted back: `resources` of an agent or of a framework, by `deadline` on the cluster's clock.

    Exactly one of `agent_id` and `framework_id` is given. `resources` None means everything.
    """

    id: ReclaimId
    agent_id: AgentId | None = None
    framework_id: FrameworkId | None = None
    resources: Resources | None = None
    demands: tuple[Demand, ...] = ()
    asked_at: float
    deadline: float
    message: str = ""
    initiator: str = ""
