"""What is said: the lowest storey, which every other may import and which imports none of them.

Messages are frozen, slotted, keyword-only attrs classes with no behaviour beyond checking themselves. They
carry names, never actor references, futures or callbacks. Orders are imperative, facts are in the past tense,
replies name the question. A class name is unique across the storey, because it is the tag on the wire.

Nouns (what is talked about) and conversations (who says what to whom, one module per pair of actors) live in
modules of their own; `codec` turns all of them into JSON and back. Everything can be had from here by its own
name, as in `from mesolite.messages import Offer, TaskInfo`; inside the project modules are named:
`from mesolite.messages.tasks import TaskInfo`. The link mesolite/messages leads here.

Who says what to whom is in `conversations`, as a table.
"""

# Under its bare name this would be a second copy of every class, equal in name and different to isinstance().
if __name__ != "mesolite.messages":
    raise ImportError(
        f"this package is mesolite.messages and was imported as {__name__!r}: "
        "write `from mesolite.messages import ...`"
    )

# Everything of Mesolite comes by here, so that this is said once, and only to those who use it.
if not __debug__:
    raise ImportError(
        "mesolite checks its own books with assertions, which python -O removes; run it without -O and PYTHONOPTIMIZE"
    )

# Below the guards, or these would load the second copy before it speaks.

from mesolite.messages.agent import (
    AgentDrained,
    AgentRegistered,
    AgentReregistered,
    DrainAgent,
    ExitedExecutor,
    PingAgent,
    PongAgent,
    Reconciliation,
    RegisterAgent,
    ReregisterAgent,
    RevokeExecutor,
    RevokeTask,
    ShutdownAgent,
    ShutdownFramework,
    UnregisterAgent,
    UpdateFramework,
)
from mesolite.messages.base import Message
from mesolite.messages.checkpoints import ExecutorCheckpoint, FrameworkCheckpoint, TaskCheckpoint
from mesolite.messages.data import Data
from mesolite.messages.drains import Blocker, DrainConfig, DrainInfo, DrainState, Party
from mesolite.messages.election import (
    ELECTOR,
    DetectLeader,
    ElectionJoined,
    ElectionLeft,
    ExpireSession,
    JoinElection,
    KeepSession,
    LeaderDetected,
    LeaveElection,
    SessionExpired,
    SessionKept,
)
from mesolite.messages.executor import (
    ExecutorRegistered,
    ExecutorReregistered,
    ReconnectExecutor,
    RegisterExecutor,
    ReregisterExecutor,
    ShutdownExecutor,
)
from mesolite.messages.facts import AgentStatus, DrainForgotten, MasterStatus, ReclaimForgotten
from mesolite.messages.frameworks import Capability, FrameworkInfo
from mesolite.messages.ids import (
    ActorName,
    AgentId,
    DrainId,
    ExecutorId,
    FrameworkId,
    OfferId,
    ReclaimId,
    TaskId,
    UpdateId,
    WriteId,
)
from mesolite.messages.infos import AgentInfo, ExecutorSummary, MasterInfo
from mesolite.messages.maintenance import MachineId, MachineMode, Maintenance, Unavailability, Window
from mesolite.messages.offers import Filters, InverseOffer, InverseOfferStatus, Launch, Offer
from mesolite.messages.operator import (
    CallAnswered,
    DeactivateAgentCall,
    DrainAgentCall,
    MarkAgentGoneCall,
    ReactivateAgentCall,
    ReclaimResourcesCall,
    ReleaseReclaimCall,
    StartMaintenanceCall,
    StopMaintenanceCall,
    TeardownFrameworkCall,
    UpdateMaintenanceScheduleCall,
)
from mesolite.messages.queries import (
    GetDrain,
    GetDrains,
    GetFramework,
    GetHoldings,
    GetMaintenanceSchedule,
    GetMaintenanceStatus,
    GetReclaim,
    GetReclaims,
    GetSnapshot,
    GetState,
    QueryAnswered,
)
from mesolite.messages.reclaims import AskedFramework, Demand, ReclaimInfo, ReclaimState, ReclaimView
from mesolite.messages.registrar import (
    AdmitAgent,
    AdmittedAgent,
    ApplyOperation,
    DeactivateAgent,
    DeactivatedAgent,
    EndDrain,
    EndReclaim,
    GoneAgent,
    MarkAgentGone,
    MarkAgentReachable,
    MarkAgentUnreachable,
    Operation,
    OperationApplied,
    PruneAgents,
    ReactivateAgent,
    RecoverRegistry,
    Registry,
    RegistryRecovered,
    RegistryRefused,
    RemoveAgent,
    StartDrain,
    StartReclaim,
    UnreachableAgent,
    UpdateMaintenance,
)
from mesolite.messages.relayed import (
    ExecutorToFramework,
    FrameworkToExecutor,
    KillTask,
    RunTask,
    ShutdownExecutorOf,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.remote import (
    ExecutorCalled,
    ExecutorConnected,
    ExecutorSubscribed,
    FrameworkSubscribed,
    SchedulerCalled,
    StreamLost,
)
from mesolite.messages.resources import ResourceError, Resources
from mesolite.messages.scheduler import (
    AcceptInverseOffers,
    AcceptOffers,
    AgentLost,
    DeactivateFramework,
    DeclineInverseOffers,
    DeclineOffers,
    FrameworkError,
    FrameworkRegistered,
    FrameworkReregistered,
    InverseOffers,
    ReconcileTasks,
    RescindInverseOffer,
    RescindOffer,
    ResourceOffers,
    ReviveOffers,
    Subscribe,
    SuppressOffers,
    Teardown,
)
from mesolite.messages.snapshot import (
    AgentHoldings,
    AgentSnapshot,
    ClusterSnapshot,
    ExecutorSnapshot,
    FrameworkSnapshot,
    HeldExecutor,
    HeldFramework,
    HeldTask,
    TaskSnapshot,
)
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
    Task,
    TaskInfo,
    TaskState,
    TaskStatus,
    Uri,
)
from mesolite.messages.watching import (
    AgentAdded,
    AgentRemoved,
    ClusterWatched,
    FrameworkAdded,
    FrameworkRemoved,
    FrameworkUpdated,
    MasterStanding,
    TaskAdded,
    TaskUpdated,
    WatchCluster,
    WatchStanding,
)

