"""An agent that comes back while the master has it as registered may have other facts, and executors the master does
not know (core.md OF-3, OF-50, RC-19; drain.md 1.3.5, 1.5.2).
"""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from mesolite import Filters, FrameworkInfo, Offer, SchedulerDriver, Simulation
from mesolite.actors.decisions.contract import PeerExited
from mesolite.messages import ReregisterAgent, ShutdownAgent
from mesolite.messages.ids import ExecutorId, FrameworkId
from mesolite.messages.infos import ExecutorSummary
from mesolite.messages.resources import Resources
from mesolite.simulation.simulation import SimulatedCluster
from tests.inside import executors_on
from tests.scenarios.schedulers import (
    CHECKPOINTED,
    EXECUTORS,
    PLAIN,
    Launcher,
    Recorder,
    books_of,
    check_books,
    command_task,
    executor_task,
    id_of,
    leader_of,
    lose_session,
    only,
    shown,
)


class Refusing(Recorder):
    """Declines every offer for a day."""

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        super().resource_offers(driver, offers)
        driver.decline_offer([offer.id for offer in offers], Filters(refuse_seconds=86400.0))


def come_back(sim: Simulation, cluster: SimulatedCluster, **changes: Any) -> None:
    """Let the registered agent-1 re-register with these changes to what it says of itself, once."""
    lost = sim.drop(ReregisterAgent, sender="agent-1")
    lose_session(sim, "agent-1")
    sim.run_until(lambda: lost.count, timeout=20.0)
    genuine = lost.first
    changed = attrs.evolve(genuine, agent=attrs.evolve(genuine.agent, **changes))
    sim.inject(leader_of(cluster).name, changed, sender="agent-1")
    sim.settle()
    sim.forget(lost)


@pytest.mark.parametrize(
    "changes",
    [{"resources": Resources.of("cpus:8;mem:4096")}, {"resources": Resources.of("cpus:1;mem:512")}],
    ids=["more", "less"],
)
def test_an_agent_that_comes_back_with_other_resources_is_offered_as_it_is_now(
    sim: Simulation, changes: dict[str, Any]
) -> None:
    """What was offered is taken back, what it has is offered, and no less and no more is ever used (OF-3, RC-19)."""
    cluster = sim.cluster(agents=1, resources="cpus:4;mem:2048")
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    sim.settle()

    come_back(sim, cluster, **changes)
    sim.advance(2.0)

    assert framework.rescinded == [framework.offers[0].id]
    assert framework.offers[1].resources == changes["resources"]
    assert shown(cluster)["resources"] == str(changes["resources"])
    check_books(sim)


@pytest.mark.parametrize(
    "changes",
    [{"resources": Resources.of("cpus:8;mem:4096")}, {"attributes": (("rack", "7"),)}],
    ids=["resources", "attributes"],
)
def test_filters_on_an_agent_end_when_its_facts_change(sim: Simulation, changes: dict[str, Any]) -> None:
    """Who refused it had refused another (OF-50)."""
    cluster = sim.cluster(agents=2, resources="cpus:4;mem:2048")
    framework = Refusing()
    cluster.run(framework, framework=PLAIN)
    sim.advance(60.0)
    assert len(framework.offers) == 2

    come_back(sim, cluster, **changes)
    sim.advance(2.0)

    again = only(framework.offers[2:])
    assert again.agent_id == id_of(cluster)
    assert again.attributes == changes.get("attributes", ())


def test_filters_stand_when_an_agent_comes_back_as_it_was(sim: Simulation) -> None:
    """A re-registration is no news by itself (OF-50)."""
    cluster = sim.cluster(agents=1)
    framework = Refusing()
    cluster.run(framework, framework=PLAIN)
    sim.advance(60.0)

    come_back(sim, cluster, attributes=())
    sim.advance(60.0)

    assert len(framework.offers) == 1


def test_what_is_used_stays_used_when_the_facts_change(sim: Simulation) -> None:
    """The rest of the new total is offered, and the task runs on (RC-19)."""
    cluster = sim.cluster(agents=1, resources="cpus:4;mem:2048")
    framework = Launcher(command_task("t1", resources="cpus:1;mem:128"))
    cluster.run(framework, framework=PLAIN)
    sim.advance(2.0)

    come_back(sim, cluster, resources=Resources.of("cpus:8;mem:4096"))
    sim.advance(2.0)

    assert str(framework.offers[-1].resources) == "cpus:7;mem:3968"
    assert framework.states("t1") == ["STARTING", "RUNNING"]
    check_books(sim)


