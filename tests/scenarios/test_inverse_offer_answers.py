"""What an answer to an inverse offer of maintenance does: filters, what is shown, starting afresh (drain.md 5.7)."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Filters, FrameworkInfo, Simulation
from mesolite.messages import AcceptInverseOffers, DeclineInverseOffers, InverseOffers, RescindInverseOffer
from mesolite.messages.ids import OfferId
from mesolite.messages.maintenance import Unavailability
from mesolite.messages.offers import InverseOffer
from tests.scenarios.scheduled_agents import (
    AGAIN,
    NOT_AGAIN,
    SOME,
    answers,
    hold_nothing,
    staffed,
    subscription_of,
    window,
)
from tests.scenarios.schedulers import PLAIN, Recorder, Spreader


@pytest.mark.scenario("MasterMaintenanceTest.InverseOffersFilters")
def test_a_filter_keeps_requests_away_from_one_agent(sim: Simulation) -> None:
    """A long one for as long as it lasts, none not at all: one request per interval, for the other agent (5.7.4)."""
    cluster, framework, driver = staffed(sim, agents=2)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    one, other = framework.asked

    driver.decline_inverse_offers(one, Filters(refuse_seconds=101.0))
    driver.accept_inverse_offers(other, AGAIN)
    sim.advance(1.0)
    assert [each.agent_id for each in framework.asked[2:]] == [other.agent_id]
    sim.advance(5.0)
    assert len(framework.asked) == 3
    driver.decline_inverse_offers(framework.asked[-1], AGAIN)
    sim.advance(1.0)

    assert [each.agent_id for each in framework.asked[2:]] == [other.agent_id] * 2
    assert len({each.id for each in framework.asked}) == 4
    assert framework.asked_no_more == []
    sim.advance(100.0)
    assert [each.agent_id for each in framework.asked[4:]] == [one.agent_id]


def test_who_has_accepted_is_asked_again_after_five_seconds(sim: Simulation) -> None:
    """As long as it holds something there; the default filter lasts 5 s (5.7.4, 5.7.5)."""
    cluster, framework, driver = staffed(sim)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()

    driver.accept_inverse_offers(framework.asked)
    sim.advance(4.9)
    assert len(framework.asked) == 1
    sim.advance(1.0)
    assert len(framework.asked) == 2
    driver.accept_inverse_offers(framework.asked[-1])
    hold_nothing(framework, driver)
    sim.advance(20.0)

    assert len(framework.asked) == 2


def test_an_answer_changes_nothing_but_what_operators_are_shown(sim: Simulation) -> None:
    """Tasks, offers, modes and schedule are untouched; the newest answer is shown, with its reason (5.7.3, 5.9.1)."""
    cluster, framework, driver = staffed(sim, agents=2)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    assert answers(cluster) == []
    names, schedule = framework.names, cluster.operator.maintenance_schedule()
    one, other = framework.asked

    driver.accept_inverse_offers(one.id, AGAIN, returning=["t2", "t1"])
    driver.decline_inverse_offers([other], NOT_AGAIN, reason="in the middle of something")
    sim.settle()

    shown = [(each["framework_id"], each["status"], each["returning"], each["reason"]) for each in answers(cluster)]
    assert shown == [
        (driver.framework_id, "ACCEPT", ["t2", "t1"], ""),
        (driver.framework_id, "DECLINE", [], "in the middle of something"),
    ]
    assert [each["timestamp"] for each in answers(cluster)] == [sim.now, sim.now]
    assert (framework.names, cluster.operator.maintenance_schedule()) == (names, schedule)
    sim.advance(2.0)
    driver.decline_inverse_offers(framework.asked[-1], AGAIN, reason="changed my mind")
    sim.settle()
    assert [each["reason"] for each in answers(cluster)] == ["changed my mind", "in the middle of something"]


@pytest.mark.parametrize("kind", [AcceptInverseOffers, DeclineInverseOffers])
@pytest.mark.scenario("MasterMaintenanceTest.AcceptInvalidInverseOffer")
def test_ids_that_are_none_of_its_own_do_no_harm(sim: Simulation, kind: type[Any]) -> None:
    """Unknown, another's, named twice: ignored; its own beside them count (ours: Mesos does not look whose, 5.7.2)."""
    cluster, framework, driver = staffed(sim, resources=SOME)
    waiting = Recorder()
    other = cluster.run(waiting, framework=PLAIN)
    cluster.add_agent("elsewhere")
    sim.advance(10.0)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    mine, foreign = framework.asked[0], waiting.asked[0]
    offer = next(offer for offer in framework.offers if offer.id not in framework.rescinded)

    named = (OfferId("m1-O99"), foreign.id, offer.id, OfferId(""), mine.id, mine.id)
    said = kind(framework_id=driver.framework_id, inverse_offer_ids=named, filters=NOT_AGAIN)
    sim.inject("master-1", said, sender="lasting")
    sim.inject("master-1", said, sender="plain")
    sim.settle()

    assert [each["framework_id"] for each in answers(cluster)] == [driver.framework_id]
    assert (driver.status.name, other.status.name) == ("DRIVER_RUNNING", "DRIVER_RUNNING")
    assert framework.errors == waiting.errors == []
    other.accept_inverse_offers(foreign)
    sim.settle()
    assert [each["framework_id"] for each in answers(cluster)] == [driver.framework_id, other.framework_id]


