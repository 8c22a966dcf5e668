"""Things that go wrong in user code or on the wire, and whom they concern: one framework, one executor, nobody.

User code is fenced: whatever a callback raises is that framework's error and nobody else's. That it is raised where
somebody sees it, too, is in test_user_errors.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Executor, ExecutorDriver, Filters, Offer, Refused, SchedulerDriver, Simulation, TaskInfo
from mesolite.messages import PingAgent, ShutdownExecutor, Teardown
from mesolite.messages.base import Message
from mesolite.messages.ids import FrameworkId
from tests.scenarios.schedulers import (
    AWARE,
    EXECUTORS,
    PLAIN,
    Launcher,
    Recorder,
    about,
    check_books,
    command_task,
    executor_task,
    framework_of,
    only,
)


class Raising(Recorder):
    """Raises from the callback of that name, whatever it is told to raise."""

    def __init__(self, callback: str, error: BaseException) -> None:
        super().__init__()
        self._callback = callback
        self._error = error

    def note(self, driver: SchedulerDriver, name: str, *arguments: Any) -> None:
        super().note(driver, name, *arguments)
        if name == self._callback:
            raise self._error

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        super().resource_offers(driver, offers)
        driver.launch_tasks(offers, command_task("t1"))


@pytest.mark.parametrize(
    "error", [ValueError("oops"), SystemExit(3), GeneratorExit()], ids=lambda error: type(error).__name__
)
@pytest.mark.parametrize("callback", ["registered", "resource_offers", "status_update"])
def test_a_scheduler_callback_that_raises_aborts_its_driver_only(
    sim: Simulation, callback: str, error: BaseException
) -> None:
    """It hears of its own error last; the cluster and the other frameworks go on (FW-9, FW-35)."""
    cluster = sim.cluster(agents=2)
    wanted = sim.allow_error(type(error), "broken")
    broken, sound = Raising(callback, error), Launcher(command_task("t2"))
    driver = cluster.run(broken, framework="broken")
    sim.advance(6.0)
    cluster.run(sound, framework="sound")
    sim.advance(6.0)

    assert only(wanted.all).exception is error
    assert type(error).__name__ in only(broken.errors)
    assert broken.names[-1] == "error"
    assert driver.status.name == "DRIVER_ABORTED"
    assert sound.states("t2") == ["STARTING", "RUNNING"]
    assert all(agent.registered for agent in cluster.agents.values())
    # Aborting keeps the framework and its tasks; stopping still works (FW-41).
    driver.stop()
    sim.settle()
    assert [framework["name"] for framework in cluster.operator.state()["frameworks"]] == ["sound"]


def test_an_executor_callback_that_raises_fails_its_tasks_and_is_told(sim: Simulation) -> None:
    """Its tasks FAIL, the framework hears that the executor is lost; a new one can be started (3.1.9, TK-57)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"), executor_task("t2"), command_task("t3"), refuse_s=0)
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(2.0)

    sim.allow_error(RuntimeError, cluster.agents["agent-1"])
    driver.send_framework_message("e1", framework.offers[0].agent_id, "raise")
    sim.advance(2.0)

    for task_id in ("t1", "t2"):
        assert about(framework.updates(task_id)[-1]) == ("FAILED", "AGENT", "EXECUTOR_TERMINATED")
        assert framework.updates(task_id)[-1].message == "framework_message raised RuntimeError: told to"
    assert [call.arguments[0] for call in framework.named("executor_lost")] == ["e1"]
    assert only(framework.named("executor_lost")).arguments[2] == 1
    assert framework.states("t3") == ["STARTING", "RUNNING"]
    driver.launch_tasks(framework.offers[-1], executor_task("t4", resources="cpus:0.5;mem:32"))
    sim.advance(1.0)
    assert framework.states("t4") == ["RUNNING"]


def test_a_task_for_an_executor_that_has_just_ended_is_dropped_and_charged_to_nobody(sim: Simulation) -> None:
    """The agent still has the old one's unacknowledged end; it says so, and corrects the master's books (TK-40)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"), refuse_s=0)
    driver = cluster.run(framework, framework=AWARE, executors=EXECUTORS, implicit_acknowledgements=False)
    sim.settle()
    driver.acknowledge(framework.updates("t1")[0])
    driver.send_framework_message("e1", framework.offers[0].agent_id, "stop")
    sim.advance(2.0)
    assert framework.states("t1") == ["RUNNING", "FAILED"]

    driver.launch_tasks(framework.offers[-1], executor_task("t2"), Filters(refuse_seconds=0))
    sim.settle()
    assert about(framework.updates("t2")[-1]) == ("DROPPED", "AGENT", "EXECUTOR_TERMINATED")
    driver.acknowledge(framework.updates("t2")[-1])
    sim.advance(2.0)

    assert framework.offers[-1].executor_ids == ()
    check_books(sim)


class Unstartable(Executor):
    """Cannot be made."""

    def __init__(self) -> None:
        raise RuntimeError("no such luck")


class RaisesAtLaunch(Executor):
    """Raises as soon as it gets a task."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        raise RuntimeError("no such task")


