"""Where the schedulers are run: on threads, in a simulation, and in a scenario that can be explored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mesolite import Cluster, Simulation
from mesolite.compat.pymesos import MesosSchedulerDriver, on
from mesolite.wiring import Wiring
from tests.compat import schedulers

RUNTIMES = ("threads", "simulation")


@contextmanager
def running(runtime: str, agents: int = 2, executors: Any = None) -> Iterator[Wiring]:
    """A cluster of that kind, for whatever URL the programs inside name."""
    if runtime == "threads":
        with Cluster(agents=agents) as cluster, on(cluster, executors):
            yield cluster
    else:
        with Simulation(seed=3) as sim:
            simulated = sim.cluster(agents=agents)
            with on(simulated, executors):
                yield simulated


def steadfast(sim: Simulation) -> None:
    """It has all its services in the end, whatever happens."""
    cluster = sim.cluster(agents=3, masters=2)
    with on(cluster):
        schedulers.steadfast_driver({})
    wanted = schedulers.Steadfast.WANTED
    sim.eventually(lambda: len(sim.view.running("steadfast")) >= wanted, within=900)
    sim.sometimes(lambda: len(sim.view.running("steadfast")) >= wanted, "all services run")
    sim.advance(60)


def busy(sim: Simulation) -> None:
    """An executor of somebody's own, and one that suppresses and revives: neither must break, whatever happens."""
    cluster = sim.cluster(agents=3, masters=2)
    jobs = {f"j{number}": "sleep 20" for number in range(6)}
    with on(cluster, {"Squarer": schedulers.squarer_program}):
        for scheduler, name, use_addict in (
            (schedulers.Squares(list(range(2, 12))), "squares", True),
            (schedulers.Quiet(list(jobs.items()), tries=5), "quiet", False),
        ):
            framework = {"user": "nobody", "name": name}
            MesosSchedulerDriver(scheduler, framework, schedulers.MASTER, use_addict=use_addict).start()
    sim.advance(60)
