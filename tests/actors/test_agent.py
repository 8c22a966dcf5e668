"""An agent finds its master, runs tasks and reports them: lists of events with the exact effects of each."""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.agent.timers import (
    ExecutorRegistrationTimeout,
    ExecutorShutdownTimeout,
    PingTimeout,
    RegistrationAttempt,
    UpdateRetry,
)
from mesolite.actors.decisions.contract import (
    CancelTimer,
    ExecutorStart,
    Exit,
    Link,
    LinkBroken,
    Load,
    Loaded,
    Publish,
    Save,
    Send,
    SetTimer,
    SpawnExecutor,
    Started,
    TimerFired,
)
from mesolite.actors.decisions.detector import DetectRetry
from mesolite.messages.agent import (
    AgentRegistered,
    AgentReregistered,
    PingAgent,
    PongAgent,
    Reconciliation,
    RegisterAgent,
    ReregisterAgent,
    ShutdownAgent,
)
from mesolite.messages.election import ELECTOR, DetectLeader, LeaderDetected
from mesolite.messages.executor import ExecutorRegistered, RegisterExecutor
from mesolite.messages.facts import AgentStatus
from mesolite.messages.infos import MasterInfo
from mesolite.messages.relayed import StatusUpdate
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import Cause, ExecutorInfo, Reason, Source, Task, TaskState, TaskStatus
from tests.actors.agents import (
    ADMITTED,
    LEADER,
    NEWCOMER,
    PLAIN,
    REGISTERED,
    Agent,
    acknowledgement,
    executor_of,
    handed,
    passed_on,
    registered,
    run,
    running,
    started,
    task,
    update,
)

DETECTED = LeaderDetected(leader=LEADER)
ATTEMPT = TimerFired(RegistrationAttempt())
RETRY = TimerFired(UpdateRetry("m1-F1", "t1"))


# --- registration ---


def test_a_new_agent_reads_its_store_finds_the_leader_and_registers() -> None:
    """With a random back-off before the first attempt and a growing one between them (drain.md 1.1, AG-4, EL-50)."""
    agent = Agent()

    # Its first event: before anything else it reads what it has stored.
    assert agent.hear(Started("agent-1", 1), "agent-1", 0.0) == [
        Load(),
    ]
    # Nothing: it is new, and asks who leads.
    assert agent.hear(Loaded({}), "agent-1", 0.1) == [
        Publish(AgentStatus(name="agent-1")),
        Send(ELECTOR, DetectLeader(known_term=None)),
        SetTimer(DetectRetry(), 10.0),
    ]
    # A master does. It will be asked within a second (1.1.1).
    assert agent.hear(DETECTED, ELECTOR, 0.2) == [
        CancelTimer(DetectRetry()),
        CancelTimer(RegistrationAttempt()),
        SetTimer(RegistrationAttempt(), 0.0, 1.0),
    ]
    # Now. The next attempt comes within twice that bound (1.1.2), and whether somebody else leads is asked besides.
    assert agent.fire(ATTEMPT, 0.9) == [
        Send("master-1", RegisterAgent(agent=NEWCOMER, life=1)),
        SetTimer(RegistrationAttempt(), 0.0, 2.0),
        Send(ELECTOR, DetectLeader(known_term=1)),
    ]
    # No answer.
    assert agent.fire(ATTEMPT, 2.5) == [
        Send("master-1", RegisterAgent(agent=NEWCOMER, life=1)),
        SetTimer(RegistrationAttempt(), 0.0, 4.0),
        Send(ELECTOR, DetectLeader(known_term=1)),
    ]
    # It is admitted: its id is kept before it is used (1.2.7, AG-1); timers are its own affair and set at once.
    assert agent.hear(REGISTERED, "master-1", 3.0) == [
        CancelTimer(RegistrationAttempt()),
        SetTimer(PingTimeout(), 75.0),
        Save((("agent", ADMITTED),), tag="write-1"),
    ]
    # It is durable: whoever looks sees it registered.
    assert agent.saved(3.1) == [
        Publish(AgentStatus(name="agent-1", agent_id="m1-S1", registered=True)),
    ]
    # The answer to its second attempt: the same once more.
    assert agent.hear(REGISTERED, "master-1", 3.2) == []
    # Under another id it cannot go on (AG-19).
    other = AgentRegistered(agent_id="m1-S2", total_ping_timeout_s=75.0)
    assert agent.hear(other, "master-1", 3.3) == [
        Exit("registered as m1-S2 while running as m1-S1", 1),
    ]


