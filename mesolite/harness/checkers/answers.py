"""What follows at once from what was heard: judged by one event, what it led to, and the books after it."""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.agent.state import Phase
from mesolite.actors.decisions.contract import LinkBroken, PeerExited
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, hears, said, says
from mesolite.harness.checkers.models import machine_of
from mesolite.harness.checkers.reading import is_blocked, is_granted_of
from mesolite.messages.agent import (
    AgentDrained,
    AgentRegistered,
    AgentReregistered,
    DrainAgent,
    ExitedExecutor,
    ReregisterAgent,
    ShutdownAgent,
    UpdateFramework,
)
from mesolite.messages.frameworks import Capability
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, TaskId
from mesolite.messages.operator import DrainAgentCall
from mesolite.messages.registrar import (
    ApplyOperation,
    EndReclaim,
    MarkAgentGone,
    MarkAgentUnreachable,
    OperationApplied,
    RemoveAgent,
    StartDrain,
    StartReclaim,
)
from mesolite.messages.relayed import KillTask, RunTask, StatusUpdate
from mesolite.messages.scheduler import (
    AcceptOffers,
    FrameworkError,
    FrameworkRegistered,
    FrameworkReregistered,
    ReconcileTasks,
    Subscribe,
)
from mesolite.messages.tasks import Reason, TaskState, TaskStatus

LISTENING = (Phase.DISCONNECTED, Phase.RUNNING)
"""When an agent takes orders of its leader."""


def _speaker(record: Record, m: Any) -> Any:
    """The framework of that call, if its present scheduler has made it, and was not told that it was wrong."""
    framework = m.frameworks.get(record.event.framework_id)
    if framework is None or framework.pid != record.sender or not framework.connected:
        return None
    return None if any(said(record, FrameworkError)) else framework


class Judge(Checker):
    """Judges what leaders do about what they hear, each by its own books."""

    assumes = frozenset({Assumption.HONEST})

    def applied(self, record: Record, core: Any) -> Any:
        """The operation that this leader has wanted and is told to be durable, None if it is another's."""
        m, event = core.state, record.event
        if not self.watch.leads(core) or not event.write_id.startswith(f"m{m.info.term}-"):
            return None
        return event.operation


class AvailableAgentsAreOffered(Judge):
    """What is there can be used (drain.md 1.3.5 step 6, 4.2.3)."""

    name = "available_agents_are_offered"
    statement = "An agent's resources may be offered if, and only if, it is connected and not deactivated."

    @hears(ActorRole.MASTER, ReregisterAgent)
    def back(self, record: Record, core: Any) -> None:
        """An agent may be back."""
        self._check(core, record.event.agent.id)

    @hears(ActorRole.MASTER, OperationApplied)
    def changed(self, record: Record, core: Any) -> None:
        """Something is decided about an agent."""
        operation = record.event.operation
        for part in (operation, getattr(operation, "drain", None)):
            self._check(core, getattr(part, "agent_id", None))
        self._check(core, getattr(getattr(operation, "agent", None), "id", None))

    @hears(ActorRole.MASTER, PeerExited, LinkBroken)
    def left(self, record: Record, core: Any) -> None:
        """An agent may be away."""
        self._check(core, core.state.agent_of_pid.get(record.event.name))

    def _check(self, core: Any, agent_id: AgentId | None) -> None:
        m = core.state
        agent = m.agents.get(agent_id) if agent_id is not None else None
        if agent is None or not self.watch.leads(core):
            return
        available = agent.connected and agent_id not in m.deactivated
        if agent.active != available or is_granted_of(m, agent.id) != available:
            how = "is connected" if agent.connected else "is away"
            text = f"{agent_id} {how}, {'' if agent_id in m.deactivated else 'not '}deactivated, "
            self.violated(text + f"and {'not ' if available else ''}to be offered", agent_id)


class LaunchesAreAnswered(Judge):
    """A launch is carried out or refused, task by task (core.md OF-57, OF-65)."""

    name = "launches_are_answered"
    statement = "Of every task that is launched its agent is told to run it, or its framework that it does not run."

    @hears(ActorRole.MASTER, AcceptOffers)
    def accepted(self, record: Record, core: Any) -> None:
        """A framework launches tasks."""
        if not self.watch.leads(core) or _speaker(record, core.state) is None:
            return
        run = [message.task.task_id for _, message in said(record, RunTask)]
        answered = [*run, *(message.status.task_id for to, message in said(record, StatusUpdate))]
        for task_id in (task.task_id for operation in record.event.operations for task in operation.tasks):
            if task_id not in answered:
                self.violated(f"the launch of {task_id} led to nothing", task_id)


