"""An agent's next life finds what was stored: lists of events with the exact effects of each (AG-1 to AG-19)."""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.agent.timers import (
    ExecutorRegistrationTimeout,
    ExecutorReregistrationTimeout,
    ExecutorShutdownTimeout,
    LastGraceEnd,
    PingTimeout,
    RegistrationAttempt,
    UpdateRetry,
)
from mesolite.actors.decisions.contract import (
    CancelTimer,
    Destroy,
    ExecutorStart,
    Exit,
    Link,
    Load,
    Loaded,
    Publish,
    Save,
    Send,
    SetTimer,
    SpawnExecutor,
    Started,
    StoreRefused,
    TimerFired,
)
from mesolite.actors.decisions.detector import DetectRetry
from mesolite.messages.agent import AgentRegistered, AgentReregistered, PingAgent, PongAgent, ReregisterAgent
from mesolite.messages.checkpoints import ExecutorCheckpoint, FrameworkCheckpoint, TaskCheckpoint
from mesolite.messages.drains import DrainConfig
from mesolite.messages.election import ELECTOR, DetectLeader, LeaderDetected
from mesolite.messages.executor import (
    ExecutorRegistered,
    ExecutorReregistered,
    ReconnectExecutor,
    RegisterExecutor,
    ReregisterExecutor,
    ShutdownExecutor,
)
from mesolite.messages.facts import AgentStatus
from mesolite.messages.relayed import KillTask
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import Cause, ExecutorInfo, KillPolicy, Reason, Task, TaskState
from tests.actors.agents import (
    ADMITTED,
    DURABLE,
    LEADER,
    Agent,
    acknowledgement,
    executor_of,
    handed,
    own,
    passed_on,
    registered,
    run,
    settle,
    started,
    task,
    update,
)

LAUNCHED = TaskCheckpoint(
    framework_id="m1-F1",
    executor_id="t1",
    task=task("t1"),
    state=TaskState.TASK_STAGING,
    delivered=False,
    launched_at=2.0,
)
DELIVERED = attrs.evolve(LAUNCHED, delivered=True)
LIVE = attrs.evolve(DELIVERED, state=TaskState.TASK_RUNNING)
FINISHED = attrs.evolve(LIVE, state=TaskState.TASK_FINISHED)
GONE = attrs.evolve(LIVE, state=TaskState.TASK_GONE)
DROPPED = attrs.evolve(DELIVERED, state=TaskState.TASK_DROPPED)
DRAINED = attrs.evolve(LIVE, kill_cause=Cause.DRAINED)
STARTING = ExecutorCheckpoint(
    framework_id="m1-F1",
    executor_id="t1",
    info=None,
    pid="agent-1/m1-F1/t1",
    run=1,
    registered=False,
    shutdown_grace_s=5.0,
    sandbox="/sandboxes/m1-S1/m1-F1/t1.1-1",
)
UP = attrs.evolve(STARTING, registered=True)
FRAMEWORK = FrameworkCheckpoint(framework_info=DURABLE, scheduler="web")
RUNNING = passed_on("t1", TaskState.TASK_RUNNING)
STORED = {
    "agent": ADMITTED,
    "framework/m1-F1": FRAMEWORK,
    "executor/m1-F1/t1": UP,
    "task/m1-F1/t1": LIVE,
    "update/m1-F1/t1/000000": RUNNING,
}
"""What an agent has stored whose one task runs, and whose update that it does was not acknowledged."""
NOT_STARTED = {"agent": ADMITTED, "framework/m1-F1": FRAMEWORK, "executor/m1-F1/t1": UP, "task/m1-F1/t1": DELIVERED}
"""The same, one step earlier: the task was on its way to its executor."""

NOT_BACK = TimerFired(ExecutorReregistrationTimeout())
BACK = ReregisterExecutor(framework_id="m1-F1", executor_id="t1", had_task=True, tasks=(task("t1"),))


# --- what is stored ---


