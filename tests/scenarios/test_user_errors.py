"""An exception of user code never stays silent in a simulation: it comes out of whatever drives the simulation.

It is the very exception, it comes when its event is handled in full, and the simulation can be used on.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import attrs
import pytest

from mesolite import (
    Executor,
    ExecutorDriver,
    ResourceError,
    Scheduler,
    SchedulerDriver,
    Simulation,
    TaskInfo,
    UserCodeFailed,
    WouldBlock,
)
from mesolite.actors.runtime.future import PortFuture
from mesolite.messages import FrameworkRegistered
from tests.logs import logged
from tests.scenarios.raising import Raising, run_raising
from tests.scenarios.schedulers import PLAIN, Launcher, command_task, executor_task, only

# ------------------------------------------------------------------------------------------------ what drives raises it


@pytest.mark.parametrize(
    "drive",
    [
        lambda sim, cluster, driver: sim.advance(5.0),
        lambda sim, cluster, driver: sim.settle(),
        lambda sim, cluster, driver: sim.run_until(lambda: False, timeout=5.0),
        lambda sim, cluster, driver: cluster.wait_until(lambda: False, timeout=5.0),
        lambda sim, cluster, driver: cluster.operator.deactivate("agent-1"),
        lambda sim, cluster, driver: cluster.operator.drain("agent-1").wait(5.0),
        lambda sim, cluster, driver: ask_when_settled(sim),
        lambda sim, cluster, driver: driver.join(),
        lambda sim, cluster, driver: driver.join(5.0),
    ],
    ids=["advance", "settle", "run_until", "wait_until", "verb", "drain", "ask", "join", "join with time-out"],
)
def test_whatever_drives_the_simulation_raises_it(sim: Simulation, drive: Callable[..., object]) -> None:
    """The object itself, after the driver has aborted and heard of it; after that everything goes on."""
    error = ZeroDivisionError("mine")
    cluster, framework = sim.cluster(), Raising(error, "registered")
    driver = cluster.run(framework, "broken")
    sim.delay(1.0, sender="operator")  # not answered before the framework is registered

    with pytest.raises(ZeroDivisionError) as caught:
        drive(sim, cluster, driver)

    assert caught.value is error
    assert (framework.names[-1], driver.status.name) == ("error", "DRIVER_ABORTED")
    kept = only(sim.user_errors)
    assert (kept.actor, kept.callback, kept.exception, kept.at, kept.allowed) == (
        "broken",
        "registered",
        error,
        framework.calls[-1].time,
        False,
    )
    assert cluster.user_errors == sim.user_errors
    sound = Launcher(command_task("t"))
    cluster.run(sound, "sound")
    driver.stop()
    sim.advance(10.0)
    sim.raise_user_errors()
    assert "registered" in sound.names
    assert [framework["name"] for framework in cluster.operator.state()["frameworks"]] == ["sound"]


def ask_when_settled(sim: Simulation) -> None:
    """A question that is answered late: nobody has begun to listen for it."""
    future = PortFuture()
    sim.runtime.bind(future, "nobody")
    future.get(timeout=5.0)


class NamedBadly(Exception):
    """Its text cannot be had."""

    def __str__(self) -> str:
        raise KeyError("not even that")


@dataclass(frozen=True)
class Frozen(Exception):
    """Nothing can be set on it, no note either."""

    text: str


@pytest.mark.parametrize(
    "error", [NamedBadly(), Frozen("cold"), ValueError("\udcff\n\0"), ExceptionGroup("g", [OSError()])]
)
@pytest.mark.parametrize("where", ["registered", "resource_offers", "disconnected", "status_update"])
def test_every_callback_and_every_kind_of_exception(sim: Simulation, where: str, error: Exception) -> None:
    """Whatever it is like, it is what comes out."""
    framework = Raising(error, where)
    cluster = sim.cluster(masters=2)
    driver = cluster.run(framework, "broken")
    framework.resource_offers = _launching(framework, where, error)  # type: ignore[method-assign]

    def live() -> None:
        sim.advance(6.0)
        cluster.masters["master-1"].crash()
        cluster.masters["master-2"].crash()
        sim.advance(60.0)

    with pytest.raises(type(error)) as caught:
        live()

    assert caught.value is error
    assert str(driver.error).startswith(f"{where} raised {type(error).__name__}: ")
    assert str(driver.error).encode(), "fit for messages, files and the store"


def _launching(framework: Raising, where: str, error: Exception) -> Callable[..., None]:
    def resource_offers(driver: SchedulerDriver, offers: Any) -> None:
        if where == "resource_offers":
            raise error
        driver.launch_tasks(offers, command_task("t"))

    return resource_offers


def test_a_function_that_was_to_be_called_later_raises(sim: Simulation) -> None:
    """It is user code like a callback, at the time it was called."""
    cluster = sim.cluster()

    class Later(Scheduler):
        def registered(self, driver: SchedulerDriver, *arguments: Any) -> None:
            driver.call_later(3.0, lambda: 1 // 0)

    driver = cluster.run(Later(), "later")
    with pytest.raises(ZeroDivisionError):
        sim.advance(60.0)

    kept = only(sim.user_errors)
    assert (kept.callback, kept.at) == ("call_later", sim.now)
    assert driver.error == "call_later raised ZeroDivisionError: integer division or modulo by zero"


def test_a_value_that_cannot_be_ends_its_traceback_where_it_was_made(sim: Simulation) -> None:
    """What Mesolite's own constructors do inside is not shown, generated code included."""

    class Careless(Scheduler):
        def registered(self, driver: SchedulerDriver, *arguments: Any) -> None:
            TaskInfo(task_id="t", resources="cpus:many")

    sim.cluster().run(Careless(), "careless")
    with pytest.raises(ResourceError):
        sim.advance(5.0)

    assert [frame.name for frame in traceback.extract_tb(only(sim.user_errors).traceback)] == ["registered"]


