"""Operators ask for drains, and look at them, as the master has it (drain.md 4.3, 4.5). Kills at the agent: 4.4."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import DrainState, InvalidValue, NothingToWaitFor, Refused, Simulation, Unavailability, Window
from mesolite.messages import (
    AgentDrained,
    ApplyOperation,
    CallAnswered,
    DrainAgent,
    KillTask,
    OperationApplied,
    ShutdownAgent,
    UnregisterAgent,
)
from mesolite.messages.drains import Party
from mesolite.messages.registrar import EndDrain, MarkAgentGone, StartDrain
from tests.logs import logged
from tests.scenarios.drains import call, unreachable
from tests.scenarios.schedulers import (
    AWARE,
    EXECUTORS,
    STUBBORN,
    Launcher,
    about,
    check_books,
    command_task,
    executor_task,
    fail_over,
    id_of,
    only,
    operations,
    shown,
    tell_executor,
    writes,
)

# ------------------------------------------------------------------------------------------------------- idle agents


@pytest.mark.scenario("MasterAlreadyDrainedTest.DrainAgent")
def test_an_idle_agent_is_drained_at_once(sim: Simulation) -> None:
    """Two writes, no time passes, and the books show it all (4.3.4, 4.5.5, 4.5.7)."""
    cluster = sim.cluster(agents=1)
    written, began = sim.expect(ApplyOperation), sim.now

    drain = cluster.operator.drain("agent-1", 10.0, message="new disks", initiator="ada")
    sim.settle()

    assert (sim.now, operations(written)) == (began, ["StartDrain", "EndDrain"])
    agent = shown(cluster)
    assert (agent["deactivated"], agent["active"], agent["connected"]) == (True, False, True)
    assert agent["drain"]["config"] == {"max_grace_period_s": 10.0, "mark_gone": False}
    assert agent["drain"]["started_at"] == began > 0
    assert (agent["drain"]["state"], drain.state, drain.wait()) == ("DRAINED", DrainState.DRAINED, DrainState.DRAINED)
    assert (drain.message, drain.initiator, drain.ended_at) == ("new disks", "ada", began)
    assert [past["id"] for past in cluster.operator.state()["past_drains"]] == [drain.id]
    assert cluster.operator.state()["drains"] == []


@pytest.mark.scenario("MasterAlreadyDrainedTest.DrainAgentMarkGone")
def test_an_idle_agent_to_be_marked_gone_is_told_to_shut_down_at_once(sim: Simulation) -> None:
    """DRAINED is never recorded: it goes straight to gone (4.5.6)."""
    cluster = sim.cluster(agents=1)
    written, orders = sim.expect(ApplyOperation), sim.expect(ShutdownAgent)

    drain = cluster.operator.drain("agent-1", mark_gone=True)
    sim.settle()

    assert operations(written) == ["StartDrain", "MarkAgentGone"]
    assert (orders.count, cluster.agents["agent-1"].alive) == (1, False)
    assert (drain.state, list(cluster.operator.state()["gone_agents"])) == (DrainState.GONE, [drain.agent_id])
    assert cluster.operator.state()["deactivated_agents"] == []


@pytest.mark.scenario("MasterAlreadyDrainedTest.ReactivateDisconnectedAgent")
def test_a_drained_agent_reactivated_while_away_is_offered_when_it_is_back(sim: Simulation) -> None:
    """No offer while it is away; what is launched on it then runs (4.2.3)."""
    cluster = sim.cluster(agents=1)
    cluster.operator.drain("agent-1")
    sim.settle()
    agent_id = id_of(cluster)
    cluster.agents["agent-1"].crash()
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.settle()

    cluster.operator.reactivate("agent-1")
    sim.advance(1.0)
    assert framework.offers == []
    cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    assert framework.offers[0].agent_id == agent_id
    assert framework.states("t1") == ["STARTING", "RUNNING"]


# ----------------------------------------------------------------------------------------------- with running tasks


@pytest.mark.scenario("MasterDrainingTest.DrainAgent")
def test_a_drain_ends_with_the_last_acknowledgement(sim: Simulation) -> None:
    """Killed, told, acknowledged, only then recorded as drained; reactivated, it is offered again (4.5.1, 4.5.2)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    driver = cluster.run(framework, framework=AWARE, implicit_acknowledgements=False)
    for _ in range(2):
        sim.advance(1.0)
        driver.acknowledge(framework.updates("t1")[-1])
    assert framework.states("t1") == ["STARTING", "RUNNING"]
    written, kills = sim.expect(ApplyOperation), sim.expect(KillTask, sender="master-1")

    drain = cluster.operator.drain("agent-1", 0.0)
    sim.advance(5.0)
    killed = framework.updates("t1")[-1]
    assert about(killed) == ("KILLED", "EXECUTOR", "AGENT_DRAINING")
    assert (str(killed.cause), kills.count) == ("DRAINED", 0), "the kill is the agent's business (4.3.6)"
    assert (operations(written), drain.state) == (["StartDrain"], DrainState.DRAINING)
    assert [(left.task_id, left.party, left.name) for left in drain.remaining_tasks] == [
        ("t1", Party.FRAMEWORK, "aware")
    ]
    driver.acknowledge(killed)
    assert drain.wait(60.0) is DrainState.DRAINED

    assert operations(written) == ["StartDrain", "EndDrain"]
    assert shown(cluster)["drain"]["config"] == {"max_grace_period_s": 0.0, "mark_gone": False}
    offers = len(framework.offers)
    cluster.operator.reactivate("agent-1")
    sim.advance(1.0)
    assert len(framework.offers) == offers + 1
    assert shown(cluster)["drain"] is None
    check_books(sim)


