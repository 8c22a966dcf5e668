"""What it takes to explore a scheduler written for pymesos, beside the same scheduler written for our own driver.

Both keep three services running on three agents with two masters, ask every minute what became of them, and acknowledge
explicitly; the same seeds draw the same kinds of faults for both.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.measuring import Figure, Goal, Result, Stopwatch, in_turn
from mesolite import (
    Filters,
    FrameworkId,
    FrameworkInfo,
    Offer,
    Scheduler,
    SchedulerDriver,
    Simulation,
    TaskId,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.compat import pymesos
from mesolite.harness.faults import Faults
from mesolite.harness.run import Scenario, Setting, drawn
from mesolite.harness.script import Script
from mesolite.messages.infos import MasterInfo

SEEDS = 60
ROUNDS = 5
VIRTUAL_S = 60.0
ASK_S = 60.0
WANTED = 3
LOST = tuple(state.name for state in TaskState if not state.holds_resources)


class Ours(Scheduler):
    """For our own driver."""

    def __init__(self) -> None:
        """Start with none."""
        self.tasks: dict[TaskId, None] = {}
        self.launched = 0

    def registered(self, driver: SchedulerDriver, framework_id: FrameworkId, master: MasterInfo) -> None:
        """Ask, from now on."""
        self.ask(driver)

    def ask(self, driver: SchedulerDriver) -> None:
        """Ask about each, and go on."""
        driver.reconcile_tasks([TaskStatus(task_id=name, state=TaskState.TASK_RUNNING) for name in self.tasks])
        driver.call_later(ASK_S, lambda: self.ask(driver))

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        """Launch what is missing."""
        for offer in offers:
            if len(self.tasks) >= WANTED:
                driver.decline_offer(offer, Filters(refuse_seconds=10))
                continue
            self.launched += 1
            name = TaskId(f"service-{self.launched}")
            self.tasks[name] = None
            task = TaskInfo(task_id=name, name=name, resources="cpus:1;mem:32", command="sleep 100000")
            driver.launch_tasks(offer, [task])

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        """Note what is lost."""
        if status.state.name in LOST:
            self.tasks.pop(status.task_id, None)
        driver.acknowledge(status)


class Theirs(pymesos.Scheduler):
    """For pymesos."""

    def __init__(self) -> None:
        """Start with none."""
        self.tasks: dict[str, None] = {}
        self.launched = 0

    def registered(self, driver: Any, frameworkId: Any, masterInfo: Any) -> None:
        """Ask, from now on."""
        self.ask(driver)

    def ask(self, driver: Any) -> None:
        """Ask about each, and go on."""
        driver.reconcileTasks([{"task_id": {"value": name}} for name in self.tasks])
        driver.call_later(ASK_S, lambda: self.ask(driver))

    def resourceOffers(self, driver: Any, offers: Any) -> None:
        """Launch what is missing."""
        for offer in offers:
            if len(self.tasks) >= WANTED:
                driver.declineOffer(offer.id, {"refuse_seconds": 10})
                continue
            self.launched += 1
            name = f"service-{self.launched}"
            self.tasks[name] = None
            task = pymesos.Dict(name=name, agent_id=offer.agent_id)
            task.task_id.value = name
            task.command.value = "sleep 100000"
            task.resources = [
                {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}},
                {"name": "mem", "type": "SCALAR", "scalar": {"value": 32}},
            ]
            driver.launchTasks(offer.id, [task])

    def statusUpdate(self, driver: Any, status: Any) -> None:
        """Note what is lost."""
        if status.state in LOST:
            self.tasks.pop(status.task_id.value, None)
        driver.acknowledgeStatusUpdate(status)


def ours(sim: Simulation) -> None:
    """Run the one."""
    cluster = sim.cluster(agents=3, masters=2)
    cluster.run(Ours(), FrameworkInfo(name="f", failover_timeout_s=100), implicit_acknowledgements=False)
    sim.advance(VIRTUAL_S)


def theirs(sim: Simulation) -> None:
    """Run the other."""
    cluster = sim.cluster(agents=3, masters=2)
    pymesos.MesosSchedulerDriver(
        Theirs(), {"user": "", "name": "f"}, cluster, use_addict=True, implicit_acknowledgements=False
    ).start()
    sim.advance(VIRTUAL_S)


def rate(scenario: Scenario) -> float:
    """Seeds in a second of processor time."""
    clock = Stopwatch(time.thread_time)
    for seed in range(SEEDS):
        outcome = drawn(scenario, seed, Script(), Faults().drawn(seed), Setting())
        assert outcome.error is None, outcome.error
    clock.stop()
    return SEEDS * 1000 / clock.ms


def measure() -> Result:
    """Measure both, in turn."""
    through, native = in_turn(ROUNDS, lambda: rate(theirs), lambda: rate(ours))
    return Result(
        title=f"Exploring through pymesos's classes: 2 masters, 3 agents, {VIRTUAL_S:g} virtual s, {SEEDS} seeds",
        settings="Settings.mesos()",
        remarks=[],
        figures=[
            Figure(
                what="seeds explored, with checkers and to their ends",
                unit="per s",
                ours=through,
                beside="the same for our own driver",
                theirs=native,
                goal=Goal("at least", 0.8, ratio=True),
            )
        ],
    )
