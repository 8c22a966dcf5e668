"""How long an agent drains, and what it refuses until then (drain.md 4.4.8 to 4.4.10)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mesolite import FrameworkInfo, Simulation, TaskInfo
from mesolite.messages import (
    AgentDrained,
    Cause,
    ExitedExecutor,
    RunTask,
    ShutdownExecutor,
    StatusUpdateAcknowledgement,
)
from tests.scenarios.agent_orders import DRAINED, drain, stored, told
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
)


def test_an_executor_that_idles_neither_is_shut_down_nor_holds_up_the_drain(sim: Simulation) -> None:
    """Drains leave executors alone (4.4.10); in Mesos that agent would refuse launches from now on (10.11)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    drained, shutdowns = sim.expect(AgentDrained), sim.expect(ShutdownExecutor)

    drain(sim)

    assert told(framework.updates("t1")[-1]) == DRAINED
    assert (drained.count, shutdowns.count, stored(sim)) == (1, 0, None)


def test_a_command_executor_that_lingers_holds_up_the_drain(sim: Simulation) -> None:
    """The end of its task is acknowledged, but the process is still there."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    sim.drop(StatusUpdateAcknowledgement, receiver=f"agent-1/{driver.framework_id}/t1")
    drained = sim.expect(AgentDrained)

    drain(sim)
    sim.advance(59.9)
    assert (framework.states("t1")[-1], drained.count) == ("KILLED", 0)
    sim.advance(0.2)

    assert drained.count == 1


def test_whatever_is_unacknowledged_holds_up_the_drain(sim: Simulation) -> None:
    """The word about a launch that was refused, for example."""
    cluster = sim.cluster(agents=1, resources="cpus:8;mem:1024")
    framework = Launcher(command_task("t1"), command_task("t2"))
    sim.drop(RunTask, receiver="agent-1", where=lambda message: message.task.task_id == "t2")
    driver = cluster.run(framework, framework=PLAIN, implicit_acknowledgements=False)
    sim.settle()
    driver.kill_task("t2")
    sim.settle()
    drain(sim)
    drained = sim.expect(AgentDrained)
    for number in range(3):  # STARTING, RUNNING, KILLED
        driver.acknowledge(framework.updates("t1")[number])
        sim.settle()
    assert drained.count == 0

    driver.acknowledge(framework.updates("t2")[0])
    sim.settle()

    assert drained.count == 1


@pytest.mark.parametrize(("info", "state"), [(AWARE, "DROPPED"), (PLAIN, "LOST")])
@pytest.mark.parametrize("make", [command_task, executor_task])
def test_a_launch_that_comes_during_a_drain_is_refused(
    sim: Simulation, info: FrameworkInfo, state: str, make: Callable[[str], TaskInfo]
) -> None:
    """With the executor's id; the master hears that a new executor it counts on is not there (4.4.8)."""
    cluster = sim.cluster(agents=1)
    holdup = Launcher(command_task("t0", STUBBORN))
    cluster.run(holdup, framework=CHECKPOINTED)
    sim.advance(1.0)
    launches, exits = sim.hold(RunTask, receiver="agent-1"), sim.expect(ExitedExecutor, sender="agent-1")
    framework = Launcher(make("t1"))
    cluster.run(framework, framework=info, executors=EXECUTORS)
    sim.advance(5.0)
    drain(sim)

    launches.release()
    sim.settle()

    status = only(framework.updates("t1"))
    assert told(status) == (state, "AGENT", "AGENT_DRAINING", Cause.NEVER_STARTED)
    assert status.executor_id == ("t1" if make is command_task else "e1")
    assert [(exit.executor_id, exit.status) for exit in exits.all] == ([] if make is command_task else [("e1", -1)])


def test_after_the_drain_launches_are_taken_again(sim: Simulation) -> None:
    """Nobody tells the agent that it is over (4.4.9)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"), refuse_s=0)
    cluster.run(framework, framework=PLAIN)
    sim.settle()
    drain(sim)
    framework.waiting = [command_task("t2")]

    sim.advance(2.0)

    assert framework.states("t2") == ["STARTING", "RUNNING"]