def test_an_agent_that_has_less_than_is_in_use_is_sent_away(sim: Simulation) -> None:
    """The books stay as they are (ours: in Mesos such an agent does not start)."""
    cluster = sim.cluster(agents=1, resources="cpus:4;mem:2048")
    cluster.run(Launcher(command_task("t1", resources="cpus:3;mem:128")), framework=PLAIN)
    sim.advance(2.0)
    orders = sim.expect(ShutdownAgent)

    come_back(sim, cluster, resources=Resources.of("cpus:2;mem:2048"))

    assert "came back with cpus:2;mem:2048, but cpus:3;mem:128 is in use there" in only(orders.all).reason
    assert shown(cluster)["resources"] == "cpus:4;mem:2048"
    check_books(sim)


# ------------------------------------------------------------------------------------------------------- executors


@pytest.mark.parametrize("outstanding", [True, False], ids=["all is offered", "nothing is offered"])
def test_an_executor_the_master_had_given_up_is_not_offered_again(sim: Simulation, outstanding: bool) -> None:
    """Its link broke, its tasks were lost, yet it lives: what it holds is used (1.5.2)."""
    cluster = sim.cluster(agents=1, resources="cpus:4;mem:2048")
    framework = Launcher(executor_task("t1", resources="cpus:1;mem:128"), refuse_s=0 if outstanding else 1e6)
    cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(2.0)
    sim.inject("master-1", PeerExited("agent-1", 1), sender="agent-1")
    sim.settle()
    assert (framework.states("t1")[-1], shown(cluster)["executors"]) == ("LOST", [])

    sim.advance(20.0)

    executor = only(shown(cluster)["executors"])
    assert (executor["executor_id"], executor["resources"]) == ("e1", "cpus:0.1;mem:32")
    check_books(sim)
    free = books_of(cluster).allocator.free(id_of(cluster))
    offered = Resources.sum(offer.resources for offer in books_of(cluster).offers.values())
    assert free + offered == Resources.of("cpus:3.9;mem:2016")


def test_an_executor_nobody_knew_of_enters_the_books_with_its_framework(sim: Simulation) -> None:
    """What is offered of the agent is taken back for it if need be; an unknown framework is recovered (EL-44)."""
    cluster = sim.cluster(agents=1, resources="cpus:4;mem:2048")
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    sim.advance(2.0)
    lost = sim.drop(ReregisterAgent, sender="agent-1")
    lose_session(sim, "agent-1")
    sim.run_until(lambda: lost.count, timeout=20.0)
    stranger = attrs.evolve(CHECKPOINTED, id=FrameworkId("stranger"))
    summary = ExecutorSummary(
        executor_id=ExecutorId("e9"), framework_id=FrameworkId("stranger"), resources=Resources.of("cpus:1;mem:512")
    )
    report = attrs.evolve(lost.first, frameworks=(stranger,), executors=(summary,))

    sim.inject("master-1", report, sender="agent-1")
    sim.settle()

    assert [executor["executor_id"] for executor in shown(cluster)["executors"]] == ["e9"]
    assert framework.rescinded == [framework.offers[0].id]
    sim.advance(1.0)
    assert str(framework.offers[-1].resources) == "cpus:3;mem:1536"
    check_books(sim)


def test_an_executor_of_a_framework_that_was_removed_does_not_enter_the_books(sim: Simulation) -> None:
    """Its agent is told to end it (1.3.5 step 5)."""
    cluster = sim.cluster(agents=1, resources="cpus:4;mem:2048")
    ending = FrameworkInfo(name="ending", checkpoint=True)
    driver = cluster.run(Launcher(executor_task("t1")), framework=ending, executors=EXECUTORS)
    sim.advance(2.0)
    sim.partition("agent-1", "master-1")
    driver.stop()
    sim.settle()
    sim.heal()

    lose_session(sim, "agent-1")
    sim.advance(20.0)

    assert shown(cluster)["executors"] == []
    assert executors_on(sim, "agent-1") == []
