"""How tasks and executors are ended: for a reason, and the cause that is told of it is the true one."""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.agent.timers import ExecutorRegistrationTimeout, LastGraceEnd
from mesolite.actors.decisions.contract import (
    Callback,
    CallbackReturned,
    Exit,
    Loaded,
    PeerExited,
    SetTimer,
    SignalWork,
    SpawnExecutor,
    TimerFired,
    WorkExited,
    WorkFailedToStart,
)
from mesolite.actors.decisions.driver_calls import StopExecutorCall
from mesolite.actors.decisions.executor.command import Escalation
from mesolite.actors.decisions.executor.core import ShutdownTimeout
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, does, hears, says
from mesolite.harness.checkers.graces import Task
from mesolite.harness.checkers.models import key_of
from mesolite.messages.agent import DrainAgent, RegisterAgent, RevokeExecutor, RevokeTask, UnregisterAgent
from mesolite.messages.executor import (
    ExecutorRegistered,
    ExecutorReregistered,
    ShutdownExecutor,
)
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import (
    AdmitAgent,
    ApplyOperation,
    MarkAgentReachable,
    OperationApplied,
    RemoveAgent,
    UpdateMaintenance,
)
from mesolite.messages.relayed import KillTask, StatusUpdate
from mesolite.messages.tasks import Cause, Reason, TaskState


class RegisteredStay(Checker):
    """An executor that is there is not given up as one that never came (TK-50, drain.md 3.1.12)."""

    name = "registered_stay"
    statement = "No executor that its agent has answered is destroyed for not having registered."

    def __init__(self) -> None:
        """Start with nobody registered."""
        self._answered: dict[tuple[Any, str], None] = {}

    @does(ActorRole.AGENT, SpawnExecutor)
    def spawned(self, record: Record, core: Any, effect: SpawnExecutor) -> None:
        """Another one begins under that name."""
        self._answered.pop((core, effect.name), None)

    @says(ActorRole.AGENT, ExecutorRegistered)
    def answered(self, record: Record, core: Any, message: ExecutorRegistered, to: str) -> None:
        """This life of the agent tells an executor that it is registered."""
        self._answered[core, to] = None

    @hears(ActorRole.AGENT, TimerFired)
    def fired(self, record: Record, core: Any) -> None:
        """Its time to register is over: look whether the agent destroys it."""
        key = record.event.key
        if type(key) is not ExecutorRegistrationTimeout:
            return
        framework = core.state.frameworks.get(key.framework_id)
        executor = framework.executors.get(key.executor_id) if framework is not None else None
        if executor is None or executor.run != key.run or not executor.destroyed:
            return
        if (core, executor.pid) in self._answered:
            text = f"{record.actor} destroys {executor.pid} as never registered, and has answered its registration"
            self.violated(text, executor.pid, record.actor)


