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
import resource
import subprocess
import tempfile
import threading
import time
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
        self.processor: Stopwatch | None = None

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        self.stopwatch = self.stopwatch or Stopwatch()
        self.processor = self.processor or Stopwatch(time.process_time)
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
            assert self.processor is not None
            self.stopwatch.stop()
            self.processor.stop()
            self.done.set()

    def _task(self, number: int) -> TaskInfo:
        command = CommandInfo(value=COMMAND, shell=False)
        return TaskInfo(task_id=f"task-{number}", resources="cpus:1;mem:1", command=command)


def run_batch(work_dir: pathlib.Path, commands: int = COMMANDS) -> Batch:
    """Run so many commands on a cluster that works there."""
    batch = Batch(commands)
    resources = f"cpus:{PER_AGENT};mem:4096"
    with Cluster(agents=AGENTS, resources=resources, settings=Settings.local(), work_dir=work_dir) as cluster:
        cluster.run(batch, framework="commands")
        assert batch.done.wait(PATIENCE_S), "the commands did not come to an end"
    assert not batch.failed, batch.failed[0]
    return batch


def mesolite_per_s(work_dir: pathlib.Path) -> float:
    """Commands per second, from the first offer to the last TASK_FINISHED."""
    batch = run_batch(work_dir)
    assert batch.stopwatch is not None
    return COMMANDS / batch.stopwatch.s


def host_us(work_dir: pathlib.Path, commands: int = COMMANDS) -> float:
    """Processor time of this process per command, from the first offer to the last TASK_FINISHED."""
    batch = run_batch(work_dir, commands)
    assert batch.processor is not None
    return 1e6 * batch.processor.s / commands


def processor_s() -> float:
    """Processor time of this process and of all children that it has waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def mesolite_us(work_dir: pathlib.Path) -> float:
    """Processor time per command of everything, a cluster's beginning and end and its launchers included."""
    watch = Stopwatch(processor_s)
    run_batch(work_dir)
    return 1e6 * watch.s / COMMANDS


def popen_us(commands: int = COMMANDS) -> float:
    """Processor time per command of a bare loop of Popen and its commands."""
    watch = Stopwatch(processor_s)
    run_popen(commands)
    return 1e6 * watch.s / commands


def popen_per_s() -> float:
    """Commands per second, from the first Popen to the last wait."""
    watch = Stopwatch()
    run_popen(COMMANDS)
    return COMMANDS / watch.s


def run_popen(commands: int) -> None:
    """Keep as many processes alive as our agents have room for, and wait for the oldest."""
    alive: deque[subprocess.Popen[bytes]] = deque()
    for _ in range(commands):
        if len(alive) == AGENTS * PER_AGENT:
            assert alive.popleft().wait() == 0
        alive.append(subprocess.Popen([COMMAND]))
    while alive:
        assert alive.popleft().wait() == 0


def measure() -> Result:
    """Measure all in turn."""
    numbers, clusters = itertools.count(1), ["dask", "ray"] if others.has_ray() else ["dask"]
    with tempfile.TemporaryDirectory(prefix="mesolite-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        ours, theirs, host, all_ours, all_theirs, dask, *ray = in_turn(
            ROUNDS,
            lambda: mesolite_per_s(pathlib.Path(folder, str(next(numbers)))),
            popen_per_s,
            lambda: host_us(pathlib.Path(folder, str(next(numbers)))),
            lambda: mesolite_us(pathlib.Path(folder, str(next(numbers)))),
            popen_us,
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
            Figure(
                what="a command, in the host", unit="us", ours=host, beside="a bare loop of Popen", theirs=all_theirs
            ),
            Figure(
                what="a command, processor time",
                unit="us",
                ours=all_ours,
                beside="a bare loop of Popen",
                theirs=all_theirs,
                goal=Goal("at most", 2.0, ratio=True),
            ),
            Figure(what="commands", unit="per s", ours=ours, beside="dask LocalCluster, threads", theirs=dask),
            *(
                Figure(what="commands", unit="per s", ours=ours, beside="ray, 8 processes", theirs=theirs)
                for theirs in ray
            ),
        ],
        remarks=[f"sandboxes were made in {'memory' if MEMORY.is_dir() else 'the temporary folder'}"],
    )