def test_the_bound_between_two_attempts_doubles_up_to_a_minute() -> None:
    """2, 4, 8, 16, 32, 60, 60 seconds (1.1.2, EL-50)."""
    agent = started()
    agent.hear(DETECTED, ELECTOR, 0.0)

    bounds = [
        effect.spread_s
        for _ in range(7)
        for effect in agent.fire(ATTEMPT, 1.0)
        if isinstance(effect, SetTimer) and effect.key == RegistrationAttempt()
    ]

    assert bounds == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_an_agent_is_heard_by_its_leader_only_and_hears_nobody_else() -> None:
    """What a master says that does not lead is not for it (EL-48)."""
    agent = started()
    agent.hear(DETECTED, ELECTOR, 0.0)

    assert agent.hear(REGISTERED, "master-2", 1.0) == []
    assert agent.hear(ShutdownAgent(reason="no"), "master-2", 1.0) == []


def test_a_broken_link_to_its_leader_is_nothing_to_an_agent() -> None:
    """It learns that its leader is lost when another is detected, or no pings come (EL-51)."""
    agent = registered()

    assert agent.hear(LinkBroken("master-1"), "master-1", 2.0) == []
    assert agent.exit_of("master-1", 2.0) == []
    # It is registered there as before.
    assert agent.hear(PingAgent(connected=True), "master-1", 3.0) == [
        Send("master-1", PongAgent()),
    ]


def test_a_new_leader_is_told_everything_the_agent_holds() -> None:
    """It re-registers with its tasks and what it has forwarded; then heads go out again (1.1.5, 0.2.13, EL-50)."""
    agent = running(task("t1"))
    agent.hear(update("t1", TaskState.TASK_FINISHED, 2), executor_of("t1"), 6.0)

    # Another leads.
    assert agent.hear(LeaderDetected(leader=MasterInfo(name="master-2", term=2)), ELECTOR, 7.0) == [
        CancelTimer(DetectRetry()),
        Publish(AgentStatus(name="agent-1", agent_id="m1-S1")),
        CancelTimer(RegistrationAttempt()),
        SetTimer(RegistrationAttempt(), 0.0, 1.0),
    ]
    # Until it is registered there, nothing is said to it (0.2.14).
    assert agent.fire(RETRY, 16.0) == []
    # It says what it holds.
    assert agent.fire(ATTEMPT, 16.5) == [
        Send(
            "master-2",
            ReregisterAgent(
                agent=ADMITTED,
                frameworks=(PLAIN,),
                tasks=(
                    Task(
                        task_id="t1",
                        framework_id="m1-F1",
                        agent_id="m1-S1",
                        state=TaskState.TASK_FINISHED,
                        resources=Resources.parse("cpus:1;mem:100"),
                        status_update_state=TaskState.TASK_FINISHED,
                        status_update_uuid="t1:2",
                        launched_at=2.0,
                    ),
                ),
                life=1,
            ),
        ),
        SetTimer(RegistrationAttempt(), 0.0, 2.0),
        Send(ELECTOR, DetectLeader(known_term=2)),
    ]
    # It is back; the update that nobody has acknowledged goes out at once.
    assert agent.hear(AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0), "master-2", 17.0) == [
        Publish(AgentStatus(name="agent-1", agent_id="m1-S1", registered=True)),
        CancelTimer(RegistrationAttempt()),
        SetTimer(PingTimeout(), 75.0),
        Send("master-2", passed_on("t1", TaskState.TASK_FINISHED, 2)),
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
    ]


