"""SIGUSR1 with 10, 100 and 1,000 running tasks: when the scheduler knows, and when the processes are gone.

The signal is a real one, sent to this process, which hosts the agent. Beside it, a bare loop: as many Popen, one
SIGTERM each, one wait each. That loop knows whom to kill and tells nobody.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading

import psutil

from benchmarks.measuring import Figure, Goal, Result, Stopwatch, in_turn
from mesolite import (
    Cluster,
    CommandInfo,
    Offer,
    Scheduler,
    SchedulerDriver,
    Settings,
    TaskInfo,
    TaskState,
    TaskStatus,
)

SIZES = (10, 100, 1_000)
ROUNDS = 5
PATIENCE_S = 60.0
GRACE_MS = 1000.0 * Settings.local().executor_shutdown_grace_s
COMMAND = CommandInfo(value="/bin/sleep", arguments=("1000",), shell=False)


class Sleepers(Scheduler):
    """Fills an agent with tasks that sleep, and notes when it hears that the last of them is lost."""

    def __init__(self, tasks: int) -> None:
        """Nothing launched, nothing lost."""
        self._tasks = tasks
        self.running: set[str] = set()
        self.lost: set[str] = set()
        self.all_running = threading.Event()
        self.all_lost = threading.Event()
        self.stopwatch: Stopwatch | None = None

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            if offer.resources.cpus < self._tasks:
                driver.decline_offer(offer)
                continue
            numbers = range(self._tasks)
            tasks = [TaskInfo(task_id=f"task-{n}", resources="cpus:1;mem:1", command=COMMAND) for n in numbers]
            driver.launch_tasks(offer, tasks)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state is TaskState.TASK_RUNNING:
            self.running.add(status.task_id)
            if len(self.running) == self._tasks:
                self.all_running.set()
        if status.state is TaskState.TASK_LOST:
            self.lost.add(status.task_id)
            if len(self.lost) == self._tasks and self.stopwatch is not None:
                self.stopwatch.stop()
                self.all_lost.set()


def drain(tasks: int) -> tuple[float, float]:
    """Milliseconds from the signal to the last TASK_LOST callback, and until none of the processes is left."""
    scheduler = Sleepers(tasks)
    resources = f"cpus:{tasks};mem:4096"
    with Cluster(agents=1, resources=resources, settings=Settings.local(), handle_signals=True) as cluster:
        cluster.run(scheduler, framework="drained")
        assert scheduler.all_running.wait(PATIENCE_S), f"only {len(scheduler.running)} tasks ran"
        processes = [psutil.Process(pid) for pid in cluster.processes("agent-1")]
        assert len(processes) == tasks, f"{len(processes)} processes for {tasks} tasks"

        known = scheduler.stopwatch = Stopwatch()
        gone = Stopwatch()
        os.kill(os.getpid(), signal.SIGUSR1)
        assert scheduler.all_lost.wait(PATIENCE_S), f"only {len(scheduler.lost)} tasks were reported lost"
        _, left = psutil.wait_procs(processes, timeout=PATIENCE_S)
        gone.stop()
        assert not left, f"{len(left)} processes were still there"
        assert not cluster.processes("agent-1"), "something else was left"
    return known.ms, gone.ms


def bare_loop_ms(tasks: int) -> float:
    """Milliseconds to end as many bare processes."""
    processes = [subprocess.Popen([COMMAND.value, *COMMAND.arguments]) for _ in range(tasks)]
    watch = Stopwatch()
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.wait()
    return watch.ms


def figures(tasks: int) -> list[Figure]:
    """Measure both in turn, with so many tasks."""
    drains, theirs = in_turn(ROUNDS, lambda: drain(tasks), lambda: bare_loop_ms(tasks))
    known, gone = zip(*drains, strict=True)
    beside = f"SIGTERM and wait for {tasks:,} bare Popen"
    rows = (
        ("to the last TASK_LOST callback", known, Goal("under", 20.0) if tasks == 100 else None),
        ("until every process is gone (psutil)", gone, Goal("at most", GRACE_MS)),
    )
    return [
        Figure(what=f"{tasks:,} tasks, {what}", unit="ms", ours=ours, beside=beside, theirs=theirs, goal=goal)
        for what, ours, goal in rows
    ]


def measure() -> Result:
    """Measure all sizes."""
    return Result(
        title="SIGUSR1 with running tasks",
        settings="Settings.local()",
        figures=[figure for tasks in SIZES for figure in figures(tasks)],
        remarks=[f"the grace is executor_shutdown_grace_s, {GRACE_MS:.0f} ms"],
    )
