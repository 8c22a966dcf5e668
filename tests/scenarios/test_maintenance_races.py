"""What races with a change of the maintenance schedule, in both orders (drain.md 0.2.4, 2.3.2, 5.5.2 to 5.5.4).

Between an operator's call and its effect lies a write to the registry; holding the registrar's answer opens that gap.
"""

from __future__ import annotations

import signal
from typing import Any

import pytest

from mesolite import MachineId, OutcomeUnknown, Simulation, Unavailability, Window
from mesolite.messages import (
    AgentReregistered,
    ApplyOperation,
    CallAnswered,
    OperationApplied,
    PongAgent,
    RegisterAgent,
    ReregisterAgent,
    ShutdownAgent,
)
from mesolite.messages.ids import AgentId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.operator import (
    MarkAgentGoneCall,
    StartMaintenanceCall,
    StopMaintenanceCall,
    UpdateMaintenanceScheduleCall,
)
from mesolite.messages.registrar import MarkAgentGone, MarkAgentUnreachable, RemoveAgent, UpdateMaintenance
from mesolite.simulation.network import Rule
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    Launcher,
    Recorder,
    about,
    check_books,
    command_task,
    fail_over,
    leader_of,
    writes,
)

SOON = Unavailability(start=60.0)
AGENT_1 = MachineId(hostname="agent-1")


def scheduled(*machines: Any) -> tuple[Window, ...]:
    return (Window(machines=machines, unavailability=SOON),)


def ask(sim: Simulation, call: Any) -> None:
    """Place an operator's call without waiting for its answer."""
    sim.inject("master-1", call, sender="operator")
    sim.settle()


def down(call_id: int = 1) -> StartMaintenanceCall:
    return StartMaintenanceCall(call_id=call_id, machines=(AGENT_1,))


