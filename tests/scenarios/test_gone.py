"""Operators say that an agent will never come back (drain.md 4.7, 1.3.2, 1.10.1)."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from mesolite import Refused, Simulation, TaskStatus
from mesolite.messages import (
    AgentLost,
    ApplyOperation,
    CallAnswered,
    MarkAgentGoneCall,
    OperationApplied,
    PongAgent,
    RegisterAgent,
    ReregisterAgent,
    RescindOffer,
    ShutdownAgent,
    StatusUpdate,
    UnregisterAgent,
)
from mesolite.messages.ids import TaskId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.registrar import MarkAgentGone, MarkAgentUnreachable, RemoveAgent
from mesolite.messages.tasks import TaskState
from mesolite.simulation.simulation import SimulatedCluster
from tests.inside import alive, store_of
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    EXECUTORS,
    PLAIN,
    STUBBORN,
    Launcher,
    Recorder,
    about,
    check_books,
    command_task,
    executor_task,
    fail_over,
    framework_of,
    id_of,
    only,
    operations,
    place,
    writes,
)


def call(sim: Simulation, cluster: SimulatedCluster, call_id: int = 1) -> None:
    """Ask for agent-1 to be marked gone, without waiting for the answer."""
    message = MarkAgentGoneCall(call_id=call_id, agent_id=id_of(cluster))
    place(sim, cluster, message)


def become_unreachable(sim: Simulation, cluster: SimulatedCluster) -> Any:
    """Let the agents become unreachable; returns the rule that keeps them so."""
    pongs = sim.drop(PongAgent)
    sim.run_until(lambda: cluster.operator.state()["unreachable_agents"], timeout=100.0)
    sim.settle()
    return pongs


# ------------------------------------------------------------------------------------------------ registered agents


@pytest.mark.scenario("MasterAPITest.MarkRegisteredAgentGone")
def test_an_agent_that_was_marked_gone_is_shut_down_and_refused_for_ever(sim: Simulation) -> None:
    """ShutdownAgent now, and whenever somebody wants to come back under its old id (4.7.3, 4.7.7, RC-32)."""
    cluster = sim.cluster(agents=1)
    agent, agent_id = cluster.agents["agent-1"], id_of(cluster)
    orders, written = sim.expect(ShutdownAgent), sim.expect(ApplyOperation)

    cluster.operator.mark_gone("agent-1")
    sim.settle()
    assert (operations(written), orders.count, agent.alive) == (["MarkAgentGone"], 1, False)
    back = ReregisterAgent(agent=AgentInfo(hostname="agent-1", resources="cpus:4", id=agent_id))
    for refusals in (2, 3):
        sim.inject("master-1", back, sender="agent-1")
        sim.settle()
        assert (orders.count, orders.all[-1].gone) == (refusals, True)

    assert (agent.id, cluster.operator.state()["agents"]) == (agent_id, [])
    assert list(cluster.operator.state()["gone_agents"]) == [agent_id]
    assert operations(written) == ["MarkAgentGone"]


def test_the_machine_of_a_gone_agent_joins_as_a_new_one_when_its_agent_is_started_again(sim: Simulation) -> None:
    """It has forgotten the id that will never be used again; ours: in Mesos its operator removes it (4.7.7)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(2.0)
    agent, former = cluster.agents["agent-1"], id_of(cluster)

    cluster.operator.mark_gone("agent-1")
    sim.advance(10.0)
    assert dict(store_of(sim, "agent-1")) == {}
    with pytest.raises(TimeoutError, match=r"by now: agent-1 \(shut down by the master: agent m1-S1 was marked gone"):
        sim.run_until(lambda: agent.registered, timeout=10.0)
    agent.restart()
    sim.advance(10.0)

    assert (agent.registered, agent.id != former) == (True, True)
    assert list(cluster.operator.state()["gone_agents"]) == [former]
    assert [offer.agent_id for offer in framework.offers][-1] == agent.id
    check_books(sim)


