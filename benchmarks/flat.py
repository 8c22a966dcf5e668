"""What must not grow: a simulated week with churn, and a thousand clusters made and closed in one process.

    a week       10 agents with 50 tasks of a quarter of an hour each, one after another; every hour an agent loses
                 its power and comes back, every day the leader is replaced. Memory and objects alive after the seventh
                 day stand beside those after the second, when every ring is full.
    clusters     1,000 clusters on threads, each of which runs a command, and 1,000 simulations. What is left after all
                 stands beside what was left after the first hundred: threads, processes, open files, memory.

Objects are counted after a full collection, so that what merely waits to be collected does not count.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

import psutil

from benchmarks.measuring import Figure, Goal, Result
from mesolite import (
    Cluster,
    CommandInfo,
    FrameworkInfo,
    Offer,
    Scheduler,
    SchedulerDriver,
    Settings,
    Simulation,
    TaskInfo,
    TaskStatus,
)

AGENTS = 10
PER_AGENT = 5
TASK_S = 900
DAYS = 7
HOUR_S = 3600.0
CLUSTERS = 1_000
FIRST = 100
PATIENCE_S = 30.0
GROWTH = 1.05
"""How much more may be there: dicts and allocator arenas come in sizes."""


class Shifts(Scheduler):
    """Keeps every agent full of tasks that end, and counts them."""

    def __init__(self) -> None:
        """Nothing launched."""
        self.launched = 0

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            tasks = [self._task() for _ in range(int(offer.resources.cpus))]
            driver.launch_tasks(offer, tasks)

    def _task(self) -> TaskInfo:
        self.launched += 1
        command = CommandInfo(value=f"sleep {TASK_S}")
        return TaskInfo(task_id=f"task-{self.launched}", resources="cpus:1;mem:32", command=command)


class One(Scheduler):
    """Runs one command."""

    def __init__(self) -> None:
        """Not yet."""
        self._launched = False
        self.done = threading.Event()

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        if not self._launched:
            self._launched = True
            task = TaskInfo(task_id="one", resources="cpus:1;mem:32", command=CommandInfo(value="exit 0"))
            driver.launch_tasks(offers[0], task)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state.is_terminal:
            self.done.set()


def left() -> dict[str, float]:
    """What this process holds now, after a full collection."""
    gc.collect()
    process = psutil.Process()
    return {
        "objects": len(gc.get_objects()),
        "memory, MB": process.memory_info().rss / 2**20,
        "threads": process.num_threads(),
        "processes below it": len(process.children(recursive=True)),
        "open files": process.num_fds(),
    }


def a_week() -> tuple[dict[str, float], dict[str, float], int]:
    """What is held after the second and after the last day, and how many tasks there were."""
    shifts = Shifts()
    days = []
    with Simulation(seed=7, settings=Settings.mesos()) as simulation:
        cluster = simulation.cluster(agents=AGENTS, masters=3, resources=f"cpus:{PER_AGENT};mem:4096")
        cluster.run(shifts, framework=FrameworkInfo(name="shifts", failover_timeout_s=HOUR_S))
        machines = list(cluster.agents.values())
        for day in range(DAYS):
            for hour in range(24):
                machine = machines[(24 * day + hour) % AGENTS]
                machine.power_off()
                simulation.advance(HOUR_S / 2)
                machine.restart()
                simulation.advance(HOUR_S / 2)
            assert cluster.leader is not None, f"nobody leads at the end of day {day + 1}"
            leader = cluster.leader
            leader.power_off()
            simulation.advance(60.0)
            leader.restart()
            days.append(left())
        assert all(machine.registered for machine in machines), "an agent has not come back"
    return days[1], days[-1], shifts.launched


def a_cluster() -> None:
    """Make a cluster, run a command, close it."""
    one = One()
    with Cluster(agents=1, settings=Settings.local()) as cluster:
        cluster.run(one, framework="one")
        assert one.done.wait(PATIENCE_S), "the command did not come to an end"


def a_simulation() -> None:
    """Make a simulated cluster, and let it live for a minute."""
    with Simulation() as simulation:
        simulation.cluster(agents=2).run(Shifts(), framework="shifts")
        simulation.advance(60.0)


def many(make: Callable[[], None], times: int, first: int) -> tuple[dict[str, float], dict[str, float]]:
    """What is left after the first of them, and after all."""
    for _ in range(first):
        make()
    before = left()
    for _ in range(times - first):
        make()
    return before, left()


def figures(what: str, beside: str, before: dict[str, float], after: dict[str, float]) -> list[Figure]:
    """One figure for each thing that is held; one more than none is counted on both sides, as a ratio needs."""
    return [
        Figure(
            what=f"{what}: {name}",
            unit="",
            ours=[after[name] + (name == "processes below it")],
            beside=beside,
            theirs=[before[name] + (name == "processes below it")],
            goal=Goal("at most", GROWTH if name in {"objects", "memory, MB"} else 1.0, ratio=True),
        )
        for name in after
    ]


def measure() -> Result:
    """Let it all happen once: what leaks, leaks every time."""
    second, seventh, tasks = a_week()
    threads = many(a_cluster, CLUSTERS, FIRST)
    simulations = many(a_simulation, CLUSTERS, FIRST)
    after_first = f"after the first {FIRST}"
    return Result(
        title=f"What must not grow: {DAYS} days, {tasks:,} tasks; {CLUSTERS:,} clusters",
        settings="Settings.mesos() simulated, Settings.local() on threads",
        figures=[
            *figures(f"after day {DAYS}", "after day 2", second, seventh),
            *figures(f"after {CLUSTERS:,} clusters", after_first, *threads),
            *figures(f"after {CLUSTERS:,} simulations", after_first, *simulations),
        ],
    )
