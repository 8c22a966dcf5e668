"""When only what repeats itself goes on in a simulation, as pings and retries do, whoever waits would wait for ever.

Rule: nothing is under way, no timer is set that fires once, and no simulated work will end. But five pings without an
answer are news, and so is a retry that is answered at last; so this must have lasted for a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mesolite.actors.runtime.port import ActorContext, Timer
from mesolite.simulation.network import Network

if TYPE_CHECKING:
    from mesolite.simulation.scheduled_actions import ScheduledAction

PERIODS = 2
"""Every timer that repeats itself must have had the time to fire so often."""

SHOWN = 8
"""How many names of a kind a text shows."""


class Standstill:
    """What is still to come once, and since when that is nothing. Costs next to nothing per timer."""

    def __init__(self, least_s: float) -> None:
        """Let it last for at least so long."""
        self.to_come: set[Timer | ScheduledAction] = set()
        """What will happen once; a set for its speed, nobody goes through it."""
        self.routine = False
        """Whether all that has come due at this instant repeats itself. What is said then is routine, too."""
        self._least_s = self._lasts_s = least_s
        self._since: float | None = None

    @property
    def lasted_s(self) -> float:
        """How long it has to last; after it was reached, how long it did at least."""
        return self._lasts_s

    def begin(self) -> None:
        """Somebody begins to wait: what was done from outside before may have consequences."""
        self.routine, self._since = False, None

    def reached(self, now: float, contexts: Iterable[ActorContext]) -> bool:
        """Whether it has lasted long enough, at the end of an instant."""
        if self.to_come:
            self._since = None
            return False
        if self._since is None or not self.routine:
            self._since, self._lasts_s = now, self._least_s
            return False
        if now - self._since < self._lasts_s:
            return False
        longest_s = max((timer.period_s for context in contexts for timer in context.timers.values()), default=0.0)
        self._lasts_s = max(self._least_s, PERIODS * longest_s)
        return now - self._since >= self._lasts_s


def situation(contexts: Sequence[ActorContext], ended: Sequence[str], endless: Sequence[str], network: Network) -> str:
    """Say who is there, who is not, what each is waited for with, and which faults are in force; a line each."""
    lines = [f"alive: {some(context.name for context in contexts)}"]
    if ended:
        lines.append(f"ended: {some(ended)}")
    standing = [f"{context.name}: {words}" for context in contexts if (words := context.actor.core.standing())]
    lines += standing[:SHOWN] + ([f"... and {len(standing) - SHOWN} more"] if len(standing) > SHOWN else [])
    if endless:
        lines.append(f"runs until it is killed: {some(endless)}")
    if faults := network.faults():
        lines.append(f"in force: {some(faults, '; ')}")
    return "\n".join(f"  {line}" for line in lines)


def some(names: Iterable[str], separator: str = ", ") -> str:
    """Name the first few, and say how many more there are."""
    every = list(names)
    more = [f"{len(every) - SHOWN} more"] if len(every) > SHOWN else []
    return separator.join(every[:SHOWN] + more)
