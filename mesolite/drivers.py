"""The drivers that user code is handed: every method puts one call before the actor's core and returns at once.

What ends a driver has taken effect when it returns, as in Mesos: no callback begins after that (core.md FW-40, FW-42).
In simulation a driver may be used from the simulation's own thread only; elsewhere from any thread.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pykka

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import Callback
from mesolite.actors.decisions.driver_calls import (
    AbortCall,
    AbortedBy,
    AcceptCall,
    AcceptInverseCall,
    AcknowledgeCall,
    CallLaterCall,
    DeclineCall,
    DeclineInverseCall,
    DriverStatus,
    ExecutorMessageCall,
    FrameworkMessageCall,
    KillCall,
    ReconcileCall,
    ReviveCall,
    SendStatusUpdateCall,
    StopCall,
    StopExecutorCall,
    SuppressCall,
)
from mesolite.actors.errors import DriverAborted, NothingToWaitFor, WouldBlock, WrongThread
from mesolite.actors.runtime.port import Delivery
from mesolite.actors.user_errors import UserError
from mesolite.callbacks import Executor, InverseOffers, Offers, Scheduler
from mesolite.messages.checking import Duration, Timeout, checked_arguments, in_seconds, optional_seconds, several
from mesolite.messages.data import Data
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, OfferId, TaskId
from mesolite.messages.offers import Filters, InverseOffer, Launch, Offer
from mesolite.messages.tasks import KillPolicy, TaskInfo, TaskState, TaskStatus

LIFE = tuple(DriverStatus)
"""A driver's life goes forward only."""


class Driver:
    """What both drivers share: an actor to put calls before, its clock, and functions to be called later."""

    def __init__(self) -> None:
        """Drive the user's object once its actor has begun."""
        self._actor: MesosActor
        self._functions: dict[int, Callable[[], object]] = {}
        self._call_ids = itertools.count(1)  # drawn from any thread
        self._status = DriverStatus.DRIVER_NOT_STARTED
        self._running = True
        self._turning = threading.RLock()  # a signal's handler may stop a driver that is just being stopped
        """Held while the status changes, or a callback is about to begin."""
        self._calling: int | None = None
        """The thread on which the user is being called."""

    @property
    def still_running(self) -> bool:
        """Whether the user has neither stopped nor aborted the driver."""
        return self._running

    @property
    def name(self) -> str:
        """The actor's name, as faults, traces and stories know it."""
        return self._actor.context.name

    def begin(self, actor: MesosActor) -> None:
        """Learn the actor that runs the user's object; called by that actor."""
        self._actor = actor
        self._status = DriverStatus.DRIVER_RUNNING

    def prepare(self) -> None:
        """Make the user's object, if that is left to the driver; called by the actor."""

    def call(self, callback: Callback) -> None:
        """Call the user's object, or a function that was to be called later; called by the actor.

        A driver that its user has ended calls nothing, though its core may not have heard of that yet.
        """
        with self._turning:
            if not self._running:
                return
            self._calling = threading.get_ident()
        try:
            if callback.callback == "call_later":
                self._functions.pop(callback.arguments[0])()
            else:
                getattr(self.user(), callback.callback)(self, *callback.arguments)
        finally:
            self._calling = None

    def user(self) -> Scheduler | Executor:
        """The user's object."""
        raise TypeError(f"{type(self).__name__} does not say whose driver it is")

    def raised(self, error: UserError) -> None:
        """Learn what the user's code has raised; executors have no use for it."""

    def framework_is(self, info: FrameworkInfo) -> None:
        """Learn which framework it is; executors have no use for it."""

    def status_is(self, status: DriverStatus, error: str | None, aborted_by: AbortedBy | None) -> None:
        """Learn what the core has decided; executors have no use for it."""

    def now(self) -> float:
        """Seconds on the cluster's clock, real or virtual."""
        return self._actor.context.runtime.now()

    @checked_arguments
    def call_later(self, delay: Duration, function: Callable[[], object]) -> None:
        """Call a function as if it were a callback, in that many seconds."""
        call_id = next(self._call_ids)
        self._functions[call_id] = function
        self._ask(CallLaterCall(call_id, in_seconds(delay)))

    def _ask(self, call: object) -> DriverStatus:
        """Put a call before the core, unless the driver is not running; answer with its status (core.md FW-40)."""
        self._check_may_act()
        if self._status is DriverStatus.DRIVER_RUNNING:
            self._tell(call)
        return self._status

    def _end(self, call: object, status: DriverStatus, *ended: DriverStatus) -> DriverStatus:
        """End the driver, if it is running or has `ended` like that; a running one answers with its new status.

        From now on no callback begins, although the core hears of it later, when its turn comes.
        """
        self._check_may_act()
        with self._turning:
            before = self._status
            if before not in (DriverStatus.DRIVER_RUNNING, *ended):
                return before
            self._status, self._running = status, False
        self._tell(call)
        return status if before is DriverStatus.DRIVER_RUNNING else before

    def _check_may_act(self) -> None:
        """Refuse who may not, a thread or who only looks; whoever drives the simulation is told of threads, too, as
        what those raise goes unseen.
        """
        if self._status is DriverStatus.DRIVER_NOT_STARTED:
            return
        runtime = self._actor.context.runtime
        try:
            runtime.check_may_act()
        except WrongThread as wrong:
            runtime.user_errors.note(self.name, "thread", wrong, runtime.now())
            raise

    def _tell(self, call: object) -> None:
        # A driver that has ended does nothing (core.md FW-40).
        with contextlib.suppress(pykka.ActorDeadError):
            self._actor.actor_ref.tell(Delivery(call, self.name, self._cause()))

    def _cause(self) -> int:
        """The record whose callback this is called in, if it is."""
        return self._actor.latest if self._calling == threading.get_ident() else -1


