"""Mesolite: a Mesos you can import, drain and replay.

What people use, and where it is:

    Cluster      real time, threads, real commands      cluster.py
    Simulation   virtual time, a seed, faults           simulation/
    Scheduler    what you write; Executor, too          callbacks.py, drivers.py
    Settings     every timing and limit by name         actors/decisions/settings.py
    wiring.py    what both clusters are made of; machines.py, what an operator's hands can do to one
"""

if not __debug__:
    raise ImportError(
        "mesolite checks its own books with assertions, which python -O removes; run it without -O and PYTHONOPTIMIZE"
    )

from mesolite.actors.decisions.driver_calls import DriverStatus
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import (
    DriverAborted,
    EndlessLoop,
    InvalidValue,
    MesoliteError,
    NameTaken,
    NothingToWaitFor,
    OutcomeUnknown,
    PartyFailed,
    Refused,
    UserCodeFailed,
    WouldBlock,
    WrongThread,
)
from mesolite.actors.user_errors import AllowedErrors, UserError
from mesolite.callbacks import Executor, ExecutorDriver, Scheduler, SchedulerDriver
from mesolite.cluster import Cluster
from mesolite.drain import Drain
from mesolite.messages.data import Data
from mesolite.messages.drains import DrainState
from mesolite.messages.frameworks import Capability, FrameworkInfo
from mesolite.messages.maintenance import MachineId, MachineMode, Unavailability, Window
from mesolite.messages.offers import Filters, InverseOffer, Launch, Offer
from mesolite.messages.reclaims import ReclaimState
from mesolite.messages.resources import ResourceError, Resources
from mesolite.messages.tasks import (
    Cause,
    CommandInfo,
    ExecutorInfo,
    KillPolicy,
    Reason,
    SimulatedWork,
    Source,
    TaskInfo,
    TaskState,
    TaskStatus,
)
from mesolite.operator import Operator
from mesolite.reclaim import Reclaim
from mesolite.simulation import Simulation

__version__ = "0.1.0"

__all__ = [
    "AllowedErrors",
    "Capability",
    "Cause",
    "Cluster",
    "CommandInfo",
    "Data",
    "Drain",
    "DrainState",
    "DriverAborted",
    "DriverStatus",
    "EndlessLoop",
    "Executor",
    "ExecutorDriver",
    "ExecutorInfo",
    "Filters",
    "FrameworkInfo",
    "InvalidValue",
    "InverseOffer",
    "KillPolicy",
    "Launch",
    "MachineMode",
    "MesoliteError",
    "Operator",
    "NameTaken",
    "MachineId",
    "NothingToWaitFor",
    "Offer",
    "OutcomeUnknown",
    "PartyFailed",
    "Reason",
    "Reclaim",
    "ReclaimState",
    "Refused",
    "ResourceError",
    "Resources",
    "Scheduler",
    "SchedulerDriver",
    "Settings",
    "SimulatedWork",
    "Simulation",
    "Source",
    "TaskInfo",
    "TaskState",
    "TaskStatus",
    "Unavailability",
    "UserCodeFailed",
    "UserError",
    "Window",
    "WouldBlock",
    "WrongThread",
]