# The codec takes the kinds it knows from here: what has no place in this list cannot be sent or stored.
__all__ = [
    # what every message is, and names
    "Message", "ActorName", "AgentId", "FrameworkId", "OfferId", "TaskId", "ExecutorId", "UpdateId",
    "DrainId", "ReclaimId", "WriteId", "ELECTOR",
    # nouns
    "Resources", "ResourceError", "AgentInfo", "MasterInfo", "ExecutorSummary", "Reconciliation",
    "FrameworkInfo", "Capability", "Offer", "InverseOffer", "InverseOfferStatus", "Filters", "Launch",
    "TaskInfo", "CommandInfo", "Uri", "ExecutorInfo", "KillPolicy", "SimulatedWork", "Data",
    "Task", "TaskStatus", "ContainerStatus", "TaskState", "Source", "Reason", "Cause",
    "DrainState", "DrainConfig", "DrainInfo", "Demand", "ReclaimInfo", "ReclaimState",
    "Blocker", "Party", "AskedFramework", "ReclaimView",
    "AgentStatus", "MasterStatus", "DrainForgotten", "ReclaimForgotten",
    "MachineId", "MachineMode", "Unavailability", "Window", "Maintenance",
    "FrameworkCheckpoint", "ExecutorCheckpoint", "TaskCheckpoint",
    "Registry", "AdmittedAgent", "UnreachableAgent", "GoneAgent", "DeactivatedAgent",
    "Operation", "AdmitAgent", "RemoveAgent", "MarkAgentUnreachable", "MarkAgentReachable", "MarkAgentGone",
    "PruneAgents", "DeactivateAgent", "StartDrain", "EndDrain", "ReactivateAgent", "UpdateMaintenance",
    "StartReclaim", "EndReclaim",
    # election
    "KeepSession", "SessionKept", "SessionExpired", "ExpireSession", "JoinElection", "ElectionJoined",
    "LeaveElection", "ElectionLeft", "DetectLeader", "LeaderDetected",
    # registrar
    "RecoverRegistry", "RegistryRecovered", "ApplyOperation", "OperationApplied", "RegistryRefused",
    # agent
    "RegisterAgent", "AgentRegistered", "ReregisterAgent", "AgentReregistered", "PingAgent", "PongAgent",
    "UnregisterAgent", "ShutdownAgent", "DrainAgent", "AgentDrained", "RevokeTask", "RevokeExecutor",
    "ShutdownFramework", "UpdateFramework", "ExitedExecutor",
    # scheduler
    "Subscribe", "FrameworkRegistered", "FrameworkReregistered", "FrameworkError", "ResourceOffers",
    "RescindOffer", "InverseOffers", "RescindInverseOffer", "AcceptInverseOffers", "DeclineInverseOffers",
    "AcceptOffers", "DeclineOffers", "SuppressOffers", "ReviveOffers", "ReconcileTasks",
    "AgentLost", "DeactivateFramework", "Teardown",
    # operator
    "DeactivateAgentCall", "ReactivateAgentCall", "DrainAgentCall", "MarkAgentGoneCall",
    "UpdateMaintenanceScheduleCall", "StartMaintenanceCall", "StopMaintenanceCall", "ReclaimResourcesCall",
    "ReleaseReclaimCall", "TeardownFrameworkCall", "CallAnswered",
    # queries, and what a state, a snapshot and holdings consist of
    "GetState", "GetMaintenanceSchedule", "GetMaintenanceStatus", "GetFramework", "GetDrains", "GetDrain",
    "GetReclaims", "GetReclaim", "GetSnapshot", "GetHoldings", "QueryAnswered",
    "ClusterSnapshot", "AgentSnapshot", "FrameworkSnapshot", "TaskSnapshot", "ExecutorSnapshot",
    "AgentHoldings", "HeldFramework", "HeldExecutor", "HeldTask",
    "AgentEntry", "AnswerEntry", "AskedAgentEntry", "AskedFrameworkEntry", "BlockerEntry", "Books", "ClusterState",
    "CountersEntry", "DrainConfigEntry", "DrainEntry", "DrainingMachineEntry", "ExecutorEntry",
    "FrameworkEntry", "InverseOfferEntry", "MachineEntry", "MaintenanceEntry", "MaintenanceStatusEntry",
    "OfferEntry", "OpenDrainEntry", "ReclaimEntry", "TaskEntry", "WindowEntry",
    # relayed
    "RunTask", "KillTask", "ShutdownExecutorOf", "StatusUpdate", "StatusUpdateAcknowledgement",
    "FrameworkToExecutor", "ExecutorToFramework",
    # executor
    "RegisterExecutor", "ExecutorRegistered", "ReconnectExecutor", "ReregisterExecutor",
    "ExecutorReregistered", "ShutdownExecutor",
    # watching
    "WatchStanding", "MasterStanding", "WatchCluster", "ClusterWatched", "TaskAdded", "TaskUpdated",
    "AgentAdded", "AgentRemoved", "FrameworkAdded", "FrameworkUpdated", "FrameworkRemoved",
    # remote
    "FrameworkSubscribed", "SchedulerCalled", "ExecutorSubscribed", "ExecutorConnected", "ExecutorCalled", "StreamLost",
]  # fmt: skip
