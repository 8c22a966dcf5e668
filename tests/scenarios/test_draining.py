"""Operators drain agents, as the master has it (drain.md 4.3, 4.5, 4.6). Kills and graces at the agent: 4.4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from mesolite import (
    DrainState,
    FrameworkInfo,
    InvalidValue,
    KillPolicy,
    NothingToWaitFor,
    Refused,
    Simulation,
    Unavailability,
    Window,
)
from mesolite.messages import (
    AgentDrained,
    AgentReregistered,
    ApplyOperation,
    CallAnswered,
    DrainAgent,
    DrainAgentCall,
    KillTask,
    OperationApplied,
    PongAgent,
    ReactivateAgentCall,
    RunTask,
    ShutdownAgent,
    StatusUpdate,
    StatusUpdateAcknowledgement,
    UnregisterAgent,
)
from mesolite.messages.drains import Party
from mesolite.messages.registrar import EndDrain, MarkAgentGone, MarkAgentUnreachable, RemoveAgent, StartDrain
from mesolite.simulation.simulation import SimulatedCluster
from tests.logs import logged
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
    id_of,
    leader_of,
    only,
    operations,
    place,
    shown,
    tell_executor,
    writes,
)

LASTING = FrameworkInfo(name="lasting", checkpoint=True, failover_timeout_s=1e6)


def drain_shown(cluster: SimulatedCluster) -> str:
    """The state of the one agent's drain, as the leader shows it."""
    return str(shown(cluster)["drain"]["state"])


def call(sim: Simulation, cluster: SimulatedCluster, call_id: int = 1, **wish: Any) -> None:
    """Ask for a drain of agent-1 without waiting for the answer."""
    message = DrainAgentCall(call_id=call_id, agent_id=id_of(cluster), **wish)
    place(sim, cluster, message)


def unreachable(sim: Simulation, cluster: SimulatedCluster) -> Callable[[], None]:
    """Let the agents become unreachable; returns what lets them come back."""
    pongs = sim.drop(PongAgent)
    sim.run_until(lambda: not cluster.operator.state()["agents"], timeout=100.0)
    sim.settle()
    return lambda: sim.forget(pongs)


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


# ------------------------------------------------------------------------------------- the end, never early (4.5)


def test_the_end_is_written_once(sim: Simulation) -> None:
    """However often the agent confirms while it is being written."""
    cluster = sim.cluster(agents=1)
    applied = sim.hold(OperationApplied, where=writes(EndDrain))
    written = sim.expect(ApplyOperation)
    cluster.operator.drain("agent-1")
    sim.settle()

    for _ in range(3):
        sim.inject("master-1", AgentDrained(agent_id=id_of(cluster)), sender="agent-1")
        sim.settle()
    assert drain_shown(cluster) == "DRAINING"
    applied.release()
    sim.settle()

    assert operations(written) == ["StartDrain", "EndDrain"]
    assert drain_shown(cluster) == "DRAINED"


def test_only_the_agent_itself_confirms(sim: Simulation) -> None:
    """A trust boundary: another agent's word does not end a drain."""
    cluster = sim.cluster(agents=2)
    sim.drop(AgentDrained, sender="agent-1")
    drain = cluster.operator.drain("agent-1")

    sim.inject("master-1", AgentDrained(agent_id=id_of(cluster)), sender="agent-2")
    sim.settle()

    assert drain.state is DrainState.DRAINING


def test_a_lost_order_and_a_lost_confirmation_do_not_hang_a_drain(sim: Simulation) -> None:
    """The agent is told again with the next ping, until it has confirmed."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    orders, confirmations = sim.drop(DrainAgent, times=1), sim.drop(AgentDrained, times=2)

    drain = cluster.operator.drain("agent-1")
    assert drain.wait(100.0) is DrainState.DRAINED

    assert (orders.count, confirmations.count) == (1, 2)
    assert framework.states("t1")[-1] == "KILLED"


def test_an_agent_that_was_just_told_is_not_told_again(sim: Simulation) -> None:
    """It has a ping interval to react: told again, it kills again."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=AWARE)
    sim.advance(10.0)
    told = sim.expect(DrainAgent)
    cluster.operator.drain("agent-1", 600.0)

    sim.advance(14.9)
    assert told.count == 1
    sim.advance(15.1)
    assert told.count == 2


