"""A failure is tried in a fresh process; of another run there, the first event that differs and the cause are said.

The scenarios of this file are found by their names, in other processes, too.
"""

from __future__ import annotations

import gc
import random
import re
import threading
import time

import pytest

from mesolite import Scheduler, Simulation
from mesolite.harness import Failure, Script
from mesolite.harness.confirm import confirm
from mesolite.harness.run import Setting, replayed
from mesolite.harness.world import Watch

earlier_runs = 0


class Named(Scheduler):
    """Runs under a name that tells runs apart in their traces."""


def run_as(sim: Simulation, name: object) -> None:
    sim.cluster().run(Named(), framework=f"framework-{name}")
    sim.advance(5)
    raise ValueError("always")


def sound(sim: Simulation) -> None:
    """The same in every process."""
    run_as(sim, "one")


def counting(sim: Simulation) -> None:
    """A counter of the module tells its runs apart."""
    global earlier_runs  # noqa: PLW0603  # that is the mistake
    earlier_runs += 1
    run_as(sim, earlier_runs)


def passing_at_first(sim: Simulation) -> None:
    """It fails only after others have run."""
    global earlier_runs  # noqa: PLW0603  # that is the mistake
    earlier_runs += 1
    if earlier_runs > 1:
        run_as(sim, "one")


def hashing(sim: Simulation) -> None:
    """The order of a set tells its runs apart."""
    run_as(sim, "-".join({f"name-{number}" for number in range(12)}))


def reading_the_clock(sim: Simulation) -> None:
    """The time tells its runs apart."""
    run_as(sim, time.time_ns())


def drawing(sim: Simulation) -> None:
    """A number that no seed has drawn tells its runs apart."""
    run_as(sim, random.choice(range(10**9)))


def starting_threads(sim: Simulation) -> None:
    """A thread, whose id is given by the system, tells its runs apart."""
    began = threading.Thread(target=lambda: None)
    began.start()
    began.join()
    run_as(sim, f"{began.native_id}-{began.ident}")


def failure_of(scenario: object, *, runs: int = 1) -> Failure:
    """How it fails in this process, after so many runs."""
    for _ in range(runs):
        outcome = replayed(scenario, 0, Script(), Setting())
    return Failure.of(scenario, Setting(), outcome)


@pytest.fixture(autouse=True)
def fresh() -> None:
    global earlier_runs  # noqa: PLW0603  # each test begins as a fresh process does
    earlier_runs = 0


def test_what_fails_in_the_same_run_is_confirmed() -> None:
    """There is nothing to say."""
    assert confirm(failure_of(sound)) == ""


def test_what_another_process_cannot_find_is_not_confirmed() -> None:
    """A function inside of a function has no name by which it is found."""

    def inside(sim: Simulation) -> None:
        sound(sim)

    assert confirm(failure_of(inside)) is None


CAUSES = [
    (counting, "it fails there in the same way, but not in the same run", "what earlier runs have left"),
    (passing_at_first, "it does not fail there", "what earlier runs have left"),
    (hashing, "it fails there in the same way, but not in the same run", "the order of a set or of hashes"),
    (reading_the_clock, "it fails there in the same way", "it uses the clock, at .*test_confirming.py"),
    (drawing, "it fails there in the same way", "it uses random numbers, at .*test_confirming.py"),
    (starting_threads, "it fails there in the same way", "it uses a thread, at .*test_confirming.py"),
]
OFTEN = (counting, hashing, reading_the_clock)
"""The others of `CAUSES` are tried by `make long`: each takes a process."""


@pytest.mark.parametrize(
    ("scenario", "ends", "cause"),
    [pytest.param(*row, marks=() if row[0] in OFTEN else pytest.mark.long) for row in CAUSES],
)
def test_another_run_in_another_process_is_told_with_its_cause(scenario: object, ends: str, cause: str) -> None:
    """How it ends there, the first event that differs, here and there, and what makes it differ."""
    said = confirm(failure_of(scenario, runs=2))

    assert said is not None
    lines = said.splitlines()
    assert lines[0].startswith(ends)
    assert lines[1].startswith("the first event that differs is number ")
    assert lines[2].startswith("  here: ")
    assert lines[3].startswith("  there: ")
    assert lines[2].partition(":")[2] != lines[3].partition(":")[2]
    assert lines[4].startswith("the cause: ")
    assert re.search(cause, lines[4])


def test_only_what_is_shared_counts_as_read_of_the_world() -> None:
    """A generator with a seed of its own gives the same numbers in every run; what Mesolite reads is no part of one.

    Nor is what somebody does whenever memory is collected.
    """

    def collecting(phase: str, info: object) -> None:
        time.perf_counter()

    gc.callbacks.append(collecting)
    try:
        with Watch() as watch:
            random.Random(7).choice("abc")
            with Simulation() as sim:
                sim.cluster(agents=30)
    finally:
        gc.callbacks.remove(collecting)

    assert watch.read == {}
    assert gc.isenabled()
