"""Inverse offers of maintenance: who is asked, when, how a request ends (drain.md 5.6, 5.8, 5.9).

Most tests have one framework with a task on each of its agents, whose machines are then scheduled.
"""

from __future__ import annotations

import signal
from typing import Any

import pytest

from mesolite import FrameworkInfo, Scheduler, SchedulerDriver, Settings, Simulation
from mesolite.actors.decisions.contract import TimerFired
from mesolite.actors.decisions.master.timers import Allocation
from mesolite.messages import InverseOffers, PongAgent, RescindInverseOffer, ResourceOffers
from mesolite.messages.ids import OfferId
from mesolite.messages.maintenance import Unavailability, Window
from mesolite.messages.offers import Offer
from tests.scenarios.scheduled_agents import (
    AGAIN,
    ALL,
    LASTING,
    NOT_AGAIN,
    SOME,
    answers,
    hold_nothing,
    staffed,
    subscription_of,
    window,
)
from tests.scenarios.schedulers import PLAIN, Launcher, Recorder, check_books, command_task, only

# --- asking ---------------------------------------------------------------------------------------------------------


def test_a_framework_is_asked_in_one_message_about_all_its_agents(sim: Simulation) -> None:
    """One inverse offer per agent, under ids of the offers' own sequence, for everything held there (5.6.4)."""
    cluster, framework, _ = staffed(sim, agents=3)
    when = window(cluster, "agent-1", "agent-2")

    cluster.operator.update_maintenance_schedule([when])
    sim.advance(10.0)

    asked = only(framework.named("inverse_offers")).arguments[0]
    ids = {agent.name: agent.id for agent in cluster.agents.values()}
    assert {(each.hostname, each.agent_id) for each in asked} == {(name, ids[name]) for name in ("agent-1", "agent-2")}
    assert {each.unavailability for each in asked} == {when.unavailability}
    assert {(str(each.resources), each.enforced) for each in asked} == {("", False)}
    assert len({each.id for each in (*asked, *framework.offers)}) == 2 + len(framework.offers)
    check_books(sim)


def test_only_those_who_hold_something_there_are_asked(sim: Simulation) -> None:
    """A task, or just an offer, is something; what another framework holds elsewhere is not (5.6.1)."""
    cluster, busy, _ = staffed(sim, agents=1)
    cluster.add_agent("elsewhere")
    waiting = Recorder()
    cluster.run(waiting, framework=PLAIN)
    sim.advance(10.0)
    held = {offer.hostname for offer in waiting.offers}
    assert held == {"elsewhere"}

    cluster.operator.update_maintenance_schedule([window(cluster, "agent-1")])
    sim.settle()
    assert ([each.hostname for each in busy.asked], waiting.asked) == (["agent-1"], [])
    cluster.operator.update_maintenance_schedule([window(cluster, "agent-1"), window(cluster, "elsewhere")])
    sim.settle()

    assert [each.hostname for each in waiting.asked] == ["elsewhere"]


def test_offers_go_out_before_inverse_offers_of_the_same_instant(sim: Simulation) -> None:
    """Whoever is offered resources of a scheduled agent is asked for them right after (5.2.7, 5.6.1)."""
    cluster = sim.cluster(agents=2)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.advance(5.0)
    said = sim.expect((ResourceOffers, InverseOffers))
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    sim.settle()

    assert [type(message) for message in said.all] == [ResourceOffers, InverseOffers]
    assert (len(framework.offers), len(framework.asked)) == (2, 2)


def test_nobody_is_asked_twice_for_the_same(sim: Simulation) -> None:
    """One outstanding inverse offer per framework and agent, however often something happens there (5.6.1)."""
    cluster, framework, driver = staffed(sim, resources=SOME)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    for _ in range(3):
        driver.decline_offer(framework.offers[-1], AGAIN)
        driver.revive_offers()
        sim.advance(3.0)

    assert len(framework.offers) > 3
    assert len(framework.asked) == 1


def test_while_nothing_happens_nothing_is_done(sim: Simulation) -> None:
    """Requests that wait for an answer cost nothing: no timer of allocations fires."""
    cluster, framework, _ = staffed(sim, agents=2)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.advance(2.0)
    assert len(framework.asked) == 2
    runs = [record for record in sim.trace if record.event == TimerFired(Allocation())]
    assert runs

    sim.advance(100.0)

    assert [record for record in sim.trace if record.event == TimerFired(Allocation())] == runs


