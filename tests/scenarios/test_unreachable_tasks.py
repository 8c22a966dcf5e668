"""Tasks out of reach: when they stop being so without coming back (drain.md 1.3.8 step 1, 1.9.1; core.md RC-21)."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Settings, Simulation
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import TaskId
from mesolite.messages.tasks import TaskState, TaskStatus
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    PLAIN,
    Launcher,
    about,
    command_task,
    framework_of,
    id_of,
)

CAREFUL = FrameworkInfo(name="careful", checkpoint=True, capabilities=AWARE.capabilities)


def out_of_reach(sim: Simulation, *tasks: str, info: FrameworkInfo = AWARE) -> tuple[SimulatedCluster, Launcher, Any]:
    """A framework whose tasks were on agent-1 when that became unreachable."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(*(command_task(task_id) for task_id in tasks), refuse_s=0)
    driver = cluster.run(framework, framework=info)
    sim.advance(1.0)
    sim.partition("agent-1", "master-1")
    sim.run_until(lambda: framework.lost_agents, timeout=100.0)
    assert [task["task_id"] for task in framework_of(cluster)["unreachable_tasks"]] == list(tasks)
    return cluster, framework, driver


def back_without_tasks(sim: Simulation, cluster: SimulatedCluster) -> None:
    """Let agent-1 come back in another life, which knows nothing of its tasks: they were not checkpointed."""
    cluster.agents["agent-1"].restart()
    sim.heal()
    sim.run_until(lambda: cluster.agents["agent-1"].registered, timeout=120.0)
    sim.settle()


@pytest.mark.parametrize(("info", "state"), [(AWARE, "GONE"), (PLAIN, "LOST")], ids=["partition aware", "plain"])
def test_tasks_that_a_returning_agent_does_not_report_are_out_of_reach_no_longer(
    sim: Simulation, info: FrameworkInfo, state: str
) -> None:
    """Nobody is told; asked about, they are gone (1.3.8, 1.10.1)."""
    cluster, framework, driver = out_of_reach(sim, "t1", info=info)
    told = len(framework.updates("t1"))

    back_without_tasks(sim, cluster)

    assert framework_of(cluster)["unreachable_tasks"] == []
    assert len(framework.updates("t1")) == told
    driver.reconcile_tasks([TaskStatus(task_id=TaskId("t1"), state=TaskState.TASK_STAGING, agent_id=id_of(cluster))])
    sim.settle()
    assert about(framework.updates("t1")[-1]) == (state, "MASTER", "RECONCILIATION")


def test_of_several_tasks_those_that_are_reported_stay(sim: Simulation) -> None:
    """One has ended behind the partition and is acknowledged nowhere, one was forgotten, one runs on."""
    cluster, framework, _ = out_of_reach(sim, "t1", "t2", info=CAREFUL)
    agent = sim.runtime.directory.find("agent-1")
    assert agent is not None
    core: Any = agent.actor.core
    (known,) = core.state.frameworks.values()
    lost = known.executor_of_task.pop(TaskId("t1"))  # as if it had never been stored
    del lost.tasks[TaskId("t1")]

    sim.heal()
    sim.advance(120.0)

    assert framework_of(cluster)["unreachable_tasks"] == []
    assert [task["task_id"] for task in framework_of(cluster)["tasks"]] == ["t2"]
    assert framework.states("t2")[-1] == "RUNNING"


def test_the_id_of_such_a_task_may_be_used_again(sim: Simulation) -> None:
    """It is not alive, whatever was thought of it (OF-71)."""
    cluster, framework, _ = out_of_reach(sim, "t1")
    framework.waiting = [command_task("t1")]

    back_without_tasks(sim, cluster)
    sim.advance(5.0)

    assert framework.states("t1")[-2:] == ["STARTING", "RUNNING"]


def test_a_drain_does_not_wait_for_such_a_task(sim: Simulation) -> None:
    """What blocks it is what is there (4.5)."""
    cluster, _, _ = out_of_reach(sim, "t1")

    back_without_tasks(sim, cluster)
    sim.partition("agent-1", "master-1")
    sim.run_until(lambda: cluster.operator.state()["unreachable_agents"], timeout=100.0)
    drain = cluster.operator.drain(str(id_of(cluster)))

    assert "t1" not in " ".join(map(str, drain.blocked_by))


@pytest.mark.parametrize("info", [AWARE, PLAIN, CHECKPOINTED], ids=["aware", "plain", "checkpointed"])
def test_marking_the_agent_gone_does_not_end_such_a_task_again(sim: Simulation, info: FrameworkInfo) -> None:
    """It had left the lists before (4.7.5); one that came back and got lost again is ended by it."""
    cluster, framework, _ = out_of_reach(sim, "t1", info=info)
    back_without_tasks(sim, cluster)
    sim.partition("agent-1", "master-1")
    sim.run_until(lambda: cluster.operator.state()["unreachable_agents"], timeout=100.0)
    sim.settle()
    told = len(framework.updates("t1"))

    cluster.operator.mark_gone(str(id_of(cluster)))
    sim.settle()

    assert len(framework.updates("t1")) == told + (1 if info is CHECKPOINTED else 0)


def test_tasks_of_an_agent_that_is_forgotten_are_forgotten_too(sim: Simulation) -> None:
    """The registry collects it: no update, UNKNOWN if asked, and the id is free (1.9.1)."""
    sim.settings = Settings.mesos().but(registry_max_agent_age_s=1200.0)
    cluster, framework, driver = out_of_reach(sim, "t1")
    agent_id, told = id_of(cluster), len(framework.updates("t1"))

    sim.run_until(lambda: not cluster.operator.state()["unreachable_agents"], timeout=3000.0)
    sim.settle()

    assert framework_of(cluster)["unreachable_tasks"] == []
    assert len(framework.updates("t1")) == told
    driver.reconcile_tasks([TaskStatus(task_id=TaskId("t1"), state=TaskState.TASK_STAGING, agent_id=agent_id)])
    sim.settle()
    answer = framework.updates("t1")[-1]
    assert (about(answer), answer.unreachable_time) == (("UNKNOWN", "MASTER", "RECONCILIATION"), None)
    framework.waiting = [command_task("t1")]
    cluster.add_agent("agent-2")
    sim.advance(5.0)
    assert framework.states("t1")[-1] == "RUNNING"
