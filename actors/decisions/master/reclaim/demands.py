"""What reclaims demand of whom: how much is missing, who is asked for it, what they answer (docs/reclaim.md).

All of it is worked out from the books as they are, except what is decided once, the shares: they are recorded (RV-13).
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from mesolite.actors.decisions.interval import TIME_EPSILON_S
from mesolite.actors.decisions.master.offers import inverse_offers
from mesolite.actors.decisions.master.reclaim import revocation
from mesolite.actors.decisions.master.reclaim.rule import (
    Amounts,
    Asked,
    Holder,
    plan,
    resources_of,
    shares,
    shortfall,
    total,
)
from mesolite.actors.decisions.master.records import Answer, FrameworkRecord, InverseOfferRecord, ReclaimRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.checking import unchecked
from mesolite.messages.ids import FrameworkId, TaskId
from mesolite.messages.maintenance import Unavailability
from mesolite.messages.offers import InverseOfferStatus
from mesolite.messages.reclaims import Demand, ReclaimInfo
from mesolite.messages.registrar import StartReclaim
from mesolite.messages.resources import NOTHING
from mesolite.messages.scheduler import InverseOffers

# ------------------------------------------------------------------------------------------------- who holds what


def held(m: MasterState, framework: FrameworkRecord) -> Amounts:
    """What a framework holds on all agents (RV-2); the allocator counts what it is offered, too."""
    offered = total(m.offers[offer_id].resources.scalars for offer_id in framework.offers)
    return shortfall(m.allocator.scalars(framework.id), offered)


def missing(m: MasterState, info: ReclaimInfo) -> Amounts | None:
    """How much is not there yet; None: nothing is missing (RV-2). Its agent must be registered."""
    if info.framework_id is not None:
        framework = m.frameworks.get(info.framework_id)
        if framework is None:
            return None
        amounts = shortfall(_named(info, held(m, framework)), info.demands[0].keep.scalars)
    else:
        assert info.agent_id is not None
        agent = m.agents[info.agent_id]
        offered = (m.offers[offer_id].resources for offer_id in agent.offers)
        there = total(part.scalars for part in (m.allocator.free(agent.id), *offered))
        wanted = agent.info.resources if info.resources is None else info.resources
        amounts = shortfall(wanted.scalars, there)
    if info.resources is None and not amounts:
        return {} if _holders(m, info) else None  # some hold nothing, and have to go all the same (RV-35)
    return amounts or None


def _holders(m: MasterState, info: ReclaimInfo) -> list[Holder]:
    """Who holds something of the agent, or of the framework."""
    if info.framework_id is not None:
        return revocation.holders_of(m, info.framework_id) if info.framework_id in m.frameworks else []
    return revocation.holders_on(m.agents[info.agent_id]) if info.agent_id in m.agents else []


def _named(info: ReclaimInfo, amounts: Amounts) -> Amounts:
    """Those of these amounts that the reclaim is about."""
    if info.resources is None:
        return amounts
    return {name: amounts[name] for name in info.resources.names if name in amounts}


def _held_by(framework_id: FrameworkId, holders: Iterable[Holder], info: ReclaimInfo) -> Amounts:
    return _named(info, total(holder.amounts for holder in holders if holder.framework_id == framework_id))


def _excess(info: ReclaimInfo, demand: Demand, holders: Iterable[Holder]) -> Amounts:
    """What that framework holds beyond what it may keep (RV-31)."""
    return shortfall(_held_by(demand.framework_id, holders, info), demand.keep.scalars)


def excess(m: MasterState, info: ReclaimInfo, demand: Demand) -> Amounts:
    """What that framework has to give back still."""
    return _excess(info, demand, _holders(m, info))


def planned(m: MasterState, record: ReclaimRecord) -> list[Holder]:
    """What is to be revoked if it is now (RV-31)."""
    info = record.info
    holders = _holders(m, info)
    asked = {
        demand.framework_id: Asked(
            excess=_excess(info, demand, holders),
            returning=record.answers[demand.framework_id].returning if demand.framework_id in record.answers else (),
        )
        for demand in info.demands
    }
    return plan(holders, None if info.resources is None else missing(m, info) or {}, asked)


# ------------------------------------------------------------------------------------------------------- shares


def made_for(m: MasterState, info: ReclaimInfo) -> tuple[Demand, ...]:
    """Who is asked for how much, and may keep how much, as things are now (RV-10, RV-12)."""
    if info.framework_id is not None:
        amounts = _named(info, held(m, m.frameworks[info.framework_id]))
        return (_demand(info.framework_id, amounts, amounts if info.resources is None else info.resources.scalars),)
    holders = _holders(m, info)
    wanted = None if info.resources is None else missing(m, info) or {}
    return tuple(
        _demand(framework_id, _held_by(framework_id, holders, info), share)
        for framework_id, share in shares(holders, wanted).items()
    )


def _demand(framework_id: FrameworkId, amounts: Amounts, share: Amounts) -> Demand:
    return Demand(
        framework_id=framework_id, keep=resources_of(shortfall(amounts, share)), share=resources_of(share)
    )


def made_anew(m: MasterState, info: ReclaimInfo) -> bool:
    """Whether the shares do not cover what is missing of an agent, and others are being recorded (RV-13)."""
    if info.agent_id not in m.agents:
        return False
    holders = _holders(m, info)
    if info.resources is None:
        asked = [demand.framework_id for demand in info.demands]
        covered = all(holder.framework_id in asked for holder in holders)
    else:
        beyond = total(_excess(info, demand, holders) for demand in info.demands)
        covered = not shortfall(missing(m, info) or {}, beyond)
    if not covered:
        m.write(StartReclaim(reclaim=attrs.evolve(info, demands=made_for(m, info))))
    return not covered


# ------------------------------------------------------------------------------------------------- asking, answers


def is_due(info: ReclaimInfo, now: float) -> bool:
    """Whether the deadline has come; its timer may come early by a rounding error."""
    return now >= info.deadline - TIME_EPSILON_S


def ask_all(m: MasterState, record: ReclaimRecord, now: float) -> None:
    """Ask those that have not answered (RV-20)."""
    for demand in record.info.demands:
        if demand.framework_id not in record.answers:
            _ask(m, record.info, demand, now)


def ask_again(m: MasterState, framework: FrameworkRecord, now: float) -> None:
    """Ask a framework that has subscribed again, whatever it may have answered before (RV-21)."""
    for record in m.reclaims.values():
        for demand in record.info.demands:
            if demand.framework_id == framework.id:
                _ask(m, record.info, demand, now)


def _ask(m: MasterState, info: ReclaimInfo, demand: Demand, now: float) -> None:
    """Ask a framework for what it holds beyond what it may keep, if it can hear that and is not being asked."""
    framework = m.frameworks.get(demand.framework_id)
    agent = m.agents.get(info.agent_id) if info.agent_id is not None else None
    if framework is None or not framework.active or (info.agent_id is not None and agent is None):
        return
    if is_due(info, now) or info.id in m.ending_reclaims or missing(m, info) is None:
        return
    if info.framework_id is not None and m.recovered:
        return  # nobody knows yet for how much (RV-53)
    if any(m.inverse_offers[each].reclaim_id == info.id for each in framework.inverse_offers):
        return
    wanted = excess(m, info, demand)
    if info.resources is None or wanted:
        made = inverse_offers.make(
            m,
            framework,
            agent,
            unchecked(Unavailability)(start=info.deadline),
            resources=NOTHING if info.resources is None else resources_of(wanted),
            enforced=True,
            reclaim_id=info.id,
        )
        m.send_to_framework(framework, InverseOffers(inverse_offers=(made,)))


def ask_no_more(m: MasterState, info: ReclaimInfo) -> None:
    """What was asked for is there, or not wanted any more (RV-23)."""
    asked = [each for each in m.inverse_offers.values() if each.reclaim_id == info.id]
    inverse_offers.rescind_all(m, {each.id: None for each in asked})


def answered(
    m: MasterState,
    inverse_offer: InverseOfferRecord,
    framework: FrameworkRecord,
    status: InverseOfferStatus,
    returning: tuple[TaskId, ...],
    reason: str,
    now: float,
) -> None:
    """A framework has answered an inverse offer of a reclaim, which is forgotten already (RV-22)."""
    record = m.reclaims.get(inverse_offer.reclaim_id) if inverse_offer.reclaim_id is not None else None
    if record is not None:
        answer = Answer(status=status, timestamp=now, reason=reason, returning=returning)
        record.answers[framework.id] = answer
