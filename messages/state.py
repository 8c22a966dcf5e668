"""What `GetState` is answered with: everything a leader knows as plain data, which JSON takes as it is.

Ids and names are text, times are seconds on the cluster's clock, resources are text such as `cpus:1;mem:32`, and what
has a name in Mesos (states, reasons, causes, capabilities) is that name. Every key is always there.
"""

from __future__ import annotations

from typing import TypedDict


class MachineEntry(TypedDict):
    """A machine, as maintenance schedules know it."""

    hostname: str
    ip: str


class WindowEntry(TypedDict):
    """One window of the maintenance schedule, as it was posted (drain.md 5.2.8)."""

    machines: list[MachineEntry]
    start: float
    duration_s: float | None
    enforce: bool


class AnswerEntry(TypedDict):
    """What a framework said to an inverse offer; `status` is ACCEPT or DECLINE."""

    framework_id: str
    status: str
    timestamp: float
    reason: str
    returning: list[str]


class AskedAgentEntry(TypedDict):
    """An agent on a machine that is draining, with the newest answer of each framework (drain.md 5.9.1)."""

    id: str
    answers: list[AnswerEntry]


class DrainingMachineEntry(MachineEntry):
    """A machine in mode DRAINING, and who was asked to leave its agents."""

    agents: list[AskedAgentEntry]


class MaintenanceStatusEntry(TypedDict):
    """The machines that are in the schedule, by mode."""

    draining_machines: list[DrainingMachineEntry]
    down_machines: list[MachineEntry]


class MaintenanceEntry(TypedDict):
    """The maintenance schedule, and how far it has come."""

    schedule: list[WindowEntry]
    status: MaintenanceStatusEntry


class BlockerEntry(TypedDict):
    """One thing that a drain or reclaim waits for: `actor` (EXECUTOR, FRAMEWORK, AGENT, MASTER) has to act."""

    party: str
    name: str
    why: str
    since: float | None
    task_id: str | None
    framework_id: str | None
    framework: str
    state: str | None
    grace_s: float | None


class DrainConfigEntry(TypedDict):
    """How an agent is drained."""

    max_grace_period_s: float | None
    mark_gone: bool


class DrainEntry(TypedDict):
    """A drain of an agent; `ended_at` is None while it is under way."""

    id: str
    agent_id: str
    state: str
    config: DrainConfigEntry
    started_at: float
    ended_at: float | None
    message: str
    initiator: str


class OpenDrainEntry(DrainEntry):
    """A drain under way; `remaining_tasks` are those of `blocked_by` that are about a task."""

    remaining_tasks: list[BlockerEntry]
    blocked_by: list[BlockerEntry]


class AskedFrameworkEntry(TypedDict):
    """One framework that was asked for its share of a reclaim; `answer` is ACCEPT or DECLINE."""

    framework_id: str
    framework: str
    share: str
    answer: str | None
    returning: list[str]
    reason: str
    answered_at: float | None


class ReclaimEntry(TypedDict):
    """A reclaim of an agent's resources or of a framework's; `resources` None: everything."""

    id: str
    agent_id: str | None
    framework_id: str | None
    resources: str | None
    state: str
    asked_at: float
    deadline: float
    ended_at: float | None
    message: str
    initiator: str
    asked: list[AskedFrameworkEntry]
    missing: str
    returned: str
    revoked_tasks: list[str]
    revoked_executors: list[str]
    blocked_by: list[BlockerEntry]


class ExecutorEntry(TypedDict):
    """An executor on an agent. `framework` is the name in its FrameworkInfo, here and below."""

    executor_id: str
    framework_id: str
    framework: str
    resources: str


class AgentEntry(TypedDict):
    """A registered agent; `tasks` are the ids of those it has, ended ones that are not acknowledged included.

    Of the `total`, which `resources` is too, tasks and executors hold what is `used`, and what is `offered` is out.
    `withheld` is kept back for a reclaim or within an enforced maintenance window; None: everything.
    """

    id: str
    name: str
    hostname: str
    ip: str
    resources: str
    total: str
    used: str
    offered: str
    withheld: str | None
    attributes: dict[str, str]
    connected: bool
    active: bool
    deactivated: bool
    drain: DrainEntry | None
    tasks: list[str]
    executors: list[ExecutorEntry]


class TaskEntry(TypedDict):
    """A task; `cause` says why it was lost or killed, if it was. `agent` is empty if that is not registered now."""

    task_id: str
    framework_id: str
    framework: str
    agent_id: str
    agent: str
    executor_id: str | None
    state: str
    cause: str | None
    resources: str


class FrameworkEntry(TypedDict):
    """A framework and its tasks."""

    id: str
    name: str
    user: str
    role: str
    connected: bool
    active: bool
    recovered: bool
    failover_timeout_s: float
    checkpoint: bool
    capabilities: list[str]
    tasks: list[TaskEntry]
    unreachable_tasks: list[TaskEntry]
    completed_tasks: list[TaskEntry]


class OfferEntry(TypedDict):
    """An offer that is out."""

    id: str
    framework_id: str
    framework: str
    agent_id: str
    agent: str
    resources: str


class InverseOfferEntry(TypedDict):
    """A request for resources that is out: for maintenance, or for a reclaim; `agent` is empty if it names none."""

    id: str
    framework_id: str
    framework: str
    agent_id: str | None
    agent: str
    reclaim_id: str | None


class CountersEntry(TypedDict):
    """How often something happened, by the names of Mesos's metrics (core.md OP-10)."""

    tasks_finished: int
    tasks_failed: int
    tasks_killed: int
    tasks_lost: int
    tasks_error: int
    tasks_dropped: int
    tasks_gone: int
    tasks_gone_by_operator: int
    slave_registrations: int
    slave_reregistrations: int
    slave_removals: int
    slave_removals_reason_registered: int
    slave_removals_reason_unhealthy: int
    slave_removals_reason_unregistered: int
    slave_unreachable_scheduled: int
    slave_unreachable_completed: int
    slave_unreachable_canceled: int
    recovery_slave_removals: int
    outstanding_registry_writes: int


class ClusterState(TypedDict):
    """Everything a leader knows, in Mesos's words (core.md OP-2 to OP-10).

    `recovered_agents` are in the registry and not back yet; `unreachable_agents` and `gone_agents` say since when.
    """

    leading: bool
    term: int | None
    agents: list[AgentEntry]
    recovered_agents: list[str]
    unreachable_agents: dict[str, float]
    gone_agents: dict[str, float]
    deactivated_agents: list[str]
    drains: list[OpenDrainEntry]
    past_drains: list[DrainEntry]
    reclaims: list[ReclaimEntry]
    past_reclaims: list[ReclaimEntry]
    frameworks: list[FrameworkEntry]
    completed_frameworks: list[FrameworkEntry]
    counters: CountersEntry
    maintenance: MaintenanceEntry
    offers: list[OfferEntry]
    inverse_offers: list[InverseOfferEntry]


Books = ClusterState
"""What it was called at first."""
