"""Inverse offers: asked, answered, rescinded (drain.md 5.6 to 5.8)."""

from __future__ import annotations

from mesolite.actors.decisions.master.records import InverseOfferRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.ids import OfferId
from mesolite.messages.scheduler import RescindInverseOffer


def discard(m: MasterState, inverse_offer: InverseOfferRecord) -> None:
    """Forget an inverse offer without a word to the scheduler (5.7.1, 5.8.2)."""
    del m.inverse_offers[inverse_offer.id]
    m.frameworks[inverse_offer.framework_id].inverse_offers.pop(inverse_offer.id, None)
    if inverse_offer.agent_id is not None:
        m.agents[inverse_offer.agent_id].inverse_offers.pop(inverse_offer.id, None)


def rescind_all(m: MasterState, inverse_offer_ids: dict[OfferId, None]) -> None:
    """Take these requests back and tell their schedulers (5.8.1)."""
    for inverse_offer_id in list(inverse_offer_ids):
        inverse_offer = m.inverse_offers[inverse_offer_id]
        discard(m, inverse_offer)
        framework = m.frameworks[inverse_offer.framework_id]
        m.send_to_framework(framework, RescindInverseOffer(inverse_offer_id=inverse_offer_id))
