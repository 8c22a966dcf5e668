"""The life of an offer: made, declined, accepted, rescinded, and never good for a second use.

core.md 4.6 to 4.8; drain.md 2.5.
"""

from __future__ import annotations

import signal

import attrs
import pytest

from mesolite import Filters, FrameworkInfo, Launch, Scheduler, SimulatedWork, Simulation
from mesolite.messages import AcceptOffers, DeclineOffers, RescindOffer, ResourceOffers, RunTask, Subscribe
from tests.scenarios.schedulers import (
    AWARE,
    PLAIN,
    Launcher,
    Recorder,
    about,
    command_task,
    fail_over,
    lose_session,
    only,
)

LASTING = FrameworkInfo(name="lasting", failover_timeout_s=1e6)
DAY_S = 86400.0


@pytest.mark.scenario("SchedulerTest.Decline")
def test_a_declined_offer_is_made_again_at_the_next_allocation(sim: Simulation) -> None:
    """Without a filter the same resources come back one interval later, under a new id (OF-44, OF-46)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()
    offer = only(framework.offers)

    driver.decline_offer(offer, Filters(refuse_seconds=0))
    sim.settle()
    assert len(framework.offers) == 1
    sim.advance(1.0)

    again = framework.offers[-1]
    assert (len(framework.offers), again.resources, again.agent_id) == (2, offer.resources, offer.agent_id)
    assert again.id != offer.id


def test_a_refused_agent_is_not_offered_until_the_filter_is_over(sim: Simulation) -> None:
    """Two intervals' filter: nothing after the first, the agent after the second (OF-44, OF-47)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()

    driver.decline_offer(framework.offers, Filters(refuse_seconds=2.0))
    sim.advance(1.5)
    assert len(framework.offers) == 1
    sim.advance(2.0)

    assert len(framework.offers) == 2


@pytest.mark.scenario("SchedulerTest.Revive")
def test_reviving_forgets_a_filter(sim: Simulation) -> None:
    """An agent refused for an hour comes back right after the revive, not before (OF-52)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()
    driver.decline_offer(framework.offers, Filters(refuse_seconds=3600.0))
    sim.advance(1800.0)
    assert len(framework.offers) == 1

    driver.revive_offers()
    sim.settle()

    first, second = framework.offers
    assert second.resources == first.resources


def test_one_revive_ends_both_a_suppression_and_a_filter(sim: Simulation) -> None:
    """Refused for a day and suppressed besides, the agent is offered once more, until it is refused again (OF-52)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()
    driver.decline_offer(framework.offers, Filters(refuse_seconds=DAY_S))
    driver.suppress_offers()
    sim.advance(10.0)
    assert len(framework.offers) == 1

    driver.revive_offers()
    sim.settle()
    driver.decline_offer(framework.offers[-1], Filters(refuse_seconds=DAY_S))
    sim.advance(10.0)

    assert len(framework.offers) == 2


def test_a_framework_can_be_suppressed_from_the_start(sim: Simulation) -> None:
    """It says so when it subscribes, and is offered nothing until it revives (OF-53, FW-43)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    subscribed = sim.expect(Subscribe, where=lambda message: message.suppressed)
    driver = cluster.run(framework, framework=PLAIN)
    driver.suppress_offers()
    sim.advance(10.0)
    assert (subscribed.count, framework.names) == (1, ["registered"])

    driver.revive_offers()
    sim.settle()

    assert framework.names == ["registered", "resource_offers"]


@pytest.mark.scenario("SchedulerTest.NoOffersOnReregistrationWithAllRolesSuppressed")
def test_suppression_outlives_a_reconnection(sim: Simulation) -> None:
    """The driver presents it when it subscribes again; only a revive ends it (OF-53, FW-43)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=LASTING)
    sim.settle()
    assert len(framework.offers) == 1
    driver.suppress_offers()
    sim.settle()
    lose_session(sim, "lasting")
    sim.advance(15.0)
    assert framework.names[-1] == "reregistered"

    driver.revive_offers()
    sim.settle()

    assert framework.names[-1] == "resource_offers"


@pytest.mark.scenario("ResourceOffersTest.ResourcesGetReofferedAfterFrameworkStops")
def test_what_a_stopped_framework_was_offered_is_offered_to_the_next(sim: Simulation) -> None:
    """Its offer dies with it and its resources are free again (OF-41)."""
    cluster = sim.cluster(agents=1)
    first, second = Recorder(), Recorder()
    driver = cluster.run(first, framework="first")
    sim.settle()
    driver.stop()
    sim.settle()

    cluster.run(second, framework="second")
    sim.settle()

    assert only(second.offers).resources == only(first.offers).resources


@pytest.mark.scenario("ResourceOffersTest.ResourcesGetReofferedWhenUnused")
def test_accepting_without_tasks_is_declining(sim: Simulation) -> None:
    """The resources go to the next framework (OF-61)."""
    cluster = sim.cluster(agents=1)
    first, second = Recorder(), Recorder()
    driver = cluster.run(first, framework="first")
    sim.settle()
    driver.launch_tasks(first.offers, [])
    sim.settle()

    cluster.run(second, framework="second")
    sim.settle()

    assert only(second.offers).resources == only(first.offers).resources
    assert len(first.offers) == 1


