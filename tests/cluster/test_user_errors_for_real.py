"""An exception of user code never stays silent around a real cluster: joining, waiting and leaving raise it."""

from __future__ import annotations

import subprocess
import sys
import threading
import traceback
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from mesolite import (
    ActorFailed,
    Cluster,
    DriverAborted,
    Executor,
    ExecutorDriver,
    FrameworkInfo,
    Refused,
    SchedulerDriver,
    TaskInfo,
    UserCodeFailed,
)
from tests.cluster.real_commands import PATIENCE_S, SHORT, Launching, command, run_to_the_end, until
from tests.logs import logged
from tests.scenarios.schedulers import Recorder, executor_task, only

ROOT = Path(__file__).parents[2]


class Raising(Recorder):
    """Raises in the callbacks of these names."""

    def __init__(self, error: BaseException, *callbacks: str) -> None:
        super().__init__()
        self.to_raise = error
        self._callbacks = callbacks

    def note(self, driver: SchedulerDriver, name: str, *arguments: Any) -> None:
        super().note(driver, name, *arguments)
        if name in self._callbacks:
            raise self.to_raise


class RaisesAtLaunch(Executor):
    """Raises as soon as it has something to do."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        raise AssertionError("in the executor")


def test_join_raises_what_ended_the_driver() -> None:
    """The object itself, each time, with the user's frames and a note; so leaving has nothing to add."""
    error = ZeroDivisionError("mine")
    with Cluster() as cluster:
        scheduler = Raising(error, "registered")
        driver = cluster.run(scheduler, "broken")
        for _ in range(2):
            with pytest.raises(ZeroDivisionError) as caught:
                driver.join(PATIENCE_S)
            assert caught.value is error

        assert scheduler.names == ["registered", "error"]
        assert (driver.status.name, driver.error) == (
            "DRIVER_ABORTED",
            "registered raised ZeroDivisionError: mine",
        )
        kept = only(cluster.user_errors)
        assert (kept.actor, kept.callback, kept.exception, kept.allowed) == ("broken", "registered", error, False)
        assert 0.0 < kept.at <= cluster.now
        assert [frame.name for frame in traceback.extract_tb(kept.traceback)] == ["registered", "note"]
        assert error.__notes__ == [f"raised by user code of broken, in registered, at {kept.at:.3f} s"]
        healthy, _ = run_to_the_end(cluster, command("t", "exit 0"), framework="healthy")
        assert healthy.states("t")[-1] == "FINISHED"


@pytest.mark.parametrize("error", [SystemExit(0), KeyboardInterrupt(), GeneratorExit()])
def test_what_would_end_the_program_is_wrapped(error: BaseException) -> None:
    """It is the cause of what is raised."""
    with Cluster() as cluster:
        driver = cluster.run(Raising(error, "registered"), "broken")
        with pytest.raises(UserCodeFailed, match="broken: registered raised") as caught:
            driver.join(PATIENCE_S)
        assert caught.value.__cause__ is error


def test_join_tells_that_a_master_ended_the_driver() -> None:
    """With the master's words."""
    with Cluster() as cluster:
        scheduler = Recorder()
        removed = cluster.run(scheduler, "removed")
        until(cluster, lambda: scheduler.count("registered"))
        cluster.operator.teardown(removed)
        refused = cluster.run(Recorder(), FrameworkInfo(name="removed", id=removed.framework_id))

        for driver in (removed, refused):
            with pytest.raises(DriverAborted, match=f"{driver.name} was aborted: .*framework"):
                driver.join(PATIENCE_S)


@pytest.mark.parametrize(("end", "status"), [("abort", "DRIVER_ABORTED"), ("stop", "DRIVER_STOPPED")])
def test_an_error_after_the_end_is_raised_on_leaving(end: str, status: str) -> None:
    """It is not what ended the driver, so `join` returns."""

    class Ending(Recorder):
        def registered(self, driver: SchedulerDriver, *arguments: Any) -> None:
            getattr(driver, end)()
            raise ValueError("after the end")

    def live() -> None:
        with Cluster() as cluster:
            assert cluster.run(Ending(), "ending").join(PATIENCE_S).name == status

    with pytest.raises(ValueError, match="after the end"):
        live()


