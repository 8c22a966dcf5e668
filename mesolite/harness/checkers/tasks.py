"""Tasks: how their ends are told, and that nobody is left in the dark about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesolite.actors.decisions.contract import Callback, LinkBroken, PeerExited, Started
from mesolite.actors.decisions.driver_calls import DriverStatus
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, Finding, does, hears, says
from mesolite.messages.agent import RegisterAgent, ReregisterAgent, UnregisterAgent
from mesolite.messages.frameworks import Capability
from mesolite.messages.ids import AgentId, FrameworkId, TaskId
from mesolite.messages.registrar import MarkAgentUnreachable, OperationApplied, RegistryRecovered, RemoveAgent
from mesolite.messages.relayed import KillTask, RunTask, StatusUpdate
from mesolite.messages.scheduler import AcceptOffers, FrameworkRegistered, FrameworkReregistered, ReconcileTasks
from mesolite.messages.tasks import Reason, Source, TaskState, TaskStatus

_S = TaskState
CAUSED = frozenset(
    {_S.TASK_KILLING, _S.TASK_KILLED, _S.TASK_LOST, _S.TASK_DROPPED, _S.TASK_GONE, _S.TASK_GONE_BY_OPERATOR}
    | {_S.TASK_UNREACHABLE}
)
"""States that say a task was lost or killed."""

MAY_BE_CAUSED = frozenset({_S.TASK_FAILED, _S.TASK_UNKNOWN})
"""A task fails because its executor died, too; and of an unknown one a master may remember why it left."""

ANSWERS_ABOUT_UNKNOWN_TASKS = frozenset(
    {_S.TASK_LOST, _S.TASK_GONE, _S.TASK_GONE_BY_OPERATOR, _S.TASK_UNREACHABLE, _S.TASK_UNKNOWN}
)

ONLY_IF_AWARE = frozenset(
    {_S.TASK_DROPPED, _S.TASK_UNREACHABLE, _S.TASK_GONE, _S.TASK_GONE_BY_OPERATOR, _S.TASK_UNKNOWN}
)
"""What masters and agents say only to partition-aware frameworks."""

KILL_S = 60.0
"""The longest a command can take to end: its grace, its executor's, and what may go wrong once."""

Key = tuple[FrameworkId, TaskId]


class _Told(Checker):
    """Sees what each framework's driver tells its user: an earlier one may get late what was on its way."""

    def __init__(self) -> None:
        """Start with no framework."""
        self._driver: dict[FrameworkId, str] = {}

    def catch_up(self) -> None:
        """The newest came last."""
        for context, core in self.watch.reader.all_of(ActorRole.SCHEDULER):
            if core.framework_info.id is not None:
                self._driver[core.framework_info.id] = context.name

    @hears(ActorRole.SCHEDULER, Started)
    def began(self, record: Record, core: Any) -> None:
        """A successor begins."""
        if core.framework_info.id is not None:
            self._driver[core.framework_info.id] = record.actor

    @says(ActorRole.MASTER, FrameworkRegistered, FrameworkReregistered)
    def registered(self, record: Record, core: Any, message: Any, to: str) -> None:
        """Of two successors that began at once it is the one that the leader took last, whoever hears of it first."""
        if self.watch.leads(core):
            self._driver[message.framework_id] = to

    @does(ActorRole.SCHEDULER, Callback)
    def called(self, record: Record, core: Any, effect: Callback) -> None:
        """User code is called."""
        if effect.callback != "status_update":
            return
        framework_id = core.framework_info.id
        if self._driver.get(framework_id) == record.actor:
            self.told(framework_id, effect.arguments[0], core)

    def told(self, framework_id: FrameworkId, status: TaskStatus, core: Any) -> None:
        """A framework is told something of a task."""


