"""What conformance finds, what it does not hold against a scheduler, and what it says of both."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from attrs import evolve

from mesolite import (
    FrameworkInfo,
    InvalidValue,
    Offer,
    Scheduler,
    SchedulerDriver,
    SimulatedWork,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.compat.pymesos import MesosSchedulerDriver
from mesolite.compat.pymesos import Scheduler as PymesosScheduler
from mesolite.harness.conformance import SITUATIONS, CannotBeTried, Kind, Verdict, check
from mesolite.harness.conformance.checking import Checking, subject_of
from mesolite.harness.conformance.jobs import Nature
from mesolite.harness.conformance.situations import CALM, situation_named
from tests.compat import schedulers as compat
from tests.harness import subjects, wrong


def verdict_on(make: Any, situation: str, job_of: Any = wrong.job_of, **how: Any) -> Verdict:
    """What becomes of it in one situation."""
    return Checking.of(*subject_of(make, job_of, **how)).verdict(situation_named(situation))


@cache
def of_shop(situation: str) -> Verdict:
    """What becomes of a right one."""
    return verdict_on(subjects.shop, situation)


class Runs(Scheduler):
    """Launches these tasks once, all with the first offers, and starts again those that are lost by `ends`."""

    tasks: tuple[TaskInfo, ...] = ()
    again: tuple[str, ...] = ()
    per_offer = 4

    def __init__(self) -> None:
        self.waiting = list(self.tasks)
        self.of = {task.task_id: task for task in self.tasks}

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            now, self.waiting = self.waiting[: self.per_offer], self.waiting[self.per_offer :]
            driver.launch_tasks(offer, now)
        if not self.waiting:
            driver.suppress_offers()

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        if status.state.name in self.again:
            task = self.of[status.task_id]
            copy = TaskInfo(
                task_id=f"{task.task_id}+", name=task.name, resources="cpus:1;mem:32", command="run", work=task.work
            )
            self.of[copy.task_id] = copy
            self.waiting.append(copy)
            driver.revive_offers()


def tasks(*names: str, duration: float | None = None, exit_status: int = 0) -> tuple[TaskInfo, ...]:
    """Tasks of these jobs, with ids of their own."""
    work = SimulatedWork(duration=duration, exit_status=exit_status)
    return tuple(
        TaskInfo(task_id=f"t{number}", name=name, resources="cpus:1;mem:32", command="run", work=work)
        for number, name in enumerate(names)
    )


# --- what is found --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "situation", "kind"),
    [
        (wrong.Silent, CALM.name, Kind.NEVER_ANSWERED),
        (wrong.Hoarding, CALM.name, Kind.LEAKED),
        (wrong.Anew, "registered again", Kind.RAN_TWICE),
        (wrong.Anew, "master failover", Kind.RAN_TWICE),
        (wrong.Anew, "scheduler failover", Kind.RAN_TWICE),
        (wrong.Hopeful, "agent lost for ever", Kind.JOB_LOST),
        (wrong.Hopeful, "gone", Kind.JOB_LOST),
        (wrong.Hopeful, "lost without a word", Kind.JOB_LOST),
        (wrong.Trusting, "offers expired", Kind.JOB_LOST),
        (wrong.Hasty, "duplicate updates", Kind.RAN_TWICE),
        (wrong.Hasty, "agent lost and back", Kind.RAN_TWICE),
        (compat.steadfast_driver, "inverse offers", Kind.NEVER_ANSWERED),
        # It uses ids of tasks that run again, and takes the refusal for their end.
        (subjects.quiet, "scheduler failover", Kind.RAN_TWICE),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_a_wrong_scheduler_does_wrong_is_found(make: Any, situation: str, kind: Kind) -> None:
    """And `Shop`, which differs in that alone, handles it."""
    how = {"implicit_acknowledgements": make is not wrong.Silent}

    assert verdict_on(make, situation, **how).kind is kind
    assert of_shop(situation).kind is Kind.HANDLED


def test_a_leak_says_what_and_how_long() -> None:
    """In virtual seconds."""
    (finding,) = verdict_on(wrong.Hoarding, CALM.name).findings

    assert finding.text == "scheduler has kept m1-O3 for 620.229 s"
    assert finding.about == ("m1-O3", "scheduler")


def test_what_user_code_raises_is_found() -> None:
    """With its place; a callback that raises in the calm run ends the check."""

    class Raises(wrong.OfThree):
        def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
            raise KeyError("never")

    report = check(Raises, wrong.job_of)

    assert [verdict.kind for verdict in report.verdicts] == [Kind.RAISED]
    assert "KeyError: 'never'" in report.text()
    assert "test_conformance.py:" in report.text()


def test_a_mistake_in_a_call_is_what_user_code_raises() -> None:
    """And no mistake of who has it tried."""

    class Slips(wrong.OfThree):
        def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
            driver.kill_task(7 if status.state is TaskState.TASK_LOST else "nobody")

    verdict = verdict_on(Slips, "gone")

    assert verdict.kind is Kind.RAISED
    assert verdict.found[0].startswith("InvalidValue: ")


def test_who_forgets_what_its_predecessor_did_runs_it_twice() -> None:
    """Without a store of its own a successor launches everything, and cannot know better."""
    assert verdict_on(lambda: wrong.OfThree({}), "scheduler failover").kind is Kind.RAN_TWICE
    assert verdict_on(wrong.OfThree, "scheduler failover").kind is Kind.HANDLED


def test_without_a_time_for_failover_tasks_end_with_their_scheduler() -> None:
    """So who begins anew runs nothing twice."""
    info = FrameworkInfo(name="mine")

    assert verdict_on(lambda: wrong.OfThree({}), "scheduler failover", framework=info).kind is Kind.HANDLED


def test_without_checkpoints_a_restarted_agent_loses_its_tasks() -> None:
    """Who does not listen to TASK_LOST loses the jobs; with checkpoints nothing happens to them."""
    info = FrameworkInfo(name="mine", failover_timeout_s=600)

    assert verdict_on(wrong.Hopeful, "agent restarted", framework=info).kind is Kind.JOB_LOST
    assert verdict_on(wrong.Hopeful, "agent restarted").kind is Kind.HANDLED
    assert verdict_on(subjects.shop, "agent restarted", framework=info).kind is Kind.HANDLED


# --- what a job is, and what is demanded of it -------------------------------------------------------------------


def learned(make: type[Runs]) -> dict[Any, tuple[Nature, int, int]]:
    """What a calm run shows."""
    jobs = Checking.of(*subject_of(make)).calm.learned.jobs
    return {job.name: (job.nature, job.at_once, job.finishes) for job in jobs}


def test_what_a_job_is_like_is_learned_from_a_calm_run() -> None:
    """Services, batches, what fails, what runs several times at once."""

    class Mixed(Runs):
        tasks = (
            *tasks("web", "web", "db"),
            *(TaskInfo(task_id=f"b{one}", name="b", resources="cpus:1", command="true") for one in range(3)),
            TaskInfo(task_id="bad", name="bad", resources="cpus:1", command="false"),
        )

    assert learned(Mixed) == {
        "web": (Nature.SERVICE, 2, 0),
        "db": (Nature.SERVICE, 1, 0),
        "b": (Nature.BATCH, 3, 3),
        "bad": (Nature.BATCH, 1, 0),
    }


def test_what_is_begun_again_and_again_need_not_stop() -> None:
    """It is no fault to begin it again, but to stop doing so."""

    class Cron(Runs):
        tasks = tasks("tick", duration=30)
        again = ("TASK_FINISHED",)

    assert learned(Cron)["tick"][0] is Nature.REPEATED
    assert verdict_on(Cron, "master failover", lambda task: task.name).kind is Kind.HANDLED
    assert verdict_on(Cron, "agent lost for ever", lambda task: task.name).kind is Kind.JOB_LOST


def test_a_batch_has_to_finish_and_not_to_begin_after_that() -> None:
    """One that takes a lost task for a finished one loses it; one that forgets what has finished begins it again."""

    class Batch(Runs):
        tasks = tasks("one", "two", duration=30)

    class Careful(Batch):
        again = ("TASK_LOST",)

    class Forgetful(Careful):
        def reregistered(self, driver: SchedulerDriver, *arguments: Any) -> None:
            driver.call_later(40, lambda: super(Forgetful, self).status_update(driver, self.told))

        def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
            self.told = evolve(status, state=TaskState.TASK_LOST)
            super().status_update(driver, status)

    by_name: Callable[[TaskInfo], str] = lambda task: task.name  # noqa: E731
    assert verdict_on(Batch, "agent lost for ever", by_name).kind is Kind.JOB_LOST
    assert verdict_on(Careful, "agent lost for ever", by_name).kind is Kind.HANDLED
    verdict = verdict_on(Forgetful, "registered again", by_name)
    assert verdict.kind is Kind.RAN_TWICE
    assert "after its scheduler was told it finished" in verdict.found[0]


def test_a_job_that_ends_after_all_is_not_lost() -> None:
    """It runs longer than the calm run, and shorter than another one, as it takes that long until `web` is back."""

    class Long(Runs):
        tasks = (*tasks("web"), TaskInfo(task_id="long", name="long", resources="cpus:1", command="sleep 700"))
        again = ("TASK_LOST",)
        per_offer = 1

        def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
            driver.call_later(900, lambda: super(Long, self).status_update(driver, status))

    checking = Checking.of(*subject_of(Long))
    verdict = checking.verdict(situation_named("agent lost for ever"))

    assert [job.nature for job in checking.calm.learned.jobs] == [Nature.SERVICE] * 2
    assert verdict.handled


def test_two_at_once_are_no_fault_of_who_was_told_that_one_is_lost() -> None:
    """An agent is cut off, and back; the verdict notes it."""
    verdict = of_shop("agent lost and back")

    assert verdict.handled
    assert verdict.found == (
        "(for a while two tasks of api, web ran, one of which its scheduler was told not to be there)",
    )


def test_tasks_of_which_job_of_says_none_are_not_judged() -> None:
    """Only the others are."""
    only_mail = lambda task: "mail" if task.task_id.startswith("mail") else None  # noqa: E731
    checking = Checking.of(*subject_of(wrong.Hopeful, only_mail))

    assert [job.name for job in checking.calm.learned.jobs] == ["mail"]


# --- schedulers of all shapes ------------------------------------------------------------------------------------


class OneInPymesos(PymesosScheduler):
    """Launches one task, and again if it is lost; it acknowledges by itself."""

    def __init__(self) -> None:
        self.running = ""
        self.launched = 0

    def resourceOffers(self, driver: Any, offers: Any) -> None:  # noqa: N802
        for offer in offers:
            if self.running:
                driver.declineOffer(offer.id)
                continue
            self.launched += 1
            self.running = f"one.{self.launched}"
            resources = compat.resources(1, 32)
            task = {"task_id": {"value": self.running}, "agent_id": offer.agent_id, "name": "one"}
            driver.launchTasks(offer.id, [{**task, "resources": resources, "command": {"value": "sleep infinity"}}])

    def statusUpdate(self, driver: Any, update: Any) -> None:  # noqa: N802
        if update.task_id.value == self.running and update.state in (*compat.ENDS, "TASK_UNREACHABLE"):
            self.running = ""


def test_a_class_in_the_shape_of_pymesos_is_run_as_it_is() -> None:
    """With `Dict`s."""
    by_name = lambda task: task.name  # noqa: E731

    assert verdict_on(OneInPymesos, "agent lost for ever", by_name).handled
    assert verdict_on(OneInPymesos, "scheduler failover", by_name).kind is Kind.RAN_TWICE


def test_a_program_that_makes_its_driver_is_run_with_what_it_gives() -> None:
    """The driver's own acknowledgements, name and store."""
    by_name = lambda task: task.name  # noqa: E731

    def program(store: dict[str, Any]) -> MesosSchedulerDriver:
        driver = compat.steadfast_driver(store)
        assert driver.implicit_acknowledgements is False
        return driver

    assert verdict_on(program, "failover while a machine dies", by_name).handled


