"""The command executor's core, as lists of events with the exact effects each must have."""

from __future__ import annotations

import attrs
import pytest

from mesolite.actors.decisions.contract import (
    CancelTimer,
    Effect,
    ExecutorStart,
    Exit,
    Link,
    PeerExited,
    Run,
    Send,
    SetTimer,
    SignalWork,
    Started,
    TimerFired,
    WorkExited,
    WorkFailedToStart,
    WorkStarted,
)
from mesolite.actors.decisions.executor.command import AcknowledgementTimeout, CommandExecutorCore, Escalation
from mesolite.actors.decisions.executor.registration import ReconnectTimeout
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.checking import evolve
from mesolite.messages.executor import (
    ExecutorRegistered,
    ExecutorReregistered,
    ReconnectExecutor,
    RegisterExecutor,
    ReregisterExecutor,
    ShutdownExecutor,
)
from mesolite.messages.frameworks import Capability, FrameworkInfo
from mesolite.messages.infos import AgentInfo
from mesolite.messages.relayed import KillTask, RunTask, StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.tasks import (
    CommandInfo,
    ExecutorInfo,
    KillPolicy,
    Reason,
    SimulatedWork,
    Source,
    TaskInfo,
    TaskState,
    TaskStatus,
)

NAME = "t1@agent-1"
FRAMEWORK = FrameworkInfo(name="web", id="m1-F1")
TELLS_KILLING = FrameworkInfo(name="web", id="m1-F1", capabilities=(Capability.TASK_KILLING_STATE,))
AGENT = AgentInfo(hostname="h1", resources="cpus:4", id="m1-S1")
REGISTERED = ExecutorRegistered(
    executor_info=ExecutorInfo(executor_id="t1"), framework_info=FRAMEWORK, agent_info=AGENT
)
COMMAND = CommandInfo(value="sleep 30")
WORK = SimulatedWork(duration=30.0)
TASK = TaskInfo(task_id="t1", command=COMMAND, work=WORK, resources="cpus:1;mem:64")
AGENT_EXITED = PeerExited("agent-1", 1)
ESCALATION = TimerFired(Escalation())
NO_ESCALATION = CancelTimer(Escalation())
PATIENCE = SetTimer(AcknowledgementTimeout(), 60.0)
HURRY = SetTimer(AcknowledgementTimeout(), 1.0)
TERM = SignalWork(NAME, 15)
KILL = SignalWork(NAME, 9)
KILLED_BY_TERM = WorkExited(NAME, None, 15)


def hear(core: CommandExecutorCore, event: object, now: float = 0.0, sender: str = "agent-1") -> list[Effect]:
    return core.handle(event, sender, now)


def unborn(checkpoint: bool = True) -> CommandExecutorCore:
    start = ExecutorStart(
        framework_id="m1-F1",
        executor_id="t1",
        agent="agent-1",
        agent_id="m1-S1",
        info=None,
        checkpoint=checkpoint,
        shutdown_grace_s=5.0,
        sandbox="/s",
        environment=(("A", "1"),),
    )
    return CommandExecutorCore(start, Settings.mesos())


def registered(checkpoint: bool = True) -> CommandExecutorCore:
    """An executor that the agent knows and has given nothing to do."""
    core = unborn(checkpoint)
    hear(core, Started(NAME, 1))
    hear(core, REGISTERED)
    return core


def launch(task: TaskInfo = TASK, framework: FrameworkInfo = FRAMEWORK) -> RunTask:
    return RunTask(framework_id="m1-F1", framework_info=framework, scheduler="web", task=task)


def running(
    kill_policy: KillPolicy | None = None, framework: FrameworkInfo = FRAMEWORK, checkpoint: bool = True
) -> CommandExecutorCore:
    """An executor whose command is running; it has sent two updates."""
    core = registered(checkpoint)
    task = evolve(TASK, kill_policy=kill_policy)
    hear(core, launch(task, framework))
    hear(core, WorkStarted(NAME, 0))
    return core


