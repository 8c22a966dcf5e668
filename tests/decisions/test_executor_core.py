"""The executor driver's core, as lists of events with the exact effects each must have."""

from __future__ import annotations

import pytest

from mesolite.actors.decisions.contract import (
    Callback,
    CallbackReturned,
    CancelTimer,
    Effect,
    ExecutorStart,
    Exit,
    Link,
    PeerExited,
    Send,
    SetTimer,
    Started,
    TimerFired,
)
from mesolite.actors.decisions.driver_calls import (
    CallLaterCall,
    ExecutorMessageCall,
    SendStatusUpdateCall,
    StopExecutorCall,
)
from mesolite.actors.decisions.executor import ExecutorCore
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.agents import AgentInfo
from mesolite.messages.executor import (
    ExecutorRegistered,
    ExecutorReregistered,
    ReconnectExecutor,
    RegisterExecutor,
    ReregisterExecutor,
    ShutdownExecutor,
)
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.relayed import (
    ExecutorToFramework,
    FrameworkToExecutor,
    KillTask,
    RunTask,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.tasks import ExecutorInfo, KillPolicy, Source, TaskInfo, TaskState, TaskStatus

NAME = "e1@agent-1"
EXECUTOR = ExecutorInfo(executor_id="e1", name="worker")
FRAMEWORK = FrameworkInfo(name="web", id="m1-F1")
AGENT = AgentInfo(hostname="h1", resources="cpus:4", id="m1-S1")
REGISTERED = ExecutorRegistered(executor_info=EXECUTOR, framework_info=FRAMEWORK, agent_info=AGENT)
REREGISTERED = ExecutorReregistered(agent_info=AGENT)
TASK = TaskInfo(task_id="t1", executor=EXECUTOR)
RUN = RunTask(framework_id="m1-F1", framework_info=FRAMEWORK, scheduler="web", task=TASK)
KILL = KillTask(framework_id="m1-F1", task_id="t1", kill_policy=KillPolicy(grace_period_s=1.0))
AGENT_EXITED = PeerExited("agent-1", 1)
RECOVERY_OVER = TimerFired(("recovery",))
NO_RECOVERY = CancelTimer(("recovery",))
SHUTDOWN_GRACE = SetTimer(("grace-over",), 5.0)


def hear(core: ExecutorCore, event: object, sender: str = "agent-1") -> list[Effect]:
    return core.handle(event, sender, 0.0)


def ask(core: ExecutorCore, call: object) -> list[Effect]:
    return core.handle(call, NAME, 0.0)


def returned(
    core: ExecutorCore, callback: Effect, error: str | None = None, still_running: bool = True
) -> list[Effect]:
    """The user's code has returned from this callback."""
    assert isinstance(callback, Callback)
    return ask(core, CallbackReturned(callback.callback, callback.serial, error, still_running))


def started(checkpoint: bool = True, incarnation: int = 1) -> ExecutorCore:
    """An executor that the agent does not know yet."""
    start = ExecutorStart(
        framework_id="m1-F1",
        executor_id="e1",
        agent="agent-1",
        agent_id="m1-S1",
        info=EXECUTOR,
        checkpoint=checkpoint,
        shutdown_grace_s=5.0,
        sandbox="/s",
    )
    core = ExecutorCore(start, Settings.mesos())
    ask(core, Started(NAME, incarnation))
    return core


def registered(checkpoint: bool = True, incarnation: int = 1) -> ExecutorCore:
    """An executor whose user's code has returned from `registered`, its first callback."""
    core = started(checkpoint, incarnation)
    returned(core, hear(core, REGISTERED)[-1])
    return core


def said(state: TaskState, number: int, incarnation: int = 1) -> StatusUpdate:
    """The update that the executor sends as its `number`th."""
    status = TaskStatus(
        task_id="t1",
        state=state,
        source=Source.SOURCE_EXECUTOR,
        message="so it is",
        agent_id="m1-S1",
        executor_id="e1",
        timestamp=8.0,
        uuid=f"{NAME}.{incarnation}:{number}",
    )
    return StatusUpdate(framework_id="m1-F1", status=status, latest_state=state)


def say(core: ExecutorCore, state: TaskState) -> list[Effect]:
    return ask(core, SendStatusUpdateCall("t1", state, "so it is", "", 8.0))


def acknowledged(number: int) -> StatusUpdateAcknowledgement:
    return StatusUpdateAcknowledgement(
        framework_id="m1-F1", agent_id="m1-S1", task_id="t1", uuid=f"{NAME}.1:{number}"
    )


def known_again(
    tasks: tuple[TaskInfo, ...] = (), updates: tuple[StatusUpdate, ...] = ()
) -> ReregisterExecutor:
    return ReregisterExecutor(framework_id="m1-F1", executor_id="e1", tasks=tasks, updates=updates)


# --- what the agent says -------------------------------------------------------------------------------


def test_an_executor_registers_once() -> None:
    """It links to its agent and says so; the agent's time-out is the only safety net (TK-65)."""
    core = ExecutorCore(started().registration_start, Settings.mesos()) if False else started()
    assert core.callbacks.running is None