def test_the_first_answer_counts(sim: Simulation) -> None:
    """An inverse offer that was answered is forgotten, so a second answer is of an id nobody knows (5.7.1)."""
    cluster, framework, driver = staffed(sim)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()

    driver.accept_inverse_offers(framework.asked, NOT_AGAIN)
    driver.decline_inverse_offers(framework.asked, AGAIN)
    sim.advance(10.0)

    assert [each["status"] for each in answers(cluster)] == ["ACCEPT"]
    assert len(framework.asked) == 1


def test_an_answer_may_cross_a_rescind(sim: Simulation) -> None:
    """Rescinded first, the answer is ignored; answered first, nothing is left to rescind (5.7.1, 5.8.1)."""
    cluster, framework, driver = staffed(sim)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    withheld = sim.hold(RescindInverseOffer)
    cluster.operator.update_maintenance_schedule([])
    sim.settle()
    driver.accept_inverse_offers(framework.asked)
    sim.settle()
    withheld.release()
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    assert (answers(cluster), framework.asked_no_more) == ([], [framework.asked[0].id])
    assert len(framework.asked) == 2

    late = sim.hold(AcceptInverseOffers)
    driver.accept_inverse_offers(framework.asked[-1], NOT_AGAIN)
    sim.settle()
    late.release()
    sim.settle()
    cluster.operator.deactivate("agent-1")
    sim.settle()

    assert [each["status"] for each in answers(cluster)] == ["ACCEPT"]
    assert len(framework.asked_no_more) == 1


@pytest.mark.parametrize("how", ["revives", "resubscribes", "fails over", "aborts"])
def test_a_framework_that_starts_afresh_is_asked_at_once(sim: Simulation, how: str) -> None:
    """Reviving, subscribing again and being deactivated clear its filters, for all agents (5.7.6)."""
    cluster, framework, driver = staffed(sim, agents=2)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    driver.decline_inverse_offers(framework.asked, NOT_AGAIN)
    sim.advance(20.0)
    assert len(framework.asked) == 2

    if how == "revives":
        driver.revive_offers()
    elif how == "resubscribes":
        sim.inject("master-1", subscription_of(driver), sender="lasting")
    else:
        if how == "aborts":
            driver.abort()
            sim.settle()
        framework = Spreader()
        info = FrameworkInfo(name="lasting", id=driver.framework_id, failover_timeout_s=1e6)
        cluster.run(framework, framework=info)
    sim.advance(1.0)

    assert {each.hostname for each in framework.asked[-2:]} == {"agent-1", "agent-2"}
    assert len(framework.asked) == (4 if how in ("revives", "resubscribes") else 2)


def test_only_the_leader_can_ask(sim: Simulation) -> None:
    """A driver hears inverse offers and their rescinding from the master it is subscribed with, and nobody else."""
    cluster, framework, driver = staffed(sim)
    assert driver.framework_id is not None
    forged = InverseOffer(
        id=OfferId("m1-O7"), framework_id=driver.framework_id, unavailability=Unavailability(start=0.0)
    )

    sim.inject("lasting", InverseOffers(inverse_offers=(forged,)), sender=cluster.agents["agent-1"])
    sim.inject("lasting", RescindInverseOffer(inverse_offer_id=forged.id), sender="outside")
    sim.settle()

    assert (framework.asked, framework.asked_no_more) == ([], [])


def test_without_a_master_an_answer_is_lost(sim: Simulation) -> None:
    """It was an answer to a master that is gone; the next one asks anew (core.md FW-43, 5.10.2)."""
    cluster, framework, driver = staffed(sim)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    said = sim.expect((AcceptInverseOffers, DeclineInverseOffers))
    master = cluster.masters["master-1"]
    master.crash()
    sim.run_until(lambda: framework.count("disconnected"), timeout=60.0)

    driver.accept_inverse_offers(framework.asked, NOT_AGAIN, returning="t1")
    driver.decline_inverse_offers(framework.asked)
    master.restart()
    sim.advance(60.0)

    assert said.count == 0
    assert framework.count("reregistered") + framework.count("registered") == 2
    assert len(framework.asked) == 2
    driver.accept_inverse_offers(framework.asked[-1].id, returning="t1")
    sim.settle()
    assert [each["returning"] for each in answers(cluster)] == [["t1"]]
