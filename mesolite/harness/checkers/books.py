"""The books add up: what masters and agents write down of resources, offers, tasks and executors."""

from __future__ import annotations

from typing import Any

from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, afterwards
from mesolite.messages.resources import ResourceError

ENTRIES_PER_EVENT = 0.6
"""So many entries of the books may be looked at for each event: looking at all of them waits for enough events."""

NOT_SO = (AssertionError, LookupError, ResourceError)


class _Books(Checker):
    """Lets cores look at themselves, the more rarely the more they have to look at."""

    assumes = frozenset({Assumption.HONEST})

    def __init__(self) -> None:
        """Look at the first event."""
        self._credit: dict[str, float] = {}

    def _check(self, name: str, core: Any, entries: int) -> None:
        credit = self._credit.get(name, entries) + ENTRIES_PER_EVENT
        if credit < entries:
            self._credit[name] = credit
            return
        self._credit[name] = 0
        try:
            core.check()
        except NOT_SO as error:
            self.violated(f"{name}: {type(error).__name__}: {error}", name)


class ResourcesConserved(_Books):
    """What an agent has is used, offered or free, and nothing is twice."""

    name = "resources_conserved"
    statement = "The leader's books add up, and no agent has more used and offered than it has."

    @afterwards(ActorRole.MASTER)
    def handled(self, record: Record, core: Any) -> None:
        """The leader has decided something; what led to nothing changed hardly anything."""
        state = core.state
        if state.leading and record.effects:
            self._check(record.actor, core, len(state.agents) * (1 + len(state.frameworks)) + len(state.offers))


class AgentsKnowTheirOwn(_Books):
    """Executors and tasks are found where they are, and nowhere else."""

    name = "agents_know_their_own"
    statement = "An agent finds each of its tasks and executors in one place, and has no others."

    @afterwards(ActorRole.AGENT)
    def handled(self, record: Record, core: Any) -> None:
        """An agent has decided something."""
        if record.effects and core.state.frameworks:
            self._check(record.actor, core, 2 * len(core.state.executor_of_pid))