def test_nothing_is_said_that_is_not_stored() -> None:
    """Each step of a checkpointing framework's task is one write, and what it causes waits for that (AG-1, TK-9)."""
    agent = registered()

    # The master wants a task run. Only the timer is set at once: it is the agent's own affair.
    assert agent.hear(run(task("t1"), DURABLE), "master-1", 2.0) == [
        SetTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1), 60.0),
        Save(
            (("framework/m1-F1", FRAMEWORK), ("executor/m1-F1/t1", STARTING), ("task/m1-F1/t1", LAUNCHED)),
            tag="write-2",
        ),
    ]
    # It is durable: now its executor is started.
    assert agent.saved(2.1) == [
        SpawnExecutor(
            executor_of("t1"),
            ExecutorStart(
                framework_id="m1-F1",
                executor_id="t1",
                agent="agent-1",
                agent_id="m1-S1",
                info=None,
                checkpoint=True,
                shutdown_grace_s=5.0,
                sandbox="/sandboxes/m1-S1/m1-F1/t1.1-1",
                environment=(
                    ("LIBPROCESS_PORT", "0"),
                    ("MESOS_AGENT_ID", "m1-S1"),
                    ("MESOS_ALLOCATION_ROLE", "*"),
                    ("MESOS_CHECKPOINT", "1"),
                    ("MESOS_DIRECTORY", "/sandboxes/m1-S1/m1-F1/t1.1-1"),
                    ("MESOS_EXECUTOR_ID", "t1"),
                    ("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "5secs"),
                    ("MESOS_FRAMEWORK_ID", "m1-F1"),
                    ("MESOS_HTTP_COMMAND_EXECUTOR", "0"),
                    ("MESOS_RECOVERY_TIMEOUT", "15mins"),
                    ("MESOS_SANDBOX", "/sandboxes/m1-S1/m1-F1/t1.1-1"),
                    ("MESOS_SLAVE_ID", "m1-S1"),
                    ("MESOS_SUBSCRIPTION_BACKOFF_MAX", "2secs"),
                ),
            ),
        ),
        Link(executor_of("t1")),
    ]
    # The executor is up; that it is, and has the task, is stored before it gets it.
    assert agent.hear(RegisterExecutor(framework_id="m1-F1", executor_id="t1"), executor_of("t1"), 3.0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        Save((("executor/m1-F1/t1", UP), ("task/m1-F1/t1", DELIVERED)), tag="write-3"),
    ]
    assert agent.saved(3.1) == [
        Send(
            executor_of("t1"),
            ExecutorRegistered(
                executor_info=ExecutorInfo(executor_id="t1"), framework_info=DURABLE, agent_info=ADMITTED
            ),
        ),
        Send(executor_of("t1"), handed(task("t1"), DURABLE)),
    ]
    # It says that the task runs. A ping comes while that is being written: its answer waits for the same write.
    assert agent.hear(update("t1", TaskState.TASK_RUNNING), executor_of("t1"), 4.0) == [
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
        Save((("task/m1-F1/t1", LIVE), ("update/m1-F1/t1/000000", RUNNING)), tag="write-4"),
    ]
    assert agent.hear(PingAgent(connected=True), "master-1", 4.1) == []
    assert agent.saved(4.2) == [
        Send("master-1", RUNNING),
        Send(executor_of("t1"), acknowledgement("t1")),
        Send("master-1", PongAgent()),
    ]
    # It is acknowledged: the update need not be kept.
    assert agent.hear(acknowledgement("t1"), "master-1", 5.0) == [
        CancelTimer(UpdateRetry("m1-F1", "t1")),
        Save((("update/m1-F1/t1/000000", None),), tag="write-5"),
    ]
    # It has finished, while that is being written: the next write begins when the first is done.
    assert agent.hear(update("t1", TaskState.TASK_FINISHED, 2), executor_of("t1"), 5.1) == [
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
    ]
    assert agent.saved(5.2) == [
        Save(
            (("task/m1-F1/t1", FINISHED), ("update/m1-F1/t1/000001", passed_on("t1", TaskState.TASK_FINISHED, 2))),
            tag="write-6",
        ),
    ]
    assert agent.saved(5.3) == [
        Send("master-1", passed_on("t1", TaskState.TASK_FINISHED, 2)),
        Send(executor_of("t1"), acknowledgement("t1", 2)),
    ]
    # Acknowledged, too: nothing of the task is kept.
    assert agent.hear(acknowledgement("t1", 2), "master-1", 6.0) == [
        CancelTimer(UpdateRetry("m1-F1", "t1")),
        Save((("update/m1-F1/t1/000001", None), ("task/m1-F1/t1", None)), tag="write-7"),
    ]
    assert agent.saved(6.1) == []
    # Its executor goes, and nothing of the framework is kept.
    assert agent.exit_of(executor_of("t1"), 7.0, 0) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1)),
        Save((("executor/m1-F1/t1", None), ("framework/m1-F1", None)), tag="write-8"),
    ]


def test_an_agent_whose_store_refuses_ends_and_says_nothing_of_what_was_waiting() -> None:
    """What cannot be stored must not be acted on (AG-3)."""
    agent = registered()
    agent.hear(run(task("t1"), DURABLE), "master-1", 2.0)

    assert agent.hear(StoreRefused("disk full"), "agent-1", 2.1) == [
        Exit("the store refused: disk full", 1),
    ]


