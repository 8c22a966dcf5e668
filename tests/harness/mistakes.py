"""Mistakes that schedulers are written with, each as a scenario that `explore` has to fail with its defaults.

`Right` makes none of them: it is what the others differ from in a few lines each. What finds a mistake is what its user
would state (all jobs run in the end, none twice), or a checker that is on by default.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen

from examples.schedulers import Shop, service, service_of
from mesolite import (
    Capability,
    FrameworkInfo,
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
from mesolite.messages.ids import FrameworkId, OfferId
from mesolite.messages.infos import MasterInfo

JOBS = ("web", "db", "mail")
LOSSES = (
    TaskState.TASK_LOST,
    TaskState.TASK_DROPPED,
    TaskState.TASK_GONE,
    TaskState.TASK_GONE_BY_OPERATOR,
    TaskState.TASK_UNREACHABLE,
    TaskState.TASK_KILLED,
    TaskState.TASK_FAILED,
)


def jobs() -> list[TaskInfo]:
    """Three services that run until they are told to end."""
    work = SimulatedWork(duration=None, on_sigterm=1.0)
    return [evolve(service(name, name), work=work) for name in JOBS]


class Right(Shop):
    """Makes no mistake that is known."""

    def __init__(self) -> None:
        super().__init__(jobs())


def running(sim: Simulation) -> Counter[str]:
    """How many copies of each job are really alive."""
    return Counter(service_of(task.task_id) for task in sim.view.running("mine"))


def runs(make: Callable[[], Scheduler], info: FrameworkInfo | str = "mine", **how: Any) -> Callable[[Simulation], None]:
    """The scenario of whoever keeps three jobs running: in the end each runs, once."""

    def scenario(sim: Simulation) -> None:
        cluster = sim.cluster(agents=3, masters=3)
        cluster.run(make(), framework=info, **how)
        sim.eventually(lambda: running(sim) == dict.fromkeys(JOBS, 1), within=600)
        sim.advance(300)

    return scenario


AWARE = FrameworkInfo(name="mine", capabilities=[Capability.PARTITION_AWARE])
KEEPS = FrameworkInfo(name="mine", failover_timeout_s=3600.0, checkpoint=True)


# -------------------------------------------------------------------------------------------- updates, and their states


class ForgetsToAcknowledge(Right):
    """Acknowledges by hand, and only what it does something about."""

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        super().status_update(driver, status)
        if status.state is not TaskState.TASK_RUNNING:
            driver.acknowledge(status)


def ignoring(*states: TaskState) -> Callable[[], Scheduler]:
    """A scheduler that has never heard of these states."""

    class Ignores(Right):
        """Does nothing about them."""

        def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
            if status.state not in states:
                super().status_update(driver, status)

    return Ignores


class TrustsLaunches(Right):
    """Counts a launch as done: only the end of what was seen to run is news."""

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        known = self.status.get(status.task_id)
        if known is not None or status.state in (TaskState.TASK_STARTING, TaskState.TASK_RUNNING):
            super().status_update(driver, status)


# ---------------------------------------------------------------------------------------------- who leads, and who asks


class LaunchesAgainOnFailover(Right):
    """Takes a new master for a new cluster, and begins everything anew."""

    def registered(self, driver: SchedulerDriver, framework_id: FrameworkId, master: MasterInfo) -> None:
        super().registered(driver, framework_id, master)
        for task in list(self.current.values()):
            if task.task_id in self.launched:
                self._replace(driver, task)

    def _another_copy(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        pass


class NeverAsks(Right):
    """Believes that it is told everything."""

    def _look(self, driver: SchedulerDriver) -> None:
        pass


class LosesItsState(Right):
    """Knows nothing of what an earlier life of it had launched, and lets be what it does not know."""

    def begin(self, before: Right) -> None:
        self.current = {
            name: evolve(task, task_id=f"{name}.{1000 + service_number}")
            for service_number, (name, task) in enumerate(self.current.items())
        }

    def _another_copy(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        pass


class KeepsItsState(Right):
    """Was given what the earlier life had written down."""

    def begin(self, before: Right) -> None:
        self.current, self.launched = before.current, before.launched


def fails_over(make: Callable[[], LosesItsState | KeepsItsState]) -> Callable[[Simulation], None]:
    """The scenario of a driver that is aborted, and a successor that goes on under the framework's id."""

    def scenario(sim: Simulation) -> None:
        cluster = sim.cluster(agents=3, masters=3)
        before = Right()
        first = cluster.run(before, framework=KEEPS)
        sim.eventually(lambda: running(sim) == dict.fromkeys(JOBS, 1), within=600)
        sim.advance(60)
        first.abort()
        successor = make()
        successor.begin(before)
        cluster.run(successor, framework=evolve(KEEPS, id=first.framework_id))
        sim.advance(240)

    return scenario


# ----------------------------------------------------------------------------------------------------- offers, and back