@pytest.mark.parametrize("running", [False, True])
def test_an_agent_that_was_away_when_it_was_marked_gone_is_a_new_one_when_it_is_started(
    sim: Simulation, running: bool
) -> None:
    """It hears of it when it wants to come back: what runs there is ended first, then a new agent registers (4.7.7)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(*([command_task("t1")] if running else []))
    driver = cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(2.0)
    agent, former = cluster.agents["agent-1"], id_of(cluster)
    agent.crash()
    sim.settle()
    cluster.operator.mark_gone("agent-1")
    orders = sim.expect(ShutdownAgent)

    agent.restart()
    sim.advance(20.0)

    assert (orders.count > 0, agent.registered, agent.id != former) == (True, True, True)
    assert not alive(sim, f"agent-1/{driver.framework_id}/t1")
    assert list(store_of(sim, "agent-1")) == ["agent"]
    assert list(cluster.operator.state()["gone_agents"]) == [former]
    check_books(sim)


def test_an_agent_that_was_cut_off_when_it_was_marked_gone_ends(sim: Simulation) -> None:
    """It was admitted in this life, so it is the one that is meant: it does not come back by itself (4.7.4)."""
    cluster = sim.cluster(agents=1)
    agent = cluster.agents["agent-1"]
    pongs = become_unreachable(sim, cluster)
    cluster.operator.mark_gone("agent-1")
    sim.forget(pongs)

    sim.advance(200.0)

    assert (agent.alive, cluster.operator.state()["agents"]) == (False, [])
    assert dict(store_of(sim, "agent-1")) == {}


def test_an_agent_that_dies_before_it_has_forgotten_learns_it_again(sim: Simulation) -> None:
    """Whatever the moment: it is told when it wants to come back."""
    cluster = sim.cluster(agents=1)
    agent, former = cluster.agents["agent-1"], id_of(cluster)
    sim.drop(ShutdownAgent, times=1)
    cluster.operator.mark_gone("agent-1")
    agent.crash()

    agent.restart()
    agent.disk.crash_at(1, stored=False)  # just when it forgets
    sim.advance(10.0)
    assert not agent.alive
    agent.disk.mend()
    agent.restart()
    sim.advance(10.0)

    assert (agent.registered, agent.id != former) == (True, True)


@pytest.mark.scenario("MasterAPITest.TaskUpdatesUponAgentGone")
def test_tasks_of_a_gone_agent_are_gone_by_operator(sim: Simulation) -> None:
    """Its framework is told at once, and whenever it asks about a task there, known or not (4.7.3, 1.10.1, RC-32)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    agent_id = id_of(cluster)

    cluster.operator.mark_gone("agent-1")
    sim.settle()
    status = framework.updates("t1")[-1]
    assert about(status) == ("GONE_BY_OPERATOR", "MASTER", "AGENT_REMOVED_BY_OPERATOR")
    assert (str(status.cause), status.uuid, status.unreachable_time) == ("GONE", None, None)
    asked = [TaskStatus(task_id=TaskId(t), state=TaskState.TASK_RUNNING, agent_id=agent_id) for t in ("t1", "t9")]
    driver.reconcile_tasks(asked)
    sim.settle()

    for task_id in ("t1", "t9"):
        answer = framework.updates(task_id)[-1]
        assert about(answer) == ("GONE_BY_OPERATOR", "MASTER", "RECONCILIATION")
        assert str(answer.cause) == "GONE"


def test_frameworks_that_are_not_partition_aware_hear_that_their_tasks_are_lost(sim: Simulation) -> None:
    """LOST with AGENT_REMOVED, also when they ask (4.7.3, 1.10.1, RC-32); ours: filed as completed (10.7)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    agent_id = id_of(cluster)

    cluster.operator.mark_gone("agent-1")
    sim.settle()
    assert about(framework.updates("t1")[-1]) == ("LOST", "MASTER", "AGENT_REMOVED")
    assert str(framework.updates("t1")[-1].cause) == "GONE"
    driver.reconcile_tasks([TaskStatus(task_id=TaskId("t9"), state=TaskState.TASK_RUNNING, agent_id=agent_id)])
    sim.settle()

    assert about(only(framework.updates("t9"))) == ("LOST", "MASTER", "RECONCILIATION")
    books = framework_of(cluster)
    assert books["unreachable_tasks"] == []
    assert [(task["task_id"], task["state"], task["cause"]) for task in books["completed_tasks"]] == [
        ("t1", "TASK_LOST", "GONE")
    ]
    check_books(sim)


def test_the_order_of_what_is_said(sim: Simulation) -> None:
    """Shutdown, task updates, rescinds, and that the agent is lost, to everybody (4.7.3, 1.6.3)."""
    cluster = sim.cluster(agents=1)
    framework, other = Launcher(command_task("t1"), refuse_s=0.0), Recorder()
    cluster.run(framework, framework=AWARE)
    sim.advance(3.0)
    cluster.run(other, framework=PLAIN)
    sim.settle()
    leader = "master-1"
    kinds = (ShutdownAgent, StatusUpdate, RescindOffer, AgentLost)
    said: list[str] = []
    sim.expect(kinds, sender=leader, receiver="aware", where=lambda message: bool(said.append(type(message).__name__)))
    sim.expect(kinds, sender=leader, receiver="plain", where=lambda message: bool(said.append("to plain")))
    ordered = sim.expect(ShutdownAgent)

    cluster.operator.mark_gone("agent-1")
    sim.settle()

    assert [name for name in said if name != "to plain"] == ["StatusUpdate", "RescindOffer", "AgentLost"]
    assert (said.count("to plain"), other.lost_agents, ordered.count) == (1, framework.lost_agents, 1)
    leaving = [record.effects for record in sim.trace if isinstance(record.event, OperationApplied)][-1]
    sent = [type(effect.message).__name__ for effect in leaving if hasattr(effect, "message")]
    assert sent[:4] == ["ShutdownAgent", "StatusUpdate", "RescindOffer", "AgentLost"]


def test_its_executors_get_their_grace_and_what_they_say_is_dropped(sim: Simulation) -> None:
    """The tasks are reported gone at once; the agent ends when its executors have (4.7.4)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN), executor_task("t2"))
    cluster.run(framework, framework=AWARE, executors=EXECUTORS)
    sim.advance(1.0)

    cluster.operator.mark_gone("agent-1")
    sim.advance(1.0)
    assert cluster.agents["agent-1"].alive
    assert framework.states("t1")[-1] == framework.states("t2")[-1] == "GONE_BY_OPERATOR"
    sim.advance(10.0)

    assert not cluster.agents["agent-1"].alive
    assert framework.states("t1")[-1] == framework.states("t2")[-1] == "GONE_BY_OPERATOR"
    assert framework.count("executor_lost") == 0


