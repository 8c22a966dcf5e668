"""An executor that users have written: the actor behind a `MesosExecutorDriver`, which calls the user's `Executor`.

In Mesos: `mesos::internal::ExecutorProcess`, a `ProtobufProcess` (src/exec/exec.cpp), in an operating-system process of
its own. Its core is `decisions/executor/core.py: ExecutorCore`.

    Hears
        agent           ExecutorRegistered ExecutorReregistered ReconnectExecutor ShutdownExecutor
                        RunTask KillTask StatusUpdateAcknowledgement FrameworkToExecutor
        its driver      SendStatusUpdateCall ExecutorMessageCall CallLaterCall StopExecutorCall
        the runtime     Started TimerFired PeerExited LinkBroken CallbackReturned
    Says
        agent           RegisterExecutor ReregisterExecutor StatusUpdate ExecutorToFramework
        the runtime     SetTimer CancelTimer Link Callback Exit
"""

from __future__ import annotations

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import Callback, CallbackReturned, ExecutorStart
from mesolite.actors.decisions.executor.core import ExecutorCore
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.runtime.port import ActorContext
from mesolite.actors.user_code import UserCode, fenced


class ExecutorActor(MesosActor):
    """A user's executor and its driver; `Executor` is the class that users write."""

    def __init__(self, context: ActorContext, start: ExecutorStart, settings: Settings, user: UserCode) -> None:
        """Register with the agent that started it."""
        super().__init__(context, ExecutorCore(start, settings))
        self._user = user
        user.begin(self)

    def call_user_code(self, callback: Callback) -> CallbackReturned:
        """Call the user's executor."""
        return fenced(self, self._user, callback)
