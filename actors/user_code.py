"""Actors that run user code: a scheduler or an executor behind its driver.

Rule: user code is fenced. Whatever it raises, BaseException included, is that framework's error and nobody else's, and
is written down (user_errors.py), so that it is raised where somebody can see it.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Protocol

from mesolite.actors.decisions.contract import Callback, CallbackReturned, ExecutorStart
from mesolite.actors.decisions.driver_calls import AbortedBy, DriverStatus
from mesolite.actors.decisions.executor.core import ExecutorCore
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.actors.decisions.settings import Settings
from mesolite.actors.role import Role
from mesolite.actors.runtime.port import ActorContext, UserCall
from mesolite.actors.user_errors import UserError
from mesolite.messages.frameworks import FrameworkInfo


class UserCode(Protocol):
    """The user's object and its driver, as an actor sees them (mesolite/drivers.py)."""

    @property
    def still_running(self) -> bool:
        """Whether the user has neither stopped nor aborted the driver."""

    def begin(self, role: Role) -> None:
        """Learn the actor that runs it."""

    def prepare(self) -> None:
        """Make the user's object if that is left to the driver and not done yet: its constructor is user code, too."""

    def call(self, callback: Callback) -> None:
        """Call the user's method."""

    def raised(self, error: UserError) -> None:
        """Learn what the user's code has raised."""

    def framework_is(self, info: FrameworkInfo) -> None:
        """Learn which framework it is; executors have none of their own."""

    def status_is(self, status: DriverStatus, error: str | None, aborted_by: AbortedBy | None) -> None:
        """Learn what the core has decided about the driver."""


def fenced(role: Role, user: UserCode, callback: Callback) -> CallbackReturned:
    """Call user code and turn whatever it raises into data."""
    runtime, called, text = role.context.runtime, "__init__", None
    role.context.user_call = UserCall(callback.callback, runtime.now())
    try:
        user.prepare()
        called = callback.callback
        user.call(callback)
    except BaseException as raised:  # noqa: BLE001  # the fence
        if isinstance(raised, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            # Ctrl-C while a simulation happens to be in a callback belongs to whoever drives the simulation.
            runtime.interrupted(role.context, raised)
        else:
            error = runtime.user_errors.note(role.context.name, called, raised, runtime.now())
            user.raised(error)
            text = error.text
    role.context.user_call = None
    return CallbackReturned(callback.callback, callback.serial, text, user.still_running)


class SchedulerParty(Role):
    """A framework's scheduler and its driver."""

    def __init__(
        self,
        context: ActorContext,
        settings: Settings,
        info: FrameworkInfo,
        user: UserCode,
        implicit_acknowledgements: bool,
    ) -> None:
        """Look for a leader and subscribe."""
        self._scheduler_core = SchedulerCore(settings, info, implicit_acknowledgements)
        super().__init__(context, self._scheduler_core)
        context.handle = self._handle_and_tell
        self._user = user
        user.begin(self)
        user.framework_is(info)

    def _handle_and_tell(self, event: object, sender: str, cause: int) -> None:
        """Handle it, and let the driver know what became of it."""
        self.performer.perform(event, sender, cause)
        core = self._scheduler_core
        self._user.status_is(core.status, core.error, core.aborted_by)

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
        self._user.framework_is(self._scheduler_core.framework_info)  # it has its id before it is told so
        return fenced(self, self._user, callback)


class ExecutorParty(Role):
    """A user-written executor and its driver."""

    def __init__(self, context: ActorContext, start: ExecutorStart, settings: Settings, user: UserCode) -> None:
        """Register with the agent that started it."""
        super().__init__(context, ExecutorCore(start, settings))
        self._user = user
        user.begin(self)

    def call_user_code(self, callback: Callback) -> CallbackReturned:
        """Call the user's executor."""
        return fenced(self, self._user, callback)