def test_an_agent_is_asked_what_became_of_tasks_that_never_came_to_it() -> None:
    """The launch was lost: it says so as reliably as anything else (1.3.9)."""
    agent = registered()
    asked = AgentReregistered(
        agent_id="m1-S1",
        total_ping_timeout_s=75.0,
        reconciliations=(Reconciliation(framework_info=PLAIN, scheduler="web", task_ids=("t9",)),),
    )

    assert agent.hear(asked, "master-1", 4.0) == [
        Send(
            "master-1",
            StatusUpdate(
                framework_id="m1-F1",
                status=TaskStatus(
                    task_id="t9",
                    state=TaskState.TASK_LOST,
                    source=Source.SOURCE_AGENT,
                    reason=Reason.REASON_RECONCILIATION,
                    message="the agent does not know the task",
                    agent_id="m1-S1",
                    timestamp=4.0,
                    uuid="agent-1.1:1",
                    cause=Cause.NEVER_STARTED,
                ),
                latest_state=TaskState.TASK_LOST,
            ),
        ),
        SetTimer(UpdateRetry("m1-F1", "t9"), 10.0),
    ]


# --- pings ---


def test_pings_are_answered_and_one_that_never_comes_makes_an_agent_look_for_its_leader() -> None:
    """It answers whoever asks; after the total time-out without a ping it registers anew (1.4.4 to 1.4.6, EL-53)."""
    agent = registered()

    # A ping: answered. The timer is not moved; it looks at the deadline when it fires.
    assert agent.hear(PingAgent(connected=True), "master-1", 16.0) == [
        Send("master-1", PongAgent()),
    ]
    # The total time-out since the registration is over; since that ping, 60 s are.
    assert agent.fire(TimerFired(PingTimeout()), 76.0) == [
        SetTimer(PingTimeout(), 15.0),
    ]
    # No other has come.
    assert agent.fire(TimerFired(PingTimeout()), 91.0) == [
        Send(ELECTOR, DetectLeader(known_term=None)),
        SetTimer(DetectRetry(), 10.0),
    ]
    # The same master leads: that is news now, and it registers with it as if it were new (0.2.3).
    assert agent.hear(DETECTED, ELECTOR, 91.1) == [
        CancelTimer(DetectRetry()),
        Publish(AgentStatus(name="agent-1", agent_id="m1-S1")),
        CancelTimer(RegistrationAttempt()),
        SetTimer(RegistrationAttempt(), 0.0, 1.0),
    ]
    assert agent.fire(ATTEMPT, 91.5) == [
        Send("master-1", ReregisterAgent(agent=ADMITTED, life=1)),
        SetTimer(RegistrationAttempt(), 0.0, 2.0),
        Send(ELECTOR, DetectLeader(known_term=1)),
    ]


def test_a_master_that_thinks_the_link_is_down_makes_an_agent_register_again() -> None:
    """The ping says so (1.4.5, EL-53)."""
    agent = registered()

    assert agent.hear(PingAgent(connected=False), "master-1", 16.0) == [
        Send("master-1", PongAgent()),
        Send(ELECTOR, DetectLeader(known_term=None)),
        SetTimer(DetectRetry(), 10.0),
    ]


# --- a task ---


def test_a_task_that_is_not_for_this_agent_or_not_from_its_leader_is_not_heard_of() -> None:
    """It is ignored, and nothing is said to anybody (TK-34)."""
    agent = registered()

    assert agent.hear(run(task("t1")), "master-2", 2.0) == []
    assert agent.hear(run(attrs.evolve(task("t1"), agent_id="m1-S2")), "master-1", 2.0) == []
    # Nothing of it is kept: the same order from its leader begins with the start of its executor.
    assert SpawnExecutor in map(type, agent.hear(run(task("t1")), "master-1", 2.0))


