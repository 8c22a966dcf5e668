"""Drivers of schedulers: what they say when they end, and what they tell user code of being connected."""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.contract import Callback, CallbackReturned
from mesolite.actors.decisions.driver_calls import AbortCall, AcknowledgeCall, DriverStatus, StopCall
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, does, hears, said, says
from mesolite.messages.scheduler import DeactivateFramework, FrameworkError, Teardown

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
