"""The collector of cyclic garbage is no part of a run."""

from __future__ import annotations

import gc

from mesolite import Simulation
from mesolite.harness.faults import Faults
from mesolite.harness.run import Setting, drawn
from mesolite.harness.script import Script

OBJECTS = 300_000


class Circle:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.me = self


def test_no_finalizer_is_called_by_the_collector_in_a_run() -> None:
    """However many circles user code makes; after the run all is as it was, and they are collected."""
    seen: list[tuple[str, dict[str, int]]] = []

    def watch(phase: str, info: dict[str, int]) -> None:
        seen.append((phase, info))

    in_run: list[int] = []

    def scenario(sim: Simulation) -> None:
        gc.callbacks.append(watch)
        sim.cluster(agents=1)
        kept = [Circle() for _ in range(OBJECTS)]
        sim.advance(60)
        in_run.append(len(seen))
        gc.callbacks.remove(watch)
        assert len(kept) == OBJECTS

    before = gc.get_threshold()
    outcome = drawn(scenario, 0, Script(), Faults.none().drawn(0), Setting())

    assert outcome.error is None
    assert in_run == [0]
    assert gc.get_threshold() == before
