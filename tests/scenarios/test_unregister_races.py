"""What races with an agent's leaving, and what comes after it (drain.md 1.2.4, 2.1.11, 2.3.2 to 2.3.11).

Between UnregisterAgent and the removal lies a write to the registry; holding the registrar's answer opens that window.
"""

from __future__ import annotations

import signal

import pytest

from mesolite import Cause, Simulation
from mesolite.messages import (
    AgentRegistered,
    AgentReregistered,
    ApplyOperation,
    OperationApplied,
    PingAgent,
    PongAgent,
    RegisterAgent,
    ReregisterAgent,
    StatusUpdate,
    UnregisterAgent,
)
from mesolite.messages.ids import AgentId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.registrar import MarkAgentReachable, MarkAgentUnreachable, RemoveAgent
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    EXECUTORS,
    STUBBORN,
    Launcher,
    Recorder,
    about,
    command_task,
    counters,
    executor_task,
    writes,
)


@pytest.mark.scenario("SlaveTest.UnregisterThenUnreachableRace")
def test_a_failed_health_check_does_not_overtake_a_removal(sim: Simulation) -> None:
    """While the removal is being written a failed health check is ignored: one write, one notice (2.3.3)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework="framework")
    sim.settle()
    sim.drop(PongAgent)
    applied = sim.hold(OperationApplied)
    written = sim.expect(ApplyOperation)

    sim.inject("master-1", UnregisterAgent(agent_id=AgentId(str(cluster.agents["agent-1"].id))), sender="agent-1")
    sim.advance(100.0)
    assert counters(cluster)["slave_unreachable_scheduled"] >= 1
    assert framework.lost_agents == []
    applied.release()
    sim.settle()

    assert [type(message.operation) for message in written.all] == [RemoveAgent]
    assert framework.count("agent_lost") == 1
    assert counters(cluster)["slave_removals_reason_unregistered"] == 1
    assert counters(cluster)["slave_removals_reason_unhealthy"] == 0


def test_a_removal_does_not_overtake_a_failed_health_check(sim: Simulation) -> None:
    """While the agent is being marked unreachable its UnregisterAgent is ignored; the marking completes (2.3.2)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    pongs = sim.drop(PongAgent)
    applied = sim.hold(OperationApplied, where=writes(MarkAgentUnreachable))
    written = sim.expect(ApplyOperation)
    sim.run_until(lambda: applied.count, timeout=100.0)
    sim.forget(pongs)

    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.settle()
    applied.release()
    sim.settle()

    assert [type(message.operation) for message in written.all] == [MarkAgentUnreachable]
    assert framework.count("agent_lost") == 1
    assert list(cluster.operator.state()["unreachable_agents"]) == framework.lost_agents
    assert counters(cluster)["slave_removals_reason_unregistered"] == 0


@pytest.mark.scenario("SlaveTest.HealthCheckUnregisterRace")
def test_a_health_check_that_fails_after_the_removal_writes_nothing(sim: Simulation) -> None:
    """Once the agent is removed nothing can mark it unreachable: its observer is gone (2.3.5 step 7)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework="framework")
    sim.drop(PongAgent)
    sim.advance(70.0)
    written = sim.expect(ApplyOperation)
    pings = sim.expect(PingAgent)

    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.advance(700.0)

    assert [type(message.operation) for message in written.all] == [RemoveAgent]
    assert pings.count == 0
    assert framework.count("agent_lost") == 1


@pytest.mark.scenario("SlaveRecoveryTest.RegisterDisconnectedSlave")
def test_a_new_agent_at_the_address_of_a_dead_one_replaces_it(sim: Simulation) -> None:
    """A first registration from a disconnected agent's address removes that: LOST, AGENT_REMOVED (1.2.4, RC-31)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    old_id = cluster.agents["agent-1"].id
    cluster.agents["agent-1"].crash()
    sim.settle()
    assert framework.states("t1")[-1] == "RUNNING"

    newcomer = AgentInfo(hostname="agent-1", resources="cpus:4;mem:4096")
    sim.inject("master-1", RegisterAgent(agent=newcomer), sender="agent-1")
    sim.settle()

    assert about(framework.updates("t1")[-1]) == ("LOST", "MASTER", "AGENT_REMOVED")
    assert framework.lost_agents == [old_id]
    counted = counters(cluster)
    assert (counted["tasks_lost"], counted["slave_removals"], counted["slave_removals_reason_registered"]) == (1, 1, 1)
    assert (counted["slave_unreachable_scheduled"], counted["slave_unreachable_completed"]) == (0, 0)
    assert [agent["id"] == old_id for agent in cluster.operator.state()["agents"]] == [False]


