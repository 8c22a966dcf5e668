"""Frameworks are asked to give back what they hold on machines that will be unavailable (drain.md 5.6)."""

from __future__ import annotations

from mesolite.actors.decisions.master.maintenance import machines
from mesolite.actors.decisions.master.maintenance.rule import machine_of
from mesolite.actors.decisions.master.offers.inverse_offers import make, rescind_all
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import InverseOfferTimeout
from mesolite.messages.ids import FrameworkId
from mesolite.messages.offers import InverseOffer
from mesolite.messages.scheduler import InverseOffers


def ask_due(m: MasterState, now: float) -> None:
    """Look at the agents that are due, and ask whoever holds something there; one message each (5.6.1, 5.6.4).

    Who cannot be asked now is looked at again when that has changed: nothing stays asked that was never sent (5.6.5).
    """
    asked: dict[FrameworkId, list[InverseOffer]] = {}
    for agent_id in m.inverse_offer_queue.run(now):
        agent = m.agents.get(agent_id)
        window = None if agent is None else m.schedule.window_of(machine_of(agent.info))
        if agent is None or not agent.active or window is None or machines.is_down(m, agent.info):
            continue  # on a machine that is down it is being removed: there is nothing to ask for any more
        outstanding = [m.inverse_offers[each] for each in agent.inverse_offers]
        already = [record.framework_id for record in outstanding if record.reclaim_id is None]
        for framework_id in m.inverse_offer_queue.to_ask(agent_id, m.allocator.holders(agent_id), already):
            framework = m.frameworks.get(framework_id)
            if framework is not None and framework.active:
                made = make(m, framework, agent, window.unavailability, enforced=window.enforce)
                asked.setdefault(framework_id, []).append(made)
    for framework_id, inverse_offers in asked.items():
        m.send_to_framework(m.frameworks[framework_id], InverseOffers(inverse_offers=tuple(inverse_offers)))


def timed_out(m: MasterState, key: InverseOfferTimeout, sender: str, now: float) -> None:
    """Nobody answered it: take it back, and ask again with the next run (5.6.6)."""
    inverse_offer = m.inverse_offers[key.inverse_offer_id]
    assert inverse_offer.agent_id is not None
    rescind_all(m, {inverse_offer.id: None})
    m.inverse_offer_queue.add_soon(inverse_offer.agent_id, now)


def check(m: MasterState) -> None:
    """Assert that the state agree, and that whoever holds something on a scheduled agent is asked, or will be."""
    for inverse_offer in m.inverse_offers.values():
        agent_id = inverse_offer.agent_id
        assert inverse_offer.id in m.frameworks[inverse_offer.framework_id].inverse_offers
        assert agent_id is None or inverse_offer.id in m.agents[agent_id].inverse_offers
    for agent in m.agents.values():
        asked = [m.inverse_offers[each] for each in agent.inverse_offers]
        asked = [each for each in asked if each.reclaim_id is None]
        by_framework = {each.framework_id: each for each in asked}
        assert len(by_framework) == len(asked), f"somebody is asked twice about {agent.id}"
        if m.schedule.window_of(machine_of(agent.info)) is None:
            assert not asked, f"{agent.id} is asked for and not scheduled"
        elif agent.active and not machines.is_down(m, agent.info) and not m.inverse_offer_queue.is_due(agent.id):
            missed = m.inverse_offer_queue.to_ask(agent.id, m.allocator.holders(agent.id), by_framework)
            assert not any(m.frameworks[each].active for each in missed), f"nobody asks {missed} about {agent.id}"