def busy(sim: Simulation) -> tuple[SimulatedCluster, Launcher]:
    """A cluster whose one agent runs a task and is scheduled."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    cluster.operator.update_maintenance_schedule(scheduled(AGENT_1))
    sim.settle()
    return cluster, framework


def about_agents(message: OperationApplied) -> bool:
    """For `where=`: whether a write is about an agent, not the schedule."""
    return not isinstance(message.operation, UpdateMaintenance)


def kinds_of(written: Rule) -> list[type]:
    """What was written about agents."""
    kinds = [type(message.operation) for message in written.all]
    return [kind for kind in kinds if kind is not UpdateMaintenance]


# --- one after the other --------------------------------------------------------------------------------------------


def test_calls_are_carried_out_one_after_the_other(sim: Simulation) -> None:
    """Each is held against the schedule as it is when its turn comes; there is one write at a time."""
    cluster = sim.cluster(agents=0)
    cluster.operator.update_maintenance_schedule(scheduled(AGENT_1))
    answers, written = sim.expect(CallAnswered), sim.expect(ApplyOperation)
    applied = sim.hold(OperationApplied)

    ask(sim, down(1))
    ask(sim, down(2))
    ask(sim, UpdateMaintenanceScheduleCall(call_id=3))
    ask(sim, StopMaintenanceCall(call_id=4, machines=(AGENT_1,)))
    ask(sim, UpdateMaintenanceScheduleCall(call_id=5, windows=scheduled("other")))
    ask(sim, UpdateMaintenanceScheduleCall(call_id=6, windows=scheduled("other")))
    assert (answers.count, written.count) == (0, 1)
    applied.release()
    sim.settle()

    by_id = {answer.call_id: (answer.code, answer.refusal) for answer in answers.all}
    assert {number: code for number, (code, _) in by_id.items()} == {1: 200, 2: 400, 3: 400, 4: 200, 5: 200, 6: 200}
    assert "it is down already" in by_id[2][1]
    assert "machine agent-1 is DOWN" in by_id[3][1]
    assert [len(message.operation.maintenance.down) for message in written.all] == [1, 0, 0, 0]
    assert [window["machines"][0]["hostname"] for window in cluster.operator.maintenance_schedule()] == ["other"]


def test_a_write_that_is_confirmed_twice_is_carried_out_once(sim: Simulation) -> None:
    """The second confirmation is of nothing, even while the next change is being written."""
    cluster = sim.cluster(agents=0)
    answers = sim.expect(CallAnswered)
    sim.duplicate(OperationApplied)

    ask(sim, UpdateMaintenanceScheduleCall(call_id=1, windows=scheduled("one")))
    ask(sim, UpdateMaintenanceScheduleCall(call_id=2, windows=scheduled("two")))

    assert [(answer.call_id, answer.code) for answer in answers.all] == [(1, 200), (2, 200)]
    assert [window["machines"][0]["hostname"] for window in cluster.operator.maintenance_schedule()] == ["two"]


# --- an agent comes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["schedule", "agent"])
def test_an_agent_registers_while_its_machine_is_being_scheduled(sim: Simulation, first: str) -> None:
    """Whichever is durable first: in the end it is offered with its times, and asked for."""
    cluster = sim.cluster(agents=0)
    framework = Recorder()
    cluster.run(framework, framework=AWARE)
    sim.settle()
    applied = sim.hold(OperationApplied)
    call = UpdateMaintenanceScheduleCall(call_id=1, windows=scheduled(AGENT_1))

    if first == "schedule":
        ask(sim, call)
    cluster.add_agent("agent-1")
    sim.advance(2.0)
    if first == "agent":
        ask(sim, call)
    applied.release()
    sim.advance(5.0)

    assert cluster.agents["agent-1"].registered
    standing = [offer for offer in framework.offers if offer.id not in framework.rescinded]
    assert [offer.unavailability for offer in standing] == [SOON]
    assert (len(framework.asked), framework.asked_no_more) == (1, [])
    check_books(sim)


@pytest.mark.parametrize("first", ["machine down", "agent"])
def test_an_agent_registers_while_its_machine_goes_down(sim: Simulation, first: str) -> None:
    """Whichever is durable first: it is not allowed to stay. Ours: Mesos looks at the mode before the write only."""
    cluster = sim.cluster(agents=0)
    framework = Recorder()
    cluster.run(framework, framework=AWARE)
    cluster.operator.update_maintenance_schedule(scheduled(AGENT_1))
    told, written = sim.expect(ShutdownAgent), sim.expect(ApplyOperation)
    applied = sim.hold(OperationApplied)

    if first == "machine down":
        ask(sim, down())
    cluster.add_agent("agent-1")
    sim.advance(2.0)
    if first == "agent":
        ask(sim, down())
    applied.release()
    sim.advance(5.0)

    assert not cluster.agents["agent-1"].alive
    assert cluster.operator.state()["agents"] == []
    assert told.count == 1
    assert isinstance(written.all[-1].operation, RemoveAgent)
    assert [offer.id for offer in framework.offers] == framework.rescinded
    check_books(sim)


@pytest.mark.parametrize("first", ["machine down", "agent"])
def test_an_unreachable_agent_comes_back_while_its_machine_goes_down(sim: Simulation, first: str) -> None:
    """Its task is restored and lost, or was lost and stays so; the agent is not allowed to stay."""
    cluster, framework = busy(sim)
    agent = cluster.agents["agent-1"]
    pongs = sim.drop(PongAgent)
    back = sim.drop(ReregisterAgent)
    sim.advance(100.0)
    assert framework.states("t1")[-1] == "UNREACHABLE"
    sim.forget(pongs)
    applied = sim.hold(OperationApplied)

    if first == "machine down":
        ask(sim, down())
    sim.forget(back)
    asked = sim.expect(ReregisterAgent)
    sim.run_until(lambda: asked.count, timeout=300.0)
    sim.settle()
    if first == "agent":
        ask(sim, down())
    applied.release()
    sim.advance(20.0)

    assert not agent.alive
    assert cluster.operator.state()["agents"] == []
    assert framework.states("t1")[-2:] == ["RUNNING", "LOST"]
    assert str(framework.updates("t1")[-1].cause) == "MACHINE_DOWN"
    check_books(sim)


def test_an_agent_that_reregisters_while_it_is_removed_with_its_machine_is_told_again(sim: Simulation) -> None:
    """While DOWN every attempt is answered with ShutdownAgent, also before its removal is written (5.3.3)."""
    cluster, _ = busy(sim)
    agent = cluster.agents["agent-1"]
    lost = sim.drop(ShutdownAgent)
    applied = sim.hold(OperationApplied, where=writes(RemoveAgent))
    ask(sim, down())
    answers = sim.expect(AgentReregistered)
    agent.restart()
    sim.advance(5.0)
    assert lost.count >= 2
    sim.forget(lost)
    applied.release()
    sim.advance(200.0)

    assert answers.count == 0
    assert not agent.alive


# --- an agent goes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["machine down", "unregister"])
def test_an_agent_unregisters_while_its_machine_goes_down(sim: Simulation, first: str) -> None:
    """One removal, for the reason that came first (2.3.2)."""
    cluster, framework = busy(sim)
    written = sim.expect(ApplyOperation)
    applied = sim.hold(OperationApplied, where=writes(RemoveAgent))

    if first == "machine down":
        ask(sim, down())
    cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.settle()
    if first == "unregister":
        ask(sim, down())
    applied.release()
    sim.advance(10.0)

    removals = [message for message in written.all if isinstance(message.operation, RemoveAgent)]
    assert len(removals) == 1
    assert about(framework.updates("t1")[-1]) == ("LOST", "MASTER", "AGENT_REMOVED")
    assert str(framework.updates("t1")[-1].cause) == ("MACHINE_DOWN" if first == "machine down" else "UNREGISTERED")
    assert framework.count("agent_lost") == 1
    assert not cluster.agents["agent-1"].alive
    check_books(sim)


@pytest.mark.parametrize("first", ["machine down", "health check"])
def test_an_agent_is_marked_unreachable_while_its_machine_goes_down(sim: Simulation, first: str) -> None:
    """Marking that has begun is finished, and the agent is not removed (5.5.4); a removal is not overtaken (2.3.3)."""
    cluster, framework = busy(sim)
    agent = cluster.agents["agent-1"]
    sim.drop(PongAgent)
    written = sim.expect(ApplyOperation)
    applied = sim.hold(OperationApplied, where=about_agents)

    if first == "machine down":
        sim.drop(ShutdownAgent, times=1)
        ask(sim, down())
        sim.advance(100.0)
    else:
        sim.run_until(lambda: applied.count, timeout=100.0)
        ask(sim, down())
    applied.release()
    sim.advance(200.0)

    kinds = kinds_of(written)
    if first == "machine down":
        assert kinds == [RemoveAgent]
        assert framework.states("t1")[-1] == "LOST"
        assert cluster.operator.state()["unreachable_agents"] == {}
    else:
        assert kinds == [MarkAgentUnreachable]
        assert framework.states("t1")[-1] == "UNREACHABLE"
        assert list(cluster.operator.state()["unreachable_agents"]) == [agent.id]
    assert framework.count("agent_lost") == 1
    assert not agent.alive  # told, or turned away when it came back
    check_books(sim)


@pytest.mark.parametrize("first", ["machine down", "mark gone"])
def test_an_agent_is_marked_gone_while_its_machine_goes_down(sim: Simulation, first: str) -> None:
    """What has begun is finished: gone by operator, or removed with its machine (5.5.4, 2.3.2)."""
    cluster, framework = busy(sim)
    agent = cluster.agents["agent-1"]
    answers, written = sim.expect(CallAnswered), sim.expect(ApplyOperation)
    applied = sim.hold(OperationApplied, where=about_agents)
    gone = MarkAgentGoneCall(call_id=2, agent_id=AgentId(str(agent.id)))

    for call in (down(), gone) if first == "machine down" else (gone, down()):
        ask(sim, call)
    applied.release()
    sim.advance(10.0)

    kinds = kinds_of(written)
    codes = {answer.call_id: answer.code for answer in answers.all}
    if first == "machine down":
        assert (kinds, codes[1]) == ([RemoveAgent], 200)
        assert codes[2] != 200
        assert framework.states("t1")[-1] == "LOST"
    else:
        assert (kinds, codes) == ([MarkAgentGone], {1: 200, 2: 200})
        assert framework.states("t1")[-1] == "GONE_BY_OPERATOR"
    assert framework.count("agent_lost") == 1
    assert not agent.alive
    check_books(sim)


def test_a_newcomer_at_the_address_of_an_agent_that_goes_with_its_machine(sim: Simulation) -> None:
    """The old one is removed, the new one turned away; nobody stays, and nobody is removed twice."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    cluster.operator.update_maintenance_schedule(scheduled(AGENT_1))
    old = cluster.agents["agent-1"].id
    cluster.agents["agent-1"].crash()
    sim.settle()
    applied = sim.hold(OperationApplied)
    newcomer = AgentInfo(hostname="agent-1", resources="cpus:4;mem:4096")

    ask(sim, down())
    sim.inject("master-1", RegisterAgent(agent=newcomer), sender="agent-1")
    sim.settle()
    applied.release()
    sim.advance(5.0)

    assert cluster.operator.state()["agents"] == []
    assert framework.lost_agents[0] == old
    assert len(framework.lost_agents) == len(set(framework.lost_agents)) == 2
    check_books(sim)


