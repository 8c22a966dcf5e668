"""Everything of Pykka that Pykka does not promise: its hooks for other runtimes, its loop, its envelopes.

No other module of ours touches it (tests/project/test_house_rules.py), tests/runtime/test_pykka_hooks.py says what is
relied on, and setup.cfg asks for the one minor release of Pykka that this was tried with.

Actors are not started with `Actor.start`: Pykka's process-wide registry would tie clusters together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pykka
from pykka._envelope import Envelope
from pykka.messages import _ActorStop as ActorStop

from mesolite.actors.runtime.future import PortFuture
from mesolite.actors.runtime.port import ActorContext

if TYPE_CHECKING:
    from pykka._actor import ActorInbox

__all__ = ["ActorStop", "Envelope", "Failed", "HostedActor", "Stopped", "run_loop", "set_up", "start_loop", "tear_down"]


class Failed(NamedTuple):
    """Stands for a delivery whose handling raised outside of Pykka's loop, so that Pykka deals with the error."""

    error: BaseException


class Stopped:
    """Whether a Pykka actor has stopped, as its `actor_stopped`: nobody waits for that here.

    A `threading.Event` is a lock and a queue of waiters, 5 us and 1 KB for each of a hundred thousand actors.
    """

    __slots__ = ("_is_set",)

    def __init__(self) -> None:
        """Not yet."""
        self._is_set = False

    def is_set(self) -> bool:
        """Whether it has."""
        return self._is_set

    def set(self) -> None:
        """It has."""
        self._is_set = True


class HostedActor(pykka.Actor):
    """A Pykka actor whose runtime gives it its inbox and runs its loop, through the hooks Pykka leaves to runtimes."""

    context: ActorContext
    """Set before `__init__` of this class, which asks for the inbox."""

    def __init__(self) -> None:
        """Do what Pykka's own does, but for a random name and an event, which take longer than all the rest."""
        stopped: Any = Stopped()
        self.actor_urn = f"{self.context.name}.{self.context.incarnation}"
        self.actor_inbox = self._create_actor_inbox()
        self.actor_stopped = stopped
        self._actor_ref = pykka.ActorRef(self)

    def _handle_receive(self, message: Any) -> Any:
        try:
            if type(message) is Failed:
                raise message.error
            return super()._handle_receive(message)
        except Exception:
            raise
        except BaseException as interruption:  # noqa: BLE001  # Pykka would swallow it and stop everybody's actors
            self.context.runtime.interrupted(self.context, interruption)
            return None

    def _create_actor_inbox(self) -> ActorInbox:  # type: ignore[override]  # an instance method: inboxes know their context
        return self.context.runtime.inbox(self.context)

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return PortFuture()

    def _start_actor_loop(self) -> None:
        self.context.runtime.begin(self)


# Plain functions of an actor, and not wrappers around them: a call more per message would be felt.
start_loop = HostedActor._start_actor_loop  # noqa: SLF001
"""Let the actor's runtime begin with it."""
set_up = HostedActor._actor_loop_setup  # noqa: SLF001
"""Do what comes before an actor's first message."""
run_loop = HostedActor._actor_loop_running  # noqa: SLF001
"""Let the actor handle what is in its inbox, until it was stopped or the inbox's `get` raises."""
tear_down = HostedActor._actor_loop_teardown  # noqa: SLF001
"""Refuse what is left in the inbox of an actor that was stopped."""