def said(
    number: int, state: TaskState, message: str = "", now: float = 0.0, task_id: str = "t1"
) -> StatusUpdate:
    """The update that the executor sends as its `number`th."""
    status = TaskStatus(
        task_id=task_id,
        state=state,
        source=Source.SOURCE_EXECUTOR,
        message=message,
        agent_id="m1-S1",
        executor_id="t1",
        timestamp=now,
        uuid=f"{NAME}.1:{number}",
    )
    return StatusUpdate(framework_id="m1-F1", status=status, latest_state=state)


def says(
    number: int, state: TaskState, message: str = "", now: float = 0.0, task_id: str = "t1"
) -> Send:
    return Send("agent-1", said(number, state, message, now, task_id))


def acknowledged(number: int, task_id: str = "t1") -> StatusUpdateAcknowledgement:
    return StatusUpdateAcknowledgement(
        framework_id="m1-F1", agent_id="m1-S1", task_id=task_id, uuid=f"{NAME}.1:{number}"
    )


def kill(grace_s: float | None = None, task_id: str = "t1") -> KillTask:
    policy = None if grace_s is None else KillPolicy(grace_period_s=grace_s)
    return KillTask(framework_id="m1-F1", task_id=task_id, kill_policy=policy)


# --- running it ----------------------------------------------------------------------------------------


@pytest.mark.scenario("HTTPCommandExecutorTest.TerminateWithACK")
def test_a_command_runs_and_its_executor_ends_with_it() -> None:
    """STARTING, RUNNING, FINISHED; the executor ends only when the last is acknowledged (TK-79, TK-82)."""
    core = unborn()

    # It is born and registers.
    assert hear(core, Started(NAME, 1)) == [
        Link("agent-1"),
        Send("agent-1", RegisterExecutor(framework_id="m1-F1", executor_id="t1")),
    ]
    assert hear(core, REGISTERED) == [CancelTimer(ReconnectTimeout())]
    # The task comes.
    assert hear(core, launch()) == [
        says(1, TaskState.TASK_STARTING),
        Run(NAME, COMMAND, (("A", "1"),), "/s", WORK, TASK.task_id, TASK.resources),
    ]
    # Its process is there.
    assert hear(core, WorkStarted(NAME, 4711), 1.0) == [says(2, TaskState.TASK_RUNNING, "pid 4711", 1.0)]
    assert hear(core, acknowledged(1)) == []
    # It ends well.
    finished = says(3, TaskState.TASK_FINISHED, "Command exited with status 0", 31.0)
    assert hear(core, WorkExited(NAME, 0, None), 31.0) == [finished, PATIENCE]
    # The agent has the second update, and then the last.
    assert hear(core, acknowledged(2)) == []
    assert hear(core, acknowledged(3)) == [Exit("the end of its task is acknowledged", 0)]


def test_without_an_acknowledgement_the_executor_ends_after_a_minute() -> None:
    """The wait for the last acknowledgement is bounded (TK-82, 3.2.6)."""
    core = running()
    hear(core, WorkExited(NAME, 0, None))

    assert hear(core, TimerFired(AcknowledgementTimeout())) == [
        Exit("nobody acknowledged the end of its task")
    ]


@pytest.mark.parametrize(
    ("exited", "message"),
    [
        (WorkExited(NAME, 3, None), "Command exited with status 3"),
        (WorkExited(NAME, None, 9), "Command was killed by SIGKILL (9)"),
        (WorkExited(NAME, None, 34), "Command was killed by signal (34)"),
    ],
)
def test_anything_but_status_0_is_a_failure(exited: WorkExited, message: str) -> None:
    """The message says how the command ended (TK-79)."""
    assert hear(running(), exited) == [says(3, TaskState.TASK_FAILED, message), PATIENCE]


def test_a_command_that_cannot_be_started_is_a_failure() -> None:
    """The message is that of the runtime; the reason says that nothing was launched (http.md HT-215)."""
    core = registered()
    hear(core, launch())

    failed = said(2, TaskState.TASK_FAILED, "no such user")
    status = evolve(failed.status, reason=Reason.REASON_CONTAINER_LAUNCH_FAILED)
    told = Send("agent-1", attrs.evolve(failed, status=status))
    assert hear(core, WorkFailedToStart(NAME, "no such user")) == [told, PATIENCE]