# --- the next life ---


def test_an_agent_that_starts_again_asks_its_executors_back_and_registers_under_its_id() -> None:
    """Those that answer go on; the head of each stream goes out when it is registered (AG-11 to AG-15)."""
    agent = Agent()

    # A second life.
    assert agent.hear(Started("agent-1", 2), "agent-1", 10.0) == [
        Load(),
    ]
    # It finds its id, and a task. It asks the executor that has it, and waits two seconds (AG-11, AG-12).
    # Its own endpoint is nobody whom a drain would have to wait for.
    assert agent.hear(Loaded(STORED, alive=(executor_of("t1"), "agent-1/http")), "agent-1", 10.1) == [
        Publish(AgentStatus(name="agent-1", agent_id="m1-S1")),
        Link(executor_of("t1")),
        Send(executor_of("t1"), ReconnectExecutor()),
        SetTimer(ExecutorReregistrationTimeout(), 2.0),
    ]
    # The executor is there, and has an update more that was never acknowledged to it.
    finished = update("t1", TaskState.TASK_FINISHED, 2)
    assert agent.hear(attrs.evolve(BACK, updates=(finished,)), executor_of("t1"), 10.5) == [
        Save(
            (("task/m1-F1/t1", FINISHED), ("update/m1-F1/t1/000001", passed_on("t1", TaskState.TASK_FINISHED, 2))),
            tag="write-1",
        ),
    ]
    assert agent.saved(10.6) == [
        Send(executor_of("t1"), ExecutorReregistered(agent_info=ADMITTED)),
        Send(executor_of("t1"), acknowledgement("t1", 2)),
    ]
    # The wait is over: it asks who leads.
    assert agent.fire(NOT_BACK, 12.1) == [
        Send(ELECTOR, DetectLeader(known_term=None)),
        SetTimer(DetectRetry(), 10.0),
    ]
    # A master does.
    agent.hear(LeaderDetected(leader=LEADER), ELECTOR, 12.2)
    assert agent.fire(TimerFired(RegistrationAttempt()), 12.5) == [
        Send(
            "master-1",
            ReregisterAgent(
                agent=ADMITTED,
                frameworks=(DURABLE,),
                tasks=(
                    Task(
                        task_id="t1",
                        framework_id="m1-F1",
                        agent_id="m1-S1",
                        state=TaskState.TASK_FINISHED,
                        resources=Resources.parse("cpus:1;mem:100"),
                        launched_at=2.0,
                    ),
                ),
                life=2,
            ),
        ),
        SetTimer(RegistrationAttempt(), 0.0, 2.0),
        Send(ELECTOR, DetectLeader(known_term=1)),
    ]
    # It is back. The update that was stored, not acknowledged, goes out first.
    back = AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0, life=2)
    assert agent.hear(back, "master-1", 13.0) == [
        Publish(AgentStatus(name="agent-1", agent_id="m1-S1", registered=True)),
        CancelTimer(RegistrationAttempt()),
        SetTimer(PingTimeout(), 75.0),
        Send("master-1", passed_on("t1", TaskState.TASK_RUNNING, 1, TaskState.TASK_FINISHED)),
        SetTimer(UpdateRetry("m1-F1", "t1"), 10.0),
    ]


def test_an_agent_takes_no_orders_while_it_recovers() -> None:
    """Launches and kills are ignored (TK-34, AG-16); an executor that only now registers is told to go (TK-51)."""
    agent = started(STORED, life=2)
    agent.hear(LeaderDetected(leader=LEADER), ELECTOR, 0.5)

    assert agent.hear(run(task("t2"), DURABLE), "master-1", 1.0) == []
    assert agent.hear(KillTask(framework_id="m1-F1", task_id="t1"), "master-1", 1.0) == []
    assert agent.hear(RegisterExecutor(framework_id="m1-F1", executor_id="t1"), executor_of("t1"), 1.0) == [
        Send(executor_of("t1"), ShutdownExecutor(grace_s=5.0)),
    ]


def test_an_executor_that_does_not_come_back_is_destroyed() -> None:
    """Its task is given up when it is gone, with that as the reason (AG-12, AG-13)."""
    agent = started(STORED, life=2)

    # Two seconds are over.
    assert agent.fire(NOT_BACK, 2.0) == [
        SetTimer(DetectRetry(), 10.0),
        Save((("executor/m1-F1/t1", UP),), tag="write-1"),
    ]
    assert agent.saved(2.1) == [
        Destroy(executor_of("t1")),
        Send(ELECTOR, DetectLeader(known_term=None)),
    ]
    # It is gone.
    assert agent.exit_of(executor_of("t1"), 2.5) == [
        CancelTimer(ExecutorRegistrationTimeout("m1-F1", "t1", 1)),
        CancelTimer(ExecutorShutdownTimeout("m1-F1", "t1", 1)),
        Save(
            (
                ("task/m1-F1/t1", GONE),
                (
                    "update/m1-F1/t1/000001",
                    own(
                        "t1",
                        TaskState.TASK_GONE,
                        Reason.REASON_EXECUTOR_REREGISTRATION_TIMEOUT,
                        "executor t1 did not come back to its restarted agent",
                        Cause.EXECUTOR_DIED,
                        2.5,
                        life=2,
                    ),
                ),
            ),
            tag="write-2",
        ),
    ]
    assert agent.saved(2.6) == []


