"""What is said: the lowest storey, which every other may import and which imports none of them.

Messages are frozen, slotted, keyword-only attrs classes with no behaviour beyond checking themselves. They
carry names, never actor references, futures or callbacks. Orders are imperative, facts are in the past tense,
replies name the question. A class name is unique across the storey, because it is the tag on the wire.

Nouns (what is talked about) and conversations (who says what to whom, one module per pair of actors) live in
modules of their own; `codec` turns all of them into JSON and back. Everything can be had from here by its own
name, as in `from mesolite.messages import Offer, TaskInfo`; inside the project modules are named:
`from mesolite.messages.tasks import TaskInfo`. The link mesolite/messages leads here.

Who says what to whom. Beside it, what the sender means by it; in the modules, the rules it is held to.

    election: anybody and the elector
      KeepSession                  any -> elector               I am here: open or prolong my session
      SessionKept                  elector -> any               this is its number
      SessionExpired               elector -> any               that session is over, and what it held is gone
      ExpireSession                operator -> elector          end that actor's session now
      JoinElection                 master -> elector            take me as a candidate
      ElectionJoined               elector -> master            you are one, with this sequence number
      LeaveElection                master -> elector            I withdraw
      ElectionLeft                 elector -> master            withdrawn
      DetectLeader                 any -> elector               tell me when the leader is not the one I know
      LeaderDetected               elector -> any               this one leads now, or nobody does

    registrar: a master and what outlives it
      RecoverRegistry              master -> registrar          I lead: claim the store and read it to me
      RegistryRecovered            registrar -> master          it is yours, and this is in it
      ApplyOperation               master -> registrar          make this durable
      OperationApplied             registrar -> master          it is durable: act on it
      RegistryRefused              registrar -> master          not taken: you no longer lead

    agent: an agent and its master
      RegisterAgent                agent -> master              admit me, I have no id yet
      AgentRegistered              master -> agent              you are admitted, under this id
      ReregisterAgent              agent -> master              I have an id, and this is all I hold
      AgentReregistered            master -> agent              you are back; and what became of these tasks?
      PingAgent                    master -> agent              are you there?
      PongAgent                    agent -> master              I am
      UnregisterAgent              agent -> master              I leave for good
      ShutdownAgent                master -> agent              shut down: you are not wanted here
      DrainAgent                   master -> agent              kill what you run, take nothing new
      AgentDrained                 agent -> master              nothing is left of it
      RevokeTask                   master -> agent              end this task: it was not returned in time
      RevokeExecutor               master -> agent              and this executor
      ShutdownFramework            master -> agent              end everything of this framework
      UpdateFramework              master -> agent              its scheduler is here now
      ExitedExecutor               agent -> master -> driver    that custom executor has ended

    scheduler: a scheduler's driver and the master
      Subscribe                    driver -> master             take my framework
      FrameworkRegistered          master -> driver             taken, new to me or from another instance
      FrameworkReregistered        master -> driver             taken back: I remember you
      FrameworkError               master -> driver             refused: abort
      ResourceOffers               master -> driver             use these if you like
      RescindOffer                 master -> driver             that offer no longer holds
      InverseOffers                master -> driver             please give these back
      RescindInverseOffer          master -> driver             never mind
      AcceptInverseOffers          driver -> master             I will
      DeclineInverseOffers         driver -> master             I will not
      AcceptOffers                 driver -> master             I use these, for this
      DeclineOffers                driver -> master             no, thank you
      SuppressOffers               driver -> master             no offers until I revive
      ReviveOffers                 driver -> master             forget my filters and offer again
      ReconcileTasks               driver -> master             what do you know of these tasks?
      AgentLost                    master -> driver             that agent has left or is unreachable
      DeactivateFramework          driver -> master             I abort; my tasks go on
      Teardown                     driver -> master             end this framework and all it runs

    relayed: over several hops, each checking who sent it
      RunTask                      master -> agent -> executor                run this
      KillTask                     driver -> master -> agent -> executor      end this task
      StatusUpdate                 executor -> agent -> master -> driver      the task is in this state
      StatusUpdateAcknowledgement  driver -> master -> agent -> executor      that update was taken
      FrameworkToExecutor          driver -> master -> agent -> executor      your own bytes, best effort
      ExecutorToFramework          executor -> agent -> master -> driver      your own bytes, best effort

    operator: an operator and the leading master
      DeactivateAgentCall            operator -> master         offer nothing more from it
      ReactivateAgentCall            operator -> master         offer from it again
      DrainAgentCall                 operator -> master         kill what runs there, with grace
      MarkAgentGoneCall              operator -> master         it will never come back
      UpdateMaintenanceScheduleCall  operator -> master         these machines will be away then
      StartMaintenanceCall           operator -> master         these machines go down now
      StopMaintenanceCall            operator -> master         these machines are back
      ReclaimResourcesCall           operator -> master         get these back by then
      ReleaseReclaimCall             operator -> master         I do not want them any more
      TeardownFrameworkCall          operator -> master         end this framework
      CallAnswered                   master -> operator         done, or why not

    queries: an operator and the leading master, and nothing changes
      GetState                     operator -> master           tell me everything
      GetMaintenanceSchedule       operator -> master           which windows are there?
      GetMaintenanceStatus         operator -> master           which machines are draining or down?
      GetFramework                 operator -> master           is there one of that id?
      GetDrains                    operator -> master           which drains are there?
      GetDrain                     operator -> master           where does it stand, what does it wait for?
      GetReclaims                  operator -> master           which reclaims are there?
      GetReclaim                   operator -> master           where does it stand, what does it wait for?
      QueryAnswered                master -> operator           this is so, or why there is no telling

    executor: an executor and its agent
      RegisterExecutor             executor -> agent            I am up
      ExecutorRegistered           agent -> executor            known: what you are, and where
      ReconnectExecutor            agent -> executor            I was restarted: tell me what you have
      ReregisterExecutor           executor -> agent            these tasks and updates are not acknowledged
      ExecutorReregistered         agent -> executor            connected again
      ShutdownExecutor             agent -> executor            end your tasks and yourself within the grace
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
    GetMaintenanceSchedule,
    GetMaintenanceStatus,
    GetReclaim,
    GetReclaims,
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
    StatusUpdate,
    StatusUpdateAcknowledgement,
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
    ExecutorInfo,
    KillPolicy,
    Reason,
    SimulatedWork,
    Source,
    Task,
    TaskInfo,
    TaskState,
    TaskStatus,
)

# The codec takes the kinds it knows from here: what has no place in this list cannot be sent or stored.
__all__ = [
    # what every message is, and names
    "Message", "ActorName", "AgentId", "FrameworkId", "OfferId", "TaskId", "ExecutorId", "UpdateId",
    "DrainId", "ReclaimId", "WriteId", "ELECTOR",
    # nouns
    "Resources", "ResourceError", "AgentInfo", "MasterInfo", "ExecutorSummary", "Reconciliation",
    "FrameworkInfo", "Capability", "Offer", "InverseOffer", "InverseOfferStatus", "Filters", "Launch",
    "TaskInfo", "CommandInfo", "ExecutorInfo", "KillPolicy", "SimulatedWork", "Data",
    "Task", "TaskStatus", "TaskState", "Source", "Reason", "Cause",
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
    # queries, and what a state consists of
    "GetState", "GetMaintenanceSchedule", "GetMaintenanceStatus", "GetFramework", "GetDrains", "GetDrain",
    "GetReclaims", "GetReclaim", "QueryAnswered",
    "AgentEntry", "AnswerEntry", "AskedAgentEntry", "AskedFrameworkEntry", "BlockerEntry", "Books", "ClusterState",
    "CountersEntry", "DrainConfigEntry", "DrainEntry", "DrainingMachineEntry", "ExecutorEntry",
    "FrameworkEntry", "InverseOfferEntry", "MachineEntry", "MaintenanceEntry", "MaintenanceStatusEntry",
    "OfferEntry", "OpenDrainEntry", "ReclaimEntry", "TaskEntry", "WindowEntry",
    # relayed
    "RunTask", "KillTask", "StatusUpdate", "StatusUpdateAcknowledgement", "FrameworkToExecutor",
    "ExecutorToFramework",
    # executor
    "RegisterExecutor", "ExecutorRegistered", "ReconnectExecutor", "ReregisterExecutor",
    "ExecutorReregistered", "ShutdownExecutor",
]  # fmt: skip
