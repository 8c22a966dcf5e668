"""The master: contends for leading the cluster, and decides for all of it while it leads (core.md 2.4).

In Mesos: `mesos::internal::master::Master`, a `ProtobufProcess<Master>` (src/master/master.hpp). Its core is
`decisions/master/core.py: MasterCore`.

    Hears
        elector         SessionKept SessionExpired LeaderDetected ElectionJoined ElectionLeft
        registrar       RegistryRecovered OperationApplied RegistryRefused
        agents          RegisterAgent ReregisterAgent UnregisterAgent PongAgent AgentDrained
                        StatusUpdate ExitedExecutor ExecutorToFramework
        schedulers      Subscribe DeactivateFramework Teardown
                        AcceptOffers DeclineOffers SuppressOffers ReviveOffers
                        AcceptInverseOffers DeclineInverseOffers
                        KillTask StatusUpdateAcknowledgement ReconcileTasks FrameworkToExecutor
        operator        DeactivateAgentCall ReactivateAgentCall DrainAgentCall MarkAgentGoneCall
                        UpdateMaintenanceScheduleCall StartMaintenanceCall StopMaintenanceCall
                        ReclaimResourcesCall ReleaseReclaimCall TeardownFrameworkCall
                        GetState GetMaintenanceSchedule GetMaintenanceStatus GetFramework
                        GetDrains GetDrain GetReclaims GetReclaim
        remotes         ShutdownExecutorOf
        endpoint        WatchStanding WatchCluster GetSnapshot
        the runtime     Started TimerFired PeerExited LinkBroken
    Says
        elector         KeepSession DetectLeader JoinElection LeaveElection
        registrar       RecoverRegistry ApplyOperation
        agents          AgentRegistered AgentReregistered PingAgent ShutdownAgent
                        DrainAgent RevokeTask RevokeExecutor ShutdownFramework UpdateFramework
                        RunTask KillTask ShutdownExecutorOf StatusUpdateAcknowledgement FrameworkToExecutor
        schedulers      FrameworkRegistered FrameworkReregistered FrameworkError AgentLost
                        ResourceOffers RescindOffer InverseOffers RescindInverseOffer
                        StatusUpdate ExitedExecutor ExecutorToFramework
        operator        CallAnswered QueryAnswered
        endpoint        MasterStanding ClusterWatched TaskAdded TaskUpdated AgentAdded AgentRemoved
                        FrameworkAdded FrameworkUpdated FrameworkRemoved
        the runtime     SetTimer CancelTimer Link Publish Exit
"""

from __future__ import annotations

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.master import MasterCore
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.runtime.port import ActorContext


class Master(MesosActor):
    """One master process: stands by, or leads."""

    def __init__(self, context: ActorContext, settings: Settings, registrar: str) -> None:
        """Keep the registry with the registrar of that name."""
        super().__init__(context, MasterCore(settings, registrar))
