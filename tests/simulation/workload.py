"""A busy day on virtual time, whose trace must be the same wherever it is lived through.

`python -m tests.simulation.workload SEED LATENCY_S` prints the hash of its trace.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

from mesolite import (
    Executor,
    ExecutorInfo,
    FrameworkInfo,
    Offer,
    Scheduler,
    SchedulerDriver,
    SimulatedWork,
    Simulation,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.callbacks import ExecutorDriver
from mesolite.messages.ids import ExecutorId, TaskId
from mesolite.messages.tasks import CommandInfo, KillPolicy

TASKS_MAX = 60
"""So many tasks a scheduler starts, more or less; then it declines."""


class Busy(Scheduler):
    """Fills every offer with small tasks of several kinds, and starts anew what was lost."""

    def __init__(self, prefix: str, executor: ExecutorInfo | None) -> None:
        self._prefix = prefix
        self._executor = executor
        self._launched = 0
        self.ended: dict[str, int] = {}

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            wanted = 0 if self._launched > TASKS_MAX else 2 if self._launched % 3 == 0 else 1
            driver.launch_tasks(offer, [self._task() for _ in range(wanted)])

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state is TaskState.TASK_RUNNING and self._launched % 5 == 0:
            driver.kill_task(status.task_id)
        elif status.state.is_terminal:
            self.ended[status.state.name] = self.ended.get(status.state.name, 0) + 1

    def _task(self) -> TaskInfo:
        self._launched += 1
        work = SimulatedWork(
            duration=3.0 * (self._launched % 7), exit_status=self._launched % 2, on_sigterm=self._launched % 4 or None
        )
        return TaskInfo(
            task_id=TaskId(f"{self._prefix}-{self._launched}"),
            resources="cpus:0.5;mem:64",
            work=work,
            command=None if self._executor else CommandInfo(value="work"),
            executor=self._executor,
        )


class Worker(Executor):
    """Runs each task for two seconds."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        driver.send_status_update(task.task_id, TaskState.TASK_RUNNING)
        driver.call_later(2.0, lambda: driver.send_status_update(task.task_id, TaskState.TASK_FINISHED))

    def kill_task(self, driver: ExecutorDriver, task_id: TaskId, kill_policy: KillPolicy | None) -> None:
        driver.send_status_update(task_id, TaskState.TASK_KILLED)


def live_through(seed: int, latency_s: float, order: Any = "random") -> Simulation:
    """Three masters, four agents, two frameworks; a crash, a partition, a drain, a leader that dies."""
    with Simulation(seed=seed, latency=(latency_s / 2, latency_s), order=order) as sim:
        cluster = sim.cluster(agents=4, masters=3)
        info = ExecutorInfo(executor_id=ExecutorId("worker"), name="worker", resources="cpus:0.1;mem:32")
        commands = Busy("command", None)
        cluster.run(commands, FrameworkInfo(name="commands", checkpoint=True, failover_timeout_s=60.0))
        cluster.run(Busy("worker", info), "workers", executors={"worker": Worker})
        sim.advance(10.0)
        cluster.agents["agent-1"].signal(signal.SIGUSR1)
        cluster.agents["agent-2"].crash()
        sim.advance(5.0)
        cluster.agents["agent-2"].restart()
        leader = cluster.leader
        assert leader is not None
        sim.partition("agent-3", leader)
        sim.advance(95.0)
        sim.heal()
        leader.crash()
        sim.advance(20.0)
        leader.restart()
        cluster.agents["agent-1"].restart()
        cluster.agents["agent-4"].power_off()
        sim.advance(20.0)
        assert cluster.leader is not None, "the busy day must end with a leader"
        assert len(commands.ended) > 1, "and must have been busy"
        return sim


if __name__ == "__main__":
    sys.stdout.write(live_through(int(sys.argv[1]), float(sys.argv[2])).trace.hash())