def test_a_task_that_never_reached_the_agent_does_not_hang_a_drain(sim: Simulation) -> None:
    """The books have it, the agent has nothing: it is asked what became of it (1.3.9)."""
    cluster = sim.cluster(agents=1)
    sim.drop(RunTask)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)

    drain = cluster.operator.drain("agent-1")
    assert drain.wait(100.0) is DrainState.DRAINED

    status = only(framework.updates("t1"))
    assert about(status) == ("DROPPED", "AGENT", "RECONCILIATION")


def test_an_agent_that_has_not_confirmed_is_not_drained_though_the_books_are_empty(sim: Simulation) -> None:
    """Ours: a framework that is torn down leaves the books at once, and its executors live on (4.5.3)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    driver = cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 600.0)
    sim.advance(1.0)

    driver.stop()
    sim.settle()
    assert (shown(cluster)["tasks"], drain.state) == ([], DrainState.DRAINING)
    assert [blocker.party for blocker in drain.blocked_by] == [Party.AGENT]
    began = sim.now
    assert drain.wait(60.0) is DrainState.DRAINED

    assert sim.now - began == pytest.approx(3.0), "the executor was shut down within its grace: 3 s to kill the task"


def test_a_drain_of_a_disconnected_agent_waits_until_it_is_back(sim: Simulation) -> None:
    """It is told at once, in vain, and when it is back (4.6.2). Ours: in Mesos it is drained at once (4.5.4)."""
    cluster = sim.cluster(agents=1)
    cluster.agents["agent-1"].crash()
    sim.settle()
    told = sim.expect(DrainAgent)

    drain = cluster.operator.drain("agent-1")
    sim.advance(20.0)
    assert drain.state is DrainState.DRAINING
    assert [(blocker.party, blocker.name) for blocker in drain.blocked_by] == [(Party.AGENT, "agent-1")]
    assert "disconnected" in drain.blocked_by[0].why
    cluster.agents["agent-1"].restart()

    assert drain.wait(20.0) is DrainState.DRAINED
    assert told.count == 2


def test_what_an_agent_said_of_an_earlier_drain_does_not_end_a_later_one(sim: Simulation) -> None:
    """A confirmation that was under way for very long comes before what the agent says of the task launched since."""
    cluster = sim.cluster(agents=1)
    first = cluster.operator.drain("agent-1")
    assert first.wait(5.0) is DrainState.DRAINED
    slow_channel = sim.hold(sender="agent-1", receiver="master-1")
    sim.inject("agent-1", DrainAgent(config=first.config), sender="master-1")
    sim.settle()
    cluster.operator.reactivate("agent-1")
    framework = Launcher(command_task("t1", STUBBORN))
    driver = cluster.run(framework, framework=AWARE)
    sim.advance(2.0)

    second = cluster.operator.drain("agent-1", 600.0)
    slow_channel.release()
    sim.settle()
    assert isinstance(slow_channel.all[0], AgentDrained)
    driver.stop()
    sim.settle()

    assert second.state is DrainState.DRAINING
    assert second.wait(60.0) is DrainState.DRAINED


def test_the_parties_a_drain_waits_for_are_named(sim: Simulation) -> None:
    """Executor, framework, framework that is away, agent: by task, with the grace where it is known."""
    cluster = sim.cluster(agents=1)
    patient = KillPolicy(grace_period_s=30.0)
    slow = Launcher(command_task("slow", STUBBORN, kill_policy=patient), refuse_s=1e6)
    deaf, away = (Launcher(command_task(task_id), refuse_s=1e6) for task_id in ("unheard", "lonely"))
    cluster.run(slow, framework=FrameworkInfo(name="slow"))
    sim.advance(1.0)
    cluster.run(deaf, framework=FrameworkInfo(name="deaf"), implicit_acknowledgements=False)
    sim.advance(6.0)
    leaving = cluster.run(away, framework=attrs.evolve(LASTING, name="away"))
    sim.advance(6.0)
    leaving.stop(failover=True)
    sim.settle()

    drain = cluster.operator.drain("agent-1", 100.0)
    sim.advance(1.0)

    left = {blocker.task_id: (blocker.party, blocker.name, blocker.grace_s) for blocker in drain.remaining_tasks}
    assert left == {
        "slow": (Party.EXECUTOR, "slow", 30.0),
        "unheard": (Party.FRAMEWORK, "deaf", None),
        "lonely": (Party.FRAMEWORK, "away", None),
    }
    with pytest.raises(TimeoutError) as timed_out:
        drain.wait(5.0)
    for words in ("executor slow", "framework deaf", "framework away: it is disconnected", "at most 30 s"):
        assert words in str(timed_out.value)
    plain = only(cluster.operator.state()["drains"])
    assert [task["task_id"] for task in plain["remaining_tasks"]] == ["slow", "unheard", "lonely"]
    assert [blocker["party"] for blocker in plain["blocked_by"]] == ["EXECUTOR", "FRAMEWORK", "FRAMEWORK"]


def test_a_framework_that_is_gone_for_good_holds_up_no_drain(sim: Simulation) -> None:
    """Ours: when its failover timeout removes it the drain is looked at again (4.5.3)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=attrs.evolve(LASTING, failover_timeout_s=120.0))
    sim.advance(1.0)
    driver.stop(failover=True)
    sim.settle()
    drain = cluster.operator.drain("agent-1")
    sim.advance(60.0)
    assert drain.state is DrainState.DRAINING

    assert drain.wait(120.0) is DrainState.DRAINED


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


