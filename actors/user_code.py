"""The fence around user code, a scheduler or an executor behind its driver.

Rule: whatever it raises, BaseException included, is that framework's error and nobody else's, and
is written down (user_errors.py), so that it is raised where somebody can see it.
"""

from __future__ import annotations

import threading
from typing import Protocol

from mesolite.actors.actor import MesosActor
from mesolite.actors.decisions.contract import Callback, CallbackReturned
from mesolite.actors.decisions.driver_calls import AbortedBy, DriverStatus
from mesolite.actors.runtime.port import UserCall
from mesolite.actors.user_errors import UserError
from mesolite.messages.frameworks import FrameworkInfo


class UserCode(Protocol):
    """The user's object and its driver, as their actor sees them (mesolite/drivers.py)."""

    @property
    def still_running(self) -> bool:
        """Whether the user has neither stopped nor aborted the driver."""

    def begin(self, actor: MesosActor) -> None:
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


def fenced(actor: MesosActor, user: UserCode, callback: Callback) -> CallbackReturned:
    """Call user code and turn whatever it raises into data."""
    runtime, called, text = actor.context.runtime, "__init__", None
    actor.context.user_call = UserCall(callback.callback, runtime.now())
    try:
        user.prepare()
        called = callback.callback
        user.call(callback)
    except BaseException as raised:  # noqa: BLE001  # the fence
        if isinstance(raised, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            # Ctrl-C while a simulation happens to be in a callback belongs to whoever drives the simulation.
            runtime.interrupted(actor.context, raised)
        else:
            error = runtime.user_errors.note(actor.context.name, called, raised, runtime.now())
            user.raised(error)
            text = error.text
    actor.context.user_call = None
    return CallbackReturned(callback.callback, callback.serial, text, user.still_running)