class AcknowledgesByHand(Right):
    """Acknowledges everything, when it is done with it."""

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        super().status_update(driver, status)
        driver.call_later(1.0, lambda: driver.acknowledge(status))


class NeverDeclines(Right):
    """Keeps what it has no use for."""

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        if self.waiting:
            super().resource_offers(driver, offers)


class NeverRevives(Right):
    """Says that it wants no more offers, and never says that it does."""

    def _replace(self, driver: SchedulerDriver, task: TaskInfo, after_s: float = 0.0) -> None:
        name, _, copy = task.task_id.partition(".")
        self.current[name] = evolve(task, task_id=f"{name}.{int(copy or 1) + 1}")


class LaunchesOnRescinded(Right):
    """Launches with whatever offer it has heard of last, and believes that this went well."""

    offer: Offer | None = None

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        self.offer = offers[0]
        driver.call_later(5.0, lambda: self._launch(driver, offers))

    def _launch(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        super().resource_offers(driver, offers)

    def offer_rescinded(self, driver: SchedulerDriver, offer_id: OfferId) -> None:
        if self.offer is not None and self.offer.id == offer_id:
            self._launch(driver, (self.offer,))

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.uuid is not None or status.state is TaskState.TASK_RUNNING:
            super().status_update(driver, status)


class AnswersNobody(Right):
    """Has never heard of inverse offers."""

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        pass


# ------------------------------------------------------------------------------------------------------------- task ids


class ReusesIds(Right):
    """Starts what was lost again under the id that it had."""

    def _replace(self, driver: SchedulerDriver, task: TaskInfo, after_s: float = 0.0) -> None:
        self.launched.pop(task.task_id, None)
        driver.revive_offers()


class EndsItsJobs(Right):
    """Ends all jobs when it is told to, and what turns up of them later."""

    def end(self, driver: SchedulerDriver) -> None:
        self.current.clear()
        for task_id in self.launched:
            driver.kill_task(task_id)


class KillsStaleIds(EndsItsJobs):
    """Ends its jobs by the ids with which they began."""

    def end(self, driver: SchedulerDriver) -> None:
        self.current.clear()
        for name in JOBS:
            driver.kill_task(name)

    def _another_copy(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.task_id in JOBS:
            super()._another_copy(driver, status)


def ends(make: Callable[[], EndsItsJobs]) -> Callable[[Simulation], None]:
    """The scenario of a scheduler whose jobs are to end after a while; in the end nothing runs."""

    def scenario(sim: Simulation) -> None:
        cluster = sim.cluster(agents=3, masters=3)
        scheduler = make()
        driver = cluster.run(scheduler, framework="mine")
        sim.at(240.0, lambda: scheduler.end(driver))
        sim.eventually(lambda: not sim.view.running("mine"), within=600)
        sim.advance(300)

    return scenario


@frozen
class Mistake:
    """A mistake: the scenario that has it, and what is to find it ("" if whatever does is right)."""

    name: str
    scenario: Callable[[Simulation], None]
    found_by: str = "property"


MISTAKES = (
    Mistake(
        "forgets_acknowledgements",
        runs(ForgetsToAcknowledge, implicit_acknowledgements=False),
        "",
    ),
    Mistake("launches_again_on_failover", runs(LaunchesAgainOnFailover)),
    Mistake("ignores_unreachable", runs(ignoring(TaskState.TASK_UNREACHABLE), AWARE)),
    *(Mistake(f"ignores_{state.name.lower()}", runs(ignoring(state), AWARE)) for state in LOSSES[1:]),
    Mistake("ignores_lost", runs(ignoring(TaskState.TASK_LOST))),
    Mistake("trusts_launches", runs(TrustsLaunches)),
    Mistake("never_asks", runs(NeverAsks)),
    Mistake("loses_its_state", fails_over(LosesItsState)),
    Mistake("never_declines", runs(NeverDeclines), "checker offers_are_answered"),
    Mistake("never_revives", runs(NeverRevives)),
    Mistake("launches_on_rescinded", runs(LaunchesOnRescinded)),
    Mistake("answers_no_inverse_offers", runs(AnswersNobody), "checker inverse_offers_are_answered"),
    Mistake("reuses_ids", runs(ReusesIds), ""),
    Mistake("kills_stale_ids", ends(KillsStaleIds)),
)

RIGHT: dict[str, Callable[[Simulation], None]] = {
    "plain": runs(Right),
    "aware": runs(Right, AWARE),
    "checkpointing": runs(Right, KEEPS),
    "all at once": runs(Right, evolve(KEEPS, capabilities=AWARE.capabilities)),
    "acknowledges by hand": runs(AcknowledgesByHand, implicit_acknowledgements=False),
    "fails over": fails_over(KeepsItsState),
    "ends its jobs": ends(EndsItsJobs),
}
"""Schedulers that make none of these mistakes, in the same scenarios: nothing is to be found."""