@pytest.mark.scenario("MasterDrainingTest.DrainAgentMarkGone")
def test_an_agent_to_be_marked_gone_is_shut_down_after_the_last_acknowledgement(sim: Simulation) -> None:
    """Its task ends as GONE_BY_OPERATOR; the shutdown waits for the acknowledgement (4.4.6, 4.5.6)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=AWARE, implicit_acknowledgements=False)
    for _ in range(2):
        sim.advance(1.0)
        driver.acknowledge(framework.updates("t1")[-1])
    orders = sim.expect(ShutdownAgent)

    drain = cluster.operator.drain("agent-1", mark_gone=True)
    sim.advance(5.0)
    gone = framework.updates("t1")[-1]
    assert (about(gone)[0], str(gone.cause), orders.count) == ("GONE_BY_OPERATOR", "DRAINED", 0)
    driver.acknowledge(gone)
    assert drain.wait(60.0) is DrainState.GONE
    sim.settle()

    assert orders.count == 1
    assert framework.lost_agents == [drain.agent_id]
    assert framework.states("t1").count("GONE_BY_OPERATOR") == 1


def test_a_finished_task_does_not_change_its_state_because_of_a_drain(sim: Simulation) -> None:
    """A drain waits for what ends by itself just the same (4.4.6)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"), executor_task("t2"))
    driver = cluster.run(framework, framework=AWARE, executors=EXECUTORS)
    sim.advance(1.0)
    held = sim.hold(DrainAgent)
    drain = cluster.operator.drain("agent-1")
    tell_executor(sim, cluster, driver, "TASK_FINISHED t1")
    sim.settle()
    held.release()

    assert drain.wait(60.0) is DrainState.DRAINED
    assert framework.states("t1") == ["RUNNING", "FINISHED"]
    assert framework.states("t2") == ["RUNNING", "KILLED"]


# --------------------------------------------------------------------------------------------- what is refused, 4.3


@pytest.mark.parametrize("period", [-1.0, -0.001, float("nan"), float("inf"), "10"])
def test_a_grace_period_that_cannot_be_is_refused(sim: Simulation, period: Any) -> None:
    """Ours: Mesos does not check (4.3.1). Nothing is said, nor by somebody who does not ask here."""
    cluster = sim.cluster(agents=1)
    answers, written = sim.expect(CallAnswered), sim.expect(ApplyOperation)

    with pytest.raises(InvalidValue, match=r"max_grace_period cannot be .*: it must be a finite duration in seconds"):
        cluster.operator.drain("agent-1", period)

    assert (answers.count, written.count) == (0, 0)


def test_an_agent_in_the_maintenance_schedule_cannot_be_drained(sim: Simulation) -> None:
    """400 while its exact machine is listed (4.3.2)."""
    cluster = sim.cluster(agents=2)
    machine = cluster.agents["agent-1"].machine_id
    cluster.operator.update_maintenance_schedule([Window(machines=[machine], unavailability=Unavailability(start=1e6))])
    answers = sim.expect(CallAnswered)

    with pytest.raises(Refused, match="its machine agent-1 is in the maintenance schedule"):
        cluster.operator.drain("agent-1")
    assert answers.first.code == 400
    cluster.operator.drain("agent-2")
    cluster.operator.update_maintenance_schedule([])

    assert cluster.operator.drain("agent-1").wait(5.0) is DrainState.DRAINED


