"""Inverse offers: made, answered or rescinded (drain.md 5.6 to 5.8).

They ask and nothing more: an answer changes no task, no offer and no schedule (5.7.3). What an answer is worth is
known to whoever asked: maintenance, or a reclaim (answers.py).

    asked --answered, framework failed over or removed--> forgotten without a word (5.7.1, 5.8.2)
          --agent deactivated or gone, framework deactivated, schedule changed, timed out--> rescinded (5.8.1)
"""

from __future__ import annotations

from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, InverseOfferRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import InverseOfferTimeout
from mesolite.messages.ids import OfferId, ReclaimId
from mesolite.messages.maintenance import Unavailability
from mesolite.messages.offers import InverseOffer
from mesolite.messages.resources import NOTHING, Resources
from mesolite.messages.scheduler import RescindInverseOffer


def make(
    m: MasterState,
    framework: FrameworkRecord,
    agent: AgentRecord | None,
    unavailability: Unavailability,
    *,
    resources: Resources = NOTHING,
    enforced: bool = False,
    reclaim_id: ReclaimId | None = None,
) -> InverseOffer:
    """Put an inverse offer into memory, to be sent by the caller; `agent` None: wherever resources are held."""
    inverse_offer_id = OfferId(m.id_for("O", m.next_offer))
    m.next_offer += 1
    agent_id = None if agent is None else agent.id
    m.inverse_offers[inverse_offer_id] = InverseOfferRecord(
        id=inverse_offer_id,
        framework_id=framework.id,
        unavailability=unavailability,
        resources=resources,
        agent_id=agent_id,
        reclaim_id=reclaim_id,
    )
    framework.inverse_offers[inverse_offer_id] = None
    if agent is not None:
        agent.inverse_offers[inverse_offer_id] = None
    # What a reclaim wants is wanted until its deadline, whether or not anybody answers.
    if m.settings.offer_timeout_s is not None and reclaim_id is None:
        m.set_timer(InverseOfferTimeout(inverse_offer_id), m.settings.offer_timeout_s)
    return InverseOffer(
        id=inverse_offer_id,
        framework_id=framework.id,
        unavailability=unavailability,
        resources=resources,
        hostname="" if agent is None else agent.info.hostname,
        agent_id=agent_id,
        enforced=enforced,
    )


def discard(m: MasterState, inverse_offer: InverseOfferRecord) -> None:
    """Forget an inverse offer without a word to the scheduler (5.7.1, 5.8.2)."""
    del m.inverse_offers[inverse_offer.id]
    m.frameworks[inverse_offer.framework_id].inverse_offers.pop(inverse_offer.id, None)
    if inverse_offer.agent_id is not None:
        m.agents[inverse_offer.agent_id].inverse_offers.pop(inverse_offer.id, None)
    if m.settings.offer_timeout_s is not None:
        m.cancel_timer(InverseOfferTimeout(inverse_offer.id))


def discard_all(m: MasterState, inverse_offer_ids: dict[OfferId, None]) -> None:
    """Forget these inverse offers without a word to their schedulers (5.8.2)."""
    for inverse_offer_id in list(inverse_offer_ids):
        discard(m, m.inverse_offers[inverse_offer_id])


def rescind_all(m: MasterState, inverse_offer_ids: dict[OfferId, None]) -> None:
    """Take these requests back and tell their schedulers (5.8.1)."""
    for inverse_offer_id in list(inverse_offer_ids):
        inverse_offer = m.inverse_offers[inverse_offer_id]
        discard(m, inverse_offer)
        framework = m.frameworks[inverse_offer.framework_id]
        m.send_to_framework(framework, RescindInverseOffer(inverse_offer_id=inverse_offer_id))


def rescind_advice(m: MasterState, inverse_offer_ids: dict[OfferId, None]) -> None:
    """Take those back that maintenance made: who asks by a deadline goes on asking (5.8.1)."""
    rescind_all(m, {each: None for each in inverse_offer_ids if m.inverse_offers[each].reclaim_id is None})
