"""Agents go away while they drain, come back, or leave for good (drain.md 4.6)."""

from __future__ import annotations

from mesolite import DrainState, Simulation, Unavailability, Window
from mesolite.messages import (
    AgentDrained,
    AgentReregistered,
    ApplyOperation,
    CallAnswered,
    DrainAgent,
    OperationApplied,
    PongAgent,
    UnregisterAgent,
)
from mesolite.messages.drains import Party
from mesolite.messages.registrar import EndDrain, MarkAgentUnreachable, RemoveAgent
from tests.scenarios.drains import call, drain_shown, unreachable
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    STUBBORN,
    Launcher,
    Recorder,
    about,
    command_task,
    fail_over,
    id_of,
    leader_of,
    operations,
    shown,
    writes,
)

# ----------------------------------------------------------------------------------------- leaving and coming back


def test_a_draining_agent_that_reconnects_is_told_again_after_the_reply(sim: Simulation) -> None:
    """It is not re-activated (4.6.1, 1.3.5 step 7)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 600.0)
    sim.advance(1.0)
    said = sim.expect((AgentReregistered, DrainAgent))

    cluster.agents["agent-1"].crash()
    sim.settle()
    cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    assert [type(message) for message in said.all] == [AgentReregistered, DrainAgent]
    assert (shown(cluster)["active"], drain.state) == (False, DrainState.DRAINING)
    cluster.operator.drain("agent-1", 10.0)
    assert drain.wait(60.0) is DrainState.DRAINED


def test_a_drained_agent_that_reconnects_is_told_again_and_stays_drained(sim: Simulation) -> None:
    """For DRAINED agents alike (4.6.1): nothing is written for it."""
    cluster = sim.cluster(agents=1)
    drain = cluster.operator.drain("agent-1")
    drain.wait(5.0)
    told, written = sim.expect(DrainAgent), sim.expect(ApplyOperation)

    cluster.agents["agent-1"].crash()
    sim.settle()
    cluster.agents["agent-1"].restart()
    sim.advance(30.0)

    assert (told.count, written.count, drain_shown(cluster)) == (1, 0, "DRAINED")
    assert shown(cluster)["active"] is False


def test_a_draining_agent_that_becomes_unreachable_is_drained_when_it_is_back(sim: Simulation) -> None:
    """Not while it is away; then it is told before the reply, and its tasks end (4.6.3, 4.6.4)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 600.0)
    come_back = unreachable(sim, cluster)
    assert framework.states("t1")[-1] == "UNREACHABLE"
    assert [(left.task_id, left.party) for left in drain.remaining_tasks] == [("t1", Party.AGENT)]
    assert all("unreachable since" in blocker.why for blocker in drain.blocked_by)
    assert cluster.operator.state()["deactivated_agents"] == [drain.agent_id]
    said = sim.expect((AgentReregistered, DrainAgent))

    come_back()
    sim.run_until(lambda: said.count == 2, timeout=200.0)

    assert [type(message) for message in said.all] == [DrainAgent, AgentReregistered]
    assert drain.wait(600.0) is DrainState.DRAINED
    sim.settle()
    assert framework.states("t1")[2:] == ["UNREACHABLE", "RUNNING", "KILLED"]
    assert about(framework.updates("t1")[3])[2] == "AGENT_REREGISTERED"


def test_a_drain_of_an_unreachable_agent_begins_when_it_is_back(sim: Simulation) -> None:
    """Only the marks are set before (4.6.6)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    come_back = unreachable(sim, cluster)
    told = sim.expect(DrainAgent)

    drain = cluster.operator.drain("agent-1")
    sim.advance(20.0)
    assert (told.count, drain.state) == (0, DrainState.DRAINING)
    come_back()

    assert drain.wait(200.0) is DrainState.DRAINED
    assert framework.states("t1")[-1] == "KILLED"


def test_a_drain_of_a_recovered_agent_begins_when_it_is_back(sim: Simulation) -> None:
    """The same for an agent that the new leader knows from the registry only (4.6.6)."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    cluster.agents["agent-1"].crash()
    fail_over(sim, cluster)
    sim.advance(5.0)

    drain = cluster.operator.drain("agent-1")
    sim.advance(5.0)
    assert [blocker.why for blocker in drain.blocked_by] == [
        "it is not back since the last master failed and has to come back"
    ]
    cluster.agents["agent-1"].restart()

    assert drain.wait(60.0) is DrainState.DRAINED
    assert framework.states("t1")[-1] == "KILLED"


