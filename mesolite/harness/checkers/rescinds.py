"""What is taken back: aloud, for a reason, and after the news that matter more."""

from __future__ import annotations

from typing import Any

from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, afterwards, hears, says
from mesolite.messages.ids import FrameworkId, OfferId
from mesolite.messages.registrar import MarkAgentUnreachable, OperationApplied, RegistryRecovered, RemoveAgent
from mesolite.messages.relayed import StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.scheduler import (
    AcceptInverseOffers,
    AcceptOffers,
    DeclineInverseOffers,
    DeclineOffers,
    InverseOffers,
    ReconcileTasks,
    RescindInverseOffer,
    RescindOffer,
    ResourceOffers,
    ReviveOffers,
    Subscribe,
    SuppressOffers,
)

NO_REASON = frozenset(
    {SuppressOffers, ReviveOffers, AcceptOffers, DeclineOffers, ReconcileTasks, StatusUpdateAcknowledgement}
)
"""What a framework says of its own affairs: nobody's offers are taken back for that."""


class OffersRescinded(Checker):
    """An offer is answered, or taken back aloud (core.md OF-52)."""

    name = "offers_rescinded"
    statement = (
        "An offer that its framework has not answered is rescinded before the leader forgets it, and for a reason."
    )

    def __init__(self) -> None:
        """Start with nothing offered."""
        self._made: dict[str, dict[OfferId, FrameworkId]] = {}

    def catch_up(self) -> None:
        """Believe masters what they offer."""
        for context, core in self.watch.reader.all_of(ActorRole.MASTER):
            self._made[context.name] = {offer.id: offer.framework_id for offer in core.state.offers.values()}

    @hears(ActorRole.MASTER, RegistryRecovered)
    def recovered(self, record: Record, core: Any) -> None:
        """A new leader has offered nothing yet."""
        self._made[record.actor] = {}

    @says(ActorRole.MASTER, ResourceOffers)
    def offered(self, record: Record, core: Any, message: ResourceOffers, to: str) -> None:
        """Offers are made."""
        made = self._made.setdefault(record.actor, {})
        for offer in message.offers:
            made[offer.id] = offer.framework_id

    @says(ActorRole.MASTER, RescindOffer)
    def rescinded(self, record: Record, core: Any, message: RescindOffer, to: str) -> None:
        """An offer is taken back aloud."""
        if self._made.get(record.actor, {}).pop(message.offer_id, None) is None:
            self.violated(f"{record.actor} rescinds {message.offer_id}, which was not outstanding", record.actor)
        if message.offer_id in core.state.offers:
            self.violated(f"{record.actor} rescinds {message.offer_id} and keeps it", record.actor)
        if type(record.event) in NO_REASON:
            text = f"{record.actor} rescinds {message.offer_id} because of {type(record.event).__name__}"
            self.violated(text, record.actor)

    @afterwards(ActorRole.MASTER)
    def handled(self, record: Record, core: Any) -> None:
        """The leader has decided something: is there less offered than was?"""
        made, state = self._made.get(record.actor), core.state
        if not made or not state.leading or len(made) == len(state.offers):
            return
        event = record.event
        answered = event.offer_ids if isinstance(event, AcceptOffers | DeclineOffers) else ()
        whose = event.framework_info.id if isinstance(event, Subscribe) else None
        for offer_id in [each for each in made if each not in state.offers]:
            framework_id = made.pop(offer_id)
            framework = state.frameworks.get(framework_id)
            told = framework is not None and framework.connected and framework_id != whose
            if told and offer_id not in answered:
                self.violated(f"{offer_id} of {framework_id} is forgotten without a word", framework_id)


class InverseOffersRescinded(Checker):
    """An inverse offer is answered, or taken back aloud (drain.md 5.8.1, core.md FW-19)."""

    name = "inverse_offers_rescinded"
    statement = "An inverse offer that its framework has not answered is rescinded before the leader forgets it."

    def __init__(self) -> None:
        """Start with nothing asked."""
        self._made: dict[Any, dict[OfferId, tuple[FrameworkId, str]]] = {}

    @says(ActorRole.MASTER, InverseOffers)
    def asked(self, record: Record, core: Any, message: InverseOffers, to: str) -> None:
        """A framework is asked."""
        made = self._made.setdefault(core, {})
        for each in message.inverse_offers:
            made[each.id] = (each.framework_id, to)

    @says(ActorRole.MASTER, RescindInverseOffer)
    def rescinded(self, record: Record, core: Any, message: RescindInverseOffer, to: str) -> None:
        """It need not answer any more."""
        self._made.get(core, {}).pop(message.inverse_offer_id, None)

    @hears(ActorRole.MASTER, AcceptInverseOffers, DeclineInverseOffers)
    def answered(self, record: Record, core: Any) -> None:
        """It has answered."""
        for inverse_offer_id in record.event.inverse_offer_ids:
            self._made.get(core, {}).pop(inverse_offer_id, None)

    @afterwards(ActorRole.MASTER)
    def handled(self, record: Record, core: Any) -> None:
        """The leader has decided something: is less asked than was?"""
        made, m = self._made.get(core), core.state
        if not made or not m.leading or len(made) == len(m.inverse_offers):
            return
        for each in [each for each in made if each not in m.inverse_offers]:
            framework_id, driver = made.pop(each)
            framework = m.frameworks.get(framework_id)
            # A successor was never asked, and who forces its way in is one (FW-18).
            forced = type(record.event) is Subscribe and record.event.force
            if framework is not None and framework.connected and framework.pid == driver and not forced:
                self.violated(f"{each} of {framework_id} is forgotten without a word", framework_id)


class LossesBeforeRescinds(Checker):
    """First what has become of its tasks, then what it cannot use any more (drain.md 1.6.3, 2.3.5)."""

    name = "losses_before_rescinds"
    statement = "Of an agent that is lost frameworks hear of their tasks first, then that its offers are rescinded."

    @hears(ActorRole.MASTER, OperationApplied)
    def left(self, record: Record, core: Any) -> None:
        """An agent is lost."""
        operation = record.event.operation
        if not isinstance(operation, MarkAgentUnreachable | RemoveAgent):
            return
        rescinded: dict[str, None] = {}
        for effect in record.effects:
            message = getattr(effect, "message", None)
            if type(message) is RescindOffer:
                rescinded[effect.to] = None
            elif type(message) is StatusUpdate and effect.to in rescinded:
                status = message.status
                if status.agent_id == operation.agent_id:
                    text = f"{effect.to} hears that offers of {status.agent_id} are rescinded, and then of "
                    self.violated(text + status.task_id, status.task_id, status.agent_id)