class ExecutorsEndForAReason(Checker):
    """Nobody ends by itself who was not asked to, has not ended its work, and has an agent (TK-66, drain.md 3.1.11)."""

    name = "executors_end_for_a_reason"
    statement = "An executor ends because it was told to, its work or its user's code has ended, or its agent is away."

    def __init__(self) -> None:
        """Start with no executor."""
        self._may_end: dict[Any, None] = {}
        self._agent_is_away: dict[Any, None] = {}

    def catch_up(self) -> None:
        """Nobody knows what those have heard that live already."""
        self._may_end = {core: None for _, core in self.watch.reader.all_of(ActorRole.EXECUTOR)}

    @hears(ActorRole.EXECUTOR, ShutdownExecutor, KillTask, WorkExited, WorkFailedToStart, StopExecutorCall)
    def asked(self, record: Record, core: Any) -> None:
        """It has a reason from now on."""
        self._may_end[core] = None

    @hears(ActorRole.EXECUTOR, CallbackReturned)
    def returned(self, record: Record, core: Any) -> None:
        """User code has raised, or stopped its driver."""
        if record.event.error is not None or not record.event.still_running:
            self._may_end[core] = None

    @hears(ActorRole.EXECUTOR, PeerExited)
    def left(self, record: Record, core: Any) -> None:
        """Its agent is away."""
        self._agent_is_away[core] = None

    @hears(ActorRole.EXECUTOR, ExecutorRegistered, ExecutorReregistered)
    def found(self, record: Record, core: Any) -> None:
        """Its agent is there, and knows it."""
        if record.sender == core.registration.agent:
            self._agent_is_away.pop(core, None)

    @does(ActorRole.EXECUTOR, Exit, SignalWork)
    def ended(self, record: Record, core: Any, effect: Exit | SignalWork) -> None:
        """It goes, or ends its work."""
        self._begins(record, core)

    @does(ActorRole.EXECUTOR, SetTimer)
    def waits(self, record: Record, core: Any, effect: SetTimer) -> None:
        """It gives its work or its user's code a last time."""
        if type(effect.key) in (Escalation, ShutdownTimeout):
            self._begins(record, core)

    @does(ActorRole.EXECUTOR, Callback)
    def calls(self, record: Record, core: Any, effect: Callback) -> None:
        """It tells its user's code to end."""
        if effect.callback == "shutdown":
            self._begins(record, core)

    def _begins(self, record: Record, core: Any) -> None:
        if core in self._may_end:
            return
        if core not in self._agent_is_away:
            text = f"{record.actor} ends on {type(record.event).__name__}; nobody told it to, and its agent is there"
            self.violated(text, record.actor)
        self._may_end[core] = None


