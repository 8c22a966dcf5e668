"""What people derive their schedulers and executors from. Every callback does nothing unless it is overridden.

A callback's arguments are dictionaries in the shapes of the Mesos v1 API; plain ones, or `Dict`s if the driver was made
with `use_addict=True`. Ids are dictionaries with a `value`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Plain = Mapping[str, Any]


class Scheduler:
    """A framework's own code; every callback is handed the `MesosSchedulerDriver` that calls it."""

    def registered(self, driver: Any, frameworkId: Plain, masterInfo: Plain) -> None:
        """A master knows the framework, whose id is new."""

    def reregistered(self, driver: Any, masterInfo: Plain) -> None:
        """A master knows the framework again: after a failover, a lost connection, or as a successor with its id."""

    def disconnected(self, driver: Any) -> None:
        """The master is gone; offers from before are void, and calls do nothing until `reregistered`."""

    def resourceOffers(self, driver: Any, offers: Sequence[Plain]) -> None:
        """Resources to use or decline; what is neither stays with the framework."""

    def inverseOffers(self, driver: Any, offers: Sequence[Plain]) -> None:
        """Resources are asked back before `unavailability` begins."""

    def offerRescinded(self, driver: Any, offerId: Plain) -> None:
        """That offer no longer holds."""

    def inverseOfferRescinded(self, driver: Any, offerId: Plain) -> None:
        """That request no longer stands."""

    def statusUpdate(self, driver: Any, status: Plain) -> None:
        """A task's state has changed, or was asked for; acknowledged when this returns, unless that is left to you."""

    def frameworkMessage(self, driver: Any, executorId: Plain, slaveId: Plain, message: str) -> None:
        """One of your executors says something, in base64; best effort."""

    def slaveLost(self, driver: Any, slaveId: Plain) -> None:
        """An agent has left or cannot be reached."""

    def executorLost(self, driver: Any, executorId: Plain, slaveId: Plain, status: int) -> None:
        """One of your executors has ended with this status."""

    def processHeartBeat(self, driver: Any) -> None:
        """The connection to the master stands; comes right after subscribing, and then every 15 s."""

    def operationStatusUpdate(self, driver: Any, status: Plain) -> None:
        """Never comes: there are no operations with ids here."""

    def error(self, driver: Any, message: str) -> None:
        """The driver has aborted; the last callback."""


class Executor:
    """What runs tasks on an agent; every callback is handed the `MesosExecutorDriver` that calls it."""

    def registered(self, driver: Any, executorInfo: Plain, frameworkInfo: Plain, slaveInfo: Plain) -> None:
        """The agent knows this executor; comes once, before any task."""

    def reregistered(self, driver: Any, slaveInfo: Plain) -> None:
        """Never comes: the driver reconnects to a restarted agent by itself."""

    def disconnected(self, driver: Any) -> None:
        """Never comes: the driver waits for a restarted agent by itself."""

    def launchTask(self, driver: Any, task: Plain) -> None:
        """Start this task, which is just what the scheduler has sent, without waiting for its end."""

    def launchTaskGroup(self, driver: Any, task_infos: Sequence[Plain]) -> None:
        """Never comes: there are no task groups here."""

    def killTask(self, driver: Any, taskId: Plain) -> None:
        """End this task and send its last update."""

    def frameworkMessage(self, driver: Any, message: str) -> None:
        """The scheduler says something, in base64; best effort."""

    def shutdown(self, driver: Any) -> None:
        """End all tasks; the executor ends when this returns, or at its grace."""

    def error(self, driver: Any, message: str) -> None:
        """Never comes."""
