"""What is free is offered soon, and to who has least: judged from what frameworks said of what they want."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, Finding, said, says
from mesolite.harness.checkers.models import EARLY_S, machine_of
from mesolite.messages.ids import AgentId, FrameworkId
from mesolite.messages.offers import Offer
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.scheduler import ResourceOffers

LATE_INTERVALS = 3.0
"""What is free is offered with the next run or the one after; later it is late."""


class FreeIsOffered(Checker):
    """Nothing lies idle while somebody wants it (core.md OF-4, OF-13, OF-46, OF-48)."""

    name = "free_is_offered"
    statement = "What is free on an agent is offered soon, if somebody wants offers and does not refuse that."

    def __init__(self) -> None:
        """Start with nothing free."""
        self._since: dict[AgentId, dict[FrameworkId, float]] = {}
        self._offered_at: dict[AgentId, float] = {}

    @says(ActorRole.MASTER, ResourceOffers)
    def offered(self, record: Record, core: Any, message: ResourceOffers, to: str) -> None:
        """The leader makes offers."""
        if self.watch.leads(core):
            for offer in message.offers:
                self._offered_at[offer.agent_id] = record.time

    def overdue(self, now: float) -> Iterator[Finding]:
        """Look for what lies idle."""
        wishes = self.watch.wishes
        m = self.watch.leader() if wishes.wanting else None
        takers = wishes.takers(m) if m is not None else []
        if m is None or not takers:
            self._since.clear()
            return
        late_s = LATE_INTERVALS * m.settings.allocation_interval_s
        for agent in m.agents.values():
            free = self._free(m, agent, now)
            ids = [each.id for each in takers if free and not wishes.may_refuse(each.id, agent.id, free, now)]
            if not ids:
                self._since.pop(agent.id, None)
                continue
            before = self._since.get(agent.id, {})
            since = self._since[agent.id] = {framework_id: before.get(framework_id, now) for framework_id in ids}
            for framework_id, at in since.items():
                if now > max(at, self._offered_at.get(agent.id, 0.0), self.watch.quiet_from) + late_s + EARLY_S:
                    text = f"{free} of {agent.id} is free, and is not offered to {framework_id}, which wants offers"
                    yield text, (agent.id, framework_id)
                    break

    def _free(self, m: Any, agent: Any, now: float) -> Resources:
        """What has to be offered of an agent, nothing if that is too little, or the agent may not be offered."""
        free: Resources = m.allocator.free(agent.id)
        if not _enough(m.settings, free.scalars):
            return NOTHING
        decided = self.watch.decided
        if not agent.connected or agent.id in decided.deactivated or machine_of(agent) in decided.down:
            return NOTHING
        if decided.in_force(agent, now) is not None:
            return NOTHING
        for reclaim in decided.reclaims.values():
            if reclaim.agent_id == agent.id:
                if reclaim.resources is None:
                    return NOTHING
                wanted = reclaim.resources
                aside = {name: min(wanted.scalar(name), free.scalar(name)) for name in wanted.names}
                free -= Resources.of(aside)
        return free if _enough(m.settings, free.scalars) else NOTHING


def _enough(settings: Any, amounts: Mapping[str, int]) -> bool:
    """Whether that is worth an offer (OF-13)."""
    cpus, mem = round(settings.min_allocatable_cpus * 1000), round(settings.min_allocatable_mem * 1000)
    return bool(amounts.get("cpus", 0) >= max(1, cpus) or amounts.get("mem", 0) >= max(1, mem))


class LowestShareFirst(Checker):
    """Who has least is served first (core.md OF-17); judged for the first grant of a run."""

    name = "lowest_share_first"
    statement = (
        "The first offer of a run goes to nobody who has more than another in its role that wants it, and to no role "
        "that has more than another in which somebody wants it."
    )

    @says(ActorRole.MASTER, ResourceOffers)
    def offered(self, record: Record, core: Any, message: ResourceOffers, to: str) -> None:
        """The leader makes offers."""
        wishes = self.watch.wishes
        if len(wishes.wanting) < 2 or not self.watch.leads(core):
            return
        made = [offers for _, offers in said(record, ResourceOffers)]
        if message is not made[0]:
            return
        m, offer = core.state, message.offers[0]
        others = [
            each
            for each in wishes.takers(m)
            if each.id != offer.framework_id
            and not wishes.may_refuse(each.id, offer.agent_id, offer.resources, record.time)
        ]
        if not others:
            return
        granted = [each for one in made for each in one.offers]
        total = Resources.sum(agent.info.resources for agent in m.agents.values()).scalars
        within = {each.id: [each.id] for each in others if each.info.role == offer.role}
        if within:
            self._compare(offer, _share(m, [offer.framework_id], granted, total), _shares(m, within, granted, total))
        roles = {each.info.role: _members(m, each.info.role) for each in others if each.info.role != offer.role}
        if roles:
            taker = _share(m, _members(m, offer.role), granted, total)
            self._compare(offer, taker, _shares(m, roles, granted, total))

    def _compare(self, offer: Offer, taker: float, others: Mapping[str, float]) -> None:
        """Whether one of these has less than the one, or the role, that it goes to."""
        for other, share in others.items():
            if share < taker - EARLY_S:
                text = f"{offer.id} of {offer.agent_id} is for {offer.framework_id} of {offer.role}, with {taker:.3f}, "
                self.violated(text + f"and {other} has {share:.3f}", offer.framework_id)


def _members(m: Any, role: str) -> list[FrameworkId]:
    """The frameworks of a role."""
    return [framework_id for framework_id, framework in m.frameworks.items() if framework.info.role == role]


def _shares(
    m: Any, groups: Mapping[str, list[FrameworkId]], granted: list[Offer], total: Mapping[str, int]
) -> dict[str, float]:
    return {name: _share(m, ids, granted, total) for name, ids in groups.items()}


def _share(m: Any, ids: list[FrameworkId], granted: list[Offer], total: Mapping[str, int]) -> float:
    """The dominant share that these had together before this was granted."""
    held: Counter[str] = Counter()
    for framework_id in ids:
        held.update(m.allocator.scalars(framework_id))
    held.subtract(Resources.sum(offer.resources for offer in granted if offer.framework_id in ids).scalars)
    return max((amount / total[name] for name, amount in held.items() if total.get(name)), default=0.0)
