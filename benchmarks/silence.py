"""The story of a machine that falls silent, simulated from nothing to its end; beside as many bare SimPy events.

A cluster of three agents starts, a framework fills each with tasks, one machine loses its power, and 75 to 90
virtual seconds of unanswered pings later its tasks are reported lost (drain.md 1.4.2). "As many": one SimPy
event, the resumption of one process, per record in the story's trace.
"""

from __future__ import annotations

from collections.abc import Iterator

import simpy

from benchmarks.measuring import Figure, Goal, Result, Stopwatch, in_turn
from mesolite import (
    CommandInfo,
    Offer,
    Scheduler,
    SchedulerDriver,
    Settings,
    Simulation,
    TaskInfo,
    TaskState,
    TaskStatus,
)

AGENTS = 3
PER_AGENT = 2
ROUNDS = 51


class Fleet(Scheduler):
    """Keeps tasks that never end on every agent, and notes which are lost."""

    def __init__(self) -> None:
        """Nothing launched, nothing lost."""
        self.launched = 0
        self.running: set[str] = set()
        self.lost_at: list[float] = []

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            if self.launched == AGENTS * PER_AGENT:
                driver.decline_offer(offer)
                continue
            tasks = [
                TaskInfo(
                    task_id=f"task-{self.launched + number}",
                    resources="cpus:1;mem:64",
                    command=CommandInfo(value="sleep infinity"),
                )
                for number in range(PER_AGENT)
            ]
            self.launched += PER_AGENT
            driver.launch_tasks(offer, tasks)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state is TaskState.TASK_RUNNING:
            self.running.add(status.task_id)
        if status.state is TaskState.TASK_LOST:
            self.lost_at.append(driver.now())


def story() -> tuple[float, int]:
    """Milliseconds of real time for the whole story, and how many records its trace has."""
    watch = Stopwatch()
    fleet = Fleet()
    with Simulation(seed=7, settings=Settings.mesos()) as simulation:
        cluster = simulation.cluster(agents=AGENTS)
        cluster.run(fleet, framework="fleet")
        simulation.run_until(lambda: len(fleet.running) == AGENTS * PER_AGENT, timeout=30.0)
        silent_since = simulation.now
        cluster.agents["agent-1"].power_off()
        simulation.run_until(lambda: len(fleet.lost_at) == PER_AGENT, timeout=120.0)
    ms = watch.ms
    assert all(75.0 <= lost_at - silent_since <= 90.0 for lost_at in fleet.lost_at), fleet.lost_at
    return ms, len(simulation.trace)


def simpy_ms(events: int) -> float:
    """Milliseconds for so many events of one SimPy process."""
    watch = Stopwatch()
    environment = simpy.Environment()

    def tick() -> Iterator[simpy.Event]:
        for _ in range(events):
            yield environment.timeout(1)

    environment.process(tick())
    environment.run()
    return watch.ms


def measure() -> Result:
    """Measure both in turn."""
    _, records = story()
    ours, theirs = in_turn(ROUNDS, lambda: story()[0], lambda: simpy_ms(records))
    return Result(
        title=f"A machine falls silent: {AGENTS} agents, {AGENTS * PER_AGENT} tasks, {records} records",
        settings="Settings.mesos()",
        figures=[
            Figure(
                what="the whole story",
                unit="ms",
                ours=ours,
                beside=f"{records} bare SimPy events",
                theirs=theirs,
                goal=Goal("under", 20.0),
            )
        ],
    )
