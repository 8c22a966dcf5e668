"""The command executor: runs the command of one task, and ends when that has ended (core.md TK-77).

In Mesos: `mesos::internal::CommandExecutor`, a `ProtobufProcess` (src/launcher/executor.cpp), in the process
`mesos-executor`. Its core is `decisions/executor/command.py: CommandExecutorCore`.

    Hears
        agent           ExecutorRegistered ExecutorReregistered ReconnectExecutor ShutdownExecutor
                        RunTask KillTask StatusUpdateAcknowledgement
        the runtime     Started TimerFired PeerExited LinkBroken WorkStarted WorkFailedToStart WorkExited
    Says
        agent           RegisterExecutor ReregisterExecutor StatusUpdate
        the runtime     SetTimer CancelTimer Link Run SignalWork Exit
"""

from __future__ import annotations

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import ExecutorStart
from mesolite.actors.decisions.executor.command import CommandExecutorCore
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.runtime.port import ActorContext


class CommandExecutor(MesosActor):
    """The executor of one command."""

    def __init__(self, context: ActorContext, start: ExecutorStart, settings: Settings) -> None:
        """Register with the agent that started it."""
        super().__init__(context, CommandExecutorCore(start, settings))
