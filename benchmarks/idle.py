"""What 100 agents cost that have nothing to do: processor time per second; beside as many Dask workers.

Agents are pinged, the leader keeps its session, and that is all: an allocator with nothing to give out has no timer.
Dask's workers are threads of this process, too, its dashboard is off; they send heartbeats every half second or so.
"""

from __future__ import annotations

import time

from distributed import Client, LocalCluster

from benchmarks.measuring import Figure, Goal, Result, Stopwatch, in_turn
from mesolite import Cluster, Settings

AGENTS = 100
SECONDS = 5.0
ROUNDS = 3


def idle_percent() -> float:
    """Percent of one processor this process uses while nobody asks anything of it."""
    time.sleep(1.0)  # whatever the start has left to do
    cpu, real = Stopwatch(time.process_time), Stopwatch()
    time.sleep(SECONDS)
    return 100.0 * cpu.s / real.s


def mesolite_percent() -> float:
    """100 agents that are registered."""
    with Cluster(agents=AGENTS, settings=Settings.local()):
        return idle_percent()


def dask_percent() -> float:
    """100 workers that are connected."""
    with (
        LocalCluster(
            n_workers=AGENTS, processes=False, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster),
    ):
        return idle_percent()


def measure() -> Result:
    """Measure both in turn."""
    ours, theirs = in_turn(ROUNDS, mesolite_percent, dask_percent)
    return Result(
        title=f"A cluster of {AGENTS} agents that has nothing to do",
        settings="Settings.local()",
        figures=[
            Figure(
                what="processor",
                unit="%",
                ours=ours,
                beside="dask LocalCluster, threads",
                theirs=theirs,
                goal=Goal("under", 1.0),
            )
        ],
    )
