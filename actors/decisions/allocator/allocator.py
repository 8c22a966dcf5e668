"""Which agent's free resources are offered to whom, and when that is next decided (core.md 4.1 to 4.7).

The rule of this file: an agent's free resources go whole to one framework (OF-9), the first that does not
refuse them: in the role of the lowest dominant share, the framework of the lowest dominant share (OF-17). A
grant counts from the moment it is made (OF-10, OF-18).

When a run is due, and which agents it visits, is candidates.py. What an operator has reclaimed is *withheld* on its
agent: it is free, and not granted. A framework that is being reclaimed is *blocked* (docs/reclaim.md RV-6, RV-7).

Where this departs from Mesos, on purpose: agents are visited in the order in which they were added, not at
random (OF-7); and a run for an added agent visits the other candidates too, not that agent alone (OF-3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from mesolite.actors.decisions.allocator.candidates import Candidates
from mesolite.actors.decisions.allocator.filters import OfferFilters, lasting_s
from mesolite.actors.decisions.allocator.known import KnownAgent, KnownFramework
from mesolite.actors.decisions.allocator.shares import Shares
from mesolite.actors.decisions.allocator.sorter import Totals
from mesolite.actors.decisions.interval import TIME_EPSILON_S, IntervalSchedule
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.resources import NOTHING, Resources

# The extra hop through Mesos's mailbox (OF-47): just later than a run of the same instant.
_HOP_S = 3 * TIME_EPSILON_S


@frozen
class Grant:
    """All that was free on that agent is this framework's, to accept or decline, in that role (OF-36)."""

    framework_id: FrameworkId
    role: str
    agent_id: AgentId
    resources: Resources


