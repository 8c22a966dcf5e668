"""What a test does to actors and their connections: cut, break, pause, expire, kill."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from mesolite.actors.errors import Refused
from mesolite.actors.runtime.port import ActorContext, Delivery
from mesolite.messages.checking import checked_arguments, several
from mesolite.messages.election import ELECTOR, ExpireSession
from mesolite.messages.ids import ActorName
from mesolite.messages.operator import OPERATOR
from mesolite.simulation.named import AnyActor, Named

Group = AnyActor | Iterable[AnyActor]
"""One actor, or several."""


class Disrupting(Named):
    """The verbs of a simulation that are about actors and their connections; machines have their own (machines.py)."""

    @checked_arguments
    def partition(self, one: Group, other: Group, *, both_ways: bool = True) -> None:
        """Let nothing pass between two actors, or between two groups of them, or only not from the first to the second.

        Nobody is told while it lasts. When it heals, a connection has broken that has lost what nobody says again.
        """
        ones, others = ([self._existing(each) for each in _each(group)] for group in (one, other))
        done = self._did(
            "partition", (*ones, *others), _given(ones), _given(others), both_ways=None if both_ways else False
        )
        for pair in itertools.product(ones, others):
            self.runtime.network.cut(*pair, both_ways=both_ways, by=done)

    @checked_arguments
    def heal(self, one: Group = None, other: Group = None) -> None:
        """Undo partitions: all, those of one actor or group, or those between two.

        Actors that missed something of each other learn that their connection broke: an agent re-registers, a driver
        subscribes again, and what was lost comes out. Who ended meanwhile is known to have ended (core.md LP-28).
        """
        ones, others = ([self._name(each) for each in _each(group)] for group in (one, other))
        done = self._did("heal", (*ones, *others), _given(ones), _given(others))
        for pair in itertools.product(ones, others):
            self.runtime.heal(*pair, done)

    @checked_arguments
    def break_link(self, one: AnyActor, other: AnyActor, *, both_ways: bool = True) -> None:
        """Let the connection between two actors break: what is in flight between them is lost, and they hear of it.

        Not `both_ways`: only the first hears of it; its peer has not noticed yet, unless something that it had said was
        lost: a connection that lives on has no holes (core.md LP-28).

        Raises:
            Refused: one of them is not alive.
        """
        first, second = (self._alive(actor, "have a link broken").name for actor in (one, other))
        done = self._did("break_link", (first, second), first, second, both_ways=None if both_ways else False)
        self.runtime.break_link(first, second, both_ways=both_ways, by=done)

    @checked_arguments
    def expire_session(self, actor: AnyActor) -> None:
        """Let the elector end that actor's session, as ZooKeeper may: a leader loses its candidacy (core.md EL-11).

        Raises:
            Refused: there is no such actor, or no elector.
        """
        name = ActorName(self._existing(actor))
        elector = self._alive(ELECTOR, "end a session")
        elector.ref.tell(Delivery(ExpireSession(actor=name), OPERATOR, self._did("expire_session", (name,), name)))

    @checked_arguments
    def pause(self, actor: AnyActor) -> None:
        """Let an actor's process stand still, as SIGSTOP does: what comes waits, nothing breaks. Pausing twice is once.

        A master's registrar stands still with it; what an agent has started goes on.

        Raises:
            Refused: it is not alive.
        """
        contexts = self._process(actor, "pause")
        self._did("pause", (contexts[0].name,), contexts[0].name)
        for context in contexts:
            self.runtime.pause(context)

    @checked_arguments
    def resume(self, actor: AnyActor) -> None:
        """Let a paused actor go on with what has come meanwhile, in order. Harmless if it is not paused.

        Raises:
            Refused: it is not alive.
        """
        contexts = self._process(actor, "resume")
        self._did("resume", (contexts[0].name,), contexts[0].name)
        for context in contexts:
            self.runtime.resume(context)

    @checked_arguments
    def kill(self, actor: AnyActor) -> None:
        """Let an executor's process, or a scheduler's, die without a word; its links break. Machines have `crash()`.

        Raises:
            Refused: it is not alive, or is the daemon of a machine.
        """
        context = self._alive(actor, "kill")
        if "/" not in context.name and not context.own_thread:
            raise Refused(f"{context.name} is no executor or scheduler; crash() or power_off() its machine")
        self.runtime.end(context, -9, cause=self._did("kill", (context.name,), context.name))

    def _process(self, actor: AnyActor, why: str) -> list[ActorContext]:
        """The actors that stand and fall with one process."""
        context = self._alive(actor, why)
        registrar = self.runtime.directory.find(f"{context.name}/registrar")
        return [context] if registrar is None else [context, registrar]


def _each(group: Group) -> tuple[AnyActor, ...]:
    named: tuple[AnyActor, ...] = several(group)  # the check has made it a tuple, or left one
    return named


def _given(names: Sequence[str | None]) -> object:
    """As one would write it: a name, or several in a list."""
    return names[0] if len(names) == 1 else list(names)
