"""Frameworks are asked for what a reclaim demands of them, and answer (docs/reclaim.md RV-20 to RV-23)."""

from __future__ import annotations

from mesolite.actors.decisions.interval import TIME_EPSILON_S
from mesolite.actors.decisions.master.offers import inverse_offers
from mesolite.actors.decisions.master.reclaim.demands import excess, missing
from mesolite.actors.decisions.master.reclaim.rule import (
    resources_of,
)
from mesolite.actors.decisions.master.records import Answer, FrameworkRecord, InverseOfferRecord, ReclaimRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.checking import unchecked
from mesolite.messages.ids import TaskId
from mesolite.messages.maintenance import Unavailability
from mesolite.messages.offers import InverseOfferStatus
from mesolite.messages.reclaims import Demand, ReclaimInfo
from mesolite.messages.resources import NOTHING
from mesolite.messages.scheduler import InverseOffers


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