class Allocator:
    """What is free where, and who holds what. It is told of every change, and decides in `run`.

    Times are absolute seconds. What a call costs does not grow with the number of agents, except for those
    that `run` visits and those on which a framework that is added holds something already.
    """

    def __init__(self, settings: Settings) -> None:
        """Start with an empty cluster."""
        self._min_cpus = round(settings.min_allocatable_cpus * 1000)
        self._min_mem = round(settings.min_allocatable_mem * 1000)

        self._agents: dict[AgentId, KnownAgent] = {}
        self._agents_added = 0
        self._frameworks: dict[FrameworkId, KnownFramework] = {}
        # On which agents a framework holds something; also one that has not been added yet.
        self._where: dict[FrameworkId, dict[AgentId, None]] = {}
        self._filters = OfferFilters()

        self._totals = Totals()
        self._shares = Shares(self._totals)

        self._grid = IntervalSchedule(settings.allocation_interval_s)
        self._candidates = Candidates(self._grid)

    # --- frameworks ---------------------------------------------------------------------------------------

    def add_framework(self, framework_id: FrameworkId, role: str, now: float, *, suppressed: bool = False) -> None:
        """A framework is here, and active; a run over all spare agents is due at once (OF-3).

        What it holds on agents that were there before it is charged to it now.
        """
        assert framework_id not in self._frameworks, framework_id
        framework = KnownFramework(framework_id, active=True, suppressed=suppressed)
        self._frameworks[framework_id] = framework
        self._shares.add(framework_id, role, self._parts(framework_id))
        self._place(framework)
        self._candidates.all_are_due(now)

    def activate_framework(
        self, framework_id: FrameworkId, role: str, now: float, *, suppressed: bool = False
    ) -> None:
        """It is connected again, perhaps in another role; a run over all spare agents is due at once (OF-3).

        What it holds counts for the new role from now on, and its filters go; in Mesos what is in use stays with the
        old one (FW-25).
        """
        framework = self._frameworks[framework_id]
        framework.active, framework.suppressed = True, suppressed
        if self._shares.role(framework_id) != role:
            self._filters.forget_framework(framework_id)
            held = self._parts(framework_id)
            self._shares.remove(framework_id, held)
            self._shares.add(framework_id, role, held)
        self._place(framework)
        self._candidates.all_are_due(now)

    def deactivate_framework(self, framework_id: FrameworkId) -> None:
        """It gets no more grants and keeps what it holds; its filters go (OF-50)."""
        framework = self._frameworks[framework_id]
        framework.active = False
        self._filters.forget_framework(framework_id)
        self._place(framework)

    def remove_framework(self, framework_id: FrameworkId) -> None:
        """It is gone for good. What it held must have been recovered."""
        assert framework_id not in self._where, (framework_id, self._where[framework_id])
        self.deactivate_framework(framework_id)
        del self._frameworks[framework_id]
        self._shares.remove(framework_id)

    def suppress(self, framework_id: FrameworkId) -> None:
        """It wants no more grants for now; what it holds and refused stands (OF-52)."""
        framework = self._frameworks[framework_id]
        framework.suppressed = True
        self._place(framework)

    def revive(self, framework_id: FrameworkId, now: float) -> None:
        """It wants grants again and refuses nothing; a run over all spare agents is due at once (OF-52)."""
        framework = self._frameworks[framework_id]
        framework.suppressed = False
        self._filters.forget_framework(framework_id)
        self._place(framework)
        self._candidates.all_are_due(now)

    def block(self, framework_id: FrameworkId) -> None:
        """Until it is let in again it gets no grants, whatever it or its link does (RV-7)."""
        framework = self._frameworks[framework_id]
        framework.blocked = True
        self._place(framework)

    def unblock(self, framework_id: FrameworkId, now: float) -> None:
        """It is not blocked any more; a run over all spare agents is due at once."""
        framework = self._frameworks[framework_id]
        framework.blocked = False
        self._place(framework)
        self._candidates.all_are_due(now)

    # --- agents -------------------------------------------------------------------------------------------

    def add_agent(
        self,
        agent_id: AgentId,
        total: Resources,
        used: Mapping[FrameworkId, Resources],
        now: float,
        *,
        active: bool = True,
    ) -> None:
        """An agent is here, with `used` in use; a run is due at once (OF-3).

        Raises:
            ResourceError: when more is used than there is; nothing is changed then.
        """
        assert agent_id not in self._agents, agent_id
        free = total
        for resources in used.values():
            free -= resources
        self._agents_added += 1
        agent = KnownAgent(agent_id, self._agents_added, total, free, active)
        self._agents[agent_id] = agent
        self._totals.add(total)
        for framework_id, resources in used.items():
            if resources:
                self._charge(agent, framework_id, resources)
        self._reconsider(agent, now)

    def update_agent(self, agent_id: AgentId, total: Resources, now: float) -> None:
        """It has other facts, `total` among them: the filters on it go, and a run is due at once (OF-3, OF-50).

        Raises:
            ResourceError: when more is held there than there is now; nothing is changed then.
        """
        agent = self._agents[agent_id]
        free = total - Resources.sum(agent.held.values())
        self._totals.remove(agent.total)
        self._totals.add(total)
        agent.total, agent.free = total, free
        self._filters.forget_agent(agent_id)
        if self._is_spare(agent):
            self._candidates.add(agent_id, now)
        else:
            self._candidates.remove(agent_id)

    def charge(self, framework_id: FrameworkId, agent_id: AgentId, resources: Resources) -> None:
        """The framework turns out to hold these there already.

        Raises:
            ResourceError: when that is not free; nothing is changed then.
        """
        agent = self._agents[agent_id]
        agent.free -= resources
        self._charge(agent, framework_id, resources)
        if not self._is_spare(agent):
            self._candidates.remove(agent_id)

    def activate_agent(self, agent_id: AgentId, now: float) -> None:
        """Its free resources are granted again, from the next run on the grid on (OF-4)."""
        agent = self._agents[agent_id]
        agent.active = True
        self._reconsider(agent, self._grid.on_grid(now))

    def offer_again(self, agent_id: AgentId, now: float) -> None:
        """Something else than its resources has changed about it; a run is due at once (drain.md 5.2.6)."""
        self._reconsider(self._agents[agent_id], now)

    def withhold(self, agent_id: AgentId, resources: Resources | None, now: float) -> None:
        """From now on these scalars of it, None for everything, are not granted when they are free (RV-6).

        They take the place of what was withheld before; what may be granted again is, from the next run on the grid on.
        """
        agent = self._agents[agent_id]
        if resources == agent.withheld:
            return
        agent.withheld = resources
        if self._is_spare(agent):
            self._candidates.add(agent_id, self._grid.on_grid(now))
        else:
            self._candidates.remove(agent_id)

    def deactivate_agent(self, agent_id: AgentId) -> None:
        """Nothing on it is granted any more; what is held there stays held."""
        self._agents[agent_id].active = False
        self._candidates.remove(agent_id)

    def remove_agent(self, agent_id: AgentId) -> None:
        """It is gone, and with it all that was granted there and the filters on it (OF-50)."""
        agent = self._agents[agent_id]
        for framework_id, resources in list(agent.held.items()):
            self._refund(agent, framework_id, resources)
        self._totals.remove(agent.total)
        self._filters.forget_agent(agent_id)
        self._candidates.remove(agent_id)
        del self._agents[agent_id]

    def recover(
        self,
        framework_id: FrameworkId,
        role: str,
        agent_id: AgentId,
        resources: Resources,
        now: float,
        refuse_s: float | None = None,
    ) -> None:
        """What a framework held in that role is free again, to be granted from the next run on the grid on (OF-4).

        With `refuse_s` the framework is not granted these on that agent for so long (OF-44): 0 is no filter,
        negative counts as 5 s, over 365 days as 365 days (OF-46). A filter lasts one allocation interval at
        least, and outlasts the next run on the grid (OF-47). If the agent is gone, nothing happens.

        Raises:
            ResourceError: when the framework does not hold that much there; nothing is changed then.
        """
        agent = self._agents.get(agent_id)
        if agent is None or not resources:
            return
        if framework_id in self._frameworks:
            held_in = self._shares.role(framework_id)
            assert held_in == role, f"{framework_id} holds in the role {held_in}, and returns in the role {role}"
        self._refund(agent, framework_id, resources)
        agent.free += resources
        if refuse_s is not None and refuse_s != 0 and framework_id in self._frameworks:
            until = now + max(lasting_s(refuse_s), self._grid.interval_s)
            is_next_run = until <= self._grid.on_grid(now) + TIME_EPSILON_S
            self._filters.add(framework_id, agent_id, resources, until + _HOP_S if is_next_run else until)
        self._reconsider(agent, self._grid.on_grid(now))

    # --- deciding -----------------------------------------------------------------------------------------

    def next_run(self, now: float) -> float | None:
        """When `run` should be called, not before now; None when there is nothing to wait for."""
        if not self._shares.has_competitors:
            return None
        due = self._grid.next_run(self._filters.next_expiry())
        return None if due is None else max(now, due)

    def run(self, now: float) -> list[Grant]:
        """Grant what is due now, if anything is. The grants of one framework stand together (OF-15)."""
        due = self.next_run(now)
        if due is None or due > now + TIME_EPSILON_S:
            return []
        visited = self._candidates.take(self._filters.expire(now + TIME_EPSILON_S), now)
        grants: dict[FrameworkId, list[Grant]] = {}
        for agent in sorted(map(self._agents.__getitem__, visited), key=lambda agent: agent.serial):
            granted = agent.grantable
            taker = self._taker(agent.id, granted)
            if taker is not None:
                grants.setdefault(taker, []).append(Grant(taker, self._shares.role(taker), agent.id, granted))
                self._charge(agent, taker, granted)
                agent.free -= granted
                self._candidates.granted(agent.id)
        return [grant for of_framework in grants.values() for grant in of_framework]

    def _taker(self, agent_id: AgentId, resources: Resources) -> FrameworkId | None:
        """The first in line that does not refuse. Whoever is passed over has a filter on this very agent."""
        for framework_id in self._shares.in_order():
            if not self._filters.refuses(framework_id, agent_id, resources):
                return framework_id
        return None

    # --- views --------------------------------------------------------------------------------------------

    def shares(self) -> Mapping[FrameworkId, float]:
        """The dominant share of every framework, in the order in which they were added."""
        return {framework_id: self._shares.share(framework_id) for framework_id in self._frameworks}

    def role(self, framework_id: FrameworkId) -> str:
        """The role in which it competes."""
        return self._shares.role(framework_id)

    def free(self, agent_id: AgentId) -> Resources:
        """What nobody holds on that agent."""
        return self._agents[agent_id].free

    def withheld(self, agent_id: AgentId) -> Resources | None:
        """What is kept back of an agent; None: everything."""
        return self._agents[agent_id].withheld

    def allocated(self, framework_id: FrameworkId, agent_id: AgentId) -> Resources:
        """What that framework holds on that agent, in offers and in use."""
        return self._agents[agent_id].held.get(framework_id, NOTHING)

    def scalars(self, framework_id: FrameworkId) -> Mapping[str, int]:
        """The scalars that framework holds on all agents together, in thousandths, in offers and in use."""
        return self._shares.held(framework_id)

    def holders(self, agent_id: AgentId) -> list[FrameworkId]:
        """The frameworks that hold something on that agent, in offers or in use."""
        return list(self._agents[agent_id].held)

    def check(self) -> None:
        """Assert that all adds up: agents, frameworks, roles, the cluster, and who is spare."""
        holdings: dict[FrameworkId, dict[AgentId, Resources]] = {}
        for agent in self._agents.values():
            left = agent.total
            for framework_id, resources in agent.held.items():
                assert resources, (agent.id, framework_id)
                holdings.setdefault(framework_id, {})[agent.id] = resources
                left -= resources
            assert left == agent.free, (agent.id, left, agent.free)
        assert {f: dict.fromkeys(held) for f, held in holdings.items()} == self._where
        self._candidates.check(agent.id for agent in self._agents.values() if self._is_spare(agent))
        assert self._totals.amounts == _scalars(agent.total for agent in self._agents.values())
        self._shares.check({framework_id: holdings.get(framework_id, {}).values() for framework_id in self._frameworks})

    # --- bookkeeping --------------------------------------------------------------------------------------

    def _charge(self, agent: KnownAgent, framework_id: FrameworkId, resources: Resources) -> None:
        held = agent.held.get(framework_id)
        agent.held[framework_id] = resources if held is None else held + resources
        self._where.setdefault(framework_id, {})[agent.id] = None
        if framework_id in self._frameworks:
            self._shares.charge(framework_id, resources)

    def _parts(self, framework_id: FrameworkId) -> list[Resources]:
        """What it holds, agent by agent."""
        return [self._agents[agent_id].held[framework_id] for agent_id in self._where.get(framework_id, {})]

    def _refund(self, agent: KnownAgent, framework_id: FrameworkId, resources: Resources) -> None:
        left = agent.held.get(framework_id, NOTHING) - resources
        if left:
            agent.held[framework_id] = left
        else:
            del agent.held[framework_id]
            del self._where[framework_id][agent.id]
            if not self._where[framework_id]:
                del self._where[framework_id]
        if framework_id in self._frameworks:
            self._shares.refund(framework_id, resources)

    def _place(self, framework: KnownFramework) -> None:
        """Let it compete or not."""
        if framework.active and not framework.suppressed and not framework.blocked:
            self._shares.enter(framework.id)
        else:
            self._shares.withdraw(framework.id)

    def _is_spare(self, agent: KnownAgent) -> bool:
        """Enough cpus, or enough memory, on an active agent (OF-13)."""
        if not agent.active:
            return False
        grantable = agent.grantable
        amounts = grantable.scalars
        enough = amounts.get("cpus", 0) >= self._min_cpus or amounts.get("mem", 0) >= self._min_mem
        return enough and bool(grantable)

    def _reconsider(self, agent: KnownAgent, due_at: float) -> None:
        """This agent may have more to grant than before: if it is worth an offer, let a run visit it then."""
        if self._is_spare(agent):
            self._candidates.add(agent.id, due_at)


def _scalars(parts: Iterable[Resources]) -> dict[str, int]:
    return dict(Resources.sum(parts).scalars)
