"""1,000 short commands through one framework on four agents; beside a bare loop of Popen with the same concurrency.

The bare loop keeps as many processes alive as our agents have room for, and waits for the oldest. It makes no
sandbox, keeps no output, tells nobody, and would not notice a daemon left behind. The same
commands on Dask's local cluster, and on Ray's if that is installed, are measured in processes of their own (others.py).

Sandboxes are made in memory where there is /dev/shm, which the result says: ext4 searches past every inode freed in
the last minutes whenever it makes a file, so that on disk each run is slowed down by what the one before removed.
"""

from __future__ import annotations

import functools
import itertools
import pathlib
import subprocess
import tempfile
import threading
from collections import deque

from benchmarks import others
from benchmarks.measuring import Figure, Goal, Result, Stopwatch, in_turn
from mesolite import (
    Cluster,
    CommandInfo,
    Filters,
    Offer,
    Scheduler,
    SchedulerDriver,
    Settings,
    TaskInfo,
    TaskState,
    TaskStatus,
)

COMMANDS = 1000
AGENTS = 4
PER_AGENT = 16
"""Tasks at once on one agent: a cpu each."""
ROUNDS = 5
PATIENCE_S = 60.0
COMMAND = "/bin/true"
MEMORY = pathlib.Path("/dev/shm")  # noqa: S108  # a folder of our own in it
AT_ONCE = Filters(refuse_seconds=0.0)


class Batch(Scheduler):
    """Launches commands into whatever is offered, and counts how they end."""

    def __init__(self, commands: int) -> None:
        """Launch so many."""
        self._wanted = commands
        self._launched = 0
        self._ended = 0
        self.failed: list[TaskStatus] = []
        self.done = threading.Event()
        self.stopwatch: Stopwatch | None = None

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        self.stopwatch = self.stopwatch or Stopwatch()
        for offer in offers:
            room = min(int(offer.resources.cpus), self._wanted - self._launched)
            tasks = [self._task(self._launched + number) for number in range(room)]
            self._launched += room
            driver.launch_tasks(offer, tasks, AT_ONCE)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if not status.state.is_terminal:
            return
        if status.state is not TaskState.TASK_FINISHED:
            self.failed.append(status)
        self._ended += 1
        if self._ended == self._wanted:
            assert self.stopwatch is not None
            self.stopwatch.stop()
            self.done.set()

    def _task(self, number: int) -> TaskInfo:
        command = CommandInfo(value=COMMAND, shell=False)
        return TaskInfo(task_id=f"task-{number}", resources="cpus:1;mem:1", command=command)


def mesolite_per_s(work_dir: pathlib.Path) -> float:
    """Commands per second, from the first offer to the last TASK_FINISHED."""
    batch = Batch(COMMANDS)
    resources = f"cpus:{PER_AGENT};mem:4096"
    with Cluster(agents=AGENTS, resources=resources, settings=Settings.local(), work_dir=work_dir) as cluster:
        cluster.run(batch, framework="commands")
        assert batch.done.wait(PATIENCE_S), "the commands did not come to an end"
    assert not batch.failed, batch.failed[0]
    assert batch.stopwatch is not None
    return COMMANDS / batch.stopwatch.s


def popen_per_s() -> float:
    """Commands per second, from the first Popen to the last wait."""
    watch = Stopwatch()
    alive: deque[subprocess.Popen[bytes]] = deque()
    for _ in range(COMMANDS):
        if len(alive) == AGENTS * PER_AGENT:
            assert alive.popleft().wait() == 0
        alive.append(subprocess.Popen([COMMAND]))
    while alive:
        assert alive.popleft().wait() == 0
    return COMMANDS / watch.s


def measure() -> Result:
    """Measure all in turn."""
    numbers, clusters = itertools.count(1), ["dask", "ray"] if others.has_ray() else ["dask"]
    with tempfile.TemporaryDirectory(prefix="mesolite-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        ours, theirs, dask, *ray = in_turn(
            ROUNDS,
            lambda: mesolite_per_s(pathlib.Path(folder, str(next(numbers)))),
            popen_per_s,
            *(functools.partial(others.commands_per_s, name) for name in clusters),
        )
    return Result(
        title=f"{COMMANDS:,} times {COMMAND}, {AGENTS * PER_AGENT} at once on {AGENTS} agents",
        settings="Settings.local()",
        figures=[
            Figure(
                what="commands",
                unit="per s",
                ours=ours,
                beside="a bare loop of Popen",
                theirs=theirs,
                goal=Goal("at least", 0.8, ratio=True),
            ),
            Figure(what="commands", unit="per s", ours=ours, beside="dask LocalCluster, threads", theirs=dask),
            *(
                Figure(what="commands", unit="per s", ours=ours, beside="ray, 8 processes", theirs=theirs)
                for theirs in ray
            ),
        ],
        remarks=[f"sandboxes were made in {'memory' if MEMORY.is_dir() else 'the temporary folder'}"],
    )
