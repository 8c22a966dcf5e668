"""Resources that were not returned in time: how an agent ends the tasks and executors that hold them (docs/reclaim.md).

The master's part is left out: its orders are injected.
"""

from __future__ import annotations

import attrs
import pytest

from mesolite import (
    Executor,
    ExecutorDriver,
    FrameworkInfo,
    KillPolicy,
    SchedulerDriver,
    Simulation,
    TaskInfo,
    TaskState,
)
from mesolite.messages import (
    AgentRegistered,
    Cause,
    ExitedExecutor,
    KillTask,
    RegisterExecutor,
    RevokeExecutor,
    RevokeTask,
    RunTask,
    ShutdownExecutor,
)
from mesolite.messages.ids import ExecutorId, FrameworkId, TaskId
from tests.scenarios.agent_orders import DRAINED, WORDY, drain, told
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

REVOKED = ("KILLED", "EXECUTOR", "RESOURCES_REVOKED", Cause.REVOKED)
REVOKED_BY_AGENT = ("KILLED", "AGENT", "RESOURCES_REVOKED", Cause.REVOKED)


class Deaf(Executor):
    """Runs its tasks and hears of nothing else."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)


DEAF = {"obedient": Deaf}


def revoke(sim: Simulation, driver: SchedulerDriver, task_id: str, *, sender: str = "master-1") -> None:
    """Revoke a task; what follows at once follows at once."""
    order = RevokeTask(framework_id=FrameworkId(str(driver.framework_id)), task_id=TaskId(task_id))  # type: ignore[attr-defined]
    sim.inject("agent-1", order, sender=sender)
    sim.settle()


def revoke_executor(sim: Simulation, driver: SchedulerDriver, executor_id: str = "e1") -> None:
    """Revoke an executor."""
    framework_id = FrameworkId(str(driver.framework_id))  # type: ignore[attr-defined]
    order = RevokeExecutor(framework_id=framework_id, executor_id=ExecutorId(executor_id))
    sim.inject("agent-1", order, sender="master-1")
    sim.settle()


def about_end(framework: Launcher, task_id: str) -> tuple[str, str | None, str | None, Cause | None]:
    """What was told of a task last."""
    return told(framework.updates(task_id)[-1])


# ------------------------------------------------------------------------------------------------------------- a task


@pytest.mark.parametrize(("own_s", "ends_after_s"), [(None, 3.0), (7.0, 7.0), (0.0, 0.0)])
def test_a_revoked_task_has_its_own_grace(sim: Simulation, own_s: float | None, ends_after_s: float) -> None:
    """And its updates say that it was revoked, all along."""
    cluster = sim.cluster(agents=1)
    policy = None if own_s is None else KillPolicy(grace_period_s=own_s)
    framework = Launcher(command_task("t1", STUBBORN, kill_policy=policy))
    driver = cluster.run(framework, framework=WORDY)
    sim.advance(1.0)
    began = sim.now

    revoke(sim, driver, "t1")
    sim.run_until(lambda: framework.states("t1")[-1] == "KILLED", timeout=20.0)

    assert sim.now - began == pytest.approx(ends_after_s)
    assert [told(status) for status in framework.updates("t1")[-2:]] == [("KILLING", *REVOKED[1:]), REVOKED]


def test_a_revoked_task_that_is_still_queued_ends_at_once(sim: Simulation) -> None:
    """The agent itself says so."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    sim.hold(RegisterExecutor)
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()

    revoke(sim, driver, "t1")

    assert told(only(framework.updates("t1"))) == REVOKED_BY_AGENT


