"""What races with an agent's return, or its first coming, while the registry writes it (drain.md 1.2, 1.3, 2.3).

Holding the registrar's answer opens that window. Whatever happens in it, the newest thing heard counts.
"""

from __future__ import annotations

import signal

import attrs
import pytest

from mesolite import Cause, Simulation
from mesolite.actors.decisions.master.membership.table import Change
from mesolite.messages import (
    AgentRegistered,
    AgentReregistered,
    OperationApplied,
    PongAgent,
    RegisterAgent,
    ReregisterAgent,
    TaskStatus,
)
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import AgentId, TaskId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.tasks import TaskState
from mesolite.simulation.hold import Hold
from mesolite.simulation.simulation import SimulatedCluster
from tests.inside import store_of
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    PLAIN,
    Launcher,
    Recorder,
    books_of,
    check_books,
    command_task,
    counters,
    fail_over,
    framework_of,
    id_of,
    leader_of,
    lose_session,
    only,
    shown,
)

KINDS = pytest.mark.parametrize("info", [PLAIN, AWARE, CHECKPOINTED], ids=["plain", "aware", "checkpointed"])


def coming_back(sim: Simulation, cluster: SimulatedCluster) -> Hold:
    """Make agent-1 unreachable and let it come back; returns what holds the answer to its MarkAgentReachable."""
    pongs = sim.drop(PongAgent)
    sim.run_until(lambda: cluster.operator.state()["unreachable_agents"], timeout=100.0)
    sim.forget(pongs)
    applied = sim.hold(OperationApplied)
    sim.run_until(lambda: applied.count, timeout=200.0)
    return applied


def with_new_facts(sim: Simulation, cluster: SimulatedCluster) -> Hold:
    """Let the registered agent-1 come back with other attributes; returns what holds the answer to its AdmitAgent."""
    lost = sim.drop(ReregisterAgent, sender="agent-1")
    lose_session(sim, "agent-1")
    sim.run_until(lambda: lost.count, timeout=20.0)
    sim.forget(lost)
    genuine = lost.first
    applied = sim.hold(OperationApplied)
    other = attrs.evolve(genuine, agent=attrs.evolve(genuine.agent, attributes=(("rack", "2"),)))
    sim.inject(leader_of(cluster).name, other, sender="agent-1")
    sim.settle()
    assert applied.count == 1
    return applied


# ------------------------------------------------------------------------------------------------- it has restarted


@KINDS
@pytest.mark.parametrize("reported", [False, True], ids=["before it reports", "after it reported"])
def test_an_agent_that_restarts_while_its_return_is_written_is_taken_back_as_it_is_now(
    sim: Simulation, info: FrameworkInfo, reported: bool
) -> None:
    """What the new life reports counts, not what the old one did: no dead task is RUNNING for ever (1.3.1, RC-18)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"), refuse_s=0)
    driver = cluster.run(framework, framework=info)
    sim.advance(1.0)
    applied = coming_back(sim, cluster)

    cluster.agents["agent-1"].restart()
    sim.advance(30.0 if reported else 0.0)
    applied.release()
    sim.advance(30.0)

    assert shown(cluster)["connected"]
    alive = len(sim.view.running())
    assert [task["state"] for task in framework_of(cluster)["tasks"]] == ["TASK_RUNNING"] * alive
    driver.reconcile_tasks([TaskStatus(task_id=TaskId("t1"), state=TaskState.TASK_STAGING, agent_id=id_of(cluster))])
    sim.settle()
    # Before it reported, the task was lost with its link.
    ended = "GONE" if info is AWARE and reported else "LOST"
    assert framework.states("t1")[-1] == ("RUNNING" if info is CHECKPOINTED else ended)
    driver.kill_task(TaskId("t1"))
    sim.advance(30.0)
    assert framework.updates("t1")[-1].state is not TaskState.TASK_RUNNING
    assert (len(sim.view.running()), framework_of(cluster)["tasks"]) == (0, [])
    check_books(sim)


@KINDS
def test_an_agent_that_dies_while_its_return_is_written_is_no_ghost(sim: Simulation, info: FrameworkInfo) -> None:
    """It is in the books, disconnected, with ten minutes to come back; nobody is told that it is there (1.5.3)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"), refuse_s=0)
    cluster.run(framework, framework=info)
    sim.advance(1.0)
    applied = coming_back(sim, cluster)
    offered, answers = len(framework.offers), sim.expect(AgentReregistered)

    cluster.agents["agent-1"].crash()
    sim.settle()
    applied.release()
    sim.settle()
    assert (shown(cluster)["connected"], shown(cluster)["active"]) == (False, False)
    sim.advance(120.0)

    assert cluster.operator.state()["agents"] == []
    assert (answers.count, len(framework.offers)) == (0, offered)
    # It was announced when it came back; not checkpointed, it was lost with the link, once more (1.3.8, 1.5.2).
    back_and_forth = ["RUNNING", "UNREACHABLE" if info is AWARE else "LOST", "RUNNING", "LOST"]
    assert framework.states("t1")[-4:] == back_and_forth
    assert framework_of(cluster)["tasks"] == []
    check_books(sim)


