"""Which agents the allocator's next run visits, and when that is due (core.md OF-2 to OF-4).

    framework or agent added, framework activated, revived --> due now --------+
    recovered, agent activated, filter expired --------------> on the grid ----+--> run

The grid is the previous run plus whole allocation intervals (OF-2). A run visits the *candidates*: the agents
for which something changed. An agent that everybody refuses is none until a filter on it expires, its free
resources grow, or there is somebody new to ask; so a cluster in which nothing happens costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import Factory, define

from mesolite.actors.decisions.interval import IntervalSchedule
from mesolite.messages.ids import AgentId


@define
class Candidates:
    """The spare agents, active and with enough free to be offered (OF-13), and which of them are candidates."""

    grid: IntervalSchedule
    _spare: dict[AgentId, None] = Factory(dict)
    _changed: dict[AgentId, None] = Factory(dict)
    _all_changed: bool = False

    def add(self, agent_id: AgentId, due_at: float) -> None:
        """This agent may have more to grant than before: let a run visit it then."""
        self._spare[agent_id] = None
        self._changed[agent_id] = None
        self.grid.ask(due_at)

    def remove(self, agent_id: AgentId) -> None:
        """It has nothing to grant any more."""
        self._spare.pop(agent_id, None)
        self._changed.pop(agent_id, None)
        if not self._spare or not (self._changed or self._all_changed):
            self._all_changed = False
            self.grid.due_at = None

    def all_are_due(self, now: float) -> None:
        """There is somebody new to ask: let a run visit every spare agent."""
        if self._spare:
            self._all_changed = True
            self.grid.ask(now)

    def take(self, expired: Iterable[AgentId], now: float) -> list[AgentId]:
        """Those that the run of now visits, with those on which filters expired; none is a candidate any more."""
        for agent_id in expired:
            if agent_id in self._spare:
                self._changed[agent_id] = None
        visited = list(self._spare if self._all_changed else self._changed)
        self._changed.clear()
        self._all_changed = False
        self.grid.ran(now)
        return visited

    def granted(self, agent_id: AgentId) -> None:
        """A run has granted all that was to be granted of it."""
        del self._spare[agent_id]

    def check(self, spare: Iterable[AgentId]) -> None:
        """Assert that these are the spare agents, and that a run is due if there is one to visit."""
        assert sorted(self._spare) == sorted(spare)
        assert all(agent_id in self._spare for agent_id in self._changed), self._changed
        assert (self.grid.due_at is not None) == bool(self._changed or self._all_changed), self.grid
