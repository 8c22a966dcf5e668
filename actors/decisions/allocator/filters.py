"""What frameworks refused, where, and until when (core.md OF-44..OF-50).

The rule of this file: a filter stands between one framework and one agent, and blocks whatever is contained
in what was refused. Every question costs what it concerns: an agent, a framework, or what has expired.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.offers import Filters
from mesolite.messages.resources import Resources

_DEFAULT_REFUSE_S = Filters().refuse_seconds
_MAX_REFUSE_S = 365 * 24 * 3600.0

# A heap of fewer expiries is not worth sweeping.
_SWEEP_MIN = 1000


def lasting_s(refuse_s: float) -> float:
    """How long that refuses: negative counts as 5 s, more than 365 days as 365 days (OF-46)."""
    # Written so that not-a-number falls to the default.
    return min(refuse_s, _MAX_REFUSE_S) if refuse_s >= 0 else _DEFAULT_REFUSE_S


class OfferFilters:
    """All filters that stand. Times are absolute seconds."""

    def __init__(self) -> None:
        """Start with no filter."""
        # Several filters, by number, may stand between one framework and one agent (OF-49).
        self._filters: dict[AgentId, dict[FrameworkId, dict[int, Resources]]] = {}
        self._where: dict[FrameworkId, dict[AgentId, None]] = {}
        self._made = 0
        # A heap of expiry, filter number, framework, agent. A filter that goes early leaves its entry behind.
        self._expiries: list[tuple[float, int, FrameworkId, AgentId]] = []
        self._sweep_at = _SWEEP_MIN

    def add(self, framework_id: FrameworkId, agent_id: AgentId, resources: Resources, until: float) -> None:
        """The framework does not want these on that agent before then."""
        self._made += 1
        by_framework = self._filters.setdefault(agent_id, {})
        by_framework.setdefault(framework_id, {})[self._made] = resources
        self._where.setdefault(framework_id, {})[agent_id] = None
        if len(self._expiries) >= self._sweep_at:
            self._sweep()
        heappush(self._expiries, (until, self._made, framework_id, agent_id))

    def refuses(self, framework_id: FrameworkId, agent_id: AgentId, offered: Resources) -> bool:
        """Whether a filter holds all that is offered; more or other than was refused passes (OF-48)."""
        filters = self._filters.get(agent_id, {}).get(framework_id)
        return filters is not None and any(offered in refused for refused in filters.values())

    def forget_framework(self, framework_id: FrameworkId) -> list[AgentId]:
        """Its filters go: it revived, or is not there (OF-50). The agents they stood on."""
        agents = list(self._where.pop(framework_id, {}))
        for agent_id in agents:
            self._drop(framework_id, agent_id)
        return agents

    def forget_agent(self, agent_id: AgentId) -> None:
        """The filters on it go with it (OF-50)."""
        for framework_id in self._filters.pop(agent_id, {}):
            self._leave(framework_id, agent_id)

    def next_expiry(self) -> float | None:
        """When the next filter that stands expires; None when none does."""
        while self._expiries and not self._stands(self._expiries[0]):
            heappop(self._expiries)
        return self._expiries[0][0] if self._expiries else None

    def expire(self, now: float) -> list[AgentId]:
        """Drop the filters whose time is over; the agents they stood on, as often as there were filters."""
        agents: list[AgentId] = []
        while self._expiries and self._expiries[0][0] <= now:
            entry = heappop(self._expiries)
            if self._stands(entry):
                _, number, framework_id, agent_id = entry
                filters = self._filters[agent_id][framework_id]
                del filters[number]
                if not filters:
                    self._leave(framework_id, agent_id)
                    self._drop(framework_id, agent_id)
                agents.append(agent_id)
        return agents

    def _stands(self, entry: tuple[float, int, FrameworkId, AgentId]) -> bool:
        _, number, framework_id, agent_id = entry
        return number in self._filters.get(agent_id, {}).get(framework_id, {})

    def _drop(self, framework_id: FrameworkId, agent_id: AgentId) -> None:
        by_framework = self._filters[agent_id]
        del by_framework[framework_id]
        if not by_framework:
            del self._filters[agent_id]

    def _leave(self, framework_id: FrameworkId, agent_id: AgentId) -> None:
        agents = self._where[framework_id]
        del agents[agent_id]
        if not agents:
            del self._where[framework_id]

    def _sweep(self) -> None:
        """Rid the heap of what went early, so that it never holds more than twice what stands."""
        self._expiries = [entry for entry in self._expiries if self._stands(entry)]
        heapify(self._expiries)
        self._sweep_at = max(_SWEEP_MIN, 2 * len(self._expiries))