@pytest.mark.parametrize(
    "event",
    [WorkStarted("other", 7), WorkFailedToStart("other", "no"), WorkExited("other", 0, None)],
    ids=lambda event: type(event).__name__,
)
def test_news_of_other_work_is_a_mistake_and_not_the_tasks(event: object) -> None:
    """Work is matched by the id under which it was started."""
    core = registered()
    hear(core, launch())

    with pytest.raises(AssertionError, match=f"'other'.*, but what was started is {NAME!r}"):
        hear(core, event)


def test_a_second_task_is_refused() -> None:
    """A command executor runs one task (TK-78); the end of the second is not the end of the first."""
    core = running()
    message = "a command executor runs one task, and this one was started for t1"

    refused = says(3, TaskState.TASK_FAILED, message, task_id="t2")
    assert hear(core, launch(TaskInfo(task_id="t2", command=COMMAND))) == [refused]
    assert hear(core, acknowledged(3, "t2")) == []
    assert hear(core, kill(task_id="t2")) == []


def test_an_executor_without_an_agent_takes_no_task() -> None:
    """Launches are ignored while disconnected (TK-68)."""
    core = unborn()
    hear(core, Started(NAME, 1))

    assert hear(core, launch()) == []


@pytest.mark.parametrize("event", [launch(), kill(), ShutdownExecutor(grace_s=5.0)])
def test_nobody_but_the_agent_is_obeyed(event: object) -> None:
    """An executor has one agent."""
    assert hear(registered(), event, sender="agent-2") == []


# --- killing it ----------------------------------------------------------------------------------------


@pytest.mark.scenario("SlaveTest.CommandTaskWithKillPolicy")
def test_the_grace_is_only_an_upper_bound() -> None:
    """A task that ends when asked to is reported killed right away, by its executor (3.2.2)."""
    core = running(KillPolicy(grace_period_s=100.0))

    # It is asked politely, and has 100 s.
    assert hear(core, kill(), 10.0) == [TERM, SetTimer(Escalation(), 100.0)]
    # It needs none of them.
    killed = says(3, TaskState.TASK_KILLED, "Command was killed by SIGTERM (15)", 10.0)
    assert hear(core, KILLED_BY_TERM, 10.0) == [NO_ESCALATION, killed, PATIENCE]


def test_a_task_that_ignores_sigterm_is_killed_when_its_grace_is_over() -> None:
    """TASK_KILLING for those who know it, SIGTERM, the grace, SIGKILL, TASK_KILLED (3.2.2, TK-81)."""
    core = running(framework=TELLS_KILLING)

    assert hear(core, kill(), 10.0) == [
        says(3, TaskState.TASK_KILLING, now=10.0),
        TERM,
        SetTimer(Escalation(), 3.0),
    ]
    assert hear(core, ESCALATION, 13.0) == [KILL]
    killed = says(4, TaskState.TASK_KILLED, "Command was killed by SIGKILL (9)", 13.0)
    assert hear(core, WorkExited(NAME, None, 9), 13.0) == [NO_ESCALATION, killed, PATIENCE]


@pytest.mark.parametrize("exited", [WorkExited(NAME, 0, None), WorkExited(NAME, 3, None)])
def test_once_a_kill_has_begun_the_task_ends_as_killed(exited: WorkExited) -> None:
    """However the command ended (TK-80)."""
    core = running()
    hear(core, kill())

    message = f"Command exited with status {exited.exit_status}"
    assert says(3, TaskState.TASK_KILLED, message) in hear(core, exited)


@pytest.mark.parametrize(
    ("asked_s", "own", "grace_s"),
    [
        pytest.param(7.0, KillPolicy(grace_period_s=100.0), 7.0, id="the-requests-own-grace-wins"),
        pytest.param(0.0, KillPolicy(grace_period_s=100.0), 0.0, id="also-when-it-is-none-at-all"),
        pytest.param(None, KillPolicy(grace_period_s=100.0), 100.0, id="then-the-tasks"),
        pytest.param(None, KillPolicy(), 3.0, id="a-policy-without-a-grace-says-nothing"),
        pytest.param(None, None, 3.0, id="then-3-s"),
    ],
)
def test_the_grace_is_taken_from_the_request_then_from_the_task(
    asked_s: float | None, own: KillPolicy | None, grace_s: float
) -> None:
    """A kill may come with a policy of its own, which Mesos's own executor never gets to see (3.2.1, 3.2.7)."""
    assert hear(running(own), kill(asked_s)) == [TERM, SetTimer(Escalation(), grace_s)]


