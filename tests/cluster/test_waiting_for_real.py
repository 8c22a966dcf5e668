"""Waiting around a real cluster: conditions that ask, waits inside callbacks, and time-outs of any length."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from mesolite import Cluster, Drain, DrainState, Refused, SchedulerDriver, WouldBlock
from tests.cluster.real_commands import PATIENCE_S
from tests.scenarios.schedulers import Recorder


class InverseOfferQueue(Recorder):
    """Does something in its first callback, and keeps what came of it."""

    def __init__(self, act: Callable[[SchedulerDriver], object]) -> None:
        super().__init__()
        self._act = act
        self.answers: SimpleQueue[object] = SimpleQueue()

    def registered(self, driver: SchedulerDriver, *arguments: object) -> None:
        try:
            self.answers.put(self._act(driver))
        except Refused as refused:
            self.answers.put(refused)

    def answer(self) -> object:
        return self.answers.get(timeout=PATIENCE_S)


def test_a_condition_may_ask_the_operator() -> None:
    """Its state is the master's answer, which is news: that must neither lock up nor outlive the time-out."""
    with Cluster(agents=1) as cluster:
        cluster.wait_until(lambda: len(cluster.operator.state()["agents"]) == 1, PATIENCE_S)

        with pytest.raises(TimeoutError, match=r"not so within 0\.1 s.*`cluster\.wait_until\(lambda: cluster\.oper"):
            cluster.wait_until(lambda: cluster.operator.state()["agents"] == "none", 0.1)


def test_a_condition_may_act() -> None:
    """Verbs wait for their answers, too, and so may a drain."""
    with Cluster(agents=1) as cluster:
        drains: list[Drain] = []

        def drained() -> bool:
            drains.append(cluster.operator.drain("agent-1"))
            return drains[-1].wait(PATIENCE_S) is DrainState.DRAINED

        cluster.wait_until(drained, PATIENCE_S)

    assert len(drains) == 1


def test_what_a_condition_raises_comes_out_of_the_wait() -> None:
    """It is the caller's own, and the cluster goes on."""
    with Cluster(agents=1) as cluster:
        with pytest.raises(KeyError, match="nothing of that name"):
            cluster.wait_until(lambda: dict(cluster.operator.state())["nothing of that name"], PATIENCE_S)
        assert cluster.leader is not None


@pytest.mark.parametrize("timeout", [math.inf, 1e10], ids=str)
def test_time_outs_of_any_length(timeout: float) -> None:
    """Longer than a life is no limit, for whatever is waited for."""
    with Cluster(agents=1) as cluster:
        driver = cluster.run(Recorder(), "one")
        cluster.wait_until(lambda: driver.framework_id, timeout)
        assert cluster.operator.drain("agent-1").wait(timeout) is DrainState.DRAINED
        driver.call_later(1e10, lambda: None)
        driver.call_later(0.01, driver.stop)
        assert driver.join(timeout).name == "DRIVER_STOPPED"


def test_joining_inside_a_callback_of_its_own_is_refused() -> None:
    """The driver cannot end before its callback returns; with a time-out it would wait in vain."""
    with Cluster(agents=1) as cluster:
        for timeout in (None, 5.0, math.inf):
            scheduler = InverseOfferQueue(lambda driver, timeout=timeout: driver.join(timeout))  # type: ignore[misc]
            driver = cluster.run(scheduler, "joining")
            assert isinstance(refused := scheduler.answer(), WouldBlock)
            assert "joining" in str(refused)
            assert "call stop() and return" in str(refused)
            driver.stop()
            assert driver.join(PATIENCE_S).name == "DRIVER_STOPPED"


def test_joining_inside_a_function_called_later_is_refused() -> None:
    """It is called as a callback is."""
    with Cluster(agents=1) as cluster:
        scheduler = Recorder()
        driver = cluster.run(scheduler, "later")
        answers: SimpleQueue[object] = SimpleQueue()

        def join() -> None:
            with pytest.raises(WouldBlock):
                driver.join()
            answers.put("refused")

        driver.call_later(0.0, join)

        assert answers.get(timeout=PATIENCE_S) == "refused"


def test_a_callback_may_join_another_driver() -> None:
    """That one has a thread of its own."""
    with Cluster(agents=1) as cluster:
        other = cluster.run(Recorder(), "other")
        other.call_later(0.05, other.stop)
        scheduler = InverseOfferQueue(lambda driver: other.join(PATIENCE_S).name)
        cluster.run(scheduler, "joining")

        assert scheduler.answer() == "DRIVER_STOPPED"


def test_a_callback_may_use_the_operator() -> None:
    """The master answers while the callback waits; so does a drain that does not need this scheduler."""
    with Cluster(agents=2) as cluster:
        scheduler = InverseOfferQueue(lambda driver: len(cluster.operator.state()["agents"]))
        cluster.run(scheduler, "asking")
        assert scheduler.answer() == 2

        scheduler = InverseOfferQueue(lambda driver: cluster.operator.drain("agent-1").wait(PATIENCE_S))
        cluster.run(scheduler, "draining")
        assert scheduler.answer() is DrainState.DRAINED


def test_whoever_waits_without_a_limit_is_told_that_the_cluster_was_closed() -> None:
    """And for what."""
    refused: SimpleQueue[str] = SimpleQueue()
    waiting = threading.Event()
    with Cluster(agents=1) as cluster:

        def never() -> bool:
            waiting.set()
            return False

        def wait() -> None:
            try:
                cluster.wait_until(never, math.inf)
            except Refused as error:
                refused.put(str(error))

        thread = threading.Thread(target=wait)
        thread.start()
        assert waiting.wait(PATIENCE_S)
    thread.join(PATIENCE_S)

    assert "the cluster was closed, so this cannot come" in refused.get(timeout=PATIENCE_S)
