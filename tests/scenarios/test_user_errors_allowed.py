"""Errors of user code that a test lets be, and those that `join` and the end of a `with` raise."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest

from mesolite import DriverAborted, FrameworkInfo, Refused, Scheduler, SchedulerDriver, Simulation
from tests.scenarios.raising import run_raising
from tests.scenarios.schedulers import EXECUTORS, PLAIN, Launcher, Recorder, executor_task, only

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