def test_the_machine_of_an_agent_that_is_away_is_not_looked_at(sim: Simulation) -> None:
    """Neither can be checked for unreachable agents: only registered ones are looked at (4.3.2)."""
    cluster = sim.cluster(agents=1)
    machine = cluster.agents["agent-1"].machine_id
    cluster.operator.update_maintenance_schedule([Window(machines=[machine], unavailability=Unavailability(start=1e6))])
    unreachable(sim, cluster)

    assert cluster.operator.drain("agent-1").state is DrainState.DRAINING


def test_an_agent_that_is_being_marked_gone_cannot_be_drained(sim: Simulation) -> None:
    """409: it is on its way out (4.3.3); once it is gone, 400."""
    cluster = sim.cluster(agents=1)
    applied = sim.hold(OperationApplied)
    call(sim, cluster, mark_gone=True)
    applied.release()
    marking = sim.hold(OperationApplied, where=writes(MarkAgentGone))
    sim.settle()
    assert marking.count == 1
    answers = sim.expect(CallAnswered)

    with pytest.raises(Refused, match="is just being removed"):
        cluster.operator.drain("agent-1")
    marking.release()
    sim.settle()
    with pytest.raises(Refused, match="was marked gone and will never be back"):
        cluster.operator.drain("agent-1")

    assert [answer.code for answer in answers.all] == [409, 400]


# ---------------------------------------------------------------------------------------------- asked again (4.3.7)


