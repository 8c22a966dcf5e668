"""The agent of one machine, a *slave* before Mesos 1.0: offers its resources, and runs executors (drain.md 0.2.16).

In Mesos: `mesos::internal::slave::Slave`, a `ProtobufProcess<Slave>` (src/slave/slave.hpp); class and files have
kept the old name. Its core is `decisions/agent/core.py: AgentCore`.

    Hears
        elector         LeaderDetected
        master          AgentRegistered AgentReregistered PingAgent ShutdownAgent
                        DrainAgent RevokeTask RevokeExecutor ShutdownFramework UpdateFramework
                        RunTask KillTask ShutdownExecutorOf StatusUpdateAcknowledgement FrameworkToExecutor
        executors       RegisterExecutor ReregisterExecutor StatusUpdate ExecutorToFramework
        endpoint        GetHoldings
        the runtime     Started TimerFired PeerExited LinkBroken Loaded Saved StoreRefused
                        SpawnFailed SignalReceived
    Says
        elector         DetectLeader
        master          RegisterAgent ReregisterAgent UnregisterAgent PongAgent AgentDrained
                        StatusUpdate ExitedExecutor ExecutorToFramework
        executors       ExecutorRegistered ExecutorReregistered ReconnectExecutor ShutdownExecutor
                        RunTask KillTask StatusUpdateAcknowledgement FrameworkToExecutor
        endpoint        QueryAnswered
        the runtime     SetTimer CancelTimer Link Load Save SpawnExecutor Destroy Publish Exit
"""

from __future__ import annotations

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.agent import AgentCore
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.runtime.port import ActorContext
from mesolite.messages.infos import AgentInfo


class Agent(MesosActor):
    """One agent process: SIGUSR1 makes it unregister and end."""

    def __init__(
        self, context: ActorContext, settings: Settings, info: AgentInfo, work_dir: str, *, anew: bool = False
    ) -> None:
        """Sandboxes go under `work_dir`; `anew`: what an earlier life has stored is dropped."""
        super().__init__(context, AgentCore(settings, info, work_dir, anew=anew))
