"""An agent that starts again with other resources or attributes than it had (core.md AG-7, AG-8, RC-19)."""

from __future__ import annotations

import pytest

from mesolite import Filters, InvalidValue, ReconfigurationPolicy, Settings, Simulation
from mesolite.actors.decisions.contract import Exit
from mesolite.messages import ApplyOperation, RegisterAgent, ReregisterAgent
from mesolite.messages.resources import ResourceError
from mesolite.simulation.simulation import SimulatedCluster
from tests.inside import alive, store_of
from tests.scenarios.schedulers import (
    CHECKPOINTED,
    PLAIN,
    Launcher,
    about,
    check_books,
    command_task,
    fail_over,
    id_of,
    operations,
)

ADDITIVE = Settings.mesos().but(reconfiguration_policy=ReconfigurationPolicy.ADDITIVE)


def additive(**more: object) -> tuple[Simulation, SimulatedCluster]:
    """A cluster whose agents may grow."""
    sim = Simulation(seed=5, settings=ADDITIVE)
    return sim, sim.cluster(**more)  # type: ignore[arg-type]


def exits(sim: Simulation, name: str = "agent-1") -> list[str]:
    """Why that actor has ended itself, each time."""
    effects = [effect for record in sim.trace if record.actor == name for effect in record.effects]
    return [effect.reason for effect in effects if isinstance(effect, Exit)]


@pytest.mark.scenario("SlaveTest.ReconfigurationPolicy")
def test_an_agent_that_has_grown_is_taken_back_under_its_id() -> None:
    """Its next offer holds the new resources and attributes, and the registry has them (AG-7, RC-19)."""
    sim, cluster = additive(masters=2, resources="cpus:2;mem:256")
    framework = Launcher()
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    agent, agent_id, written = cluster.agents["agent-1"], id_of(cluster), sim.expect(ApplyOperation)

    agent.stop()
    agent.restart(resources="cpus:4;mem:512;gpus:1", attributes={"zone": "north"})
    sim.advance(10.0)

    assert (agent.id, operations(written)) == (agent_id, ["AdmitAgent"])
    assert str(framework.offers[-1].resources) == "cpus:4;mem:512;gpus:1"
    assert framework.offers[-1].attributes == (("zone", "north"),)
    check_books(sim)
    fail_over(sim, cluster)
    agent.restart()  # it has stored them, too
    sim.advance(10.0)
    assert (agent.id, agent.registered, operations(written)) == (agent_id, True, ["AdmitAgent"])


@pytest.mark.scenario("SlaveRecoveryTest.AgentReconfigurationWithRunningTask")
def test_a_task_survives_the_growth_of_its_agent() -> None:
    """2 cpus are free, then 7 cpus and 512 MB, then, with the task killed, 10 cpus and 512 MB."""
    sim, cluster = additive(resources="cpus:5")
    framework = Launcher(command_task("t1", resources="cpus:3"), refuse_s=0)
    driver = cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(2.0)
    assert str(framework.offers[-1].resources) == "cpus:2"

    cluster.agents["agent-1"].restart(resources="cpus:10;mem:512")
    sim.advance(10.0)
    assert str(framework.offers[-1].resources) == "cpus:7;mem:512"
    assert cluster.operator.state()["agents"][0]["resources"] == "cpus:10;mem:512"

    driver.kill_task("t1")
    sim.advance(10.0)
    for offer in framework.offers[-2:]:
        driver.decline_offer(offer, Filters(refuse_seconds=0))
    sim.advance(2.0)
    assert [about(status)[0] for status in framework.updates("t1")] == ["STARTING", "RUNNING", "KILLED"]
    assert str(framework.offers[-1].resources) == "cpus:10;mem:512"
    check_books(sim)


@pytest.mark.parametrize("policy", ReconfigurationPolicy)
def test_an_agent_that_is_not_what_it_was_ends_and_says_why(policy: ReconfigurationPolicy) -> None:
    """It says nothing to the master; what ran there is out of its hands; as it was, it goes on (AG-7, AG-8)."""
    sim = Simulation(seed=5, settings=Settings.mesos().but(reconfiguration_policy=policy))
    cluster = sim.cluster(resources="cpus:2;mem:256")
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(2.0)
    agent, agent_id = cluster.agents["agent-1"], id_of(cluster)
    said = sim.expect((RegisterAgent, ReregisterAgent))

    agent.restart(resources="cpus:1;mem:256")
    sim.advance(10.0)

    grow = ", let it grow with Settings.reconfiguration_policy=ADDITIVE" if policy.name == "EQUAL" else ""
    assert exits(sim) == [
        f"agent {agent_id} cannot go on: its resources were cpus:2;mem:256 and are cpus:1;mem:256; start it as it was"
        f"{grow}, let it begin as a new agent with restart(anew=True), or give another work_dir"
    ]
    assert (said.count, agent.alive, agent.id) == (0, False, agent_id)
    with pytest.raises(TimeoutError, match=r"by now: agent-1 \(agent m1-S1 cannot go on: its resources were"):
        sim.run_until(lambda: agent.registered, timeout=10.0)
    agent.restart(resources="cpus:2;mem:256")
    sim.advance(10.0)
    assert (agent.registered, agent.id, about(framework.updates("t1")[-1])[0]) == (True, agent_id, "RUNNING")
    check_books(sim)


def test_an_agent_that_has_nothing_stored_may_be_anything(sim: Simulation) -> None:
    """Until a master has admitted it, it is not known as anything."""
    hold = sim.hold(RegisterAgent)
    cluster = sim.cluster(agents=0)
    agent = cluster.add_agent(resources="cpus:2")
    sim.advance(1.0)
    agent.restart(resources="cpus:1")
    sim.forget(hold._rule)  # noqa: SLF001

    sim.advance(30.0)

    assert agent.registered


def test_an_agent_that_begins_anew_is_another_one(sim: Simulation) -> None:
    """What it had stored and started is dropped; its master removes the old one, whose task is lost (RC-14)."""
    cluster = sim.cluster(resources="cpus:2;mem:256")
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(2.0)
    agent, former = cluster.agents["agent-1"], id_of(cluster)
    executor = f"agent-1/{driver.framework_id}/t1"
    assert alive(sim, executor)

    agent.restart(resources="cpus:1;mem:256", anew=True)
    sim.advance(10.0)

    assert (agent.registered, agent.id != former) == (True, True)
    assert not alive(sim, executor)
    assert about(framework.updates("t1")[-1]) == ("LOST", "MASTER", "AGENT_REMOVED")
    assert list(store_of(sim, "agent-1")) == ["agent"]
    assert [each["id"] for each in cluster.operator.state()["agents"]] == [agent.id]
    check_books(sim)


@pytest.mark.parametrize(
    ("facts", "error"), [({"resources": "cpus"}, ResourceError), ({"attributes": 5}, InvalidValue)]
)
def test_facts_that_cannot_be_are_refused_where_they_are_given(sim: Simulation, facts: object, error: type) -> None:
    """The agent that runs is left alone."""
    agent = sim.cluster().agents["agent-1"]

    with pytest.raises(error):
        agent.restart(**facts)  # type: ignore[arg-type]

    sim.settle()
    assert agent.registered
