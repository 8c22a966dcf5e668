"""A restarted agent and the executors of its earlier life: those that ended, never came up, or came up for nothing
(core.md section 7; drain.md 3.1.12).
"""

from __future__ import annotations

import attrs
import pytest

from mesolite import FrameworkInfo, Settings, Simulation
from mesolite.actors.runtime.store import encoded
from mesolite.messages import (
    AgentReregistered,
    Cause,
    ExecutorCheckpoint,
    ExecutorReregistered,
    FrameworkCheckpoint,
    ReconnectExecutor,
    RegisterExecutor,
    ReregisterExecutor,
    RunTask,
    ShutdownExecutor,
    TaskCheckpoint,
    TaskState,
)
from mesolite.messages.ids import ExecutorId
from tests.inside import alive, store_of
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    EXECUTORS,
    Launcher,
    about,
    check_books,
    command_task,
    executor_task,
    tell_executor,
)

WHOLE = "cpus:2;mem:256"
NOT_BACK = ("AGENT", "EXECUTOR_REREGISTRATION_TIMEOUT")


def heard(framework: Launcher, task_id: str) -> set[tuple[str, str | None, str | None]]:
    """What was said of a task; an agent that comes back may say a thing twice (0.2.13, TK-12)."""
    return {about(status) for status in framework.updates(task_id)}


@pytest.mark.scenario("SlaveRecoveryTest.RecoverTerminatedExecutor")
@pytest.mark.parametrize(
    ("info", "state"), [(CHECKPOINTED, "LOST"), (attrs.evolve(AWARE, checkpoint=True), "GONE")]
)
def test_an_executor_that_ended_while_its_agent_was_down(sim: Simulation, info: FrameworkInfo, state: str) -> None:
    """Nobody knows how it ended: its task is LOST, or GONE, and what it held is offered again (AG-13)."""
    cluster = sim.cluster(agents=1, resources=WHOLE)
    framework = Launcher(command_task("t1", resources=WHOLE))
    driver = cluster.run(framework, framework=info)
    sim.advance(1.0)
    cluster.agents["agent-1"].crash()
    sim.kill(f"agent-1/{driver.framework_id}/t1")

    cluster.agents["agent-1"].restart()
    sim.advance(5.0)

    assert about(framework.updates("t1")[-1]) == (state, *NOT_BACK)
    assert framework.updates("t1")[-1].cause is Cause.EXECUTOR_DIED
    assert str(framework.offers[-1].resources) == WHOLE
    check_books(sim)


def test_an_executor_that_came_back_and_dies_before_its_agent_has_registered(sim: Simulation) -> None:
    """It was there, so its task has FAILED (TK-55)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    cluster.agents["agent-1"].restart()
    sim.settle()
    sim.kill(f"agent-1/{driver.framework_id}/t1")

    sim.advance(5.0)

    assert about(framework.updates("t1")[-1]) == ("FAILED", "AGENT", "EXECUTOR_TERMINATED")


@pytest.mark.scenario("SlaveRecoveryTest.RecoverUnregisteredExecutor")
def test_an_executor_that_had_not_registered_when_its_agent_died(sim: Simulation) -> None:
    """It cannot be reached by the next life of its agent: the task is LOST (AG-11, AG-13)."""
    cluster = sim.cluster(agents=1, resources=WHOLE)
    framework = Launcher(command_task("t1", resources=WHOLE))
    sim.drop(RegisterExecutor)
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    cluster.agents["agent-1"].crash()
    sim.settle()

    cluster.agents["agent-1"].restart()
    sim.advance(5.0)

    assert heard(framework, "t1") == {("LOST", *NOT_BACK)}
    assert str(framework.offers[-1].resources) == WHOLE


@pytest.mark.scenario("SlaveRecoveryTest.RestartBeforeContainerizerLaunch")
def test_an_executor_that_was_stored_and_never_started(sim: Simulation) -> None:
    """The agent died between the two: there is nothing to come back, so its task has FAILED (TK-55)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    launches = sim.drop(RunTask)
    driver = cluster.run(framework, framework=CHECKPOINTED)
    sim.settle()
    cluster.agents["agent-1"].crash()
    launch = launches.first
    names = {"framework_id": launch.framework_id, "executor_id": ExecutorId("t1")}
    actor = f"agent-1/{driver.framework_id}/t1"
    records = (
        (f"framework/{driver.framework_id}", FrameworkCheckpoint(
            framework_info=launch.framework_info, scheduler=launch.scheduler
        )),
        (f"executor/{driver.framework_id}/t1", ExecutorCheckpoint(
            **names, info=None, pid=actor, run=1, registered=False, shutdown_grace_s=5.0
        )),
        (f"task/{driver.framework_id}/t1", TaskCheckpoint(
            **names, task=launch.task, state=TaskState.TASK_STAGING, delivered=False
        )),
    )  # fmt: skip
    sim.runtime.store.save("agent-1", encoded("agent-1", records), 0)

    cluster.agents["agent-1"].restart()
    sim.advance(5.0)

    assert heard(framework, "t1") == {("FAILED", "AGENT", "EXECUTOR_TERMINATED")}
    check_books(sim)


