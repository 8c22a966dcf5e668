"""`stop()` and `abort()` have taken effect when they return, and say what the driver is (core.md FW-40 to FW-42)."""

from __future__ import annotations

from typing import ClassVar

import pytest

from mesolite import Executor, ExecutorDriver, Scheduler, Simulation, TaskInfo, TaskState
from mesolite.actors.decisions.contract import Callback
from mesolite.drivers import MesoliteExecutorDriver, MesoliteSchedulerDriver
from mesolite.messages import (
    DeactivateFramework,
    FrameworkError,
    ResourceOffers,
    ReviveOffers,
    SuppressOffers,
    Teardown,
)
from tests.scenarios.schedulers import PLAIN, Launcher, Obedient, Recorder, executor_task, framework_of

ENDS = pytest.mark.parametrize(("end", "status"), [("stop", "DRIVER_STOPPED"), ("abort", "DRIVER_ABORTED")])


@ENDS
def test_no_callback_begins_after_the_end_even_if_its_message_is_there(sim: Simulation, end: str, status: str) -> None:
    """The offers are under way, and so is the call that ends the driver; nobody is called (FW-42)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    offers = sim.hold(ResourceOffers)
    sim.run_until(lambda: offers.count, timeout=5.0)
    sim.settle()
    before = list(framework.names)
    driver.call_later(0.0, lambda: framework.note(driver, "called later"))
    offers.release()

    assert getattr(driver, end)().name == status
    assert driver.status.name == status
    sim.advance(5.0)

    assert framework.names == before


@ENDS
def test_a_callback_that_is_about_to_begin_does_not(sim: Simulation, end: str, status: str) -> None:
    """However far the message has come: what decides is whether the driver had ended (FW-42)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()
    calls = len(framework.calls)

    getattr(driver, end)()
    driver.call(Callback("error", ("too late",), 99))

    assert len(framework.calls) == calls


def test_what_it_says_is_what_mesos_says(sim: Simulation) -> None:
    """RUNNING until it is ended; stopping an aborted driver says that it was aborted (FW-40, FW-41)."""
    cluster = sim.cluster(agents=1)
    stopped, aborted = cluster.run(Recorder(), framework="stopped"), cluster.run(Recorder(), framework="aborted")

    assert (stopped.status.name, aborted.revive_offers().name) == ("DRIVER_RUNNING", "DRIVER_RUNNING")
    said = [stopped.stop().name, stopped.stop().name, stopped.abort().name, stopped.revive_offers().name]
    assert said == ["DRIVER_STOPPED"] * 4
    said = [aborted.abort().name, aborted.abort().name, aborted.kill_task("t1").name, aborted.stop().name]
    assert said == ["DRIVER_ABORTED"] * 4
    assert (aborted.stop().name, aborted.status.name) == ("DRIVER_STOPPED", "DRIVER_STOPPED")
    sim.settle()
    assert (stopped.join().name, aborted.join().name) == ("DRIVER_STOPPED", "DRIVER_STOPPED")


@pytest.mark.parametrize("call", ["stop", "abort", "revive_offers", "suppress_offers"])
def test_a_driver_that_was_never_started_does_nothing(call: str) -> None:
    """It says so (FW-40)."""
    driver = MesoliteSchedulerDriver(Scheduler())

    assert getattr(driver, call)().name == "DRIVER_NOT_STARTED"
    assert driver.status.name == "DRIVER_NOT_STARTED"
    assert driver.still_running


def test_nor_does_an_executors_driver() -> None:
    """The same for executors (TK-65)."""
    driver = MesoliteExecutorDriver(Executor)

    assert [driver.stop().name, driver.send_framework_message("x").name] == ["DRIVER_NOT_STARTED"] * 2


@pytest.mark.parametrize(
    ("end", "said"), [("stop", Teardown), ("abort", DeactivateFramework)], ids=["stop", "abort"]
)
def test_what_was_asked_for_before_the_end_still_goes_out(sim: Simulation, end: str, said: type) -> None:
    """In order, and the end last; what is asked for afterwards does not (FW-40, FW-42)."""
    cluster = sim.cluster(agents=1)
    driver = cluster.run(Recorder(), framework=PLAIN)
    sim.settle()
    heard = sim.expect((SuppressOffers, ReviveOffers, Teardown, DeactivateFramework), receiver="master-1")

    driver.suppress_offers()
    getattr(driver, end)()
    driver.revive_offers()
    sim.settle()

    assert [type(message).__name__ for message in heard.all] == ["SuppressOffers", said.__name__]


def test_whoever_ended_the_driver_first_ended_it(sim: Simulation) -> None:
    """A master's error that was under way is not why, so `join` returns (FW-9, FW-42)."""
    cluster = sim.cluster(agents=0)
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()
    sim.inject("plain", FrameworkError(message="too late"), sender="master-1")

    driver.abort()

    assert driver.join().name == "DRIVER_ABORTED"
    assert (driver.error, framework.errors) == (None, [])


class Stopping(Obedient):
    """Stops its driver, and notes what that says and whether it is called again."""

    said: ClassVar[list[str]] = []

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)
        self.said.append(driver.stop().name)
        self.said.append(driver.send_status_update(task.task_id, TaskState.TASK_FINISHED).name)
        self.said.append(driver.stop().name)

    def shutdown(self, driver: ExecutorDriver) -> None:
        self.said.append("shutdown")


def test_an_executor_that_stops_has_stopped(sim: Simulation) -> None:
    """What it says afterwards is not heard; its task failed with it (TK-54)."""
    Stopping.said.clear()
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=PLAIN, executors={"obedient": Stopping})

    sim.advance(5.0)

    assert Stopping.said == ["DRIVER_STOPPED"] * 3
    assert framework.states("t1")[-1] == "FAILED"
    assert framework_of(cluster)["completed_tasks"][0]["state"] == "TASK_FAILED"