def test_waiting_ends_when_user_code_raises() -> None:
    """What is waited for might never come: a wait of the cluster's and one for a drain."""
    with Cluster(settings=SHORT) as cluster:
        scheduler = Launching(executor_task("t"))
        cluster.run(scheduler, "mine", executors={"obedient": RaisesAtLaunch})
        with pytest.raises(AssertionError, match="in the executor"):
            cluster.wait_until(lambda: False, timeout=PATIENCE_S)
        until(cluster, lambda: scheduler.ended("t"))
        assert scheduler.updates("t")[-1].message == "launch_task raised AssertionError: in the executor"

        cluster.run(Raising(ValueError("mine"), "registered"), "broken")
        until(cluster, lambda: len(cluster.user_errors) == 2)
        with pytest.raises(ValueError, match="mine"):
            cluster.operator.drain("agent-1").wait(PATIENCE_S)
        cluster.raise_user_errors()


def test_leaving_raises_what_nobody_has_seen_and_names_the_others() -> None:
    """Also an executor's error, which no driver's join would raise."""
    cluster = Cluster(settings=SHORT)
    schedulers = Launching(executor_task("t")), Raising(ValueError("mine"), "registered")

    def live() -> None:
        with cluster:
            cluster.run(schedulers[0], "first", executors={"obedient": RaisesAtLaunch})
            until(cluster, lambda: cluster.user_errors)
            cluster.run(schedulers[1], "second")
            until(cluster, lambda: len(cluster.user_errors) == 2)

    with pytest.raises(AssertionError, match="in the executor") as caught:
        live()
    assert caught.value.__notes__[-1].startswith(
        "besides this, not raised so far:\n  second: registered raised ValueError: mine (at "
    )
    with pytest.raises(ValueError, match="mine"):
        cluster.raise_user_errors()
    cluster.raise_user_errors()


def test_a_body_that_raises_it_itself_is_told_nothing_new() -> None:
    """Whoever looks at `user_errors` may raise what is there."""
    error = ValueError("mine")

    def live() -> None:
        with Cluster() as cluster:
            cluster.run(Raising(error, "registered"), "broken")
            until(cluster, lambda: cluster.user_errors)
            raise cluster.user_errors[0].exception

    with pytest.raises(ValueError, match="mine") as caught:
        live()
    assert (caught.value, len(error.__notes__)) == (error, 1)


def live_through_failures(then: BaseException | None = None) -> None:
    """A `with` in which user code raises and an actor of ours fails, and whose body raises that, too."""

    def broken(*arguments: object) -> Any:
        raise ZeroDivisionError("our bug")

    with Cluster() as cluster:
        cluster.run(Raising(ValueError("mine"), "registered"), "broken")
        failing = cluster.run(Recorder(), "failing")
        context: Any = cluster.runtime.directory.find("failing")
        context.actor.core.handle = broken
        failing.revive_offers()
        until(cluster, lambda: cluster.user_errors and cluster.runtime.failures)
        if then is not None:
            raise then


def test_leaving_does_not_hide_what_the_body_raised() -> None:
    """The note names what user code raised, and an actor that failed by our own fault."""
    with pytest.raises(KeyError, match="body") as caught:
        live_through_failures(then=KeyError("body"))
    note = only(caught.value.__notes__)
    assert "failing failed: ZeroDivisionError: our bug" in note
    assert "broken: registered raised ValueError: mine" in note


def test_an_actor_that_failed_is_raised_before_what_user_code_raised() -> None:
    """The note names the second."""
    with pytest.raises(ActorFailed, match="our bug") as caught:
        live_through_failures()
    assert "broken: registered raised ValueError: mine" in caught.value.__notes__[-1]


