"""What an exploration has reached: which events reached which actors in which state, which callbacks were called."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from attrs import define, field

from mesolite.actors.decisions.agent.core import DECISIONS
from mesolite.actors.decisions.contract import Callback, Publish
from mesolite.actors.decisions.elector import ElectorCore
from mesolite.actors.decisions.executor.core import ExecutorCore
from mesolite.actors.decisions.master.core import LEADER_DECISIONS
from mesolite.actors.decisions.registrar import RegistrarCore
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.callbacks import Scheduler
from mesolite.messages.base import Message
from mesolite.messages.facts import AgentStatus, MasterStatus
from mesolite.messages.scheduler import FrameworkRegistered, FrameworkReregistered
from mesolite.simulation.simulation import Simulation


class Reached(NamedTuple):
    """An event reached an actor of that kind, in that state ('' where no state is told apart)."""

    actor: str
    state: str
    event: str


KNOWN: dict[str, tuple[str, ...]] = {
    actor: tuple(sorted(kind.__name__ for kind in kinds if issubclass(kind, Message)))
    for actor, kinds in (
        ("agent", DECISIONS),
        ("elector", ElectorCore.HANDLERS),
        ("executor", ExecutorCore.HANDLERS),
        ("master", LEADER_DECISIONS),
        ("registrar", RegistrarCore.HANDLERS),
        ("scheduler", SchedulerCore.HANDLERS),
    )
}
"""The messages that each kind of actor decides on."""

SUBSCRIBED = frozenset({FrameworkRegistered, FrameworkReregistered})
"""After these a scheduler is subscribed."""

TELLING = frozenset({Callback, Publish})
"""The effects that tell something; looked up for every effect of a run."""


@define
class Coverage:
    """What was reached, and how often, over all runs.

    Attributes:
        reached: by actor, state and event.
        callbacks: by name, those of the users' classes that were called.
        written: the callbacks that the users' classes have.
    """

    reached: Counter[Reached] = field(factory=Counter)
    callbacks: Counter[str] = field(factory=Counter)
    written: dict[str, None] = field(factory=dict)

    @property
    def never_reached(self) -> list[tuple[str, str]]:
        """The messages that no actor of the kind that decides on them has had, as (actor, message)."""
        seen = {(actor, event) for actor, _, event in self.reached}
        return [(actor, event) for actor, events in KNOWN.items() for event in events if (actor, event) not in seen]

    @property
    def never_called(self) -> list[str]:
        """The callbacks that the users' classes have, and that were never called."""
        return [name for name in self.written if name not in self.callbacks]

    def add(self, sim: Simulation) -> None:
        """Count what is in the trace of a run."""
        tallies: dict[tuple[str, str], defaultdict[type, int]] = defaultdict(lambda: defaultdict(int))
        tally_of: dict[str, defaultdict[type, int]] = {}
        """Of the state that an actor is in."""
        for _, _, name, _, event, effects, _, _ in sim.trace:
            kind = type(event)
            if (tally := tally_of.get(name)) is None:
                tally = tally_of[name] = tallies[name, ""]
            tally[kind] += 1
            if kind in SUBSCRIBED:
                tally_of[name] = tallies[name, "subscribed"]
            for effect in effects:
                if type(effect) in TELLING and (state := self._state_after(effect)) is not None:
                    tally_of[name] = tallies[name, state]
        for (name, state), tally in tallies.items():
            if actor := _actor(name):
                for kind, times in tally.items():
                    self.reached[Reached(actor, state, kind.__name__)] += times
        for driver in sim.started.frameworks.values() if sim.started is not None else ():
            self.written.update(dict.fromkeys(_written(driver.user(), Scheduler)))

    def _state_after(self, effect: Callback | Publish) -> str | None:
        """Count a callback; in which state whoever told that is from now on, None: the same as before."""
        if isinstance(effect, Callback):
            self.callbacks[effect.callback] += 1
            return "disconnected" if effect.callback == "disconnected" else None
        if isinstance(effect.fact, AgentStatus):
            return "registered" if effect.fact.registered else "away"
        if isinstance(effect.fact, MasterStatus):
            return "leading" if effect.fact.leading else "standing by"
        return None

    def merge(self, other: Coverage) -> None:
        """Count what another process has reached."""
        self.reached.update(other.reached)
        self.callbacks.update(other.callbacks)
        self.written.update(other.written)

    def __str__(self) -> str:
        """Say how much was reached, and what was not."""
        known = sum(map(len, KNOWN.values()))
        never = self.never_reached
        lines = [f"{known - len(never)} of {known} messages reached whoever decides on them"]
        if never:
            lines.append("never: " + ", ".join(f"{event} at {actor}" for actor, event in never))
        if self.never_called:
            lines.append(f"callbacks never called: {', '.join(self.never_called)}")
        return "\n".join(lines)


def _written(user: object, base: type) -> Iterable[str]:
    """The callbacks that a user's class has made its own."""
    public = [name for name in vars(base) if not name.startswith("_")]
    return [name for name in public if getattr(type(user), name) is not getattr(base, name)]


def _actor(name: str) -> str:
    """Which kind of actor has that name; '' for what hands do."""
    if name.endswith("/registrar"):
        return "registrar"
    if "/" in name:
        return "executor"
    for kind in ("agent", "master"):
        if name.startswith(f"{kind}-"):
            return kind
    return name if name in ("", "elector", "operator") else "scheduler"