class AnswersAreTrue(Judge):
    """Reconciliation (core.md RC-2, RC-4 to RC-6; TK-41 for kills; drain.md 1.10.1)."""

    name = "answers_are_true"
    statement = (
        "Who asks for a task is told the state that was forwarded last; of one that the leader does not have, what "
        "follows from its agent."
    )

    def __init__(self) -> None:
        """Start with nothing forwarded."""
        self._forwarded: dict[tuple[Any, FrameworkId, TaskId], TaskState] = {}

    @says(ActorRole.MASTER, StatusUpdate)
    def forwarded(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """An agent's update is passed on (RC-3)."""
        if type(record.event) is StatusUpdate:
            self._forwarded[core, message.framework_id, message.status.task_id] = message.status.state

    @says(ActorRole.MASTER, RunTask)
    def launched(self, record: Record, core: Any, message: RunTask, to: str) -> None:
        """Of another task of that id nothing was forwarded."""
        self._forwarded.pop((core, message.framework_id, message.task.task_id), None)

    @hears(ActorRole.MASTER, ReregisterAgent, OperationApplied)
    def changed(self, record: Record, core: Any) -> None:
        """An agent that comes back may say itself what was forwarded."""
        self._forwarded.clear()

    @hears(ActorRole.MASTER, ReconcileTasks)
    def asked(self, record: Record, core: Any) -> None:
        """A framework asks for some of its tasks, or for all."""
        event, framework = record.event, self._who_asks(record, core)
        if framework is None:
            return
        told = _told(record)
        for status in event.statuses:
            self._check(core, framework, told, status.task_id, status.agent_id)
        for task_id in framework.tasks if not event.statuses else ():
            if task_id not in told:
                self.violated(f"{framework.id} asks for all its tasks, and is not told of {task_id}", task_id)

    @hears(ActorRole.MASTER, KillTask)
    def killed(self, record: Record, core: Any) -> None:
        """A framework wants a task ended, perhaps one that the leader does not have."""
        event, framework = record.event, self._who_asks(record, core)
        if framework is not None and event.task_id not in framework.tasks:
            self._check(core, framework, _told(record), event.task_id, event.agent_id)

    def _who_asks(self, record: Record, core: Any) -> Any:
        return _speaker(record, core.state) if self.watch.leads(core) else None

    def _check(
        self, core: Any, framework: Any, told: dict[TaskId, list[TaskStatus]], task_id: TaskId, agent_id: AgentId | None
    ) -> None:
        """Compare what was said of it with the row that fits."""
        m = core.state
        answers = told.get(task_id, [])
        if task_id in framework.tasks:
            if not answers:
                self.violated(f"{framework.id} asks for {task_id}, which the leader has, and is told nothing", task_id)
            self._compare(core, framework, framework.tasks[task_id], answers)
            return
        lost = framework.unreachable_tasks.get(task_id)
        had_ended = lost is not None and lost.state.is_terminal
        if task_id in framework.strays or task_id in framework.completed_tasks or had_ended:
            return  # ours: it is known in other ways
        expected = _expected(m, agent_id)
        if expected is not None and not framework.info.can(Capability.PARTITION_AWARE):
            expected = TaskState.TASK_LOST
        since = m.unreachable[agent_id].since if agent_id in m.unreachable else None
        true = all(each.state is expected and each.unreachable_time == since for each in answers)
        if not true or bool(answers) != (expected is not None):
            states = ", ".join(each.state.name for each in answers) or "nothing"
            why = f"{framework.id} asks for {task_id} on {agent_id}, and is told {states}, "
            self.violated(why + f"not {expected.name if expected is not None else 'nothing'}", task_id, agent_id)


    def _compare(self, core: Any, framework: Any, task: Any, answers: list[TaskStatus]) -> None:
        """Of a task that the leader has, what was forwarded last counts; of two ends the first stays."""
        last = self._forwarded.get((core, framework.id, task.task_id))
        if last is not None and last.is_terminal and task.state.is_terminal:
            last = task.state
        for answer in answers if last is not None else ():
            if answer.state is not last:
                text = f"{framework.id} asks for {task.task_id}, was told {last} last, and is told {answer.state} now"
                self.violated(text, task.task_id)


def _told(record: Record) -> dict[TaskId, list[TaskStatus]]:
    """What is answered of which task."""
    told: dict[TaskId, list[TaskStatus]] = {}
    for _, message in said(record, StatusUpdate):
        if message.status.reason is Reason.REASON_RECONCILIATION:
            told.setdefault(message.status.task_id, []).append(message.status)
    return told


def _expected(m: Any, agent_id: AgentId | None) -> TaskState | None:
    """How a task is that this leader knows nothing of, None if it is silent: rows 2 to 6."""
    if agent_id in m.recovered or (agent_id is None and m.recovered):
        return None
    if agent_id in m.agents:
        return TaskState.TASK_GONE
    if agent_id in m.unreachable:
        return TaskState.TASK_UNREACHABLE
    return TaskState.TASK_GONE_BY_OPERATOR if agent_id in m.gone else TaskState.TASK_UNKNOWN


ExecutorKey = tuple[FrameworkId, ExecutorId]


class LostExecutorsAreSaid(Judge):
    """The end of a custom executor is passed on (core.md TK-57)."""

    name = "lost_executors_are_said"
    statement = "A connected framework hears of the end of an executor that the leader has had started for it."

    def __init__(self) -> None:
        """Start with no executor."""
        self._started: dict[tuple[Any, AgentId], dict[ExecutorKey, tuple[Any, Any]]] = {}
        """By leader and agent, each with the leader's records of agent and framework."""

    @says(ActorRole.MASTER, RunTask)
    def launched(self, record: Record, core: Any, message: RunTask, to: str) -> None:
        """A leader has an executor started."""
        m, task = core.state, message.task
        agent, framework = m.agents.get(task.agent_id), m.frameworks.get(message.framework_id)
        if message.launch_executor and task.executor is not None and agent is not None:
            key = framework.id, task.executor.executor_id
            self._started.setdefault((core, agent.id), {})[key] = agent, framework

    @hears(ActorRole.MASTER, PeerExited)
    def exited(self, record: Record, core: Any) -> None:
        """With their agent's process executors are given up, unless they are checkpointed."""
        agent_id = core.state.agent_of_pid.get(record.event.name)
        if agent_id is not None:
            self._started.pop((core, agent_id), None)

    @hears(ActorRole.MASTER, ExitedExecutor)
    def ended(self, record: Record, core: Any) -> None:
        """An executor has ended."""
        event, m = record.event, core.state
        started = self._started.get((core, event.agent_id), {})
        agent, framework = started.pop((event.framework_id, event.executor_id), (None, None))
        if agent is None or m.agents.get(event.agent_id) is not agent or agent.pid != record.sender:
            return
        known = m.frameworks.get(event.framework_id) is framework and framework.connected
        if known and self.watch.leads(core) and (framework.pid, event) not in said(record, ExitedExecutor):
            self.violated(f"{event.executor_id} has ended, and {framework.id} is not told", event.executor_id)


class GoneAgentsAreTold(Judge):
    """Who is marked gone is told to go (drain.md 4.7.3)."""

    name = "gone_agents_are_told"
    statement = "A connected agent that is marked gone is told to shut down, and not to come back."

    def __init__(self) -> None:
        """Start with nobody connected."""
        self._connected: dict[tuple[Any, AgentId], str] = {}

    @says(ActorRole.MASTER, AgentRegistered, AgentReregistered)
    def registered(self, record: Record, core: Any, message: AgentRegistered | AgentReregistered, to: str) -> None:
        """An agent is told that it is registered."""
        self._connected[core, message.agent_id] = to

    @hears(ActorRole.MASTER, PeerExited, LinkBroken)
    def left(self, record: Record, core: Any) -> None:
        """It is not connected any more."""
        self._connected.pop((core, core.state.agent_of_pid.get(record.event.name)), None)

    @hears(ActorRole.MASTER, OperationApplied)
    def gone(self, record: Record, core: Any) -> None:
        """It is gone, or will be told when it comes back; nobody says so to whoever is at its address now."""
        operation, m = self.applied(record, core), core.state
        if not isinstance(operation, MarkAgentGone | MarkAgentUnreachable | RemoveAgent):
            return
        pid = self._connected.pop((core, operation.agent_id), None)
        if not isinstance(operation, MarkAgentGone) or pid is None or pid in m.agent_of_pid or pid in m.registering:
            return
        if not any(to == pid and message.gone for to, message in said(record, ShutdownAgent)):
            self.violated(f"{operation.agent_id} is marked gone, and {pid} is not told", operation.agent_id)


class SuccessorsAreMadeKnown(Judge):
    """Agents hear where a framework's scheduler is, and it whether it is the same (core.md FW-22, EL-59)."""

    name = "successors_are_made_known"
    statement = "Who subscribes with an id is made known to all agents, and told whether it is another than before."

    def __init__(self) -> None:
        """Start with nobody subscribed."""
        self._answered: dict[tuple[Any, FrameworkId], str] = {}

    @hears(ActorRole.MASTER, Subscribe)
    def subscribed(self, record: Record, core: Any) -> None:
        """A driver may have been answered."""
        m, info, sender = core.state, record.event.framework_info, record.sender
        answers = [each for _, each in said(record, FrameworkRegistered, FrameworkReregistered)]
        if not answers or not self.watch.leads(core):
            return
        framework_id = answers[0].framework_id
        before = self._answered.get((core, framework_id))
        self._answered[core, framework_id] = sender
        if not info.id:
            return
        kind = FrameworkReregistered if before == sender and not record.event.force else FrameworkRegistered
        if type(answers[0]) is not kind and not (before is None and self.watch.is_late):
            text = f"{sender} is told {type(answers[0]).__name__}, and before {framework_id} was {before or 'nobody'}'s"
            self.violated(text, framework_id)
        told = {to: None for to, each in said(record, UpdateFramework) if each.scheduler == sender}
        deaf = [agent.id for agent in m.agents.values() if agent.pid not in told]
        if deaf:
            self.violated(f"{', '.join(deaf)} are not told that {sender} is {framework_id} now", framework_id, *deaf)


class DrainWishesCount(Judge):
    """What is asked for last holds (drain.md 4.3.7), if it may be asked for (4.3.2)."""

    name = "drain_wishes_count"
    statement = "A drain goes on as it was asked for last, at leader and agent; no scheduled agent is drained."

    @hears(ActorRole.MASTER, DrainAgentCall)
    def called(self, record: Record, core: Any) -> None:
        """An operator wants a drain, or it to go on otherwise."""
        event, m = record.event, core.state
        if not self.watch.leads(core):
            return
        agent = m.agents.get(event.agent_id)
        wish = (event.max_grace_period_s, event.mark_gone)
        operations = [message.operation for _, message in said(record, ApplyOperation)]
        for drain in (each.drain for each in operations if isinstance(each, StartDrain)):
            if (drain.config.max_grace_period_s, drain.config.mark_gone) != wish:
                self.violated(f"{drain.id} is to have {wish}, and {drain.config} is written", event.agent_id)
            if agent is not None and machine_of(agent) in self.watch.decided.scheduled:
                self.violated(f"{event.agent_id} is drained, and its machine is scheduled", event.agent_id)

    @hears(ActorRole.AGENT, DrainAgent)
    def told(self, record: Record, core: Any) -> None:
        """An agent is told how to drain."""
        a = core.state
        if record.sender != a.leader or a.drain is None or any(said(record, AgentDrained)):
            return
        if a.drain != record.event.config and a.phase in LISTENING:
            self.violated(f"{a.id} is to drain with {record.event.config}, and goes on with {a.drain}", a.id)


class ReclaimedFrameworksAreBlocked(Judge):
    """As long as a framework is reclaimed it is offered nothing, and not longer (docs/reclaim.md RV-7, RV-40)."""

    name = "reclaimed_frameworks_are_blocked"
    statement = "A framework is kept from offers if, and only if, a reclaim of it is open."

    @hears(ActorRole.MASTER, OperationApplied)
    def changed(self, record: Record, core: Any) -> None:
        """A reclaim begins or ends."""
        operation = self.applied(record, core)
        if isinstance(operation, StartReclaim | EndReclaim):
            self._check(core.state, operation.reclaim.framework_id)

    @hears(ActorRole.MASTER, Subscribe)
    def subscribed(self, record: Record, core: Any) -> None:
        """A framework may be back."""
        if self.watch.leads(core):
            self._check(core.state, core.state.framework_of_pid.get(record.sender))

    def _check(self, m: Any, framework_id: FrameworkId | None) -> None:
        framework = m.frameworks.get(framework_id) if framework_id is not None else None
        if framework is None or framework.pid is None:
            return  # it is offered nothing anyway
        is_open = any(each.info.framework_id == framework_id for each in m.reclaims.values())
        if is_blocked(m, framework.id) != is_open:
            why = "a reclaim of it is open, and it is not" if is_open else "no reclaim of it is open, and it is"
            self.violated(f"{framework_id}: {why} blocked", framework_id)
