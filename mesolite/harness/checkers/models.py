"""What several checkers need to know, kept from what was recorded and not from anybody's books.

Nobody's word is trusted for what is alive: tasks are followed from the moment an executor gets them, or a process
starts, to the moment they end. What operators decided is taken from what the registry stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import define, field

from mesolite.actors.decisions.contract import Run, WorkExited, WorkFailedToStart
from mesolite.actors.decisions.executor.command import CommandExecutorCore
from mesolite.actors.runtime.port import ActorContext
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Observer, does, hears, says
from mesolite.messages.drains import DrainInfo
from mesolite.messages.ids import AgentId, ReclaimId, TaskId
from mesolite.messages.maintenance import Maintenance, Window
from mesolite.messages.reclaims import ReclaimInfo
from mesolite.messages.registrar import (
    AdmitAgent,
    DeactivateAgent,
    EndDrain,
    EndReclaim,
    MarkAgentGone,
    MarkAgentReachable,
    MarkAgentUnreachable,
    OperationApplied,
    PruneAgents,
    ReactivateAgent,
    RegistryRecovered,
    RemoveAgent,
    StartDrain,
    StartReclaim,
    UpdateMaintenance,
)
from mesolite.messages.relayed import RunTask, StatusUpdate

EARLY_S = 1e-6
"""Sums of seconds are not exact."""


class Decided(Observer):
    """What the newest leader has been told is stored: of agents, and what operators decided about them."""

    def __init__(self) -> None:
        """Start with an empty registry."""
        self.term = 0
        self.leader: tuple[str, Any] = ("", None)
        """The newest leader's name and core."""
        self.admitted: dict[AgentId, None] = {}
        self.unreachable: dict[AgentId, float] = {}
        self.gone: dict[AgentId, float] = {}
        self.deactivated: dict[AgentId, DrainInfo | None] = {}
        self.drained_at: dict[AgentId, float] = {}
        self.down: dict[tuple[str, str], None] = {}
        self.scheduled: dict[tuple[str, str], None] = {}
        self.windows: tuple[Window, ...] = ()
        self.windows_since = 0.0
        self.reclaims: dict[ReclaimId, ReclaimInfo] = {}

    def catch_up(self) -> None:
        """Believe the leader's books."""
        m = self.watch.leader()
        if m is not None:
            self.term = m.info.term
            self.admitted = dict.fromkeys((*m.agents, *m.recovered))
            self.unreachable = {agent_id: member.since for agent_id, member in m.unreachable.items()}
            self.gone = {agent_id: member.since for agent_id, member in m.gone.items()}
            self.deactivated = dict(m.deactivated)
            self.reclaims = {reclaim_id: each.info for reclaim_id, each in m.reclaims.items()}
            self._set(m.schedule.maintenance)

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A leader has read the registry."""
        if not core.state.leading or core.state.info.term <= self.term:
            return
        registry = record.event.registry
        self.term, self.leader = core.state.info.term, (record.actor, core)
        self.admitted = {each.agent.id: None for each in registry.admitted}
        self.unreachable = {each.agent_id: each.unreachable_time for each in registry.unreachable}
        self.gone = {each.agent_id: each.gone_time for each in registry.gone}
        self.deactivated = {each.agent_id: each.drain for each in registry.deactivated}
        self.reclaims = {reclaim.id: reclaim for reclaim in registry.reclaims if reclaim.ended_at is None}
        self._set(registry.maintenance)
        self.watch.quiet_from = max(self.watch.quiet_from, record.time)

    @hears(ActorRole.MASTER, OperationApplied)
    def applied(self, record: Record, core: Any) -> None:
        """The leader hears that something is stored."""
        if not self.watch.leads(core):
            return
        match record.event.operation:
            case AdmitAgent(agent=agent) | MarkAgentReachable(agent=agent):
                assert agent.id is not None
                self.unreachable.pop(agent.id, None)
                self.admitted[agent.id] = None
            case MarkAgentUnreachable(agent_id=agent_id, unreachable_time=time):
                self.admitted.pop(agent_id, None)
                self.unreachable[agent_id] = time
            case RemoveAgent(agent_id=agent_id):
                self._forget(agent_id)
            case MarkAgentGone(agent_id=agent_id, gone_time=time):
                self._forget(agent_id)
                self.gone[agent_id] = time
            case PruneAgents(unreachable=unreachable, gone=gone):
                for agent_id in unreachable:
                    self.unreachable.pop(agent_id, None)
                    self.deactivated.pop(agent_id, None)
                for agent_id in gone:
                    self.gone.pop(agent_id, None)
            case DeactivateAgent(agent_id=agent_id):
                self.deactivated[agent_id] = None
            case StartDrain(drain=drain):
                self.deactivated[drain.agent_id] = drain
                self.drained_at[drain.agent_id] = record.time
            case EndDrain(drain=drain):
                self.deactivated[drain.agent_id] = drain
            case ReactivateAgent(agent_id=agent_id):
                self.deactivated.pop(agent_id, None)
            case UpdateMaintenance(maintenance=maintenance):
                self._set(maintenance)
                self.windows_since = record.time
            case StartReclaim(reclaim=reclaim):
                self.reclaims[reclaim.id] = reclaim
            case EndReclaim(reclaim=reclaim):
                self.reclaims.pop(reclaim.id, None)

    def _forget(self, agent_id: AgentId) -> None:
        for each in (self.admitted, self.unreachable, self.deactivated):
            each.pop(agent_id, None)

    def _set(self, maintenance: Maintenance) -> None:
        self.windows = maintenance.windows
        self.down = {key_of(machine): None for machine in maintenance.down}
        scheduled = [machine for window in maintenance.windows for machine in window.machines]
        self.scheduled = {key_of(machine): None for machine in scheduled}

    def in_force(self, agent: Any, now: float) -> Window | None:
        """The enforced window that has begun for that agent's machine."""
        if not self.windows:
            return None
        machine = machine_of(agent)
        for window in self.windows:
            when = window.unavailability
            over = when.duration_s is not None and now >= when.start + when.duration_s - EARLY_S
            if window.enforce and when.start <= now + EARLY_S and not over and machine in _machines(window):
                return window
        return None


