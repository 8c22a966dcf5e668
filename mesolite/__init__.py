"""Mesolite: a Mesos you can import, drain and replay.

What people use, and where it is:

    Cluster      real time, threads, real commands      cluster.py
    Simulation   virtual time, a seed, faults           simulation/
    explore      tries what you would not think of      harness/; also sweep, compare and Faults
    Scheduler    what you write; Executor, too          callbacks.py, drivers.py
    Settings     every timing and limit by name         actors/decisions/settings.py
    mesolite     the command, for a terminal            command_line/
    wiring.py    what both clusters are made of; machines.py, what an operator's hands can do to one

Importing this package loads nothing; each name is loaded when it is first used. So the pytest plugin costs nothing in a
project that has Mesolite installed and does not use it.

It logs nothing uninvited: `from loguru import logger; logger.enable("mesolite")` lets it (docs/architecture.md). What
must not be missed is raised.
"""

import importlib
import os
from typing import TYPE_CHECKING

from mesolite.version import __version__ as __version__

if TYPE_CHECKING:
    from mesolite.actors.decisions.contract import PeerExited
    from mesolite.actors.decisions.driver_calls import DriverStatus
    from mesolite.actors.decisions.settings import ReconfigurationPolicy, Settings
    from mesolite.actors.errors import (
        ActorEnded,
        ActorFailed,
        DriverAborted,
        EndlessLoop,
        InvalidValue,
        MesoliteError,
        NameTaken,
        NothingToWaitFor,
        OutcomeUnknown,
        Refused,
        UnknownName,
        UserCodeFailed,
        WorkDirInUse,
        WorkDirUnusable,
        WouldBlock,
        WrongThread,
    )
    from mesolite.actors.runtime.disk import Disk
    from mesolite.actors.trace import Record, Trace, TraceFailure, TraceHead, TraceMoment, TraceState
    from mesolite.actors.user_errors import AllowedErrors, UserError
    from mesolite.callbacks import Executor, ExecutorDriver, Scheduler, SchedulerDriver
    from mesolite.cluster import Cluster
    from mesolite.drain import Drain
    from mesolite.drivers import Driver, MesoliteSchedulerDriver
    from mesolite.harness import (
        ChannelKey,
        Coverage,
        Failure,
        Fault,
        Faults,
        Identity,
        Injection,
        Postponed,
        Reached,
        Script,
    )
    from mesolite.harness.compare import Comparison, compare
    from mesolite.harness.exploration import Exploration
    from mesolite.harness.explore import explore
    from mesolite.harness.sweep import Swept, sweep
    from mesolite.http import Http
    from mesolite.machines import AgentMachine, Machine, MasterMachine
    from mesolite.messages.data import Data
    from mesolite.messages.drains import Blocker, DrainConfig, DrainState, Party
    from mesolite.messages.frameworks import Capability, FrameworkInfo
    from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, OfferId, TaskId, UpdateId
    from mesolite.messages.maintenance import MachineId, MachineMode, Unavailability, Window
    from mesolite.messages.offers import Filters, InverseOffer, InverseOfferStatus, Launch, Offer
    from mesolite.messages.reclaims import AskedFramework, ReclaimState
    from mesolite.messages.resources import ResourceError, Resources
    from mesolite.messages.state import (
        AgentEntry,
        AnswerEntry,
        AskedAgentEntry,
        AskedFrameworkEntry,
        BlockerEntry,
        Books,
        ClusterState,
        CountersEntry,
        DrainConfigEntry,
        DrainEntry,
        DrainingMachineEntry,
        ExecutorEntry,
        FrameworkEntry,
        InverseOfferEntry,
        MachineEntry,
        MaintenanceEntry,
        MaintenanceStatusEntry,
        OfferEntry,
        OpenDrainEntry,
        ReclaimEntry,
        TaskEntry,
        WindowEntry,
    )
    from mesolite.messages.tasks import (
        Cause,
        CommandInfo,
        ContainerStatus,
        ExecutorInfo,
        KillPolicy,
        Reason,
        SimulatedWork,
        Source,
        TaskInfo,
        TaskState,
        TaskStatus,
        Uri,
    )
    from mesolite.operator import Operator
    from mesolite.reclaim import Reclaim
    from mesolite.simulation import (
        AgentView,
        Hold,
        OfferView,
        RunningTask,
        SimulatedCluster,
        Simulation,
        TaskView,
        View,
    )
    from mesolite.simulation.beliefs import Belief, Disagreement
    from mesolite.simulation.http_client import HttpAnswer, HttpClient
    from mesolite.simulation.messages_in_flight import MessageInFlight
    from mesolite.simulation.network import Rule
    from mesolite.simulation.probe import Heard, NotAsExpected, Probe
    from mesolite.simulation.properties import PropertyViolated
    from mesolite.simulation.scripting import When

