"""Nouns about reclaims: resources an operator wants back by a deadline (docs/reclaim.md). Ours, not Mesos's."""

from __future__ import annotations

import enum

from attrs import frozen

from mesolite.messages.drains import Blocker
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, ReclaimId, TaskId
from mesolite.messages.offers import InverseOfferStatus
from mesolite.messages.resources import NOTHING, Resources


class ReclaimState(enum.Enum):
    """Where a reclaim stands (RV-4).

    ASKED --returned before the deadline--> DONE
    ASKED --the deadline--> REVOKING --nothing is missing any more--> DONE
    any --the agent or the framework is gone for good--> LEFT
    any --the operator gives it up--> RELEASED
    """

    ASKED = "ASKED"
    REVOKING = "REVOKING"
    DONE = "DONE"
    LEFT = "LEFT"
    RELEASED = "RELEASED"

    def __str__(self) -> str:
        """Print the bare name."""
        return self.name


@frozen(kw_only=True)
class Demand:
    """One framework is asked for `share` and may `keep` so much, of the resources named in the reclaim (RV-10)."""

    framework_id: FrameworkId
    keep: Resources
    share: Resources = NOTHING


@frozen(kw_only=True)
class ReclaimInfo:
    """What is wanted back: `resources` of an agent or of a framework, by `deadline` on the cluster's clock.

    Exactly one of `agent_id` and `framework_id` is given. `resources` None means everything. `state` is ASKED and
    `ended_at` None in the record of an open reclaim, however far it is.
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
    state: ReclaimState = ReclaimState.ASKED
    ended_at: float | None = None


@frozen(kw_only=True)
class AskedFramework:
    """One framework that was asked: for how much, and what it said; `answer` None: nothing, or to a former master."""

    framework_id: FrameworkId
    framework: str
    share: Resources
    answer: InverseOfferStatus | None = None
    returning: tuple[TaskId, ...] = ()
    reason: str = ""
    answered_at: float | None = None


@frozen(kw_only=True)
class ReclaimView:
    """Everything that is known of a reclaim. Times are seconds on the cluster's clock; `resources` None: everything.

    `missing` of an agent that is away is what was missing when it was last seen.
    """

    id: ReclaimId
    agent_id: AgentId | None
    framework_id: FrameworkId | None
    resources: Resources | None
    state: ReclaimState
    asked_at: float
    deadline: float
    ended_at: float | None
    message: str
    initiator: str
    asked: tuple[AskedFramework, ...]
    missing: Resources
    returned: Resources
    revoked_tasks: tuple[TaskId, ...]
    revoked_executors: tuple[ExecutorId, ...]
    blocked_by: tuple[Blocker, ...]
