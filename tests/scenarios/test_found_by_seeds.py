"""What the seed runs have found (tests/seeds/), each reduced to the smallest story that shows it."""

from __future__ import annotations

import attrs
import pytest

from mesolite import Cause, DrainState, KillPolicy, Reason, Simulation, TaskInfo, TaskState, TaskStatus
from mesolite.actors.decisions.contract import PeerExited
from mesolite.messages import (
    ApplyOperation,
    CallAnswered,
    DeclineOffers,
    DrainAgent,
    EndDrain,
    KillTask,
    MarkAgentGone,
    ReactivateAgentCall,
    ReclaimState,
    StatusUpdate,
)
from mesolite.messages.ids import AgentId
from tests.scenarios.schedulers import (
    AWARE,
    EXECUTORS,
    PLAIN,
    STUBBORN,
    Launcher,
    about,
    command_task,
    executor_task,
    fail_over,
    leader_of,
    only,
)


@pytest.mark.parametrize("end", ["crash", "power_off", "restart"])
def test_an_actor_that_has_ended_handles_nothing_more(sim: Simulation, end: str) -> None:
    """What was put before a master that ends before it gets to it is lost: the dead do not answer (core.md LP-14)."""
    cluster = sim.cluster(agents=1)
    answers = sim.expect(CallAnswered)

    sim.inject("master-1", ReactivateAgentCall(call_id=1, agent_id=AgentId("nobody")), sender="operator")
    getattr(cluster.masters["master-1"], end)()
    sim.settle()

    assert answers.count == 0


@pytest.mark.parametrize("mark_gone", [False, True])
def test_a_drain_waits_for_what_an_earlier_life_of_the_agent_left_behind(sim: Simulation, mark_gone: bool) -> None:
    """An agent that crashes does not know its executors again, if they were not checkpointed; they live on, in their
    grace, and while they do its drain has not ended (ours: the end of a drain is never announced early).
    """
    cluster = sim.cluster(agents=1)
    task = command_task("t1", STUBBORN, kill_policy=KillPolicy(grace_period_s=20.0))
    framework = Launcher(task)
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    agent = cluster.agents["agent-1"]
    agent.crash()
    sim.settle()
    agent.restart()
    sim.advance(2.0)
    assert (agent.registered, framework.states("t1")[-1]) == (True, "LOST")
    ended = sim.expect(ApplyOperation, where=lambda message: isinstance(message.operation, EndDrain | MarkAgentGone))

    cluster.operator.drain(agent, mark_gone=mark_gone)
    sim.advance(15.0)
    assert (len(sim.view.running()), ended.count) == (1, 0)
    sim.advance(10.0)

    assert (len(sim.view.running()), ended.count) == (0, 1)


def test_what_is_announced_of_a_returning_task_says_why_it_was_killed(sim: Simulation) -> None:
    """A killed task, not acknowledged yet, comes back with its agent: its state is announced with its cause (1.3.8)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=AWARE, implicit_acknowledgements=False)
    sim.advance(1.0)
    driver.kill_task("t1")
    sim.settle()
    sim.partition("agent-1", "master-1")
    sim.advance(100.0)
    assert framework.states("t1")[-1] == "UNREACHABLE"

    sim.heal()
    back = sim.expect(StatusUpdate, receiver="aware", where=lambda message: message.status.uuid is None)
    sim.advance(100.0)

    assert [(update.status.state, update.status.cause) for update in back.all] == [
        (TaskState.TASK_KILLED, Cause.KILLED)
    ]


def test_a_framework_that_is_just_ending_leaves_nothing_behind_at_a_new_leader(sim: Simulation) -> None:
    """Its agent reports none of its tasks: of how they end no master would hear, and a drain would wait for ever."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1", STUBBORN, kill_policy=KillPolicy(grace_period_s=30.0)))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    driver.stop()
    sim.settle()

    fail_over(sim, cluster)
    sim.run_until(lambda: cluster.agents["agent-1"].registered, timeout=10.0)
    assert len(sim.view.running()) == 1
    drain = cluster.operator.drain("agent-1")
    sim.advance(60.0)

    assert only(cluster.operator.state()["agents"])["tasks"] == []
    assert drain.state is DrainState.DRAINED


def test_shares_that_are_made_anew_after_the_deadline_bite_at_once(sim: Simulation) -> None:
    """A task that was given up when the link broke is unknown to the master that reclaims; the next leader learns of it
    when the deadline has long passed, asks its framework, and revokes it (docs/reclaim.md RV-13, RV-50).
    """
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    sim.inject(leader_of(cluster).name, PeerExited("agent-1", 1, -1), sender="agent-1")
    sim.advance(20.0)
    assert (framework.states("t1")[-1], len(sim.view.running())) == ("LOST", 1)
    reclaim = cluster.operator.reclaim("agent-1", within=5.0)
    sim.advance(10.0)
    assert reclaim.state is ReclaimState.DONE

    fail_over(sim, cluster)
    sim.advance(20.0)

    assert (reclaim.state, len(sim.view.running())) == (ReclaimState.DONE, 0)
    assert framework.updates("t1")[-1].cause is Cause.REVOKED