def test_a_link_that_breaks_while_new_facts_are_written_stays_broken(sim: Simulation) -> None:
    """The registered agent is disconnected, whatever it had said before (1.3.5, 1.5.1)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    sim.settle()
    applied = with_new_facts(sim, cluster)

    cluster.agents["agent-1"].crash()
    sim.settle()
    applied.release()
    sim.advance(5.0)

    assert (shown(cluster)["connected"], shown(cluster)["active"]) == (False, False)
    assert framework.names[-1] == "offer_rescinded"


def test_facts_that_change_again_while_the_return_is_written_are_written_too(sim: Simulation) -> None:
    """Registry and books agree about the newest, and a new leader takes the agent back without a write (1.3.5)."""
    cluster = sim.cluster(agents=1, masters=2)
    applied = with_new_facts(sim, cluster)

    sim.advance(70.0)  # the agent goes on asking, with the facts it has
    applied.release()
    sim.settle()

    assert shown(cluster)["attributes"] == {}
    written = sim.expect(OperationApplied)
    fail_over(sim, cluster)
    sim.run_until(lambda: cluster.agents["agent-1"].registered, timeout=20.0)
    assert written.count == 0


# ----------------------------------------------------------------------------------------------- it leaves, or another


def test_an_agent_that_unregisters_while_its_return_is_written_is_removed(sim: Simulation) -> None:
    """It is not waited for; what it had reported is lost with it, at once (2.3.1, 2.3.5)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"), refuse_s=0)
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    applied = coming_back(sim, cluster)

    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.settle()
    applied.release()
    sim.settle()

    state = cluster.operator.state()
    assert (state["agents"], list(state["unreachable_agents"])) == ([], [])
    last = framework.updates("t1")[-1]
    assert (last.state.name, last.cause) == ("TASK_LOST", Cause.UNREGISTERED)
    assert counters(cluster)["slave_removals_reason_unregistered"] == 1


def test_an_agent_that_unregisters_while_new_facts_are_written_is_not_taken_back(sim: Simulation) -> None:
    """Its removal is written next: until then nothing of it is offered anew, and nothing is left after (2.3.2)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    sim.settle()
    applied, answers = with_new_facts(sim, cluster), sim.expect(AgentReregistered)

    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.settle()
    offered = len(framework.offers)
    applied.release()
    sim.settle()

    assert (answers.count, len(framework.offers), cluster.operator.state()["agents"]) == (0, offered, [])
    assert books_of(cluster).membership.all_pending(Change.READMIT) == []


def test_of_an_agent_that_comes_back_and_a_new_one_at_its_address_one_stays(sim: Simulation) -> None:
    """Whoever joins last is at that address; the other has gone without a word, and is removed (1.2.4)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    sim.settle()
    applied = coming_back(sim, cluster)
    old_id = id_of(cluster)

    newcomer = AgentInfo(hostname="agent-1", resources="cpus:2;mem:1024")
    sim.inject("master-1", RegisterAgent(agent=newcomer), sender="agent-1")
    sim.settle()
    applied.release()
    sim.settle()

    assert shown(cluster)["id"] != old_id
    assert framework.lost_agents == [old_id, old_id]
    check_books(sim)


