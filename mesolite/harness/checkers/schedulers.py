"""What holds of a good scheduler: a violation is a fault of whoever wrote it, not of Mesolite.

Of jobs only the user knows which task is which: `job_of` says so, by default a task's name is its job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mesolite.actors.decisions.contract import Callback, Started
from mesolite.actors.decisions.driver_calls import AcknowledgeCall, DriverStatus
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, Family, Finding, does, hears, says
from mesolite.messages.ids import FrameworkId, OfferId, TaskId
from mesolite.messages.relayed import KillTask, RunTask, StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.scheduler import (
    AcceptInverseOffers,
    AcceptOffers,
    DeclineInverseOffers,
    FrameworkRegistered,
    FrameworkReregistered,
    RescindInverseOffer,
    ResourceOffers,
)
from mesolite.messages.tasks import TaskInfo, TaskState

PATIENCE_S = 60.0
"""So long a scheduler may take to answer, to acknowledge, or to begin a job anew."""


def named(task: TaskInfo) -> str | None:
    """A task's job, if nobody says otherwise: its name; a task without one is no job."""
    return task.name or None


def _is_running(core: Any) -> bool:
    """Whether a driver is there and connected, neither aborted nor stopped: only then can its scheduler do anything."""
    return core is not None and core.status is DriverStatus.DRIVER_RUNNING and bool(core.connected)


class UpdatesAreAcknowledged(Checker):
    """An agent keeps what is not acknowledged, and drains wait for it."""

    name = "updates_are_acknowledged"
    statement = "A running scheduler acknowledges every update that it is told."
    family = Family.YOURS

    def __init__(self) -> None:
        """Start with nothing told."""
        self._told: dict[str, tuple[str, TaskId, float]] = {}

    @does(ActorRole.SCHEDULER, Callback)
    def called(self, record: Record, core: Any, effect: Callback) -> None:
        """User code is told something."""
        if effect.callback == "status_update" and effect.arguments[0].uuid is not None:
            status = effect.arguments[0]
            self._told.setdefault(status.uuid, (record.actor, status.task_id, record.time))

    @says(ActorRole.SCHEDULER, StatusUpdateAcknowledgement)
    def acknowledged(self, record: Record, core: Any, message: StatusUpdateAcknowledgement, to: str) -> None:
        """It is acknowledged."""
        self._told.pop(message.uuid, None)

    @hears(ActorRole.SCHEDULER, AcknowledgeCall)
    def asked(self, record: Record, core: Any) -> None:
        """The scheduler has done its part, though its driver can say nothing while nobody leads (core.md FW-43)."""
        self._told.pop(record.event.status.uuid, None)

    def calm(self) -> Iterator[Finding]:
        """Look for what is still unacknowledged, with a scheduler that is there."""
        reader, now = self.watch.reader, self.watch.sim.now
        for uuid, (actor, task_id, told_at) in self._told.items():
            if _is_running(reader.core(actor)) and now - told_at > PATIENCE_S:
                yield f"{actor} was told {uuid} of {task_id} at {told_at:.3f} s, and never took it", (actor, task_id)

    def due(self) -> Iterator[float]:
        """Schedulers may take their time."""
        core = self.watch.reader.core
        return (told_at + PATIENCE_S for actor, _, told_at in self._told.values() if _is_running(core(actor)))


class OffersAreAnswered(Checker):
    """What is kept unused, nobody else can have."""

    name = "offers_are_answered"
    statement = "A running scheduler accepts or declines every offer in the end."
    family = Family.YOURS

    def __init__(self) -> None:
        """Start with nothing offered."""
        self._made_at: dict[OfferId, float] = {}

    @hears(ActorRole.SCHEDULER, ResourceOffers)
    def offered(self, record: Record, core: Any) -> None:
        """A driver has offers."""
        for offer in record.event.offers:
            self._made_at[offer.id] = record.time

    def calm(self) -> Iterator[Finding]:
        """Look for what drivers still hold."""
        for context, core in self.watch.reader.all_of(ActorRole.SCHEDULER):
            for offer_id in core.offers if _is_running(core) else ():
                kept_s = self.watch.sim.now - self._made_at.get(offer_id, self.watch.sim.now)
                if kept_s > PATIENCE_S:
                    yield f"{context.name} has kept {offer_id} for {kept_s:.3f} s", (offer_id, context.name)

    def due(self) -> Iterator[float]:
        """Schedulers may take their time."""
        for _, core in self.watch.reader.all_of(ActorRole.SCHEDULER):
            for offer_id in core.offers if _is_running(core) else ():
                yield self._made_at.get(offer_id, self.watch.sim.now) + PATIENCE_S