def test_an_order_to_drain_that_is_lost_several_times_does_not_hang_a_drain(sim: Simulation) -> None:
    """The agent is told with every ping until it confirms; what it is killing already it does not kill once more."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    sim.drop(DrainAgent, times=4)
    kills = sim.expect(KillTask)
    held_back = sim.hold(StatusUpdate, receiver="agent-1")

    drain = cluster.operator.drain("agent-1")
    sim.advance(200.0)
    assert (drain.state, kills.count) == (DrainState.DRAINING, 1)
    held_back.release()

    assert drain.wait(60.0) is DrainState.DRAINED


@pytest.mark.parametrize("task", [command_task("t2"), executor_task("t2")], ids=["command", "executor"])
def test_a_launch_for_a_framework_that_is_being_ended_is_answered(sim: Simulation, task: TaskInfo) -> None:
    """A new leader does not know that the framework was torn down and lets it launch; the agent is still ending it."""
    cluster = sim.cluster(agents=1, masters=2)
    first = cluster.run(Launcher(command_task("t1", STUBBORN, kill_policy=KillPolicy(grace_period_s=60.0))), AWARE)
    sim.advance(1.0)
    info = attrs.evolve(AWARE, id=first.framework_id)
    first.stop()
    sim.settle()
    fail_over(sim, cluster)
    sim.advance(2.0)
    successor = Launcher(task)

    cluster.run(successor, info, executors=EXECUTORS)
    sim.advance(5.0)
    early = successor.states("t2")
    sim.advance(90.0)

    assert early == []
    (told,) = successor.updates("t2")
    assert (about(told), told.cause) == (("DROPPED", "AGENT", "FRAMEWORK_REMOVED"), Cause.NEVER_STARTED)
    assert only(cluster.operator.state()["agents"])["tasks"] == []


def test_a_launch_that_was_late_can_be_ended_though_its_agent_was_given_up_meanwhile(sim: Simulation) -> None:
    """Its task is lost for its framework, turns up (TK-24), and is killed where it turned up; Mesos lets it run."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    held = sim.hold(sender="master-1", receiver="agent-1")
    driver = cluster.run(framework, framework=PLAIN)
    sim.run_until(lambda: framework.states("t1") == ["LOST"], timeout=200.0)
    sim.run_until(lambda: sim.view.agents, timeout=200.0)  # back again: only one direction is slow
    held.release()
    sim.advance(1.0)
    assert (framework.states("t1")[-1], len(sim.view.running())) == ("RUNNING", 1)

    driver.kill_task("t1")
    sim.advance(10.0)

    assert (framework.states("t1")[-1], len(sim.view.running())) == ("KILLED", 0)


def test_a_launch_that_was_late_is_known_to_who_asks_though_its_agent_was_given_up_meanwhile(sim: Simulation) -> None:
    """What its agent says of it is answered, and no more once that has died; to Mesos it is TASK_GONE all the while."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    held = sim.hold(sender="master-1", receiver="agent-1")
    driver = cluster.run(framework, framework=AWARE)
    sim.run_until(lambda: framework.states("t1") == ["UNREACHABLE"], timeout=200.0)
    sim.run_until(lambda: sim.view.agents, timeout=200.0)
    held.release()
    sim.advance(1.0)
    agent_id = sim.view.agents[0].id

    driver.reconcile_tasks([TaskStatus(task_id="t1", agent_id=agent_id, state=TaskState.TASK_STAGING)])
    sim.settle()
    assert (framework.states("t1")[-1], framework.updates("t1")[-1].reason) == ("RUNNING", Reason.REASON_RECONCILIATION)

    cluster.agents["agent-1"].crash()
    cluster.agents["agent-1"].restart()
    sim.run_until(lambda: sim.view.agents[0].connected, timeout=60.0)
    sim.advance(10.0)
    driver.reconcile_tasks([TaskStatus(task_id="t1", agent_id=agent_id, state=TaskState.TASK_STAGING)])
    sim.settle()
    assert framework.states("t1")[-1] == "GONE"


def test_offers_that_were_not_heard_are_taken_back_when_a_scheduler_repeats_itself(sim: Simulation) -> None:
    """Its registration was lost in a partition. The link works again, and it is offered what it does not know to be
    offers, as it does not know that it is registered: nobody else could have them (FW-2, FW-19).
    """
    cluster = sim.cluster(agents=1)
    framework = Launcher()
    driver = cluster.run(framework, framework=PLAIN)
    sim.partition("master-1", driver.name, both_ways=False)
    sim.advance(3.0)
    sim.heal()
    sim.run_until(lambda: driver.framework_id is not None, timeout=100.0)
    sim.advance(2.0)

    assert [offer.id for offer in framework.offers] == [offer.id for offer in sim.view.offers]
    assert framework.offers


def test_offers_whose_answers_were_lost_are_taken_back_though_only_the_master_noticed(sim: Simulation) -> None:
    """The declines were in flight when the link broke, and the driver, which has not noticed, does not subscribe again:
    nobody else could have the offers (OF-40, LP-28).
    """
    cluster = sim.cluster(agents=2)
    driver = cluster.run(Launcher(), framework=PLAIN)
    sim.advance(2.0)
    offered = {offer.id for offer in sim.view.offers}
    answers = sim.hold(DeclineOffers, sender=driver.name)
    for offer_id in offered:
        driver.decline_offer(offer_id)
    sim.settle()
    assert answers.count == len(offered) == 2

    answers.drop()
    sim.break_link("master-1", driver.name, both_ways=False)
    sim.advance(2.0)

    assert offered.isdisjoint(offer.id for offer in sim.view.offers)
