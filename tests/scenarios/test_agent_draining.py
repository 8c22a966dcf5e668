"""An agent that is told to drain: it kills what runs there, takes nothing new, and says when it is done (drain.md 4.4).

The master's part is left out: the order is injected as if the leader had sent it.
"""

from __future__ import annotations

import attrs
import pytest

from mesolite import (
    Executor,
    ExecutorDriver,
    KillPolicy,
    Simulation,
    TaskInfo,
    TaskState,
)
from mesolite.messages import (
    AgentDrained,
    AgentReregistered,
    Cause,
    DrainConfig,
    KillTask,
    RegisterExecutor,
)
from mesolite.messages.ids import TaskId
from tests.scenarios.agent_orders import DRAINED, DRAINED_UNSTARTED, WORDY, drain, stored, told
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    EXECUTORS,
    PLAIN,
    STUBBORN,
    Launcher,
    command_task,
    executor_task,
    only,
    tell_executor,
)

# ---------------------------------------------------------------------------------------------------- Mesos's scenarios


@pytest.mark.scenario("SlaveTest.DrainAgentKillsRunningTask")
def test_a_running_task_is_killed_and_the_drain_lasts_until_it_is_acknowledged_and_gone(sim: Simulation) -> None:
    """The config is stored, for restarts, and forgotten with the last of the framework (4.4.3, 4.4.9)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, implicit_acknowledgements=False)
    drained = sim.expect(AgentDrained, sender="agent-1")
    for number in range(2):  # STARTING, RUNNING
        sim.settle()
        driver.acknowledge(framework.updates("t1")[number])
    sim.settle()

    drain(sim, 0.0)

    assert told(framework.updates("t1")[-1]) == DRAINED
    assert stored(sim) == DrainConfig(max_grace_period_s=0.0)
    assert drained.count == 0

    driver.acknowledge(framework.updates("t1")[-1])
    sim.settle()

    assert stored(sim) is None
    assert drained.first.agent_id == cluster.agents["agent-1"].id
    assert drained.count == 1


@pytest.mark.scenario("SlaveTest.DrainAgentKillsPendingTask")
def test_a_task_that_has_not_reached_its_executor_ends_at_once(sim: Simulation) -> None:
    """KILLED, for the framework does not know GONE_BY_OPERATOR; the reason is the drain, no other (4.4.6, 4.4.7)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    sim.hold(RegisterExecutor)
    cluster.run(framework, framework=PLAIN)
    sim.settle()

    drain(sim, mark_gone=True)

    assert told(only(framework.updates("t1"))) == DRAINED_UNSTARTED


class DeafOnce(Executor):
    """It does not hear the first kill."""

    def __init__(self) -> None:
        self.kills = 0

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)

    def kill_task(self, driver: ExecutorDriver, task_id: TaskId, kill_policy: KillPolicy | None) -> None:
        self.kills += 1
        if self.kills > 1:
            driver.send_status_update(task_id, TaskState.TASK_KILLED)


@pytest.mark.scenario("SlaveTest.CheckpointedDrainInfo")
def test_a_restarted_agent_goes_on_draining(sim: Simulation) -> None:
    """It finds the config, and kills again before it registers (4.4.11)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED, executors={"obedient": DeafOnce})
    sim.settle()
    drain(sim, 30.0)
    assert framework.states("t1") == ["RUNNING"]

    cluster.agents["agent-1"].restart()
    kills, back = sim.expect(KillTask), sim.expect(AgentReregistered)
    sim.run_until(lambda: kills.count, timeout=3.0)

    assert only(kills.all).kill_policy == KillPolicy(grace_period_s=30.0)
    assert back.count == 0
    sim.advance(5.0)
    assert told(framework.updates("t1")[-1]) == DRAINED


# ----------------------------------------------------------------------------------------------------- what is killed


def test_an_agent_with_nothing_on_it_stores_nothing_and_says_so(sim: Simulation) -> None:
    """Each time it is told (4.4.2)."""
    cluster = sim.cluster(agents=1)
    drained = sim.expect(AgentDrained)

    drain(sim)
    drain(sim)

    assert drained.count == 2
    assert stored(sim) is None
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.settle()
    assert framework.states("t1") == ["STARTING", "RUNNING"]


def test_all_tasks_of_all_frameworks_are_killed_and_the_end_is_told_once(sim: Simulation) -> None:
    """Commands, tasks of user-written executors, tasks still queued (4.4.4)."""
    cluster = sim.cluster(agents=1, resources="cpus:8;mem:8192")
    one, two, three = Launcher(command_task("t1")), Launcher(executor_task("t2")), Launcher(executor_task("t3"))
    drained = sim.expect(AgentDrained)
    for framework, info in ((one, PLAIN), (two, AWARE), (three, CHECKPOINTED)):
        if framework is three:
            sim.drop(RegisterExecutor)
        driver = cluster.run(framework, framework=info, executors=EXECUTORS)
        sim.advance(2.0)
        driver.suppress_offers()

    drain(sim)

    assert told(one.updates("t1")[-1]) == DRAINED
    assert told(two.updates("t2")[-1]) == DRAINED
    assert told(three.updates("t3")[-1]) == DRAINED_UNSTARTED
    assert drained.count == 0  # the third executor is still starting
    sim.advance(60.0)
    assert drained.count == 1


@pytest.mark.parametrize(
    ("limit_s", "own_s", "sent_s", "ends_after_s"),
    [
        (None, None, None, 3.0),
        (None, 7.0, None, 7.0),
        (5.0, None, 5.0, 5.0),
        (1.0, None, 1.0, 1.0),
        (5.0, 7.0, 5.0, 5.0),
        (7.0, 7.0, None, 7.0),
        (9.0, 7.0, None, 7.0),
        (0.0, 7.0, 0.0, 0.0),
        (0.0, 0.0, None, 0.0),
    ],
)
def test_the_limit_of_the_drain_and_the_tasks_own_grace(
    sim: Simulation, limit_s: float | None, own_s: float | None, sent_s: float | None, ends_after_s: float
) -> None:
    """The table of 4.4.5, with what each row means for a command that only SIGKILL ends."""
    cluster = sim.cluster(agents=1)
    own = None if own_s is None else KillPolicy(grace_period_s=own_s)
    framework = Launcher(command_task("t1", STUBBORN, kill_policy=own))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    kills, asked_at = sim.expect(KillTask), sim.now

    drain(sim, limit_s)
    sim.run_until(lambda: framework.states("t1")[-1] == "KILLED", timeout=20.0)

    assert only(kills.all).kill_policy == (None if sent_s is None else KillPolicy(grace_period_s=sent_s))
    assert sim.now - asked_at == pytest.approx(ends_after_s)


class Polite(Executor):
    """Takes the grace it is given, and tells its framework what that was."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)

    def kill_task(self, driver: ExecutorDriver, task_id: TaskId, kill_policy: KillPolicy | None) -> None:
        driver.send_framework_message(str(kill_policy.grace_period_s if kill_policy else None))
        driver.send_status_update(task_id, TaskState.TASK_KILLED)


