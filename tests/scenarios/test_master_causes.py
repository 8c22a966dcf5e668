"""What became of a task, as data: the cause in what a master says of it, keeps, and repeats when asked."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from mesolite import Cause, Simulation, TaskStatus
from mesolite.messages import PongAgent, RegisterAgent, StatusUpdateAcknowledgement
from mesolite.messages.ids import TaskId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.tasks import TaskState
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    EXECUTORS,
    PLAIN,
    STUBBORN,
    Launcher,
    command_task,
    executor_task,
    framework_of,
    only,
    tell_executor,
)


def crash(sim: Simulation, cluster: SimulatedCluster) -> None:
    """The agent's process dies; the machine may be well."""
    cluster.agents["agent-1"].crash()
    sim.settle()


def unregister(sim: Simulation, cluster: SimulatedCluster) -> None:
    """The agent is told to leave."""
    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.settle()


def cut_off(sim: Simulation, cluster: SimulatedCluster) -> None:
    """The agent is not heard of any more."""
    sim.drop(PongAgent)
    sim.advance(100.0)


def mark_gone(sim: Simulation, cluster: SimulatedCluster) -> None:
    """An operator says that it will never come back."""
    cluster.operator.mark_gone("agent-1")
    sim.settle()


LOSSES: dict[Cause, Callable[[Simulation, SimulatedCluster], None]] = {
    Cause.CRASHED: crash,
    Cause.UNREGISTERED: unregister,
    Cause.UNREACHABLE: cut_off,
    Cause.GONE: mark_gone,
}


@pytest.mark.parametrize("cause", LOSSES, ids=str)
@pytest.mark.parametrize("info", [AWARE, PLAIN], ids=lambda info: info.name)
def test_the_cause_of_a_loss_is_told_kept_and_repeated(sim: Simulation, info: Any, cause: Cause) -> None:
    """In the update, in the books, and in every later answer about that task (1.10.1)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=info)
    sim.advance(1.0)

    LOSSES[cause](sim, cluster)
    told = framework.updates("t1")[-1]
    assert (told.cause, told.uuid) == (cause, None)
    books = framework_of(cluster)
    assert only(books["unreachable_tasks"] + books["completed_tasks"])["cause"] == cause.name
    agent_id = framework.updates("t1")[0].agent_id
    driver.reconcile_tasks([TaskStatus(task_id=TaskId("t1"), state=TaskState.TASK_RUNNING, agent_id=agent_id)])
    sim.settle()

    answer = framework.updates("t1")[-1]
    assert (answer is not told, answer.cause) == (True, cause)


def test_tasks_of_an_agent_whose_address_another_has_taken_have_crashed(sim: Simulation) -> None:
    """Nobody unregistered: that agent's process must have died (1.2.4)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    crash(sim, cluster)

    newcomer = AgentInfo(hostname="agent-1", resources="cpus:4;mem:4096")
    sim.inject("master-1", RegisterAgent(agent=newcomer), sender="agent-1")
    sim.settle()

    assert framework.updates("t1")[-1].cause is Cause.CRASHED


def test_tasks_of_a_framework_that_was_removed_are_recorded_so(sim: Simulation) -> None:
    """Nobody is told: there is nobody (FW-36). What had ended before keeps the cause it ended of."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN), command_task("t2"))
    driver = cluster.run(framework, framework=AWARE, implicit_acknowledgements=False)
    for _ in range(2):
        sim.advance(1.0)
        for task_id in ("t1", "t2"):
            driver.acknowledge(framework.updates(task_id)[-1])
    driver.kill_task("t2")
    sim.settle()

    driver.stop()
    sim.settle()

    (gone,) = cluster.operator.state()["completed_frameworks"]
    assert {task["task_id"]: task["cause"] for task in gone["completed_tasks"]} == {
        "t1": "FRAMEWORK_REMOVED",
        "t2": "KILLED",
    }


def test_what_an_agent_says_of_the_cause_is_kept_and_repeated(sim: Simulation) -> None:
    """While the task waits for its acknowledgement, and in the history."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    acknowledgements = sim.hold(StatusUpdateAcknowledgement, receiver="master-1")
    driver.kill_task("t1")
    sim.settle()
    assert only(framework_of(cluster)["tasks"])["cause"] == "KILLED"

    driver.reconcile_tasks()
    sim.settle()
    assert [status.cause for status in framework.updates("t1")[-2:]] == [Cause.KILLED, Cause.KILLED]
    acknowledgements.release()
    sim.settle()

    assert only(framework_of(cluster)["completed_tasks"])["cause"] == "KILLED"


def test_a_task_that_ended_well_has_no_cause(sim: Simulation) -> None:
    """Even if it was being killed when it did."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=AWARE, executors=EXECUTORS)
    sim.advance(1.0)
    tell_executor(sim, cluster, driver, "TASK_KILLING t1")
    sim.settle()
    assert framework.updates("t1")[-1].cause is Cause.KILLED
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()

    assert framework.states("t1")[-2:] == ["KILLING", "FINISHED"]
    assert only(framework_of(cluster)["completed_tasks"])["cause"] is None


def test_an_answer_about_a_task_nobody_knows_has_the_cause_of_its_agent(sim: Simulation) -> None:
    """Unreachable, or nothing at all: what is not known is not made up."""
    cluster = sim.cluster(agents=2)
    framework = Launcher()
    driver = cluster.run(framework, framework=AWARE)
    sim.drop(PongAgent, sender="agent-1")
    sim.advance(100.0)

    for name in ("agent-1", "agent-2"):
        asked = TaskStatus(task_id=TaskId(name), state=TaskState.TASK_RUNNING, agent_id=cluster.agents[name].id)
        driver.reconcile_tasks([asked])
    sim.settle()

    answers = {name: only(framework.updates(name)) for name in ("agent-1", "agent-2")}
    assert [(answer.state.name, answer.cause) for answer in answers.values()] == [
        ("TASK_UNREACHABLE", Cause.UNREACHABLE),
        ("TASK_GONE", None),
    ]


def test_a_task_that_returns_has_no_cause_any_more(sim: Simulation) -> None:
    """It was out of reach and is not: nothing became of it (1.3.8)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    pongs = sim.drop(PongAgent)
    sim.advance(95.0)
    assert framework.updates("t1")[-1].cause is Cause.UNREACHABLE
    sim.forget(pongs)
    sim.advance(100.0)

    assert framework.updates("t1")[-1].cause is None
    assert only(framework_of(cluster)["tasks"])["cause"] is None