@pytest.mark.parametrize(
    ("asked_s", "effects"),
    [
        pytest.param(100.0, [], id="the-same-grace-changes-nothing"),
        pytest.param(200.0, [], id="a-longer-one-neither"),
        pytest.param(50.0, [SetTimer(Escalation(), 20.0)], id="a-shorter-one-counts-from-the-first-kill"),
        pytest.param(30.0, [NO_ESCALATION, KILL], id="one-that-is-over-now-kills-now"),
        pytest.param(10.0, [NO_ESCALATION, KILL], id="so-does-one-that-was-over-before"),
    ],
)
def test_a_second_kill_moves_the_deadline_only_to_sooner(asked_s: float, effects: list[Effect]) -> None:
    """30 s into a grace of 100 s the same task is killed again (3.2.3)."""
    core = running()
    hear(core, kill(100.0), 10.0)

    assert hear(core, kill(asked_s), 40.0) == effects


def test_a_third_kill_is_compared_with_the_second() -> None:
    """The deadline that was moved is the one that counts (3.2.3); after SIGKILL nothing is left to do."""
    core = running()
    hear(core, kill(100.0), 10.0)
    hear(core, kill(50.0), 40.0)

    assert hear(core, kill(60.0), 41.0) == []
    assert hear(core, ESCALATION, 60.0) == [KILL]
    assert hear(core, kill(0.0), 61.0) == []


def test_a_kill_before_there_is_a_process_reaches_it_when_there_is() -> None:
    """Nothing says TASK_RUNNING after TASK_KILLING (TK-81); the grace counts from the request."""
    core = registered()
    hear(core, launch(framework=TELLS_KILLING))

    # Killed while the process is being started: nothing can be signalled yet.
    assert hear(core, kill(2.0), 1.0) == [says(2, TaskState.TASK_KILLING, now=1.0), SetTimer(Escalation(), 2.0)]
    # There it is.
    assert hear(core, WorkStarted(NAME, 4711), 2.0) == [TERM]
    # The grace has not begun anew.
    assert hear(core, ESCALATION, 3.0) == [KILL]


def test_a_process_that_comes_after_the_grace_is_killed_at_once() -> None:
    """Its grace was over before it existed (3.2.2)."""
    core = registered()
    hear(core, launch())
    hear(core, kill(2.0), 1.0)

    assert hear(core, ESCALATION, 3.0) == []
    assert hear(core, WorkStarted(NAME, 4711), 4.0) == [KILL]


def test_a_task_that_was_killed_and_could_not_be_started_was_killed() -> None:
    """Once a kill has begun the result is TASK_KILLED (TK-80)."""
    core = registered()
    hear(core, launch())
    hear(core, kill())

    killed = says(2, TaskState.TASK_KILLED, "no such user")
    assert hear(core, WorkFailedToStart(NAME, "no such user")) == [NO_ESCALATION, killed, PATIENCE]


def test_a_kill_after_the_end_changes_nothing() -> None:
    """The last update was sent; there is no other."""
    core = running()
    hear(core, WorkExited(NAME, 0, None))

    assert hear(core, kill()) == []


def test_a_kill_of_a_task_that_never_came_ends_the_executor() -> None:
    """Its launch was lost on the way: the agent learns so from the exit and not never."""
    assert hear(registered(), kill()) == [Exit("its task was killed before it came")]


# --- shutting down -------------------------------------------------------------------------------------


def test_a_shutdown_kills_the_task_within_the_grace() -> None:
    """2 s of the 5 s are kept for escalating and reporting, and the task's own policy is ignored (3.1.7)."""
    core = running(KillPolicy(grace_period_s=100.0))

    assert hear(core, ShutdownExecutor(grace_s=5.0), 10.0) == [TERM, SetTimer(Escalation(), 3.0)]
    # Being told twice changes nothing.
    assert hear(core, ShutdownExecutor(grace_s=2.0), 11.0) == []
    assert hear(core, ESCALATION, 13.0) == [KILL]
    # The agent may be past acknowledging (TK-64), so the wait is short (3.2.6).
    killed = says(3, TaskState.TASK_KILLED, "Command was killed by SIGKILL (9)", 13.0)
    assert hear(core, WorkExited(NAME, None, 9), 13.0) == [NO_ESCALATION, killed, HURRY]
    assert hear(core, acknowledged(3)) == [Exit("the end of its task is acknowledged")]