# --- bad input ---------------------------------------------------------------------------------------------------


class Nothing(Scheduler):
    """Wants nothing."""


class Misspelt(Scheduler):
    """Is not what it should be."""

    def resourceOffers(self, driver: Any, offers: Any) -> None:  # noqa: N802
        driver.decline_offer(offers)


def breaks(task: TaskInfo) -> str:
    raise RuntimeError("no")


@pytest.mark.parametrize(
    ("scheduler", "how", "said"),
    [
        (3, {}, "scheduler cannot be 3"),
        (Nothing(), {}, "it must be a function"),
        (int, {}, "int makes int, which is no scheduler"),
        (lambda one, two: Nothing(), {}, "wants one, two"),
        (Misspelt, {}, "resource_offers is meant"),
        (compat.run_quiet, {}, "wants jobs, tries"),
        (lambda: compat.run_quiet([("one", "sleep infinity")], 1), {}, "let it return the driver instead"),
        (Nothing, {}, "nothing was launched within 300 s"),
        (wrong.OfThree, {"resources": "cpus:0.5;mem:10"}, "more than cpus:0.5;mem:10, say resources="),
        (wrong.OfThree, {"job_of": breaks}, "job_of of task web .* RuntimeError: no"),
        (wrong.OfThree, {"job_of": lambda task: [task.name]}, "unhashable type: 'list'"),
        (wrong.OfThree, {"job_of": lambda task: None}, "job_of says None of all 3 tasks"),
        (wrong.OfThree, {"agents": 1}, "one of them is lost, so there must be two or more"),
        (wrong.OfThree, {"framework": 7}, "framework cannot be 7"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_words(scheduler: Any, how: dict[str, Any], said: str) -> None:
    """What was asked, why not, and what would work."""
    with pytest.raises(InvalidValue, match=said):  # or a CannotBeTried, which is one
        check(scheduler, **how)


def test_a_task_without_a_name_has_no_job_by_itself() -> None:
    """Somebody has to say it."""

    class Unnamed(Runs):
        tasks = (TaskInfo(task_id="one", resources="cpus:1", command="true"),)

    with pytest.raises(CannotBeTried, match=r"task one has no name.*job_of=lambda task"):
        check(Unnamed)


def test_situations_have_names_of_their_own() -> None:
    """And nobody finds one that is not there."""
    assert len({situation.name for situation in SITUATIONS}) == len(SITUATIONS)
    with pytest.raises(LookupError, match="no situation 'flood'; there are nothing goes wrong, registered again"):
        situation_named("flood")
