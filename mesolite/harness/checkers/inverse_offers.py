"""Inverse offers: what is asked for is said, and nothing stays asked of an agent that operators took out."""

from __future__ import annotations

from typing import Any

from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, afterwards, hears, says
from mesolite.messages.ids import AgentId, OfferId
from mesolite.messages.registrar import DeactivateAgent, OperationApplied, RegistryRecovered, StartDrain
from mesolite.messages.scheduler import InverseOffers


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
        m, said = core.state, self._said.get(record.actor, {})
        if not m.leading or len(said) == len(m.inverse_offers):
            return
        for each in [each for each in said if each not in m.inverse_offers]:
            del said[each]
        for each in m.inverse_offers:
            if each not in said:
                said[each] = None
                self.violated(f"{record.actor} waits for an answer to {each}, which was not sent", record.actor)