def test_the_same_machine_may_join_with_a_new_id(sim: Simulation) -> None:
    """Only the id is refused (4.7.7)."""
    cluster = sim.cluster(agents=1)
    old_id = id_of(cluster)
    cluster.operator.mark_gone("agent-1")
    sim.advance(10.0)

    cluster.add_agent("newcomer", hostname="agent-1")
    sim.advance(5.0)

    agent = only(cluster.operator.state()["agents"])
    assert (agent["hostname"], agent["id"] != old_id) == ("agent-1", True)


def test_a_newcomer_at_the_address_of_the_gone_agent_is_not_shut_down(sim: Simulation) -> None:
    """Ours: the agent that was meant has died, and another has come up where it was."""
    cluster = sim.cluster(agents=1)
    cluster.agents["agent-1"].crash()
    sim.settle()
    applied = sim.hold(OperationApplied)
    call(sim, cluster)
    newcomer = AgentInfo(hostname="agent-1", resources="cpus:4;mem:4096")
    sim.inject("master-1", RegisterAgent(agent=newcomer), sender="agent-1")
    sim.settle()
    orders = sim.expect(ShutdownAgent)

    applied.release()
    sim.settle()

    assert orders.count == 0
    assert list(cluster.operator.state()["gone_agents"]) == [id_of(cluster)]
    assert [agent["id"] == id_of(cluster) for agent in cluster.operator.state()["agents"]] == [False]


# ---------------------------------------------------------------------------------------------------- absent agents


