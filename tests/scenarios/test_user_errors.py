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
    DriverAborted,
    Executor,
    ExecutorDriver,
    FrameworkInfo,
    Refused,
    ResourceError,
    Scheduler,
    SchedulerDriver,
    Simulation,
    TaskInfo,
    UserCodeFailed,
    WouldBlock,
)
from mesolite.actors.runtime.future import PortFuture
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages import FrameworkRegistered
from mesolite.simulation.simulation import SimulatedCluster
from tests.logs import logged
from tests.scenarios.schedulers import EXECUTORS, PLAIN, Launcher, Recorder, command_task, executor_task, only


class Raising(Recorder):
    """Raises what it is told to from the callbacks of these names."""

    def __init__(self, error: BaseException, *callbacks: str) -> None:
        super().__init__()
        self.to_raise = error
        self._callbacks = callbacks

    def note(self, driver: SchedulerDriver, name: str, *arguments: Any) -> None:
        super().note(driver, name, *arguments)
        if name in self._callbacks:
            raise self.to_raise


def run_raising(
    sim: Simulation, error: BaseException, *callbacks: str
) -> tuple[SimulatedCluster, MesoliteSchedulerDriver]:
    """A cluster with a framework that raises; nothing has happened to it yet."""
    cluster = sim.cluster()
    return cluster, cluster.run(Raising(error, *callbacks), "broken")


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
        r"\S*schedulers.py:\d+ registered -> \S*test_user_errors.py:\d+ note\n",
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


# ---------------------------------------------------------------------------------------------------------------- join


def test_join_raises_each_time_what_ended_the_driver(sim: Simulation) -> None:
    """Also after it was raised elsewhere, and after the aborted driver was stopped."""
    error = ValueError("mine")
    _, driver = run_raising(sim, error, "registered")
    with pytest.raises(ValueError, match="mine"):
        sim.advance(5.0)

    depths = []
    for _ in range(2):
        with pytest.raises(ValueError, match="mine") as caught:
            driver.join()
        depths.append(len(traceback.extract_tb(caught.value.__traceback__)))
    driver.stop()
    sim.settle()
    with pytest.raises(ValueError, match="mine"):
        driver.join()
    assert depths[0] == depths[1], "its traceback does not grow"


def test_join_tells_that_a_master_ended_the_driver(sim: Simulation) -> None:
    """With the master's words; no exception of user code was there, so nothing else raises."""
    cluster = sim.cluster()
    removed = cluster.run(Recorder(), "removed")
    sim.settle()
    cluster.operator.teardown(removed)
    sim.settle()
    refused = cluster.run(Recorder(), FrameworkInfo(name="removed", id=removed.framework_id))
    sim.advance(5.0)

    for driver in (removed, refused):
        with pytest.raises(DriverAborted, match=f"{driver.name} was aborted: .*framework"):
            driver.join()
    assert sim.user_errors == ()


@pytest.mark.parametrize(("end", "status"), [("abort", "DRIVER_ABORTED"), ("stop", "DRIVER_STOPPED")])
def test_join_of_a_driver_that_its_user_ended_returns(sim: Simulation, end: str, status: str) -> None:
    """Even if the callback raises after that: the error comes out, but it is not what ended the driver."""

    class Ending(Recorder):
        def registered(self, driver: SchedulerDriver, *arguments: Any) -> None:
            getattr(driver, end)()
            raise ValueError("after the end")

    driver = sim.cluster().run(Ending(), "ending")
    with pytest.raises(ValueError, match="after the end"):
        sim.advance(5.0)

    assert driver.join().name == status
    assert only(sim.user_errors).exception.args == ("after the end",)


# --------------------------------------------------------------------------------------------------------- allow_error


def test_what_is_allowed_is_kept_and_not_raised(sim: Simulation) -> None:
    """It is marked, counted, and `join` returns the status it led to."""
    wanted = sim.allow_error((KeyError, ValueError))
    with pytest.raises(LookupError, match=r"no KeyError\|ValueError of any user code has come"):
        _ = wanted.first
    error = ValueError("mine")
    _, driver = run_raising(sim, error, "registered")
    sim.advance(5.0)

    assert driver.join().name == "DRIVER_ABORTED"
    assert (wanted.count, wanted.first, wanted.all) == (1, sim.user_errors[0], [sim.user_errors[0]])
    assert (wanted.first.allowed, wanted.first.exception) == (True, error)
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == ["registered", "note"]
    sim.raise_user_errors()


