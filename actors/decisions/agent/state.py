"""What an agent knows and what it wants done: the data every part of the agent's core works on. It decides nothing.

RECOVERING --store read, executors back--> DISCONNECTED <--detection, ping says so-- RUNNING
+------------(re-)registered------------^
any of them --SIGUSR1, ShutdownAgent--> TERMINATING --last framework gone--> exit        (drain.md 0.2.16)
"""

from __future__ import annotations

import enum
from collections import deque

from attrs import define, field, frozen

from mesolite.actors.decisions.agent.writes import Writes
from mesolite.actors.decisions.contract import CancelTimer, Effect, Publish, Send, SetTimer, TimerKey
from mesolite.actors.decisions.detector import LeaderDetector
from mesolite.actors.decisions.moves import Moves, moved
from mesolite.actors.decisions.rules.grace import wish_of
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.base import Message
from mesolite.messages.checking import evolve
from mesolite.messages.drains import DrainConfig
from mesolite.messages.facts import AgentStatus
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import ActorName, AgentId, ExecutorId, FrameworkId, TaskId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.relayed import RunTask, StatusUpdate
from mesolite.messages.tasks import Cause, ExecutorInfo, Reason, TaskInfo, TaskState, TaskStatus

TaskKey = tuple[FrameworkId, TaskId]


class Phase(enum.Enum):
    """The agent's state machine (0.2.16)."""

    RECOVERING = "RECOVERING"
    DISCONNECTED = "DISCONNECTED"
    RUNNING = "RUNNING"
    TERMINATING = "TERMINATING"


class ExecutorPhase(enum.Enum):
    """An executor, as its agent sees it; there is no way back (core.md TK-49)."""

    REGISTERING = "REGISTERING"
    RUNNING = "RUNNING"
    TERMINATING = "TERMINATING"
    TERMINATED = "TERMINATED"


PHASE_MOVES: Moves[Phase] = {
    Phase.RECOVERING: frozenset({Phase.DISCONNECTED, Phase.TERMINATING}),
    Phase.DISCONNECTED: frozenset({Phase.DISCONNECTED, Phase.RUNNING, Phase.TERMINATING}),
    Phase.RUNNING: frozenset({Phase.DISCONNECTED, Phase.TERMINATING}),
    Phase.TERMINATING: frozenset({Phase.TERMINATING, Phase.DISCONNECTED}),
}
"""It may be told to terminate again; if its id is gone it begins anew, when nothing of it is left (identity.py)."""

EXECUTOR_MOVES: Moves[ExecutorPhase] = {
    ExecutorPhase.REGISTERING: frozenset(ExecutorPhase),
    ExecutorPhase.RUNNING: frozenset(set(ExecutorPhase) - {ExecutorPhase.RUNNING}),
    ExecutorPhase.TERMINATING: frozenset({ExecutorPhase.TERMINATING, ExecutorPhase.TERMINATED}),
    ExecutorPhase.TERMINATED: frozenset(),
}
"""There is no way back (TK-49), but that an agent which recovers waits for its executors to register again; and one may
be told again to terminate, with another grace.
"""


COMPLETED_EXECUTORS_MAX, COMPLETED_TASKS_MAX = 150, 200
"""So many ended executors an agent remembers, and of each so many ended tasks (core.md K-44)."""


@frozen
class LastGrace:
    """Until when a killed task has time to end before its executor has to go, and why."""

    ends: float
    cause: Cause


