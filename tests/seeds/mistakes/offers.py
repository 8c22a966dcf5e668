"""Mistakes about offers and reclaims."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from mesolite.actors.decisions.allocator.allocator import Allocator
from mesolite.actors.decisions.allocator.filters import OfferFilters
from mesolite.actors.decisions.master import frameworks
from mesolite.actors.decisions.master.core import LEADER_DECISIONS
from mesolite.actors.decisions.master.membership import leaving
from mesolite.actors.decisions.master.offers import acceptance, inverse_offers, offers
from mesolite.actors.decisions.master.reclaim import asking, demands, reclaims
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.scheduler.core import SchedulerCore
from mesolite.messages import AcceptOffers, DeclineOffers, InverseOffers, Subscribe, SuppressOffers
from tests.seeds.mistakes.mistake import Mistake, nothing


def _offer_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(offers, "withdraw_agent", nothing)


def _take_back_in_silence(patch: pytest.MonkeyPatch) -> None:
    once = offers.withdraw_agent

    def withdraw_agent(m: MasterState, agent: Any, now: float) -> None:
        for offer_id in list(agent.offers):
            offers.withdraw(m, m.offers[offer_id], now)
        once(m, agent, now)

    patch.setattr(offers, "withdraw_agent", withdraw_agent)


def _leave_in_silence(patch: pytest.MonkeyPatch) -> None:
    once = leaving.leave

    def leave(m: MasterState, agent: Any, loss: Any, now: float) -> None:
        for offer_id in list(agent.offers):
            offers.withdraw(m, m.offers[offer_id], now)
        once(m, agent, loss, now)

    patch.setattr(leaving, "leave", leave)


def _keep_offers_outstanding(patch: pytest.MonkeyPatch) -> None:
    def withdraw_agent(m: MasterState, agent: Any, now: float) -> None:
        agent.active = False
        m.allocator.deactivate_agent(agent.id)

    patch.setattr(offers, "withdraw_agent", withdraw_agent)


def _withhold_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Allocator, "withhold", nothing)


def _bar_nobody(patch: pytest.MonkeyPatch) -> None:
    once = Allocator._place  # noqa: SLF001

    def place(allocator: Allocator, framework: Any) -> None:
        blocked, framework.blocked = framework.blocked, False
        once(allocator, framework)
        framework.blocked = blocked

    patch.setattr(Allocator, "_place", place)


def _revoke_from_everybody(patch: pytest.MonkeyPatch) -> None:
    def all_of_them(m: Any, _record: Any) -> list[Any]:
        return [holder for agent in m.agents.values() for holder in demands.holders_on(agent)]

    patch.setattr(demands, "planned", all_of_them)


def _revoke_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(asking, "is_due", lambda _info, _now: True)
    patch.setattr(asking, "ask_all", reclaims._enforce)  # noqa: SLF001  # instead of asking


def _revoke_the_oldest(patch: pytest.MonkeyPatch) -> None:
    once = demands._task  # noqa: SLF001

    def task(agent: Any, record: Any) -> Any:
        holder = once(agent, record)
        return evolve(holder, launched_at=-holder.launched_at)

    patch.setattr(demands, "_task", task)


def _refuse_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OfferFilters, "refuses", lambda *_: False)


def _refuse_too_shortly(patch: pytest.MonkeyPatch) -> None:
    once = OfferFilters.add

    def add(refusals: OfferFilters, framework_id: Any, agent_id: Any, what: Any, until: float) -> None:
        once(refusals, framework_id, agent_id, what, until - 1.5)

    patch.setattr(OfferFilters, "add", add)


def _ignore_filters_of_accepts(patch: pytest.MonkeyPatch) -> None:
    once = acceptance.accept

    def accept(m: MasterState, message: AcceptOffers, sender: str, now: float) -> None:
        once(m, evolve(message, filters=evolve(message.filters, refuse_seconds=0.0)), sender, now)

    patch.setitem(LEADER_DECISIONS, AcceptOffers, accept)


def _decline_only_the_first(patch: pytest.MonkeyPatch) -> None:
    once = offers.decline

    def decline(m: MasterState, message: DeclineOffers, sender: str, now: float) -> None:
        framework = m.frameworks.get(message.framework_id)
        if framework is None or len(framework.offers) < 2:
            once(m, message, sender, now)

    patch.setitem(LEADER_DECISIONS, DeclineOffers, decline)


def _keep_offers_at_a_failover(patch: pytest.MonkeyPatch) -> None:
    once = frameworks._subscribe_known  # noqa: SLF001

    def subscribe_known(m: MasterState, framework: Any, message: Subscribe, sender: str, now: float) -> None:
        kept, framework.offers = framework.offers, {}
        once(m, framework, message, sender, now)
        framework.offers = kept

    patch.setattr(frameworks, "_subscribe_known", subscribe_known)


def _keep_what_is_left(patch: pytest.MonkeyPatch) -> None:
    once = MasterState.recover

    def recover(m: MasterState, *what: Any) -> None:
        if what[-1] != 1.0:  # for how long it is refused
            once(m, *what)

    patch.setattr(MasterState, "recover", recover)


def _offer_to_the_suppressed(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(LEADER_DECISIONS, SuppressOffers, nothing)


def _forget_that_offers_are_not_wanted(patch: pytest.MonkeyPatch) -> None:
    once = SchedulerCore._subscribe  # noqa: SLF001

    def subscribe(core: Any) -> None:
        suppressed, core.suppressed = core.suppressed, False
        once(core)
        core.suppressed = suppressed

    patch.setattr(SchedulerCore, "_subscribe", subscribe)


def _never_end_a_reclaim(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reclaims, "_end", nothing)


def _offer_to_the_absent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(frameworks, "_deactivate", nothing)


def _go_on_asking(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inverse_offers, "rescind_advice", nothing)


def _ask_in_silence(patch: pytest.MonkeyPatch) -> None:
    once = MasterState.send

    def send(m: MasterState, to: str, message: Any) -> None:
        if type(message) is not InverseOffers:
            once(m, to, message)

    patch.setattr(MasterState, "send", send)


MISTAKES = [
    Mistake("a deactivated agent is offered on", ("offers_of_available_agents",), _offer_on),
    Mistake("offers stay when an agent is deactivated", ("offers_of_available_agents",), _keep_offers_outstanding),
    Mistake("offers are taken back in silence", ("offers_rescinded",), _take_back_in_silence),
    Mistake("an agent leaves, and its offers in silence", ("offers_rescinded",), _leave_in_silence),
    Mistake("what is reclaimed is offered", ("withheld_is_not_offered",), _withhold_nothing),
    Mistake("who has to give back is offered more", ("withheld_is_not_offered",), _bar_nobody),
    Mistake("those are revoked who were not asked", ("only_asked_are_revoked",), _revoke_from_everybody),
    Mistake("revoked before the deadline", ("only_asked_are_revoked",), _revoke_at_once),
    Mistake("the oldest are revoked first", ("newest_are_revoked_first",), _revoke_the_oldest),
    Mistake("what is refused is offered", ("refused_offers_wait",), _refuse_nothing),
    Mistake("what is refused is offered too soon", ("refused_offers_wait",), _refuse_too_shortly),
    Mistake("what an accept leaves is offered at once", ("refused_offers_wait",), _ignore_filters_of_accepts),
    Mistake("of two offers one cannot be declined", ("offers_known",), _decline_only_the_first),
    Mistake("offers outlive a failover", ("offers_known", "resources_conserved"), _keep_offers_at_a_failover),
    Mistake("what is left of an offer is lost", ("resources_conserved",), _keep_what_is_left),
    Mistake("who wants no offers gets some", ("suppression_is_kept",), _offer_to_the_suppressed),
    Mistake("drivers forget that offers are not wanted", ("suppression_is_kept",), _forget_that_offers_are_not_wanted),
    Mistake("reclaims of frameworks do not end", ("reclaims_are_in_time",), _never_end_a_reclaim),
    Mistake("who is away is offered something", ("offers_of_available_agents",), _offer_to_the_absent),
    Mistake("of deactivated agents is asked on", ("asked_is_said",), _go_on_asking),
    Mistake("inverse offers are not sent", ("asked_is_said",), _ask_in_silence),
]
