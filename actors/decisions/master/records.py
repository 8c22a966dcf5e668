"""What a leading master remembers of each agent, framework, task and offer. Plain, mutable data; no behaviour."""

from __future__ import annotations

from attrs import define, field

from mesolite.messages.agents import AgentInfo
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, OfferId, ReclaimId, TaskId, UpdateId
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.tasks import Cause, TaskState

TaskKey = tuple[FrameworkId, TaskId]
ExecutorKey = tuple[FrameworkId, ExecutorId]


@define(kw_only=True, eq=False)
class TaskRecord:
    """A task: its newest state, the last update forwarded to its framework (core.md TK-30), and why it ended."""

    task_id: TaskId
    name: str
    framework_id: FrameworkId
    agent_id: AgentId
    executor_id: ExecutorId | None
    resources: Resources
    state: TaskState
    launched_at: float = 0.0
    status_update_state: TaskState | None = None
    status_update_uuid: UpdateId | None = None
    cause: Cause | None = None

    @property
    def key(self) -> TaskKey:
        """What it is found by on its agent."""
        return (self.framework_id, self.task_id)


@define(kw_only=True, eq=False)
class AgentRecord:
    """A registered agent. `connected`: the link is up; `active`: offers may be made (drain.md 0.2.18).

    `kills`: tasks a framework wants ended; `revokes`, `revoked_executors`: those a reclaim wants ended. `drained`: the
    agent has said that nothing of it is alive since it was last told to drain.
    """

    id: AgentId
    info: AgentInfo
    party: str
    connected: bool = True
    active: bool = True
    tasks: dict[TaskKey, TaskRecord] = field(factory=dict)
    executors: dict[ExecutorKey, Resources] = field(factory=dict)
    offers: dict[OfferId, None] = field(factory=dict)
    inverse_offers: dict[OfferId, None] = field(factory=dict)
    kills: dict[TaskKey, None] = field(factory=dict)
    revokes: dict[TaskKey, None] = field(factory=dict)
    revoked_executors: dict[ExecutorKey, None] = field(factory=dict)
    drained: bool = False
    pong_seen: bool = False
    unanswered_pings: int = 0

    def used(self) -> dict[FrameworkId, Resources]:
        """What each framework occupies here, executors included."""
        used: dict[FrameworkId, Resources] = {}
        for task in self.tasks.values():
            if task.state.holds_resources:
                used[task.framework_id] = used.get(task.framework_id, NOTHING) + task.resources
        for (framework_id, _), resources in self.executors.items():
            used[framework_id] = used.get(framework_id, NOTHING) + resources
        return used


@define(kw_only=True, eq=False)
class FrameworkRecord:
    """A framework. `party` None means recovered: known only from agents, its scheduler not heard of yet (EL-44)."""

    id: FrameworkId
    info: FrameworkInfo
    party: str | None
    connected: bool = True
    active: bool = True
    session: int = 0
    tasks: dict[TaskId, TaskRecord] = field(factory=dict)
    unreachable_tasks: dict[TaskId, TaskRecord] = field(factory=dict)
    completed_tasks: dict[TaskId, TaskRecord] = field(factory=dict)
    offers: dict[OfferId, None] = field(factory=dict)
    inverse_offers: dict[OfferId, None] = field(factory=dict)

    @property
    def recovered(self) -> bool:
        """Whether no scheduler has subscribed for it yet."""
        return self.party is None


@define(kw_only=True, eq=False)
class OfferRecord:
    """An outstanding offer."""

    id: OfferId
    framework_id: FrameworkId
    agent_id: AgentId
    resources: Resources


@define(kw_only=True, eq=False)
class InverseOfferRecord:
    """An outstanding inverse offer: of a scheduled agent, or of a reclaim (then `reclaim_id` is set)."""

    id: OfferId
    framework_id: FrameworkId
    agent_id: AgentId | None = None
    reclaim_id: ReclaimId | None = None