@define(kw_only=True, eq=False)
class TaskRecord:
    """A task on this agent. It is queued until its executor has registered, then launched (TK-37).

    `kill_cause` says why it is being killed, None while nobody wants that: whoever asked first is the cause.
    `statuses`: what was said of it, the newest of each run of equal states, without data (http.md HT-274, HT-350).
    """

    info: TaskInfo
    state: TaskState = TaskState.TASK_STAGING
    delivered: bool = False
    launched_at: float = 0.0
    kill_cause: Cause | None = None
    last_grace: LastGrace | None = None
    statuses: tuple[TaskStatus, ...] = ()

    def said(self, status: TaskStatus) -> None:
        """Keep what was said of it."""
        kept = evolve(status, data="") if status.data else status
        repeated = bool(self.statuses) and self.statuses[-1].state is status.state
        self.statuses = (*self.statuses[:-1], kept) if repeated else (*self.statuses, kept)

    @property
    def own_grace_s(self) -> float | None:
        """What its own kill policy gives it, None if that says nothing."""
        return wish_of(self.info.kill_policy)


@frozen
class Ending:
    """How a task ended, as the agent itself tells it."""

    state: TaskState
    reason: Reason
    message: str
    cause: Cause


@define(kw_only=True, eq=False)
class ExecutorRecord:
    """An executor on this agent. `info` None means the command executor of the one task with the same id (TK-77).

    `revoked`: it is shut down when its last task has ended. `destroyed`: the agent has killed it, with all it runs.
    """

    id: ExecutorId
    info: ExecutorInfo | None
    pid: str
    run: int
    shutdown_grace_s: float
    sandbox: str = ""
    phase: ExecutorPhase = ExecutorPhase.REGISTERING
    tasks: dict[TaskId, TaskRecord] = field(factory=dict)
    completed: dict[TaskId, TaskRecord] = field(factory=dict)
    # Why its tasks ended, if that was decided before it did (3.1.9).
    ending: Ending | None = None
    revoked: bool = False
    destroyed: bool = False

    def become(self, phase: ExecutorPhase) -> None:
        """Change the phase."""
        self.phase = moved(self.phase, phase, EXECUTOR_MOVES)

    @property
    def live_tasks(self) -> list[TaskRecord]:
        """Those not ended, queued ones included."""
        return [task for task in self.tasks.values() if not task.state.is_terminal]


@define(kw_only=True, eq=False)
class FrameworkRecord:
    """A framework with something on this agent. While it terminates, its updates are discarded (2.1.7).

    `executor_of_task`: which executor has a task, so that nobody has to look through all of them.
    """

    info: FrameworkInfo
    scheduler: str
    terminating: bool = False
    executors: dict[ExecutorId, ExecutorRecord] = field(factory=dict)
    executor_of_task: dict[TaskId, ExecutorRecord] = field(factory=dict)

    @property
    def id(self) -> FrameworkId:
        """Its id; a framework an agent hears of always has one."""
        assert self.info.id is not None
        return self.info.id


@define(kw_only=True, eq=False)
class UpdateStream:
    """The unacknowledged updates of one task, oldest first; only the head is ever in flight (TK-10)."""

    updates: list[StatusUpdate] = field(factory=list)
    first: int = 0
    retry_s: float = 0.0
    seen: dict[str, None] = field(factory=dict)
    forwarded: StatusUpdate | None = None


