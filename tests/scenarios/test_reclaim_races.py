"""What comes in between: writes, the deadline and other decisions during a reclaim (docs/reclaim.md)."""

from __future__ import annotations

import signal

import pytest

from mesolite import KillPolicy, OutcomeUnknown, Refused, Simulation
from mesolite.actors.decisions.settings import Settings
from mesolite.messages import (
    CallAnswered,
    Cause,
    InverseOffers,
    OperationApplied,
    ReclaimState,
    RevokeExecutor,
    RevokeTask,
    StatusUpdate,
    TaskState,
)
from mesolite.messages.operator import ReleaseReclaimCall
from mesolite.messages.registrar import EndReclaim, MarkAgentGone, RemoveAgent, StartReclaim
from mesolite.reclaim import Reclaim
from tests.scenarios.reclaims import AGENT, Owner, Stage, call, kills, offered, stage
from tests.scenarios.schedulers import (
    EXECUTORS,
    STUBBORN,
    check_books,
    command_task,
    executor_task,
    fail_over,
    leader_of,
    only,
    writes,
)

DONE, ASKED, REVOKING, RELEASED, LEFT = (
    ReclaimState.DONE,
    ReclaimState.ASKED,
    ReclaimState.REVOKING,
    ReclaimState.RELEASED,
    ReclaimState.LEFT,
)
RECONNECTS = {"checkpoint": True, "failover_timeout_s": 10_000.0}


def lose_sight(sim: Simulation, there: Stage) -> None:
    """Let agent-1 become unreachable, which it does not notice."""
    sim.partition("agent-1", leader_of(there.cluster))
    sim.run_until(lambda: not there.cluster.operator.state()["agents"], timeout=100.0)
    sim.settle()


# --------------------------------------------------------------------------------------- while it is being written


def test_what_is_launched_while_the_reclaim_is_written_is_taken_into_account(sim: Simulation) -> None:
    """An offer is used in that window: the shares are worked out anew, and stored, before anybody is asked (RV-13)."""
    there = stage(sim)
    there.etl_driver.revive_offers()
    sim.advance(1.0)
    applied, asked = sim.hold(OperationApplied, where=writes(StartReclaim)), sim.expect(InverseOffers)
    call(sim, there.cluster, "cpus:2")

    there.etl_driver.launch_tasks(there.etl.offers[-1], command_task("t4"))
    sim.settle()
    assert (there.etl.states("t4")[-1], applied.count, asked.count) == ("RUNNING", 1, 0)
    applied.release()
    sim.advance(1.0)
    reclaim = only(there.cluster.operator.reclaims())
    assert {each.framework: str(each.share) for each in reclaim.asked} == {"etl": "cpus:1", "web": "cpus:1"}
    assert (there.etl.amounts_asked, there.web.amounts_asked) == (["cpus:1"], ["cpus:1"])

    sim.advance(60.0)
    assert (reclaim.state, reclaim.revoked_tasks, there.living) == (DONE, ("t4", "t3"), ["t1", "t2"])


def test_a_launch_with_a_rescinded_offer_is_dropped(sim: Simulation) -> None:
    """The accept comes a moment after the reclaim is in force (RV-8)."""
    there = stage(sim)
    there.etl_driver.revive_offers()
    sim.advance(1.0)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:1", within=60.0)

    there.etl_driver.launch_tasks(there.etl.offers[-1], command_task("t4"))
    sim.settle()

    assert there.etl.states("t4") == ["LOST"]
    assert there.etl.updates("t4")[-1].cause is Cause.NEVER_STARTED
    assert (reclaim.state, there.living) == (DONE, ["t1", "t2", "t3"])


def test_what_a_framework_launches_while_its_reclaim_is_written_counts_against_it(sim: Simulation) -> None:
    """It may keep what it held when it was asked for less, no more (RV-2, RV-8)."""
    there = stage(sim)
    there.etl_driver.revive_offers()
    sim.advance(1.0)
    applied = sim.hold(OperationApplied, where=writes(StartReclaim))
    with pytest.raises(OutcomeUnknown):
        there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=60.0)
    there.etl_driver.launch_tasks(there.etl.offers[-1], command_task("t4"))
    sim.settle()

    applied.release()
    sim.settle()
    assert there.etl.amounts_asked == ["cpus:2"]
    sim.advance(60.0)

    assert only(there.cluster.operator.reclaims()).revoked_tasks == ("t4", "t2")


def test_two_calls_for_one_target_while_the_first_is_written(sim: Simulation) -> None:
    """The second is refused (RV-5)."""
    there = stage(sim)
    applied = sim.hold(OperationApplied, where=writes(StartReclaim))
    call(sim, there.cluster, "cpus:1")

    with pytest.raises(Refused, match="is being reclaimed already"):
        there.cluster.operator.reclaim("agent-1", "cpus:2")
    applied.release()
    sim.settle()

    assert len(there.cluster.operator.reclaims()) == 1


