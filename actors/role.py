"""The Pykka face of a performer: `ActorRef.tell`, `ask`, failure handling and stop are Pykka's own.

Actors are not started with `Actor.start`: Pykka's process-wide registry would tie clusters together.
A runtime gives each actor its inbox and runs its loop, through the three hooks Pykka leaves to new runtimes.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

import pykka

from mesolite.actors.decisions.contract import Callback, CallbackReturned, Core
from mesolite.actors.performer import Performer
from mesolite.actors.runtime.future import PortFuture
from mesolite.actors.runtime.port import Delivery, Seat

if TYPE_CHECKING:
    from pykka._actor import ActorInbox

OUTSIDE = "outside"
"""Who a message is from when it was told to a ref directly, as a test does."""


class Failed(NamedTuple):
    """Stands for a delivery whose handling raised outside Pykka's loop, so that its failure path can have the error."""

    error: Exception


class Inspect(NamedTuple):
    """Ask a role about its core: `ref.ask(Inspect(lambda core: core.state))`, answered between two events.

    What `read` returns must be plain data of its own, not a live part of the core.
    """

    read: Callable[[Any], Any]


class Role(pykka.Actor):
    """A party as a Pykka actor. Subclasses say which core they have, and nothing else."""

    def __init__(self, seat: Seat, core: Core) -> None:
        """Sit down; the runtime starts the loop."""
        self.seat = seat
        super().__init__()
        self.performer = Performer(seat, core)
        seat.handle = self.performer.perform

    def on_receive(self, message: Any) -> Any:
        """Handle an inspection, or a bare event told from outside."""
        if type(message) is Inspect:
            return message.read(self.performer.core)
        self.seat.handle(message, OUTSIDE, -1)
        return None

    def _handle_receive(self, message: Any) -> Any:
        # Nearly every envelope holds a delivery, so it is looked at before Pykka's own kinds of message.
        try:
            if type(message) is Delivery:
                return self.seat.handle(*message)
            if type(message) is Failed:
                raise message.error
            return super()._handle_receive(message)
        except Exception:
            raise
        except BaseException as interruption:  # noqa: BLE001  # Pykka would swallow it and stop everybody's actors
            self.seat.runtime.interrupted(self.seat, interruption)
            return None

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Our own bug: the party is gone, and the runtime says so loudly."""
        assert exception_value is not None
        self.seat.runtime.failed(self.seat, exception_value)

    def call_user_code(self, callback: Callback) -> CallbackReturned:
        """Run user code; only schedulers and executors have any."""
        raise TypeError(f"{self.seat.name} has no user code to call {callback.callback!r} on")

    def _create_actor_inbox(self) -> ActorInbox:  # type: ignore[override]  # an instance method: inboxes know their seat
        return self.seat.runtime.inbox(self.seat)

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return PortFuture()

    def _start_actor_loop(self) -> None:
        self.seat.runtime.begin(self)