@pytest.mark.parametrize("first_is_there", [True, False], ids=["the first is there", "the first has gone"])
def test_of_two_that_claim_an_id_the_first_is_heard_while_it_is_there(sim: Simulation, first_is_there: bool) -> None:
    """The other's time comes when the first has gone (1.3.1, 1.3.4)."""
    cluster = sim.cluster(agents=1)
    asked = sim.expect(ReregisterAgent, sender="agent-1")
    applied = coming_back(sim, cluster)
    claim = attrs.evolve(asked.first, agent=attrs.evolve(asked.first.agent, hostname="elsewhere"))
    if not first_is_there:
        cluster.agents["agent-1"].crash()
        sim.settle()

    sim.inject("master-1", claim, sender="outside")
    sim.settle()
    applied.release()
    sim.settle()

    assert shown(cluster)["hostname"] == ("agent-1" if first_is_there else "elsewhere")


# ------------------------------------------------------------------------------------------------- first registrations


def test_a_new_agent_that_restarts_while_it_is_admitted_is_admitted_as_it_is_now(sim: Simulation) -> None:
    """One id, the facts of the life that is there, in the books and in the registry (1.2.5, RC-13)."""
    cluster = sim.cluster(agents=0, masters=2)
    applied = sim.hold(OperationApplied)
    agent = cluster.add_agent(resources="cpus:4;mem:4096")
    sim.run_until(lambda: applied.count, timeout=10.0)

    other = AgentInfo(hostname="agent-1", resources="cpus:2;mem:1024")
    leader = leader_of(cluster).name
    sim.inject(leader, RegisterAgent(agent=other), sender="agent-1")
    sim.settle()
    applied.release()
    sim.settle()

    assert (shown(cluster)["id"], shown(cluster)["resources"]) == (agent.id, "cpus:2;mem:1024")
    registry = store_of(sim, "registry")
    assert [record.agent.resources for record in registry.values()] == [other.resources]


def test_a_new_agent_that_dies_while_it_is_admitted_is_not_answered(sim: Simulation) -> None:
    """It is in the books, disconnected, and the next one at its address replaces it (1.2.4)."""
    cluster = sim.cluster(agents=0)
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    sim.settle()
    applied, answers = sim.hold(OperationApplied), sim.expect(AgentRegistered)
    agent = cluster.add_agent()
    sim.run_until(lambda: applied.count, timeout=10.0)

    agent.crash()
    sim.settle()
    applied.release()
    sim.settle()
    assert (shown(cluster)["connected"], answers.count, framework.offers) == (False, 0, [])
    first_id = AgentId(shown(cluster)["id"])
    agent.restart()
    sim.advance(10.0)

    assert (answers.count, only(framework.lost_agents)) == (1, first_id)
    assert shown(cluster)["connected"]


def test_the_answer_to_an_earlier_life_is_none_to_the_next(sim: Simulation) -> None:
    """What an agent said before it crashed arrives late; its next life must not take itself for registered.

    It has not said yet that it has lost the task, so nobody would ever hear of that.
    """
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.run_until(sim.view.running, timeout=30.0)
    late = sim.hold(ReregisterAgent)
    leader_of(cluster).crash()
    sim.run_until(lambda: late.count, timeout=60.0)
    agent = cluster.agents["agent-1"]
    agent.crash()
    sim.advance(2.0)  # its executor goes with it
    agent.restart()
    sim.settle()  # it knows who leads, and waits a moment before it registers
    late.release()
    sim.advance(120.0)

    assert agent.registered
    assert sim.view.tasks() == ()
    assert framework.states("t1")[-1] == "LOST"
