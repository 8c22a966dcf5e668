"""SIGUSR1 with 100 running tasks: when the scheduler knows, and when the processes are gone.

The signal is a real one, sent to this process, which hosts the agent. Beside it, a bare loop: 100 Popen, one
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

TASKS = 100
ROUNDS = 7
PATIENCE_S = 30.0
COMMAND = CommandInfo(value="/bin/sleep", arguments=("1000",), shell=False)


class Sleepers(Scheduler):
    """Fills an agent with tasks that sleep, and notes when it hears that the last of them is lost."""

    def __init__(self) -> None:
        """Nothing launched, nothing lost."""
        self.running: set[str] = set()
        self.lost: set[str] = set()
        self.all_running = threading.Event()
        self.all_lost = threading.Event()
        self.stopwatch: Stopwatch | None = None

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            if offer.resources.cpus < TASKS:
                driver.decline_offer(offer)
                continue
            tasks = [TaskInfo(task_id=f"task-{n}", resources="cpus:1;mem:1", command=COMMAND) for n in range(TASKS)]
            driver.launch_tasks(offer, tasks)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state is TaskState.TASK_RUNNING:
            self.running.add(status.task_id)
            if len(self.running) == TASKS:
                self.all_running.set()
        if status.state is TaskState.TASK_LOST:
            self.lost.add(status.task_id)
            if len(self.lost) == TASKS and self.stopwatch is not None:
                self.stopwatch.stop()
                self.all_lost.set()


def drain() -> tuple[float, float]:
    """Milliseconds from the signal to the last TASK_LOST callback, and until none of the processes is left."""
    scheduler = Sleepers()
    resources = f"cpus:{TASKS};mem:4096"
    with Cluster(agents=1, resources=resources, settings=Settings.local(), handle_signals=True) as cluster:
        cluster.run(scheduler, framework="drained")
        assert scheduler.all_running.wait(PATIENCE_S), f"only {len(scheduler.running)} tasks ran"
        processes = [psutil.Process(pid) for pid in cluster.processes("agent-1")]
        assert len(processes) == TASKS, f"{len(processes)} processes for {TASKS} tasks"

        known = scheduler.stopwatch = Stopwatch()
        gone = Stopwatch()
        os.kill(os.getpid(), signal.SIGUSR1)
        assert scheduler.all_lost.wait(PATIENCE_S), f"only {len(scheduler.lost)} tasks were reported lost"
        _, left = psutil.wait_procs(processes, timeout=PATIENCE_S)
        gone.stop()
        assert not left, f"{len(left)} processes were still there"
        assert not cluster.processes("agent-1"), "something else was left"
    return known.ms, gone.ms


def bare_loop_ms() -> float:
    """Milliseconds to end as many bare processes."""
    processes = [subprocess.Popen([COMMAND.value, *COMMAND.arguments]) for _ in range(TASKS)]
    watch = Stopwatch()
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.wait()
    return watch.ms


def measure() -> Result:
    """Measure both in turn."""
    drains, theirs = in_turn(ROUNDS, drain, bare_loop_ms)
    known, gone = zip(*drains, strict=True)
    beside = f"SIGTERM and wait for {TASKS} bare Popen"
    grace_ms = 1000.0 * Settings.local().executor_shutdown_grace_s
    return Result(
        title=f"SIGUSR1 with {TASKS} running tasks",
        settings="Settings.local()",
        figures=[
            Figure(
                what="to the last TASK_LOST callback",
                unit="ms",
                ours=known,
                beside=beside,
                theirs=theirs,
                goal=Goal("under", 20.0),
            ),
            Figure(
                what="until every process is gone (psutil)",
                unit="ms",
                ours=gone,
                beside=beside,
                theirs=theirs,
                goal=Goal("at most", grace_ms),
            ),
        ],
        remarks=[f"the grace is executor_shutdown_grace_s, {grace_ms:.0f} ms"],
    )
