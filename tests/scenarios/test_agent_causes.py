"""What became of a task, as data: the cause in what agents and drivers say of it."""

from __future__ import annotations

import pytest

from mesolite import Executor, FrameworkInfo, Simulation
from mesolite.messages import Cause, RegisterExecutor, RunTask
from tests.scenarios.agent_orders import WORDY
from tests.scenarios.schedulers import (
    AWARE,
    EXECUTORS,
    PLAIN,
    STUBBORN,
    Launcher,
    Recorder,
    about,
    command_task,
    executor_task,
    only,
    tell_executor,
)


def causes(framework: Recorder) -> list[Cause | None]:
    """The causes in all that was said of the task, in order."""
    return [status.cause for status in framework.updates("t1")]


def test_what_goes_well_has_no_cause(sim: Simulation) -> None:
    """From STARTING to FINISHED."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()

    assert framework.states("t1") == ["RUNNING", "FINISHED"]
    assert causes(framework) == [None, None]


def test_a_task_that_its_framework_kills_was_killed(sim: Simulation) -> None:
    """KILLING says so already."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    driver = cluster.run(framework, framework=WORDY)
    sim.advance(1.0)

    driver.kill_task("t1")
    sim.advance(5.0)

    assert framework.states("t1")[-2:] == ["KILLING", "KILLED"]
    assert causes(framework)[-2:] == [Cause.KILLED, Cause.KILLED]


def test_a_task_that_is_killed_before_it_runs_was_killed(sim: Simulation) -> None:
    """The agent says so itself."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    sim.hold(RegisterExecutor)
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()

    driver.kill_task("t1")
    sim.settle()

    assert causes(framework) == [Cause.KILLED]


def test_a_task_that_its_executor_kills_of_its_own_accord_was_killed(sim: Simulation) -> None:
    """The executor is the framework's, too."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()

    tell_executor(sim, cluster, driver, "TASK_KILLED t1")
    sim.settle()

    assert causes(framework) == [None, Cause.KILLED]


def test_a_task_whose_executor_dies_has_lost_its_executor(sim: Simulation) -> None:
    """Whatever was wanted of it before."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors={"obedient": Executor})
    sim.settle()
    driver.kill_task("t1")
    sim.settle()

    sim.kill(f"agent-1/{driver.framework_id}/e1")
    sim.settle()

    assert about(only(framework.updates("t1"))) == ("FAILED", "AGENT", "EXECUTOR_TERMINATED")
    assert causes(framework) == [Cause.EXECUTOR_DIED]


def test_a_task_whose_executor_does_not_register_has_lost_it_too(sim: Simulation) -> None:
    """After its minute."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    sim.drop(RegisterExecutor)
    cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(61.0)

    assert about(only(framework.updates("t1"))) == ("FAILED", "AGENT", "EXECUTOR_REGISTRATION_TIMEOUT")
    assert causes(framework) == [Cause.EXECUTOR_DIED]


def test_a_task_whose_executor_cannot_be_started_never_started(sim: Simulation) -> None:
    """There is no class of that name."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.settle()

    assert about(only(framework.updates("t1"))) == ("FAILED", "AGENT", "CONTAINER_LAUNCH_FAILED")
    assert causes(framework) == [Cause.NEVER_STARTED]


@pytest.mark.parametrize("info", [PLAIN, AWARE])
def test_a_task_that_never_reached_its_agent_never_started(sim: Simulation, info: FrameworkInfo) -> None:
    """The agent says so when the task is to be killed (3.3.4)."""
    cluster = sim.cluster(agents=1, resources="cpus:8;mem:1024")
    framework = Launcher(command_task("t1"), command_task("t2"))
    sim.drop(RunTask, receiver="agent-1", where=lambda message: message.task.task_id == "t1")
    driver = cluster.run(framework, framework=info)
    sim.settle()

    driver.kill_task("t1")
    sim.settle()

    assert framework.states("t1") == ["DROPPED" if info is AWARE else "LOST"]
    assert causes(framework) == [Cause.NEVER_STARTED]


def test_a_task_that_a_driver_cannot_send_never_started(sim: Simulation) -> None:
    """It has no master to send it to (OF-62)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=AWARE)
    sim.settle()
    cluster.masters["master-1"].crash()
    sim.advance(20.0)

    driver.launch_tasks(framework.offers, command_task("t1"))
    sim.settle()

    assert framework.states("t1") == ["DROPPED"]
    assert causes(framework) == [Cause.NEVER_STARTED]
