"""A drain and whatever else happens to an agent at the same time, in both orders (drain.md 4.4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mesolite import KillPolicy, SimulatedWork, Simulation, TaskInfo
from mesolite.messages import (
    AgentDrained,
    AgentReregistered,
    Cause,
    DrainAgent,
    DrainConfig,
    KillTask,
    RegisterExecutor,
    ReregisterAgent,
    RunTask,
    ShutdownExecutor,
    UnregisterAgent,
)
from tests.inside import alive
from tests.scenarios.agent_orders import DRAINED, DRAINED_UNSTARTED, drain, stored, told
from tests.scenarios.schedulers import (
    CHECKPOINTED,
    EXECUTORS,
    PLAIN,
    STUBBORN,
    Launcher,
    command_task,
    executor_task,
    fail_over,
    only,
    tell_executor,
)

SLOW = SimulatedWork(duration=None, on_sigterm=2.0)
"""Work that needs two seconds to end."""


# ---------------------------------------------------------------------------------------------------------- who says so


@pytest.mark.parametrize("sender", ["master-2", "outside", "agent-1"])
def test_only_the_leader_can_make_an_agent_drain(sim: Simulation, sender: str) -> None:
    """In Mesos anybody can (4.4.1, 10.13)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.settle()
    kills = sim.expect(KillTask)

    sim.inject("agent-1", DrainAgent(config=DrainConfig()), sender=sender)
    sim.settle()

    assert (kills.count, stored(sim)) == (0, None)


def test_a_drain_may_begin_before_the_agent_has_reregistered(sim: Simulation) -> None:
    """It is told so before it is told that it is back; what it has to say waits until then (4.6.4, 4.6.5)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    asked, answers = sim.expect(ReregisterAgent), sim.hold(AgentReregistered)
    cluster.agents["agent-1"].restart()
    sim.run_until(lambda: asked.count, timeout=10.0)

    drain(sim)
    assert framework.states("t1") == ["STARTING", "RUNNING"]
    answers.release()
    sim.settle()

    assert told(framework.updates("t1")[-1]) == DRAINED


def test_an_agent_that_recovers_knows_no_leader_to_listen_to(sim: Simulation) -> None:
    """It will be told again when it re-registers (4.6.1)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    cluster.agents["agent-1"].restart()

    drain(sim)
    sim.advance(10.0)

    assert stored(sim) is None
    assert framework.states("t1") == ["STARTING", "RUNNING"]


def test_the_end_is_told_to_whoever_leads_then(sim: Simulation) -> None:
    """A drain outlives the leader that ordered it."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1", STUBBORN, kill_policy=KillPolicy(grace_period_s=30.0)))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    assert cluster.leader is not None
    sim.inject("agent-1", DrainAgent(config=DrainConfig()), sender=cluster.leader.name)
    sim.settle()
    leader = fail_over(sim, cluster)
    drained = sim.expect(AgentDrained, receiver=leader.name)

    sim.advance(40.0)

    assert told(framework.updates("t1")[-1]) == DRAINED
    assert drained.count == 1


# --------------------------------------------------------------------------------------------------- kills and launches


@pytest.mark.parametrize("kill_first", [True, False])
def test_a_kill_and_a_drain(sim: Simulation, kill_first: bool) -> None:
    """Whichever comes first, the shorter grace counts, and the drain is the reason (3.2.3, 4.4.6)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    began = sim.now

    if kill_first:
        driver.kill_task("t1", KillPolicy(grace_period_s=8.0))
        sim.advance(1.0)
        drain(sim, 5.0)
    else:
        drain(sim, 5.0)
        sim.advance(1.0)
        driver.kill_task("t1", KillPolicy(grace_period_s=8.0))
    sim.run_until(lambda: framework.states("t1")[-1] == "KILLED", timeout=20.0)

    assert sim.now - began == pytest.approx(5.0)
    assert told(framework.updates("t1")[-1]) == DRAINED


@pytest.mark.parametrize("make", [command_task, executor_task])
@pytest.mark.parametrize("launch_first", [True, False])
def test_a_launch_and_a_drain(sim: Simulation, launch_first: bool, make: Callable[[str], TaskInfo]) -> None:
    """Launched first the task is killed; drained first, with nothing there, the drain is over before it comes."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(make("t1"))
    launches = sim.drop(RunTask, receiver="agent-1", times=1)
    cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    orders = [launches.first, DrainAgent(config=DrainConfig())]

    for order in orders if launch_first else reversed(orders):
        sim.inject("agent-1", order, sender="master-1")
    sim.settle()

    if launch_first:
        assert told(only(framework.updates("t1"))) == DRAINED_UNSTARTED
    else:
        assert framework.states("t1")[-1] == "RUNNING"


@pytest.mark.parametrize("make", [command_task, executor_task])
def test_a_drain_while_an_executor_is_about_to_register(sim: Simulation, make: Callable[[str], TaskInfo]) -> None:
    """Its task ends at once; the executor, when it comes, is shut down; only then is the drain over (TK-44)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(make("t1"))
    registrations = sim.hold(RegisterExecutor)
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    drained, shutdowns = sim.expect(AgentDrained), sim.expect(ShutdownExecutor)

    drain(sim)
    assert told(only(framework.updates("t1"))) == DRAINED_UNSTARTED
    sim.advance(5.0)
    assert (drained.count, shutdowns.count) == (0, 0)
    registrations.release()
    sim.settle()

    assert (drained.count, shutdowns.count) == (1, 1)
    name = "t1" if make is command_task else "e1"
    assert not alive(sim, f"agent-1/{driver.framework_id}/{name}")