@pytest.mark.parametrize("leaves", [RemoveAgent, MarkAgentGone], ids=lambda operation: operation.__name__)
def test_an_agent_that_leaves_while_its_reclaim_is_written(sim: Simulation, leaves: type) -> None:
    """Whatever is recorded first: the reclaim ends as LEFT (RV-44)."""
    there = stage(sim)
    applied = sim.hold(OperationApplied, where=writes(StartReclaim))
    call(sim, there.cluster, "cpus:2")
    if leaves is RemoveAgent:
        there.cluster.agents["agent-1"].signal(signal.SIGUSR1)
    else:
        there.cluster.operator.mark_gone("agent-1")
    sim.settle()

    applied.release()
    sim.settle()

    assert only(there.cluster.operator.reclaims()).state is LEFT


def test_an_agent_that_is_leaving_cannot_be_reclaimed(sim: Simulation) -> None:
    """Its removal is being recorded (RV-70)."""
    there = stage(sim)
    applied = sim.hold(OperationApplied, where=writes(RemoveAgent))
    there.cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.settle()

    with pytest.raises(Refused, match="is just being removed"):
        there.cluster.operator.reclaim("agent-1", "cpus:1")
    applied.release()


def test_an_agent_that_is_unreachable_or_gone_cannot_be_reclaimed(sim: Simulation) -> None:
    """Nobody knows what runs on the one, and nothing ever will on the other (RV-70)."""
    there = stage(sim)
    lose_sight(sim, there)

    with pytest.raises(Refused, match="is unreachable, so nobody knows what runs there"):
        there.cluster.operator.reclaim("agent-1", "cpus:1")
    there.cluster.operator.mark_gone("agent-1")
    with pytest.raises(Refused, match="was marked gone"):
        there.cluster.operator.reclaim("agent-1", "cpus:1")


# --------------------------------------------------------------------------------------------------- the deadline


def test_returned_a_moment_before_the_deadline(sim: Simulation) -> None:
    """The task's end is known in time: nobody is revoked (RV-42)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    ends = sim.hold(StatusUpdate, receiver="master-1")
    there.web_driver.kill_task("t3")
    sim.advance(9.9)
    assert reclaim.state is ASKED

    ends.release()
    sim.advance(60.0)

    assert (reclaim.state, reclaim.revoked_tasks, there.living) == (DONE, (), ["t1", "t2"])


def test_returned_a_moment_after_the_deadline(sim: Simulation) -> None:
    """What is on its way is revoked, and nothing in its place (RV-32)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    ends = sim.hold(StatusUpdate, receiver="master-1")
    there.web_driver.kill_task("t3")
    sim.advance(10.1)
    assert (reclaim.state, reclaim.revoked_tasks) == (REVOKING, ("t3",))

    ends.release()
    sim.advance(60.0)

    assert (reclaim.state, reclaim.revoked_tasks, there.living) == (DONE, ("t3",), ["t1", "t2"])
    assert there.web.updates("t3")[-1].cause is Cause.KILLED
    check_books(sim)


def test_a_release_that_is_being_written_stays_the_hand(sim: Simulation) -> None:
    """The deadline passes while the end is being recorded: nobody is revoked (RV-40)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    applied = sim.hold(OperationApplied, where=writes(EndReclaim))
    release = ReleaseReclaimCall(call_id=1, reclaim_id=reclaim.id)
    sim.inject(leader_of(there.cluster), release, sender="operator")

    sim.advance(60.0)
    assert there.living == ["t1", "t2", "t3"]
    assert only(reclaim.blocked_by).why == "it is recording the end"
    applied.release()
    sim.settle()

    assert (reclaim.state, there.living) == (RELEASED, ["t1", "t2", "t3"])


def test_whoever_ends_it_first_says_how(sim: Simulation) -> None:
    """Released, and the agent leaves while that is being written: RELEASED, and both calls are answered (RV-40)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    applied = sim.hold(OperationApplied, where=writes(EndReclaim))
    answers = sim.expect(CallAnswered)
    for call_id in (1, 2):
        release = ReleaseReclaimCall(call_id=call_id, reclaim_id=reclaim.id)
        sim.inject(leader_of(there.cluster), release, sender="operator")
    there.cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.advance(10.0)
    assert answers.count == 0

    applied.release()
    sim.settle()

    assert (reclaim.state, [answer.code for answer in answers.all]) == (RELEASED, [200, 200])