@pytest.mark.parametrize(("limit_s", "heard"), [(None, "None"), (20.0, "20.0")])
def test_user_written_executors_are_told_the_limit(sim: Simulation, limit_s: float | None, heard: str) -> None:
    """In Mesos it gets lost on the way to executors of the old kind (3.2.7)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=PLAIN, executors={"obedient": Polite})
    sim.settle()

    drain(sim, limit_s)

    assert only(framework.named("framework_message")).arguments[2] == heard


# ------------------------------------------------------------------------------------------------------ what is said


def test_killing_and_killed_carry_the_reason_of_the_drain(sim: Simulation) -> None:
    """Both, with who made them unchanged (4.4.6)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=WORDY)
    sim.advance(1.0)

    drain(sim)
    sim.advance(5.0)

    assert [told(status) for status in framework.updates("t1")[-2:]] == [("KILLING", *DRAINED[1:]), DRAINED]


def test_if_the_agent_is_to_be_gone_its_killed_tasks_are_gone_too(sim: Simulation) -> None:
    """GONE_BY_OPERATOR when it has ended, and KILLING until then, where Mesos says GONE_BY_OPERATOR at once (10.5)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=WORDY)
    sim.advance(1.0)

    drain(sim, mark_gone=True)
    sim.advance(2.9)
    assert told(framework.updates("t1")[-1]) == ("KILLING", "EXECUTOR", "AGENT_DRAINING", Cause.DRAINED)
    sim.advance(0.2)

    assert told(framework.updates("t1")[-1]) == ("GONE_BY_OPERATOR", "EXECUTOR", "AGENT_DRAINING", Cause.DRAINED)


class Contrary(Executor):
    """Ends its tasks in its own way: as their data says."""

    def __init__(self) -> None:
        self.ends: dict[TaskId, TaskState] = {}

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        self.ends[task.task_id] = TaskState[task.data]
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)

    def kill_task(self, driver: ExecutorDriver, task_id: TaskId, kill_policy: KillPolicy | None) -> None:
        driver.send_status_update(task_id, self.ends[task_id])


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("FINISHED", None),
        ("FAILED", None),
        ("ERROR", None),
        ("LOST", Cause.EXECUTOR_DIED),
        ("DROPPED", Cause.NEVER_STARTED),
        ("GONE", Cause.EXECUTOR_DIED),
    ],
)
def test_what_ends_otherwise_during_a_drain_is_not_explained_by_it(
    sim: Simulation, state: str, cause: Cause | None
) -> None:
    """Only KILLING and KILLED are (4.4.6)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(attrs.evolve(executor_task("t1"), data=f"TASK_{state}"))
    cluster.run(framework, framework=AWARE, executors={"obedient": Contrary})
    sim.settle()

    drain(sim, mark_gone=True)

    assert told(framework.updates("t1")[-1]) == (state, "EXECUTOR", None, cause)


def test_an_executor_that_dies_during_a_drain_has_died(sim: Simulation) -> None:
    """FAILED, EXECUTOR_TERMINATED, as ever (4.4.6, 3.1.9)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    drain(sim)

    sim.kill(f"agent-1/{driver.framework_id}/t1")
    sim.settle()

    assert told(framework.updates("t1")[-1]) == ("FAILED", "AGENT", "EXECUTOR_TERMINATED", Cause.EXECUTOR_DIED)


def test_an_update_of_a_task_that_is_forgotten_already_is_explained_too(sim: Simulation) -> None:
    """Every update that passes through is (4.4.6)."""
    cluster = sim.cluster(agents=1, resources="cpus:8;mem:1024")
    framework = Launcher(executor_task("t1"), command_task("t2", STUBBORN))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()
    drain(sim)

    tell_executor(sim, cluster, driver, "TASK_KILLED t1")
    sim.settle()

    assert told(framework.updates("t1")[-1]) == DRAINED
