"""From nothing to the first offer of a cluster of ten agents; beside Dask's LocalCluster to its first result.

Both in this process, on threads, everything imported; the end of either is waited for but not counted. Dask's
dashboard is switched off, as its web server is nothing we have.
"""

from __future__ import annotations

import threading

from distributed import Client, LocalCluster

from benchmarks.measuring import Figure, Goal, Result, Stopwatch, in_turn
from mesolite import Cluster, Offer, Scheduler, SchedulerDriver, Settings

AGENTS = 10
ROUNDS = 15
PATIENCE_S = 30.0


class FirstOffer(Scheduler):
    """Waits for its first offer."""

    def __init__(self) -> None:
        """No offer yet."""
        self.came = threading.Event()
        self.stopwatch = Stopwatch()

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        if not self.came.is_set():
            self.stopwatch.stop()
            self.came.set()


def mesolite_ms() -> float:
    """How long until a framework sees its first offer; by then all ten agents are registered."""
    scheduler = FirstOffer()
    with Cluster(agents=AGENTS, settings=Settings.local()) as cluster:
        cluster.run(scheduler, framework="startup")
        assert scheduler.came.wait(PATIENCE_S), "no offer came"
    return scheduler.stopwatch.ms


def dask_ms() -> float:
    """How long until a client of as many workers has its first result."""
    watch = Stopwatch()
    with (
        LocalCluster(
            n_workers=AGENTS, processes=False, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster) as client,
    ):
        assert client.submit(sum, [40, 2]).result(timeout=PATIENCE_S) == 42
        watch.stop()
    return watch.ms


def measure() -> Result:
    """Measure both in turn."""
    ours, theirs = in_turn(ROUNDS, mesolite_ms, dask_ms)
    return Result(
        title="A cluster of ten agents from nothing",
        settings="Settings.local()",
        figures=[
            Figure(
                what="to the first offer",
                unit="ms",
                ours=ours,
                beside="dask LocalCluster, to the first result",
                theirs=theirs,
                goal=Goal("under", 1 / 3, ratio=True),
            )
        ],
    )
