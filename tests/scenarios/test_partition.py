"""Silence and broken links: when an agent counts as gone, what frameworks hear, and what happens when it returns.

drain.md 1.4 to 1.7. The first ping goes out at registration; five unanswered ones, 15 s apart, are 75 s.
"""

from __future__ import annotations

import pytest

from mesolite import Settings, Simulation
from mesolite.actors.decisions.contract import TimerFired
from mesolite.actors.decisions.master.timers import PingBatch
from mesolite.messages import (
    AgentLost,
    AgentReregistered,
    ApplyOperation,
    KillTask,
    OperationApplied,
    PongAgent,
    ReregisterAgent,
    RescindOffer,
    ShutdownFramework,
    StatusUpdate,
)
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import AgentId, TaskId
from mesolite.messages.registrar import MarkAgentUnreachable
from mesolite.messages.tasks import TaskState, TaskStatus
from tests.scenarios.schedulers import (
    AWARE,
    EXECUTORS,
    PLAIN,
    Launcher,
    Recorder,
    about,
    books_of,
    command_task,
    counters,
    executor_task,
    fail_over,
    framework_of,
    leader_of,
    lose_session,
    only,
    tell_executor,
    writes,
)

LASTING = FrameworkInfo(name="lasting", failover_timeout_s=1e6)


def ask(task_id: str, agent_id: str | None) -> TaskStatus:
    """What a scheduler reconciles with; the state in it does not matter (RC-7)."""
    found = None if agent_id is None else AgentId(agent_id)
    return TaskStatus(task_id=TaskId(task_id), state=TaskState.TASK_STAGING, agent_id=found)


@pytest.mark.scenario("PartitionTest.PartitionedSlave")
def test_an_agent_that_answers_no_pings_is_lost_after_75_seconds(sim: Simulation) -> None:
    """Five unanswered pings; its offer is rescinded, then the agent is lost; it is counted once (1.4.2, 1.6.3)."""
    sim.drop(PongAgent)
    cluster = sim.cluster(agents=1)
    registered_at = sim.now
    framework = Recorder()
    cluster.run(framework, framework="framework")

    sim.advance(74.9)
    assert framework.lost_agents == []
    sim.advance(0.2)

    assert framework.names[-2:] == ["offer_rescinded", "agent_lost"]
    assert framework.calls[-1].time == pytest.approx(registered_at + 75.0)
    counted = counters(cluster)
    assert (counted["slave_unreachable_scheduled"], counted["slave_unreachable_completed"]) == (1, 1)
    assert (counted["slave_removals"], counted["slave_removals_reason_unhealthy"]) == (1, 1)
    assert counted["slave_removals_reason_unregistered"] == 0


def test_agents_that_are_pinged_together_are_given_up_one_by_one(sim: Simulation) -> None:
    """Forty register at once and share two timers; only who is silent is lost, and the others stay (1.4.1, 1.4.2)."""
    sim.settings = Settings.mesos().but(registration_backoff_factor_s=0.01)
    cluster = sim.cluster(agents=40)
    registered_at = sim.now
    sim.drop(PongAgent, sender="agent-17")
    framework = Recorder()
    cluster.run(framework, framework="framework")
    sim.advance(150.0)

    (lost,) = (call for call in framework.calls if call.name == "agent_lost")
    # What it was pinged before it fell silent it had answered: one interval more, less the moment it came late by.
    assert registered_at + 89.8 <= lost.time <= registered_at + 90.0
    assert len(books_of(cluster).agents) == 39
    rounds = {
        record.event.key
        for record in sim.trace
        if isinstance(record.event, TimerFired) and isinstance(record.event.key, PingBatch)
    }
    assert len(rounds) == 2


def test_one_answer_in_75_seconds_is_enough(sim: Simulation) -> None:
    """Any pong starts the count anew, however late it is (1.4.2, EL-54)."""
    cluster = sim.cluster(agents=1)
    sim.settle()
    lost = sim.drop(PongAgent)
    sim.advance(74.0)

    sim.inject("master-1", PongAgent(), sender="agent-1")
    sim.advance(74.0)
    assert lost.count >= 9
    assert only(cluster.operator.state()["agents"])["connected"]
    sim.advance(3.0)

    assert cluster.operator.state()["agents"] == []


