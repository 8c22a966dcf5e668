"""Inverse offers: what is asked for is said, and nothing stays asked of an agent that operators took out."""

from __future__ import annotations

from typing import Any

from mesolite.actors.decisions.allocator.filters import lasting_s
from mesolite.actors.decisions.contract import LinkBroken, PeerExited
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, afterwards, hears, says
from mesolite.harness.checkers.models import EARLY_S
from mesolite.messages.ids import AgentId, FrameworkId, OfferId
from mesolite.messages.registrar import (
    DeactivateAgent,
    OperationApplied,
    RegistryRecovered,
    StartDrain,
    UpdateMaintenance,
)
from mesolite.messages.scheduler import (
    AcceptInverseOffers,
    DeactivateFramework,
    DeclineInverseOffers,
    InverseOffers,
    RescindInverseOffer,
    ReviveOffers,
    Subscribe,
)


class AskedIsSaid(Checker):
    """Who is waited for knows it (drain.md 5.6.5, 5.8.1)."""

    name = "asked_is_said"
    statement = "An inverse offer in the leader's books was sent, and maintenance asks nothing of a deactivated agent."

    def __init__(self) -> None:
        """Start with nothing asked."""
        self._said: dict[str, dict[OfferId, None]] = {}

    def catch_up(self) -> None:
        """Believe masters that they said what they ask."""
        for context, core in self.watch.reader.all_of(ActorRole.MASTER):
            self._said[context.name] = dict.fromkeys(core.state.inverse_offers)

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A new leader has asked nothing yet."""
        self._said[record.actor] = {}

    @says(ActorRole.MASTER, InverseOffers)
    def asked(self, record: Record, core: Any, message: InverseOffers, to: str) -> None:
        """Somebody is asked."""
        said = self._said.setdefault(record.actor, {})
        for inverse_offer in message.inverse_offers:
            said[inverse_offer.id] = None

    @hears(ActorRole.MASTER, OperationApplied)
    def applied(self, record: Record, core: Any) -> None:
        """An agent is deactivated or draining from now on."""
        operation = record.event.operation
        if isinstance(operation, DeactivateAgent):
            self._nothing_stays(core, operation.agent_id)
        elif isinstance(operation, StartDrain):
            self._nothing_stays(core, operation.drain.agent_id)

    def _nothing_stays(self, core: Any, agent_id: AgentId) -> None:
        m = core.state
        agent = m.agents.get(agent_id)
        asked = [each for each in agent.inverse_offers if m.inverse_offers[each].reclaim_id is None] if agent else []
        if asked and self.watch.leads(core):
            self.violated(f"{', '.join(asked)} stays asked of {agent_id}, which is out of the offers", agent_id)

    @afterwards(ActorRole.MASTER)
    def handled(self, record: Record, core: Any) -> None:
        """The leader has decided something: does it ask for anything else than it said?"""
        m, said = core.state, self._said.get(record.actor)
        if said is None or len(said) == len(m.inverse_offers) or not m.leading:
            return
        for each in [each for each in said if each not in m.inverse_offers]:
            del said[each]
        for each in m.inverse_offers:
            if each not in said:
                said[each] = None
                self.violated(f"{record.actor} waits for an answer to {each}, which was not sent", record.actor)


class RefusedInverseOffersWait(Checker):
    """Who has answered is left alone for a while (drain.md 5.7.4 to 5.7.6)."""

    name = "refused_inverse_offers_wait"
    statement = "Who has answered for an agent is not asked about it again for maintenance before its filter ends."

    def __init__(self) -> None:
        """Start with nothing answered."""
        self._asked: dict[OfferId, tuple[FrameworkId, AgentId]] = {}
        self._filters: dict[tuple[FrameworkId, AgentId], float] = {}

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A new leader knows of no answers."""
        if self.watch.leads(core):
            self._asked.clear()
            self._filters.clear()

    @hears(ActorRole.MASTER, Subscribe, PeerExited, LinkBroken, DeactivateFramework, OperationApplied)
    def let_go(self, record: Record, core: Any) -> None:
        """What is forgotten cannot be answered; filters go with frameworks, with agents, and with another schedule."""
        if not self.watch.leads(core):
            return
        event, m = record.event, core.state
        for each in [each for each in self._asked if each not in m.inverse_offers]:
            del self._asked[each]
        if isinstance(event, OperationApplied) and isinstance(event.operation, UpdateMaintenance):
            self._filters.clear()
        elif isinstance(event, Subscribe | DeactivateFramework):
            self._forget(m.framework_of_pid.get(record.sender))
        for framework_id, agent_id in list(self._filters):
            framework = m.frameworks.get(framework_id)
            if framework is None or not framework.active or agent_id not in m.agents:
                del self._filters[framework_id, agent_id]

    @hears(ActorRole.MASTER, ReviveOffers)
    def revived(self, record: Record, core: Any) -> None:
        """Its filters go."""
        self._forget(record.event.framework_id)

    def _forget(self, framework_id: FrameworkId | None) -> None:
        for key in [key for key in self._filters if key[0] == framework_id]:
            del self._filters[key]

    @says(ActorRole.MASTER, RescindInverseOffer)
    def rescinded(self, record: Record, core: Any, message: RescindInverseOffer, to: str) -> None:
        """An answer to it means nothing any more."""
        self._asked.pop(message.inverse_offer_id, None)

    @hears(ActorRole.MASTER, AcceptInverseOffers, DeclineInverseOffers)
    def answered(self, record: Record, core: Any) -> None:
        """A framework does not want to be asked again so soon, whatever its answer."""
        event = record.event
        framework = core.state.frameworks.get(event.framework_id)
        if framework is None or framework.pid != record.sender or not framework.connected or not self.watch.leads(core):
            return
        refuse_s = event.filters.refuse_seconds
        for each in event.inverse_offer_ids:
            if each in self._asked and self._asked[each][0] == framework.id:
                key = self._asked.pop(each)
                if refuse_s != 0:
                    self._filters[key] = max(self._filters.get(key, 0.0), record.time + lasting_s(refuse_s))

    @says(ActorRole.MASTER, InverseOffers)
    def asked(self, record: Record, core: Any, message: InverseOffers, to: str) -> None:
        """Somebody is asked; what a reclaim asks is no matter of filters (docs/reclaim.md RV-22)."""
        if not self.watch.leads(core):
            return
        for each in message.inverse_offers:
            made = core.state.inverse_offers.get(each.id)
            if made is None or made.reclaim_id is not None or made.agent_id is None:
                continue
            key = (each.framework_id, made.agent_id)
            self._asked[each.id] = key
            until = self._filters.get(key, 0.0)
            if until > record.time + EARLY_S:
                text = f"{each.framework_id} is asked about {made.agent_id} again, and has answered until {until:.3f} s"
                self.violated(text, *key)
