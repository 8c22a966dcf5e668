"""What is so can be looked at from anywhere in a simulation, and looking changes nothing."""

from __future__ import annotations

import threading

from mesolite import SimulatedWork, Simulation, WrongThread
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    EXECUTORS,
    PLAIN,
    Launcher,
    command_task,
    executor_task,
    id_of,
    leader_of,
    only,
    tell_executor,
)


def test_before_there_is_a_cluster_there_is_nothing_to_be_seen(sim: Simulation) -> None:
    """Nothing runs, nobody leads; nothing is raised."""
    view = sim.view

    assert (view.running(), view.tasks("any"), view.agents, view.offers) == ((), (), (), ())
    assert (view.leader, view.state) == (None, None)


def test_a_command_is_running_from_the_start_of_its_process_to_its_end(sim: Simulation) -> None:
    """With its ids, the name of its framework and that of its machine."""
    cluster = sim.cluster(agents=1)
    driver = cluster.run(Launcher(command_task("t1", SimulatedWork(duration=5.0))), PLAIN)

    sim.run_until(sim.view.running, timeout=5.0)
    task = only(sim.view.running(driver))
    sim.run_until(lambda: not sim.view.running(), timeout=10.0)

    assert (task.task_id, task.framework, task.agent) == ("t1", "plain", "agent-1")
    assert (task.framework_id, task.agent_id, task.executor_id) == (driver.framework_id, id_of(cluster), "t1")


def test_a_command_whose_agent_crashed_is_still_running_and_one_without_power_is_not(sim: Simulation) -> None:
    """Whatever the leader believes: a checkpointed task outlives its agent's process, nothing outlives a machine."""
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(command_task("t1")), CHECKPOINTED)
    sim.advance(5.0)

    cluster.agents["agent-1"].crash()
    sim.advance(5.0)
    after_the_crash = sim.view.running()
    cluster.agents["agent-1"].power_off()

    assert [task.agent for task in after_the_crash] == ["agent-1"]
    assert sim.view.running() == ()
    assert [task.task_id for task in sim.view.tasks()] == ["t1"]


def test_a_task_in_user_code_is_running_until_that_says_otherwise(sim: Simulation) -> None:
    """From the moment it was given the task; another task of the same executor goes on."""
    cluster = sim.cluster(agents=1)
    driver = cluster.run(Launcher(executor_task("t1"), executor_task("t2")), PLAIN, executors=EXECUTORS)
    sim.run_until(lambda: len(sim.view.running()) == 2, timeout=5.0)
    sim.advance(1.0)

    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()
    assert [task.task_id for task in sim.view.running()] == ["t2"]
    tell_executor(sim, cluster, driver, "stop")
    sim.settle()

    assert sim.view.running() == ()


def test_frameworks_are_told_apart_by_driver_name_or_id(sim: Simulation) -> None:
    """Two of one name too: the second one's driver has a name of its own."""
    cluster = sim.cluster(agents=2, resources="cpus:1;mem:128")
    drivers = [cluster.run(Launcher(command_task(name)), PLAIN) for name in ("t1", "t2")]
    sim.advance(5.0)
    view = sim.view

    for task_id, driver in zip(("t1", "t2"), drivers, strict=True):
        for framework in (driver, driver.framework_id):
            assert [task.task_id for task in view.running(framework)] == [task_id]
            assert [task.task_id for task in view.tasks(framework)] == [task_id]
    assert [task.task_id for task in view.running("plain#2")] == ["t2"]
    assert view.running("nobody") == view.tasks("nobody") == ()


def test_tasks_agents_and_offers_are_as_the_leader_has_them(sim: Simulation) -> None:
    """What is used and offered of an agent, and the names beside the ids."""
    cluster = sim.cluster(agents=1, resources="cpus:4;mem:1024")
    driver = cluster.run(Launcher(command_task("t1"), refuse_s=0.0), PLAIN)
    sim.advance(5.0)
    view, agent_id = sim.view, id_of(cluster)

    task, agent, offer = only(view.tasks()), only(view.agents), only(view.offers)

    assert (task.task_id, task.framework, task.agent, task.state.name) == ("t1", "plain", "agent-1", "TASK_RUNNING")
    assert (task.framework_id, task.agent_id, str(task.resources)) == (driver.framework_id, agent_id, "cpus:1;mem:128")
    assert (agent.name, agent.id, agent.connected, agent.active) == ("agent-1", agent_id, True, True)
    assert (agent.deactivated, agent.draining) == (False, False)
    assert (str(agent.total), str(agent.used + agent.offered)) == ("cpus:4;mem:1024", "cpus:4;mem:1024")
    assert (offer.framework, offer.agent, offer.resources) == ("plain", "agent-1", agent.offered)
    assert view.leader == leader_of(cluster).name
    assert view.state == cluster.operator.state()


def test_an_agent_that_is_drained_says_so(sim: Simulation) -> None:
    """It is deactivated from the first to long after the last moment of its drain."""
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(command_task("t1", SimulatedWork(duration=None, on_sigterm=2.0))), PLAIN)
    sim.advance(5.0)

    drain = cluster.operator.drain("agent-1", 10.0)
    during = only(sim.view.agents)
    drain.wait(timeout=30.0)
    after = only(sim.view.agents)

    assert (during.deactivated, during.draining) == (True, True)
    assert (after.deactivated, after.draining) == (True, False)


def test_a_task_out_of_reach_stays_among_the_tasks(sim: Simulation) -> None:
    """Its agent is gone from the agents, and it still has the name of the machine it was on; it goes on running."""
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(command_task("t1")), AWARE)
    sim.advance(5.0)

    sim.partition("agent-1", leader_of(cluster))
    sim.run_until(lambda: not sim.view.agents, timeout=200.0)

    task = only(sim.view.tasks())
    assert (task.state.name, task.agent) == ("TASK_UNREACHABLE", "agent-1")
    assert [alive.task_id for alive in sim.view.running()] == ["t1"]


def test_while_nobody_leads_nothing_is_seen_of_what_a_leader_has(sim: Simulation) -> None:
    """What is alive is seen all the same."""
    cluster = sim.cluster(agents=1, masters=2)
    cluster.run(Launcher(command_task("t1")), PLAIN)
    sim.advance(5.0)

    leader_of(cluster).crash()

    assert (sim.view.leader, sim.view.state, sim.view.agents, sim.view.tasks(), sim.view.offers) == (
        None, None, (), (), ()
    )  # fmt: skip
    assert [task.task_id for task in sim.view.running()] == ["t1"]


def test_only_the_simulations_own_thread_may_look(sim: Simulation) -> None:
    """Another one would see it half done."""
    sim.cluster(agents=1)
    raised: list[BaseException] = []

    def look() -> None:
        try:
            sim.view.running()
        except WrongThread as error:
            raised.append(error)

    other = threading.Thread(target=look)
    other.start()
    other.join()

    assert len(raised) == 1
