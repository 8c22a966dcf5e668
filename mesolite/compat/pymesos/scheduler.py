"""`MesosSchedulerDriver`: pymesos's calls and callbacks over our own driver. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any

from mesolite.actors.errors import InvalidValue, Refused
from mesolite.callbacks import PassedOn, SchedulerDriver
from mesolite.compat.pymesos import reading, writing
from mesolite.compat.pymesos.dicts import Dict
from mesolite.compat.pymesos.executor import DAY, hosted
from mesolite.compat.pymesos.interface import Plain, Scheduler
from mesolite.compat.pymesos.place import place_of
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages.checking import Duration
from mesolite.messages.data import Data
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, OfferId, TaskId, UpdateId
from mesolite.messages.infos import MasterInfo
from mesolite.messages.offers import InverseOffer, Offer
from mesolite.messages.tasks import TaskState, TaskStatus
from mesolite.slips import check_callbacks

HEARTBEAT_S = 15.0
"""How often a master says that the connection stands (HT-64)."""


class MesosSchedulerDriver:
    """What a scheduler may ask for, with pymesos's names: nothing happens while no master is connected.

    Attributes:
        sched: the scheduler whose callbacks are called.
        master_uri: as given.
        implicit_acknowledgements: whether a status is acknowledged when `statusUpdate` returns.
        version: of Mesos; None before a master is connected.
        connected: whether a master knows the framework now.
    """

    def __init__(
        self,
        sched: Any,
        framework: MutableMapping[str, Any],
        master_uri: object,
        use_addict: bool = False,
        implicit_acknowledgements: bool = True,
        principal: str | None = None,
        secret: str | None = None,
        failover: bool = False,
        timeout: float = DAY,
    ) -> None:
        """Prepare a framework; `start()` begins. Its id is put into `framework` as soon as a master has given one.

        `master_uri`: a cluster, or any text inside of `with on(cluster):`. `secret`, `failover` and `timeout` have no
        effect: nobody asks for a secret, no thread of a driver dies, no connection times out.

        Raises:
            InvalidValue: that is no framework.
            Refused: no cluster is known.
        """
        if not isinstance(framework, MutableMapping):
            raise InvalidValue(f"framework cannot be {reading.shown(framework)}: it must be a dict")
        self.sched = sched
        self.master_uri = master_uri
        self.implicit_acknowledgements = implicit_acknowledgements
        self.version: str | None = None
        self.connected = False
        self.shape: Callable[[dict[str, Any]], Any] = Dict if use_addict else dict
        self._framework = framework
        self._principal, self._secret, self._failover, self._timeout = principal, secret, failover, timeout
        self._place = place_of(master_uri)
        self._native: MesoliteSchedulerDriver | None = None
        self._master: MasterInfo | None = None
        self._suppressed = False
        self._subscription = 0

    @property
    def framework(self) -> dict[str, Any]:
        """Who subscribes, as a master is told."""
        return {"failover_timeout": reading.FAILOVER_TIMEOUT_S, **self._framework}

    @property
    def framework_id(self) -> str | None:
        """The framework's id, None before it has one."""
        known = self._framework.get("id")
        return known.get("value") if isinstance(known, Mapping) else None

    @framework_id.setter
    def framework_id(self, value: str) -> None:
        self._framework["id"] = {"value": value}

    @property
    def master(self) -> str | None:
        """The master that is connected, as host and port; None while there is none."""
        return None if self._master is None else f"{self._master.name}:{writing.MASTER_PORT}"

    @property
    def aborted(self) -> bool:
        """Whether it is not running: not started yet, or ended, by whomever."""
        return self._native is None or not self._native.still_running

    # --- its life ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Look for a master and subscribe; callbacks come from now on. Of a running driver: nothing.

        Raises:
            Refused: a callback is misspelt, the framework asks for what does not exist here, the cluster is closed.
        """
        if not self.aborted:
            return
        check_callbacks(type(self.sched), Scheduler)
        info = reading.framework_info(self.framework, self._principal)
        cares = getattr(type(self.sched), "error", Scheduler.error) is not Scheduler.error
        self._native = self._place.cluster.run(
            CallbacksAndErrors(self) if cares else Callbacks(self),
            info,
            executors={name: hosted(program) for name, program in self._place.executors.items()},
            implicit_acknowledgements=self.implicit_acknowledgements,
        )

    def stop(self, failover: bool = False) -> None:
        """End the driver, and the framework with its tasks; with `failover` those wait for a successor."""
        self.forget_master()
        if self._native is not None:
            self._native.stop(failover)

    def abort(self) -> None:
        """End the driver and the framework: as in pymesos, the same as `stop()`."""
        self.stop()

    def join(self) -> None:
        """Wait until the driver has ended; if an error has ended it, that is raised.

        Raises:
            Exception: what a callback has raised.
            DriverAborted: a master refused or removed the framework.
            NothingToWaitFor: in simulation: nobody is going to stop it.
        """
        if self._native is not None:
            self._native.join()

    def run(self) -> None:
        """Start, and wait for the end; see `join`."""
        self.start()
        self.join()

    # --- what a scheduler asks for -------------------------------------------------------------------------

    def acceptOffers(self, offer_ids: Any, operations: Any, filters: Plain | None = None) -> None:
        """Use offers of one agent for these operations, of which there is LAUNCH only. No operations: decline them."""
        if not operations:
            self.declineOffer(offer_ids, filters)
        elif native := self._connected:
            launches = reading.operations(operations, self._place.executors)
            native.accept_offers(self._offers(offer_ids), launches, reading.filters(filters))

    def launchTasks(self, offer_ids: Any, tasks: Any, filters: Plain | None = None) -> None:
        """Use offers of one agent to start tasks there. No tasks: decline them."""
        if not tasks:
            self.declineOffer(offer_ids, filters)
        elif native := self._connected:
            infos = [reading.task_info(item, at, self._place.executors) for at, item in reading.several(tasks, "tasks")]
            native.launch_tasks(self._offers(offer_ids), infos, reading.filters(filters))

    def declineOffer(self, offer_ids: Any, filters: Plain | None = None) -> None:
        """Give offers back."""
        if native := self._connected:
            native.decline_offer(self._offers(offer_ids), reading.filters(filters))

    def acceptInverseOffers(self, offer_ids: Any, filters: Plain | None = None) -> None:
        """Say that what these ask for will be returned in time."""
        if native := self._connected:
            native.accept_inverse_offers(self._offers(offer_ids), reading.filters(filters))

    def declineInverseOffer(self, offer_ids: Any, filters: Plain | None = None) -> None:
        """Say that what these ask for will not be returned in time."""
        if native := self._connected:
            native.decline_inverse_offers(self._offers(offer_ids), reading.filters(filters))

    def reviveOffers(self, roles: Sequence[str] = ()) -> None:
        """Forget all filters and any suppression, and offer again."""
        self._check_roles(roles)
        if native := self._connected:
            self._suppressed = False
            native.revive_offers()

    def suppressOffers(self, roles: Sequence[str] = ()) -> None:
        """Send no offers until `reviveOffers`, or until another master leads: pymesos does not tell that one."""
        self._check_roles(roles)
        if native := self._connected:
            self._suppressed = True
            native.suppress_offers()

    def killTask(self, task_id: Plain) -> None:
        """End a task."""
        if native := self._connected:
            native.kill_task(reading.identifier(task_id, "task_id"))

    def acknowledgeStatusUpdate(self, status: Plain) -> None:
        """Say that an update has been dealt with. Without effect where that is said by itself, or has no `uuid`."""
        native = self._connected
        if native is None or self.implicit_acknowledgements or not status.get("uuid"):
            return
        native.acknowledge(
            TaskStatus(
                task_id=TaskId(reading.identifier(status.get("task_id"), "status.task_id")),
                agent_id=AgentId(reading.identifier(status.get("agent_id"), "status.agent_id")),
                uuid=UpdateId(reading.data(status["uuid"], "status.uuid").decode(errors="replace")),
                state=TaskState.TASK_RUNNING,  # whatever it is: nobody looks at it
            )
        )

    def reconcileTasks(self, tasks: Iterable[Plain]) -> None:
        """Ask what is known of these tasks, or, without any, of all; the answers come as status updates."""
        if native := self._connected:
            asked = [reading.mapping(item, at).get("task_id") for at, item in reading.several(tasks, "tasks")]
            ids = [reading.identifier(task_id, "tasks[].task_id") for task_id in asked]
            native.reconcile_tasks([TaskStatus(task_id=TaskId(one), state=TaskState.TASK_RUNNING) for one in ids])

    def sendFrameworkMessage(self, executor_id: Plain, agent_id: Plain, data: str) -> None:
        """Tell one of my executors something, in base64; best effort."""
        if native := self._connected:
            executor, agent = reading.identifier(executor_id, "executor_id"), reading.identifier(agent_id, "agent_id")
            native.send_framework_message(executor, agent, reading.data(data, "data"))

    def requestResources(self, requests: object) -> None:
        """Nothing follows from it, as in Mesos (HT-147)."""

    def reconcileOperations(self, operations_: object) -> None:
        """Refuse it.

        Raises:
            Refused: always.
        """
        raise Refused("reconcileOperations(): there are no operations with ids here, only LAUNCH; leave it out")

    def acknowledgeOperationStatusUpdate(self, status: object) -> None:
        """Refuse it.

        Raises:
            Refused: always.
        """
        raise Refused("acknowledgeOperationStatusUpdate(): there are no operations with ids here; leave it out")

    def now(self) -> float:
        """Seconds on the cluster's clock, real or virtual; pymesos has no such thing."""
        return self._place.cluster.now

    def call_later(self, delay: Duration, function: Callable[[], object]) -> None:
        """Call a function as if it were a callback, in that many seconds; pymesos has no such thing.

        Raises:
            Refused: the driver was not started.
        """
        if self._native is None:
            raise Refused("call_later() of a driver that was not started: call start() before")
        self._native.call_later(delay, function)

    # --- for its callbacks ---------------------------------------------------------------------------------

    def subscribed(self, native: SchedulerDriver, framework_id: FrameworkId, master: MasterInfo) -> None:
        """Pass on that a master knows the framework: `registered` if it has had no id so far, as in pymesos."""
        again = self.framework_id is not None
        self._native = native  # type: ignore[assignment]  # on threads this may come before `start` has it
        self.connected, self._master, self.version = True, master, writing.VERSION
        self._subscription += 1
        self.framework_id = framework_id
        info = self.shape(writing.master_info(master))
        if again:
            self.sched.reregistered(self, info)
        else:
            self.sched.registered(self, self.shape(writing.identifier(framework_id)), info)
        if getattr(type(self.sched), "processHeartBeat", Scheduler.processHeartBeat) is not Scheduler.processHeartBeat:
            self._beat(native, self._subscription)

    def _beat(self, native: SchedulerDriver, subscription: int) -> None:
        # Only for schedulers that listen: who does not must cost nothing, nor keep a simulation from ending.
        if self.connected and self._subscription == subscription:
            self.sched.processHeartBeat(self)
            native.call_later(HEARTBEAT_S, lambda: self._beat(native, subscription))

    def left(self) -> None:
        """Learn that no master is connected any more."""
        if self.connected and self._suppressed and self._native is not None:
            self._native.revive_offers()  # pymesos does not tell the next master that it wants none
        self.forget_master()

    def forget_master(self) -> None:
        """Hold no master for connected: calls do nothing from now on."""
        self.connected, self._suppressed, self._master = False, False, None

    def refused(self, native: SchedulerDriver) -> None:
        """Learn that our driver has aborted, perhaps before `start` has it."""
        self._native = native  # type: ignore[assignment]
        self.forget_master()

    @property
    def _connected(self) -> MesoliteSchedulerDriver | None:
        return self._native if self.connected else None

    def _offers(self, plain: Any) -> list[OfferId]:
        return [OfferId(one) for one in reading.identifiers(plain, "offer_ids")]

    def _check_roles(self, roles: Sequence[str]) -> None:
        own = self._framework.get("role") or "*"
        if others := [role for role in roles if role not in (own, *self._framework.get("roles", ()))]:
            raise Refused(f"roles={others!r}: this framework has the role {own!r}; leave roles out")