# --------------------------------------------------------------------------------------------------------- failover


def test_a_drain_goes_on_with_a_new_leader(sim: Simulation) -> None:
    """The agent is told again before the reply, and whoever waits for the drain goes on waiting (4.6.7)."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 60.0)
    sim.advance(1.0)
    said = sim.expect((AgentReregistered, DrainAgent))

    leader_of(cluster).crash()
    assert drain.wait(100.0) is DrainState.DRAINED

    assert [type(message) for message in said.all[:2]] == [DrainAgent, AgentReregistered]
    assert (drain_shown(cluster), shown(cluster)["active"]) == ("DRAINED", False)
    assert framework.states("t1")[-1] == "KILLED"


def test_nobody_leading_is_not_an_end(sim: Simulation) -> None:
    """Where the drain stood when somebody led is still shown; what it waits for nobody can say. A later leader can."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1", STUBBORN))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    drain = cluster.operator.drain("agent-1", 600.0)
    master = leader_of(cluster)
    master.crash()

    with pytest.raises(TimeoutError, match="has not ended within 30 s: nobody leads at the moment"):
        drain.wait(30.0)
    with pytest.raises(Refused, match="nobody leads at the moment"):
        drain.blocked_by  # noqa: B018  # asking is what is refused
    assert drain.state is DrainState.DRAINING
    master.restart()

    assert drain.wait(700.0) is DrainState.DRAINED
    assert repr(drain) == f"<Drain {drain.id} of {drain.agent_id}: DRAINED>"


def test_an_end_that_was_seen_is_known_without_a_leader(sim: Simulation) -> None:
    """The handle of an ended drain asks nobody."""
    cluster = sim.cluster(agents=1)
    drain = cluster.operator.drain("agent-1")
    drain.wait(5.0)

    leader_of(cluster).crash()

    assert (drain.state, drain.wait()) == (DrainState.DRAINED, DrainState.DRAINED)


def test_a_drain_whose_start_was_written_when_the_master_died_goes_on(sim: Simulation) -> None:
    """The caller does not know what became of it; the new leader does (4.6.7)."""
    cluster = sim.cluster(agents=1, masters=2)
    applied = sim.hold(OperationApplied, where=writes(StartDrain))
    call(sim, cluster)
    assert applied.count == 1

    fail_over(sim, cluster)
    (drain,) = cluster.operator.drains()

    assert drain.wait(60.0) is DrainState.DRAINED


