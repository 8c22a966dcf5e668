"""Schedulers that raise, on purpose."""

from __future__ import annotations

from typing import Any

from mesolite import SchedulerDriver, Simulation
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import Recorder


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
