"""The allocator as it is seen from outside a cluster: what there is, what is held, and what comes late."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from mesolite import Simulation, TaskInfo
from mesolite.messages import DeclineOffers
from mesolite.messages.resources import Resources
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import PLAIN, Launcher, Recorder, command_task, only

ALL_OF_IT = "cpus:2;mem:1024"


def there_is(cluster: SimulatedCluster) -> Resources:
    """All that registered agents have, as an operator sees it."""
    return Resources.sum(Resources.of(agent["resources"]) for agent in cluster.operator.state()["agents"])


def held(cluster: SimulatedCluster) -> Resources:
    """All that is offered or in use, as an operator sees it."""
    state = cluster.operator.state()
    holders: list[Any] = [*state["offers"], *(executor for agent in state["agents"] for executor in agent["executors"])]
    holders += [task for framework in state["frameworks"] for task in framework["tasks"]]
    return Resources.sum(Resources.of(holder["resources"]) for holder in holders)


@pytest.mark.scenario("HierarchicalAllocatorTest.ResourceMetrics")
@pytest.mark.parametrize("tasks", [[], [command_task("t1", resources=ALL_OF_IT)]], ids=["offered", "in-use"])
def test_an_operator_sees_what_there_is_and_what_of_it_is_held(sim: Simulation, tasks: list[TaskInfo]) -> None:
    """All is there from the agent's coming to its going; all is held from the framework's coming on (OP-4, OP-7)."""
    nothing, all_of_it = Resources(), Resources.of(ALL_OF_IT)
    cluster = sim.cluster(agents=0)
    sim.settle()
    assert (there_is(cluster), held(cluster)) == (nothing, nothing)

    agent = cluster.add_agent(resources=ALL_OF_IT)
    sim.advance(5.0)
    assert (there_is(cluster), held(cluster)) == (all_of_it, nothing)

    cluster.run(Launcher(*tasks), framework=PLAIN)
    sim.settle()
    assert (there_is(cluster), held(cluster)) == (all_of_it, all_of_it)

    agent.signal(signal.SIGUSR1)
    sim.advance(10.0)
    assert (there_is(cluster), held(cluster)) == (nothing, nothing)


def test_what_a_framework_that_has_gone_gives_back_late_is_not_free_twice(sim: Simulation) -> None:
    """Its decline arrives after its end: nothing happens, and the next framework is offered all of it, once (OF-41)."""
    cluster = sim.cluster(agents=1, resources=ALL_OF_IT)
    first, second = Recorder(), Recorder()
    driver = cluster.run(first, framework="first")
    sim.settle()
    declines = sim.hold(DeclineOffers)
    driver.decline_offer(only(first.offers))
    driver.stop()
    sim.settle()
    assert declines.count == 1

    declines.release()
    sim.settle()
    cluster.run(second, framework="second")
    sim.advance(10.0)

    assert str(only(second.offers).resources) == ALL_OF_IT
