"""Which agents have to be looked at for inverse offers, when, and who does not want to be asked (drain.md 5.6, 5.7).

Mesos looks at every agent in every run of its allocator. Here an agent is looked at when something has changed that
could make somebody be asked about it: its schedule, who holds something on it, whether it or a framework is active, an
answer, the end of a filter. So a cluster in which nothing happens costs nothing.

    scheduled, registered, granted, subscribed, revived --> due now --------+
    answered, timed out, active again, filter expired ----> on the grid ----+--> run --> agents to look at

The grid is the previous run plus whole allocation intervals, so nobody is asked twice within one (5.6.2).
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from mesolite.actors.decisions.allocator.filters import OfferFilters, lasting_s
from mesolite.actors.decisions.interval import TIME_EPSILON_S, IntervalSchedule
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.resources import NOTHING


class InverseOfferQueue:
    """The agents to be looked at, and the filters that stand. Times are absolute seconds.

    What a call costs depends on what it concerns: one agent, one framework's filters, or what is due.
    """

    def __init__(self, interval_s: float) -> None:
        """Start with nothing to ask."""
        self._grid = IntervalSchedule(interval_s)
        self._agents: dict[AgentId, None] = {}
        self._filters = OfferFilters()

    def add(self, agent_id: AgentId, now: float) -> None:
        """Somebody may have to be asked about this agent at once."""
        self._add(agent_id, now)

    def add_soon(self, agent_id: AgentId, now: float) -> None:
        """Somebody may have to be asked about this agent, with the next run on the grid."""
        self._add(agent_id, self._grid.on_grid(now))

    def _add(self, agent_id: AgentId, at: float) -> None:
        self._agents[agent_id] = None
        self._grid.ask(at)

    def refuse(self, framework_id: FrameworkId, agent_id: AgentId, refuse_s: float, now: float) -> None:
        """The framework does not want to be asked about this agent for so long; 0 is no filter (5.7.4)."""
        if refuse_s != 0:
            self._filters.add(framework_id, agent_id, NOTHING, now + lasting_s(refuse_s))

    def refuses(self, framework_id: FrameworkId, agent_id: AgentId) -> bool:
        """Whether a filter of the framework stands on that agent."""
        return self._filters.refuses(framework_id, agent_id, NOTHING)

    def forget_framework(self, framework_id: FrameworkId, now: float) -> None:
        """Its filters go: it revived, subscribed, or is not there (5.7.6). Where they stood is looked at, at once."""
        for agent_id in self._filters.forget_framework(framework_id):
            self.add(agent_id, now)

    def forget_agent(self, agent_id: AgentId) -> None:
        """The filters on it go: it left, or its unavailability has changed (5.2.6)."""
        self._filters.forget_agent(agent_id)

    def is_due(self, agent_id: AgentId) -> bool:
        """Whether the next run looks at this agent."""
        return agent_id in self._agents

    def next_run(self, now: float) -> float | None:
        """When `run` should be called, not before now; None when there is nothing to wait for."""
        due = self._grid.next_run(self._filters.next_expiry())
        return None if due is None else max(now, due)

    def run(self, now: float) -> list[AgentId]:
        """The agents that are to be looked at now, if it is time."""
        due = self.next_run(now)
        if due is None or due > now + TIME_EPSILON_S:
            return []
        for agent_id in self._filters.expire(now + TIME_EPSILON_S):
            self._agents[agent_id] = None
        agents, self._agents = list(self._agents), {}
        self._grid.ran(now)
        return agents

    def to_ask(
        self, agent_id: AgentId, holders: Iterable[FrameworkId], asked: Container[FrameworkId]
    ) -> list[FrameworkId]:
        """Those that hold something there, are not being asked already, and may be asked (5.6.1)."""
        return [
            framework_id
            for framework_id in holders
            if framework_id not in asked and not self.refuses(framework_id, agent_id)
        ]
