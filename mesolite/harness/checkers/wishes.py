"""Who wants offers, and what of which agent it may refuse: judged from what frameworks said."""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.allocator.filters import lasting_s
from mesolite.actors.decisions.contract import LinkBroken, PeerExited
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Observer, hears, said, says
from mesolite.harness.checkers.models import EARLY_S
from mesolite.messages.ids import AgentId, FrameworkId, OfferId
from mesolite.messages.offers import Offer
from mesolite.messages.registrar import OperationApplied, RegistryRecovered
from mesolite.messages.relayed import RunTask
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.scheduler import (
    AcceptOffers,
    DeactivateFramework,
    DeclineOffers,
    FrameworkRegistered,
    FrameworkReregistered,
    RescindOffer,
    ResourceOffers,
    ReviveOffers,
    Subscribe,
    SuppressOffers,
)


class Wishes(Observer):
    """Who wants offers, and what of which agent it may refuse, rather more than less (core.md OF-44 to OF-53)."""

    def __init__(self) -> None:
        """Start with nobody heard."""
        self.wanting: dict[FrameworkId, None] = {}
        """The frameworks that want offers."""
        self._offers: dict[OfferId, Offer] = {}
        self._filters: dict[FrameworkId, dict[AgentId, list[tuple[float, Resources]]]] = {}

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A new leader has heard of no wishes."""
        if self.watch.leads(core):
            self.wanting.clear()
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
            self.wanting[framework.id] = None
        else:
            self.wanting.pop(framework.id, None)
        if isinstance(event, ReviveOffers):
            self._filters.pop(framework.id, None)

    @hears(ActorRole.MASTER, Subscribe, PeerExited, LinkBroken, OperationApplied)
    def changed(self, record: Record, core: Any) -> None:
        """To refuse what the leader does not offer any more means nothing."""
        if self._offers and self.watch.leads(core):
            for offer_id in [each for each in self._offers if each not in core.state.offers]:
                del self._offers[offer_id]

    @hears(ActorRole.MASTER, DeactivateFramework)
    def deactivated(self, record: Record, core: Any) -> None:
        """Who is out of the offers refuses nothing any more (OF-50)."""
        framework = self._caller(record, core)
        if framework is not None:
            self._filters.pop(framework.id, None)

    @hears(ActorRole.MASTER, PeerExited)
    def exited(self, record: Record, core: Any) -> None:
        """Nor who is not connected any more."""
        framework_id = core.state.framework_of_pid.get(record.event.name)
        if framework_id is not None and self.watch.leads(core):
            self._filters.pop(framework_id, None)

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

    def takers(self, m: Any) -> list[Any]:
        """The frameworks that want offers and may have some (docs/reclaim.md RV-7)."""
        barred = [reclaim.framework_id for reclaim in self.watch.decided.reclaims.values()]
        known = [m.frameworks.get(framework_id) for framework_id in self.wanting]
        return [each for each in known if each is not None and each.connected and each.active and each.id not in barred]

    def may_refuse(self, framework_id: FrameworkId, agent_id: AgentId, resources: Resources, now: float) -> bool:
        """Whether a filter may hold all of that."""
        standing = self._filters.get(framework_id, {}).get(agent_id, ())
        return any(until > now - EARLY_S and refused.contains(resources) for until, refused in standing)
