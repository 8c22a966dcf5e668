"""The executor driver's core, as lists of events with the exact effects each must have."""

from __future__ import annotations

from collections.abc import Callable

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
    CallLater,
    CallLaterCall,
    ExecutorMessageCall,
    SendStatusUpdateCall,
    StopExecutorCall,
)
from mesolite.actors.decisions.executor.core import ExecutorCore, ShutdownTimeout
from mesolite.actors.decisions.executor.registration import ReconnectTimeout
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.executor import (
    ExecutorRegistered,
    ExecutorReregistered,
    ReconnectExecutor,
    RegisterExecutor,
    ReregisterExecutor,
    ShutdownExecutor,
)
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.infos import AgentInfo
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
RECOVERY_OVER = TimerFired(ReconnectTimeout())
NO_RECOVERY = CancelTimer(ReconnectTimeout())
SHUTDOWN_GRACE = SetTimer(ShutdownTimeout(), 5.0)


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


def unborn(checkpoint: bool = True) -> ExecutorCore:
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
    return ExecutorCore(start, Settings.mesos())


def started(checkpoint: bool = True, incarnation: int = 1) -> ExecutorCore:
    """An executor that the agent does not know yet."""
    core = unborn(checkpoint)
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
    tasks: tuple[TaskInfo, ...] = (), updates: tuple[StatusUpdate, ...] = (), *, had_task: bool = False
) -> ReregisterExecutor:
    return ReregisterExecutor(
        framework_id="m1-F1", executor_id="e1", had_task=had_task, tasks=tasks, updates=updates
    )


# --- what the agent says -------------------------------------------------------------------------------


def test_an_executor_registers_once() -> None:
    """It links to its agent and says so; the agent's time-out is the only safety net (TK-65)."""
    assert ask(unborn(), Started(NAME, 1)) == [
        Link("agent-1"),
        Send("agent-1", RegisterExecutor(framework_id="m1-F1", executor_id="e1")),
    ]


def test_being_registered_is_the_first_callback() -> None:
    """The executor learns what it is, for whom, and where (TK-52)."""
    assert hear(started(), REGISTERED) == [
        NO_RECOVERY,
        Callback("registered", (EXECUTOR, FRAMEWORK, AGENT), 1),
    ]


NEWS = [
    (RUN, "launch_task", (TASK,)),
    (KILL, "kill_task", ("t1", KillPolicy(grace_period_s=1.0))),
    (
        FrameworkToExecutor(framework_id="m1-F1", agent_id="m1-S1", executor_id="e1", data="hi"),
        "framework_message",
        ("hi",),
    ),
]
CALLBACKS = [row[1] for row in NEWS]


@pytest.mark.parametrize(("message", "callback", "arguments"), NEWS, ids=CALLBACKS)
def test_what_the_agent_says_is_a_callback(
    message: object, callback: str, arguments: tuple[object, ...]
) -> None:
    """Each message has its callback; the policy of a kill gets through, which Mesos loses (3.2.7)."""
    assert hear(registered(), message) == [Callback(callback, arguments, 2)]


@pytest.mark.parametrize("message", [row[0] for row in NEWS], ids=CALLBACKS)
def test_what_anybody_else_says_is_ignored(message: object) -> None:
    """An executor has one agent."""
    assert hear(registered(), message, "agent-2") == []


@pytest.mark.scenario("SlaveTest.DisconnectedExecutorDropsMessages")
def test_an_executor_without_an_agent_takes_no_tasks() -> None:
    """Launches are ignored while disconnected; kills are delivered all the same (TK-68)."""
    core = registered()

    # The agent goes; its framework is checkpointing, so the executor stays.
    hear(core, AGENT_EXITED)
    # A launch reaches it, from before or from an agent that has not asked it back yet.
    assert hear(core, RUN) == []
    # A kill does get through.
    assert hear(core, KILL) == [Callback("kill_task", ("t1", KillPolicy(grace_period_s=1.0)), 2)]


# --- updates -------------------------------------------------------------------------------------------


def test_an_update_is_sent_with_a_uuid_of_its_own() -> None:
    """Two updates, also of two lives under one name, never share one (TK-8, TK-20)."""
    core = registered(incarnation=2)

    assert say(core, TaskState.TASK_RUNNING) == [Send("agent-1", said(TaskState.TASK_RUNNING, 1, 2))]
    assert say(core, TaskState.TASK_RUNNING) == [Send("agent-1", said(TaskState.TASK_RUNNING, 2, 2))]


def test_a_restarted_agent_is_told_what_was_never_acknowledged() -> None:
    """It gets every unacknowledged update, and every task that no acknowledgement has been seen for (TK-67)."""
    core = registered()
    returned(core, hear(core, RUN)[-1])
    say(core, TaskState.TASK_STARTING)
    say(core, TaskState.TASK_RUNNING)

    # The agent goes, and its next life asks.
    assert hear(core, AGENT_EXITED) == [SetTimer(ReconnectTimeout(), 900.0)]
    starting, running = said(TaskState.TASK_STARTING, 1), said(TaskState.TASK_RUNNING, 2)
    assert hear(core, ReconnectExecutor()) == [
        Link("agent-1"),
        Send("agent-1", known_again((TASK,), (starting, running), had_task=True)),
    ]
    # It answers: the wait is over, and tasks are taken again.
    assert hear(core, REREGISTERED) == [NO_RECOVERY]
    assert hear(core, RUN) == [Callback("launch_task", (TASK,), 3)]