class OneEndPerTask(_Told):
    """Of two ends the first stays (drain.md 0.2.10)."""

    name = "one_end_per_task"
    statement = "What a framework was told reliably of a task's end is final."

    def __init__(self) -> None:
        """Start with no task ended."""
        super().__init__()
        self._final: dict[Key, TaskStatus] = {}
        self._said: dict[Key, str | None] = {}

    @says(ActorRole.SCHEDULER, AcceptOffers)
    def accepted(self, record: Record, core: Any, message: AcceptOffers, to: str) -> None:
        """A framework launches tasks, perhaps one of an earlier one's id."""
        for task in (task for operation in message.operations for task in operation.tasks):
            self._final.pop((message.framework_id, task.task_id), None)
            self._said.pop((message.framework_id, task.task_id), None)

    @says(ActorRole.EXECUTOR, StatusUpdate)
    def reported(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """An executor that says two ends of a task is at fault itself."""
        status, key = message.status, (message.framework_id, message.status.task_id)
        if status.state.is_terminal and self._said.setdefault(key, status.uuid) != status.uuid:
            self._said[key] = None

    def told(self, framework_id: FrameworkId, status: TaskStatus, core: Any) -> None:
        """Compare it with the end it was told of before."""
        key = (framework_id, status.task_id)
        final = self._final.get(key)
        if key in self._said and self._said[key] is None:
            return
        if final is not None and status.uuid != final.uuid and not _may_follow(final, status):
            text = f"{framework_id} was told {status.state} ({status.reason}) of {status.task_id}, "
            self.violated(text + f"which is {final.state}", status.task_id)
        elif status.uuid is not None and status.state.is_terminal:
            self._final[key] = status


def _may_follow(final: TaskStatus, status: TaskStatus) -> bool:
    """What may still be said of a task whose end its framework knows, but not all of its agent and master.

    By a master only: the same again; that the agent is gone, before the acknowledgement had passed (2.3.6, 10.8); and
    where a task would be that it knows nothing of, or no longer, if asked (1.10.1). By an agent only that it has no
    such task, when it is told to end one that it has forgotten (TK-46).
    """
    if status.reason is Reason.REASON_EXECUTOR_TERMINATED and status.source is Source.SOURCE_AGENT:
        return status.state in (TaskState.TASK_LOST, TaskState.TASK_DROPPED)
    if status.reason is Reason.REASON_RECONCILIATION:
        return status.uuid is None and (status.state is final.state or status.state in ANSWERS_ABOUT_UNKNOWN_TASKS)
    gone = status.state.is_terminal or status.state is TaskState.TASK_UNREACHABLE
    again = status.state is final.state or (gone and status.reason is not Reason.REASON_AGENT_REREGISTERED)
    return status.uuid is None and again


class EndsCarryCauses(_Told):
    """A framework learns why."""

    name = "ends_carry_causes"
    statement = "An update that says a task was lost or killed carries its cause, and any other carries none."

    def told(self, framework_id: FrameworkId, status: TaskStatus, core: Any) -> None:
        """Look at the cause."""
        reconciled = status.reason is Reason.REASON_RECONCILIATION and status.uuid is None
        if status.state in CAUSED and status.cause is None and not reconciled:
            self.violated(f"{status.task_id} is {status.state} ({status.reason}), no cause", status.task_id)
        if status.state not in CAUSED | MAY_BE_CAUSED and status.cause is not None:
            text = f"{status.task_id} is {status.state} ({status.reason}), because {status.cause}"
            self.violated(text, status.task_id)


class StatesAreUnderstood(_Told):
    """Old frameworks do not know new states (core.md FW-48)."""

    name = "states_are_understood"
    statement = "A framework is told only of states that its capabilities say it understands."

    def told(self, framework_id: FrameworkId, status: TaskStatus, core: Any) -> None:
        """Look at the state."""
        info = core.framework_info
        if status.state in ONLY_IF_AWARE and not info.can(Capability.PARTITION_AWARE):
            self.violated(f"{framework_id} is not partition aware, and is told {status.state}", status.task_id)
        if status.state is TaskState.TASK_LOST and status.reason is Reason.REASON_AGENT_REMOVED_BY_OPERATOR:
            self.violated(f"{framework_id} is told {status.reason} of a lost task (drain.md 2.4)", status.task_id)
        if status.state is TaskState.TASK_KILLING and not info.can(Capability.TASK_KILLING_STATE):
            self.violated(f"{framework_id} does not know TASK_KILLING, and is told so", status.task_id)


class TasksAccountedFor(Checker):
    """Who asks is told the truth."""

    name = "tasks_accounted_for"
    statement = "Once all is mended, a task that a framework launched and asked about runs, or it was told its end."

    def __init__(self) -> None:
        """Start with no task."""
        self._agents: dict[Key, AgentId | None] = {}
        self._told: dict[Key, list[TaskState]] = {}
        self._last_told: dict[Key, str] = {}
        self._asked: dict[Key, None] = {}

    @says(ActorRole.SCHEDULER, AcceptOffers)
    def accepted(self, record: Record, core: Any, message: AcceptOffers, to: str) -> None:
        """A framework launches tasks; what a former driver of it still says is nobody's wish."""
        m = self.watch.leader()
        framework = m.frameworks.get(message.framework_id) if m is not None else None
        if framework is not None and framework.pid not in (None, record.actor):
            return
        for operation in message.operations:
            for task in operation.tasks:
                self._agents[message.framework_id, task.task_id] = task.agent_id
                self._told.pop((message.framework_id, task.task_id), None)

    @hears(ActorRole.MASTER, ReconcileTasks)
    def reconciled(self, record: Record, core: Any) -> None:
        """The scheduler that the leader takes for the framework's asks: what others of it were told counts no more."""
        message = record.event
        framework = core.state.frameworks.get(message.framework_id)
        if framework is None or framework.pid != record.sender or not self.watch.leads(core):
            return
        for key in ((message.framework_id, status.task_id) for status in message.statuses):
            self._asked[key] = None
            if self._last_told.get(key) != record.sender:
                self._told.pop(key, None)

    @does(ActorRole.SCHEDULER, Callback)
    def called(self, record: Record, core: Any, effect: Callback) -> None:
        """Remember what a framework was told, whichever of its schedulers heard it."""
        if effect.callback == "status_update":
            status = effect.arguments[0]
            key = core.framework_info.id, status.task_id
            told = self._told.setdefault(key, [])
            if told and told[-1].is_terminal and self._last_told[key] != record.actor:
                return  # what one of them still hears late unsays no end that another was told
            told.append(status.state)
            self._last_told[key] = record.actor

    def calm(self) -> Iterator[Finding]:
        """Compare what was told with what is alive."""
        m, reader = self.watch.leader(), self.watch.reader
        for (framework_id, task_id), agent_id in self._agents.items() if m is not None else ():
            framework = m.frameworks.get(framework_id)
            if framework is None or not framework.connected:
                continue
            driver = reader.core(framework.pid)
            if driver is None or driver.status is not DriverStatus.DRIVER_RUNNING:
                continue  # it is deaf: of two successors that began at once each may have made the other abort
            told = self._told.get((framework_id, task_id), [])
            is_final = bool(told) and (told[-1].is_terminal or told[-1] is TaskState.TASK_UNKNOWN)
            cut_off = told[-1:] == [TaskState.TASK_UNREACHABLE] and agent_id in m.unreachable
            asked = (framework_id, task_id) in self._asked
            if is_final or cut_off or not asked or self.watch.life.is_alive(task_id):
                continue
            known = framework.tasks.get(task_id)
            text = f"{framework.info.name} was told {[state.name for state in told]} of {task_id}, which is not alive; "
            text += f"the master has it as {known.state if known is not None else 'unknown'}"
            yield text, (task_id,)


class KillsTakeEffect(Checker):
    """A kill is not forgotten on the way (TK-41 to TK-43, RC-27)."""

    name = "kills_take_effect"
    statement = "Once all is mended, a task whose kill the leader took has ended, or its executor was told to end it."

    def __init__(self) -> None:
        """Start with nothing to be killed."""
        self._taken: dict[Key, AgentId] = {}
        self._told: dict[TaskId, float] = {}

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A new leader knows of no kills (as in Mesos)."""
        if self.watch.leads(core):
            self._taken.clear()

    @hears(ActorRole.MASTER, KillTask)
    def asked(self, record: Record, core: Any) -> None:
        """The leader takes a kill."""
        message = record.event
        framework = core.state.frameworks.get(message.framework_id)
        if not self.watch.leads(core) or framework is None or framework.pid != record.sender:
            return
        task = framework.tasks.get(message.task_id)
        ours = task is not None and message.agent_id in (None, task.agent_id)
        if ours and framework.connected and not task.state.is_terminal:
            self._taken[message.framework_id, message.task_id] = task.agent_id

    @hears(ActorRole.MASTER, OperationApplied)
    def applied(self, record: Record, core: Any) -> None:
        """Who was given up and comes back is not told again (as in Mesos)."""
        operation = record.event.operation
        if isinstance(operation, MarkAgentUnreachable | RemoveAgent) and self.watch.leads(core):
            for key in [key for key, agent_id in self._taken.items() if agent_id == operation.agent_id]:
                del self._taken[key]

    @hears(ActorRole.EXECUTOR, KillTask)
    def told(self, record: Record, core: Any) -> None:
        """The executor hears of it."""
        self._taken.pop((record.event.framework_id, record.event.task_id), None)
        self._told.setdefault(record.event.task_id, record.time)

    @hears(ActorRole.EXECUTOR, RunTask)
    def given(self, record: Record, core: Any) -> None:
        """Another task may have the id of one that was killed."""
        self._told.pop(record.event.task.task_id, None)

    def calm(self) -> Iterator[Finding]:
        """Look whether they live on."""
        life, now = self.watch.life, self.watch.sim.now
        for _, task_id in self._taken:
            if life.is_alive(task_id):
                yield f"the kill of {task_id} was taken, and its executor knows nothing of it", (task_id,)
        for task_id, told_at in self._told.items():
            for host in life.hosts_of(task_id):
                if hasattr(host.core, "task") and now - told_at > KILL_S:
                    yield f"{task_id} was to be killed at {told_at:.3f} s, and lives", (task_id,)


class LaunchedOnce(Checker):
    """A task is started once."""

    name = "launched_once"
    statement = "No executor is given a task twice, and no master launches one that it has launched already."

    def __init__(self) -> None:
        """Start with no task."""
        self._given: dict[tuple[Any, TaskId], None] = {}
        self._launched: dict[str, dict[Key, tuple[int, float]]] = {}
        """In which term and when, by agent; until its end was heard, or its agent out of sight: then its id is free."""

    @hears(ActorRole.EXECUTOR, RunTask)
    def given(self, record: Record, core: Any) -> None:
        """An executor gets a task."""
        key = (core, record.event.task.task_id)
        if key in self._given:
            self.violated(f"{record.actor} was given {key[1]} twice", key[1])
        self._given[key] = None

    @says(ActorRole.EXECUTOR, StatusUpdate)
    def ended(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """When it has ended, its id may be given to another."""
        if message.status.state.is_terminal:
            self._given.pop((core, message.status.task_id), None)

    @says(ActorRole.MASTER, RunTask)
    def launched(self, record: Record, core: Any, message: RunTask, to: str) -> None:
        """A master launches a task."""
        if not self.watch.leads(core):
            return
        key, on_agent = (message.framework_id, message.task.task_id), self._launched.setdefault(to, {})
        term, launched_at = on_agent.get(key, (0, 0.0))
        known = term == core.state.info.term
        if known and (launched_at == message.launched_at or key[1] in self.watch.life.alive_on(to)):
            self.violated(f"{record.actor} launches {key[1]} a second time, on {to}", key[1])
        on_agent[key] = (core.state.info.term, message.launched_at)

    @hears(ActorRole.MASTER, StatusUpdate)
    def reported(self, record: Record, core: Any) -> None:
        """A master hears of an end."""
        status, latest = record.event.status, record.event.latest_state
        if status.state.is_terminal or (latest is not None and latest.is_terminal):
            self._launched.get(record.sender, {}).pop((record.event.framework_id, status.task_id), None)

    @hears(ActorRole.MASTER, PeerExited, LinkBroken)
    def parted(self, record: Record, core: Any) -> None:
        """What a master has lost sight of it may take for lost, while it lives."""
        self._launched.pop(record.event.name, None)

    @hears(ActorRole.MASTER, RegisterAgent, ReregisterAgent, UnregisterAgent)
    def came_or_went(self, record: Record, core: Any) -> None:
        """So it may with what an agent does not know any more."""
        self._launched.pop(record.sender, None)