# --- the master goes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [True, False], ids=["written", "not written"])
def test_the_master_dies_while_the_schedule_is_being_written(sim: Simulation, kept: bool) -> None:
    """The operator cannot know what became of it; the next leader does, and repeating the call is safe either way."""
    cluster = sim.cluster(agents=1, masters=2)
    if kept:
        sim.hold(OperationApplied)
    else:
        sim.drop(ApplyOperation, where=writes(UpdateMaintenance), times=1)
    with pytest.raises(OutcomeUnknown):
        cluster.operator.update_maintenance_schedule(scheduled(AGENT_1))
    fail_over(sim, cluster)
    sim.settle()

    assert len(cluster.operator.maintenance_schedule()) == (1 if kept else 0)


def test_a_machine_that_was_being_taken_down_is_down_for_the_next_master(sim: Simulation) -> None:
    """Its agent, which nobody had told, is turned away when it wants to re-register (5.10.1, 1.3.3)."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    cluster.operator.update_maintenance_schedule(scheduled(AGENT_1))
    sim.hold(OperationApplied, receiver=leader_of(cluster).name)
    sim.inject(leader_of(cluster), down(), sender="operator")
    sim.settle()
    assert cluster.agents["agent-1"].registered

    fail_over(sim, cluster)
    sim.advance(30.0)

    assert not cluster.agents["agent-1"].alive
    assert [machine["hostname"] for machine in cluster.operator.maintenance_status()["down_machines"]] == ["agent-1"]
    sim.advance(700.0)
    assert cluster.operator.state()["agents"] == []
    assert framework.count("agent_lost") == 1
    check_books(sim)