def test_told_again_it_kills_again_by_the_new_limit(sim: Simulation) -> None:
    """An operator who cannot wait shortens a drain under way (4.3.7, 4.4.3, 3.2.3)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    drained = sim.expect(AgentDrained)

    drain(sim, 600.0)
    sim.advance(60.0)
    drain(sim, 61.0)
    assert stored(sim) == DrainConfig(max_grace_period_s=61.0)
    sim.advance(1.1)

    assert told(framework.updates("t1")[-1]) == DRAINED
    assert drained.count == 1


# ------------------------------------------------------------------------------------------------------------- restarts


def test_a_grace_under_way_is_not_prolonged_by_a_restart(sim: Simulation) -> None:
    """The kill that is repeated counts from the first one (4.4.11, 4.6.9, 3.2.3)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    drain(sim, 20.0)
    sim.advance(5.0)
    drained = sim.expect(AgentDrained)

    cluster.agents["agent-1"].restart()
    sim.advance(14.9)
    assert framework.states("t1")[-1] == "RUNNING"
    sim.advance(0.2)

    assert told(framework.updates("t1")[-1]) == DRAINED
    sim.settle()
    assert (drained.count, stored(sim)) == (1, None)


def test_what_ended_while_the_agent_was_down_is_explained_by_the_drain(sim: Simulation) -> None:
    """The executor reports it to the next life of its agent, which still drains (4.4.6)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", SLOW))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    drain(sim)
    cluster.agents["agent-1"].crash()
    sim.advance(3.0)

    cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    assert told(framework.updates("t1")[-1]) == DRAINED
    assert stored(sim) is None


def test_if_nothing_comes_back_the_drain_is_forgotten(sim: Simulation) -> None:
    """Work that is not checkpointed is gone; in Mesos the next launch would be refused (4.4.12, 10.11)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN), refuse_s=0)
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    drain(sim)
    assert stored(sim) is not None

    cluster.agents["agent-1"].restart()
    sim.settle()
    assert stored(sim) is None
    framework.waiting = [command_task("t2")]
    sim.advance(10.0)

    assert framework.states("t2") == ["STARTING", "RUNNING"]


# ----------------------------------------------------------------------------------------------- leaving, and torn down


@pytest.mark.parametrize("drain_first", [True, False])
def test_a_drain_and_sigusr1(sim: Simulation, drain_first: bool) -> None:
    """Leaving wins: the framework hears of its tasks from the master, the next life drains nothing (2.1.7, 4.6.8)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN), refuse_s=0)
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    agent = cluster.agents["agent-1"]
    left, drained = sim.expect(UnregisterAgent), sim.expect(AgentDrained)

    if drain_first:
        drain(sim)
        agent.signal(10)
    else:
        agent.signal(10)
        sim.settle()
        drain(sim)
    sim.advance(20.0)

    assert (left.count, drained.count, stored(sim), agent.alive) == (1, 0, None, False)
    assert framework.updates("t1")[-1].cause is not Cause.DRAINED
    framework.waiting = [command_task("t2")]
    agent.restart()
    sim.advance(10.0)
    assert framework.states("t2") == ["STARTING", "RUNNING"]


@pytest.mark.parametrize("drain_first", [True, False])
def test_a_drain_and_the_end_of_a_framework(sim: Simulation, drain_first: bool) -> None:
    """The drain is over when the executors are, not when the framework's tasks have left the books."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    drained = sim.expect(AgentDrained)

    if drain_first:
        drain(sim)
        driver.stop()
        sim.settle()
    else:
        driver.stop()
        sim.settle()
        drain(sim)
    sim.advance(2.9)
    assert (drained.count, len(sim.view.running())) == (0, 1)
    sim.advance(2.0)

    assert (drained.count, len(sim.view.running()), stored(sim)) == (1, 0, None)


def test_an_executor_that_was_told_to_shut_down_holds_up_the_drain(sim: Simulation) -> None:
    """It is not idle while it ends."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    drained = sim.expect(AgentDrained)
    sim.drop(ShutdownExecutor)
    driver.stop()
    sim.settle()

    drain(sim)
    sim.advance(4.9)
    assert drained.count == 0
    sim.advance(0.2)

    assert drained.count == 1


def test_a_task_that_ends_by_itself_before_the_kill_arrives(sim: Simulation) -> None:
    """It has FINISHED; the kill finds nothing (3.3.7)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS, implicit_acknowledgements=False)
    sim.settle()
    driver.acknowledge(framework.updates("t1")[0])
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()
    kills, drained = sim.expect(KillTask), sim.expect(AgentDrained)

    drain(sim)
    assert (kills.count, drained.count) == (0, 0)
    driver.acknowledge(framework.updates("t1")[1])
    sim.settle()

    assert framework.states("t1") == ["RUNNING", "FINISHED"]
    assert drained.count == 1
