"""The command executor: runs the command of one task, and ends with it (core.md 5.11, drain.md 3.2).

Rule: once a kill has begun the task ends as KILLED, whatever its command makes of the signal (TK-80).

                        RunTask              WorkStarted             WorkExited
    Started -> waiting ----------> STARTING -------------> RUNNING ------------> FINISHED, FAILED --+
                  |                    |                      |                                     |
                  |                    +------ KillTask ------+                                     |
                  |                                |                        WorkExited              v
                  |                                +- SIGTERM, grace, SIGKILL ----------> KILLED -> Exit
                  +-- ShutdownExecutor, or the agent gone for good: Exit       acknowledged, or limit
"""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from mesolite.actors.decisions.contract import (
    CancelTimer,
    Core,
    ExecutorStart,
    Exit,
    LinkBroken,
    PeerExited,
    Run,
    SetTimer,
    SignalWork,
    Started,
    Table,
    TimerKey,
    WorkExited,
    WorkFailedToStart,
    WorkStarted,
    on,
)
from mesolite.actors.decisions.executor.registration import ExecutorRegistration, ReconnectTimeout
from mesolite.actors.decisions.rules.grace import kill_grace_s, wish_of
from mesolite.actors.decisions.rules.work_outcome import SIGKILL, SIGTERM, outcome
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.executor import (
    ExecutorRegistered,
    ExecutorReregistered,
    ReconnectExecutor,
    ShutdownExecutor,
)
from mesolite.messages.frameworks import Capability
from mesolite.messages.ids import TaskId, UpdateId
from mesolite.messages.relayed import KillTask, RunTask, StatusUpdateAcknowledgement
from mesolite.messages.tasks import Reason, TaskInfo, TaskState


@frozen
class Escalation(TimerKey):
    """The grace is over: SIGKILL follows SIGTERM (drain.md 3.2.2)."""


@frozen
class AcknowledgementTimeout(TimerKey):
    """Nobody has acknowledged the end of the task in time (3.2.6)."""