class FirstCauseOfAKill(Checker):
    """Who asked first is the cause, but for a drain (which-wins rule 4, drain.md 4.4.6)."""

    name = "first_cause_of_a_kill"
    statement = "A killed task was killed for what its agent heard first, or because the agent drains."

    def __init__(self) -> None:
        """Start with nothing killed."""
        self._first: dict[tuple[Task, float], Cause | None] = {}
        self._drained: dict[str, None] = {}

    def catch_up(self) -> None:
        """Believe the books of agents."""
        for context, core in self.watch.reader.all_of(ActorRole.AGENT):
            self._believe(context.name, core)

    @hears(ActorRole.AGENT, Loaded)
    def recovered(self, record: Record, core: Any) -> None:
        """A new life knows what was stored; of what has ended it may have said anything."""
        self._believe(record.actor, core)

    def _believe(self, actor: str, core: Any) -> None:
        if core.state.drain is not None:
            self._drained[actor] = None
        for framework in core.state.frameworks.values():
            for executor in framework.executors.values():
                for task_id, task in executor.tasks.items():
                    key = ((actor, framework.id, task_id), task.launched_at)
                    self._first.pop(key, None)
                    if task.state.is_terminal or task.kill_cause is not None:
                        self._first[key] = None if task.state.is_terminal else task.kill_cause

    @hears(ActorRole.AGENT, KillTask, RevokeTask)
    def asked(self, record: Record, core: Any) -> None:
        """A task is to end."""
        message = record.event
        framework = core.state.frameworks.get(message.framework_id)
        executor = framework.executor_of_task.get(message.task_id) if framework is not None else None
        if executor is not None:
            cause = Cause.KILLED if type(message) is KillTask else Cause.REVOKED
            self._note(record, framework, executor.tasks[message.task_id], cause)

    @hears(ActorRole.AGENT, RevokeExecutor)
    def revoked(self, record: Record, core: Any) -> None:
        """An executor is to end, with its tasks."""
        framework = core.state.frameworks.get(record.event.framework_id)
        executor = framework.executors.get(record.event.executor_id) if framework is not None else None
        for task in executor.tasks.values() if executor is not None else ():
            self._note(record, framework, task, Cause.REVOKED)

    @hears(ActorRole.AGENT, DrainAgent)
    def drained(self, record: Record, core: Any) -> None:
        """All is to end."""
        self._drained[record.actor] = None
        for framework in core.state.frameworks.values():
            for executor in framework.executors.values():
                for task in executor.tasks.values():
                    self._note(record, framework, task, Cause.DRAINED)

    @hears(ActorRole.AGENT, TimerFired)
    def ran_out(self, record: Record, core: Any) -> None:
        """A task that had its last grace takes its whole executor with it."""
        key = record.event.key
        framework = core.state.frameworks.get(key.framework_id) if type(key) is LastGraceEnd else None
        executor = framework.executors.get(key.executor_id) if framework is not None else None
        for task in executor.tasks.values() if executor is not None else ():
            self._note(record, framework, task, task.kill_cause)

    def _note(self, record: Record, framework: Any, task: Any, cause: Cause | None) -> None:
        """It counts if the agent took it, and the task was alive: what has not been delivered ends at once."""
        if task.kill_cause is not None and not (task.delivered and task.state.is_terminal):
            key = ((record.actor, framework.id, task.info.task_id), task.launched_at)
            self._first.setdefault(key, cause)

    @says(ActorRole.AGENT, StatusUpdate)
    def reported(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """It says why a task was killed."""
        status = message.status
        if status.state is not TaskState.TASK_KILLED or status.cause is None:
            return  # that it says one at all is another's affair
        framework = core.state.frameworks.get(message.framework_id)
        executor = framework.executor_of_task.get(status.task_id) if framework is not None else None
        if executor is None or (status.cause is Cause.DRAINED and record.actor in self._drained):
            return
        key = ((record.actor, message.framework_id, status.task_id), executor.tasks[status.task_id].launched_at)
        first = self._first.get(key, Cause.KILLED)
        if first is not None and status.cause is not first:
            text = f"{record.actor} says that {status.task_id} was killed because {status.cause}, first was {first}"
            self.violated(text, status.task_id, record.actor)


class LossesHaveTheirCause(Checker):
    """Of an agent that is removed the tasks are lost for what removed it (which-wins rule 4, drain.md 2.3, 5.5.3)."""

    name = "losses_have_their_cause"
    statement = "Tasks that are lost with an agent that is removed are told the cause for which it was removed."

    def __init__(self) -> None:
        """Start with nobody to be removed."""
        self._why: dict[tuple[Any, AgentId], Cause] = {}

    @says(ActorRole.MASTER, ApplyOperation)
    def written(self, record: Record, core: Any, message: ApplyOperation, to: str) -> None:
        """A master wants an agent removed: whatever it hears says why."""
        if isinstance(message.operation, RemoveAgent) and self.watch.leads(core):
            cause = self._cause(record.event, message.operation.agent_id)
            if cause is not None:
                self._why.setdefault((core, message.operation.agent_id), cause)

    @hears(ActorRole.MASTER, OperationApplied)
    def back(self, record: Record, core: Any) -> None:
        """Who is back may be removed once more, for something else."""
        operation = record.event.operation
        if isinstance(operation, MarkAgentReachable | AdmitAgent):
            agent_id = operation.agent.id
            if agent_id is not None and agent_id in core.state.agents:
                self._why.pop((core, agent_id), None)

    def _cause(self, event: object, agent_id: AgentId) -> Cause | None:
        match event:
            case UnregisterAgent():
                return Cause.UNREGISTERED
            case RegisterAgent():
                return Cause.CRASHED  # another one is at its address (1.2.4)
            case OperationApplied(operation=UpdateMaintenance()):
                return Cause.MACHINE_DOWN
            case OperationApplied(operation=AdmitAgent(agent=agent) | MarkAgentReachable(agent=agent)):
                if agent.id != agent_id:
                    return Cause.CRASHED
                machine = key_of(agent)
                return Cause.MACHINE_DOWN if machine in self.watch.decided.down else Cause.UNREGISTERED
        return None

    @says(ActorRole.MASTER, StatusUpdate)
    def told(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """It is removed, and its tasks are lost."""
        event, status = record.event, message.status
        if type(event) is not OperationApplied or not isinstance(event.operation, RemoveAgent):
            return
        cause = self._why.get((core, event.operation.agent_id))
        if cause is not None and status.reason is Reason.REASON_AGENT_REMOVED and status.cause is not cause:
            text = f"{event.operation.agent_id} was removed because {cause}, and {status.task_id} lost because "
            self.violated(text + f"{status.cause}", status.task_id, event.operation.agent_id)