class Callbacks(PassedOn):
    """What our driver calls, passed on in pymesos's words."""

    def __init__(self, theirs: MesosSchedulerDriver) -> None:
        """Pass it on to this driver's scheduler."""
        super().__init__(theirs.sched, theirs)
        self._theirs = theirs
        self._sched = theirs.sched

    def registered(self, driver: SchedulerDriver, framework_id: FrameworkId, master: MasterInfo) -> None:
        """Pass it on."""
        self._theirs.subscribed(driver, framework_id, master)

    def reregistered(self, driver: SchedulerDriver, master: MasterInfo) -> None:
        """Pass it on."""
        assert driver.framework_id is not None, "a framework that is known has an id"
        self._theirs.subscribed(driver, driver.framework_id, master)

    def disconnected(self, driver: SchedulerDriver) -> None:
        """Pass it on."""
        self._theirs.left()
        self._sched.disconnected(self._theirs)

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        """Pass it on."""
        shape, understood = self._theirs.shape, reading.declared(self._theirs.framework)
        self._sched.resourceOffers(self._theirs, [shape(writing.offer(offer, understood)) for offer in offers])

    def offer_rescinded(self, driver: SchedulerDriver, offer_id: OfferId) -> None:
        """Pass it on."""
        self._sched.offerRescinded(self._theirs, self._id(offer_id))

    def inverse_offers(self, driver: SchedulerDriver, inverse_offers: tuple[InverseOffer, ...]) -> None:
        """Pass it on."""
        shape = self._theirs.shape
        self._sched.inverseOffers(self._theirs, [shape(writing.inverse_offer(offer)) for offer in inverse_offers])

    def inverse_offer_rescinded(self, driver: SchedulerDriver, inverse_offer_id: OfferId) -> None:
        """Pass it on."""
        self._sched.inverseOfferRescinded(self._theirs, self._id(inverse_offer_id))

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        """Pass it on."""
        self._sched.statusUpdate(self._theirs, self._theirs.shape(writing.status(status)))

    def framework_message(
        self, driver: SchedulerDriver, executor_id: ExecutorId, agent_id: AgentId, data: Data
    ) -> None:
        """Pass it on."""
        self._sched.frameworkMessage(self._theirs, self._id(executor_id), self._id(agent_id), writing.data(data))

    def agent_lost(self, driver: SchedulerDriver, agent_id: AgentId) -> None:
        """Pass it on."""
        self._sched.slaveLost(self._theirs, self._id(agent_id))

    def executor_lost(self, driver: SchedulerDriver, executor_id: ExecutorId, agent_id: AgentId, status: int) -> None:
        """Pass it on."""
        self._sched.executorLost(self._theirs, self._id(executor_id), self._id(agent_id), status)

    def _id(self, value: str) -> Any:
        return self._theirs.shape(writing.identifier(value))


class CallbacksAndErrors(Callbacks):
    """The same for a scheduler that has an `error` of its own. Others are told of a refusal by its being raised."""

    def error(self, driver: SchedulerDriver, message: str) -> None:
        """Pass it on."""
        self._theirs.refused(driver)
        self._sched.error(self._theirs, message)