class Odd(Executor):
    """Does as its task's data says."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        if task.data == "stop":
            driver.stop()
        if task.data == "later":
            driver.call_later(1.0, lambda: 1 // 0)
            return
        raise AssertionError("in the executor")

    def shutdown(self, driver: ExecutorDriver) -> None:
        raise AssertionError("at the end")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "launch_task raised AssertionError: in the executor"),
        ("stop", "launch_task raised AssertionError: in the executor"),
        ("later", "call_later raised ZeroDivisionError: integer division or modulo by zero"),
    ],
)
def test_an_executor_that_raises(sim: Simulation, data: str, message: str) -> None:
    """The error comes out, and its task's last status says what was raised (TK-54)."""
    framework = Launcher(attrs.evolve(executor_task("t"), data=data))
    sim.cluster().run(framework, PLAIN, executors={"obedient": Odd})

    with pytest.raises((AssertionError, ZeroDivisionError)):
        sim.advance(5.0)
    sim.advance(5.0)

    assert only(sim.user_errors).actor.startswith("agent-1/")
    assert (framework.states("t"), framework.updates("t")[0].message) == (["FAILED"], message)


def test_an_executor_that_raises_while_it_shuts_down(sim: Simulation) -> None:
    """Nobody is left who would wait for it, and it comes out all the same."""

    class RaisesAtTheEnd(Executor):
        def shutdown(self, driver: ExecutorDriver) -> None:
            raise AssertionError("at the end")

    driver = sim.cluster().run(Launcher(executor_task("t")), PLAIN, executors={"obedient": RaisesAtTheEnd})
    sim.advance(5.0)
    driver.stop()

    with pytest.raises(AssertionError, match="at the end"):
        sim.advance(5.0)
    assert only(sim.user_errors).callback == "shutdown"


def test_an_executor_class_that_wants_arguments(sim: Simulation) -> None:
    """No line of the user's is in that traceback, and yet it is not empty: it ends where the class was called."""

    class Demanding(Executor):
        def __init__(self, wish: str) -> None:
            """Ask for what nobody gives."""

    sim.cluster().run(Launcher(executor_task("t")), PLAIN, executors={"obedient": Demanding})

    with pytest.raises(TypeError, match="missing 1 required positional argument: 'wish'") as caught:
        sim.advance(5.0)
    assert only(sim.user_errors).callback == "__init__"
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "prepare"


