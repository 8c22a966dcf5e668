"""The executor driver: stands between a user-written executor and its agent (core.md 5.8, drain.md 3.1).

Rule: it believes its agent and nobody else, and calls user code one callback at a time. What user code does
with a task is its own affair; a callback that raises ends the executor, and the agent reports its tasks.

    Started --> running --ShutdownExecutor, or the agent gone for good--> ending --> Exit
                   |                                                         shutdown returned, or grace over
                   +-- stop(), or a callback raised --> Exit
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from mesolite.actors.decisions.callback_queue import CallbackQueue
from mesolite.actors.decisions.contract import (
    CallbackReturned,
    Core,
    ExecutorStart,
    Exit,
    LinkBroken,
    PeerExited,
    SetTimer,
    Started,
    Table,
    TimerKey,
    on,
)
from mesolite.actors.decisions.driver_calls import (
    CallLater,
    CallLaterCall,
    ExecutorMessageCall,
    SendStatusUpdateCall,
    StopExecutorCall,
)
from mesolite.actors.decisions.executor.registration import ExecutorRegistration, ReconnectTimeout
from mesolite.actors.decisions.rules.work_outcome import SIGKILL
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.executor import (
    ExecutorRegistered,
    ExecutorReregistered,
    ReconnectExecutor,
    ShutdownExecutor,
)
from mesolite.messages.ids import TaskId
from mesolite.messages.relayed import (
    ExecutorToFramework,
    FrameworkToExecutor,
    KillTask,
    RunTask,
    StatusUpdateAcknowledgement,
)


@frozen
class ShutdownTimeout(TimerKey):
    """`shutdown` has not returned within the grace (drain.md 3.1.6)."""



USER_CODE_RAISED = 1
"""What an executor exits with when its user's code has raised."""


class ExecutorCore(Core):
    """Decides for one user-written executor, from its start to its exit."""

    def __init__(self, start: ExecutorStart, settings: Settings) -> None:
        """Start with what the agent gave it, in Mesos the environment of its process."""
        super().__init__()
        self.registration = ExecutorRegistration(start, settings.executor_recovery_timeout_s)
        self.callbacks = CallbackQueue()
        self.tasks: dict[TaskId, None] = {}
        """Those that user code was given and has not said the end of."""
        self._grace_s = start.shutdown_grace_s
        self._ending = False

    # --- the agent -------------------------------------------------------------------------------------

    def _started(self, event: Started, sender: str, now: float) -> None:
        self.effects.extend(self.registration.begin(event))

    def _agent_spoke(self, event: object, sender: str, now: float) -> None:
        """Only its agent is heard, and once it is ending nobody (drain.md 3.1.6)."""
        if self._ending or sender != self.registration.agent:
            return
        match event:
            case ExecutorRegistered(executor_info=executor, framework_info=framework, agent_info=agent):
                self.effects.extend(self.registration.confirm())
                self._callback("registered", executor, framework, agent)
            case ExecutorReregistered():
                self.effects.extend(self.registration.confirm())
            case RunTask(task=task) if self.registration.connected:
                self.registration.take(task)
                self.tasks[task.task_id] = None
                self._callback("launch_task", task)
            case KillTask(task_id=task_id, kill_policy=kill_policy):
                # Connected or not (TK-68); the policy gets here, while Mesos loses it on the way (3.2.7).
                self._callback("kill_task", task_id, kill_policy)
            case StatusUpdateAcknowledgement():
                self.registration.acknowledge(event)
            case FrameworkToExecutor(data=data):
                self._callback("framework_message", data)
            case ShutdownExecutor(grace_s=grace_s):
                self._shut_down(grace_s)

    def _reconnect(self, event: ReconnectExecutor, sender: str, now: float) -> None:
        if not self._ending:
            self.effects.extend(self.registration.reconnect(sender))

    def _peer_exited(self, event: PeerExited, sender: str, now: float) -> None:
        if self._ending or event.name != self.registration.agent:
            return
        if self.registration.outlives_agent:
            self.effects.extend(self.registration.await_agent())
        else:
            self._shut_down(self._grace_s)

    def _shut_down(self, grace_s: float) -> None:
        """The user's code has until the grace is over to return from `shutdown` (TK-70)."""
        self._ending = True
        self.effects.append(SetTimer(ShutdownTimeout(), grace_s))
        self._callback("shutdown")

    def _shutdown_takes_too_long(self, key: ShutdownTimeout, sender: str, now: float) -> None:
        # The status of a process that was killed, which in Mesos it would have been.
        self.effects.append(Exit("shutdown() did not return within the grace", SIGKILL))

    def _agent_is_lost(self, key: ReconnectTimeout, sender: str, now: float) -> None:
        if not self._ending:
            self._shut_down(self._grace_s)

    def _call_is_due(self, key: CallLater, sender: str, now: float) -> None:
        if not self._ending:
            self._callback("call_later", key.call_id)

    # --- user code -------------------------------------------------------------------------------------

    def _callback(self, callback: str, *arguments: Any) -> None:
        self.effects.extend(self.callbacks.add(callback, *arguments))

    def _callback_returned(self, event: CallbackReturned, sender: str, now: float) -> None:
        finished = self.callbacks.returned(event)
        if event.error is not None:
            self.effects.append(Exit(event.error, USER_CODE_RAISED))
        elif finished.callback == "shutdown":
            self.effects.append(Exit("shut down"))
        elif event.still_running:
            self.effects.extend(self.callbacks.begin_next())
        else:
            # It has stopped its driver: the call is on its way, and nothing is called in between.
            self._ending = True

    def _asked(self, event: object, sender: str, now: float) -> None:
        registration = self.registration
        match event:
            case SendStatusUpdateCall(task_id, state, message, data, said_at):
                if state.is_terminal:
                    self.tasks.pop(task_id, None)
                update = registration.new_update(task_id, state, said_at, message, data)
                self.send(registration.agent, update)
            case ExecutorMessageCall(data=data):
                message_to_framework = ExecutorToFramework(
                    framework_id=registration.framework_id,
                    agent_id=registration.agent_id,
                    executor_id=registration.executor_id,
                    data=data,
                )
                self.send(registration.agent, message_to_framework)
            case CallLaterCall(call_id=call_id, delay_s=delay_s):
                self.effects.append(SetTimer(CallLater(call_id), max(0.0, delay_s)))
            case StopExecutorCall():
                self.effects.append(Exit("stopped"))

    HANDLERS: ClassVar[Table] = dict(
        [
            on(Started, _started),
            on(PeerExited, _peer_exited),
            on(CallbackReturned, _callback_returned),
            on(ExecutorRegistered, _agent_spoke),
            on(ExecutorReregistered, _agent_spoke),
            on(ReconnectExecutor, _reconnect),
            on(RunTask, _agent_spoke),
            on(KillTask, _agent_spoke),
            on(StatusUpdateAcknowledgement, _agent_spoke),
            on(FrameworkToExecutor, _agent_spoke),
            on(ShutdownExecutor, _agent_spoke),
            on(SendStatusUpdateCall, _asked),
            on(ExecutorMessageCall, _asked),
            on(CallLaterCall, _asked),
            on(StopExecutorCall, _asked),
        ]
    )
    TIMERS: ClassVar[Table] = dict(
        [
            on(ShutdownTimeout, _shutdown_takes_too_long),
            on(ReconnectTimeout, _agent_is_lost),
            on(CallLater, _call_is_due),
        ]
    )
    IGNORED = frozenset({LinkBroken})