class RaisesAtRegistration(Executor):
    """Raises before it gets a task."""

    def registered(self, driver: ExecutorDriver, *arguments: Any) -> None:
        raise RuntimeError("no such agent")


@pytest.mark.parametrize(
    ("executor", "message"),
    [
        (Unstartable, "__init__ raised RuntimeError: no such luck"),
        (RaisesAtRegistration, "registered raised RuntimeError: no such agent"),
        (RaisesAtLaunch, "launch_task raised RuntimeError: no such task"),
    ],
)
def test_an_executor_that_cannot_even_start_fails_its_task(
    sim: Simulation, executor: type[Executor], message: str
) -> None:
    """The task FAILS and says what was raised, and everybody else lives."""
    cluster = sim.cluster(agents=1)
    sim.allow_error(RuntimeError, "agent-1")
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=PLAIN, executors={"obedient": executor})
    sim.advance(2.0)

    assert framework.states("t1") == ["FAILED"]
    assert framework.updates("t1")[0].message == message
    assert cluster.agents["agent-1"].registered


def test_a_task_whose_executor_nobody_knows_fails(sim: Simulation) -> None:
    """No class was given under that name: the task fails and says what would have worked (TK-39)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.advance(2.0)

    failed = only(framework.updates("t1"))
    assert about(failed) == ("FAILED", "AGENT", "CONTAINER_LAUNCH_FAILED")
    assert "executors={'obedient': MyExecutor}" in failed.message


class Gibberish(Message):
    """Nobody knows what this means."""


@pytest.mark.parametrize("message", [Gibberish(), ShutdownExecutor(grace_s=0.0), PingAgent(connected=True)])
def test_a_message_that_means_nothing_to_its_receiver_is_dropped(sim: Simulation, message: Any) -> None:
    """Whoever gets it, nothing comes of it but perhaps a pong (LP-15)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    executor = f"agent-1/{driver.framework_id}/e1"

    for actor in ("master-1", "master-1/registrar", "agent-1", "elector", "plain", executor):
        sim.inject(actor, message, sender="outside")
    sim.advance(100.0)

    assert framework.states("t1") == ["RUNNING"]
    assert cluster.agents["agent-1"].registered
    assert framework_of(cluster)["connected"]


def test_a_message_to_nobody_is_refused_where_it_is_injected(sim: Simulation) -> None:
    """The error names who is there."""
    sim.cluster(agents=1)

    with pytest.raises(Refused, match=r"nobody named agent-9.*agent-1"):
        sim.inject("agent-9", PingAgent(connected=True))


def test_only_its_own_scheduler_may_tear_a_framework_down(sim: Simulation) -> None:
    """Teardown from anybody else is dropped, as is one for a framework that is not there (FW-33)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)

    sim.inject("master-1", Teardown(framework_id=FrameworkId(str(driver.framework_id))), sender="outside")
    sim.inject("master-1", Teardown(framework_id=FrameworkId("nobody")), sender="plain")
    sim.settle()

    assert [task["state"] for task in framework_of(cluster)["tasks"]] == ["TASK_RUNNING"]


def run_one(sim: Simulation) -> Recorder:
    """A small cluster with a task; nothing has happened yet."""
    cluster = sim.cluster(agents=2)
    framework = Launcher(command_task("t1"), executor_task("t2"))
    cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    return framework


def test_two_simulations_side_by_side_do_not_see_each_other(mesolite_seed: int) -> None:
    """Advanced in turns, each does to the letter what it does alone (docs/architecture.md: nothing is global)."""
    alone = Simulation(seed=mesolite_seed)
    run_one(alone)
    alone.advance(100.0)

    left, right = Simulation(seed=mesolite_seed), Simulation(seed=mesolite_seed + 1)
    frameworks = run_one(left), run_one(right)
    for _ in range(10):
        left.advance(10.0)
        right.advance(10.0)

    assert left.trace.hash() == alone.trace.hash()
    assert right.trace.hash() != alone.trace.hash()
    for framework in frameworks:
        assert (framework.states("t1"), framework.states("t2")) == (["STARTING", "RUNNING"], ["RUNNING"])