def test_a_task_that_had_not_reached_its_executor_never_started() -> None:
    """The executor does not know it: it is dropped (AG-15)."""
    agent = started(NOT_STARTED, life=2)

    assert agent.hear(attrs.evolve(BACK, tasks=()), executor_of("t1"), 0.5) == [
        Save(
            (
                ("task/m1-F1/t1", DROPPED),
                (
                    "update/m1-F1/t1/000000",
                    own(
                        "t1",
                        TaskState.TASK_DROPPED,
                        Reason.REASON_AGENT_RESTARTED,
                        "the task had not reached its executor when the agent restarted",
                        Cause.NEVER_STARTED,
                        0.5,
                        life=2,
                    ),
                ),
            ),
            tag="write-1",
        ),
    ]


def test_an_agent_that_was_draining_goes_on_with_it() -> None:
    """The kills may have been lost with its earlier life, and are said again (4.4.11)."""
    agent = started({**STORED, "drain": DrainConfig(max_grace_period_s=30.0)}, life=2)
    agent.hear(BACK, executor_of("t1"), 0.5)

    assert agent.fire(NOT_BACK, 2.0) == [
        SetTimer(LastGraceEnd("m1-F1", "t1", 1, "t1"), 32.0),
        SetTimer(DetectRetry(), 10.0),
        Save((("task/m1-F1/t1", DRAINED),), tag="write-1"),
    ]
    assert agent.saved(2.1) == [
        Send(
            executor_of("t1"),
            KillTask(framework_id="m1-F1", task_id="t1", agent_id="m1-S1", kill_policy=KillPolicy(grace_period_s=30.0)),
        ),
        Send(ELECTOR, DetectLeader(known_term=None)),
    ]


def test_an_agent_that_was_draining_and_has_nothing_left_drains_no_longer() -> None:
    """In Mesos it refuses the next launch (4.4.12)."""
    agent = Agent()
    agent.hear(Started("agent-1", 2), "agent-1", 0.0)

    records = {"agent": ADMITTED, "drain": DrainConfig(max_grace_period_s=30.0)}
    assert agent.hear(Loaded(records), "agent-1", 0.1) == [
        SetTimer(DetectRetry(), 10.0),
        Save((("drain", None),), tag="write-1"),
    ]


def test_an_agent_that_is_started_with_other_facts_does_not_go_on() -> None:
    """It says what has changed, and what would work (AG-7)."""
    agent = Agent()
    agent.hear(Started("agent-1", 2), "agent-1", 0.0)
    before = attrs.evolve(ADMITTED, resources="cpus:8;mem:4096")

    assert agent.hear(Loaded({"agent": before}), "agent-1", 0.1) == [
        Publish(AgentStatus(name="agent-1", agent_id="m1-S1")),
        Exit(
            "agent m1-S1 cannot go on: its resources were cpus:8;mem:4096 and are cpus:4;mem:4096; start it as "
            "it was, let it grow with Settings.reconfiguration_policy=ADDITIVE, let it begin as a new agent with "
            "restart(anew=True), or give another work_dir",
            1,
        ),
    ]


def test_an_answer_that_was_meant_for_an_earlier_life_is_not_heard() -> None:
    """What is said to an address, whoever has it then may hear; ours (LP-11)."""
    known, newcomer = started(STORED, life=2), started(life=2)
    known.fire(NOT_BACK, 2.0)
    settle(known)
    known.hear(LeaderDetected(leader=LEADER), ELECTOR, 3.0)
    newcomer.hear(LeaderDetected(leader=LEADER), ELECTOR, 3.0)

    # The first life of each had asked, and the answer comes to the second.
    back = AgentReregistered(agent_id="m1-S1", total_ping_timeout_s=75.0, life=1)
    assert known.hear(back, "master-1", 3.5) == []
    admitted = AgentRegistered(agent_id="m1-S1", total_ping_timeout_s=75.0, life=1)
    assert newcomer.hear(admitted, "master-1", 3.5) == []