def test_a_drained_agent_that_became_unreachable_stays_drained_when_it_is_back(sim: Simulation) -> None:
    """It is told again and nothing else happens; it can be reactivated (4.6.3, 4.6.4)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=AWARE)
    sim.settle()
    cluster.operator.drain("agent-1").wait(5.0)
    come_back = unreachable(sim, cluster)

    come_back()
    sim.run_until(lambda: cluster.operator.state()["agents"], timeout=200.0)
    sim.advance(30.0)
    assert (drain_shown(cluster), len(framework.offers)) == ("DRAINED", 1)
    cluster.operator.reactivate("agent-1")
    sim.advance(1.0)

    assert len(framework.offers) == 2


def test_an_agent_to_be_marked_gone_that_confirms_while_it_becomes_unreachable(sim: Simulation) -> None:
    """Two transitions of one agent do not overlap; it is marked gone when it is back and confirms again."""
    cluster = sim.cluster(agents=1)
    confirmations = sim.hold(AgentDrained)
    drain = cluster.operator.drain("agent-1", mark_gone=True)
    pongs = sim.drop(PongAgent)
    marking = sim.hold(OperationApplied, where=writes(MarkAgentUnreachable))
    sim.run_until(lambda: marking.count, timeout=100.0)
    confirmations.release()
    sim.settle()
    assert drain.state is DrainState.DRAINING

    marking.release()
    sim.forget(pongs)

    assert drain.wait(200.0) is DrainState.GONE
    sim.settle()
    assert not cluster.agents["agent-1"].alive


# --------------------------------------------------------------------------------------------- leaving for good


def test_a_draining_agent_that_unregisters_ends_its_drain(sim: Simulation) -> None:
    """LEFT; should the agent come back it is an ordinary active one (4.6.8)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 600.0)
    sim.inject("master-1", UnregisterAgent(agent_id=drain.agent_id), sender="agent-1")

    assert drain.wait() is DrainState.LEFT
    assert (drain.ended_at, drain.blocked_by) == (sim.now, [])
    assert cluster.operator.state()["deactivated_agents"] == []
    cluster.agents["agent-1"].power_off()
    cluster.agents["agent-1"].restart()
    sim.advance(30.0)
    assert (shown(cluster)["id"], shown(cluster)["active"]) == (drain.agent_id, True)


def test_a_drained_agent_that_unregisters_leaves_no_mark(sim: Simulation) -> None:
    """Its drain has ended before, as DRAINED, and stays so (4.6.8)."""
    cluster = sim.cluster(agents=1)
    drain = cluster.operator.drain("agent-1")
    drain.wait(5.0)

    sim.inject("master-1", UnregisterAgent(agent_id=drain.agent_id), sender="agent-1")
    sim.settle()

    assert drain.state is DrainState.DRAINED
    assert [known.state for known in cluster.operator.drains()] == [DrainState.DRAINED]
    assert cluster.operator.state()["deactivated_agents"] == []


def test_unregistering_while_the_drain_is_written_ends_it(sim: Simulation) -> None:
    """The drain is recorded first, and ends with the removal that follows; the caller hears its name (4.6.8)."""
    cluster = sim.cluster(agents=1, masters=2)
    applied, answers = sim.hold(OperationApplied), sim.expect(CallAnswered)
    agent_id = id_of(cluster)
    call(sim, cluster)
    sim.inject(leader_of(cluster), UnregisterAgent(agent_id=agent_id), sender="agent-1")
    sim.settle()

    applied.release()
    sim.settle()

    assert [(drain.id, drain.state) for drain in cluster.operator.drains()] == [(answers.first.made, DrainState.LEFT)]
    fail_over(sim, cluster)
    sim.settle()
    assert [drain.state for drain in cluster.operator.drains()] == [DrainState.LEFT]
    assert cluster.operator.state()["deactivated_agents"] == []


def test_an_agent_that_unregisters_while_its_end_is_written_was_drained(sim: Simulation) -> None:
    """The end comes first: DRAINED it is, and nothing is left of the agent."""
    cluster = sim.cluster(agents=1)
    applied = sim.hold(OperationApplied)
    call(sim, cluster)
    applied.release()
    ending = sim.hold(OperationApplied)
    sim.settle()
    sim.inject("master-1", UnregisterAgent(agent_id=id_of(cluster)), sender="agent-1")
    sim.settle()
    assert [type(message.operation) for message in ending.all] == [EndDrain, RemoveAgent]

    ending.release()
    sim.settle()

    assert [drain.state for drain in cluster.operator.drains()] == [DrainState.DRAINED]
    assert cluster.operator.state()["deactivated_agents"] == []


def test_an_agent_that_confirms_while_it_is_removed_is_not_drained_any_more(sim: Simulation) -> None:
    """The other order: the removal is being written with the end LEFT in it, and nothing is written after it."""
    cluster = sim.cluster(agents=1)
    confirmations = sim.hold(AgentDrained)
    drain = cluster.operator.drain("agent-1")
    written = sim.expect(ApplyOperation)
    removal = sim.hold(OperationApplied, where=writes(RemoveAgent))
    sim.inject("master-1", UnregisterAgent(agent_id=drain.agent_id), sender="agent-1")
    sim.settle()

    confirmations.release()
    sim.settle()
    removal.release()

    assert drain.wait(1.0) is DrainState.LEFT
    assert operations(written) == ["RemoveAgent"]


def test_a_machine_that_is_taken_down_ends_the_drains_of_its_agents(sim: Simulation) -> None:
    """LEFT, and the cause of its tasks' loss is the machine (4.6.8, 5.5.2)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 600.0)
    machine = cluster.agents["agent-1"].machine_id
    cluster.operator.update_maintenance_schedule([Window(machines=[machine], unavailability=Unavailability(start=0.0))])

    cluster.operator.machine_down([machine])
    sim.settle()

    assert drain.state is DrainState.LEFT
    assert about(framework.updates("t1")[-1]) == ("LOST", "MASTER", "AGENT_REMOVED")
    assert str(framework.updates("t1")[-1].cause) == "MACHINE_DOWN"