@pytest.mark.parametrize("own_s", [None, 10.0])
def test_an_executor_that_does_not_end_a_revoked_task_is_shut_down(sim: Simulation, own_s: float | None) -> None:
    """After the task's grace and a margin; its other tasks go with it, and say why."""
    cluster = sim.cluster(agents=1, resources="cpus:8;mem:1024")
    policy = None if own_s is None else KillPolicy(grace_period_s=own_s)
    framework = Launcher(attrs.evolve(executor_task("t1"), kill_policy=policy), executor_task("t2"))
    driver = cluster.run(framework, framework=PLAIN, executors=DEAF)
    sim.advance(1.0)

    revoke(sim, driver, "t1")
    sim.advance((3.0 if own_s is None else own_s) + 1.9)
    assert framework.states("t1") == ["RUNNING"]
    sim.advance(0.2)

    assert told(framework.updates("t1")[-1]) == told(framework.updates("t2")[-1]) == REVOKED_BY_AGENT
    assert framework.count("executor_lost") == 1


def test_an_executor_that_does_not_even_shut_down_is_destroyed(sim: Simulation) -> None:
    """After its own grace: the teeth bite whoever holds the resources (3.1.3)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=DEAF)
    sim.settle()
    sim.drop(ShutdownExecutor)

    revoke(sim, driver, "t1")
    sim.advance(9.9)
    assert framework.states("t1") == ["RUNNING"]
    sim.advance(0.2)

    assert told(framework.updates("t1")[-1]) == REVOKED_BY_AGENT


def test_revoked_again_it_gets_no_second_grace(sim: Simulation) -> None:
    """The order is repeated when the agent re-registers; that must not put off the end."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=DEAF)
    sim.settle()

    revoke(sim, driver, "t1")
    sim.advance(4.0)
    revoke(sim, driver, "t1")
    sim.advance(1.1)

    assert told(framework.updates("t1")[-1]) == REVOKED_BY_AGENT


def test_a_later_task_of_the_same_name_is_not_bitten(sim: Simulation) -> None:
    """The first was revoked and ended in time; its timer has nothing to do with the second."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"), refuse_s=0)
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    revoke(sim, driver, "t1")
    framework.waiting = [executor_task("t1")]

    sim.advance(10.0)

    assert framework.states("t1") == ["RUNNING", "KILLED", "RUNNING"]
    assert framework.count("executor_lost") == 0


@pytest.mark.parametrize("info", [PLAIN, AWARE])
def test_a_revoked_task_that_is_not_here_is_reported_so(sim: Simulation, info: FrameworkInfo) -> None:
    """As for a kill, so that the master does not wait for it for ever (3.3.4)."""
    cluster = sim.cluster(agents=1, resources="cpus:8;mem:1024")
    framework = Launcher(command_task("t1"), command_task("t2"))
    sim.drop(RunTask, receiver="agent-1", where=lambda message: message.task.task_id == "t2")
    driver = cluster.run(framework, framework=info)
    sim.advance(1.0)

    revoke(sim, driver, "t2")

    state = "DROPPED" if info is AWARE else "LOST"
    assert told(only(framework.updates("t2"))) == (state, "AGENT", "EXECUTOR_TERMINATED", Cause.NEVER_STARTED)


@pytest.mark.parametrize("sender", ["master-2", "outside"])
def test_only_the_leader_can_revoke(sim: Simulation, sender: str) -> None:
    """As with every order (TK-47)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()

    revoke(sim, driver, "t1", sender=sender)

    assert framework.states("t1") == ["RUNNING"]


# ------------------------------------------------------------------------------------------------ together with others


@pytest.mark.parametrize("kill_first", [True, False])
def test_a_kill_and_a_revocation(sim: Simulation, kill_first: bool) -> None:
    """Whoever asked first is the cause; either way it ends by its own grace, however long the kill would give it."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)

    if kill_first:
        driver.kill_task("t1", KillPolicy(grace_period_s=600.0))
        sim.settle()
    revoke(sim, driver, "t1")
    if not kill_first:
        driver.kill_task("t1", KillPolicy(grace_period_s=600.0))
    sim.advance(3.1)

    expected = ("KILLED", "EXECUTOR", None, Cause.KILLED) if kill_first else REVOKED
    assert told(framework.updates("t1")[-1]) == expected


@pytest.mark.parametrize("drain_first", [True, False])
def test_a_drain_and_a_revocation(sim: Simulation, drain_first: bool) -> None:
    """The drain is what is told (4.4.6), and the revocation bites all the same."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=DEAF)
    sim.settle()

    if drain_first:
        drain(sim, 600.0)
    revoke(sim, driver, "t1")
    if not drain_first:
        drain(sim, 600.0)
    sim.advance(5.1)

    assert told(framework.updates("t1")[-1]) == ("KILLED", "AGENT", *DRAINED[2:])