@pytest.mark.scenario("MasterAPITest.UnreachableAgentMarkedGone")
def test_tasks_of_an_unreachable_agent_are_gone_when_it_is(sim: Simulation) -> None:
    """They become completed; nothing is said to the agent, nor again that it is lost (4.7.5)."""
    cluster = sim.cluster(agents=1)
    framework, plain = Launcher(command_task("t1"), refuse_s=1e6), Launcher(command_task("t2"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    cluster.run(plain, framework=PLAIN)
    sim.advance(1.0)
    cluster.operator.deactivate("agent-1")
    pongs = become_unreachable(sim, cluster)
    assert framework.states("t1")[-1] == "UNREACHABLE"
    orders = sim.expect(ShutdownAgent)

    cluster.operator.mark_gone("agent-1")
    sim.settle()

    assert about(framework.updates("t1")[-1]) == ("GONE_BY_OPERATOR", "MASTER", "AGENT_REMOVED_BY_OPERATOR")
    assert about(plain.updates("t2")[-1]) == ("LOST", "MASTER", "AGENT_REMOVED")
    assert str(plain.updates("t2")[-1].cause) == str(framework.updates("t1")[-1].cause) == "GONE"
    books = {framework["name"]: framework for framework in cluster.operator.state()["frameworks"]}
    assert [len(books["aware"][kind]) for kind in ("tasks", "unreachable_tasks", "completed_tasks")] == [0, 0, 1]
    assert (orders.count, framework.count("agent_lost")) == (0, 1)
    state = cluster.operator.state()
    assert (state["unreachable_agents"], state["deactivated_agents"]) == ({}, [])
    sim.forget(pongs)
    sim.advance(100.0)
    assert (orders.count, cluster.agents["agent-1"].alive) == (1, False)


def test_a_recovered_agent_can_be_marked_gone(sim: Simulation) -> None:
    """Nothing is sent to anybody (4.7.6); it is not marked unreachable later, and refused when it comes."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    agent_id = id_of(cluster)
    cluster.agents["agent-1"].crash()
    fail_over(sim, cluster)
    sim.advance(5.0)
    said = sim.expect((StatusUpdate, AgentLost, ShutdownAgent))

    cluster.operator.mark_gone("agent-1")
    sim.settle()
    assert (said.count, cluster.operator.state()["recovered_agents"]) == (0, [])
    driver.reconcile_tasks([TaskStatus(task_id=TaskId("t1"), state=TaskState.TASK_RUNNING, agent_id=agent_id)])
    sim.advance(700.0)
    assert about(framework.updates("t1")[-1]) == ("LOST", "MASTER", "RECONCILIATION")
    assert (framework.lost_agents, cluster.operator.state()["unreachable_agents"]) == ([], {})
    cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    orders = [each for each in said.all if isinstance(each, ShutdownAgent)]
    assert orders[-1] == ShutdownAgent(reason=f"agent {agent_id} was marked gone", gone=True)
    assert cluster.agents["agent-1"].id != agent_id


def test_that_an_agent_is_gone_survives_the_master(sim: Simulation) -> None:
    """The next leader refuses it, too (4.7.2)."""
    cluster = sim.cluster(agents=1, masters=2)
    former = id_of(cluster)
    cluster.agents["agent-1"].crash()
    cluster.operator.mark_gone("agent-1")
    sim.advance(5.0)
    fail_over(sim, cluster)
    orders = sim.expect(ShutdownAgent)

    cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    assert (orders.count, cluster.agents["agent-1"].id != former) == (1, True)
    assert list(cluster.operator.state()["gone_agents"]) == [former]


# --------------------------------------------------------------------------------------------------------- refusals


def test_marking_gone_twice_is_harmless(sim: Simulation) -> None:
    """200 if it is gone already, and nothing is written (4.7.1, RC-32)."""
    cluster = sim.cluster(agents=1)
    cluster.operator.mark_gone("agent-1")
    sim.settle()
    written, answers = sim.expect(ApplyOperation), sim.expect(CallAnswered)

    cluster.operator.mark_gone("agent-1")

    assert (written.count, answers.first.code) == (0, 200)


def test_an_unknown_agent_cannot_be_marked_gone(sim: Simulation) -> None:
    """404 (4.7.1, RC-32)."""
    cluster = sim.cluster(agents=1)
    answers = sim.expect(CallAnswered)

    with pytest.raises(Refused, match=r"there is no agent 'm9-S9'; the state lists the agents by id"):
        cluster.operator.mark_gone("m9-S9")

    assert answers.first.code == 404


def test_an_agent_that_unregistered_cannot_be_marked_gone(sim: Simulation) -> None:
    """Nobody remembers it (4.7.1, 2.3.4)."""
    cluster = sim.cluster(agents=1)
    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.advance(5.0)

    with pytest.raises(Refused, match="there is no agent"):
        cluster.operator.mark_gone("agent-1")


@pytest.mark.parametrize("operation", [MarkAgentGone, RemoveAgent, MarkAgentUnreachable])
def test_an_agent_that_is_just_leaving_is_to_be_asked_about_again(sim: Simulation, operation: type) -> None:
    """503 while another transition is being written, which then completes (4.7.1, RC-32)."""
    cluster = sim.cluster(agents=1)
    applied = sim.hold(OperationApplied, where=writes(operation))
    agent_id, answers, written = id_of(cluster), sim.expect(CallAnswered), sim.expect(ApplyOperation)
    if operation is MarkAgentGone:
        call(sim, cluster, call_id=7)
    elif operation is RemoveAgent:
        sim.inject("master-1", UnregisterAgent(agent_id=agent_id), sender="agent-1")
    else:
        sim.drop(PongAgent)
    sim.run_until(lambda: applied.count, timeout=100.0)

    with pytest.raises(Refused, match="is just leaving; ask again when that is done"):
        cluster.operator.mark_gone("agent-1")
    applied.release()
    sim.settle()

    assert answers.first.code == 503
    assert operations(written) == [operation.__name__]
