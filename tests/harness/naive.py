"""A scheduler with a fault, and scenarios with it: found by their names, so that other processes can run them."""

from __future__ import annotations

from collections.abc import Sequence

from mesolite import (
    FrameworkId,
    InverseOffer,
    Offer,
    Scheduler,
    SchedulerDriver,
    SimulatedWork,
    Simulation,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.messages.infos import MasterInfo

WANTED = 2
LISTENS_TO = (TaskState.TASK_FAILED, TaskState.TASK_KILLED, TaskState.TASK_LOST)


class Naive(Scheduler):
    """Keeps some tasks running, and listens to a few ends only."""

    def __init__(self, ends: Sequence[TaskState] = LISTENS_TO) -> None:
        self.ends = ends
        self.alive: dict[str, None] = {}
        self.launched = 0

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            if len(self.alive) >= WANTED:
                driver.decline_offer(offer)
                continue
            self.launched += 1
            work = SimulatedWork(duration=None, on_sigterm=1.0)
            task = TaskInfo(task_id=f"t{self.launched}", resources="cpus:1;mem:32", command="serve", work=work)
            self.alive[task.task_id] = None
            driver.launch_tasks(offer, task)

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state in self.ends:
            self.alive.pop(status.task_id, None)


class Careful(Naive):
    """Listens to all ends, and asks about all tasks again and again: at a failover of masters an end may get lost.

    Of a task whose agent has not come back to a new leader that cannot answer before its time to come back is over.
    """

    def __init__(self) -> None:
        super().__init__([state for state in TaskState if not state.holds_resources])

    def registered(self, driver: SchedulerDriver, framework_id: FrameworkId, master: MasterInfo) -> None:
        self.ask(driver)

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        driver.decline_inverse_offers([each.id for each in inverse_offers], reason="all are needed")

    def ask(self, driver: SchedulerDriver) -> None:
        """Reconcile every half minute."""
        driver.reconcile_tasks([TaskStatus(task_id=task_id, state=TaskState.TASK_RUNNING) for task_id in self.alive])
        driver.call_later(30.0, lambda: self.ask(driver))


def naive(sim: Simulation) -> None:
    """It has to have its tasks in the end."""
    cluster = sim.cluster(agents=3, masters=2)
    cluster.run(Naive(), framework="naive")
    sim.eventually(lambda: len(sim.view.running("naive")) >= WANTED, within=120)
    sim.advance(60)


def mended(sim: Simulation) -> None:
    """The same, with a careful scheduler."""
    cluster = sim.cluster(agents=3, masters=2)
    cluster.run(Careful(), framework="naive")
    sim.eventually(lambda: len(sim.view.running("naive")) >= WANTED, within=900)
    sim.sometimes(lambda: len(sim.view.running("naive")) >= WANTED, "all tasks run")
    sim.advance(60)


counted: list[int] = []
"""What an earlier run has left: the commonest reason why a failure does not come again."""


def keeps_something(sim: Simulation) -> None:
    """It fails at its third run, whatever the seed."""
    counted.append(sim.seed)
    sim.cluster(agents=1)
    assert len(counted) != 3


def bare(sim: Simulation) -> None:
    """Fails without a word."""
    sim.cluster(agents=1)
    assert sim.now > 1_000.0