@pytest.mark.parametrize("of", ["cluster", "drain"])
def test_waiting_ends_when_an_actor_fails(of: str) -> None:
    """As in simulation: nobody reads the log. Raised once, so that what goes on can still be waited for."""

    def broken(*arguments: object) -> Any:
        raise ZeroDivisionError("our bug")

    def live() -> None:
        with Cluster() as cluster:
            cluster.run(Launching(command("t", "trap '' TERM; while :; do sleep 1; done"), on="agent-1"), "working")
            until(cluster, lambda: cluster.operator.state()["agents"][0]["tasks"])
            failing = cluster.run(Recorder(), "failing")
            until(cluster, lambda: failing.framework_id)
            context: Any = cluster.runtime.directory.find("failing")
            context.actor.core.handle = broken
            drain = cluster.operator.drain("agent-1", 1000.0)
            failing.revive_offers()
            waits = {"drain": lambda: drain.wait(PATIENCE_S), "cluster": lambda: cluster.wait_until(bool, PATIENCE_S)}
            with pytest.raises(ActorFailed, match="failing failed: ZeroDivisionError: our bug"):
                waits[of]()
            cluster.wait_until(lambda: True, PATIENCE_S)
            raise cluster.runtime.failures[0]

    with pytest.raises(ActorFailed) as caught:
        live()
    assert not hasattr(caught.value, "__notes__")


def test_what_is_allowed_is_kept_and_not_raised() -> None:
    """`join`, `wait_until` and leaving go on as if nothing were."""
    with Cluster() as cluster:
        scheduler = Raising(ValueError("mine"), "registered", "error")
        driver = cluster.run(Recorder(), "waits for nothing")
        wanted = cluster.allow_error(ValueError, "broken")
        never = cluster.allow_error(ValueError, driver)
        assert cluster.run(scheduler, "broken").join(PATIENCE_S).name == "DRIVER_ABORTED"
        cluster.wait_until(lambda: wanted.count == 2, timeout=PATIENCE_S)

        assert [error.callback for error in wanted.all] == ["registered", "error"]
        assert (wanted.first, never.count) == (cluster.user_errors[0], 0)


def test_each_error_is_logged_in_one_line() -> None:
    """An executor's exit says nothing more about it."""
    with logged() as lines, Cluster(settings=SHORT) as cluster:
        cluster.allow_error(ValueError)
        scheduler = Launching(executor_task("t"))
        cluster.run(scheduler, "mine", executors={"obedient": RaisesAtLaunch})
        until(cluster, lambda: scheduler.ended("t"))
        with pytest.raises(AssertionError, match="in the executor"):
            cluster.raise_user_errors()
        cluster.run(Raising(ValueError("wanted"), "registered"), "broken")
        until(cluster, lambda: len(cluster.user_errors) == 2)

    line = only(lines)
    assert "launch_task raised AssertionError: in the executor, in " in line
    assert line.count("\n") == 1


def test_errors_of_many_threads_are_each_raised_once() -> None:
    """Twenty frameworks raise while several threads ask for what was raised."""
    raised: SimpleQueue[BaseException] = SimpleQueue()
    errors = [ValueError(str(number)) for number in range(20)]

    def collect(cluster: Cluster) -> None:
        while True:
            try:
                cluster.wait_until(lambda: False, timeout=PATIENCE_S)
            except ValueError as error:
                raised.put(error)
            except Refused:
                return  # the cluster was closed

    with Cluster() as cluster:
        threads = [threading.Thread(target=collect, args=(cluster,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for error in errors:
            cluster.run(Raising(error, "registered"), f"f{error}")
        seen = [str(raised.get(timeout=PATIENCE_S)) for _ in errors]
    for thread in threads:
        thread.join(PATIENCE_S)

    assert raised.empty()
    assert sorted(seen) == sorted(map(str, errors))


SCRIPT = """
import sys
from mesolite import Cluster, Scheduler

class Broken(Scheduler):
    def registered(self, driver, framework_id, master):
        sys.exit(0)

with Cluster() as cluster:
    cluster.run(Broken(), "broken").join(30)
"""


def test_a_script_whose_user_code_raised_does_not_exit_with_0() -> None:
    """Not even if what was raised is `SystemExit(0)`."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 1
    assert "UserCodeFailed: broken: registered raised SystemExit: 0" in ended.stderr
