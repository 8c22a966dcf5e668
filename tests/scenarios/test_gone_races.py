"""What comes in between while an agent is marked gone, and the drain that it was in (drain.md 4.7, 4.6.8)."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Simulation
from mesolite.messages import (
    AgentDrained,
    ApplyOperation,
    MarkAgentGoneCall,
    OperationApplied,
    PongAgent,
    ReregisterAgent,
    ShutdownAgent,
    UnregisterAgent,
)
from mesolite.messages.registrar import MarkAgentGone, MarkAgentReachable
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import (
    AWARE,
    STUBBORN,
    Launcher,
    Recorder,
    command_task,
    fail_over,
    id_of,
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


# ------------------------------------------------------------------------------------------------------------ races


def test_unregistering_while_being_marked_gone_is_ignored(sim: Simulation) -> None:
    """The marking completes instead (2.3.2): GONE_BY_OPERATOR, and refused afterwards."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    applied, written = sim.hold(OperationApplied), sim.expect(ApplyOperation)
    call(sim, cluster)

    sim.inject("master-1", UnregisterAgent(agent_id=id_of(cluster)), sender="agent-1")
    sim.settle()
    applied.release()
    sim.settle()

    assert operations(written) == ["MarkAgentGone"]
    assert framework.states("t1")[-1] == "GONE_BY_OPERATOR"
    assert list(cluster.operator.state()["gone_agents"]) == [id_of(cluster)]


def test_a_failed_health_check_while_being_marked_gone_is_ignored(sim: Simulation) -> None:
    """One write, one notice (1.6.1)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=AWARE)
    sim.settle()
    sim.drop(PongAgent)
    # The registry answers within its own patience here: what it said is held, it is not late.
    sim.run_until(lambda: sim.now > 70.0, timeout=100.0)
    applied, written = sim.hold(OperationApplied), sim.expect(ApplyOperation)
    call(sim, cluster)
    sim.advance(25.0)

    applied.release()
    sim.settle()

    assert operations(written) == ["MarkAgentGone"]
    assert framework.count("agent_lost") == 1
    assert cluster.operator.state()["unreachable_agents"] == {}


def test_coming_back_while_being_marked_gone_gets_no_answer_and_then_a_refusal(sim: Simulation) -> None:
    """Ignored while it is written (1.3.1), told to shut down afterwards (1.3.2)."""
    cluster = sim.cluster(agents=1)
    agent, former = cluster.agents["agent-1"], id_of(cluster)
    agent.crash()
    sim.settle()
    applied = sim.hold(OperationApplied)
    call(sim, cluster)
    asked, orders, written = sim.expect(ReregisterAgent), sim.expect(ShutdownAgent), sim.expect(ApplyOperation)
    agent.restart()
    sim.run_until(lambda: asked.count, timeout=10.0)
    sim.settle()
    assert (orders.count, written.count, agent.registered) == (0, 0, False)

    applied.release()
    sim.advance(10.0)

    assert (orders.count >= 1, list(cluster.operator.state()["gone_agents"])) == (True, [former])
    assert [each["id"] for each in cluster.operator.state()["agents"]] == [agent.id]


def test_marked_gone_while_it_is_coming_back_it_is_shut_down_when_it_is_there(sim: Simulation) -> None:
    """The other order: its return is being written when the operator asks; both happen, in that order."""
    cluster = sim.cluster(agents=1)
    pongs = become_unreachable(sim, cluster)
    sim.forget(pongs)
    applied = sim.hold(OperationApplied)
    sim.run_until(lambda: applied.count, timeout=100.0)
    assert isinstance(applied.all[0].operation, MarkAgentReachable)
    call(sim, cluster)

    applied.release()
    sim.settle()

    assert (cluster.operator.state()["agents"], cluster.agents["agent-1"].alive) == ([], False)
    assert list(cluster.operator.state()["gone_agents"]) == [id_of(cluster)]


def test_what_became_of_an_agent_is_looked_at_again_after_its_return_was_written(sim: Simulation) -> None:
    """If it is gone by then it is refused (1.3.2)."""
    cluster = sim.cluster(agents=1)
    pongs = become_unreachable(sim, cluster)
    sim.forget(pongs)
    late = sim.hold(OperationApplied, where=writes(MarkAgentReachable))
    sim.run_until(lambda: late.count, timeout=100.0)
    call(sim, cluster)
    assert list(cluster.operator.state()["gone_agents"]) == [id_of(cluster)]

    late.release()
    sim.settle()

    assert (cluster.operator.state()["agents"], cluster.agents["agent-1"].alive) == ([], False)


def test_a_mark_that_was_written_when_the_master_died_holds(sim: Simulation) -> None:
    """The caller does not know; the new leader does (4.7.2)."""
    cluster = sim.cluster(agents=1, masters=2)
    applied = sim.hold(OperationApplied, where=writes(MarkAgentGone))
    call(sim, cluster)
    assert applied.count == 1

    fail_over(sim, cluster)
    sim.advance(100.0)

    assert list(cluster.operator.state()["gone_agents"]) == [id_of(cluster)]
    assert not cluster.agents["agent-1"].alive


def test_a_mark_that_was_not_written_when_the_master_died_never_was(sim: Simulation) -> None:
    """The other order: the agent is back with the new leader."""
    cluster = sim.cluster(agents=1, masters=2)
    sim.drop(ApplyOperation, where=writes(MarkAgentGone))
    call(sim, cluster)

    fail_over(sim, cluster)
    sim.advance(100.0)

    assert cluster.agents["agent-1"].registered


# ------------------------------------------------------------------------------------------------ drains and causes


@pytest.mark.parametrize("to_be_gone", [True, False])
def test_marking_a_draining_agent_gone_ends_its_drain(sim: Simulation, to_be_gone: bool) -> None:
    """LEFT, whatever it was drained for: it was not drained when it went (4.7.2, 10.12)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 600.0, mark_gone=to_be_gone)
    sim.settle()

    cluster.operator.mark_gone("agent-1")

    assert str(drain.wait(1.0)) == "LEFT"
    assert cluster.operator.state()["deactivated_agents"] == []


def test_marking_a_drained_agent_gone_leaves_its_drain_as_it_ended(sim: Simulation) -> None:
    """The mark of the agent goes, the history stays (4.7.2)."""
    cluster = sim.cluster(agents=1)
    drain = cluster.operator.drain("agent-1")
    drain.wait(5.0)

    cluster.operator.mark_gone("agent-1")

    assert str(drain.state) == "DRAINED"
    assert [str(known.state) for known in cluster.operator.drains()] == ["DRAINED"]
    assert cluster.operator.state()["deactivated_agents"] == []


def test_an_agent_that_confirms_while_it_is_marked_gone_is_not_drained_any_more(sim: Simulation) -> None:
    """The mark is being written with the end LEFT in it, and nothing is written after it."""
    cluster = sim.cluster(agents=1)
    confirmations = sim.hold(AgentDrained)
    drain = cluster.operator.drain("agent-1")
    sim.settle()
    written, marking = sim.expect(ApplyOperation), sim.hold(OperationApplied, where=writes(MarkAgentGone))
    call(sim, cluster, call_id=7)

    confirmations.release()
    sim.settle()
    marking.release()

    assert str(drain.wait(1.0)) == "LEFT"
    assert operations(written) == ["MarkAgentGone"]
