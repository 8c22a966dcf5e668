"""Everything a leading master knows at one moment, as nouns: what `GetSnapshot` is answered with (core.md OP-1).
And everything an agent knows, with which that answers `GetHoldings`.

`GetState` says it in plain words for people; this is for the HTTP interface, which says it in Mesos's (http.md sections
9.1 and 11). Times are seconds on the cluster's clock; None: it has not happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from mesolite.messages.drains import DrainConfig, DrainInfo
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import ActorName, AgentId, ExecutorId, FrameworkId, TaskId, UpdateId
from mesolite.messages.infos import AgentInfo, MasterInfo
from mesolite.messages.maintenance import MachineId, Window
from mesolite.messages.offers import InverseOffer, Offer
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import ExecutorInfo, TaskInfo, TaskState, TaskStatus


@frozen(kw_only=True)
class TaskSnapshot:
    """A task (HT-273). `executor_id` None: a command task. `statuses`: the newest of each run of equal states (HT-274).

    `v1_json`: that of its `TaskInfo`.
    """

    task_id: TaskId
    name: str
    framework_id: FrameworkId
    agent_id: AgentId
    executor_id: ExecutorId | None
    state: TaskState
    resources: Resources
    statuses: tuple[TaskStatus, ...] = ()
    status_update_state: TaskState | None = None
    status_update_uuid: UpdateId | None = None
    v1_json: str = ""


@frozen(kw_only=True)
class ExecutorSnapshot:
    """A custom executor on an agent, as far as this master has seen it (HT-262)."""

    agent_id: AgentId
    framework_id: FrameworkId
    info: ExecutorInfo


@frozen(kw_only=True)
class AgentSnapshot:
    """A registered agent (HT-260); `used` is what each framework's tasks and executors hold.

    `drain` None: it is not being drained. `info` has its id.
    """

    info: AgentInfo
    name: ActorName
    connected: bool
    active: bool
    deactivated: bool
    registered_at: float
    reregistered_at: float | None = None
    used: tuple[tuple[FrameworkId, Resources], ...] = ()
    offered: tuple[tuple[FrameworkId, Resources], ...] = ()
    drain: DrainInfo | None = None


@frozen(kw_only=True)
class FrameworkSnapshot:
    """A framework and its tasks (HT-261, HT-263). `info` has its id; live `tasks` include ended ones whose end is not
    acknowledged yet.
    """

    info: FrameworkInfo
    connected: bool
    active: bool
    recovered: bool
    registered_at: float
    reregistered_at: float | None = None
    unregistered_at: float | None = None
    tasks: tuple[TaskSnapshot, ...] = ()
    unreachable_tasks: tuple[TaskSnapshot, ...] = ()
    completed_tasks: tuple[TaskSnapshot, ...] = ()
    offers: tuple[Offer, ...] = ()
    inverse_offers: tuple[InverseOffer, ...] = ()


@frozen(kw_only=True)
class ClusterSnapshot:
    """All of it. `recovered_agents` are in the registry, and not back yet; `unreachable_agents` say since when."""

    master: MasterInfo
    started_at: float
    elected_at: float
    agents: tuple[AgentSnapshot, ...] = ()
    recovered_agents: tuple[AgentInfo, ...] = ()
    unreachable_agents: tuple[tuple[AgentId, float], ...] = ()
    frameworks: tuple[FrameworkSnapshot, ...] = ()
    completed_frameworks: tuple[FrameworkSnapshot, ...] = ()
    executors: tuple[ExecutorSnapshot, ...] = ()
    windows: tuple[Window, ...] = ()
    down_machines: tuple[MachineId, ...] = ()
    maintenance: Mapping[str, Any] | None = None
    counters: Mapping[str, int] = field(factory=dict)


@frozen(kw_only=True)
class HeldTask:
    """A task on its agent. `delivered`: its executor was given it; before that it is queued (HT-309).

    `statuses`: as in a `TaskSnapshot`.
    """

    info: TaskInfo
    state: TaskState
    delivered: bool
    statuses: tuple[TaskStatus, ...] = ()


@frozen(kw_only=True)
class HeldExecutor:
    """An executor on its agent. `info` None: the command executor of the one task with the same id.

    `actor` runs it; `running`: it has registered and is not on its way out. `container_id` names this run of it.
    `completed_tasks`: those of which the end is acknowledged.
    """

    executor_id: ExecutorId
    info: ExecutorInfo | None
    actor: ActorName
    container_id: str
    sandbox: str
    running: bool
    tasks: tuple[HeldTask, ...] = ()
    completed_tasks: tuple[HeldTask, ...] = ()


@frozen(kw_only=True)
class HeldFramework:
    """A framework with something on that agent, or that had."""

    info: FrameworkInfo
    executors: tuple[HeldExecutor, ...] = ()


@frozen(kw_only=True)
class AgentHoldings:
    """Everything an agent knows at one moment: what its own HTTP endpoint is told (HT-306, HT-352).

    `recovering`: it has not yet read what it had stored. `leader`: the master it follows, '' for none. `completed`: the
    executors that have ended, as far as they are remembered, the oldest first; each with its framework.
    """

    info: AgentInfo
    recovering: bool
    registered: bool
    leader: str
    drain: DrainConfig | None = None
    frameworks: tuple[HeldFramework, ...] = ()
    completed: tuple[HeldFramework, ...] = ()
