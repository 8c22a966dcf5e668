"""What is said: the lowest storey, which every other may import and which imports none of them.

Messages are frozen, slotted, keyword-only attrs classes with no behaviour beyond checking themselves. They
carry names, never actor references, futures or callbacks. Orders are imperative, facts are in the past tense,
replies name the question. A class name is unique across the storey, because it is the tag on the wire.

Nouns (what is talked about) and conversations (who says what to whom, one module per pair of parties) live in
modules of their own; `codec` turns all of them into JSON and back. Everything can be had from here by its own
name, as in `from mesolite.messages import Offer, TaskInfo`; inside the project modules are named:
`from mesolite.messages.tasks import TaskInfo`. The link mesolite/messages leads here.

Who says what to whom. Beside it, what the sender means by it; in the modules, the rules it is held to.

    election: anybody and the elector
      KeepSession                  any -> elector               I am here: open or prolong my session
      SessionKept                  elector -> any               this is its number
      SessionExpired               elector -> any               that session is over, and what it held is gone
      ExpireSession                operator -> elector          end that party's session now
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

# Below the guard, or these would load the second copy before it speaks.

from mesolite.messages.agent import (
    AgentRegistered,
    AgentReregistered,
    ExitedExecutor,
    PingAgent,
    PongAgent,
    Reconciliation,
    RegisterAgent,
    ReregisterAgent,
    ShutdownAgent,
    ShutdownFramework,
    UnregisterAgent,
    UpdateFramework,
)
from mesolite.messages.agents import AgentInfo, ExecutorSummary, MasterInfo
from mesolite.messages.base import Message
from mesolite.messages.checkpoints import ExecutorCheckpoint, FrameworkCheckpoint, TaskCheckpoint
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
from mesolite.messages.frameworks import Capability, FrameworkInfo
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, OfferId, PartyName, TaskId, UpdateId
from mesolite.messages.offers import Filters, Launch, Offer
from mesolite.messages.registrar import (
    AdmitAgent,
    AdmittedAgent,
    ApplyOperation,
    MarkAgentReachable,
    MarkAgentUnreachable,
    Operation,
    OperationApplied,
    RecoverRegistry,
    Registry,
    RegistryRecovered,
    RegistryRefused,
    RemoveAgent,
    UnreachableAgent,
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
    AcceptOffers,
    AgentLost,
    DeactivateFramework,
    DeclineOffers,
    FrameworkError,
    FrameworkRegistered,
    FrameworkReregistered,
    ReconcileTasks,
    RescindOffer,
    ResourceOffers,
    ReviveOffers,
    Subscribe,
    SuppressOffers,
    Teardown,
)
from mesolite.messages.tasks import (
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
    "Message", "PartyName", "AgentId", "FrameworkId", "OfferId", "TaskId", "ExecutorId", "UpdateId",
    "ELECTOR",
    # nouns
    "Resources", "ResourceError", "AgentInfo", "MasterInfo", "ExecutorSummary", "Reconciliation",
    "FrameworkInfo", "Capability", "Offer", "Filters", "Launch",
    "TaskInfo", "CommandInfo", "ExecutorInfo", "KillPolicy", "SimulatedWork",
    "Task", "TaskStatus", "TaskState", "Source", "Reason",
    "FrameworkCheckpoint", "ExecutorCheckpoint", "TaskCheckpoint",
    "Registry", "AdmittedAgent", "UnreachableAgent",
    "Operation", "AdmitAgent", "RemoveAgent", "MarkAgentUnreachable", "MarkAgentReachable",
    # election
    "KeepSession", "SessionKept", "SessionExpired", "ExpireSession", "JoinElection", "ElectionJoined",
    "LeaveElection", "ElectionLeft", "DetectLeader", "LeaderDetected",
    # registrar
    "RecoverRegistry", "RegistryRecovered", "ApplyOperation", "OperationApplied", "RegistryRefused",
    # agent
    "RegisterAgent", "AgentRegistered", "ReregisterAgent", "AgentReregistered", "PingAgent", "PongAgent",
    "UnregisterAgent", "ShutdownAgent", "ShutdownFramework", "UpdateFramework", "ExitedExecutor",
    # scheduler
    "Subscribe", "FrameworkRegistered", "FrameworkReregistered", "FrameworkError", "ResourceOffers",
    "RescindOffer", "AcceptOffers", "DeclineOffers", "SuppressOffers", "ReviveOffers", "ReconcileTasks",
    "AgentLost", "DeactivateFramework", "Teardown",
    # relayed
    "RunTask", "KillTask", "StatusUpdate", "StatusUpdateAcknowledgement", "FrameworkToExecutor",
    "ExecutorToFramework",
    # executor
    "RegisterExecutor", "ExecutorRegistered", "ReconnectExecutor", "ReregisterExecutor",
    "ExecutorReregistered", "ShutdownExecutor",
]  # fmt: skip
