"""A framework's scheduler: the actor behind a `MesosSchedulerDriver`, which calls the user's `Scheduler`.

In Mesos: `mesos::internal::SchedulerProcess`, a `ProtobufProcess` (src/sched/sched.cpp). Its core is
`decisions/scheduler/core.py: SchedulerCore`.

    Hears
        elector         SessionKept SessionExpired LeaderDetected
        master          FrameworkRegistered FrameworkReregistered FrameworkError AgentLost
                        ResourceOffers RescindOffer InverseOffers RescindInverseOffer
                        StatusUpdate ExitedExecutor ExecutorToFramework
        its driver      AcceptCall DeclineCall AcceptInverseCall DeclineInverseCall KillCall ReviveCall SuppressCall
                        ReconcileCall AcknowledgeCall FrameworkMessageCall CallLaterCall StopCall AbortCall
        the runtime     Started TimerFired PeerExited LinkBroken CallbackReturned
    Says
        elector         KeepSession DetectLeader
        master          Subscribe DeactivateFramework Teardown
                        AcceptOffers DeclineOffers SuppressOffers ReviveOffers
                        AcceptInverseOffers DeclineInverseOffers
                        KillTask StatusUpdateAcknowledgement ReconcileTasks FrameworkToExecutor
        the runtime     SetTimer CancelTimer Link Callback Exit
"""

from __future__ import annotations

from types import TracebackType

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import Callback, CallbackReturned
from mesolite.actors.decisions.driver_calls import AbortedBy, DriverStatus
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.runtime.port import ActorContext
from mesolite.actors.user_code import UserCode, fenced
from mesolite.messages.frameworks import FrameworkInfo


class SchedulerActor(MesosActor):
    """A scheduler and its driver; `Scheduler` is the class that users write."""

    core: SchedulerCore

    def __init__(
        self,
        context: ActorContext,
        settings: Settings,
        info: FrameworkInfo,
        user: UserCode,
        implicit_acknowledgements: bool,
    ) -> None:
        """Look for a leader and subscribe."""
        super().__init__(context, SchedulerCore(settings, info, implicit_acknowledgements))
        self._user = user
        self._told: object = None
        user.begin(self)
        user.framework_is(info)

    def handle(self, event: object, sender: str, cause: int) -> None:
        """Handle it, and let the driver know what became of it."""
        super().handle(event, sender, cause)
        core = self.core
        news = (core.status, core.error, core.aborted_by)
        if news != self._told:
            self._told = news
            self._user.status_is(*news)

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Our own bug; whoever has joined the driver must not wait for ever."""
        failed = f"the driver itself failed: {exception_value}"
        self._user.status_is(DriverStatus.DRIVER_ABORTED, failed, AbortedBy.DRIVER)
        super().on_failure(exception_type, exception_value, traceback)

    def call_user_code(self, callback: Callback) -> CallbackReturned:
        """Call the user's scheduler."""
        self._user.framework_is(self.core.framework_info)  # it has its id before it is told so
        return fenced(self, self._user, callback)
