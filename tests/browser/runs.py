"""Six runs that the page must show well: a removal, a failover, a reclaim, a partition, a long hold, a long day."""

from __future__ import annotations

import signal
from collections.abc import Callable

from mesolite import (
    Filters,
    FrameworkInfo,
    Offer,
    Scheduler,
    SchedulerDriver,
    SimulatedCluster,
    SimulatedWork,
    Simulation,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.actors.trace import Record, Trace, TraceFailure
from mesolite.messages import RunTask, StatusUpdate
from tests.scenarios.schedulers import command_task

FOR_EVER = SimulatedWork(duration=None)
STUBBORN = SimulatedWork(duration=None, on_sigterm=None)
SLOW = SimulatedWork(duration=None, on_sigterm=2.0)
INFO = FrameworkInfo(name="web", checkpoint=True, failover_timeout_s=600.0)

LONG_DAY = 50_000
"""So many records the long day has at least."""


class Pairs(Scheduler):
    """Starts two of its tasks with each offer, and each again that came to nothing, under a name of its own."""

    def __init__(self, works: tuple[SimulatedWork, ...]) -> None:
        self.works = {f"t{number}": work for number, work in enumerate(works, start=1)}
        self.waiting = list(self.works)
        self.begun: set[str] = set()

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            names, self.waiting = self.waiting[:2], self.waiting[2:]
            if names:
                driver.launch_tasks(offer, [self.task(name) for name in names])
            else:
                driver.decline_offer(offer, Filters(refuse_seconds=10_000.0))

    def task(self, name: str) -> TaskInfo:
        return command_task(name, self.works[name.partition("-")[0]], resources="cpus:0.5;mem:32")

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        again = f"{status.task_id}-again"
        if status.state in (TaskState.TASK_KILLED, TaskState.TASK_LOST) and again not in self.begun:
            self.begun.add(again)
            self.waiting.append(again)
            driver.revive_offers()


def stage(
    *works: SimulatedWork, agents: int = 3, masters: int = 2, records: int = 20_000
) -> tuple[Simulation, SimulatedCluster]:
    """A cluster with tasks on it, fifty seconds old."""
    sim = Simulation(seed=1, trace_records=records)
    cluster = sim.cluster(agents=agents, masters=masters)
    cluster.run(Pairs(works), INFO)
    sim.advance(50.0)
    return sim, cluster


def home(sim: Simulation) -> str:
    """The agent that was told first to run something."""
    return next(record.actor for record in sim.trace if isinstance(record.event, RunTask))


def sigusr1() -> Trace:
    """An agent unregisters: its tasks are lost to their framework before they have ended."""
    sim, cluster = stage(SLOW, STUBBORN, FOR_EVER, masters=1)
    cluster.agents[home(sim)].signal(signal.SIGUSR1)
    sim.advance(20.0)
    return failed(sim, "no task is lost", "t1 is LOST", 50.5)


def failover() -> Trace:
    """A drain whose leader dies on the way."""
    sim, cluster = stage(STUBBORN, SLOW, FOR_EVER)
    cluster.operator.drain(home(sim), max_grace_period=5, message="new disks")
    sim.advance(1.0)
    assert cluster.leader is not None
    cluster.leader.crash()
    sim.advance(40.0)
    return sim.trace


def reclaim() -> Trace:
    """Resources are asked back, and taken."""
    sim, cluster = stage(STUBBORN, FOR_EVER, FOR_EVER)
    cluster.operator.reclaim(home(sim), within=20)
    sim.advance(60.0)
    return sim.trace


def partition() -> Trace:
    """An agent is cut off, given up, and comes back."""
    sim, cluster = stage(FOR_EVER, SLOW, FOR_EVER)
    assert cluster.leader is not None
    sim.partition(cluster.leader.name, home(sim))
    sim.advance(100.0)
    sim.heal()
    sim.advance(30.0)
    return failed(sim, "no task runs twice", "t1 is RUNNING, and so is its replacement", 151.0)


def hold() -> Trace:
    """News of an end is held for 75 seconds, and delivered."""
    sim, cluster = stage(SLOW, FOR_EVER)
    held = sim.hold(StatusUpdate)
    cluster.operator.drain(home(sim), max_grace_period=5)
    sim.advance(75.0)
    held.release()
    sim.advance(15.0)
    return sim.trace


def long_day(records: int = LONG_DAY) -> Trace:
    """Twenty agents, rolling drains and crashes, so many records at least."""
    works = [SLOW, STUBBORN, FOR_EVER, FOR_EVER] * 5
    sim, cluster = stage(*works, agents=20, masters=3, records=4 * LONG_DAY)
    turn = 0
    while len(sim.trace) < records:
        turn += 1
        name = f"agent-{turn % 20 + 1}"
        if turn % 9 == 0 and cluster.leader is not None:
            leader = cluster.leader
            leader.crash()
            sim.advance(40.0)
            leader.restart()
        elif turn % 7 == 0:
            cluster.agents[name].crash()
            sim.advance(20.0)
            cluster.agents[name].restart()
        else:
            cluster.operator.drain(name, max_grace_period=5)
            sim.advance(12.0)
            cluster.operator.reactivate(name)
        sim.advance(15.0)
    return sim.trace


def is_told(record: Record) -> bool:
    return isinstance(record.event, StatusUpdate)


def failed(sim: Simulation, check: str, words: str, at: float) -> Trace:
    """The trace of that run, whose head says that a check failed when its scheduler was told of a task."""
    told = next(each for each in sim.trace if each.time >= at and each.actor == "web" and is_told(each))
    sim.trace.describe(
        failure=TraceFailure(check=check, words=words, time=told.time, index=told.index),
        repeat="pytest --mesolite-seed 1 tests/test_shop.py::test_nothing_runs_twice",
    )
    return sim.trace


RUNS: dict[str, Callable[[], Trace]] = {
    "sigusr1": sigusr1,
    "failover": failover,
    "reclaim": reclaim,
    "partition": partition,
    "hold": hold,
    "long-day": long_day,
}
