"""How actors are named to a simulation: by their names, or by a machine's or a driver's handle."""

from __future__ import annotations

from difflib import get_close_matches

from mesolite.actors.actor import OUTSIDE
from mesolite.actors.errors import Refused
from mesolite.actors.runtime.port import ActorContext
from mesolite.actors.trace import Done
from mesolite.drivers import Driver
from mesolite.machines import Machine
from mesolite.messages.checking import Name
from mesolite.simulation.virtual import VirtualRuntime

AnyActor = Name | Machine | Driver | None


class Named:
    """What whoever speaks of actors needs: the runtime in which they have their names."""

    runtime: VirtualRuntime

    def _did(self, verb: str, about: tuple[str | None, ...], *given: object, cause: int = -1, **named: object) -> int:
        """Record what hands did; returns the record, of which comes what follows."""
        return self._record(Done.by_sim(verb, about, *given, **named), cause)

    def _record(self, done: Done, cause: int = -1) -> int:
        self.runtime.check_may_act()
        return self.runtime.trace.record(self.runtime.now(), "", OUTSIDE, done, (), cause)

    def _name(self, actor: AnyActor) -> str | None:
        return actor.name if isinstance(actor, Machine | Driver) else actor

    def _known(self, actor: AnyActor) -> str | None:
        """The name of somebody who is or was there, or may come yet; not one that looks like a slip of the pen.

        Names that differ in their last number only are no slips: agent-9 may be added yet, agnet-1 will not. Nor are
        those of executors and registrars looked at, which have a slash in them.
        """
        name, directory = self._name(actor), self.runtime.directory
        if name is None or "/" in name or directory.incarnation(name):
            return name
        series = name.rstrip("0123456789")
        everybody = [context.name for context in directory] + directory.ended()
        known = [other for other in everybody if other.rstrip("0123456789") != series]
        if near := get_close_matches(name, known, 1, cutoff=0.8):
            raise Refused(f"there never was anybody named {name}; perhaps {near[0]} is meant, or start it first")
        return name

    def _existing(self, actor: AnyActor) -> str:
        name = self._name(actor)
        if name is None or self.runtime.directory.incarnation(name) == 0:
            names = ", ".join(context.name for context in self.runtime.directory)
            raise Refused(f"there never was anybody named {name}; there are {names}")
        return name

    def _alive(self, actor: AnyActor, why: str) -> ActorContext:
        """The actor of that name, which must be alive.

        Raises:
            Refused: it is not; `why` says what it was wanted for.
        """
        name = self._name(actor)
        context = self.runtime.directory.find(name or "")
        if context is None:
            names = ", ".join(context.name for context in self.runtime.directory)
            raise Refused(f"there is nobody named {name} to {why}; there are {names}")
        return context