def test_until_the_removal_is_written_the_agent_may_still_be_used(sim: Simulation) -> None:
    """An accept that comes in that window launches; the task is lost with the agent (2.3.4)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework="framework")
    sim.settle()
    applied = sim.hold(OperationApplied, where=writes(RemoveAgent))
    agent_id = AgentId(str(cluster.agents["agent-1"].id))
    sim.inject("master-1", UnregisterAgent(agent_id=agent_id), sender="agent-1")
    sim.settle()

    driver.launch_tasks(framework.offers, command_task("t1"))
    sim.settle()
    assert framework.states("t1") == ["STARTING", "RUNNING"]
    applied.release()
    sim.settle()

    assert framework.states("t1") == ["STARTING", "RUNNING", "LOST"]


def test_late_words_of_a_removed_agent_are_dropped(sim: Simulation) -> None:
    """What an unregistered agent's tasks still have to say reaches nobody (2.1.7, 2.3.8)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"), command_task("t2"))
    cluster.run(framework, framework="framework", executors=EXECUTORS)
    sim.advance(1.0)
    to_the_agent = sim.expect(StatusUpdate, receiver="agent-1")

    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.advance(30.0)

    assert [update.status.state.name for update in to_the_agent.all] == ["TASK_KILLED"]
    assert framework.states("t1") == ["RUNNING", "LOST"]
    assert framework.states("t2") == ["STARTING", "RUNNING", "LOST"]
    assert framework.count("executor_lost") == 0


def test_an_agent_restarted_after_sigusr1_keeps_its_id(sim: Simulation) -> None:
    """It re-registers under its old id, and the master, which had deleted it, takes it in again (2.1.11, 1.3.7)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework="framework")
    sim.settle()
    agent = cluster.agents["agent-1"]
    old_id = agent.id
    agent.signal(signal.SIGUSR1)
    sim.settle()
    written = sim.expect(ApplyOperation)
    answers = sim.expect((AgentRegistered, AgentReregistered))

    agent.restart()
    sim.advance(2.0)

    assert agent.registered
    assert agent.id == old_id
    assert [type(message.operation) for message in written.all] == [MarkAgentReachable]
    assert [type(message) for message in answers.all] == [AgentReregistered]
    assert [offer.agent_id for offer in framework.offers] == [old_id, old_id]


def test_an_agent_that_comes_back_while_it_is_being_removed_has_to_wait(sim: Simulation) -> None:
    """Ours: a re-registration is not answered while the removal is being written, and succeeds afterwards (10.6)."""
    cluster = sim.cluster(agents=1)
    agent = cluster.agents["agent-1"]
    applied = sim.hold(OperationApplied, where=writes(RemoveAgent))
    agent.signal(signal.SIGUSR1)
    sim.settle()
    asked = sim.expect(ReregisterAgent)
    agent.restart()
    sim.run_until(lambda: asked.count, timeout=10.0)
    sim.settle()
    assert not agent.registered

    applied.release()
    sim.advance(10.0)

    assert agent.registered
    assert [found["id"] for found in cluster.operator.state()["agents"]] == [agent.id]


def test_sigusr1_to_an_agent_that_knows_no_master_just_ends_it(sim: Simulation) -> None:
    """Ours: without a leader there is nobody to tell, and the agent shuts down; Mesos aborts (2.1.3, 10.10)."""
    cluster = sim.cluster(agents=1)
    cluster.masters["master-1"].crash()
    sim.advance(20.0)
    said = sim.expect(UnregisterAgent)

    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.advance(5.0)

    assert said.count == 0
    assert not cluster.agents["agent-1"].alive


def test_sigusr1_while_an_agent_recovers_ends_it_for_good(sim: Simulation) -> None:
    """An agent that was told to drain while it waits for its executors does not register when the wait is over."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    agent = cluster.agents["agent-1"]
    agent.crash()
    sim.settle()
    agent.restart()
    sim.settle()
    asked = sim.expect((RegisterAgent, ReregisterAgent))

    agent.signal(signal.SIGUSR1)
    sim.advance(30.0)

    assert asked.count == 0
    assert not agent.alive


def test_unregistering_from_a_master_that_has_not_met_the_agent_is_ignored(sim: Simulation) -> None:
    """To a new leader the agent is only recovered: it is marked unreachable after 10 min instead (2.3.11)."""
    cluster = sim.cluster(agents=1, masters=2)
    agent = cluster.agents["agent-1"]
    agent_id = agent.id
    sim.drop(ReregisterAgent)
    leader = cluster.leader
    assert leader is not None
    leader.crash()
    sim.run_until(lambda: cluster.leader, timeout=60.0)
    sim.settle()

    agent.signal(signal.SIGUSR1)
    sim.settle()
    assert cluster.operator.state()["recovered_agents"] == [agent_id]
    sim.advance(600.0)

    assert list(cluster.operator.state()["unreachable_agents"]) == [agent_id]
    assert counters(cluster)["recovery_slave_removals"] == 1


def test_an_agent_that_is_gone_before_its_goodbye_is_recorded(sim: Simulation) -> None:
    """Its link breaks first, which is the reason given (2.3.10); that it unregistered is known, and is the cause."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework="framework")
    sim.advance(1.0)
    applied = sim.hold(OperationApplied, where=writes(RemoveAgent))

    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.run_until(lambda: not cluster.agents["agent-1"].alive, timeout=20.0)
    sim.settle()
    told = framework.updates("t1")[-1]
    applied.release()
    sim.settle()

    assert (about(told), told.cause) == (("LOST", "MASTER", "AGENT_DISCONNECTED"), Cause.UNREGISTERED)
    assert framework.updates("t1")[-1] == told
    assert framework.count("agent_lost") == 1