def test_a_shutdown_shortens_the_grace_of_a_kill_under_way() -> None:
    """It is a second kill, so the deadline can only come sooner (3.1.7, 3.2.3)."""
    core = running()
    hear(core, kill(100.0), 10.0)

    assert hear(core, ShutdownExecutor(grace_s=5.0), 12.0) == [SetTimer(Escalation(), 1.0)]


def test_a_grace_that_is_shorter_than_the_margin_is_none() -> None:
    """SIGKILL then follows SIGTERM at once (3.1.7)."""
    effects = hear(running(), ShutdownExecutor(grace_s=1.0))

    assert effects == [TERM, SetTimer(Escalation(), 0.0)]


def test_a_shutdown_before_the_task_came_ends_the_executor() -> None:
    """There is nothing to kill (3.1.7)."""
    assert hear(registered(), ShutdownExecutor(grace_s=5.0)) == [Exit("shut down before its task came")]


def test_a_shutdown_after_the_end_hurries_the_executor() -> None:
    """It waits no longer than it would have if the shutdown had come first (3.2.6)."""
    core = running()
    hear(core, WorkExited(NAME, 0, None))

    assert hear(core, ShutdownExecutor(grace_s=5.0)) == [HURRY]


# --- the agent's absence -------------------------------------------------------------------------------


def test_a_command_outlives_a_restart_of_its_agent() -> None:
    """It goes on, and tells the agent's next life all that was not acknowledged (TK-66, TK-67, TK-69)."""
    core = running()

    # The agent dies with STARTING and RUNNING unacknowledged; the command runs on, and ends.
    assert hear(core, AGENT_EXITED) == [SetTimer(ReconnectTimeout(), 900.0)]
    finished = said(3, TaskState.TASK_FINISHED, "Command exited with status 0", 20.0)
    assert hear(core, WorkExited(NAME, 0, None), 20.0) == [Send("agent-1", finished), PATIENCE]
    # The agent is back and asks.
    reregister = ReregisterExecutor(
        framework_id="m1-F1",
        executor_id="t1",
        had_task=True,
        tasks=(TASK,),
        updates=(said(1, TaskState.TASK_STARTING), said(2, TaskState.TASK_RUNNING), finished),
    )
    assert hear(core, ReconnectExecutor(), 30.0) == [Link("agent-1"), Send("agent-1", reregister)]
    assert hear(core, ExecutorReregistered(agent_info=AGENT), 30.0) == [CancelTimer(ReconnectTimeout())]
    assert hear(core, acknowledged(3), 30.0) == [Exit("the end of its task is acknowledged")]


def test_a_restarted_agent_is_not_told_what_it_has_acknowledged() -> None:
    """The acknowledgement of STARTING also shows that the agent knows the task (TK-69)."""
    core = running()
    hear(core, acknowledged(1))
    hear(core, AGENT_EXITED)

    reregister = ReregisterExecutor(
        framework_id="m1-F1", executor_id="t1", had_task=True, updates=(said(2, TaskState.TASK_RUNNING),)
    )
    assert hear(core, ReconnectExecutor())[-1] == Send("agent-1", reregister)


def test_without_checkpointing_a_command_goes_with_its_agent() -> None:
    """The kill has the executor's own grace, less the margin (TK-66, 3.1.7, 3.1.11)."""
    core = running(checkpoint=False)

    assert hear(core, AGENT_EXITED) == [TERM, SetTimer(Escalation(), 3.0)]


def test_a_command_whose_agent_never_comes_back_is_killed() -> None:
    """After the recovery time-out nobody will ask for it (TK-66, 3.1.11)."""
    core = running()
    hear(core, AGENT_EXITED)

    assert hear(core, TimerFired(ReconnectTimeout())) == [TERM, SetTimer(Escalation(), 3.0)]


def test_the_end_of_anybody_but_the_agent_means_nothing() -> None:
    """Only the link to the agent counts."""
    assert hear(running(checkpoint=False), PeerExited("agent-2", 1)) == []
