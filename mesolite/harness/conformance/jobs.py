"""Which jobs there should be, learned from a calm run, and what becomes of each in a run that is not calm.

A job is what `job_of(task)` names. In a calm run it is seen how many tasks of it run at once, which of them end by
themselves, and whether it is still there at the end. Nothing else is asked of whoever wrote the scheduler.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

from attrs import define, field, frozen

from mesolite.actors.decisions.contract import Callback
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, Family, does, hears, says
from mesolite.harness.conformance.verdict import CannotBeTried, Finding, Kind
from mesolite.messages.ids import TaskId
from mesolite.messages.relayed import RunTask, StatusUpdate
from mesolite.messages.scheduler import AcceptOffers, ResourceOffers
from mesolite.messages.tasks import TaskInfo, TaskState, TaskStatus

NAMED = 2
"""So many tasks of a job are named in a sentence."""

JobOf = Callable[[TaskInfo], Hashable]
"""Says which job a task belongs to; None: to none that is to be judged."""


def named(task: TaskInfo) -> Hashable:
    """A task's job, if nobody says otherwise: its name.

    Raises:
        CannotBeTried: it has none.
    """
    if not task.name:
        raise CannotBeTried(
            f"task {task.task_id} has no name, so nobody knows which job it is: give its TaskInfo a name, or say "
            "job_of=lambda task: ..., such as what its task_id begins with"
        )
    return task.name


class Nature(enum.Enum):
    """What a job is like, as seen in the calm run."""

    SERVICE = "runs for ever"
    BATCH = "ends by itself"
    REPEATED = "is begun again and again"
    ENDED = "is ended by its scheduler"


@frozen
class Job:
    """A job, as the calm run has shown it.

    Attributes:
        name: as `job_of` gives it.
        nature: what is demanded of it.
        at_once: how many tasks of it may be alive at a time.
        finishes: how many tasks of it finish.
    """

    name: Hashable
    nature: Nature
    at_once: int
    finishes: int


@define(eq=False)
class Launched:
    """A task that was launched.

    Attributes:
        rivals: tasks of the same job, as far as their scheduler could know alive, when it launched this one.
        told: the last that its scheduler was told of it, and when.
    """

    task_id: TaskId
    job: Hashable
    at: float
    rivals: tuple[TaskId, ...] = ()
    told: tuple[float, TaskStatus] | None = None

    @property
    def believed_over(self) -> bool:
        """Whether its scheduler was told that it does not run, as far as anybody knows.

        TASK_ERROR says that a launch was refused: of a task that runs it comes if its id is used again.
        """
        state = self.told[1].state if self.told is not None else None
        return state is not None and not state.holds_resources and state is not TaskState.TASK_ERROR


@define(eq=False)
class Counted:
    """What was counted of a job.

    Attributes:
        tasks: those that were launched, the newest last.
        open: those of them that their scheduler cannot know to be over.
        begun: those that have begun, and may be alive.
        at_once: the most of its tasks that were launched at a time, and not known to be over.
        finished, failed: the tasks of which their executor has said that they have ended so, by themselves.
        told_finished: those of which their scheduler was told that they have finished.
    """

    tasks: dict[TaskId, Launched] = field(factory=dict)
    open: dict[TaskId, Launched] = field(factory=dict)
    begun: dict[TaskId, Launched] = field(factory=dict)
    at_once: int = 0
    finished: dict[TaskId, None] = field(factory=dict)
    failed: dict[TaskId, None] = field(factory=dict)
    told_finished: dict[TaskId, None] = field(factory=dict)
    last_launch: float = 0.0


class JobsSeen(Checker):
    """Sees every launch, every beginning, and whatever schedulers are told."""

    name = "jobs_seen"
    statement = "Every job runs as it did when nothing went wrong."
    family = Family.YOURS
    assumes: ClassVar[frozenset[Assumption]] = frozenset()

    def __init__(self, job_of: JobOf, jobs: Iterable[Job] | None = None) -> None:
        """Judge these jobs; None: learn which there are."""
        self._job_of = job_of
        self.jobs = None if jobs is None else {job.name: job for job in jobs}
        self.counted: dict[Hashable, Counted] = {}
        self.findings: list[Finding] = []
        self.overlaps: dict[Hashable, None] = {}
        self.error: Exception | None = None
        self.offered = self.launches = 0
        self._task: dict[TaskId, Launched] = {}

    # ------------------------------------------------------------------------------------------------- what happens

    @says(ActorRole.SCHEDULER, AcceptOffers)
    def accepted(self, record: Record, core: Any, message: AcceptOffers, to: str) -> None:
        """A scheduler launches tasks."""
        for task in (task for operation in message.operations for task in operation.tasks):
            self.launches += 1
            job = self._named(task)
            if job is not None:
                self._launch(job, task.task_id, record.time)

    @hears(ActorRole.SCHEDULER, ResourceOffers)
    def counts(self, record: Record, core: Any) -> None:
        """A scheduler is offered something."""
        self.offered += len(record.event.offers)

    def _named(self, task: TaskInfo) -> Hashable:
        try:
            job = self._job_of(task)
            hash(job)
        except Exception as error:  # noqa: BLE001  # it is user code: who runs the situation raises it
            self.error = self.error or _refused(self._job_of, task, error)
            return None
        return job

    def _launch(self, name: Hashable, task_id: TaskId, now: float) -> None:
        counted = self.counted.setdefault(name, Counted())
        rivals = tuple(counted.open)
        job = None if self.jobs is None else self.jobs.get(name)
        is_over = job is not None and 0 < job.finishes <= len(counted.told_finished)
        if job is not None and job.nature is Nature.BATCH and is_over:
            text = f"job {name} is launched again as {task_id} at {now:.3f} s, after its scheduler was told it finished"
            self._find(Kind.RAN_TWICE, text, now, task_id, *counted.told_finished)
        counted.at_once = max(counted.at_once, len(rivals) + 1)
        counted.last_launch = now
        task = Launched(task_id, name, now, rivals)
        self._task[task_id] = counted.tasks[task_id] = counted.open[task_id] = task

    @hears(ActorRole.EXECUTOR, RunTask)
    def begins(self, record: Record, core: Any) -> None:
        """An executor gets a task: which others of its job are alive?"""
        mine = self._task.get(record.event.task.task_id)
        if mine is None:
            return
        counted = self.counted[mine.job]
        others = [each for each in self._alive(counted) if each.task_id != mine.task_id]
        counted.begun[mine.task_id] = mine
        job = None if self.jobs is None else self.jobs.get(mine.job)
        allowed = job.at_once if job is not None else 1
        if self.jobs is None or len(others) < allowed:
            return
        known = [each for each in others if each.task_id in mine.rivals or mine.task_id in each.rivals]
        if len(known) < allowed:
            self.overlaps[mine.job] = None
            return
        ids = [each.task_id for each in known]
        text = f"{mine.task_id} of job {mine.job} begins at {record.time:.3f} s while {_and(ids)} of it {_run(ids)}"
        self._find(Kind.RAN_TWICE, f"{text}, of which its scheduler was told no end", record.time, mine.task_id, *ids)

    @says(ActorRole.EXECUTOR, StatusUpdate)
    def ended(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """A task says itself how it ended."""
        task = self._task.get(message.status.task_id)
        if task is not None and message.status.state is TaskState.TASK_FINISHED:
            self.counted[task.job].finished[task.task_id] = None
        if task is not None and message.status.state is TaskState.TASK_FAILED:
            self.counted[task.job].failed[task.task_id] = None

    @does(ActorRole.SCHEDULER, Callback)
    def called(self, record: Record, core: Any, effect: Callback) -> None:
        """User code is told something."""
        if effect.callback != "status_update":
            return
        status = effect.arguments[0]
        task = self._task.get(status.task_id)
        if task is not None:
            task.told = (record.time, status)
            counted = self.counted[task.job]
            if task.believed_over:
                counted.open.pop(task.task_id, None)
            else:
                counted.open[task.task_id] = task
            if status.state is TaskState.TASK_FINISHED:
                counted.told_finished[task.task_id] = None

    def _find(self, kind: Kind, text: str, now: float, *about: str) -> None:
        self.findings.append(Finding(kind, text, now, tuple(str(one) for one in about)))

    # ------------------------------------------------------------------------------------------------ what is learned

    def learned(self, half_at: float) -> tuple[Job, ...]:
        """The jobs there are, from a calm run whose second half began then."""
        return tuple(self._learned(name, counted, half_at) for name, counted in self.counted.items())

    def _learned(self, name: Hashable, counted: Counted, half_at: float) -> Job:
        alive = 0
        if counted.last_launch >= half_at:
            nature = Nature.REPEATED
        elif alive := len(self._alive(counted)):
            nature = Nature.SERVICE
        else:
            nature = Nature.BATCH if counted.finished or counted.failed else Nature.ENDED
        return Job(name, nature, alive or counted.at_once, len(counted.finished))

    # ------------------------------------------------------------------------------------------------ what is missing

    def missing(self, since: float) -> Iterator[Finding]:
        """Look for jobs that do not run though they should; what is repeated has to begin after `since`."""
        for job in (self.jobs or {}).values():
            counted = self.counted.get(job.name, Counted())
            alive = len(self._alive(counted))
            if job.nature is Nature.SERVICE:
                wanted = job.at_once - alive - len(counted.finished)  # in a longer run its end may come after all
            elif job.nature is Nature.REPEATED:
                wanted = int(not alive and counted.last_launch < since)
            elif job.nature is Nature.BATCH and job.finishes:
                wanted = job.finishes - len(counted.finished) - alive
            else:  # it only ever fails, or its scheduler ends it: it has to have been begun
                wanted = int(not counted.tasks)
            if wanted > 0:
                yield self._lost(job, counted, wanted)

    def surplus(self) -> Iterator[Finding]:
        """Look for jobs of which more runs than should."""
        now = self.watch.sim.now
        for job in (self.jobs or {}).values():
            counted = self.counted.get(job.name, Counted())
            alive = [each.task_id for each in self._alive(counted)]
            if len(alive) > job.at_once:
                text = f"{_and(alive)} of job {job.name} still run at {now:.3f} s, {job.at_once} at most should"
                yield Finding(Kind.RAN_TWICE, text, now, tuple(map(str, alive)))

    def _lost(self, job: Job, counted: Counted, wanted: int) -> Finding:
        now = self.watch.sim.now
        alive = [each.task_id for each in self._alive(counted)]
        over = [each for each in counted.tasks.values() if each.task_id not in alive]
        others = "" if job.at_once == 1 and job.finishes <= 1 else f", {wanted} of its tasks are missing"
        if not over:
            unknown = [str(name) for name in self.counted if name not in (self.jobs or {})]
            hint = f"; there are {', '.join(unknown[:3])}, not known from the calm run" if unknown else ""
            text = f"job {job.name} was never launched by {now:.3f} s{others}{hint}"
            return Finding(Kind.JOB_LOST, text, now)
        last = over[-1]
        heard = "nothing at all"
        if last.told is not None:
            at, status = last.told
            heard = f"{status.state} at {at:.3f} s"
        text = f"job {job.name} does not run at {now:.3f} s{others}: {last.task_id} is over, of which was told {heard}"
        return Finding(Kind.JOB_LOST, text, now, (str(last.task_id),))

    def alive(self) -> int:
        """How many tasks of jobs are alive."""
        return sum(len(self._alive(counted)) for counted in self.counted.values())

    def alive_on(self, agent: str) -> int:
        """How many tasks of jobs are alive on that agent's machine."""
        return sum(task_id in self._task for task_id in self.watch.life.alive_on(agent))

    def _alive(self, counted: Counted) -> list[Launched]:
        """The tasks of a job that are alive; who was and is no more is looked at no more."""
        for task_id in [task_id for task_id in counted.begun if not self.watch.life.is_alive(task_id)]:
            del counted.begun[task_id]
        return list(counted.begun.values())


def _and(ids: Sequence[str]) -> str:
    return " and ".join(ids if len(ids) <= NAMED else [*ids[:NAMED], f"{len(ids) - NAMED} more"])


def _run(ids: Sequence[str]) -> str:
    return "runs" if len(ids) == 1 else "run"


def _refused(job_of: JobOf, task: TaskInfo, error: Exception) -> Exception:
    """What is wrong with what says which job a task is."""
    if isinstance(error, CannotBeTried):
        return error
    refused = CannotBeTried(
        f"job_of of task {task.task_id} ({task.name!r}) is no job: {type(error).__name__}: {error}; give a function "
        "from a mesolite TaskInfo to what names its job, such as lambda task: task.name"
    )
    refused.__cause__ = error
    return refused
