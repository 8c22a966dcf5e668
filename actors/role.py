"""The Pykka face of a performer: `ActorRef.tell`, `ask`, failure handling and stop are Pykka's own.

A runtime gives each actor its inbox and runs its loop (`runtime/pykka_inside.py`).
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from mesolite.actors.decisions.contract import Callback, CallbackReturned, Core
from mesolite.actors.performer import Performer
from mesolite.actors.runtime.port import ActorContext
from mesolite.actors.runtime.pykka_inside import HostedActor
from mesolite.messages.operator import CallAnswered
from mesolite.messages.queries import QueryAnswered

OUTSIDE = "outside"
"""Who a message is from when it was told to a ref directly, as a test does."""


class Role(HostedActor):
    """An actor as a Pykka actor. Subclasses say which core they have, and nothing else."""

    def __init__(self, context: ActorContext, core: Core) -> None:
        """Sit down; the runtime starts the loop."""
        self.context = context
        super().__init__()
        self.performer = Performer(context, core)
        context.handle = self.performer.perform

    def on_receive(self, message: Any) -> Any:
        """Handle a bare event told from outside."""
        self.context.handle(message, OUTSIDE, -1)
        return None

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Our own bug: the actor is gone, and the runtime says so loudly."""
        assert exception_value is not None
        self.context.runtime.failed(self.context, exception_value, self.performer.latest)

    def call_user_code(self, callback: Callback) -> CallbackReturned:
        """Run user code; only schedulers and executors have any."""
        raise TypeError(f"{self.context.name} has no user code to call {callback.callback!r} on")

    def reply(self, answer: CallAnswered | QueryAnswered) -> None:
        """Give an answer to whoever waits for it outside; only an operator's actor has anybody waiting."""
        raise TypeError(f"nobody waits at {self.context.name} for {type(answer).__name__} {answer.call_id}")