@define(kw_only=True, eq=False)
class AgentState:
    """One agent process."""

    settings: Settings
    info: AgentInfo
    work_dir: str
    detector: LeaderDetector
    writes: Writes = field(factory=Writes)
    name: str = ""
    incarnation: int = 0
    phase: Phase = Phase.RECOVERING
    published: AgentStatus | None = None
    begins_anew: bool = False
    was_admitted: bool = False  # in this life
    id_is_gone: bool = False
    why_it_ends: str = "shut down"
    effects: list[Effect] = field(factory=list)
    frameworks: dict[FrameworkId, FrameworkRecord] = field(factory=dict)
    executor_of_pid: dict[str, tuple[FrameworkRecord, ExecutorRecord]] = field(factory=dict)
    streams: dict[TaskKey, UpdateStream] = field(factory=dict)
    registration_bound_s: float = 0.0
    total_ping_timeout_s: float = 0.0
    ping_deadline: float = 0.0
    drain: DrainConfig | None = None
    # Executors of an earlier life that nothing was stored about: they end by themselves, and no drain is over before.
    orphans: dict[str, None] = field(factory=dict)
    # Launches for frameworks that are being ended here: answered when that is over.
    deferred_launches: list[RunTask] = field(factory=list)
    # Executors that have ended, for who wants to read what they wrote: the oldest first, and bounded.
    completed: deque[tuple[FrameworkInfo, ExecutorRecord]] = field(
        factory=lambda: deque(maxlen=COMPLETED_EXECUTORS_MAX)
    )
    next_update: int = 1
    next_run: int = 1

    @property
    def id(self) -> AgentId | None:
        """The id a master gave it."""
        return self.info.id

    @property
    def leader(self) -> str | None:
        """The actor that leads, as far as this agent knows."""
        return self.detector.leader.name if self.detector.leader is not None else None

    def become(self, phase: Phase) -> None:
        """Change the phase; whoever looks learns whether it is registered, and under which id."""
        self.phase = moved(self.phase, phase, PHASE_MOVES)
        self.publish()

    def publish(self) -> None:
        """Want known what has changed of the agent's status, if anything has."""
        status = AgentStatus(name=ActorName(self.name), agent_id=self.id, registered=self.phase is Phase.RUNNING)
        if status != self.published:
            self.published = status
            self.effects.append(Publish(status))

    def send(self, to: str, message: Message) -> None:
        """Want this said."""
        self.effects.append(Send(to, message))

    def send_to_leader(self, message: Message) -> None:
        """Say it to the leader, if one is known; otherwise it is lost."""
        if self.leader is not None:
            self.send(self.leader, message)

    def set_timer(self, key: TimerKey, after_s: float, spread_s: float = 0.0) -> None:
        """Want to be woken."""
        self.effects.append(SetTimer(key, after_s, spread_s))

    def cancel_timer(self, key: TimerKey) -> None:
        """Want not to be woken."""
        self.effects.append(CancelTimer(key))

    def executor_of(self, framework_id: FrameworkId, executor_id: ExecutorId, actor: str) -> ExecutorRecord | None:
        """The executor of that id, if that actor is it."""
        framework = self.frameworks.get(framework_id)
        executor = framework.executors.get(executor_id) if framework is not None else None
        return executor if executor is not None and executor.pid == actor else None

    def find_task(self, framework: FrameworkRecord, task_id: TaskId) -> tuple[ExecutorRecord, TaskRecord] | None:
        """The task of that id and the executor that has it."""
        executor = framework.executor_of_task.get(task_id)
        return None if executor is None else (executor, executor.tasks[task_id])

    def add_executor(self, framework: FrameworkRecord, executor: ExecutorRecord) -> None:
        """An executor of that framework is here, or on its way."""
        framework.executors[executor.id] = executor
        self.executor_of_pid[executor.pid] = (framework, executor)

    def drop_executor(self, framework: FrameworkRecord, executor: ExecutorRecord) -> None:
        """It is gone, and so are its tasks; it is remembered for a while (core.md K-44)."""
        self.completed.append((framework.info, executor))
        del framework.executors[executor.id]
        del self.executor_of_pid[executor.pid]
        for task_id in executor.tasks:
            del framework.executor_of_task[task_id]

    def add_task(self, framework: FrameworkRecord, executor: ExecutorRecord, task: TaskRecord) -> None:
        """That executor has a task more."""
        executor.tasks[task.info.task_id] = task
        framework.executor_of_task[task.info.task_id] = executor

    def drop_task(self, framework: FrameworkRecord, executor: ExecutorRecord, task_id: TaskId) -> None:
        """Nothing of that task is needed any more; it is remembered for a while (core.md K-44)."""
        executor.completed[task_id] = executor.tasks.pop(task_id)
        if len(executor.completed) > COMPLETED_TASKS_MAX:
            del executor.completed[next(iter(executor.completed))]
        del framework.executor_of_task[task_id]
