"""Run a scheduler through all situations, and say what became of it in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define

from mesolite.harness.conformance.jobs import JobOf, Nature, named
from mesolite.harness.conformance.report import Report
from mesolite.harness.conformance.situations import CALM, SITUATIONS, Situation
from mesolite.harness.conformance.subject import NAME, Make, Subject
from mesolite.harness.conformance.trial import Learned, Trial, learn
from mesolite.harness.conformance.verdict import CannotBeTried, Finding, Kind, NotHandled, Verdict
from mesolite.harness.failure import Failure
from mesolite.harness.run import Outcome
from mesolite.harness.world import Watch
from mesolite.machines import AnyResources
from mesolite.messages.checking import Count, SomeCount, checked_arguments
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.resources import Resources
from mesolite.wiring import DEFAULT_RESOURCES

ENOUGH = 3
"""When so many steps of one situation have failed the others are not tried."""

NAMED = 3
"""So many jobs are named in a sentence."""

OnProgress = Callable[[str, Verdict], object]
"""Called after each situation with its name and what became of the scheduler."""


@checked_arguments
def check(
    scheduler: Make,
    job_of: JobOf = named,
    *,
    framework: str | FrameworkInfo = NAME,
    executors: Mapping[str, Any] | None = None,
    agents: SomeCount = 3,
    resources: AnyResources = DEFAULT_RESOURCES,
    implicit_acknowledgements: bool = True,
    seed: Count = 0,
    on_progress: OnProgress | None = None,
) -> Report:
    """Run a scheduler through all `SITUATIONS`, on virtual time, and report what it has not handled.

    `scheduler`: a class, or a function that makes one: a `mesolite.Scheduler`, one in pymesos's shape, whose callbacks
    then get `Dict`s, or a `mesolite.compat.pymesos.MesosSchedulerDriver` with whatever the program gives it. It is
    called for every run, and for each successor of a scheduler that dies: with nothing, or, if it takes one argument,
    with a dict that outlives the scheduler, as its file or database would.

    `job_of`: says which job a task belongs to, by default its name; None: to none. docs/conformance.md says what is
    judged of a job, and how.
    `framework`: its name or FrameworkInfo; by default tasks wait an hour for a successor, and checkpoint.
    `executors`: as for `cluster.run`, or for `mesolite.compat.pymesos.on`.
    `resources`: what each of so many `agents` has. `seed`: draws latencies and jitter.
    `on_progress(name, verdict)` is called after each situation.

    Raises:
        CannotBeTried: it makes no scheduler, launches nothing even when nothing goes wrong, or `job_of` fails.
    """
    subject, _ = subject_of(
        scheduler,
        job_of,
        framework=framework,
        executors=executors,
        agents=agents,
        resources=resources,
        implicit_acknowledgements=implicit_acknowledgements,
    )
    verdicts = []
    for verdict in Checking.of(subject, seed).verdicts():
        verdicts.append(verdict)
        if on_progress is not None:
            on_progress(verdict.situation, verdict)
    return Report(scheduler=subject.name, verdicts=tuple(verdicts))


def subject_of(scheduler: Make, job_of: JobOf = named, *, seed: int = 0, **how: Any) -> tuple[Subject, int]:
    """The subject that the arguments of `check` describe, and the seed.

    Raises:
        CannotBeTried: they describe none.
    """
    how["executors"] = how.get("executors") or {}
    how["resources"] = str(Resources.of(how.get("resources", DEFAULT_RESOURCES)))
    return Subject(make=scheduler, job_of=job_of, **how), seed


@define
class Checking:
    """A subject of which it is known what it does when nothing goes wrong."""

    calm: Trial
    outcome: Outcome

    @classmethod
    def of(cls, subject: Subject, seed: int) -> Checking:
        """Run the calm run.

        Raises:
            CannotBeTried: there is nothing to judge.
        """
        calm = Trial(subject, CALM, seed, Learned())
        return cls(calm, learn(calm))

    def verdicts(self) -> Iterator[Verdict]:
        """What becomes of it in each situation; nothing but the calm one is tried where nothing was learned."""
        yield (first := self.verdict(CALM))
        if first.kind is Kind.RAISED:
            return
        for situation in SITUATIONS[1:]:
            yield self.verdict(situation)

    def verdict(self, situation: Situation) -> Verdict:
        """What becomes of it in that situation.

        Raises:
            CannotBeTried: `job_of` fails.
        """
        if situation.name == CALM.name:
            return _verdict(self.calm, 1, [self.outcome], tuple(_learned(self.calm, self.outcome)))
        trial = Trial(self.calm.subject, situation, self.calm.seed, self.calm.learned)
        failed: list[Outcome] = []
        runs = 0
        for script in trial.scripts:
            outcome = trial.run(script)
            runs += 1
            if isinstance(outcome.error, CannotBeTried):
                raise outcome.error
            if outcome.error is not None:
                failed.append(outcome)
            if len(failed) == ENOUGH:
                break
        return _verdict(trial, runs, failed, tuple(_overlaps(trial)))


def _verdict(trial: Trial, runs: int, outcomes: Sequence[Outcome], notes: tuple[str, ...]) -> Verdict:
    name, failed = trial.situation.name, [outcome for outcome in outcomes if outcome.error is not None]
    if not failed:
        return Verdict(situation=name, kind=Kind.HANDLED, runs=runs, notes=notes)
    findings = _findings(failed[0])
    return Verdict(
        situation=name,
        kind=findings[0].kind,
        findings=findings,
        failure=Failure.of(trial, trial.setting, failed[0]),
        runs=runs,
        failed=len(failed),
        notes=notes,
    )


def _findings(outcome: Outcome) -> tuple[Finding, ...]:
    error = outcome.error
    if isinstance(error, NotHandled):
        return error.findings
    place = outcome.identity.where.rpartition("/")[2] if outcome.identity is not None else ""
    text = f"{type(error).__name__}: {error}, at {outcome.sim.now:.3f} s, in {place}"
    return (Finding(Kind.RAISED, text, outcome.sim.now),)


def _learned(calm: Trial, outcome: Outcome) -> Iterator[str]:
    """What the calm run has shown, and what makes its use doubtful."""
    jobs = calm.learned.jobs
    for nature in Nature:
        names = [str(job.name) for job in jobs if job.nature is nature]
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            yield f"{nature.value}: {', '.join(names[:NAMED])}{more}"
    if jobs and not calm.learned.alive:
        yield "no task is ever seen running, so there is none that could be lost: let them take a second or more"
    again = Trial(calm.subject, calm.situation, calm.seed, Learned())
    if again.run(again.scripts[0]).hash != outcome.hash:
        with Watch() as watch:
            again.run(again.scripts[0])
        uses = "; ".join(f"it uses {what}, at {where}" for what, where in watch.read.items())
        yield f"its runs are not the same with the same seed, so failures may not be replayed; {uses or _KEEPS}"


_KEEPS = "it keeps something from one run to the next, as in its module or class"


def _overlaps(trial: Trial) -> Iterator[str]:
    """What was unavoidable."""
    if trial.overlaps:
        names = ", ".join(str(name) for name in list(trial.overlaps)[:NAMED])
        yield f"for a while two tasks of {names} ran, one of which its scheduler was told not to be there"
