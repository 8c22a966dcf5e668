"""What people write, a `Scheduler` or an `Executor`, and the drivers that their callbacks are handed.

Callbacks of one scheduler or executor come one at a time, in order. Names are those of the Mesos driver API
in snake case. A callback that raises ends that framework's driver, or that executor, and nobody else's; so does a
function given to `call_later`. What it raised is never lost: it is in `user_errors` of the cluster or simulation, and
is raised, as itself, by whatever drives the simulation, by `driver.join()`, `cluster.wait_until()` and
`cluster.raise_user_errors()`, and on leaving the `with`. Errors that are wanted are named to `allow_error` before.

A callback that blocks holds up everything else for its scheduler or executor. After 10 s it is named in the log, which
`logger.enable("mesolite")` shows, and at any time by a `cluster.wait_until` whose time is over. Do
what takes long on a thread of your own, and come back with `driver.call_later(0, ...)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Protocol

from mesolite.actors.decisions.driver_calls import DriverStatus
from mesolite.messages.data import Data
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, OfferId, TaskId
from mesolite.messages.infos import AgentInfo, MasterInfo
from mesolite.messages.offers import Filters, InverseOffer, Launch, Offer
from mesolite.messages.tasks import ExecutorInfo, KillPolicy, TaskInfo, TaskState, TaskStatus

Offers = OfferId | Offer | Iterable[OfferId | Offer]
"""Ways to name offers: an offer, an id, or a list of either."""

InverseOffers = OfferId | InverseOffer | Iterable[OfferId | InverseOffer]
"""Ways to name inverse offers: one of them, an id, or a list of either."""


class SchedulerDriver(Protocol):
    """What a scheduler may ask for, from its callbacks or from other threads (core.md FW-40..43).

    Calls return at once with the status of the driver; on one that is not running they do nothing. While no
    master is connected most calls are dropped: what matters is said again after `registered`. After the cluster is
    closed, calls on a driver that nobody had ended are refused, outside of callbacks.
    """

    @property
    def name(self) -> str:
        """The framework's name in its cluster, by which faults, traces and stories know it."""

    @property
    def status(self) -> DriverStatus:
        """Where the driver is in its life."""

    @property
    def error(self) -> str | None:
        """Why it aborted by itself, None if it did not: a master refused the framework, or a callback raised."""

    @property
    def framework_name(self) -> str:
        """The name in the framework's `FrameworkInfo`, which its successors share; `name` is the driver's own."""

    @property
    def framework_id(self) -> FrameworkId | None:
        """The framework's id, once a master has given one; a successor presents it to fail over."""

    def launch_tasks(
        self, offer_ids: Offers, tasks: TaskInfo | Iterable[TaskInfo], filters: Filters | None = None
    ) -> DriverStatus:
        """Use offers of one agent to start tasks there; what is left over is declined with `filters`.

        OfferFilters come as status updates, one per task. No tasks: the offers are declined.
        """

    def accept_offers(
        self, offer_ids: Offers, operations: Launch | Iterable[Launch], filters: Filters | None = None
    ) -> DriverStatus:
        """Use offers of one agent for several operations, carried out in order; see `launch_tasks`."""

    def decline_offer(self, offer_id: Offers, filters: Filters | None = None) -> DriverStatus:
        """Give offers back; their agents are not offered again for `filters.refuse_seconds`, 5 by default."""

    def accept_inverse_offers(
        self,
        inverse_offer_ids: InverseOffers,
        filters: Filters | None = None,
        returning: TaskId | str | Iterable[TaskId | str] | None = None,
    ) -> DriverStatus:
        """Say that what these ask for will be returned in time; it is not taken from you by saying so.

        `returning` names tasks, in the order in which they may be taken if a deadline passes all the same. About a
        maintenance window you are asked again when `filters.refuse_seconds` have passed, 5 by default, as long as you
        hold something there; a reclaim asks once.
        """

    def decline_inverse_offers(
        self, inverse_offer_ids: InverseOffers, filters: Filters | None = None, reason: str | None = None
    ) -> DriverStatus:
        """Say that what these ask for will not be returned in time, and why; the operator sees the reason.

        About a maintenance window you are asked again when `filters.refuse_seconds` have passed, 5 by default; a
        reclaim asks once.
        """

    def kill_task(self, task_id: TaskId | str, kill_policy: KillPolicy | None = None) -> DriverStatus:
        """End a task. A policy given here wins over the task's own; its end comes as a status update."""

    def revive_offers(self) -> DriverStatus:
        """Forget all filters and any suppression, and offer again."""

    def suppress_offers(self) -> DriverStatus:
        """Send no offers until `revive_offers`; remembered across masters."""

    def reconcile_tasks(self, statuses: TaskStatus | Iterable[TaskStatus] = ()) -> DriverStatus:
        """Ask what is known of these tasks, or of all of mine; the answers come as status updates."""

    def acknowledge(self, status: TaskStatus) -> DriverStatus:
        """Say that an update has been dealt with; only for drivers made with explicit acknowledgements."""

    def send_framework_message(
        self, executor_id: ExecutorId | str, agent_id: AgentId | str, data: Data
    ) -> DriverStatus:
        """Tell one of my executors something; it may be lost, and nobody says so."""

    def now(self) -> float:
        """Seconds on the cluster's clock, real or virtual."""

    def call_later(self, delay: float | timedelta, function: Callable[[], object]) -> None:
        """Call a function as if it were a callback, in that many seconds; never after a stop or abort."""

    def stop(self, failover: bool = False) -> DriverStatus:
        """End the driver, and the framework with its tasks; with `failover` those wait for a successor.

        When it returns no callback begins any more. DRIVER_STOPPED; of an aborted driver, which it ends too,
        DRIVER_ABORTED.
        """

    def abort(self) -> DriverStatus:
        """Get no callback any more and no offers; the tasks go on, and `stop` still works.

        When it returns no callback begins any more. DRIVER_ABORTED; of a driver that was stopped DRIVER_STOPPED.
        """

    def join(self, timeout: float | timedelta | None = None) -> DriverStatus:
        """Wait until the driver has stopped or aborted, or that many seconds have passed; not inside its callbacks.

        If an error ended it, that is raised: what a callback raised, unless it is allowed (`allow_error`), or
        `DriverAborted` with the words of the master that refused or removed the framework.
        """