class InverseOffersAreAnswered(Checker):
    """An operator who asks wants to know."""

    name = "inverse_offers_are_answered"
    statement = "A running scheduler accepts or declines every inverse offer in the end."
    family = Family.YOURS

    def __init__(self) -> None:
        """Start with nothing asked for."""
        self._open: dict[OfferId, tuple[str, float]] = {}

    @does(ActorRole.SCHEDULER, Callback)
    def asked(self, record: Record, core: Any, effect: Callback) -> None:
        """User code is asked for something; of what a deposed leader asks it hears nothing."""
        if effect.callback == "inverse_offers":
            for inverse_offer in effect.arguments[0]:
                self._open[inverse_offer.id] = (record.actor, record.time)

    @says(ActorRole.SCHEDULER, AcceptInverseOffers, DeclineInverseOffers)
    def answered(self, record: Record, core: Any, message: Any, to: str) -> None:
        """It answers."""
        for offer_id in message.inverse_offer_ids:
            self._open.pop(offer_id, None)

    @hears(ActorRole.SCHEDULER, Started, FrameworkRegistered, FrameworkReregistered)
    def began(self, record: Record, core: Any) -> None:
        """What was asked before is void."""
        self._open = {offer_id: asked for offer_id, asked in self._open.items() if asked[0] != record.actor}

    @hears(ActorRole.SCHEDULER, RescindInverseOffer)
    def rescinded(self, record: Record, core: Any) -> None:
        """It is not asked for any more; there was time to answer."""
        actor, asked_at = self._open.pop(record.event.inverse_offer_id, ("", record.time))
        if _is_running(core) and record.time - asked_at > PATIENCE_S:
            offer_id = record.event.inverse_offer_id
            self.violated(_unanswered(actor, offer_id, asked_at), offer_id, actor)

    def overdue(self, now: float) -> Iterator[Finding]:
        """Look for what is still open."""
        for offer_id, (actor, asked_at) in self._open.items():
            if now - asked_at > PATIENCE_S and _is_running(self.watch.reader.core(actor)):
                yield _unanswered(actor, offer_id, asked_at), (offer_id, actor)

    def calm(self) -> Iterator[Finding]:
        """Look as ever."""
        return self.overdue(self.watch.sim.now)

    def due(self) -> Iterator[float]:
        """Schedulers may take their time."""
        core = self.watch.reader.core
        return (asked_at + PATIENCE_S for actor, asked_at in self._open.values() if _is_running(core(actor)))


def _unanswered(actor: str, offer_id: OfferId, asked_at: float) -> str:
    return f"{actor} has not answered {offer_id} since {asked_at:.3f} s"


class NobodyStarves(Checker):
    """Who has nothing gets something, unless others keep it."""

    name = "nobody_starves"
    statement = "A running scheduler that wants offers gets one in the end, and no other keeps all of them."
    family = Family.YOURS

    def __init__(self, *, patience_s: float = 10 * PATIENCE_S) -> None:
        """Whoever has been offered nothing for so long starves, if another holds offers all that time."""
        self._patience_s = patience_s
        self._fed_at: dict[FrameworkId, float] = {}
        self._made_at: dict[OfferId, float] = {}

    @says(ActorRole.MASTER, ResourceOffers)
    def offered(self, record: Record, core: Any, message: ResourceOffers, to: str) -> None:
        """Somebody is offered something."""
        for offer in message.offers:
            self._fed_at[offer.framework_id] = record.time
            self._made_at[offer.id] = record.time

    def overdue(self, now: float) -> Iterator[Finding]:
        """Look for who has nothing, while another keeps offers."""
        m = self.watch.leader()
        if m is None:
            return
        kept = [each for each in m.offers.values() if now - self._made_at.get(each.id, now) > self._patience_s]
        for framework in m.frameworks.values() if kept else ():
            hungry_s = now - max(self._fed_at.get(framework.id, 0.0), m.leading_since)
            driver = self.watch.reader.core(framework.pid) if framework.pid is not None else None
            wants = framework.active and driver is not None and not driver.suppressed and not framework.tasks
            if wants and not framework.offers and hungry_s > self._patience_s:
                keepers = ", ".join(dict.fromkeys(each.framework_id for each in kept))
                text = f"{framework.id} was offered nothing for {hungry_s:.3f} s, while {keepers} keeps offers"
                yield text, (framework.id,)


