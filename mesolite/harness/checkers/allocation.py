"""What is free is offered soon, and to who has least: judged from what frameworks said of what they want."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mesolite.actors.decisions.allocator.filters import lasting_s
from mesolite.actors.decisions.contract import LinkBroken, PeerExited
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, Finding, hears, said, says
from mesolite.harness.checkers.models import EARLY_S, machine_of
from mesolite.messages.ids import AgentId, FrameworkId, OfferId
from mesolite.messages.offers import Offer
from mesolite.messages.registrar import OperationApplied, RegistryRecovered
from mesolite.messages.relayed import RunTask
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.scheduler import (
    AcceptOffers,
    DeclineOffers,
    FrameworkRegistered,
    FrameworkReregistered,
    RescindOffer,
    ResourceOffers,
    ReviveOffers,
    Subscribe,
    SuppressOffers,
)

LATE_INTERVALS = 3.0
"""What is free is offered with the next run or the one after; later it is late."""


class _Wishes(Checker):
    """Who wants offers, and what of which agent it may refuse, rather more than less (core.md OF-44 to OF-53)."""

    def __init__(self) -> None:
        """Start with nobody heard."""
        self._wanting: dict[FrameworkId, None] = {}
        self._offers: dict[OfferId, Offer] = {}
        self._filters: dict[FrameworkId, dict[AgentId, list[tuple[float, Resources]]]] = {}

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A new leader has heard of no wishes."""
        if self.watch.leads(core):
            self._wanting.clear()
            self._offers.clear()
            self._filters.clear()

    @hears(ActorRole.MASTER, Subscribe, SuppressOffers, ReviveOffers)
    def wished(self, record: Record, core: Any) -> None:
        """A framework wants offers, or none; to revive is to refuse nothing any more (OF-52)."""
        event, framework = record.event, self._caller(record, core)
        if framework is None:
            return
        if isinstance(event, Subscribe):
            if not any(to == record.sender for to, _ in said(record, FrameworkRegistered, FrameworkReregistered)):
                return
            wants = not event.suppressed
        else:
            wants = isinstance(event, ReviveOffers)
        if wants:
            self._wanting[framework.id] = None
        else:
            self._wanting.pop(framework.id, None)
        if isinstance(event, ReviveOffers):
            self._filters.pop(framework.id, None)

    @hears(ActorRole.MASTER, Subscribe, PeerExited, LinkBroken, OperationApplied)
    def changed(self, record: Record, core: Any) -> None:
        """To refuse what the leader does not offer any more means nothing."""
        if self._offers and self.watch.leads(core):
            for offer_id in [each for each in self._offers if each not in core.state.offers]:
                del self._offers[offer_id]

    @hears(ActorRole.MASTER, AcceptOffers, DeclineOffers)
    def answered(self, record: Record, core: Any) -> None:
        """A framework does not want what it leaves: no more than what no launch has taken."""
        framework = self._caller(record, core)
        if framework is None:
            return
        left: dict[AgentId, Resources] = {}
        for offer in [self._offers.pop(each, None) for each in dict.fromkeys(record.event.offer_ids)]:
            if offer is not None and offer.framework_id == framework.id:
                left[offer.agent_id] = left.get(offer.agent_id, NOTHING) + offer.resources
        refuse_s = record.event.filters.refuse_seconds
        if refuse_s == 0:
            return
        for task in (message.task for _, message in said(record, RunTask)):
            if task.agent_id in left and left[task.agent_id].contains(task.resources):
                left[task.agent_id] -= task.resources
        until = record.time + max(lasting_s(refuse_s), core.state.settings.allocation_interval_s)
        of_framework = self._filters.setdefault(framework.id, {})
        for agent_id, resources in left.items():
            standing = [each for each in of_framework.get(agent_id, ()) if each[0] > record.time]
            of_framework[agent_id] = [*standing, (until, resources)]

    def _caller(self, record: Record, core: Any) -> Any:
        """The framework whose driver said that to the leader, None if it may not."""
        m = core.state
        framework = m.frameworks.get(m.framework_of_pid.get(record.sender))
        heard = framework is not None and framework.connected and framework.pid == record.sender
        about = getattr(record.event, "framework_id", framework.id if heard else None)
        return framework if heard and about == framework.id and self.watch.leads(core) else None

    @says(ActorRole.MASTER, RescindOffer)
    def rescinded(self, record: Record, core: Any, message: RescindOffer, to: str) -> None:
        """An offer is taken back: to decline it means nothing."""
        self._offers.pop(message.offer_id, None)

    @says(ActorRole.MASTER, ResourceOffers)
    def offered(self, record: Record, core: Any, message: ResourceOffers, to: str) -> None:
        """Offers are made."""
        if self.watch.leads(core):
            for offer in message.offers:
                self._offers[offer.id] = offer
                self._made(record, core.state, message, offer)

    def _made(self, record: Record, m: Any, message: ResourceOffers, offer: Offer) -> None:
        """The leader makes this offer."""

    def _takers(self, m: Any) -> list[Any]:
        """The frameworks that want offers and may have some (docs/reclaim.md RV-7)."""
        barred = [reclaim.framework_id for reclaim in self.watch.decided.reclaims.values()]
        known = [m.frameworks.get(framework_id) for framework_id in self._wanting]
        return [each for each in known if each is not None and each.connected and each.active and each.id not in barred]

    def _may_refuse(self, framework_id: FrameworkId, agent_id: AgentId, resources: Resources, now: float) -> bool:
        """Whether a filter may hold all of that."""
        standing = self._filters.get(framework_id, {}).get(agent_id, ())
        return any(until > now - EARLY_S and refused.contains(resources) for until, refused in standing)


