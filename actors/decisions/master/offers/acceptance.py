"""A framework uses offers: checked together, its operations applied one after the other (core.md OF-54 to OF-63)."""

from __future__ import annotations

from mesolite.actors.decisions.master.offers import operations
from mesolite.actors.decisions.master.offers.offers import discard, withdraw
from mesolite.actors.decisions.master.records import FrameworkRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.ids import OfferId
from mesolite.messages.resources import Resources
from mesolite.messages.scheduler import (
    AcceptOffers,
)


def accept(m: MasterState, message: AcceptOffers, sender: str, now: float) -> None:
    """The scheduler uses these offers: check them, apply operation after operation, give back the rest (OF-54..61)."""
    framework = m.caller(message.framework_id, sender)
    if framework is None:
        return
    why_not = _invalid(m, framework, message.offer_ids)
    if why_not:
        # Those still valid are lost to the framework too, without a filter (OF-55).
        for offer_id in dict.fromkeys(message.offer_ids):
            if offer_id in framework.offers:
                withdraw(m, m.offers[offer_id], now)
        for operation in message.operations:
            operations.drop(m, framework, operation, why_not, now)
        return
    offers = [m.offers[offer_id] for offer_id in message.offer_ids]
    agent, role = m.agents[offers[0].agent_id], offers[0].role
    left = Resources.sum(offer.resources for offer in offers)
    for offer in offers:
        discard(m, offer)
    for operation in message.operations:
        left = operations.apply(m, framework, agent, operation, left, now)  # against what the former left (OF-60)
    if left:
        m.recover(framework.id, role, agent.id, left, now, message.filters.refuse_seconds)


def _invalid(m: MasterState, framework: FrameworkRecord, offer_ids: tuple[OfferId, ...]) -> str:
    """Why these offers cannot be accepted together, in Mesos's order of checks (OF-54); '' if they can."""
    if not offer_ids:
        return "no offer was named; name the offers whose resources the tasks use"
    if len(dict.fromkeys(offer_ids)) != len(offer_ids):
        return f"an offer is named twice in {', '.join(offer_ids)}"
    for offer_id in offer_ids:
        if offer_id not in m.offers:
            return f"offer {offer_id} is not outstanding: it was used, declined or rescinded; wait for the next one"
    for offer_id in offer_ids:
        if offer_id not in framework.offers:
            return f"offer {offer_id} was made to another framework"
    roles = dict.fromkeys(m.offers[offer_id].role for offer_id in offer_ids)
    if len(roles) > 1:
        return f"the offers are made to several roles ({', '.join(roles)}); accept those of one role at a time"
    agents = dict.fromkeys(m.offers[offer_id].agent_id for offer_id in offer_ids)
    if len(agents) > 1:
        return f"the offers are of several agents ({', '.join(agents)}); accept those of one agent at a time"
    return ""
