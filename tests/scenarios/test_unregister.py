"""An agent leaves on its own account: SIGUSR1, UnregisterAgent, removal (drain.md 2.1 to 2.3)."""

from __future__ import annotations

import signal

import pytest

from mesolite import FrameworkInfo, SimulatedWork, Simulation
from mesolite.messages import (
    AgentLost,
    ApplyOperation,
    OperationApplied,
    PingAgent,
    PongAgent,
    RescindOffer,
    RunTask,
    ShutdownExecutor,
    StatusUpdate,
    UnregisterAgent,
)
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import RemoveAgent
from tests.scenarios.schedulers import (
    AWARE,
    EXECUTORS,
    PLAIN,
    STUBBORN,
    Launcher,
    Recorder,
    about,
    command_task,
    counters,
    executor_task,
    framework_of,
    only,
    writes,
)


@pytest.mark.scenario("SlaveTest.Shutdown")
def test_an_agent_that_unregisters_takes_its_offers_with_it(sim: Simulation) -> None:
    """Its offer is rescinded, the framework hears that the agent is lost, and why is counted (2.3.5)."""
    cluster = sim.cluster(agents=1)
    agent = cluster.agents["agent-1"]
    agent_id = agent.id
    framework = Recorder()
    cluster.run(framework, framework="framework")
    sim.settle()

    agent.signal(signal.SIGUSR1)
    sim.settle()

    assert framework.rescinded == [only(framework.offers).id]
    assert framework.lost_agents == [agent_id]
    assert not agent.alive
    assert counters(cluster)["slave_removals"] == 1
    assert counters(cluster)["slave_removals_reason_unregistered"] == 1
    assert counters(cluster)["slave_removals_reason_unhealthy"] == 0
    assert cluster.operator.state()["agents"] == []


@pytest.mark.parametrize("info", [PLAIN, AWARE], ids=["plain", "partition aware"])
def test_removal_is_told_in_order_and_every_task_is_lost(sim: Simulation, info: FrameworkInfo) -> None:
    """Registry first; then task updates, rescinds, agent lost; LOST, aware or not (2.3.4, 2.3.5, RC-31)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN), command_task("t2", STUBBORN), refuse_s=0)
    cluster.run(framework, framework=info)
    sim.advance(2.0)
    rest = framework.offers[-1].id
    applied = sim.hold(OperationApplied, where=writes(RemoveAgent))
    said = sim.expect((StatusUpdate, RescindOffer, AgentLost), sender="master-1", receiver=info.name)

    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.settle()
    before_the_write_is_done = said.count
    applied.release()
    sim.settle()

    assert before_the_write_is_done == 0
    assert [type(message) for message in said.all] == [StatusUpdate, StatusUpdate, RescindOffer, AgentLost]
    assert framework.rescinded == [rest]
    for task_id in ("t1", "t2"):
        last = framework.updates(task_id)[-1]
        assert about(last) == ("LOST", "MASTER", "AGENT_REMOVED")
        assert last.uuid is None
        assert last.unreachable_time is None
        assert "agent-1" in last.message
    ended = framework_of(cluster)
    assert [task["state"] for task in ended["completed_tasks"]] == ["TASK_LOST", "TASK_LOST"]
    assert ended["unreachable_tasks"] == []


def test_unregistering_comes_before_anything_is_shut_down(sim: Simulation) -> None:
    """On SIGUSR1 the agent says so first, then ends its executors, and lives on for their grace (2.1.2, 2.1.8)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework="framework")
    sim.advance(1.0)
    agent = cluster.agents["agent-1"]

    agent.signal(signal.SIGUSR1)
    sim.settle()

    handled = [record for record in sim.trace if "SignalReceived" in repr(record.event)]
    sent = [type(effect.message) for effect in only(handled).effects if hasattr(effect, "message")]
    assert sent == [UnregisterAgent, ShutdownExecutor]
    assert framework.states("t1")[-1] == "LOST"  # the master does not wait for the executors (2.1.8)
    assert agent.alive
    sim.advance(10.0)
    assert not agent.alive