@pytest.mark.scenario("PartitionTest.FailHealthChecksTwice")
def test_health_checks_that_fail_twice_remove_an_agent_once(sim: Simulation) -> None:
    """While the marking is being written a second failure changes nothing: one write, one notice (1.6.1)."""
    sim.drop(PongAgent)
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework="framework")
    applied = sim.hold(OperationApplied)
    written = sim.expect(ApplyOperation)
    sim.advance(76.0)
    assert applied.count == 1

    sim.advance(15.0)
    applied.release()
    sim.settle()

    assert written.count == 1
    assert framework.count("agent_lost") == 1
    counted = counters(cluster)
    assert (counted["slave_unreachable_scheduled"], counted["slave_unreachable_completed"]) == (2, 2)
    assert (counted["slave_removals"], counted["slave_removals_reason_unhealthy"]) == (1, 1)


@pytest.mark.parametrize("info", [PLAIN, AWARE], ids=["plain", "partition aware"])
def test_being_unreachable_is_told_in_order(sim: Simulation, info: FrameworkInfo) -> None:
    """Registry; then tasks, rescinds, agent lost to every framework; to the agent nothing (1.6.2 to 1.6.5, RC-30)."""
    cluster = sim.cluster(agents=1)
    framework, bystander = Launcher(command_task("t1")), Recorder()
    cluster.run(framework, framework=info)
    sim.settle()
    cluster.run(bystander, framework="bystander")
    sim.advance(1.0)
    sim.partition("agent-1", "master-1")
    applied = sim.hold(OperationApplied, where=writes(MarkAgentUnreachable))
    said = sim.expect((StatusUpdate, RescindOffer, AgentLost, ShutdownFramework, KillTask), sender="master-1")
    sim.run_until(lambda: applied.count, timeout=100.0)
    assert said.count == 0

    applied.release()
    sim.settle()

    assert {type(message) for message in said.all} == {StatusUpdate, RescindOffer, AgentLost}
    assert framework.names[-2:] == ["status_update", "agent_lost"]
    assert bystander.names[-2:] == ["offer_rescinded", "agent_lost"]
    last = framework.updates("t1")[-1]
    assert about(last) == ("UNREACHABLE" if info is AWARE else "LOST", "MASTER", "AGENT_REMOVED")
    assert (last.uuid, last.unreachable_time) == (None, only(applied.all).operation.unreachable_time)
    assert cluster.agents["agent-1"].alive


@pytest.mark.scenario("PartitionTest.ReregisterSlaveNotPartitionAware")
def test_a_lost_task_that_comes_back_is_running_again(sim: Simulation) -> None:
    """It is not killed when its agent returns: the framework hears RUNNING, from the master (1.3.8, 1.3.10, FW-48)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.settle()
    sim.advance(1.0)
    sim.partition("agent-1", "master-1")
    sim.run_until(lambda: framework.lost_agents, timeout=100.0)
    lost = framework.updates("t1")[-1]
    assert about(lost) == ("LOST", "MASTER", "AGENT_REMOVED")
    assert lost.unreachable_time == framework.named("agent_lost")[0].time
    assert [task["state"] for task in framework_of(cluster)["unreachable_tasks"]] == ["TASK_LOST"]

    sim.heal()
    sim.advance(120.0)

    assert about(framework.updates("t1")[-1]) == ("RUNNING", "MASTER", "AGENT_REREGISTERED")
    assert framework.updates("t1")[-1].uuid is None
    assert [task["state"] for task in framework_of(cluster)["tasks"]] == ["TASK_RUNNING"]
    assert framework_of(cluster)["unreachable_tasks"] == []
    assert counters(cluster)["tasks_lost"] == 1


@pytest.mark.scenario("PartitionTest.TaskCompletedOnPartitionedAgent")
def test_a_task_that_ends_behind_a_partition_is_reported_afterwards(sim: Simulation) -> None:
    """FINISHED is delivered after the return, and repeated when it is asked for; in Mesos it is LOST then."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    sim.partition("agent-1", "master-1")
    sim.run_until(lambda: framework.lost_agents, timeout=100.0)
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()

    sim.heal()
    sim.advance(120.0)
    assert framework.states("t1")[-1] == "FINISHED"
    driver.reconcile_tasks([ask("t1", cluster.agents["agent-1"].id)])
    sim.settle()

    assert about(framework.updates("t1")[-1]) == ("FINISHED", "MASTER", "RECONCILIATION")
    assert framework.updates("t1")[-1].unreachable_time is None
    assert [task["state"] for task in framework_of(cluster)["completed_tasks"]] == ["TASK_FINISHED"]
    assert framework_of(cluster)["unreachable_tasks"] == []


