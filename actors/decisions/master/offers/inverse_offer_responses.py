"""What frameworks say to inverse offers: noted for the operator, or handed to the reclaim that asked (drain.md 5.7)."""

from __future__ import annotations

from mesolite.actors.decisions.master.offers import inverse_offers
from mesolite.actors.decisions.master.reclaim import asking
from mesolite.actors.decisions.master.records import Answer
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.ids import TaskId
from mesolite.messages.offers import InverseOfferStatus
from mesolite.messages.scheduler import AcceptInverseOffers, DeclineInverseOffers


def accept(m: MasterState, message: AcceptInverseOffers, sender: str, now: float) -> None:
    """The framework will return what it was asked for (5.7.1)."""
    _answered(m, message, sender, InverseOfferStatus.ACCEPT, now, returning=message.returning)


def decline(m: MasterState, message: DeclineInverseOffers, sender: str, now: float) -> None:
    """The framework will not return what it was asked for (5.7.1)."""
    _answered(m, message, sender, InverseOfferStatus.DECLINE, now, reason=message.reason)


def _answered(
    m: MasterState,
    message: AcceptInverseOffers | DeclineInverseOffers,
    sender: str,
    status: InverseOfferStatus,
    now: float,
    *,
    returning: tuple[TaskId, ...] = (),
    reason: str = "",
) -> None:
    """Book each inverse offer of the caller's own; what else is named counts for nothing (ours: Mesos's 5.7.2)."""
    framework = m.caller(message.framework_id, sender)
    if framework is None:
        return
    for inverse_offer_id in message.inverse_offer_ids:
        if inverse_offer_id not in framework.inverse_offers:
            continue  # another's, unknown, expired, rescinded meanwhile, or named twice
        inverse_offer = m.inverse_offers[inverse_offer_id]
        inverse_offers.discard(m, inverse_offer)
        if inverse_offer.reclaim_id is not None:
            asking.answered(m, inverse_offer, framework, status, returning, reason, now)
            continue
        assert inverse_offer.agent_id is not None
        agent = m.agents[inverse_offer.agent_id]
        agent.answers[framework.id] = Answer(status=status, timestamp=now, reason=reason, returning=returning)
        m.inverse_offer_queue.refuse(framework.id, agent.id, message.filters.refuse_seconds, now)
        m.inverse_offer_queue.add_soon(agent.id, now)
