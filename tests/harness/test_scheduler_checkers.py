"""What holds of a good scheduler: each checker finds a scheduler that is not good, and leaves one that is in peace."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from mesolite import (
    Faults,
    Filters,
    FrameworkInfo,
    Offer,
    Scheduler,
    SchedulerDriver,
    Simulation,
    TaskState,
    TaskStatus,
    explore,
)
from mesolite.harness.checkers import BeliefsAreTrue, Checkers, Family
from mesolite.harness.checkers.schedulers import (
    InverseOffersAreAnswered,
    NobodyStarves,
    NoJobLost,
    NoJobTwice,
    OffersAreAnswered,
    UpdatesAreAcknowledged,
)
from tests.scenarios.schedulers import command_task

PATIENCE_S = 200.0


class Keeper(Scheduler):
    """Keeps one task of a job running; each way to be bad is an attribute."""

    def __init__(
        self,
        *,
        begins_anew: bool = True,
        copies: int = 1,
        acknowledges: bool = True,
        keeps_offers: bool = False,
        answers: bool = True,
    ) -> None:
        self.begins_anew, self.copies, self.acknowledges = begins_anew, copies, acknowledges
        self.keeps_offers, self.answers = keeps_offers, answers
        self.wanted = copies
        self.made = 0

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            if self.wanted:
                self.wanted -= 1
                self.made += 1
                task = evolve(command_task(f"t{self.made}"), name="job")
                driver.launch_tasks(offer, [task], Filters(refuse_seconds=1.0))
            elif not self.keeps_offers:
                driver.decline_offer(offer, Filters(refuse_seconds=1.0))

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if self.acknowledges:
            driver.acknowledge(status)
        if status.state.is_terminal and self.begins_anew:
            self.wanted += 1

    def inverse_offers(self, driver: Any, inverse_offers: tuple[Any, ...]) -> None:
        if self.answers:
            driver.accept_inverse_offers([each.id for each in inverse_offers])


def checked(sim: Simulation, checker: Any, scheduler: Keeper) -> list[str]:
    """The names of the checkers that object after a run in which the executor of the first task dies."""
    checkers = Checkers(sim, [checker])
    cluster = sim.cluster(agents=3)
    driver = cluster.run(scheduler, FrameworkInfo(name="keeper"), implicit_acknowledgements=False)
    sim.advance(10.0)
    first = sim.view.running(driver)[0]
    sim.kill(f"{first.agent}/{first.framework_id}/{first.executor_id}")
    sim.advance(PATIENCE_S)
    if isinstance(checker, InverseOffersAreAnswered):
        cluster.operator.reclaim(driver, "cpus:0.1", within=PATIENCE_S * 2)
        sim.advance(PATIENCE_S)
    found = [*checkers.violations, *checkers.unfinished()]
    assert all(violation.family is Family.YOURS for violation in found)
    return [violation.checker for violation in found]


@pytest.mark.parametrize(
    ("checker", "bad"),
    [
        (UpdatesAreAcknowledged, {"acknowledges": False}),
        (OffersAreAnswered, {"keeps_offers": True}),
        (InverseOffersAreAnswered, {"answers": False}),
        (NoJobTwice, {"copies": 2}),
        (NoJobLost, {"begins_anew": False}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_bad_scheduler_is_found_and_a_good_one_is_not(checker: Any, bad: dict[str, Any]) -> None:
    """The same run, once with the mistake and once without it."""
    assert checker.name in checked(Simulation(), checker(), Keeper(**bad))
    assert checked(Simulation(), checker(), Keeper()) == []


def test_jobs_can_be_named_by_the_user() -> None:
    """Of tasks without a job nobody says that it is there twice."""
    two = NoJobTwice(job_of=lambda task: task.task_id)

    assert checked(Simulation(), two, Keeper(copies=2)) == []


def test_who_gets_nothing_while_another_keeps_all_starves(sim: Simulation) -> None:
    """One keeps every offer, the other is never made one."""
    checkers = Checkers(sim, [NobodyStarves(patience_s=60.0)])
    cluster = sim.cluster(agents=2)
    cluster.run(Keeper(copies=0, keeps_offers=True), framework="greedy")
    sim.advance(5.0)
    cluster.run(Keeper(), framework="hungry")

    sim.advance(200.0)

    assert checkers.first is not None
    assert checkers.first.checker == "nobody_starves"


def test_a_job_that_is_over_is_not_lost(sim: Simulation) -> None:
    """What its scheduler kills it does not want back."""
    checkers = Checkers(sim, [NoJobLost()])
    cluster = sim.cluster(agents=1)
    driver = cluster.run(Keeper(begins_anew=False), framework="keeper", implicit_acknowledgements=False)
    sim.advance(10.0)
    driver.kill_task("t1")
    sim.advance(30.0)

    assert checkers.unfinished() == []


@pytest.mark.parametrize("checker", [OffersAreAnswered, UpdatesAreAcknowledged])
def test_a_scheduler_whose_framework_was_ended_owes_nothing(sim: Simulation, checker: Any) -> None:
    """Its driver has aborted: it could do nothing, if it wanted to."""
    checkers = Checkers(sim, [checker()])
    cluster = sim.cluster(agents=2)
    driver = cluster.run(
        Keeper(acknowledges=False, keeps_offers=True), framework="keeper", implicit_acknowledgements=False
    )
    sim.advance(5.0)
    cluster.operator.teardown(driver)
    sim.advance(PATIENCE_S)

    assert checkers.unfinished() == []


class Believer(Keeper):
    """Keeps what it believes: all that it was told, or that everything runs."""

    def __init__(self, *, listens: bool) -> None:
        super().__init__()
        self.listens = listens
        self.believed: dict[str, TaskState] = {}

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        super().status_update(driver, status)
        self.believed[status.task_id] = status.state if self.listens else TaskState.TASK_RUNNING


@pytest.mark.parametrize("listens", [True, False])
def test_what_a_scheduler_believes_is_compared_with_what_is_so(listens: bool) -> None:
    """Whoever takes for alive what has died is told which task it is."""
    true = BeliefsAreTrue(lambda scheduler: scheduler.believed)

    assert checked(Simulation(), true, Believer(listens=listens)) == ([] if listens else ["beliefs_are_true"])


def test_an_exploration_takes_checkers_besides() -> None:
    """A class, or what makes one with its arguments; another process cannot be told of them."""

    def scenario(sim: Simulation) -> None:
        cluster = sim.cluster(agents=3)
        cluster.run(Keeper(copies=2), framework="keeper", implicit_acknowledgements=False)
        sim.advance(20.0)

    calm = Faults.none()
    found = explore(scenario, seeds=1, faults=calm, checkers=[lambda: NoJobTwice(framework="keeper")])
    assert found.failure is not None
    assert str(found.failure.identity) == "checker no_job_twice"
    assert found.failure.confirmed is None
    assert explore(scenario, seeds=1, faults=calm).failure is None