class ExecutorDriver(Protocol):
    """What an executor may ask for, from its callbacks or from other threads (core.md 5.8)."""

    @property
    def name(self) -> str:
        """The executor's name in its cluster, by which faults, traces and stories know it."""

    def send_status_update(
        self, task_id: TaskId | str, state: TaskState, message: str | None = None, data: Data | None = None
    ) -> DriverStatus:
        """Say what state a task is in; delivered at least once, as long as this executor lives."""

    def send_framework_message(self, data: Data) -> DriverStatus:
        """Tell the scheduler something; it may be lost, and nobody says so."""

    def now(self) -> float:
        """Seconds on the cluster's clock, real or virtual."""

    def call_later(self, delay: float | timedelta, function: Callable[[], object]) -> None:
        """Call a function as if it were a callback, in that many seconds; never while shutting down."""

    def stop(self) -> DriverStatus:
        """End this executor; tasks it has not ended by then are reported as failed. No callback begins after that."""


class Scheduler:
    """A framework's own code: override what you care about (docs/write-a-scheduler.md).

    Every callback does nothing by default, but for `resource_offers`, which gives the offers back. A method of yours
    that must have been meant as one, as `statusUpdate` or `resource_offer`, is refused when the scheduler is run.
    """

    def registered(self, driver: SchedulerDriver, framework_id: FrameworkId, master: MasterInfo) -> None:
        """A master knows the framework now: for the first time, or as another instance, or it is new itself.

        `framework_id` is the framework's identity for ever: a successor presents it to fail over.
        """

    def reregistered(self, driver: SchedulerDriver, master: MasterInfo) -> None:
        """The same driver is back with a master that remembers it."""

    def disconnected(self, driver: SchedulerDriver) -> None:
        """The master is gone or was replaced; the driver looks for one, and offers from before are void."""

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        """Resources are yours to use or to decline; each offer is of one agent, and good until rescinded.

        What is neither used nor declined stays with you, and nobody else is offered it. By default all are declined and
        no more are sent until `driver.revive_offers()`: who does not say what to do with offers must not sit on them.
        """
        driver.decline_offer(offers)
        driver.suppress_offers()

    def offer_rescinded(self, driver: SchedulerDriver, offer_id: OfferId) -> None:
        """That offer no longer holds; tasks launched with it all the same are reported lost."""

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        """An operator wants resources back before `unavailability.start`: answer, and move your tasks if you can.

        Empty `resources` mean all you hold on that agent. With `enforced`, what is not returned by then is revoked.
        """

    def inverse_offer_rescinded(self, driver: SchedulerDriver, inverse_offer_id: OfferId) -> None:
        """That request no longer stands; another may follow."""

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        """A task's state has changed, or was asked for; the same update may come more than once.

        It is acknowledged when this returns, unless the driver was made with explicit acknowledgements.
        """

    def framework_message(
        self, driver: SchedulerDriver, executor_id: ExecutorId, agent_id: AgentId, data: Data
    ) -> None:
        """One of your executors says something; best effort."""

    def agent_lost(self, driver: SchedulerDriver, agent_id: AgentId) -> None:
        """An agent has left or cannot be reached; what that means for its tasks comes as status updates."""

    def executor_lost(
        self, driver: SchedulerDriver, executor_id: ExecutorId, agent_id: AgentId, status: int
    ) -> None:
        """One of your executors has ended with this exit status, -1 if not known; best effort."""

    def error(self, driver: SchedulerDriver, message: str) -> None:
        """The driver has aborted: a master refused the framework, or one of your callbacks raised.

        It is the last callback. What was raised reaches whoever joins the driver or drives the simulation all the same.
        If you do not override this, so does the refusal of a framework that no master ever took, as `DriverAborted`.
        """