for _name in ("actors", "messages"):
    # Only where it is unpacked at all, and not where it is imported from an archive.
    if os.path.isdir(__path__[0]) and not os.path.isdir(os.path.join(__path__[0], _name)):
        raise ImportError(
            f"{os.path.join(__path__[0], _name)} must be a symbolic link to ../{_name} and is none here, so mesolite "
            "cannot be used from this checkout: clone with `git clone -c core.symlinks=true`, or install a wheel"
        )


__all__ = [
    "AgentId", "AgentMachine", "AgentView", "AllowedErrors", "AskedFramework", "Belief", "Blocker", "Capability",
    "Cause", "Cluster", "CommandInfo", "ContainerStatus", "Data", "Disagreement", "Disk", "Drain", "DrainConfig",
    "DrainState", "Driver", "DriverAborted", "DriverStatus", "EndlessLoop", "Executor", "ExecutorDriver",
    "ExecutorId", "ExecutorInfo", "Filters", "FrameworkId", "FrameworkInfo", "Heard", "Hold", "Http", "HttpAnswer",
    "HttpClient", "InvalidValue", "InverseOffer", "InverseOfferStatus", "KillPolicy", "Launch", "Machine",
    "MachineId", "MachineMode", "MasterMachine", "MesoliteError", "MesoliteSchedulerDriver", "MessageInFlight",
    "NameTaken", "NotAsExpected", "NothingToWaitFor", "Offer", "OfferId", "OfferView", "Operator", "OutcomeUnknown",
    "Party", "ActorEnded", "ActorFailed", "PeerExited", "Probe", "PropertyViolated", "Reason", "Reclaim",
    "ReclaimState", "ReconfigurationPolicy", "Record", "Refused", "ResourceError", "Resources", "Rule", "RunningTask",
    "Scheduler", "SchedulerDriver", "Settings", "SimulatedCluster", "SimulatedWork", "Simulation", "Source", "TaskId",
    "TaskInfo", "TaskState", "TaskStatus", "TaskView", "Trace", "TraceFailure", "TraceHead", "TraceMoment",
    "TraceState", "Unavailability", "UnknownName", "UpdateId", "Uri", "UserCodeFailed", "UserError", "View", "When",
    "Window", "WorkDirInUse", "WorkDirUnusable", "WouldBlock", "WrongThread", "ChannelKey", "Comparison", "Coverage",
    "Exploration", "Failure", "Fault", "Faults", "Identity", "Injection", "Postponed", "Reached", "Script", "Swept",
    "compare", "explore", "sweep", "AgentEntry", "AnswerEntry", "AskedAgentEntry", "AskedFrameworkEntry",
    "BlockerEntry", "Books", "ClusterState", "CountersEntry", "DrainConfigEntry", "DrainEntry",
    "DrainingMachineEntry", "ExecutorEntry", "FrameworkEntry", "InverseOfferEntry", "MachineEntry",
    "MaintenanceEntry", "MaintenanceStatusEntry", "OfferEntry", "OpenDrainEntry", "ReclaimEntry", "TaskEntry",
    "WindowEntry",
]  # fmt: skip

