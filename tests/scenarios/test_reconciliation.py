"""What became of my tasks? Explicit and implicit reconciliation, and that between master and agent.

core.md section 6; drain.md 1.10.
"""

from __future__ import annotations

import attrs
import pytest

from mesolite import FrameworkInfo, SimulatedWork, Simulation
from mesolite.messages import (
    AgentReregistered,
    ApplyOperation,
    OperationApplied,
    PingAgent,
    RegisterExecutor,
    ReregisterAgent,
    RunTask,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.ids import AgentId, TaskId
from mesolite.messages.registrar import RemoveAgent
from mesolite.messages.tasks import TaskState, TaskStatus
from tests.scenarios.schedulers import (
    AWARE,
    EXECUTORS,
    PLAIN,
    Launcher,
    Recorder,
    about,
    command_task,
    executor_task,
    fail_over,
    framework_of,
    lose_session,
    only,
    writes,
)


def ask(task_id: str, agent_id: str | None = None) -> TaskStatus:
    """What a scheduler reconciles with; the state in it is not looked at (RC-7)."""
    found = None if agent_id is None else AgentId(agent_id)
    return TaskStatus(task_id=TaskId(task_id), state=TaskState.TASK_FINISHED, agent_id=found)


@pytest.mark.scenario("SchedulerTest.ReconcileTask")
@pytest.mark.scenario("ReconciliationTest.ImplicitNonTerminalTask")
@pytest.mark.parametrize("asked", [(ask("t1"),), ()], ids=["explicit", "implicit"])
def test_a_running_task_is_reported_as_running(sim: Simulation, asked: tuple[TaskStatus, ...]) -> None:
    """By the master, without uuid, whether asked for by name or not (RC-1, RC-2)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)

    driver.reconcile_tasks(asked)
    sim.settle()

    assert framework.states("t1") == ["STARTING", "RUNNING", "RUNNING"]
    answer = framework.updates("t1")[-1]
    assert (about(answer), answer.uuid) == (("RUNNING", "MASTER", "RECONCILIATION"), None)


@pytest.mark.scenario("ReconciliationTest.UnacknowledgedTerminalTask")
def test_a_task_whose_end_is_not_acknowledged_is_still_reported(sim: Simulation) -> None:
    """It stays in the live list until then, so implicit reconciliation names it, with its agent (RC-2)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", SimulatedWork(duration=1.0)))
    driver = cluster.run(framework, framework=PLAIN)
    sim.drop(StatusUpdateAcknowledgement, receiver="master-1", where=lambda message: message.uuid.endswith(":3"))
    sim.advance(2.0)
    assert framework.states("t1") == ["STARTING", "RUNNING", "FINISHED"]

    driver.reconcile_tasks()
    sim.settle()

    answer = framework.updates("t1")[-1]
    assert (about(answer), answer.agent_id) == (
        ("FINISHED", "MASTER", "RECONCILIATION"),
        cluster.agents["agent-1"].id,
    )


@pytest.mark.scenario("ReconciliationTest.UnknownSlave")
@pytest.mark.scenario("ReconciliationTest.UnknownTask")
@pytest.mark.parametrize(
    ("info", "agent_known", "state"),
    [
        (AWARE, False, "UNKNOWN"),
        (PLAIN, False, "LOST"),
        (AWARE, True, "GONE"),
        (PLAIN, True, "LOST"),
    ],
)
def test_a_task_nobody_knows_is_answered_by_its_agent(
    sim: Simulation, info: FrameworkInfo, agent_known: bool, state: str
) -> None:
    """Registered agent: GONE; unknown agent: UNKNOWN; LOST for who knows neither word; never a time (RC-4)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=info)
    sim.settle()

    driver.reconcile_tasks([ask("random", cluster.agents["agent-1"].id if agent_known else "nobody")])
    sim.settle()

    answer = only(framework.updates("random"))
    assert (about(answer), answer.unreachable_time) == ((state, "MASTER", "RECONCILIATION"), None)


@pytest.mark.parametrize(("info", "state"), [(AWARE, "UNKNOWN"), (PLAIN, "LOST")])
def test_tasks_of_an_unregistered_agent_are_unknown(sim: Simulation, info: FrameworkInfo, state: str) -> None:
    """It is in no list any more; until its removal is written it still counts as registered (1.10.2)."""
    cluster = sim.cluster(agents=1)
    agent_id = cluster.agents["agent-1"].id
    framework = Recorder()
    driver = cluster.run(framework, framework=info)
    sim.settle()
    applied = sim.hold(OperationApplied, where=writes(RemoveAgent))
    cluster.agents["agent-1"].signal(10)
    sim.settle()
    driver.reconcile_tasks([ask("random", agent_id)])
    sim.settle()
    applied.release()
    sim.settle()

    driver.reconcile_tasks([ask("random", agent_id)])
    sim.settle()

    assert framework.states("random") == ["GONE" if info is AWARE else "LOST", state]


@pytest.mark.scenario("ReconciliationTest.PartitionedAgentThenMasterFailover")
def test_when_an_agent_became_unreachable_is_known_to_the_next_leader(sim: Simulation) -> None:
    """The registry keeps the time, so both leaders give the same answer (1.6.2, EL-36)."""
    cluster = sim.cluster(agents=1, masters=2)
    agent_id = cluster.agents["agent-1"].id
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    cluster.agents["agent-1"].power_off()
    sim.run_until(lambda: framework.lost_agents, timeout=100.0)
    driver.reconcile_tasks([ask("t1", agent_id)])
    sim.settle()

    fail_over(sim, cluster)
    sim.advance(5.0)
    driver.reconcile_tasks([ask("t1", agent_id)])
    sim.settle()

    lost, before, after = framework.updates("t1")[-3:]
    assert [about(answer) for answer in (before, after)] == [("LOST", "MASTER", "RECONCILIATION")] * 2
    assert lost.unreachable_time == before.unreachable_time == after.unreachable_time


@pytest.mark.scenario("ReconciliationTest.RecoveredAgent")
def test_about_an_agent_that_may_yet_come_back_nothing_is_said(sim: Simulation) -> None:
    """After a failover, until the agent is back or its time is over (1.7.4, RC-4 row 2)."""
    cluster = sim.cluster(agents=1, masters=2)
    agent_id = cluster.agents["agent-1"].id
    framework = Recorder()
    driver = cluster.run(framework, framework=AWARE)
    sim.settle()
    cluster.agents["agent-1"].power_off()
    fail_over(sim, cluster)
    sim.advance(5.0)

    driver.reconcile_tasks([ask("random", agent_id), ask("random")])
    sim.settle()

    assert framework.updates("random") == []


@pytest.mark.scenario("ReconciliationTest.RecoveredAgentReregistrationInProgress")
def test_about_an_agent_that_is_coming_back_nothing_is_said_yet(sim: Simulation) -> None:
    """Its re-registration waits for the registry, as it brings new facts; until that is done it is no answer."""
    cluster = sim.cluster(agents=1, masters=2)
    agent_id = cluster.agents["agent-1"].id
    framework = Recorder()
    driver = cluster.run(framework, framework=AWARE)
    sim.settle()
    coming = sim.hold(ReregisterAgent)
    leader = fail_over(sim, cluster)
    sim.advance(5.0)
    writes_held = sim.hold(ApplyOperation)
    returning = coming.all[0]
    changed = attrs.evolve(returning, agent=attrs.evolve(returning.agent, attributes=(("rack", "r1"),)))
    sim.inject(leader, changed, sender="agent-1")
    sim.settle()
    assert writes_held.count == 1

    driver.reconcile_tasks([ask("random", agent_id)])
    sim.settle()

    assert framework.updates("random") == []


@pytest.mark.scenario("MasterSlaveReconciliationTest.ReconcileLostTask")
@pytest.mark.parametrize(("info", "state"), [(PLAIN, "LOST"), (AWARE, "DROPPED")])
def test_a_launch_that_got_lost_is_reported_by_the_agent_when_it_reregisters(
    sim: Simulation, info: FrameworkInfo, state: str
) -> None:
    """The master lists what it misses; the agent, which never heard even of the framework, says LOST (1.3.5, 1.3.9)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    sim.drop(RunTask, receiver="agent-1", times=1)
    cluster.run(framework, framework=info)
    sim.advance(1.0)
    assert framework.updates("t1") == []

    lose_session(sim, "agent-1")
    sim.advance(15.0)

    reported = only(framework.updates("t1"))
    assert about(reported) == (state, "AGENT", "RECONCILIATION")
    assert reported.uuid is not None
    assert [task["state"] for task in framework_of(cluster)["completed_tasks"]] == [f"TASK_{state}"]
    assert str(framework.offers[-1].resources) == "cpus:1;mem:128"


def test_a_launch_that_overtakes_a_reregistration_is_not_taken_for_lost(sim: Simulation) -> None:
    """The agent is asked before anything is decided, and has the task by then (RC-23, RC-25)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=PLAIN)
    sim.settle()
    asked = sim.hold(ReregisterAgent)
    lose_session(sim, "agent-1")
    sim.run_until(lambda: asked.count, timeout=20.0)
    driver.launch_tasks(framework.offers, command_task("t1"))
    sim.settle()
    answered = sim.expect(AgentReregistered)

    asked.release()
    sim.advance(20.0)

    assert [listed.task_ids for listed in answered.first.reconciliations] == [("t1",)]
    assert framework.states("t1") == ["STARTING", "RUNNING"]


@pytest.mark.scenario("MasterSlaveReconciliationTest.SlaveReregisterFrameworks")
def test_a_reregistering_agent_names_its_frameworks(sim: Simulation) -> None:
    """One framework with a task there: one entry, and the task (1.1.5)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    cluster.run(Recorder(), framework="without tasks")
    sim.settle()
    asked = sim.expect(ReregisterAgent)

    lose_session(sim, "agent-1")
    sim.advance(15.0)

    assert [info.id for info in asked.first.frameworks] == [driver.framework_id]
    assert [(task.task_id, task.state.name) for task in asked.first.tasks] == [("t1", "TASK_RUNNING")]


@pytest.mark.scenario("MasterSlaveReconciliationTest.SlaveReregisterPendingTask")
def test_a_task_that_waits_for_its_executor_is_reported_and_stays(sim: Simulation) -> None:
    """It is reported as STAGING; the scheduler hears nothing of it (1.1.5)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    registrations = sim.hold(RegisterExecutor)
    cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.settle()
    asked = sim.expect(ReregisterAgent)

    lose_session(sim, "agent-1")
    sim.advance(15.0)
    assert [(task.task_id, task.state.name) for task in asked.first.tasks] == [("t1", "TASK_STAGING")]
    assert framework.updates("t1") == []
    registrations.release()
    sim.settle()

    assert framework.states("t1") == ["RUNNING"]


@pytest.mark.scenario("MasterSlaveReconciliationTest.SlaveReregisterTerminalTask")
def test_a_task_that_ended_unheard_is_not_taken_for_lost(sim: Simulation) -> None:
    """It is still reported, and its FINISHED is sent again at once; no LOST in between (RC-24, TK-12)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", SimulatedWork(duration=1.0)))
    sim.drop(
        StatusUpdate,
        receiver="master-1",
        where=lambda message: message.status.state is TaskState.TASK_FINISHED,
        times=1,
    )
    cluster.run(framework, framework=PLAIN)
    sim.advance(2.0)
    assert framework.states("t1") == ["STARTING", "RUNNING"]

    sim.inject("agent-1", PingAgent(connected=False), sender="master-1")
    sim.advance(1.1)

    # Perhaps twice: on re-registration, and on being told where the scheduler is.
    assert list(dict.fromkeys(framework.states("t1"))) == ["STARTING", "RUNNING", "FINISHED"]