def test_an_agent_that_is_not_offered_is_not_asked_for_until_it_is(sim: Simulation) -> None:
    """Ours: in Mesos an inverse offer that was not sent stays outstanding for ever (5.6.5, 10.3)."""
    cluster, framework, _ = staffed(sim)
    cluster.operator.deactivate("agent-1")
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.advance(5.0)
    assert framework.asked == []

    cluster.operator.reactivate("agent-1")
    sim.advance(2.0)
    assert len(framework.asked) == 1
    cluster.operator.deactivate("agent-1")
    sim.advance(5.0)
    assert framework.asked_no_more == [framework.asked[0].id]
    cluster.operator.reactivate("agent-1")
    sim.advance(2.0)

    assert len(framework.asked) == 2


def test_a_framework_that_is_away_is_asked_when_it_is_back(sim: Simulation) -> None:
    """Ours: what could not be sent is sent when it can be (5.6.5, 10.3)."""
    cluster, _, driver = staffed(sim)
    driver.stop(failover=True)
    sim.settle()
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.advance(5.0)

    successor = Recorder()
    assert driver.framework_id is not None
    cluster.run(successor, framework=FrameworkInfo(name="lasting", id=driver.framework_id, failover_timeout_s=1e6))
    sim.settle()

    assert successor.names[0] == "registered"
    assert len(successor.asked) == 1


def test_an_agent_that_comes_back_is_asked_for_again(sim: Simulation) -> None:
    """Its link broke, so the request was rescinded; its tasks are still there, so another follows (5.8.1, 10.3)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", resources=ALL))
    cluster.run(framework, framework=FrameworkInfo(name="checkpointed", checkpoint=True))
    sim.advance(2.0)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    agent = cluster.agents["agent-1"]
    agent.crash()
    sim.settle()
    assert framework.asked_no_more == [only(framework.asked).id]

    agent.restart()
    sim.advance(10.0)

    assert (len(framework.asked), len(framework.asked_no_more)) == (2, 1)
    assert framework.states("t1") == ["STARTING", "RUNNING"]


def test_windows_that_are_enforced_say_so(sim: Simulation) -> None:
    """Ours: what is not returned when such a window starts is revoked (docs/reclaim.md)."""
    cluster, framework, _ = staffed(sim)

    cluster.operator.update_maintenance_schedule([window(cluster, enforce=True)])
    sim.settle()

    assert [each.enforced for each in framework.asked] == [True]
    assert [each["enforce"] for each in cluster.operator.maintenance_schedule()] == [True]


class BeforeInverseOffers(Scheduler):
    """A scheduler that knows nothing of inverse offers."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        self.heard.append([offer.unavailability for offer in offers])

    def offer_rescinded(self, driver: SchedulerDriver, offer_id: OfferId) -> None:
        self.heard.append(offer_id)

    def error(self, driver: SchedulerDriver, message: str) -> None:
        self.heard.append(message)


@pytest.mark.scenario("MasterMaintenanceTest.PreV1SchedulerSupport")
def test_a_scheduler_that_knows_no_inverse_offers_is_not_bothered(sim: Simulation) -> None:
    """Its offer is rescinded and made again with the times; the request does nothing, and nothing fails (5.4.2)."""
    cluster = sim.cluster(agents=1)
    old = BeforeInverseOffers()
    driver = cluster.run(old, framework=PLAIN)
    sim.settle()
    asked = sim.expect(InverseOffers)
    when = window(cluster)

    cluster.operator.update_maintenance_schedule([when])
    sim.advance(10.0)

    assert old.heard == [[None], "m1-O1", [when.unavailability]]
    assert (asked.count, driver.status.name) == (1, "DRIVER_RUNNING")


# --- how a request ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["deactivated", "disconnected", "unregistered", "unreachable", "machine down"])
def test_a_request_about_an_agent_is_rescinded_with_its_offers(sim: Simulation, how: str) -> None:
    """The agent is deactivated, loses its link, unregisters, is unreachable, or its machine goes down (5.8.1)."""
    cluster, framework, _ = staffed(sim, resources=SOME)
    agent = cluster.agents["agent-1"]
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    if how == "unreachable":
        sim.drop(PongAgent)

    {
        "deactivated": lambda: cluster.operator.deactivate(agent),
        "disconnected": agent.crash,
        "unregistered": lambda: agent.signal(signal.SIGUSR1),
        "unreachable": lambda: sim.advance(100.0),
        "machine down": lambda: cluster.operator.machine_down([agent]),
    }[how]()
    sim.settle()

    assert framework.asked_no_more == [framework.asked[0].id]
    assert framework.offers[1].id in framework.rescinded
    check_books(sim)


def test_a_framework_that_aborts_is_not_asked_any_longer(sim: Simulation) -> None:
    """The request is rescinded when its framework is deactivated; an aborted driver does not pass it on (5.8.1)."""
    cluster, framework, driver = staffed(sim)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    said = sim.expect((RescindInverseOffer, InverseOffers))

    driver.abort()
    sim.advance(10.0)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.advance(10.0)

    assert [message.inverse_offer_id for message in said.all] == [framework.asked[0].id]
    assert framework.asked_no_more == []
    check_books(sim)