def test_a_terminating_agent_answers_pings_and_nothing_else(sim: Simulation) -> None:
    """While it terminates it runs no task, forwards no update and does not register; it answers pings (2.1.5)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework="framework")
    sim.advance(1.0)
    launched = only(
        record.event for record in sim.trace if isinstance(record.event, RunTask) and record.actor == "agent-1"
    )
    said = sim.expect(sender="agent-1", receiver="master-1")

    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.settle()
    sim.inject("agent-1", launched, sender="master-1")
    sim.inject("agent-1", PingAgent(connected=False), sender="master-1")
    sim.advance(3.5)

    assert cluster.agents["agent-1"].alive
    assert [type(message) for message in said.all] == [UnregisterAgent, PongAgent]


@pytest.mark.parametrize("sender", ["agent-2", "framework", "outside"])
def test_only_the_agent_itself_may_unregister(sim: Simulation, sender: str) -> None:
    """UnregisterAgent from another agent, a framework or a stranger is ignored without an answer (2.3.1)."""
    cluster = sim.cluster(agents=2)
    framework = Recorder()
    cluster.run(framework, framework="framework")
    victim = AgentId(str(cluster.agents["agent-1"].id))
    sim.settle()
    answers = sim.expect(sender="master-1", receiver=sender)

    sim.inject("master-1", UnregisterAgent(agent_id=victim), sender=sender)
    sim.inject("master-1", UnregisterAgent(agent_id=AgentId("nobody")), sender=sender)
    sim.settle()

    assert len(cluster.operator.state()["agents"]) == 2
    assert framework.lost_agents == []
    assert answers.count == 0


def test_unregistering_twice_is_unregistering_once(sim: Simulation) -> None:
    """A second SIGUSR1, or a repeated message, changes nothing: one removal, one notice (2.1.10, 2.3.2)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework="framework")
    sim.advance(1.0)
    written = sim.expect(ApplyOperation)
    said = sim.expect(UnregisterAgent)
    sim.duplicate(UnregisterAgent, times=1)

    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.advance(20.0)

    assert said.count == 3
    assert written.count == 1
    assert framework.count("agent_lost") == 1
    assert framework.states("t1").count("LOST") == 1


@pytest.mark.scenario("FaultToleranceTest.SchedulerExit")
def test_a_scheduler_that_stops_ends_its_executors(sim: Simulation) -> None:
    """Stopping without failover shuts the framework's executors down; of its tasks nobody hears (FW-36)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework="framework", executors=EXECUTORS)
    sim.advance(1.0)
    shutdowns = sim.expect(ShutdownExecutor)

    driver.stop()
    sim.settle()

    assert shutdowns.count == 1
    assert framework.states("t1") == ["RUNNING"]
    ended = only(cluster.operator.state()["completed_frameworks"])
    assert [task["state"] for task in ended["completed_tasks"]] == ["TASK_KILLED"]
    assert cluster.operator.state()["frameworks"] == []


def test_a_terminal_task_that_was_not_acknowledged_is_reported_lost_and_kept_as_it_ended(sim: Simulation) -> None:
    """Its record keeps FINISHED while the framework is still sent TASK_LOST, as in Mesos (2.3.6)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", SimulatedWork(duration=2.0)), command_task("t2", STUBBORN))
    driver = cluster.run(framework, framework="framework", implicit_acknowledgements=False)
    sim.settle()
    driver.acknowledge(framework.updates("t1")[0])
    sim.settle()
    driver.acknowledge(framework.updates("t1")[1])
    sim.advance(3.0)
    assert framework.states("t1") == ["STARTING", "RUNNING", "FINISHED"]

    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.settle()

    assert framework.states("t1")[-1] == "LOST"
    completed = framework_of(cluster)["completed_tasks"]
    assert {task["task_id"]: task["state"] for task in completed} == {"t1": "TASK_FINISHED", "t2": "TASK_LOST"}