def key_of(machine: Any) -> tuple[str, str]:
    """What tells a machine from all others, as its id or an agent on it has it; case is none of it."""
    return machine.hostname.casefold(), machine.ip


def machine_of(agent: Any) -> tuple[str, str]:
    """The machine of a master's record of an agent."""
    return key_of(agent.info)


def _machines(window: Window) -> list[tuple[str, str]]:
    return [key_of(machine) for machine in window.machines]


@define(eq=False)
class Host:
    """An executor that is alive, and the tasks that are alive in it."""

    context: ActorContext
    core: Any
    tasks: dict[TaskId, None] = field(factory=dict)


class Life(Observer):
    """What is alive on which machine."""

    def __init__(self) -> None:
        """Start with nothing alive."""
        self._hosts: dict[str, dict[str, Host]] = {}

    def catch_up(self) -> None:
        """Believe what executors hold themselves."""
        for context, core in self.watch.reader.all_of(ActorRole.EXECUTOR):
            updates = core.registration.updates.values()
            over = [each.status.task_id for each in updates if each.status.state.is_terminal]
            tasks = dict.fromkeys(task_id for task_id in core.registration.tasks if task_id not in over)
            self._hosts.setdefault(context.host, {})[context.name] = Host(context, core, tasks)

    def _host(self, record: Record, core: Any) -> Host:
        context = self.watch.reader.context(record.actor)
        assert context is not None
        there = self._hosts.setdefault(context.host, {})
        host = there.get(record.actor)
        if host is None or host.context is not context:
            host = there[record.actor] = Host(context, core)
        return host

    @hears(ActorRole.EXECUTOR, RunTask)
    def given(self, record: Record, core: Any) -> None:
        """A custom executor has got a task."""
        if not isinstance(core, CommandExecutorCore):
            self._host(record, core).tasks[record.event.task.task_id] = None

    @does(ActorRole.EXECUTOR, Run)
    def began(self, record: Record, core: Any, effect: Run) -> None:
        """A command is started."""
        self._host(record, core).tasks[core.task.task_id] = None

    @hears(ActorRole.EXECUTOR, WorkExited, WorkFailedToStart)
    def ended(self, record: Record, core: Any) -> None:
        """A command has ended."""
        self._host(record, core).tasks.clear()

    @says(ActorRole.EXECUTOR, StatusUpdate)
    def reported(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """A custom executor says that a task has ended."""
        if message.status.state.is_terminal and not isinstance(core, CommandExecutorCore):
            self._host(record, core).tasks.pop(message.status.task_id, None)

    def _alive(self, actor: str) -> Iterator[Host]:
        there = self._hosts.get(actor, {})
        for name in [name for name, host in there.items() if not host.context.alive]:
            del there[name]
        return iter(there.values())

    def alive_on(self, actor: str) -> list[TaskId]:
        """The tasks that are alive on that agent's machine."""
        return [task_id for host in self._alive(actor) for task_id in host.tasks]

    def hosts_of(self, task_id: TaskId) -> list[Host]:
        """The executors in which the task is alive."""
        return [host for actor in self._hosts for host in self._alive(actor) if task_id in host.tasks]

    def is_alive(self, task_id: TaskId) -> bool:
        """Whether the task is alive anywhere."""
        return bool(self.hosts_of(task_id))