def test_a_revocation_outlives_a_restart_of_the_agent(sim: Simulation) -> None:
    """The task is killed again, with a new grace, and its executor shut down after that."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=CHECKPOINTED, executors=DEAF)
    sim.advance(1.0)
    revoke(sim, driver, "t1")
    kills = sim.expect(KillTask)

    cluster.agents["agent-1"].restart()
    sim.advance(2.0 + 4.9)
    assert (kills.count, framework.states("t1")[-1]) == (1, "RUNNING")
    sim.advance(0.2)

    assert told(framework.updates("t1")[-1]) == REVOKED_BY_AGENT


# -------------------------------------------------------------------------------------------------------- an executor


def test_a_revoked_executor_that_idles_is_shut_down(sim: Simulation) -> None:
    """And the master told, which gives back what it held."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()
    exits = sim.expect(ExitedExecutor, sender="agent-1")

    revoke_executor(sim, driver)

    assert only(exits.all).executor_id == "e1"
    assert framework.states("t1") == ["RUNNING", "FINISHED"]


def test_a_revoked_executor_waits_for_the_graces_of_its_tasks(sim: Simulation) -> None:
    """They are revoked with it, and nothing new is taken for it meanwhile."""
    cluster = sim.cluster(agents=1, resources="cpus:8;mem:1024")
    tasks = [attrs.evolve(executor_task(name), kill_policy=KillPolicy(grace_period_s=60.0)) for name in ("t1", "t2")]
    framework = Launcher(*tasks, refuse_s=0)
    driver = cluster.run(framework, framework=PLAIN, executors=DEAF)
    sim.settle()

    revoke_executor(sim, driver)
    framework.waiting = [executor_task("t3")]
    sim.advance(30.0)
    assert about_end(framework, "t3") == ("LOST", "AGENT", "EXECUTOR_TERMINATED", Cause.NEVER_STARTED)
    tell_executor(sim, cluster, driver, "TASK_KILLED t1")
    sim.advance(1.0)
    assert framework.count("executor_lost") == 0
    sim.advance(40.0)

    assert about_end(framework, "t1") == about_end(framework, "t2") == REVOKED_BY_AGENT
    assert framework.count("executor_lost") == 1


def test_a_revoked_executor_goes_with_the_last_of_its_tasks(sim: Simulation) -> None:
    """It need not wait until their ends are acknowledged."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS, implicit_acknowledgements=False)
    sim.settle()

    revoke_executor(sim, driver)

    assert framework.count("executor_lost") == 1
    driver.acknowledge(framework.updates("t1")[0])
    sim.settle()
    assert about_end(framework, "t1") == REVOKED


def test_a_revoked_executor_that_is_not_here_is_reported_as_gone(sim: Simulation) -> None:
    """Or the master would count on it for ever."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    sim.drop(RunTask, receiver="agent-1")
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()

    revoke_executor(sim, driver)

    assert only(framework.named("executor_lost")).arguments[2] == -1


def test_an_agent_that_has_not_heard_of_its_id_cannot_say_so(sim: Simulation) -> None:
    """The master counts on it already, and the word about its admission was lost; its retry settles all (1.2.3)."""
    cluster = sim.cluster(agents=0)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    admissions = sim.drop(AgentRegistered)
    agent = cluster.add_agent()
    sim.run_until(lambda: framework.offers, timeout=10.0)
    exits = sim.expect(ExitedExecutor)

    revoke_executor(sim, driver)

    assert (agent.alive, exits.count) == (True, 0)
    sim.forget(admissions)
    sim.run_until(lambda: agent.registered, timeout=120.0)
