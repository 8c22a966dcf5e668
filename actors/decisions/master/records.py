"""What a leading master remembers of each agent, framework, task and offer. Plain, mutable data; no behaviour."""

from __future__ import annotations

from attrs import define, field, frozen

from mesolite.actors.decisions.master.membership.table import Member, MemberState
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, OfferId, ReclaimId, TaskId, UpdateId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.maintenance import Unavailability
from mesolite.messages.offers import InverseOfferStatus
from mesolite.messages.reclaims import ReclaimInfo, ReclaimState
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.tasks import Cause, ExecutorInfo, KillPolicy, Reason, TaskState, TaskStatus

TaskKey = tuple[FrameworkId, TaskId]
ExecutorKey = tuple[FrameworkId, ExecutorId]


@define(kw_only=True, eq=False)
class TaskRecord:
    """A task: its newest state, the last update forwarded to its framework (core.md TK-30), and why it ended.

    `unacknowledged`: the framework has not said yet that it took that update; what happened since waits at the agent.
    `grace_period_s`: how long it wants to be given when it is killed; None: it has no wish, or a former master knew it.
    `kill_cause`: why it was being killed when its agent came back with it, None if it was not.
    `statuses`: what was said of it, the newest of each run of equal states, without data (HT-179, HT-274).
    """

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
    unacknowledged: bool = False
    cause: Cause | None = None
    grace_period_s: float | None = None
    kill_cause: Cause | None = None
    v1_json: str = ""
    statuses: tuple[TaskStatus, ...] = ()

    @property
    def key(self) -> TaskKey:
        """What it is found by on its agent."""
        return (self.framework_id, self.task_id)


@define(kw_only=True, eq=False)
class Answer:
    """What a framework said to an inverse offer, and when; `reason` and `returning` are ours (5.7.1)."""

    status: InverseOfferStatus
    timestamp: float
    reason: str = ""
    returning: tuple[TaskId, ...] = ()


@frozen(kw_only=True)
class TaskEnd:
    """Why the master itself ends tasks, or loses sight of them, and how it says so (drain.md 2.4).

    `state` is for partition-aware frameworks; the others are told LOST, and `reason_if_lost` if there is one.
    """

    state: TaskState
    reason: Reason
    cause: Cause
    message: str
    reason_if_lost: Reason | None = None
    unreachable_time: float | None = None


@define(kw_only=True, eq=False)
class AgentRecord:
    """A registered agent. `member`: where it stands; `active`: offers may be made (drain.md 0.2.18).

    `kills`: tasks a framework wants ended, with the policy it named; `revokes`, `revoked_executors`: those a reclaim
    wants ended. `drained`: the agent has said that nothing of it is alive since it was last told to drain, for this
    drain first at `drain_told_at`.
    `life`: which of its lives was heard last, 0 if that was not said. `executor_infos`: of those in `executors`, as far
    as this master has seen them. `reregistered_at` None: it has not come back to this master.
    `answers`: the newest of each framework to a maintenance inverse offer; they outlive the framework, not the agent
    (5.9.2).
    """

    id: AgentId
    info: AgentInfo
    pid: str
    member: Member
    active: bool = True
    tasks: dict[TaskKey, TaskRecord] = field(factory=dict)
    executors: dict[ExecutorKey, Resources] = field(factory=dict)
    executor_infos: dict[ExecutorKey, ExecutorInfo] = field(factory=dict)
    registered_at: float = 0.0
    reregistered_at: float | None = None
    offers: dict[OfferId, None] = field(factory=dict)
    inverse_offers: dict[OfferId, None] = field(factory=dict)
    kills: dict[TaskKey, KillPolicy | None] = field(factory=dict)
    revokes: dict[TaskKey, None] = field(factory=dict)
    revoked_executors: dict[ExecutorKey, None] = field(factory=dict)
    answers: dict[FrameworkId, Answer] = field(factory=dict)
    life: int = 0
    drained: bool = False
    drain_told_at: float | None = None
    pong_seen: bool = False
    unanswered_pings: int = 0

    @property
    def connected(self) -> bool:
        """Whether the link is up."""
        return self.member.state is MemberState.REGISTERED

    def used(self) -> dict[FrameworkId, Resources]:
        """What each framework occupies here, executors included."""
        used: dict[FrameworkId, Resources] = {}
        for task in self.tasks.values():
            if task.state.holds_resources:
                used[task.framework_id] = used.get(task.framework_id, NOTHING) + task.resources
        for (framework_id, _), resources in self.executors.items():
            used[framework_id] = used.get(framework_id, NOTHING) + resources
        return used


@frozen
class Stray:
    """A task that this master does not have, and its newest state as that agent says: its launch was on its way while
    the agent was given up and came back. Ours: to Mesos it is unknown.
    """

    agent_id: AgentId
    state: TaskState


@define(kw_only=True, eq=False)
class FrameworkRecord:
    """A framework. `pid` None means recovered: known only from agents, its scheduler not heard of yet (EL-44).

    `strays`: tasks that this master does not have, and of which an agent has said that they are alive there.
    `registered_at` and the like: when its scheduler first subscribed with this master, subscribed again, was gone.
    """

    id: FrameworkId
    info: FrameworkInfo
    pid: str | None
    connected: bool = True
    active: bool = True
    tasks: dict[TaskId, TaskRecord] = field(factory=dict)
    unreachable_tasks: dict[TaskId, TaskRecord] = field(factory=dict)
    completed_tasks: dict[TaskId, TaskRecord] = field(factory=dict)
    strays: dict[TaskId, Stray] = field(factory=dict)
    offers: dict[OfferId, None] = field(factory=dict)
    inverse_offers: dict[OfferId, None] = field(factory=dict)
    registered_at: float = 0.0
    reregistered_at: float | None = None
    unregistered_at: float | None = None

    @property
    def recovered(self) -> bool:
        """Whether no scheduler has subscribed for it yet."""
        return self.pid is None


@define(kw_only=True, eq=False)
class OfferRecord:
    """An outstanding offer; `role` is what the resources are allocated to (core.md OF-36)."""

    id: OfferId
    framework_id: FrameworkId
    role: str
    agent_id: AgentId
    resources: Resources


@define(kw_only=True, eq=False)
class InverseOfferRecord:
    """An outstanding inverse offer: of a scheduled agent, or of a reclaim (then `reclaim_id` is set)."""

    id: OfferId
    framework_id: FrameworkId
    unavailability: Unavailability
    resources: Resources = NOTHING
    agent_id: AgentId | None = None
    reclaim_id: ReclaimId | None = None


@define(kw_only=True, eq=False)
class ReclaimRecord:
    """A reclaim, open or past: what the registry says of it, and what this master has seen of it (docs/reclaim.md).

    `missing`: in thousandths, when it was last looked at. `revoked_tasks` with their agents, `revoked_executors` with
    theirs in front.
    """

    info: ReclaimInfo
    state: ReclaimState = ReclaimState.ASKED
    missing: dict[str, int] = field(factory=dict)
    answers: dict[FrameworkId, Answer] = field(factory=dict)
    revoked_tasks: dict[TaskKey, AgentId] = field(factory=dict)
    revoked_executors: dict[tuple[AgentId, FrameworkId, ExecutorId], None] = field(factory=dict)

    @property
    def target(self) -> str:
        """The agent or the framework that is reclaimed."""
        return target_of(self.info)


def target_of(info: ReclaimInfo) -> str:
    """The agent or the framework that is reclaimed, by its id; the two never have one in common."""
    return info.agent_id or info.framework_id or ""