def test_a_task_from_the_order_to_its_acknowledged_end() -> None:
    """Its executor is started and gets it; its updates go on one by one, until each is acknowledged (TK-9..17)."""
    agent = registered()

    # The master wants it run: an executor of its own is started for it (TK-77).
    assert agent.hear(run(task("t1")), "master-1", 2.0) == [
        SpawnExecutor(
            executor_of("t1"),
            ExecutorStart(
                framework_id="m1-F1",
                executor_id="t1",
                agent="agent-1",
                agent_id="m1-S1",
                info=None,
                checkpoint=False,
                shutdown_grace_s=5.0,
                sandbox="/sandboxes/m1-S1/m1-F1/t1.1-1",
                environment=(
                    ("LIBPROCESS_PORT", "0"),
                    ("MESOS_AGENT_ID", "m1-S1"),
                    ("MESOS_ALLOCATION_ROLE", "*"),
                    ("MESOS_CHECKPOINT", "0"),
                    ("MESOS_DIRECTORY", "/sandboxes/m1-S1/m1-F1/t1.1-1"),
                    ("MESOS_EXECUTOR_ID", "t1"),
                    ("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "5secs"),
                    ("MESOS_FRAMEWORK_ID", "m1-F1"),
                    ("MESOS_HTTP_COMMAND_EXECUTOR", "0"),
                    ("MESOS_SANDBOX", "/sandboxes/m1-S1/m1-F1/t1.1-1"),
                    ("MESOS_SLAVE_ID", "m1-S1"),
                ),
            ),
        ),
        Link(executor_of("t1")),
        SetTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1), 60.0),
    ]
    # The executor is up: it learns what it is, and gets its task (TK-52).
    assert agent.hear(RegisterExecutor(framework_id="m1-F1", executor_id="t1"), executor_of("t1"), 3.0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        Send(
            executor_of("t1"),
            ExecutorRegistered(executor_info=ExecutorInfo(executor_id="t1"), framework_info=PLAIN, agent_info=ADMITTED),
        ),
        Send(executor_of("t1"), handed(task("t1"))),
    ]
    # The task runs: that goes to the master, is acknowledged to the executor, and will be said again (TK-9, 0.2.13).
    assert agent.hear(update("t1", TaskState.TASK_RUNNING), executor_of("t1"), 4.0) == [
        Send("master-1", passed_on("t1", TaskState.TASK_RUNNING)),
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
        Send(executor_of("t1"), acknowledgement("t1")),
    ]
    # It has finished. The first update is not acknowledged yet, so this one waits for it (TK-10).
    assert agent.hear(update("t1", TaskState.TASK_FINISHED, 2), executor_of("t1"), 5.0) == [
        Send(executor_of("t1"), acknowledgement("t1", 2)),
    ]
    # Said twice, an update is taken once (TK-16).
    assert agent.hear(update("t1", TaskState.TASK_FINISHED, 2), executor_of("t1"), 5.5) == [
        Send(executor_of("t1"), acknowledgement("t1", 2)),
    ]
    # Nobody has acknowledged the first: it is said again, with the newest state beside it, and later still (TK-25).
    assert agent.fire(RETRY, 14.0) == [
        Send("master-1", passed_on("t1", TaskState.TASK_RUNNING, 1, TaskState.TASK_FINISHED)),
        SetTimer(UpdateRetry("m1-F1", "t1"), 20.0),
    ]
    assert agent.fire(RETRY, 34.0) == [
        Send("master-1", passed_on("t1", TaskState.TASK_RUNNING, 1, TaskState.TASK_FINISHED)),
        SetTimer(UpdateRetry("m1-F1", "t1"), 40.0),
    ]
    # Now somebody has: the next goes out.
    assert agent.hear(acknowledgement("t1"), "master-1", 35.0) == [
        Send("master-1", passed_on("t1", TaskState.TASK_FINISHED, 2)),
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
    ]
    # An acknowledgement of what is not the head is not heard (TK-15).
    assert agent.hear(acknowledgement("t1"), "master-1", 35.0) == []
    # The end is acknowledged: nothing of the task is left but its executor, which ends by itself.
    assert agent.hear(acknowledgement("t1", 2), "master-1", 36.0) == [
        CancelTimer(UpdateRetry("m1-F1", "t1")),
    ]
    assert agent.exit_of(executor_of("t1"), 36.5, 0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1)),
    ]