# ------------------------------------------------------------------------------------------------------ what it is like


def test_its_traceback_is_the_users_and_a_note_says_where_it_was(sim: Simulation) -> None:
    """Of its own frames only the user's are left, also if it was raised by Mesolite; the seed is named."""
    cluster = sim.cluster()

    class Waiting(Scheduler):
        def registered(self, driver: SchedulerDriver, *arguments: Any) -> None:
            self.wait()

        def wait(self) -> None:
            cluster.wait_until(lambda: True, timeout=1.0)

    cluster.run(Waiting(), "waiting")
    with pytest.raises(WouldBlock, match="waiting tried to wait inside a handler") as caught:
        sim.advance(5.0)

    kept = only(sim.user_errors)
    assert [frame.name for frame in traceback.extract_tb(kept.traceback)] == ["registered", "wait"]
    assert [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)][-2:] == ["registered", "wait"]
    assert caught.value.__notes__ == [
        f"raised by user code of waiting, in registered, at {kept.at:.3f} s, seed {sim.seed}"
    ]


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), pytest.fail.Exception("said so")])
def test_what_would_end_the_program_is_wrapped(sim: Simulation, error: BaseException) -> None:
    """It is the cause of an error that says who raised it."""
    _, driver = run_raising(sim, error, "registered")

    for drive in (lambda: sim.advance(5.0), driver.join, driver.join):
        with pytest.raises(UserCodeFailed, match=f"broken: registered raised {type(error).__name__}: ") as caught:
            drive()
        assert caught.value.__cause__ is error
        assert f"seed {sim.seed}" in caught.value.__notes__[0]


def test_it_is_logged_in_one_line(sim: Simulation) -> None:
    """With the user's lines of code, and none of ours."""
    run_raising(sim, ValueError("two\nlines"), "registered")

    with logged() as lines, pytest.raises(ValueError, match="two"):
        sim.advance(5.0)

    assert re.fullmatch(
        r"broken: registered raised ValueError: two lines, in "
        r"\S*schedulers.py:\d+ registered -> \S*raising.py:\d+ note\n",
        only(lines),
    )


# ------------------------------------------------------------------------------------------- the simulation can go on


def _trace_of(seed: int, *, allowed: bool) -> str:
    """What is said in 100 s, with messages that come twice, if errors are allowed or caught on the way."""
    with Simulation(seed=seed) as sim:
        sim.duplicate(FrameworkRegistered)
        cluster = sim.cluster(agents=2, masters=2)
        if allowed:
            sim.allow_error(ValueError)
        for number, callback in enumerate(("registered", "resource_offers", "error")):
            cluster.run(Raising(ValueError(), callback, "error"), f"broken-{number}")
        cluster.run(Launcher(executor_task("t")), PLAIN, executors={"obedient": Odd})
        sim.allow_error(AssertionError)
        while sim.now < 100.0:
            try:
                sim.advance(100.0 - sim.now)
            except ValueError:
                assert not allowed
        assert [error.allowed for error in sim.user_errors].count(False) == (0 if allowed else 4)
        return sim.trace.hash()


def test_raising_changes_nothing_of_what_happens(mesolite_seed: int) -> None:
    """A run whose errors are caught has the very trace of one in which they are allowed."""
    assert _trace_of(mesolite_seed, allowed=False) == _trace_of(mesolite_seed, allowed=True)


def test_two_errors_of_one_event_are_raised_one_after_the_other(sim: Simulation) -> None:
    """The error callback raises, too: the second comes out of the next that drives the simulation."""
    _, driver = run_raising(sim, ValueError("first"), "registered", "error")

    for drive in (lambda: sim.advance(5.0), lambda: sim.run_until(lambda: True, timeout=5.0)):
        with pytest.raises(ValueError, match="first"):
            drive()
    sim.advance(5.0)

    assert [error.callback for error in sim.user_errors] == ["registered", "error"]
    assert driver.error == "registered raised ValueError: first; then error raised ValueError: first"