@pytest.mark.scenario("SlaveRecoveryTest.KillQueuedTaskDuringExecutorRegistration")
def test_a_queued_task_that_was_killed_stays_killed_after_a_restart(sim: Simulation) -> None:
    """KILLED at once; after the restart nothing is left of its executor, and nothing more is said (TK-44, AG-13)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    sim.drop(RegisterExecutor)
    driver = cluster.run(framework, framework=CHECKPOINTED, implicit_acknowledgements=False)
    sim.settle()
    driver.kill_task("t1")
    sim.settle()
    assert heard(framework, "t1") == {("KILLED", "AGENT", "TASK_KILLED_DURING_LAUNCH")}

    cluster.agents["agent-1"].restart()
    sim.advance(5.0)

    assert heard(framework, "t1") == {("KILLED", "AGENT", "TASK_KILLED_DURING_LAUNCH")}
    assert not alive(sim, f"agent-1/{driver.framework_id}/t1")
    driver.acknowledge(framework.updates("t1")[-1])
    sim.settle()
    assert list(store_of(sim, "agent-1")) == ["agent"]


@pytest.mark.scenario("SlaveTest.AgentFailoverTerminatesExecutorWithNoTask")
@pytest.mark.parametrize("make", [command_task, executor_task])
def test_an_executor_that_came_up_and_never_got_its_task_is_shut_down_after_a_restart(
    sim: Simulation, make: object
) -> None:
    """Its task had not reached it, so the restarted agent drops it; what is left has nothing to do (AG-14, TK-44)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(make("t1"))  # type: ignore[operator]
    sim.drop(RunTask, sender="agent-1", times=1)
    driver = cluster.run(framework, framework=CHECKPOINTED, executors=EXECUTORS)
    sim.advance(1.0)
    shutdowns, back = sim.expect(ShutdownExecutor), sim.expect(AgentReregistered)

    cluster.agents["agent-1"].restart()
    sim.run_until(lambda: shutdowns.count, timeout=1.0)

    assert back.count == 0
    sim.advance(5.0)
    assert heard(framework, "t1") == {("LOST", "AGENT", "AGENT_RESTARTED")}
    assert framework.updates("t1")[0].cause is Cause.NEVER_STARTED
    actor = f"agent-1/{driver.framework_id}/{'t1' if make is command_task else 'e1'}"
    assert not alive(sim, actor)


def test_an_executor_that_has_had_a_task_lives_on_when_its_next_one_is_lost(sim: Simulation) -> None:
    """It is not told to end, with or without tasks (TK-60)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"), refuse_s=0)
    driver = cluster.run(framework, framework=CHECKPOINTED, executors=EXECUTORS)
    sim.advance(1.0)
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()
    sim.drop(RunTask, sender="agent-1", times=1)
    framework.waiting = [executor_task("t2")]
    sim.advance(2.0)

    cluster.agents["agent-1"].restart()
    sim.advance(5.0)

    assert heard(framework, "t2") == {("LOST", "AGENT", "AGENT_RESTARTED")}
    assert alive(sim, f"agent-1/{driver.framework_id}/e1")


@pytest.mark.scenario("SlaveRecoveryTest.ReconnectExecutorRetry")
def test_a_restarted_agent_asks_an_executor_again_that_does_not_answer(mesolite_seed: int) -> None:
    """Every second, until it does (AG-11)."""
    settings = Settings.mesos().but(executor_reregistration_timeout_s=5.0, executor_reregistration_retry_s=1.0)
    with Simulation(mesolite_seed, settings=settings) as sim:
        cluster = sim.cluster(agents=1)
        framework = Launcher(command_task("t1"))
        cluster.run(framework, framework=CHECKPOINTED)
        sim.advance(1.0)
        lost, asked = sim.drop(ReregisterExecutor, times=2), sim.expect(ReconnectExecutor)
        answered, confirmed = sim.expect(ReregisterExecutor), sim.expect(ExecutorReregistered)

        cluster.agents["agent-1"].restart()
        sim.advance(1.9)
        assert (asked.count, lost.count, confirmed.count) == (2, 2, 0)
        sim.advance(0.2)
        assert (asked.count, confirmed.count) == (3, 1)
        sim.advance(8.0)

        assert (asked.count, answered.count) == (3, 1)
        assert framework.states("t1") == ["STARTING", "RUNNING"]


def test_an_executor_that_answers_twice_is_confirmed_twice(sim: Simulation) -> None:
    """Even late: it is not shut down for it, as in Mesos without retries (AG-15)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    answers, shutdowns = sim.expect(ReregisterExecutor), sim.expect(ShutdownExecutor)
    cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    sim.inject("agent-1", answers.first, sender=f"agent-1/{driver.framework_id}/t1")
    sim.advance(10.0)

    assert shutdowns.count == 0
    assert framework.states("t1") == ["STARTING", "RUNNING"]