class PassedOn(Scheduler):
    """A scheduler of another interface, to whom callbacks are passed on (mesolite/compat).

    Attributes:
        scheduler: the user's object.
        driver: what that object is handed for a driver.
    """

    def __init__(self, scheduler: object, driver: object) -> None:
        """Pass them on to that scheduler, which knows that driver."""
        self.scheduler = scheduler
        self.driver = driver


class Executor:
    """What runs tasks on an agent, as user code: override what you care about.

    Every callback does nothing by default, so a task is started and ended by saying so with
    `driver.send_status_update`. A callback that raises, or the constructor, ends the executor: its tasks fail, with a
    message that says what was raised.
    """

    def registered(
        self,
        driver: ExecutorDriver,
        executor_info: ExecutorInfo,
        framework_info: FrameworkInfo,
        agent_info: AgentInfo,
    ) -> None:
        """The agent knows this executor now; comes once, before any task."""

    def launch_task(self, driver: ExecutorDriver, task: TaskInfo) -> None:
        """Start this task, without waiting for its end; `task.data` is what the scheduler put there."""

    def kill_task(self, driver: ExecutorDriver, task_id: TaskId, kill_policy: KillPolicy | None) -> None:
        """End this task and send its last update; the policy is that of the request, None if it has none."""

    def framework_message(self, driver: ExecutorDriver, data: Data) -> None:
        """The scheduler says something; best effort."""

    def shutdown(self, driver: ExecutorDriver) -> None:
        """End all tasks and send their last updates; the executor ends when this returns, or at its grace."""