def test_an_acknowledged_update_is_forgotten_and_its_task_is_known() -> None:
    """Any acknowledged update of a task shows that the agent knows the task (TK-69)."""
    core = registered()
    returned(core, hear(core, RUN)[-1])
    say(core, TaskState.TASK_STARTING)
    say(core, TaskState.TASK_RUNNING)

    assert hear(core, acknowledged(1)) == []
    # A second time changes nothing.
    assert hear(core, acknowledged(1)) == []

    again = known_again((), (said(TaskState.TASK_RUNNING, 2),), had_task=True)
    assert hear(core, ReconnectExecutor())[-1] == Send("agent-1", again)


def test_whoever_asks_an_executor_back_is_its_agent_from_then_on() -> None:
    """The next life of an agent may have another address (TK-67)."""
    core = registered()
    hear(core, AGENT_EXITED)

    assert hear(core, ReconnectExecutor(), "agent-1b") == [Link("agent-1b"), Send("agent-1b", known_again())]
    hear(core, REREGISTERED, "agent-1b")
    update = said(TaskState.TASK_RUNNING, 1)
    assert say(core, TaskState.TASK_RUNNING) == [Send("agent-1b", update)]


def test_a_message_to_the_scheduler_goes_by_way_of_the_agent() -> None:
    """It is said once and never again (TK-71)."""
    message = ExecutorToFramework(framework_id="m1-F1", agent_id="m1-S1", executor_id="e1", data="hi")

    assert ask(registered(), ExecutorMessageCall("hi")) == [Send("agent-1", message)]


def test_a_function_can_be_called_later() -> None:
    """It is a callback like any other; the past is now."""
    core = registered()

    assert ask(core, CallLaterCall(3, 2.5)) == [SetTimer(CallLater(3), 2.5)]
    assert ask(core, CallLaterCall(4, -1.0)) == [SetTimer(CallLater(4), 0.0)]
    assert ask(core, TimerFired(CallLater(3))) == [Callback("call_later", (3,), 2)]


# --- the end -------------------------------------------------------------------------------------------


def test_an_executor_that_is_told_to_shut_down_ends_when_its_code_has_returned() -> None:
    """The grace is the agent's to give; updates of the last hour still go out (TK-70, 3.1.6)."""
    core = registered()

    callback = Callback("shutdown", (), 2)
    assert hear(core, ShutdownExecutor(grace_s=5.0)) == [SHUTDOWN_GRACE, callback]
    # Nobody is heard any more.
    assert hear(core, RUN) == []
    assert hear(core, ShutdownExecutor(grace_s=1.0)) == []
    assert hear(core, AGENT_EXITED) == []
    assert hear(core, ReconnectExecutor()) == []
    assert ask(core, RECOVERY_OVER) == []
    # But its own code may say how its tasks ended.
    killed = said(TaskState.TASK_KILLED, 1)
    assert say(core, TaskState.TASK_KILLED) == [Send("agent-1", killed)]
    assert returned(core, callback) == [Exit("shut down")]


def test_an_executor_whose_shutdown_takes_too_long_is_cut_off() -> None:
    """It ends as a process does that was killed (3.1.6)."""
    core = registered()
    hear(core, ShutdownExecutor(grace_s=5.0))

    assert ask(core, TimerFired(ShutdownTimeout())) == [Exit("shutdown() did not return within the grace", 9)]


def test_callbacks_that_wait_go_before_the_shutdown() -> None:
    """What the agent said first is done first, as if each callback took no time."""
    core = registered()
    launch = hear(core, RUN)[-1]
    kill = Callback("kill_task", ("t1", KillPolicy(grace_period_s=1.0)), 3)

    assert hear(core, KILL) == []
    assert hear(core, ShutdownExecutor(grace_s=5.0)) == [SHUTDOWN_GRACE]
    assert returned(core, launch) == [kill]
    assert returned(core, kill) == [Callback("shutdown", (), 4)]


@pytest.mark.parametrize(
    "core",
    [
        pytest.param(lambda: registered(checkpoint=False), id="its-framework-is-not-checkpointing"),
        pytest.param(lambda: started(checkpoint=True), id="it-had-not-registered-yet"),
    ],
)
def test_an_executor_that_cannot_wait_goes_with_its_agent(core: Callable[[], ExecutorCore]) -> None:
    """Without checkpointing, or unknown to the agent, it shuts down at once (TK-66, 3.1.11)."""
    timer, callback = hear(core(), AGENT_EXITED)

    assert timer == SHUTDOWN_GRACE
    assert isinstance(callback, Callback)
    assert callback.callback == "shutdown"


def test_an_executor_whose_agent_never_comes_back_ends() -> None:
    """It waits for the recovery time-out, 15 min, and then shuts itself down (TK-66, 3.1.11)."""
    core = registered()
    hear(core, AGENT_EXITED)

    assert ask(core, RECOVERY_OVER) == [SHUTDOWN_GRACE, Callback("shutdown", (), 2)]


def test_the_end_of_anybody_but_the_agent_means_nothing() -> None:
    """Only the link to the agent counts."""
    assert hear(registered(), PeerExited("agent-2", 1), "agent-2") == []


def test_a_callback_that_raises_ends_the_executor() -> None:
    """The agent then reports its tasks as failed (3.1.9); what was waiting is not called."""
    core = registered()
    launch = hear(core, RUN)[-1]
    hear(core, KILL)

    assert returned(core, launch, "launch_task raised KeyError: 1") == [Exit("launch_task raised KeyError: 1", 1)]


def test_an_executor_may_stop_itself() -> None:
    """Nothing is called between the return of the callback that stopped it and its end."""
    core = registered()
    launch = hear(core, RUN)[-1]
    hear(core, KILL)

    assert returned(core, launch, still_running=False) == []
    assert hear(core, RUN) == []
    assert ask(core, StopExecutorCall()) == [Exit("stopped")]