def test_a_drain_that_is_asked_for_again_goes_on_with_the_new_wish(sim: Simulation) -> None:
    """The same drain with another grace: the agent is told again, and the shorter grace counts (4.3.7)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    first = cluster.operator.drain("agent-1", 600.0, message="slowly", initiator="ada")
    sim.advance(5.0)
    told = sim.expect(DrainAgent)

    second = cluster.operator.drain("agent-1", 300.0, message="hurry")
    assert (first.config.max_grace_period_s, first.message, first.initiator) == (300.0, "hurry", "ada")
    third = cluster.operator.drain("agent-1", 10.0, initiator="bob")
    assert (first.config.max_grace_period_s, first.message, first.initiator) == (10.0, "hurry", "bob")
    assert first.id == second.id == third.id
    assert first.wait(5.0) is DrainState.DRAINED

    assert [message.config.max_grace_period_s for message in told.all] == [300.0, 10.0]


def test_an_agent_drained_again_is_drained_anew(sim: Simulation) -> None:
    """After DRAINED it is another drain, and the agent says again that nothing is left (4.3.7)."""
    cluster = sim.cluster(agents=1)
    first = cluster.operator.drain("agent-1")
    first.wait(5.0)

    second = cluster.operator.drain("agent-1")

    assert second.id != first.id
    assert second.wait(5.0) is DrainState.DRAINED
    assert [drain.id for drain in cluster.operator.drains()] == [first.id, second.id]


def test_what_an_agent_confirmed_of_one_drain_does_not_count_for_the_next(sim: Simulation) -> None:
    """It was told anew, and has to say anew that nothing is left; since when it was to is shown."""
    cluster = sim.cluster(agents=1)
    cluster.operator.drain("agent-1").wait(5.0)
    sim.advance(5.0)
    sim.drop(AgentDrained)

    drain = cluster.operator.drain("agent-1")
    began = sim.now
    sim.advance(100.0)

    assert drain.state is DrainState.DRAINING
    assert [(blocker.party, blocker.since) for blocker in drain.blocked_by] == [(Party.AGENT, began)]


def test_two_drains_at_once_are_one(sim: Simulation) -> None:
    """The second call comes while the first is being written: the same drain, with the wish of the later call."""
    cluster = sim.cluster(agents=1)
    applied, answers, written = sim.hold(OperationApplied), sim.expect(CallAnswered), sim.expect(ApplyOperation)
    call(sim, cluster, 1, max_grace_period_s=600.0)
    call(sim, cluster, 2, max_grace_period_s=5.0, mark_gone=True)

    applied.release()
    sim.settle()

    assert len({answer.made for answer in answers.all}) == 1
    assert operations(written) == ["StartDrain", "StartDrain", "MarkAgentGone"]
    assert [drain.state for drain in cluster.operator.drains()] == [DrainState.GONE]


def test_a_drain_asked_for_while_the_end_of_the_last_is_written_is_another(sim: Simulation) -> None:
    """The end holds, and the new drain follows it, in memory and in the registry."""
    cluster = sim.cluster(agents=1, masters=2)
    applied = sim.hold(OperationApplied, where=writes(EndDrain))
    first = cluster.operator.drain("agent-1")
    sim.run_until(lambda: applied.count, timeout=1.0)
    held = sim.hold(OperationApplied, where=writes(StartDrain))
    call(sim, cluster, 7, mark_gone=True)

    applied.release()
    held.release()
    sim.settle()

    assert [drain.state for drain in cluster.operator.drains()] == [DrainState.DRAINED, DrainState.GONE]
    assert first.state is DrainState.DRAINED
    fail_over(sim, cluster)
    sim.settle()
    assert [drain.state for drain in cluster.operator.drains()] == [DrainState.DRAINED, DrainState.GONE]


def test_an_end_is_not_written_while_the_drain_gets_another_wish(sim: Simulation) -> None:
    """Or the wish that it be marked gone would be overtaken by DRAINED, and lost."""
    cluster = sim.cluster(agents=1)
    confirmations = sim.hold(AgentDrained)
    drain = cluster.operator.drain("agent-1")
    sim.settle()
    applied = sim.hold(OperationApplied, where=writes(StartDrain))
    call(sim, cluster, 7, mark_gone=True)

    confirmations.release()
    sim.settle()
    assert drain.state is DrainState.DRAINING
    applied.release()

    assert drain.wait(5.0) is DrainState.GONE


# -------------------------------------------------------------------------------------------------------- the handle


def test_waiting_for_a_drain_that_nothing_can_end_does_not_hang(sim: Simulation) -> None:
    """With nobody alive and no timer set there is nothing to wait for, and that is raised."""
    cluster = sim.cluster(agents=1)
    sim.drop(AgentDrained)
    drain = cluster.operator.drain("agent-1", 5.0)
    for context in list(sim.runtime.directory):
        sim.runtime.end(context, 0, silent=True)

    with pytest.raises(NothingToWaitFor):
        drain.wait()


def test_who_waits_for_long_is_told_once_what_for(sim: Simulation) -> None:
    """Waiting without a time-out is not silent: after ten minutes the log says what the drain waits for."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 5000.0)

    with logged() as said:
        assert drain.wait() is DrainState.DRAINED

    assert len(said) == 1
    assert "still waits: task t1 of framework aware (TASK_RUNNING) waits for executor t1" in said[0]


def test_a_drain_that_was_forgotten_is_said_to_be(sim: Simulation) -> None:
    """Only so many past drains are kept; its handle does not wait for one that ended long ago."""
    sim.settings = sim.settings.but(past_drains_max=2)
    cluster = sim.cluster(agents=1, masters=2)
    ids, oldest = [], None
    for _ in range(4):
        drain = cluster.operator.drain("agent-1")
        ids.append(drain.id)
        sim.advance(5.0)
        # Another handle of it than the one that looks: its end, once seen, stays known.
        oldest = oldest or only(cluster.operator.drains())
    assert oldest is not None

    assert [known.id for known in cluster.operator.drains()] == ids[2:]
    with pytest.raises(Refused, match="ended so long ago that it was forgotten"):
        oldest.wait()
    fail_over(sim, cluster)
    assert [known.id for known in cluster.operator.drains()] == ids[2:]


def test_past_drains_are_forgotten_however_they_ended(sim: Simulation) -> None:
    """Agents that are marked gone, or leave, do not fill the registry either."""
    sim.settings = sim.settings.but(past_drains_max=2)
    cluster = sim.cluster(agents=6)
    for name in list(cluster.agents)[:3]:
        cluster.operator.drain(name, mark_gone=True).wait(5.0)
    for name in list(cluster.agents)[3:]:
        sim.drop(AgentDrained, sender=name)
        drain = cluster.operator.drain(name)
        sim.inject("master-1", UnregisterAgent(agent_id=drain.agent_id), sender=name)
        drain.wait(5.0)

    assert [known.state for known in cluster.operator.drains()] == [DrainState.LEFT, DrainState.LEFT]