def test_subscribing_again_rescinds_what_was_asked_and_asks_anew(sim: Simulation) -> None:
    """The same driver is back without failover: everything outstanding is rescinded (5.8.1)."""
    cluster, framework, driver = staffed(sim)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()

    sim.inject("master-1", subscription_of(driver), sender="lasting")
    sim.advance(2.0)

    assert len(framework.asked) == 2
    assert framework.asked_no_more == [framework.asked[0].id]


@pytest.mark.parametrize("how", ["fails over", "is removed"])
def test_a_framework_that_is_replaced_or_removed_hears_nothing(sim: Simulation, how: str) -> None:
    """Its requests vanish without a message (5.8.2); its answers are shown as long as the agent is there (5.9.2)."""
    cluster, framework, driver = staffed(sim, agents=2)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    driver.decline_inverse_offers(framework.asked[0], reason="no")
    sim.settle()
    said = sim.expect(RescindInverseOffer)

    if how == "is removed":
        driver.stop()
    else:
        info = FrameworkInfo(name="lasting", id=driver.framework_id, failover_timeout_s=1e6)
        cluster.run(Recorder(), framework=info)
    sim.settle()

    assert said.count == 0
    assert framework.asked_no_more == []
    assert [each["reason"] for each in answers(cluster)] == ["no"]
    check_books(sim)


def test_answers_about_an_agent_go_with_it(sim: Simulation) -> None:
    """When it leaves and comes back, nobody has said anything about it yet (5.9.2)."""
    cluster, framework, driver = staffed(sim)
    cluster.operator.update_maintenance_schedule([window(cluster)])
    sim.settle()
    driver.decline_inverse_offers(framework.asked, NOT_AGAIN)
    sim.settle()
    assert len(answers(cluster)) == 1
    agent = cluster.agents["agent-1"]

    agent.signal(signal.SIGUSR1)
    sim.settle()
    assert answers(cluster) == []
    agent.restart()
    sim.advance(10.0)

    assert agent.registered
    assert answers(cluster) == []
    assert len(framework.asked) == 2


def test_a_request_outlives_what_it_asks_for(sim: Simulation) -> None:
    """It is not rescinded when the framework's last task there ends, nor when the window passes (5.8.3)."""
    cluster, framework, driver = staffed(sim)
    when = Window(machines=["agent-1"], unavailability=Unavailability(start=cluster.now + 60.0, duration_s=10.0))
    cluster.operator.update_maintenance_schedule([when])
    sim.settle()

    hold_nothing(framework, driver)
    sim.advance(100.0)

    assert framework.states("t1")[-1] == "KILLED"
    assert (len(framework.asked), framework.asked_no_more) == (1, [])
    driver.accept_inverse_offers(framework.asked)
    sim.settle()
    assert len(answers(cluster)) == 1


def test_what_nobody_answers_times_out(mesolite_seed: int) -> None:
    """With an offer timeout offers and inverse offers are rescinded after it, and made again (5.6.6)."""
    with Simulation(seed=mesolite_seed, settings=Settings(offer_timeout_s=30.0)) as sim:
        cluster = sim.cluster(agents=1)
        framework = Launcher(command_task("t1", resources=ALL))
        cluster.run(framework, framework=LASTING)
        sim.advance(2.0)
        cluster.operator.update_maintenance_schedule([window(cluster, "agent-1")])
        waiting = Recorder()
        cluster.run(waiting, framework=PLAIN)
        cluster.add_agent("elsewhere")
        sim.advance(29.0)
        assert (len(framework.asked), len(waiting.offers)) == (1, 1)
        sim.advance(5.0)

        assert framework.asked_no_more == [framework.asked[0].id]
        assert len(framework.asked) == 2
        assert waiting.rescinded == [waiting.offers[0].id]
        assert len(waiting.offers) == 2
        check_books(sim)


def test_what_is_answered_in_time_does_not_time_out(mesolite_seed: int) -> None:
    """An offer that was used and a request that was answered are never rescinded."""
    with Simulation(seed=mesolite_seed, settings=Settings(offer_timeout_s=30.0)) as sim:
        cluster = sim.cluster(agents=1)
        framework = Launcher(command_task("t1"), refuse_s=1000.0)
        driver = cluster.run(framework, framework=LASTING)
        sim.advance(2.0)
        cluster.operator.update_maintenance_schedule([window(cluster)])
        sim.advance(1.0)
        driver.accept_inverse_offers(framework.asked, NOT_AGAIN)
        sim.advance(100.0)

        assert (framework.rescinded, framework.asked_no_more) == ([], [])
        assert (len(framework.offers), len(framework.asked)) == (1, 1)
