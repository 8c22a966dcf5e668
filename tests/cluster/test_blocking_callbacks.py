"""A callback that does not return is named in the log: who, which, since when, once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesolite import Cluster, Offer, Scheduler, SchedulerDriver
from mesolite.actors.threads.blocking import BLOCKED_S, BlockingWatch
from mesolite.actors.threads.clock import Clock
from tests.logs import logged

PATIENCE_S = 20.0


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What is logged as a warning or worse."""
    with logged() as lines:
        yield lines


class Stuck(Scheduler):
    """Does not return from `resource_offers` until it is let go, and is called again."""

    def __init__(self) -> None:
        self.reached = threading.Semaphore(0)
        self.opened = threading.Semaphore(0)

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        self.reached.release()
        assert self.opened.acquire(timeout=PATIENCE_S)


def test_a_callback_that_does_not_return_is_named_once(lines: list[str], tmp_path: Path) -> None:
    """Not before its limit, not twice, and the next callback that is stuck is named again."""
    watch = BlockingWatch()
    with Cluster(work_dir=tmp_path) as cluster:
        stuck = Stuck()
        driver = cluster.run(stuck, framework="stuck")
        assert stuck.reached.acquire(timeout=PATIENCE_S)
        (context,) = [context for context in cluster.runtime.directory if context.name == "stuck"]
        assert context.user_call is not None
        since = context.user_call.since
        watch.look([context], since + BLOCKED_S)
        assert lines == []

        watch.look([context], since + BLOCKED_S + 1.0)
        watch.look([context], since + BLOCKED_S + 9.0)
        (line,) = lines
        assert line.startswith(f"stuck: resource_offers has not returned since {since:.3f} s, for 11.0 s now")

        cluster.add_agent()  # another offer, another callback
        stuck.opened.release()
        assert stuck.reached.acquire(timeout=PATIENCE_S)
        watch.look([context], cluster.now + BLOCKED_S + 1.0)
        assert len(lines) == 2

        driver.stop()
        stuck.opened.release()
        cluster.wait_until(lambda: context.user_call is None, PATIENCE_S)


def test_a_wait_that_was_too_short_names_whoever_is_in_a_callback(tmp_path: Path) -> None:
    """Without any log: what is waited for may be that callback's doing."""
    with Cluster(work_dir=tmp_path) as cluster:
        stuck = Stuck()
        driver = cluster.run(stuck, framework="stuck")
        assert stuck.reached.acquire(timeout=PATIENCE_S)
        with pytest.raises(TimeoutError, match=r"; stuck has been in resource_offers for \d+\.\d{3} s; the last that"):
            cluster.wait_until(lambda: False, timeout=0.0)
        driver.stop()
        stuck.opened.release()


def test_who_is_in_no_callback_is_not_named(lines: list[str], tmp_path: Path) -> None:
    """Waiting for the next callback is not being stuck, however long that takes."""
    with Cluster(work_dir=tmp_path) as cluster:
        cluster.run(Scheduler(), framework="idle")
        (context,) = [context for context in cluster.runtime.directory if context.name == "idle"]
        cluster.wait_until(lambda: context.user_call is None, PATIENCE_S)
        BlockingWatch().look([context], cluster.now + 1000.0)

    assert lines == []


def test_the_clock_looks_again_and_again_without_a_timer() -> None:
    """A cluster in which nothing else happens notices a callback that is stuck."""
    looks = threading.Semaphore(0)
    clock = Clock(lambda timer: None, looks.release, look_every_s=0.001)
    for _ in range(3):
        assert looks.acquire(timeout=PATIENCE_S)
    clock.close()