def test_a_lost_order_is_given_again(sim: Simulation) -> None:
    """Every `agent_ping_timeout_s` while something is missing (RV-37)."""
    there = stage(sim)
    lost = sim.drop(RevokeTask, times=2)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)

    sim.advance(10.0 + 14.9)
    assert (lost.count, there.living) == (1, ["t1", "t2", "t3"])
    sim.advance(15.0)
    assert (lost.count, there.living) == (2, ["t1", "t2", "t3"])
    sim.advance(15.2)

    assert (reclaim.state, there.living, reclaim.revoked_tasks) == (DONE, ["t1", "t2"], ("t3",))


# ---------------------------------------------------------------------------------------------- drains and reclaims


def test_a_drain_returns_what_is_reclaimed(sim: Simulation) -> None:
    """Reclaim first: the drain kills everything, and nothing is missing any more (RV-55)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:4", within=60.0)

    drain = there.cluster.operator.drain("agent-1")
    sim.advance(10.0)

    assert (reclaim.state, str(drain.state), reclaim.revoked_tasks) == (DONE, "DRAINED", ())
    assert there.web.updates("t3")[-1].cause is Cause.DRAINED


def test_a_draining_agent_can_be_reclaimed(sim: Simulation) -> None:
    """Drain first, with a task that takes its time: at the deadline it is revoked, in vain, and DONE with the drain."""
    task = command_task("t3", STUBBORN, kill_policy=KillPolicy(grace_period_s=30.0))
    there = stage(sim, web=Owner(task))
    drain = there.cluster.operator.drain("agent-1")
    sim.advance(2.0)

    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:4", within=5.0)
    sim.advance(7.0)
    assert (reclaim.state, str(drain.state)) == (REVOKING, "DRAINING")
    sim.advance(30.0)

    assert (reclaim.state, str(drain.state), there.web.updates("t3")[-1].cause) == (DONE, "DRAINED", Cause.DRAINED)
    there.cluster.operator.reactivate("agent-1")
    assert offered(sim, there) == "mem:4096"
    reclaim.release()
    assert offered(sim, there) == AGENT


# ------------------------------------------------------------------------------------------------------- history


def test_only_so_many_past_reclaims_are_kept() -> None:
    """The oldest go first, for the next leader too; who asks for one that went is told so (RV-45)."""
    with Simulation(settings=Settings.mesos().but(past_reclaims_max=2)) as sim:
        there = stage(sim, masters=2, **RECONNECTS)
        made: list[Reclaim] = []
        for _ in range(3):
            made.append(there.cluster.operator.reclaim("agent-1", "cpus:1"))
            sim.advance(1.0)
            made[-1].release()
        fail_over(sim, there.cluster)
        sim.advance(5.0)

        assert [each.id for each in there.cluster.operator.reclaims()] == [each.id for each in made[1:]]
        fresh = Reclaim.__new__(Reclaim)
        fresh.__dict__ = {**vars(made[0]), "_end": None}
        with pytest.raises(Refused, match="ended so long ago that it was forgotten"):
            _ = fresh.state


# ---------------------------------------------------------------------------------------- executors, in between


def test_an_executor_of_the_same_id_that_comes_later_is_another(sim: Simulation) -> None:
    """That its predecessor was revoked says nothing about it."""
    cluster = sim.cluster(agents=1, resources=AGENT)
    framework = Owner(executor_task("t1"))
    driver = cluster.run(framework, framework="etl", executors=EXECUTORS)
    sim.advance(2.0)
    first = cluster.operator.reclaim("agent-1", "cpus:4", within=1.0)
    sim.advance(20.0)
    assert first.revoked_executors == ("e1",)
    check_books(sim)
    first.release()
    driver.revive_offers()
    sim.advance(5.0)
    driver.launch_tasks([offer["id"] for offer in cluster.operator.state()["offers"]], executor_task("t2"))
    sim.advance(5.0)
    assert framework.states("t2")[-1] == "RUNNING"
    orders = sim.expect(RevokeExecutor)

    second = cluster.operator.reclaim("agent-1", "cpus:3", within=1.0)
    sim.advance(20.0)

    assert (second.state, second.revoked_tasks, orders.count) == (DONE, ("t2",), 0)


def test_a_task_that_is_returned_while_another_is_revoked(sim: Simulation) -> None:
    """A framework returns t1 just as its t2 is told to end, so more comes back than was wanted."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:3", within=10.0)
    orders = sim.hold(RevokeTask)
    sim.advance(10.1)
    kills("t1")(there.etl_driver, there.etl.asked[0])
    sim.settle()
    orders.release()
    sim.advance(10.0)

    assert (reclaim.state, there.living, str(reclaim.missing)) == (DONE, [], "")
    assert [there.etl.updates(task)[-1].cause for task in ("t1", "t2")] == [Cause.KILLED, Cause.REVOKED]
    assert there.etl.updates("t1")[-1].state is TaskState.TASK_KILLED