@pytest.mark.scenario("MasterAllocatorTest.SlaveLost")
def test_after_an_agent_has_gone_only_the_others_resources_are_offered(sim: Simulation) -> None:
    """A task takes all of an agent, which then leaves; a second agent is offered as it is (1.6.3, 2.3.5)."""
    cluster = sim.cluster(agents=1, resources="cpus:2;mem:1024")
    framework = Launcher(command_task("t1", resources="cpus:2;mem:1024"))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.advance(10.0)
    assert len(framework.lost_agents) == 1

    newcomer = cluster.add_agent(resources="cpus:3;mem:256")
    sim.advance(5.0)

    assert (len(framework.offers), str(framework.offers[-1].resources)) == (2, "cpus:3;mem:256")
    assert framework.offers[-1].agent_id == newcomer.id


@pytest.mark.parametrize(("info", "state"), [(PLAIN, "LOST"), (AWARE, "DROPPED")])
def test_an_offer_cannot_be_used_twice(sim: Simulation, info: FrameworkInfo, state: str) -> None:
    """The second launch does not happen, and says so for each of its tasks (OF-54, OF-57)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=info)
    sim.settle()
    offer = only(framework.offers)
    driver.launch_tasks(offer, command_task("t1"))

    driver.launch_tasks(offer, [command_task("t2", agent_id=offer.agent_id), command_task("t3")])
    sim.settle()

    assert framework.states("t1") == ["STARTING", "RUNNING"]
    for task_id in ("t2", "t3"):
        refused = only(framework.updates(task_id))
        assert (about(refused), refused.uuid) == ((state, "MASTER", "INVALID_OFFERS"), None)
        assert offer.id in refused.message


@pytest.mark.parametrize(("info", "state"), [(PLAIN, "LOST"), (AWARE, "DROPPED")])
def test_an_offer_that_is_rescinded_on_the_way_cannot_be_used(sim: Simulation, info: FrameworkInfo, state: str) -> None:
    """Accept and rescind cross each other: the launch does not happen (OF-43, 2.5.3)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=info)
    sim.settle()
    accepts = sim.hold(AcceptOffers)
    driver.launch_tasks(framework.offers, command_task("t1"))
    sim.settle()
    cluster.agents["agent-1"].crash()
    sim.settle()
    assert framework.rescinded == [only(framework.offers).id]

    accepts.release()
    sim.settle()

    assert about(only(framework.updates("t1"))) == (state, "MASTER", "INVALID_OFFERS")


def test_offers_accepted_together_must_belong_together(sim: Simulation) -> None:
    """Of two agents, one twice, none at all: nothing is launched, and the valid ones are given back (OF-54, OF-55)."""
    cluster = sim.cluster(agents=2)
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()
    one, other = framework.offers

    driver.launch_tasks([one, other], command_task("t1", agent_id=one.agent_id))
    sim.advance(1.0)
    again = framework.offers[-1]
    assert len(framework.offers) == 4  # both were given back, and are offered anew
    driver.launch_tasks([again, again], command_task("t2", agent_id=again.agent_id))
    driver.launch_tasks([], command_task("t3"))
    sim.settle()

    for task_id in ("t1", "t2", "t3"):
        assert about(only(framework.updates(task_id))) == ("LOST", "MASTER", "INVALID_OFFERS")
    sim.advance(1.0)
    assert len(cluster.operator.state()["offers"]) == 2


def test_anothers_offer_can_be_neither_used_nor_declined(sim: Simulation) -> None:
    """Ours for declining: Mesos does not look whose it is (OF-45, OF-54)."""
    cluster = sim.cluster(agents=1)
    owner, thief = Recorder(), Recorder()
    cluster.run(owner, framework="owner")
    sim.settle()
    driver = cluster.run(thief, framework="thief")
    sim.settle()
    offer = only(owner.offers)

    driver.launch_tasks(offer, command_task("t1", agent_id=offer.agent_id))
    driver.decline_offer(offer)
    sim.advance(5.0)

    assert about(only(thief.updates("t1"))) == ("LOST", "MASTER", "INVALID_OFFERS")
    assert [found["id"] for found in cluster.operator.state()["offers"]] == [offer.id]
    assert owner.rescinded == []


def test_declining_what_is_not_there_is_harmless(sim: Simulation) -> None:
    """Unknown ids in the list are skipped, the others count (OF-44)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()

    driver.decline_offer(["nothing", framework.offers[0].id, framework.offers[0].id])
    sim.settle()

    assert cluster.operator.state()["offers"] == []


def test_what_is_left_of_an_accepted_offer_is_offered_again(sim: Simulation) -> None:
    """The rest is returned with the accept's filter; what a finished task held follows (OF-58, 0.2.11)."""
    cluster = sim.cluster(agents=1, resources="cpus:4;mem:4096")
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()

    work = [Launch(tasks=(command_task("t1"),)), Launch(tasks=(command_task("t2", SimulatedWork(duration=3.0)),))]
    driver.accept_offers(framework.offers, work, Filters(refuse_seconds=0))
    sim.advance(1.0)
    assert str(framework.offers[-1].resources) == "cpus:2;mem:3840"
    sim.advance(5.0)

    assert framework.states("t2")[-1] == "FINISHED"
    assert str(framework.offers[-1].resources) == "cpus:1;mem:128"