def _offer_ids(offers: Offers | InverseOffers) -> tuple[OfferId, ...]:
    if isinstance(offers, str | Offer | InverseOffer):
        return (OfferId(offers) if isinstance(offers, str) else offers.id,)
    return tuple(OfferId(offer) if isinstance(offer, str) else offer.id for offer in offers)


class MesoliteSchedulerDriver(Driver):
    """A scheduler's driver; the methods are described in `mesolite.SchedulerDriver`."""

    def __init__(self, user: Scheduler) -> None:
        """Not started until its actor has begun."""
        super().__init__()
        self._user = user
        self._framework: FrameworkInfo
        self._ended = threading.Event()
        self._error: str | None = None
        self._aborted_by: AbortedBy | None = None
        self._raised: UserError | None = None

    @property
    def status(self) -> DriverStatus:
        """Where the driver is in its life."""
        return self._status

    @property
    def error(self) -> str | None:
        """Why it aborted by itself: a master refused the framework, or a callback raised; and what was raised later."""
        return self._error

    @property
    def framework_name(self) -> str:
        """The name in the framework's `FrameworkInfo`, which its successors share; `name` is the driver's own."""
        return self._framework.name

    @property
    def framework_id(self) -> FrameworkId | None:
        """The framework's id, once a master has given one; a successor presents it to fail over."""
        return self._framework.id

    def user(self) -> Scheduler:
        """The user's scheduler."""
        return self._user

    def call(self, callback: Callback) -> None:
        """Call the user's scheduler. If it does not care for errors, a framework that was never taken is one for all.

        Raises:
            DriverAborted: a master refused the framework from the start, and nobody else would tell of it.
        """
        super().call(callback)
        if callback.callback == "error" and self.framework_id is None and type(self._user).error is Scheduler.error:
            core: Any = self._actor.core
            if core.aborted_by is AbortedBy.MASTER:
                raise DriverAborted(f"{self.name} was refused: {callback.arguments[0]}")

    def _ask(self, call: object) -> DriverStatus:
        """Put a call before the core.

        Raises:
            Refused: the cluster is closed. Not inside a callback, which closing may overtake.
        """
        if self._status is DriverStatus.DRIVER_RUNNING and self._calling != threading.get_ident():
            self._check_may_act()
            self._actor.context.runtime.check_open()
        return super()._ask(call)

    def framework_is(self, info: FrameworkInfo) -> None:
        """Learn which framework it is, by which id as soon as a master has given one; called by the actor."""
        self._framework = info

    def raised(self, error: UserError) -> None:
        """Learn what the user's code has raised; the first error ends a driver that has not ended."""
        self._raised = self._raised or error

    def status_is(self, status: DriverStatus, error: str | None, aborted_by: AbortedBy | None) -> None:
        """Learn what the core has decided. It may be behind: what the user has decided since then stands."""
        with self._turning:
            if self._running or self._aborted_by is not None or aborted_by is None:
                self._error, self._aborted_by = error, aborted_by
            if LIFE.index(status) > LIFE.index(self._status):
                self._status = status
            if status in (DriverStatus.DRIVER_ABORTED, DriverStatus.DRIVER_STOPPED):
                self._running = False
                self._ended.set()

    @checked_arguments
    def launch_tasks(
        self, offer_ids: Offers, tasks: TaskInfo | Iterable[TaskInfo], filters: Filters | None = None
    ) -> DriverStatus:
        """Use offers of one agent to start tasks there."""
        return self.accept_offers(offer_ids, Launch(tasks=tasks), filters)

    @checked_arguments
    def accept_offers(
        self, offer_ids: Offers, operations: Launch | Iterable[Launch], filters: Filters | None = None
    ) -> DriverStatus:
        """Use offers of one agent for several operations."""
        return self._ask(AcceptCall(_offer_ids(offer_ids), several(operations), filters or Filters()))

    @checked_arguments
    def decline_offer(self, offer_id: Offers, filters: Filters | None = None) -> DriverStatus:
        """Give offers back."""
        return self._ask(DeclineCall(_offer_ids(offer_id), filters or Filters()))

    @checked_arguments
    def accept_inverse_offers(
        self,
        inverse_offer_ids: InverseOffers,
        filters: Filters | None = None,
        returning: TaskId | str | Iterable[TaskId | str] | None = None,
    ) -> DriverStatus:
        """Say that what is asked for will be returned."""
        tasks = (returning,) if isinstance(returning, str) else returning or ()
        wanted = tuple(TaskId(task_id) for task_id in tasks)
        return self._ask(AcceptInverseCall(_offer_ids(inverse_offer_ids), filters or Filters(), wanted))

    @checked_arguments
    def decline_inverse_offers(
        self, inverse_offer_ids: InverseOffers, filters: Filters | None = None, reason: str | None = None
    ) -> DriverStatus:
        """Say that what is asked for will not be returned, and why."""
        return self._ask(DeclineInverseCall(_offer_ids(inverse_offer_ids), filters or Filters(), reason or ""))

    @checked_arguments
    def kill_task(self, task_id: TaskId | str, kill_policy: KillPolicy | None = None) -> DriverStatus:
        """End a task."""
        return self._ask(KillCall(TaskId(task_id), kill_policy))

    def revive_offers(self) -> DriverStatus:
        """Offer again."""
        return self._ask(ReviveCall())

    def suppress_offers(self) -> DriverStatus:
        """Send no offers until revived."""
        return self._ask(SuppressCall())

    @checked_arguments
    def reconcile_tasks(self, statuses: TaskStatus | Iterable[TaskStatus] = ()) -> DriverStatus:
        """Ask what is known of these tasks, or of all."""
        return self._ask(ReconcileCall(several(statuses)))

    @checked_arguments
    def acknowledge(self, status: TaskStatus) -> DriverStatus:
        """Say that an update has been dealt with."""
        return self._ask(AcknowledgeCall(status))

    @checked_arguments
    def send_framework_message(
        self, executor_id: ExecutorId | str, agent_id: AgentId | str, data: Data
    ) -> DriverStatus:
        """Tell one of my executors something, best effort."""
        return self._ask(FrameworkMessageCall(ExecutorId(executor_id), AgentId(agent_id), data))

    @checked_arguments
    def stop(self, failover: bool = False) -> DriverStatus:
        """End the driver, and, without failover, the framework with its tasks."""
        return self._end(StopCall(failover), DriverStatus.DRIVER_STOPPED, DriverStatus.DRIVER_ABORTED)

    def abort(self) -> DriverStatus:
        """Get no callback any more and no offers; the tasks go on."""
        return self._end(AbortCall(), DriverStatus.DRIVER_ABORTED)

    @checked_arguments
    def join(self, timeout: Timeout | None = None) -> DriverStatus:
        """Wait until the driver has stopped or aborted, or that many seconds, in simulation virtual ones, are over.

        Raises:
            Exception: what a callback raised, if that ended the driver and is not allowed; each time it is joined.
            DriverAborted: a master refused or removed the framework; the text says why.
            WouldBlock: inside one of its own callbacks; in simulation, inside any.
            Refused: the cluster is closed, and the driver had not ended. Who waits while it is closed is let go.
            NothingToWaitFor: in simulation, without a time-out: nothing is to come but pings, heartbeats and retries.
        """
        runtime = self._actor.context.runtime
        if self._calling == threading.get_ident():
            raise WouldBlock(
                f"{self.name} tried to join its own driver inside a callback, which cannot end before that returns; "
                "call stop() and return, and join where the driver was made"
            )
        if self._running:
            runtime.check_open()
        try:
            runtime.wait(self._ended.is_set, optional_seconds(timeout))
        except NothingToWaitFor as why:
            raise NothingToWaitFor(f"the driver of {self.name} is not stopped by anybody; {why}") from None
        if self._aborted_by is AbortedBy.USER_CODE and self._raised is not None:
            runtime.user_errors.raise_again(self._raised)
        elif self._aborted_by is not None:
            raise DriverAborted(f"{self.name} was aborted: {self._error}")
        return self._status


class MesoliteExecutorDriver(Driver):
    """An executor's driver; the methods are described in `mesolite.ExecutorDriver`."""

    def __init__(self, make: type[Executor]) -> None:
        """Make the user's object when it is first called: its constructor is user code, too."""
        super().__init__()
        self._make = make
        self._user: Executor | None = None

    def prepare(self) -> None:
        """Make the user's executor."""
        if self._user is None:
            self._user = self._make()

    def user(self) -> Executor:
        """The user's executor."""
        assert self._user is not None, "an executor is made before it is called"
        return self._user

    @checked_arguments
    def send_status_update(
        self, task_id: TaskId | str, state: TaskState, message: str | None = None, data: Data | None = None
    ) -> DriverStatus:
        """Say what state a task is in."""
        said = "" if data is None else data  # empty bytes are not empty text
        return self._ask(SendStatusUpdateCall(TaskId(task_id), state, message or "", said, self.now()))

    @checked_arguments
    def send_framework_message(self, data: Data) -> DriverStatus:
        """Tell the scheduler something, best effort."""
        return self._ask(ExecutorMessageCall(data))

    def stop(self) -> DriverStatus:
        """End this executor."""
        return self._end(StopExecutorCall(), DriverStatus.DRIVER_STOPPED)