class CommandExecutorCore(Core):
    """Decides for the executor of one command task, from its start to its exit."""

    def __init__(self, start: ExecutorStart, settings: Settings) -> None:
        """Start with what the agent gave it, in Mesos the environment of its process."""
        super().__init__()
        self.start = start
        self.settings = settings
        self.registration = ExecutorRegistration(start, settings.executor_recovery_timeout_s)
        self.task: TaskInfo | None = None
        self._says_killing = False
        # What runs for the task; '' until something was started.
        self._work_id = ""
        self._has_process = False
        # When the kill began, when SIGKILL is due, and the signal last wanted; None: no kill has begun.
        self._kill_began = 0.0
        self._deadline = 0.0
        self._wanted_signal: int | None = None
        # The last update of the task; None while the task is alive.
        self._last_update: UpdateId | None = None
        self._ending = False

    # --- the agent -------------------------------------------------------------------------------------

    def _started(self, event: Started, sender: str, now: float) -> None:
        self.effects.extend(self.registration.begin(event))

    def _agent_spoke(self, event: object, sender: str, now: float) -> None:
        if sender != self.registration.agent:
            return
        match event:
            case ExecutorRegistered() | ExecutorReregistered():
                self.effects.extend(self.registration.confirm())
            case RunTask() if self.registration.connected:
                self._run(event, now)
            case KillTask():
                self._kill_asked(event, now)
            case StatusUpdateAcknowledgement():
                self.registration.acknowledge(event)
                if event.uuid == self._last_update:
                    self.effects.append(Exit("the end of its task is acknowledged"))
            case ShutdownExecutor(grace_s=grace_s):
                self._shut_down(grace_s, now)

    def _reconnect(self, event: ReconnectExecutor, sender: str, now: float) -> None:
        self.effects.extend(self.registration.reconnect(sender))

    def _peer_exited(self, event: PeerExited, sender: str, now: float) -> None:
        if event.name != self.registration.agent:
            return
        if self.registration.outlives_agent:
            self.effects.extend(self.registration.await_agent())
        else:
            self._shut_down(self.start.shutdown_grace_s, now)

    def _say(
        self, task_id: TaskId, state: TaskState, now: float, message: str = "", reason: Reason | None = None
    ) -> UpdateId | None:
        update = self.registration.new_update(task_id, state, now, message, reason=reason)
        self.send(self.registration.agent, update)
        return update.status.uuid

    # --- the task --------------------------------------------------------------------------------------

    @property
    def _alive(self) -> bool:
        return self._last_update is None

    def _run(self, event: RunTask, now: float) -> None:
        task = event.task
        self.registration.take(task)
        if self.task is not None:
            message = f"a command executor runs one task, and this one was started for {self.task.task_id}"
            self._say(task.task_id, TaskState.TASK_FAILED, now, message)  # TK-78
            return
        assert task.command is not None, f"{task.task_id} was given to a command executor and has no command"
        self.task = task
        self._says_killing = event.framework_info.can(Capability.TASK_KILLING_STATE)
        self._say(task.task_id, TaskState.TASK_STARTING, now)
        start = self.start
        self._work_id = self.registration.name
        self.effects.append(
            Run(
                self._work_id,
                task.command,
                start.environment,
                start.sandbox,
                task.work,
                task.task_id,
                task.resources,
                start.user,
            )
        )

    def _work_started(self, event: WorkStarted, sender: str, now: float) -> None:
        task = self._task_of(event)
        self._has_process = True
        if self._wanted_signal is None:
            message = f"pid {event.pid}" if event.pid else ""
            self._say(task.task_id, TaskState.TASK_RUNNING, now, message)
        else:
            self._signal(self._wanted_signal)  # it was killed before there was anything to signal

    def _work_failed_to_start(self, event: WorkFailedToStart, sender: str, now: float) -> None:
        reason = Reason.REASON_CONTAINER_LAUNCH_FAILED  # its URIs could not be fetched, say (HT-215)
        self._end(self._task_of(event), TaskState.TASK_FAILED, event.error, now, reason)

    def _work_exited(self, event: WorkExited, sender: str, now: float) -> None:
        state = TaskState.TASK_FINISHED if event.exit_status == 0 else TaskState.TASK_FAILED  # TK-79
        self._end(self._task_of(event), state, outcome(event.exit_status, event.signal), now)

    def _task_of(self, event: WorkStarted | WorkFailedToStart | WorkExited) -> TaskInfo:
        assert self.task is not None, f"{event}, but no task has come"
        assert event.work_id == self._work_id, f"{event}, but what was started is {self._work_id!r}"
        return self.task

    def _end(
        self, task: TaskInfo, state: TaskState, message: str, now: float, reason: Reason | None = None
    ) -> None:
        """Say how the task ended; stay until that is acknowledged, or for a bounded time (TK-82, 3.2.6)."""
        if self._wanted_signal is not None:
            state, reason = TaskState.TASK_KILLED, None
            self.effects.append(CancelTimer(Escalation()))
        self._last_update = self._say(task.task_id, state, now, message, reason)
        self._limit_the_wait()

    def _limit_the_wait(self) -> None:
        settings = self.settings
        limit = settings.executor_shutdown_ack_limit_s if self._ending else settings.executor_ack_limit_s
        self.effects.append(SetTimer(AcknowledgementTimeout(), limit))

    # --- killing it ------------------------------------------------------------------------------------

    def _kill_asked(self, event: KillTask, now: float) -> None:
        if self.task is None:
            # Its launch was lost on the way. Nothing will ever run here, so the agent may as well know.
            self.effects.append(Exit("its task was killed before it came"))
        elif self._alive and event.task_id == self.task.task_id:
            wishes = wish_of(event.kill_policy), wish_of(self.task.kill_policy)
            self._kill(kill_grace_s(self.settings, *wishes), now)

    def _kill(self, grace_s: float, now: float) -> None:
        """SIGTERM now and SIGKILL when the grace is over; asked again, only ever sooner (3.2.2, 3.2.3)."""
        assert self.task is not None, "a kill without a task"
        if self._wanted_signal is None:
            self._kill_began, self._deadline = now, now + grace_s
            if self._says_killing:
                self._say(self.task.task_id, TaskState.TASK_KILLING, now)
            self._signal(SIGTERM)
            self.effects.append(SetTimer(Escalation(), grace_s))
            return
        deadline = self._kill_began + grace_s
        if self._wanted_signal == SIGKILL or deadline >= self._deadline:
            return
        self._deadline = deadline
        if deadline > now:
            self.effects.append(SetTimer(Escalation(), deadline - now))
        else:
            self.effects.append(CancelTimer(Escalation()))
            self._signal(SIGKILL)

    def _signal(self, signum: int) -> None:
        self._wanted_signal = signum
        if self._has_process:
            self.effects.append(SignalWork(self._work_id, signum))

    def _shut_down(self, grace_s: float, now: float) -> None:
        """End, and keep a margin of the grace for escalating and reporting (3.1.7)."""
        if self._ending:
            return
        self._ending = True
        if self.task is None:
            self.effects.append(Exit("shut down before its task came"))
        elif self._alive:
            self._kill(max(0.0, grace_s - self.settings.command_executor_margin_s), now)
        else:
            self._limit_the_wait()

    def _escalate(self, key: Escalation, sender: str, now: float) -> None:
        self._signal(SIGKILL)

    def _agent_is_lost(self, key: ReconnectTimeout, sender: str, now: float) -> None:
        self._shut_down(self.start.shutdown_grace_s, now)

    def _not_acknowledged(self, key: AcknowledgementTimeout, sender: str, now: float) -> None:
        self.effects.append(Exit("nobody acknowledged the end of its task"))

    HANDLERS: ClassVar[Table] = dict(
        [
            on(Started, _started),
            on(PeerExited, _peer_exited),
            on(WorkStarted, _work_started),
            on(WorkFailedToStart, _work_failed_to_start),
            on(WorkExited, _work_exited),
            on(ExecutorRegistered, _agent_spoke),
            on(ExecutorReregistered, _agent_spoke),
            on(ReconnectExecutor, _reconnect),
            on(RunTask, _agent_spoke),
            on(KillTask, _agent_spoke),
            on(StatusUpdateAcknowledgement, _agent_spoke),
            on(ShutdownExecutor, _agent_spoke),
        ]
    )
    TIMERS: ClassVar[Table] = dict(
        [
            on(Escalation, _escalate),
            on(ReconnectTimeout, _agent_is_lost),
            on(AcknowledgementTimeout, _not_acknowledged),
        ]
    )
    IGNORED = frozenset({LinkBroken})