def test_operations_are_applied_one_after_the_other_to_what_the_former_ones_left(sim: Simulation) -> None:
    """A task that the rest is too little for is an error; whoever comes after it and fits runs (OF-60, OF-65)."""
    cluster = sim.cluster(agents=1, resources="cpus:4;mem:4096")
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()

    sizes = {"t1": "cpus:3;mem:32", "t2": "cpus:2;mem:32", "t3": "cpus:1;mem:32"}
    tasks = [command_task(task_id, resources=resources) for task_id, resources in sizes.items()]
    driver.accept_offers(framework.offers, [Launch(tasks=task) for task in tasks])
    sim.advance(1.0)

    assert [framework.states(task.task_id)[-1] for task in tasks] == ["RUNNING", "ERROR", "RUNNING"]
    assert "cpus:1" in framework.updates("t2")[-1].message


def test_an_offer_is_made_to_the_role_that_its_resources_are_granted_in(sim: Simulation) -> None:
    """That of the framework, whatever comes of it later (OF-36)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=FrameworkInfo(name="web", role="front"))
    sim.settle()

    assert [offer.role for offer in framework.offers] == ["front"]


def test_what_is_left_of_an_accepted_offer_is_refused_like_any_other(sim: Simulation) -> None:
    """The accept's filter, 5 s by default, keeps the rest away (OF-58, OF-46)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()

    driver.launch_tasks(framework.offers, command_task("t1"))
    sim.advance(4.9)
    assert len(framework.offers) == 1
    sim.advance(2.0)

    assert len(framework.offers) == 2


@pytest.mark.parametrize("way", ["accepted", "declined", "rescinded", "discarded", "lost with the master"])
def test_an_offer_ends_once_and_in_one_of_five_ways(sim: Simulation, way: str) -> None:
    """Of one only its scheduler is told; after each it is good for nothing any more (OF-39)."""
    cluster = sim.cluster(agents=1, masters=2)
    framework, heir = Recorder(), Recorder()
    driver = cluster.run(framework, framework=LASTING)
    sim.settle()
    offer = only(framework.offers)

    match way:
        case "accepted":
            driver.launch_tasks(offer, command_task("t1"))
        case "declined":
            driver.decline_offer(offer, Filters(refuse_seconds=DAY_S))
        case "rescinded":
            cluster.operator.deactivate("agent-1")
        case "discarded":
            driver = cluster.run(heir, framework=attrs.evolve(LASTING, id=driver.framework_id))
        case _:
            fail_over(sim, cluster)
    sim.advance(3.0)
    driver.launch_tasks(offer, command_task("t2", agent_id=offer.agent_id))
    sim.settle()

    assert framework.rescinded == ([offer.id] if way == "rescinded" else [])
    (refused,) = [*framework.updates("t2"), *heir.updates("t2")]
    assert about(refused) == ("LOST", "MASTER", "INVALID_OFFERS")
    assert offer.id not in [found["id"] for found in cluster.operator.state()["offers"]]


def test_calls_of_strangers_are_dropped(sim: Simulation) -> None:
    """Accept and decline count only from the framework's own scheduler (FW-33, SEC-47)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    sim.settle()
    offer = only(framework.offers)
    launched = sim.expect((RunTask, RescindOffer))

    accept = AcceptOffers(
        framework_id=offer.framework_id,
        offer_ids=(offer.id,),
        operations=(Launch(tasks=(command_task("t1", agent_id=offer.agent_id),)),),
    )
    sim.inject("master-1", accept, sender="outside")
    sim.inject("master-1", DeclineOffers(framework_id=offer.framework_id, offer_ids=(offer.id,)), sender="agent-1")
    sim.settle()

    assert launched.count == 0
    assert [found["id"] for found in cluster.operator.state()["offers"]] == [offer.id]


def test_a_framework_that_does_not_care_for_offers_holds_none(sim: Simulation) -> None:
    """Who overrides nothing gives them back and gets no more, so that others get everything."""
    cluster = sim.cluster(agents=2)
    careless = cluster.run(Scheduler(), framework="careless")
    offered = sim.expect(ResourceOffers, receiver="careless")
    sim.advance(5.0)
    assert offered.count == 1

    other = Recorder()
    cluster.run(other, framework="other")
    sim.advance(60.0)

    assert {offer.agent_id for offer in other.offers} == {agent.id for agent in cluster.agents.values()}
    assert offered.count == 1

    careless.revive_offers()
    cluster.add_agent()
    sim.advance(5.0)
    assert offered.count == 2