class _Jobs(Checker):
    """Knows which task is which job."""

    family = Family.YOURS

    def __init__(self, *, job_of: Callable[[TaskInfo], str | None] = named, framework: str | None = None) -> None:
        """Look at the tasks of which `job_of` says a job, of all frameworks or the one of that name."""
        self._job_of = job_of
        self._framework = framework
        self.jobs: dict[TaskId, tuple[FrameworkId, str]] = {}

    @says(ActorRole.SCHEDULER, AcceptOffers)
    def accepted(self, record: Record, core: Any, message: AcceptOffers, to: str) -> None:
        """A scheduler launches tasks."""
        if self._framework not in (None, core.framework_info.name):
            return
        for task in (task for operation in message.operations for task in operation.tasks):
            job = self._job_of(task)
            if job is not None:
                self.jobs[task.task_id] = (message.framework_id, job)
                self.launched(message.framework_id, job, task.task_id)

    def launched(self, framework_id: FrameworkId, job: str, task_id: TaskId) -> None:
        """A task of a job was launched."""


class NoJobTwice(_Jobs):
    """Two copies of one job do each other harm."""

    name = "no_job_twice"
    statement = "No two tasks of one job are really alive at one time."

    @hears(ActorRole.EXECUTOR, RunTask)
    def begins(self, record: Record, core: Any) -> None:
        """An executor gets a task: is another of its job alive?"""
        task_id = record.event.task.task_id
        job = self.jobs.get(task_id)
        others = [each for each, other in self.jobs.items() if job is not None and other == job and each != task_id]
        for other in others:
            if self.watch.life.is_alive(other):
                self.violated(f"{task_id} begins, and {other} of the same job {job} is alive", task_id, other)


class NoJobLost(_Jobs):
    """What was started is wanted, until its scheduler or the job itself ends it."""

    name = "no_job_lost"
    statement = "A job whose tasks have all ended for reasons not their own is begun anew in the end."

    def __init__(self, *, job_of: Callable[[TaskInfo], str | None] = named, framework: str | None = None) -> None:
        """Look at the tasks of which `job_of` says a job, of all frameworks or the one of that name."""
        super().__init__(job_of=job_of, framework=framework)
        self._over: dict[tuple[FrameworkId, str], None] = {}

    def launched(self, framework_id: FrameworkId, job: str, task_id: TaskId) -> None:
        """It is begun, perhaps anew."""
        self._over.pop((framework_id, job), None)

    @says(ActorRole.SCHEDULER, KillTask)
    def killed(self, record: Record, core: Any, message: KillTask, to: str) -> None:
        """Its scheduler ends it."""
        self._end(message.task_id)

    @says(ActorRole.EXECUTOR, StatusUpdate)
    def ended(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """A task says itself how it ended."""
        if message.status.state in (TaskState.TASK_FINISHED, TaskState.TASK_FAILED, TaskState.TASK_ERROR):
            self._end(message.status.task_id)

    def _end(self, task_id: TaskId) -> None:
        job = self.jobs.get(task_id)
        if job is not None:
            self._over[job] = None

    def calm(self) -> Iterator[Finding]:
        """Look for jobs that are not over, without a task that is alive or about to be."""
        m, life = self.watch.leader(), self.watch.life
        tasks: dict[tuple[FrameworkId, str], list[TaskId]] = {}
        for task_id, job in self.jobs.items():
            tasks.setdefault(job, []).append(task_id)
        for (framework_id, name), task_ids in tasks.items():
            framework = m.frameworks.get(framework_id) if m is not None else None
            if framework is None or not framework.connected or (framework_id, name) in self._over:
                continue
            if not any(task_id in framework.tasks or life.is_alive(task_id) for task_id in task_ids):
                yield f"job {name} has ended with {task_ids[-1]}, and nothing has replaced it", (task_ids[-1],)
