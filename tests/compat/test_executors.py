"""Executors written for pymesos: how they are made, what they hear and say, and how they end."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import pytest

from mesolite import Cluster, Refused, Simulation, WrongThread
from mesolite.compat.pymesos import Dict, Executor, MesosExecutorDriver, MesosSchedulerDriver, encode_data, on
from tests.compat.schedulers import resources
from tests.compat.test_drivers import Noting, started, task_for


def test_an_executors_driver_is_made_when_it_is_started() -> None:
    """Anywhere else it is refused, with what to do."""
    with pytest.raises(Refused, match=r"on\(cluster, executors="):
        MesosExecutorDriver(Executor())


def test_an_executor_lives_and_is_killed(sim: Simulation) -> None:
    """It gets its task, a message, the kill, and the shutdown; its driver knows whose it is."""
    told: list[Any] = []

    class Telling(Executor):
        def registered(self, driver: Any, executorInfo: Any, frameworkInfo: Any, slaveInfo: Any) -> None:
            told.append(("registered", executorInfo.executor_id.value, frameworkInfo.name, slaveInfo.hostname))
            told.append((driver.executor_id, driver.framework_id == frameworkInfo.id, driver.connected))

        def launchTask(self, driver: Any, task: Any) -> None:
            driver.call_later(1, lambda: driver.sendStatusUpdate(Dict(task_id=task.task_id, state="TASK_RUNNING")))

        def frameworkMessage(self, driver: Any, message: str) -> None:
            told.append(("message", message))

        def killTask(self, driver: Any, taskId: Any) -> None:
            told.append(("kill", taskId.value))
            driver.sendStatusUpdate({"task_id": taskId, "state": "TASK_KILLED", "healthy": False, "message": "bye"})

        def shutdown(self, driver: Any) -> None:
            told.append("shutdown")

    cluster = sim.cluster()
    with on(cluster, executors={"x": Telling}):
        driver = started(cluster)
    sim.advance(2)
    offer = driver.sched.offers[0]
    driver.launchTasks(offer["id"], [task_for(offer, executor={"executor_id": {"value": "x"}})])
    sim.advance(3)
    driver.sendFrameworkMessage({"value": "x"}, offer["agent_id"], encode_data(b"hello"))
    driver.killTask({"value": "t1"})
    sim.advance(1)
    driver.stop()
    sim.advance(10)

    assert told == [
        ("registered", "x", "f", "agent-1"),
        ({"value": "x"}, True, True),
        ("message", encode_data(b"hello")),
        ("kill", "t1"),
        "shutdown",
    ]
    ended = driver.sched.updates[-1]
    assert (ended["state"], ended["healthy"], ended["message"]) == ("TASK_KILLED", False, "bye")


def test_an_executor_stops_itself(sim: Simulation) -> None:
    """What it has not said the end of has failed; who launched it hears that it has ended."""
    lost: list[str] = []

    class Stopping(Executor):
        def launchTask(self, driver: Any, task: Any) -> None:
            driver.stop()

    class Listening(Noting):
        def executorLost(self, driver: Any, executorId: Any, slaveId: Any, status: int) -> None:
            lost.append(executorId["value"])

    cluster = sim.cluster()
    with on(cluster, executors={"x": Stopping}):
        driver = started(cluster, Listening())
        sim.advance(2)
        started(cluster)  # of the same class it may be said again
    offer = driver.sched.offers[0]
    driver.launchTasks(offer["id"], [task_for(offer, executor={"executor_id": {"value": "x"}})])
    sim.advance(5)

    assert lost == ["x"]
    assert driver.sched.updates[-1]["state"] in ("TASK_FAILED", "TASK_LOST")


class Threaded(Executor):
    """Says from a thread of its own that a task has ended, as most executors for pymesos do."""

    def launchTask(self, driver: Any, task: Any) -> None:
        thread = threading.Thread(target=self._finish, args=(driver, task))
        thread.start()
        thread.join()

    def _finish(self, driver: Any, task: Any) -> None:
        with contextlib.suppress(WrongThread):
            driver.sendStatusUpdate({"task_id": task.task_id, "state": "TASK_FINISHED"})


def launch_threaded(cluster: Any) -> MesosSchedulerDriver:
    """Launch a task that a thread ends."""
    with on(cluster, executors={"x": Threaded}):
        driver = started(cluster)
    cluster.wait_until(lambda: driver.sched.offers, timeout=30)
    offer = driver.sched.offers[0]
    driver.launchTasks(offer["id"], [task_for(offer, executor={"executor_id": {"value": "x"}})])
    return driver


def test_a_thread_of_ones_own_works_for_real() -> None:
    """There its calls count as anybody's."""
    with Cluster() as cluster:
        driver = launch_threaded(cluster)
        cluster.wait_until(lambda: driver.sched.updates, timeout=30)
        assert driver.sched.updates[0]["state"] == "TASK_FINISHED"


def test_a_thread_of_ones_own_is_refused_in_a_simulation(sim: Simulation) -> None:
    """Loudly, where time is let pass: nobody sees what a thread raises."""
    launch_threaded(sim.cluster())

    with pytest.raises(WrongThread, match="call_later"):
        sim.advance(5)


def test_a_task_that_a_master_refuses_is_an_error(sim: Simulation) -> None:
    """As everywhere: the update says why."""
    driver = started(sim.cluster())
    sim.advance(2)
    offer = driver.sched.offers[0]
    driver.launchTasks(offer["id"], [task_for(offer, resources=resources(1000, 32))])
    sim.advance(1)

    assert driver.sched.updates[-1]["state"] == "TASK_ERROR"
    assert "cpus:1000" in driver.sched.updates[-1]["message"]


def test_what_makes_no_executor_is_said(sim: Simulation) -> None:
    """The task fails, and the reason is raised."""
    cluster = sim.cluster()
    with on(cluster, executors={"x": lambda: None}):
        driver = started(cluster)
    sim.advance(2)
    offer = driver.sched.offers[0]
    driver.launchTasks(offer["id"], [task_for(offer, executor={"executor_id": {"value": "x"}})])
    with pytest.raises(Refused, match="has made no MesosExecutorDriver"):
        sim.advance(5)
    sim.advance(5)
    assert driver.sched.updates[-1]["state"] in ("TASK_LOST", "TASK_FAILED")