@pytest.mark.parametrize(
    ("whose", "raised"),
    [
        (lambda cluster, broken: None, False),
        (lambda cluster, broken: "broken", False),
        (lambda cluster, broken: broken, False),
        (lambda cluster, broken: "other", True),
        (lambda cluster, broken: cluster.agents["agent-1"], True),
    ],
    ids=["anybody", "name", "driver", "another", "machine"],
)
def test_errors_may_be_allowed_to_one_actor(sim: Simulation, whose: Callable[..., Any], raised: bool) -> None:
    """Those of others are raised."""
    cluster, driver = run_raising(sim, ValueError("mine"), "registered")
    sim.allow_error(KeyError, driver)
    wanted = cluster.allow_error(ValueError, whose(cluster, driver))

    if raised:
        with pytest.raises(ValueError, match="mine"):
            sim.advance(5.0)
    sim.advance(5.0)
    assert wanted.count == (0 if raised else 1)


def test_a_machine_stands_for_the_executors_on_it(sim: Simulation) -> None:
    """Their names begin with its own, and nobody knows them before they start."""
    cluster = sim.cluster(agents=2)
    wanted = [sim.allow_error(RuntimeError, agent) for agent in cluster.agents.values()]
    framework = Launcher(executor_task("t"))
    driver = cluster.run(framework, PLAIN, executors=EXECUTORS)
    sim.advance(5.0)
    driver.send_framework_message("e1", framework.offers[0].agent_id, "raise")
    sim.advance(5.0)

    assert sorted(each.count for each in wanted) == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((5,), r"kind cannot be 5 \(int\): it must be a class that extends BaseException"),
        ((ValueError("x"),), "give the class itself, ValueError"),
        (((),), r"errors of kind \(\) cannot be allowed"),
        (((ValueError, int),), r"kind\[1\] cannot be <class 'int'>"),
        ((int,), "kind cannot be <class 'int'>"),
        ((ValueError, 5), r"actor cannot be 5 \(int\)"),
    ],
)
def test_what_cannot_be_allowed_is_refused(sim: Simulation, arguments: tuple[Any, ...], says: str) -> None:
    """Where it is asked for, with what would work."""
    with pytest.raises(Refused, match=says):
        sim.allow_error(*arguments)


# ---------------------------------------------------------------------------------------------------------------- with


def leave(seed: int, *callbacks: str, caught: bool = True, then: BaseException | None = None) -> None:
    """Live in a `with` whose body catches the first error, if it is to, and then raises something else, if it is to."""
    with Simulation(seed=seed) as sim:
        run_raising(sim, ValueError("mine"), *callbacks)
        if caught:
            with pytest.raises(ValueError, match="mine"):
                sim.advance(5.0)
        else:
            sim.advance(5.0)
        if then is not None:
            raise then


def test_leaving_raises_what_was_not_raised(mesolite_seed: int) -> None:
    """An error that came up together with another one is not forgotten at the end of a `with`."""
    leave(mesolite_seed, "registered")
    with pytest.raises(ValueError, match="mine") as caught:
        leave(mesolite_seed, "registered", "error")

    assert "in error, at" in caught.value.__notes__[-1]


def test_leaving_does_not_hide_what_the_body_raised(mesolite_seed: int) -> None:
    """The body's exception goes on its way, and its note names the other."""
    with pytest.raises(KeyError, match="body") as caught:
        leave(mesolite_seed, "registered", "error", then=KeyError("body"))

    note = only(caught.value.__notes__)
    assert note.startswith("besides this, not raised so far:\n  broken: error raised ValueError: mine (at ")


def test_leaving_with_an_error_that_was_raised_adds_nothing(mesolite_seed: int) -> None:
    """What comes out of the body is the user's exception, with the one note that says where it was."""
    with pytest.raises(ValueError, match="mine") as caught:
        leave(mesolite_seed, "registered", caught=False)

    assert len(caught.value.__notes__) == 1


@pytest.mark.parametrize("wait", [lambda sim, _: sim.advance(5.0), lambda _, driver: driver.join(5.0)])
def test_a_framework_that_is_refused_from_the_start_is_an_error(sim: Simulation, wait: Any) -> None:
    """Its scheduler does not listen, and would never hear of an offer: a test must not stay green (FW-9)."""
    driver = sim.cluster(agents=1).run(Scheduler(), framework=FrameworkInfo(name="odd", role="a b"))

    with pytest.raises(DriverAborted, match="odd was refused: 'a b' is not a role"):
        wait(sim, driver)


def test_a_scheduler_that_listens_is_told_and_nothing_is_raised(sim: Simulation) -> None:
    """What it does about it is its own affair."""
    listening = Recorder()
    sim.cluster(agents=1).run(listening, framework=FrameworkInfo(name="odd", role="a b"))

    sim.advance(5.0)

    assert len(listening.errors) == 1


def test_who_was_taken_and_is_replaced_is_no_error(sim: Simulation) -> None:
    """A successor takes over, and the first one, which does not listen, simply ends (FW-12)."""
    cluster = sim.cluster(agents=1)
    first = cluster.run(Scheduler(), framework="mine")
    sim.advance(1.0)

    cluster.run(Scheduler(), framework=FrameworkInfo(name="mine", id=first.framework_id))
    sim.advance(5.0)

    assert not first.still_running