@pytest.mark.scenario("PartitionTest.PartitionedSlaveOrphanedTask")
def test_a_framework_that_ends_while_its_agent_is_away_is_ended_there_later(sim: Simulation) -> None:
    """Its unreachable task is shown as KILLED; the returning agent is told to end the framework (FW-36, FW-39)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=AWARE)
    sim.settle()
    sim.partition("agent-1", "master-1")
    sim.run_until(lambda: framework.lost_agents, timeout=100.0)
    driver.stop()
    sim.settle()
    ordered = sim.expect(ShutdownFramework)

    sim.heal()
    sim.advance(120.0)

    assert ordered.first.framework_id == driver.framework_id
    completed = only(cluster.operator.state()["completed_frameworks"])
    assert [task["state"] for task in completed["completed_tasks"]] == ["TASK_KILLED"]
    assert cluster.operator.state()["frameworks"] == []
    assert only(cluster.operator.state()["agents"])["tasks"] == []


@pytest.mark.scenario("PartitionTest.PartitionedSlaveReregistrationMasterFailover")
def test_tasks_come_back_after_a_partition_and_a_masters_death(sim: Simulation) -> None:
    """LOST to one framework, UNREACHABLE to the other, at one time; after the failover both are RUNNING (1.3.7)."""
    cluster = sim.cluster(agents=1, masters=2)
    plain, aware = Launcher(command_task("t1"), refuse_s=1e6), Launcher(command_task("t2"))
    cluster.run(plain, framework=PLAIN)
    cluster.run(aware, framework=AWARE)
    sim.advance(10.0)
    assert (plain.states("t1")[-1], aware.states("t2")[-1]) == ("RUNNING", "RUNNING")
    sim.partition("agent-1", leader_of(cluster))
    sim.run_until(lambda: plain.lost_agents and aware.lost_agents, timeout=100.0)
    assert (plain.states("t1")[-1], aware.states("t2")[-1]) == ("LOST", "UNREACHABLE")
    assert plain.updates("t1")[-1].unreachable_time == aware.updates("t2")[-1].unreachable_time

    fail_over(sim, cluster)
    returned = sim.hold(ReregisterAgent)
    sim.advance(10.0)
    returned.release()
    sim.settle()

    assert (plain.states("t1")[-1], aware.states("t2")[-1]) == ("RUNNING", "RUNNING")
    frameworks = cluster.operator.state()["frameworks"]
    assert [task["state"] for framework in frameworks for task in framework["tasks"]] == ["TASK_RUNNING"] * 2
    counted = counters(cluster)
    assert (counted["tasks_lost"], counted["slave_removals"]) == (0, 0)


@pytest.mark.scenario("PartitionTest.DisconnectedFramework")
def test_who_was_away_when_its_agent_was_lost_finds_out_by_asking(sim: Simulation) -> None:
    """A recovered framework's task is lost unheard; its next instance asks and is told LOST, with the time (1.10.1)."""
    cluster = sim.cluster(agents=1, masters=2)
    agent_id = cluster.agents["agent-1"].id
    old, new = Launcher(command_task("t1")), Recorder()
    driver = cluster.run(old, framework=LASTING)
    sim.advance(1.0)
    driver.stop(failover=True)
    leader = fail_over(sim, cluster)
    sim.advance(5.0)
    sim.partition("agent-1", leader)
    sim.advance(100.0)
    (lost_at,) = cluster.operator.state()["unreachable_agents"].values()

    info = FrameworkInfo(name="lasting", id=driver.framework_id, failover_timeout_s=1e6)
    again = cluster.run(new, framework=info)
    sim.settle()
    again.reconcile_tasks([ask("t1", agent_id)])
    sim.settle()

    answer = only(new.updates("t1"))
    assert (about(answer), answer.unreachable_time) == (("LOST", "MASTER", "RECONCILIATION"), lost_at)
    counted = counters(cluster)
    assert (counted["tasks_lost"], counted["slave_removals"], counted["slave_removals_reason_unhealthy"]) == (1, 1, 1)


@pytest.mark.scenario("PartitionTest.SpuriousSlaveReregistration")
def test_reregistering_while_registered_harms_no_task(sim: Simulation) -> None:
    """An agent that never left asks again; its task goes on, and is reconciled as RUNNING (1.3.5)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()
    back = sim.expect(AgentReregistered)
    lose_session(sim, "agent-1")
    sim.advance(15.0)
    assert back.count == 1

    driver.reconcile_tasks([ask("t1", None)])
    sim.settle()

    assert framework.states("t1") == ["STARTING", "RUNNING", "RUNNING"]
    assert about(framework.updates("t1")[-1]) == ("RUNNING", "MASTER", "RECONCILIATION")