def test_a_drain_whose_start_was_not_written_when_the_master_died_never_was(sim: Simulation) -> None:
    """The other order: the write never came to the registrar."""
    cluster = sim.cluster(agents=1, masters=2)
    sim.drop(ApplyOperation, where=writes(StartDrain))
    call(sim, cluster)

    fail_over(sim, cluster)
    sim.advance(60.0)

    assert (cluster.operator.drains(), shown(cluster)["active"]) == ([], True)


def test_a_drain_whose_end_was_written_when_the_master_died_has_ended(sim: Simulation) -> None:
    """Nothing is written again for it; the agent stays drained (4.5.5)."""
    cluster = sim.cluster(agents=1, masters=2)
    applied = sim.hold(OperationApplied, where=writes(EndDrain))
    drain = cluster.operator.drain("agent-1")
    sim.settle()
    assert (applied.count, drain.state) == (1, DrainState.DRAINING)
    written = sim.expect(ApplyOperation)

    fail_over(sim, cluster)
    assert drain.wait(1.0) is DrainState.DRAINED
    sim.advance(30.0)

    assert (operations(written), drain_shown(cluster)) == ([], "DRAINED")


def test_a_drain_whose_end_was_not_written_when_the_master_died_ends_again(sim: Simulation) -> None:
    """The other order: the new leader asks the agent, which confirms again."""
    cluster = sim.cluster(agents=1, masters=2)
    sim.drop(ApplyOperation, where=writes(EndDrain), times=1)
    drain = cluster.operator.drain("agent-1")
    sim.settle()

    fail_over(sim, cluster)

    assert drain.wait(60.0) is DrainState.DRAINED


# ------------------------------------------------------------------------------------------------------------ races


def test_reactivating_while_the_end_is_written_is_refused(sim: Simulation) -> None:
    """Until it is written the agent is DRAINING (4.2.1); the drain ends as it would have."""
    cluster = sim.cluster(agents=1)
    applied, answers = sim.hold(OperationApplied, where=writes(EndDrain)), sim.expect(CallAnswered)
    drain = cluster.operator.drain("agent-1")
    sim.settle()
    sim.inject("master-1", ReactivateAgentCall(call_id=9, agent_id=drain.agent_id), sender="operator")
    sim.settle()

    applied.release()
    sim.settle()

    assert [answer.code for answer in answers.all] == [200, 400]
    assert (drain.state, shown(cluster)["active"]) == (DrainState.DRAINED, False)


def test_reactivating_after_the_end_was_written_is_done(sim: Simulation) -> None:
    """The other order."""
    cluster = sim.cluster(agents=1)
    drain = cluster.operator.drain("agent-1")
    drain.wait(5.0)

    cluster.operator.reactivate("agent-1")

    assert (drain.state, shown(cluster)["active"]) == (DrainState.DRAINED, True)


def test_a_launch_that_was_under_way_is_told_before_the_drain_and_killed(sim: Simulation) -> None:
    """What the master sent before the order comes before it: the task is there and is killed (4.3.8)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    driver = cluster.run(framework, framework=AWARE)
    sim.settle()
    under_way = sim.hold((RunTask, DrainAgent), receiver="agent-1")
    driver.launch_tasks(framework.offers, command_task("t1"))
    sim.settle()
    drain = cluster.operator.drain("agent-1")
    under_way.release()

    assert drain.wait(60.0) is DrainState.DRAINED
    sim.settle()  # a launch that the drain overtook is answered after it has ended
    assert framework.states("t1")[-1] in ("KILLED", "DROPPED")
    check_books(sim)


def test_an_acknowledgement_that_is_lost_holds_the_drain_until_it_is_repeated(sim: Simulation) -> None:
    """The agent's stream repeats the update, the framework acknowledges again (0.2.13)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    lost = sim.drop(StatusUpdateAcknowledgement, receiver="agent-1", times=1)
    updates = sim.expect(StatusUpdate, sender="agent-1", receiver="master-1")

    drain = cluster.operator.drain("agent-1")
    assert drain.wait(60.0) is DrainState.DRAINED

    assert lost.count == 1
    assert [update.status.state.name for update in updates.all] == ["TASK_KILLED", "TASK_KILLED"]


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
