"""Offers: what is offered to whom, what stays offered, and that both sides know it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesolite.actors.decisions.allocator.filters import lasting_s
from mesolite.actors.decisions.contract import LinkBroken, PeerExited
from mesolite.actors.decisions.master.membership.table import Change
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Assumption, Checker, Finding, afterwards, hears, says
from mesolite.harness.checkers.models import EARLY_S, key_of, machine_of
from mesolite.messages.agent import ReregisterAgent
from mesolite.messages.ids import AgentId, FrameworkId, OfferId
from mesolite.messages.offers import Offer
from mesolite.messages.registrar import (
    AdmitAgent,
    DeactivateAgent,
    MarkAgentGone,
    MarkAgentReachable,
    MarkAgentUnreachable,
    OperationApplied,
    PruneAgents,
    RegistryRecovered,
    RemoveAgent,
    StartDrain,
)
from mesolite.messages.relayed import RunTask
from mesolite.messages.resources import Resources
from mesolite.messages.scheduler import (
    AcceptOffers,
    DeactivateFramework,
    DeclineOffers,
    RescindOffer,
    ResourceOffers,
    ReviveOffers,
    Subscribe,
)

SETTLED_S = 10.0
"""An offer that has stood for so long is known to whoever it was made to."""


class OffersOfAvailableAgents(Checker):
    """An agent that operators took out of the offers is not offered, nor is one that is away."""

    name = "offers_of_available_agents"
    statement = (
        "Nothing is offered, or stays offered, of an agent that is away, deactivated, draining or down, nor to a "
        "framework that is away."
    )

    @says(ActorRole.MASTER, ResourceOffers)
    def offered(self, record: Record, core: Any, message: ResourceOffers, to: str) -> None:
        """Offers are made."""
        if not self.watch.leads(core):
            return
        decided, state = self.watch.decided, core.state
        for offer in message.offers:
            agent = state.agents.get(offer.agent_id)
            leaving = state.membership.is_pending(offer.agent_id, Change.REMOVE)
            why_not = ""
            if agent is None or not agent.connected:
                why_not = "is away"
            elif offer.agent_id in decided.deactivated:
                why_not = "is deactivated"
            elif machine_of(agent) in decided.down and not leaving:
                why_not = "is on a machine that is down"
            if why_not:
                self.violated(f"{offer.id} is of {offer.agent_id}, which {why_not}", offer.agent_id)
            framework = state.frameworks.get(offer.framework_id)
            if framework is None or not framework.connected or framework.pid != to:
                self.violated(f"{offer.id} is for {offer.framework_id}, which is not there", offer.framework_id)

    @hears(ActorRole.MASTER, OperationApplied)
    def applied(self, record: Record, core: Any) -> None:
        """An agent is deactivated or draining from now on."""
        operation = record.event.operation
        if isinstance(operation, DeactivateAgent):
            self._nothing_stays(core, operation.agent_id, "is deactivated")
        elif isinstance(operation, StartDrain):
            self._nothing_stays(core, operation.drain.agent_id, "is to be drained")

    @hears(ActorRole.MASTER, PeerExited, LinkBroken)
    def parted(self, record: Record, core: Any) -> None:
        """An agent may be away from now on."""
        agent_id = core.state.agent_of_pid.get(record.event.name)
        if agent_id is not None and not core.state.agents[agent_id].connected:
            self._nothing_stays(core, agent_id, "is away")

    def _nothing_stays(self, core: Any, agent_id: AgentId, why: str) -> None:
        agent = core.state.agents.get(agent_id)
        if agent is not None and agent.offers and self.watch.leads(core):
            self.violated(f"{', '.join(agent.offers)} stays offered of {agent_id}, which {why}", agent_id)


class WithheldIsNotOffered(Checker):
    """Teeth do not feed those they bite (docs/reclaim.md)."""

    name = "withheld_is_not_offered"
    statement = (
        "Nothing that is reclaimed or in an enforced window is offered, and nothing is offered to a framework that is "
        "being reclaimed."
    )

    def __init__(self) -> None:
        """Start with nobody awake."""
        self._awake: dict[str, tuple[float, float]] = {}

    @afterwards(ActorRole.MASTER)
    def handled(self, record: Record, core: Any) -> None:
        """Remember the last two instants at which a master did something: it may have stood still between them."""
        if not self.watch.decided.windows:
            return
        last = self._awake.get(record.actor, (0.0, 0.0))[1]
        if record.time > last:
            self._awake[record.actor] = (last, record.time)

    @says(ActorRole.MASTER, ResourceOffers)
    def offered(self, record: Record, core: Any, message: ResourceOffers, to: str) -> None:
        """Offers are made."""
        decided = self.watch.decided
        if self.watch.leads(core) and (decided.reclaims or decided.windows):
            for offer in message.offers:
                if offer.agent_id in core.state.agents:
                    self._look(record.actor, core.state, offer, record.time)

    def _look(self, actor: str, state: Any, offer: Offer, now: float) -> None:
        decided, agent = self.watch.decided, state.agents[offer.agent_id]
        window, instants = decided.in_force(agent, now), self._awake.get(actor, (0.0, 0.0))
        # Who has stood still has not come to the beginning of the window yet.
        awake_at = max((at for at in instants if at < now), default=0.0)
        if window is not None and window.unavailability.start < awake_at:
            self.violated(f"{offer.id} is of {agent.id}, whose window is enforced", agent.id)
        for reclaim in decided.reclaims.values():
            if reclaim.framework_id == offer.framework_id:
                self.violated(f"{offer.id} is for {offer.framework_id}, {reclaim.id} is open", reclaim.id)
            if reclaim.agent_id != offer.agent_id:
                continue
            if reclaim.resources is None:
                self.violated(f"{offer.id} is of {agent.id}, of which all is reclaimed", reclaim.id)
                continue
            taken = Resources.sum(
                [*agent.used().values(), *(state.offers[each].resources for each in agent.offers)]
            ).scalars
            left = {name: amount - taken.get(name, 0) for name, amount in agent.info.resources.scalars.items()}
            short = [name for name, amount in reclaim.resources.scalars.items() if left.get(name, 0) < amount]
            if [name for name in short if offer.resources.scalars.get(name)]:
                text = f"{offer.id} of {agent.id} leaves {left} of what {reclaim.id} withholds: {reclaim.resources}"
                self.violated(text, reclaim.id, agent.id)


class OffersSayWhen(Checker):
    """Who takes an offer knows how long it is good for (drain.md 5.4.1)."""

    name = "offers_say_when"
    statement = "An offer says when its agent's machine will be unavailable, if and only if that is scheduled."

    @says(ActorRole.MASTER, ResourceOffers)
    def offered(self, record: Record, core: Any, message: ResourceOffers, to: str) -> None:
        """Offers are made."""
        decided = self.watch.decided
        if not self.watch.leads(core) or not (decided.windows or any(each.unavailability for each in message.offers)):
            return
        when = {
            key_of(machine): window.unavailability
            for window in decided.windows
            for machine in window.machines
        }
        for offer in message.offers:
            agent = core.state.agents.get(offer.agent_id)
            if agent is not None and offer.unavailability != when.get(machine_of(agent)):
                text = f"{offer.id} of {offer.agent_id} says {offer.unavailability}, and its machine is scheduled for "
                self.violated(text + f"{when.get(machine_of(agent))}", offer.agent_id)


class OffersKnown(Checker):
    """What the leader thinks it offers, a scheduler can use."""

    name = "offers_known"
    statement = "Once all is mended, the leader's outstanding offers are those that living drivers hold."
    assumes = frozenset(Assumption)

    def __init__(self) -> None:
        """Start with nothing offered."""
        self._made_at: dict[OfferId, float] = {}

    @says(ActorRole.MASTER, ResourceOffers)
    def offered(self, record: Record, core: Any, message: ResourceOffers, to: str) -> None:
        """Offers are made; no id comes twice."""
        for offer in message.offers:
            if offer.id in self._made_at:
                self.violated(f"{offer.id} is made a second time", offer.id)
            self._made_at[offer.id] = record.time

    def calm(self) -> Iterator[Finding]:
        """Compare both sides."""
        state = self.watch.leader()
        now = self.watch.sim.now
        drivers = dict.fromkeys(state.framework_of_pid) if state is not None else {}
        for actor in drivers:
            core = self.watch.reader.core(actor)
            framework = state.frameworks.get(state.framework_of_pid[actor])
            if core is None or framework is None or not (core.connected and framework.connected):
                continue
            old = {each for each in (*framework.offers, *core.offers) if now - self._made_at.get(each, now) > SETTLED_S}
            for offer_id in framework.offers:
                if offer_id in old and offer_id not in core.offers:
                    yield f"the leader still offers {offer_id} to {actor}, which does not have it", (actor,)
            for offer_id in core.offers:
                if offer_id in old and offer_id not in framework.offers:
                    yield f"{actor} still holds {offer_id}, which the leader does not offer", (actor,)


class RefusedOffersWait(Checker):
    """A filter holds (OF-44 to OF-50)."""

    name = "refused_offers_wait"
    statement = "Nothing in a refused offer is offered to that framework again before its filter ends."

    def __init__(self) -> None:
        """Start with nothing refused."""
        self._offers: dict[OfferId, Offer] = {}
        self._filters: dict[AgentId, dict[FrameworkId, list[tuple[float, Resources]]]] = {}

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A new leader knows of no filters."""
        if self.watch.leads(core):
            self._offers.clear()
            self._filters.clear()

    @hears(ActorRole.MASTER, Subscribe)
    def subscribed(self, record: Record, core: Any) -> None:
        """Its role may be another, and its offers are gone."""
        self._forget(record.event.framework_info.id)
        self._let_go(core)

    @hears(ActorRole.MASTER, ReviveOffers, DeactivateFramework)
    def revived(self, record: Record, core: Any) -> None:
        """Its filters go (OF-50, OF-52)."""
        self._forget(record.event.framework_id)

    @hears(ActorRole.MASTER, PeerExited, LinkBroken)
    def parted(self, record: Record, core: Any) -> None:
        """A framework that is away loses its filters."""
        framework_id = core.state.framework_of_pid.get(record.event.name)
        if framework_id is not None:
            self._forget(framework_id)
        self._let_go(core)

    def _let_go(self, core: Any) -> None:
        """To refuse what the leader does not offer any more means nothing."""
        if self.watch.leads(core):
            for offer_id in [each for each in self._offers if each not in core.state.offers]:
                del self._offers[offer_id]

    def _forget(self, framework_id: FrameworkId | None) -> None:
        if framework_id is not None:
            for of_agent in self._filters.values():
                of_agent.pop(framework_id, None)

    @hears(ActorRole.MASTER, ReregisterAgent)
    def came(self, record: Record, core: Any) -> None:
        """An agent may have other facts than before: what was refused is not what there is."""
        self._forget_agent(record.event.agent.id)

    @hears(ActorRole.MASTER, OperationApplied)
    def applied(self, record: Record, core: Any) -> None:
        """An agent has come, changed or left."""
        match record.event.operation:
            case AdmitAgent(agent=agent) | MarkAgentReachable(agent=agent):
                self._forget_agent(agent.id)
            case RemoveAgent(agent_id=agent_id) | MarkAgentGone(agent_id=agent_id):
                self._forget_agent(agent_id)
            case MarkAgentUnreachable(agent_id=agent_id):
                self._forget_agent(agent_id)
            case PruneAgents():
                self._filters.clear()

    def _forget_agent(self, agent_id: AgentId | None) -> None:
        if agent_id is not None:
            self._filters.pop(agent_id, None)

    @hears(ActorRole.MASTER, DeclineOffers)
    def declined(self, record: Record, core: Any) -> None:
        """A framework does not want these."""
        for offer in self._taken(record, core, record.event.offer_ids):
            self._refuse(core, offer, offer.resources, record.event.filters.refuse_seconds, record.time)

    @hears(ActorRole.MASTER, AcceptOffers)
    def accepted(self, record: Record, core: Any) -> None:
        """A framework does not want what it leaves; at least what no launch can have taken."""
        accept = record.event
        offers = self._taken(record, core, accept.offer_ids)
        if len(offers) != len(accept.offer_ids) or len({offer.agent_id for offer in offers}) != 1:
            return
        left = Resources.sum(offer.resources for offer in offers)
        for effect in record.effects:
            message = getattr(effect, "message", None)
            if isinstance(message, RunTask):
                task = message.task
                parts = [task.resources, *([task.executor.resources] if task.executor is not None else [])]
                taken = Resources.sum(parts)
                if not left.contains(taken):
                    return
                left = left - taken
        self._refuse(core, offers[0], left, accept.filters.refuse_seconds, record.time)

    def _taken(self, record: Record, core: Any, offer_ids: tuple[OfferId, ...]) -> list[Offer]:
        framework = core.state.frameworks.get(record.event.framework_id)
        if not self.watch.leads(core) or framework is None or framework.pid != record.sender:
            return []
        if not framework.connected:
            return []
        offers = [self._offers.pop(each, None) for each in dict.fromkeys(offer_ids)]
        return [offer for offer in offers if offer is not None and offer.framework_id == framework.id]

    def _refuse(self, core: Any, offer: Offer, resources: Resources, refuse_s: float, now: float) -> None:
        if refuse_s and resources:
            until = now + max(lasting_s(refuse_s), core.state.settings.allocation_interval_s)
            of_agent = self._filters.setdefault(offer.agent_id, {})
            of_agent.setdefault(offer.framework_id, []).append((until, resources))

    @says(ActorRole.MASTER, RescindOffer)
    def rescinded(self, record: Record, core: Any, message: RescindOffer, to: str) -> None:
        """An offer is taken back: to decline it means nothing."""
        self._offers.pop(message.offer_id, None)

    @says(ActorRole.MASTER, ResourceOffers)
    def offered(self, record: Record, core: Any, message: ResourceOffers, to: str) -> None:
        """Offers are made: is one refused?"""
        if not self.watch.leads(core):
            return
        now = record.time
        for offer in message.offers:
            self._offers[offer.id] = offer
            of_agent = self._filters.get(offer.agent_id, {})
            standing = [each for each in of_agent.get(offer.framework_id, ()) if each[0] > now + EARLY_S]
            if offer.framework_id in of_agent:
                of_agent[offer.framework_id] = standing
            for until, refused in standing:
                if refused.contains(offer.resources):
                    text = f"{offer.id}, {offer.resources} of {offer.agent_id}, was refused until {until:.3f} s"
                    self.violated(text, offer.agent_id, offer.framework_id)