_MODULE_OF = {
    "AgentMachine": "machines",
    "AgentView": "simulation",
    "AllowedErrors": "actors.user_errors",
    "AskedFramework": "messages.reclaims",
    "Belief": "simulation.beliefs",
    "Blocker": "messages.drains",
    "Capability": "messages.frameworks",
    "Cause": "messages.tasks",
    "Cluster": "cluster",
    "CommandInfo": "messages.tasks",
    "ContainerStatus": "messages.tasks",
    "Data": "messages.data",
    "Disagreement": "simulation.beliefs",
    "Disk": "actors.runtime.disk",
    "Drain": "drain",
    "DrainState": "messages.drains",
    "Driver": "drivers",
    "DriverAborted": "actors.errors",
    "DriverStatus": "actors.decisions.driver_calls",
    "EndlessLoop": "actors.errors",
    "Executor": "callbacks",
    "ExecutorDriver": "callbacks",
    "ExecutorInfo": "messages.tasks",
    "Filters": "messages.offers",
    "FrameworkInfo": "messages.frameworks",
    "Heard": "simulation.probe",
    "Hold": "simulation",
    "Http": "http",
    "HttpAnswer": "simulation.http_client",
    "HttpClient": "simulation.http_client",
    "InvalidValue": "messages.errors",
    "InverseOffer": "messages.offers",
    "KillPolicy": "messages.tasks",
    "Launch": "messages.offers",
    "Machine": "machines",
    "MachineId": "messages.maintenance",
    "MachineMode": "messages.maintenance",
    "MasterMachine": "machines",
    "MesoliteError": "actors.errors",
    "MesoliteSchedulerDriver": "drivers",
    "MessageInFlight": "simulation.messages_in_flight",
    "Probe": "simulation.probe",
    "PropertyViolated": "simulation.properties",
    "When": "simulation.scripting",
    "NameTaken": "actors.errors",
    "NotAsExpected": "simulation.probe",
    "NothingToWaitFor": "actors.errors",
    "Offer": "messages.offers",
    "OfferView": "simulation",
    "Operator": "operator",
    "OutcomeUnknown": "actors.errors",
    "Party": "messages.drains",
    "ActorEnded": "actors.errors",
    "ActorFailed": "actors.errors",
    "PeerExited": "actors.decisions.contract",
    "Reason": "messages.tasks",
    "Reclaim": "reclaim",
    "ReclaimState": "messages.reclaims",
    "ReconfigurationPolicy": "actors.decisions.settings",
    "Record": "actors.trace",
    "Refused": "actors.errors",
    "ResourceError": "messages.resources",
    "Resources": "messages.resources",
    "Rule": "simulation.network",
    "RunningTask": "simulation",
    "Scheduler": "callbacks",
    "SchedulerDriver": "callbacks",
    "Settings": "actors.decisions.settings",
    "SimulatedCluster": "simulation",
    "SimulatedWork": "messages.tasks",
    "Simulation": "simulation",
    "Source": "messages.tasks",
    "TaskInfo": "messages.tasks",
    "TaskState": "messages.tasks",
    "TaskStatus": "messages.tasks",
    "TaskView": "simulation",
    "Trace": "actors.trace",
    "TraceFailure": "actors.trace",
    "TraceHead": "actors.trace",
    "TraceMoment": "actors.trace",
    "TraceState": "actors.trace",
    "Unavailability": "messages.maintenance",
    "UnknownName": "actors.errors",
    "Uri": "messages.tasks",
    "UserCodeFailed": "actors.errors",
    "UserError": "actors.user_errors",
    "View": "simulation",
    "Window": "messages.maintenance",
    "WorkDirInUse": "actors.errors",
    "WorkDirUnusable": "actors.errors",
    "WouldBlock": "actors.errors",
    "WrongThread": "actors.errors",
    **dict.fromkeys(("AgentId", "ExecutorId", "FrameworkId", "OfferId", "TaskId", "UpdateId"), "messages.ids"),
    "DrainConfig": "messages.drains",
    "InverseOfferStatus": "messages.offers",
    **dict.fromkeys(__all__[__all__.index("ChannelKey") : __all__.index("AgentEntry")], "harness"),
    **dict.fromkeys(__all__[__all__.index("AgentEntry") :], "messages.state"),
}
"""Where each public name lives, below `mesolite`."""

_MODULES = (
    "actors", "callbacks", "cluster", "drain", "drivers", "harness", "http", "machines", "messages", "operator",
    "reclaim", "simulation",
)
"""Modules that people reach through the package, as in `mesolite.messages.StatusUpdate`."""

# Hidden from type checkers, which would otherwise believe that every name is here.
if not TYPE_CHECKING:

    def __getattr__(name):
        """Load a public name, or a module, when it is used (PEP 562).

        It is not kept here: whoever takes modules out of `sys.modules`, as pytest's `pytester` does, would be given
        what belongs to none any more.
        """
        if name in _MODULE_OF:
            return getattr(importlib.import_module(f"mesolite.{_MODULE_OF[name]}"), name)
        if name in _MODULES:
            return importlib.import_module(f"mesolite.{name}")
        raise AttributeError(f"module 'mesolite' has no attribute {name!r}")

    def __dir__():
        """List what has been loaded and what will be when it is used."""
        return sorted({*globals(), *_MODULE_OF, *_MODULES})
