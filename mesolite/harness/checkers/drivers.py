"""Drivers of schedulers: what they say when they end, and what they tell user code of being connected."""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.contract import Callback, CallbackReturned
from mesolite.actors.decisions.driver_calls import AbortCall, AcceptCall, AcknowledgeCall, DriverStatus, StopCall
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, does, hears, said, says
from mesolite.harness.checkers.reading import waiting_callbacks
from mesolite.messages.relayed import StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.scheduler import (
    AgentLost,
    DeactivateFramework,
    FrameworkError,
    InverseOffers,
    RescindInverseOffer,
    RescindOffer,
    ResourceOffers,
    Subscribe,
    Teardown,
)

CONNECTED = ("registered", "reregistered")
"""The callbacks that say that a driver is connected."""


class OnlyStopsTearDown(Checker):
    """A framework outlives a driver that is to be succeeded (core.md FW-40)."""

    name = "only_stops_tear_down"
    statement = "A driver ends its framework only when its user stops it, and not for a successor."
    assumes = frozenset({Assumption.HONEST})

    @says(ActorRole.SCHEDULER, Teardown)
    def torn_down(self, record: Record, core: Any, message: Teardown, to: str) -> None:
        """A framework is to end: did somebody stop its driver?"""
        if not isinstance(record.event, StopCall) or record.event.failover:
            text = f"{record.actor} ends {message.framework_id} after {type(record.event).__name__}"
            self.violated(text, record.actor, message.framework_id)


class AbortsDeactivate(Checker):
    """Who has aborted is offered nothing more (core.md FW-35, FW-40)."""

    name = "aborts_deactivate"
    statement = "A connected driver that aborts tells its master, whoever or whatever aborted it."
    assumes = frozenset({Assumption.HONEST})

    def __init__(self) -> None:
        """Start with nobody aborted."""
        self._aborted: dict[Any, None] = {}

    def catch_up(self) -> None:
        """Those that have aborted have said what they had to say."""
        cores = [core for _, core in self.watch.reader.all_of(ActorRole.SCHEDULER)]
        self._aborted = dict.fromkeys(core for core in cores if core.status is DriverStatus.DRIVER_ABORTED)

    @hears(ActorRole.SCHEDULER, AbortCall, CallbackReturned, FrameworkError, AcknowledgeCall)
    def handled(self, record: Record, core: Any) -> None:
        """Something happened that may abort a driver."""
        if core.status is not DriverStatus.DRIVER_ABORTED or core in self._aborted:
            return
        self._aborted[core] = None
        if core.connected and not any(said(record, DeactivateFramework)):
            text = f"{record.actor} aborts after {type(record.event).__name__}, and does not tell its master"
            self.violated(text, record.actor)


class DisconnectedIsSaid(Checker):
    """User code knows whether it is connected (core.md EL-55)."""

    name = "disconnected_is_said"
    statement = "Between two callbacks of a driver that say it is connected stands one that says it is not."
    assumes = frozenset({Assumption.HONEST})

    def __init__(self) -> None:
        """Start with nothing said."""
        self._connected: dict[Any, bool] = {}

    @does(ActorRole.SCHEDULER, Callback)
    def called(self, record: Record, core: Any, effect: Callback) -> None:
        """User code is called."""
        if effect.callback in CONNECTED:
            if self._connected.get(core):
                text = f"{record.actor} says {effect.callback} twice in a row, and not disconnected in between"
                self.violated(text, record.actor)
            self._connected[core] = True
        elif effect.callback == "disconnected":
            if not self._connected.get(core, self.watch.is_late):
                self.violated(f"{record.actor} says disconnected, and was not connected", record.actor)
            self._connected[core] = False


FROM_LEADER = (StatusUpdate, ResourceOffers, RescindOffer, InverseOffers, RescindInverseOffer, AgentLost)
"""What a driver passes on to user code if its leader has said it."""


class DriversHearTheirLeader(Checker):
    """What comes from nobody's leader may be long over (core.md EL-58, drain.md 2.6.2)."""

    name = "drivers_hear_their_leader"
    statement = "A driver passes on to its user only what the leader says to which it is connected."
    assumes = frozenset({Assumption.HONEST})

    @hears(ActorRole.SCHEDULER, *FROM_LEADER)
    def heard(self, record: Record, core: Any) -> None:
        """A master says something."""
        leader = core.detector.leader
        if core.connected and leader is not None and leader.name == record.sender:
            return
        if any(isinstance(effect, Callback) for effect in record.effects):
            text = f"{record.actor} passes on a {type(record.event).__name__} of {record.sender}, "
            self.violated(text + "to which it is not connected", record.actor)


class ConnectedDriversAskNoMore(Checker):
    """Who is subscribed subscribes no more (core.md EL-57)."""

    name = "connected_drivers_ask_no_more"
    statement = "A driver that is connected does not subscribe."
    assumes = frozenset({Assumption.HONEST})

    @says(ActorRole.SCHEDULER, Subscribe)
    def subscribes(self, record: Record, core: Any, message: Subscribe, to: str) -> None:
        """A driver subscribes."""
        if core.connected:
            self.violated(f"{record.actor} subscribes with {to}, to which it is connected", record.actor)


class LaunchesIntoNothingAreSaid(Checker):
    """Without a master a launch is lost, and that is said (core.md OF-62, FW-43)."""

    name = "launches_into_nothing_are_said"
    statement = "Of a task that is launched while its driver is not connected its user is told that it never started."
    assumes = frozenset({Assumption.HONEST})

    @hears(ActorRole.SCHEDULER, AcceptCall)
    def launches(self, record: Record, core: Any) -> None:
        """A user launches tasks, as a rule in a callback: what it is told waits until that has returned."""
        if core.connected or core.status is not DriverStatus.DRIVER_RUNNING:
            return
        begun = [effect for effect in record.effects if isinstance(effect, Callback)]
        updates = [each for each in (*begun, *waiting_callbacks(core)) if each.callback == "status_update"]
        told = [update.arguments[0].task_id for update in updates]
        for task_id in (task.task_id for operation in record.event.operations for task in operation.tasks):
            if task_id not in told:
                self.violated(f"{task_id} is launched by {record.actor} without a master, and nobody is told", task_id)


class AcknowledgedWhenTaken(Checker):
    """What user code may never have seen is not acknowledged (drain.md 0.2.12, core.md FW-42)."""

    name = "acknowledged_when_taken"
    statement = "A driver acknowledges by itself only what a callback has returned from."
    assumes = frozenset({Assumption.HONEST})

    @says(ActorRole.SCHEDULER, StatusUpdateAcknowledgement)
    def acknowledges(self, record: Record, core: Any, message: StatusUpdateAcknowledgement, to: str) -> None:
        """A driver acknowledges."""
        if core.implicit_acknowledgements and not isinstance(record.event, CallbackReturned):
            text = f"{record.actor} acknowledges {message.uuid} on {type(record.event).__name__}"
            self.violated(text, message.task_id, record.actor)
