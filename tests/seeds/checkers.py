"""What must hold at every step of a seed. `Watch` reads every record as it is written, before its effects are done.

It trusts nobody's word for what is alive: tasks are followed from the moment an executor gets them, or a process
starts, to the moment they end. What operators decided is taken from what the registry stored, not from the books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import define, frozen

from mesolite import Simulation
from mesolite.actors.decisions.command_executor import CommandExecutorCore
from mesolite.actors.decisions.contract import Run, Send, TimerFired, WorkExited, WorkFailedToStart
from mesolite.actors.decisions.master.timers import PingRound
from mesolite.actors.decisions.rules.leader_watch import SessionExpiry, SessionHeartbeat
from mesolite.actors.runtime.port import Seat
from mesolite.actors.trace import Record
from mesolite.messages import (
    ApplyOperation,
    CallAnswered,
    DeactivateAgent,
    DrainInfo,
    DrainState,
    EndDrain,
    EndReclaim,
    FrameworkRegistered,
    FrameworkReregistered,
    MarkAgentGone,
    Offer,
    OperationApplied,
    PongAgent,
    PruneAgents,
    ReactivateAgent,
    Reason,
    RegistryRecovered,
    RemoveAgent,
    ResourceOffers,
    RevokeExecutor,
    RevokeTask,
    RunTask,
    SessionKept,
    ShutdownFramework,
    StartDrain,
    StatusUpdate,
    TaskState,
    TaskStatus,
    UpdateMaintenance,
)
from mesolite.messages.ids import AgentId, FrameworkId, TaskId
from mesolite.messages.resources import ResourceError
from tests.seeds.frameworks import View
from tests.seeds.storage import Storage
from tests.seeds.teeth import OFFERS, Teeth

BOOKS = "(a) the books add up, and no agent has more used and offered than it has"
ENDS = "(d) what a framework was told reliably of a task's end is final"
CAUSES = "(d) an update that says a task was lost or killed carries its cause, any other carries none"
NOTHING_ALIVE = "(e) nothing is alive on an agent whose drain has ended"
ALL_ACKNOWLEDGED = "(f) no last update is unacknowledged on an agent whose drain has ended"
ANSWERED = "(i) a call of an operator is answered once"
IN_TIME = "(l) a framework that is back in time is not ended for being away"

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

QUIET = (PongAgent, SessionKept)
QUIET_TIMERS = (PingRound, SessionHeartbeat, SessionExpiry)
"""What changes nothing the books are about."""


@frozen
class Violation:
    """A statement that did not hold: when, how, and whom it is about."""

    statement: str
    time: float
    text: str
    about: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.statement}\n    at {self.time:.3f} s: {self.text}"


@define(eq=False)
class Host:
    """An executor that is alive, and the tasks that are alive in it."""

    seat: Seat
    tasks: dict[TaskId, None]


class Watch:
    """The checkers of one seed, and what they have found."""

    def __init__(self, sim: Simulation) -> None:
        """Read every record of this simulation from now on."""
        self.sim = sim
        self.violations: list[Violation] = []
        self.tally: Counter[str] = Counter()
        self._find = sim.runtime.directory.find
        sim.trace.subscribe(self._look)
        self._roles: dict[str, Callable[[float, str, Any, Any], None] | None] = {}
        self._executors: dict[str, Host] = {}
        self._final: dict[tuple[str, TaskId], TaskStatus] = {}
        self.deactivated: dict[AgentId, None] = {}
        self.down: dict[tuple[str, str], None] = {}
        self.calls: dict[tuple[str, int], Seat] = {}
        self.scheduled: dict[tuple[str, str], None] = {}
        self._back: dict[FrameworkId, float] = {}
        self.teeth = Teeth(self)
        self.storage = Storage(self)

    def violated(self, statement: str, text: str, *about: object) -> None:
        """Note that a statement did not hold."""
        self.violations.append(self.violation(statement, text, *about))

    def violation(self, statement: str, text: str, *about: object) -> Violation:
        """Say that a statement does not hold, now."""
        return Violation(statement, self.sim.now, text, tuple(str(one) for one in about if one))

    # ------------------------------------------------------------------------------------------------- every record

    def _look(self, record: Record) -> None:
        name = record.party
        if name not in self._roles:
            self._roles[name] = self._role(name)
        look = self._roles[name]
        if look is not None:
            look(record.time, name, record.event, record.effects)

    def _role(self, name: str) -> Callable[[float, str, Any, Any], None] | None:
        if name.startswith("agent-") and "/" in name:
            return self._executor
        if name.startswith("agent-"):
            return self.storage.agent
        if name.endswith("/registrar"):
            return self.storage.registrar
        return self._master if name.startswith("master-") else None

    def _master(self, now: float, name: str, event: Any, effects: Any) -> None:
        seat = self._find(name)
        if seat is None:
            return  # a record of what was lost on its way there
        core: Any = seat.actor.performer.core
        state = core.state
        kind = type(event)
        if kind is OperationApplied and state.leading:
            self._applied(event.operation)
        elif kind is RegistryRecovered and state.leading:
            self._recovered(event.registry)
        elif hasattr(event, "call_id") and state.leading:
            self.calls[(name, event.call_id)] = seat
        for effect in effects:
            if type(effect) is Send:
                self._said(state, name, effect.to, effect.message)
                if kind is TimerFired and type(effect.message) is ShutdownFramework:
                    self._given_up(state, effect.message.framework_id, now)
        if state.leading and kind not in QUIET and not (kind is TimerFired and type(event.key) in QUIET_TIMERS):
            self._check_books(name, core)

    def _said(self, state: Any, name: str, to: str, message: Any) -> None:
        match message:
            case ResourceOffers(offers=offers):
                for offer in offers:
                    self._offered(state, offer)
            case ApplyOperation(operation=EndReclaim(reclaim=reclaim)):
                self.teeth.ends(state, reclaim)
            case ApplyOperation(operation=operation):
                self._written(state, operation)
            case CallAnswered():
                self._answered(name, message)
            case FrameworkRegistered(framework_id=framework_id) | FrameworkReregistered(framework_id=framework_id):
                self._back[framework_id] = self.sim.now
            case RevokeTask(framework_id=framework_id, task_id=task_id):
                self.teeth.revoked(state, to, framework_id, task_id)
            case RevokeExecutor(framework_id=framework_id, executor_id=executor_id):
                self.teeth.revoked(state, to, framework_id, executor_id)

    # ---------------------------------------------------------------------------------------------------- (a) books

    def _check_books(self, name: str, core: Any) -> None:
        try:
            core.check()  # what an agent has is used, offered or free, and nothing is twice
        except (AssertionError, LookupError, ResourceError) as error:
            self.violated(BOOKS, f"{name}: {type(error).__name__}: {error}", name)

    # --------------------------------------------------------------------------------------------------- (b) offers

    def _recovered(self, registry: Any) -> None:
        self.deactivated = {record.agent_id: None for record in registry.deactivated}
        self._set_down(registry.maintenance)
        self.teeth.recovered(registry)

    def _applied(self, operation: Any) -> None:
        match operation:
            case DeactivateAgent(agent_id=agent_id):
                self.deactivated[agent_id] = None
            case StartDrain(drain=drain):
                self.deactivated[drain.agent_id] = None
            case ReactivateAgent(agent_id=agent_id) | RemoveAgent(agent_id=agent_id) | MarkAgentGone(agent_id=agent_id):
                self.deactivated.pop(agent_id, None)
            case PruneAgents(unreachable=unreachable, gone=gone):
                for agent_id in (*unreachable, *gone):
                    self.deactivated.pop(agent_id, None)
            case UpdateMaintenance(maintenance=maintenance):
                self._set_down(maintenance)
        self.teeth.applied(operation)
        self.tally[type(operation).__name__] += 1

    def _set_down(self, maintenance: Any) -> None:
        self.down = {(machine.hostname.casefold(), machine.ip): None for machine in maintenance.down}
        scheduled = [machine for window in maintenance.windows for machine in window.machines]
        self.scheduled = {(machine.hostname.casefold(), machine.ip): None for machine in scheduled}

    def _offered(self, state: Any, offer: Offer) -> None:
        agent = state.agents.get(offer.agent_id)
        why_not = ""
        if agent is None or not agent.connected:
            why_not = "is away"
        elif offer.agent_id in self.deactivated:
            why_not = "is deactivated"
        elif (agent.info.hostname.casefold(), agent.info.ip) in self.down and offer.agent_id not in state.removing:
            why_not = "is on a machine that is down"
        if why_not:
            self.violated(OFFERS, f"{offer.id} is of {offer.agent_id}, which {why_not}", offer.agent_id)
        else:
            self.teeth.offered(state, offer)

    # ---------------------------------------------------------------------------------------------- (e), (f): drains

    def _written(self, state: Any, operation: Any) -> None:
        drain = operation.drain if isinstance(operation, EndDrain | MarkAgentGone) else None
        if drain is not None:
            self.tally[f"drain ended {drain.state}"] += 1
            if drain.state in (DrainState.DRAINED, DrainState.GONE):
                self._check_drained(state, drain)

    def _check_drained(self, state: Any, drain: DrainInfo) -> None:
        agent = state.agents.get(drain.agent_id)
        if agent is None:
            self.violated(NOTHING_ALIVE, f"{drain.id} ended, but {drain.agent_id} is not there", drain.agent_id)
            return
        for task_id in self.alive_on(agent.party):
            text = f"{drain.id} of {drain.agent_id} ended {drain.state} while {task_id} was alive on {agent.party}"
            self.violated(NOTHING_ALIVE, text, task_id, drain.agent_id)
        for _, task_id in unacknowledged(self._find(agent.party)):
            text = f"{drain.id} of {drain.agent_id} ended {drain.state} before the end of {task_id} was acknowledged"
            self.violated(ALL_ACKNOWLEDGED, text, task_id, drain.agent_id)

    # --------------------------------------------------------------------------------------------- (l) frameworks

    def _given_up(self, state: Any, framework_id: FrameworkId, now: float) -> None:
        ended, back = state.completed_frameworks.get(framework_id), self._back.get(framework_id)
        if ended is not None and back is not None and now - back < ended.info.failover_timeout_s - 1e-6:
            text = f"{framework_id} was back at {back:.3f} s, has {ended.info.failover_timeout_s:g} s, and is ended"
            self.violated(IN_TIME, text, framework_id)

    # ------------------------------------------------------------------------------------------- what is alive where

    def _executor(self, now: float, name: str, event: Any, effects: Any) -> None:
        seat = self._find(name)
        if seat is None:
            return
        host = self._executors.get(name)
        if host is None or host.seat is not seat:
            host = self._executors[name] = Host(seat, {})
        core = seat.actor.performer.core
        if isinstance(core, CommandExecutorCore):
            if isinstance(event, WorkExited | WorkFailedToStart):
                host.tasks.clear()
            elif core.task is not None and any(type(effect) is Run for effect in effects):
                host.tasks[core.task.task_id] = None
        elif type(event) is RunTask:
            host.tasks[event.task.task_id] = None
        else:
            for effect in effects:
                if type(effect) is Send and type(effect.message) is StatusUpdate:
                    status = effect.message.status
                    if status.state.is_terminal:
                        host.tasks.pop(status.task_id, None)

    def alive_on(self, party: str) -> list[TaskId]:
        """The tasks that are alive on that agent's machine."""
        return [
            task_id
            for host in self._executors.values()
            if host.seat.alive and host.seat.host == party
            for task_id in host.tasks
        ]

    def is_alive(self, task_id: TaskId) -> bool:
        """Whether the task is alive anywhere."""
        return any(host.seat.alive and task_id in host.tasks for host in self._executors.values())

    # ---------------------------------------------------------------------------------- (d) what frameworks are told

    def told(self, view: View, status: TaskStatus) -> None:
        """A framework is told something of a task."""
        self.tally[f"told {status.state.name}"] += 1
        if status.cause is not None:
            self.tally[f"cause {status.cause}"] += 1
        self._check_cause(status)
        key = (view.name, status.task_id)
        final = self._final.get(key)
        if final is not None and status.uuid != final.uuid and not _may_follow(final, status):
            text = f"{view.name} was told {status.state} ({status.reason}) of {status.task_id}, which is {final.state}"
            self.violated(ENDS, text, status.task_id)
        elif status.uuid is not None and status.state.is_terminal:
            self._final[key] = status

    def _check_cause(self, status: TaskStatus) -> None:
        reconciled = status.reason is Reason.REASON_RECONCILIATION and status.uuid is None
        if status.state in CAUSED and status.cause is None and not reconciled:
            self.violated(CAUSES, f"{status.task_id} is {status.state} ({status.reason}), no cause", status.task_id)
        if status.state not in CAUSED | MAY_BE_CAUSED and status.cause is not None:
            text = f"{status.task_id} is {status.state} ({status.reason}), because {status.cause}"
            self.violated(CAUSES, text, status.task_id)

    # ----------------------------------------------------------------------------------------------- (i) operators

    def _answered(self, name: str, answer: CallAnswered) -> None:
        self.tally[f"answered {answer.code}"] += 1
        if self.calls.pop((name, answer.call_id), None) is None:
            self.violated(ANSWERED, f"{name} answered call {answer.call_id} again, or unasked", name)


def _may_follow(final: TaskStatus, status: TaskStatus) -> bool:
    """What may still be said of a task whose end its framework knows, but not all of its agent and master.

    By a master only: the same again; that the agent is gone, before the acknowledgement had passed (2.3.6, 10.8); and
    where a task would be that it knows nothing of, or no longer, if asked (1.10.1).
    """
    if status.reason is Reason.REASON_RECONCILIATION:
        return status.uuid is None and (status.state is final.state or status.state in ANSWERS_ABOUT_UNKNOWN_TASKS)
    gone = status.state.is_terminal or status.state is TaskState.TASK_UNREACHABLE
    again = status.state is final.state or (gone and status.reason is not Reason.REASON_AGENT_REREGISTERED)
    return status.uuid is None and again


def unacknowledged(seat: Seat | None) -> list[tuple[FrameworkId, TaskId]]:
    """The tasks whose updates that agent still keeps; none if it is not running."""
    if seat is None:
        return []
    core: Any = seat.actor.performer.core
    return [key for key, stream in core.state.streams.items() if stream.updates]


