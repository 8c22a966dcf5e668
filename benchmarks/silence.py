"""The story of a machine that falls silent, simulated from nothing to its end; beside as many bare SimPy events.

A cluster of three agents starts, a framework fills each with tasks, one machine loses its power, and 75 to 90
virtual seconds of unanswered pings later its tasks are reported lost (drain.md 1.4.2). "As many": one SimPy
event, the resumption of one process, per record in the story's trace.
The time on the processor is given besides, as it is what the story costs when others use the machine, too.
"""

from __future__ import annotations

import time
from collections.abc import Generator

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
ROUNDS = 31
TIMES = 20
"""How often SimPy's events are repeated, as they are over before a clock can tell."""


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


def story() -> tuple[float, float, int]:
    """Milliseconds for the whole story, real and on the processor, and how many records its trace has."""
    real, processor = Stopwatch(), Stopwatch(time.thread_time)
    fleet = Fleet()
    with Simulation(seed=7, settings=Settings.mesos()) as simulation:
        cluster = simulation.cluster(agents=AGENTS)
        cluster.run(fleet, framework="fleet")
        simulation.run_until(lambda: len(fleet.running) == AGENTS * PER_AGENT, timeout=30.0)
        silent_since = simulation.now
        cluster.agents["agent-1"].power_off()
        simulation.run_until(lambda: len(fleet.lost_at) == PER_AGENT, timeout=120.0)
    real.stop()
    processor.stop()
    assert all(75.0 <= lost_at - silent_since <= 90.0 for lost_at in fleet.lost_at), fleet.lost_at
    return real.ms, processor.ms, len(simulation.trace)


def simpy_events(events: int) -> tuple[float, float]:
    """Milliseconds for so many events of one SimPy process, real and on the processor."""
    environment = simpy.Environment()

    def tick() -> Generator[simpy.Event, None, None]:
        for _ in range(events * TIMES):
            yield environment.timeout(1)

    real, processor = Stopwatch(), Stopwatch(time.thread_time)
    environment.process(tick())
    environment.run()
    return real.ms / TIMES, processor.ms / TIMES


def measure() -> Result:
    """Measure both in turn."""
    records = story()[-1]
    ours, theirs = in_turn(ROUNDS, story, lambda: simpy_events(records))

    def figure(what: str, clock: int, goal: Goal | None) -> Figure:
        return Figure(
            what=what,
            unit="ms",
            ours=[times[clock] for times in ours],
            beside=f"{records} bare SimPy events",
            theirs=[times[clock] for times in theirs],
            goal=goal,
        )

    return Result(
        title=f"A machine falls silent: {AGENTS} agents, {AGENTS * PER_AGENT} tasks, {records} records",
        settings="Settings.mesos()",
        figures=[
            figure("the whole story", 0, Goal("under", 20.0)),
            figure("the same, on the processor", 1, None),
        ],
    )