class FreeIsOffered(_Wishes):
    """Nothing lies idle while somebody wants it (core.md OF-4, OF-13, OF-46, OF-48)."""

    name = "free_is_offered"
    statement = "What is free on an agent is offered soon, if somebody wants offers and does not refuse that."

    def __init__(self) -> None:
        """Start with nothing free."""
        super().__init__()
        self._since: dict[AgentId, dict[FrameworkId, float]] = {}
        self._offered_at: dict[AgentId, float] = {}

    def _made(self, record: Record, m: Any, message: ResourceOffers, offer: Offer) -> None:
        self._offered_at[offer.agent_id] = record.time

    def overdue(self, now: float) -> Iterator[Finding]:
        """Look for what lies idle."""
        m = self.watch.leader() if self._wanting else None
        takers = self._takers(m) if m is not None else []
        if m is None or not takers:
            self._since.clear()
            return
        late_s = LATE_INTERVALS * m.settings.allocation_interval_s
        for agent in m.agents.values():
            free = self._free(m, agent, now)
            ids = [each.id for each in takers if free and not self._may_refuse(each.id, agent.id, free, now)]
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


class LowestShareFirst(_Wishes):
    """Who has least is served first (core.md OF-17); judged within a role, for the first grant of a run."""

    name = "lowest_share_first"
    statement = "The first offer of a run goes to nobody who has more than another in its role that wants it."

    def _made(self, record: Record, m: Any, message: ResourceOffers, offer: Offer) -> None:
        if offer is not message.offers[0] or len(self._wanting) < 2:
            return
        made = [offers for _, offers in said(record, ResourceOffers)]
        if message is not made[0]:
            return
        others = [
            each
            for each in self._takers(m)
            if each.id != offer.framework_id
            and each.info.role == offer.role
            and not self._may_refuse(each.id, offer.agent_id, offer.resources, record.time)
        ]
        if not others:
            return
        granted = [each for one in made for each in one.offers]
        total = Resources.sum(agent.info.resources for agent in m.agents.values()).scalars
        taker = _share(m, offer.framework_id, granted, total)
        for other in others:
            share = _share(m, other.id, granted, total)
            if share < taker - EARLY_S:
                text = f"{offer.id} of {offer.agent_id} is for {offer.framework_id}, which has {taker:.3f} already, "
                self.violated(text + f"and {other.id} has {share:.3f}", offer.framework_id, other.id)
                return


def _share(m: Any, framework_id: FrameworkId, granted: Iterable[Offer], total: Mapping[str, int]) -> float:
    """The dominant share that it had before this was granted."""
    new = Resources.sum(offer.resources for offer in granted if offer.framework_id == framework_id).scalars
    held = {name: amount - new.get(name, 0) for name, amount in m.allocator.scalars(framework_id).items()}
    return max((amount / total[name] for name, amount in held.items() if total.get(name)), default=0.0)
