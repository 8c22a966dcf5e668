"""What comes in between: failovers, absences, ends and other decisions during a reclaim (docs/reclaim.md)."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from mesolite import FrameworkInfo, KillPolicy, OutcomeUnknown, Refused, SchedulerDriver, Simulation
from mesolite.actors.decisions.settings import Settings
from mesolite.messages import (
    CallAnswered,
    Cause,
    InverseOffers,
    OperationApplied,
    ReclaimState,
    ReregisterAgent,
    RevokeExecutor,
    RevokeTask,
    StatusUpdate,
    TaskState,
    Unavailability,
    Window,
)
from mesolite.messages.ids import AgentId
from mesolite.messages.operator import ReleaseReclaimCall
from mesolite.messages.registrar import ApplyOperation, EndReclaim, MarkAgentGone, RemoveAgent, StartReclaim
from mesolite.reclaim import Reclaim
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.reclaim_stage import AGENT, Owner, Stage, accepts, call, kills, offered, stage
from tests.scenarios.schedulers import (
    EXECUTORS,
    STUBBORN,
    check_books,
    command_task,
    executor_task,
    fail_over,
    id_of,
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


def come_back(sim: Simulation) -> None:
    """Let it come back; it misses the pings after 75 s."""
    sim.heal()
    sim.advance(100.0)


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


# -------------------------------------------------------------------------------------------------- master failover


def test_a_new_leader_keeps_the_deadline_and_asks_again(sim: Simulation) -> None:
    """It is a point of time; nothing is offered that is withheld; answers are forgotten (RV-50)."""
    web = Owner(command_task("t3"), reply=accepts("t3"))
    there = stage(sim, masters=2, web=web, **RECONNECTS)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=100.0)
    sim.settle()
    deadline, known = reclaim.deadline, [offer.id for offer in there.web.offers + there.etl.offers]

    fail_over(sim, there.cluster)
    sim.advance(30.0)
    assert (reclaim.deadline, reclaim.state, there.web.amounts_asked) == (deadline, ASKED, ["cpus:1"] * 2)
    assert [str(each.answer) for each in reclaim.asked] == ["ACCEPT"]
    later = [offer for offer in there.web.offers + there.etl.offers if offer.id not in known]
    assert [str(offer.resources) for offer in later if offer.resources.cpus] == []

    sim.advance(deadline - sim.now - 0.5)
    assert (reclaim.state, there.living) == (ASKED, ["t1", "t2", "t3"])
    sim.advance(1.0)
    assert (reclaim.state, there.living, there.etl.asked) == (DONE, ["t1", "t2"], [])
    check_books(sim)


def test_a_new_leader_bites_when_the_agent_is_back(sim: Simulation) -> None:
    """The deadline passed while nobody led (RV-50, RV-51)."""
    there = stage(sim, masters=2, **RECONNECTS)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    sim.advance(5.0)
    returns = sim.hold(ReregisterAgent)

    fail_over(sim, there.cluster)
    sim.advance(30.0)
    assert (reclaim.state, there.living) == (REVOKING, ["t1", "t2", "t3"])
    assert only(reclaim.blocked_by).why == "it is not back since the last master failed and has to come back"
    returns.release()
    sim.advance(5.0)

    assert (reclaim.state, there.living) == (DONE, ["t1", "t2"])


def test_a_new_leader_revokes_no_more_than_the_old_one(sim: Simulation) -> None:
    """The promise is forgotten, yet what was revoked by it is ending: nobody goes in its place (RV-37, RV-50)."""
    grace = KillPolicy(grace_period_s=300.0)
    tasks = [command_task(f"t{n}", STUBBORN, kill_policy=grace) for n in (1, 2)]
    there = stage(sim, masters=2, etl=Owner(*tasks, reply=accepts("t1")), **RECONNECTS)
    there.web_driver.kill_task("t3")
    sim.settle()
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:3", within=10.0)
    sim.advance(11.0)
    assert (reclaim.state, reclaim.revoked_tasks) == (REVOKING, ("t1",))

    fail_over(sim, there.cluster)
    sim.advance(400.0)

    assert (reclaim.state, reclaim.revoked_tasks) == (DONE, ("t1",))
    assert there.etl.states("t2")[-1] == "RUNNING"


def test_a_reclaim_that_was_stored_but_not_acted_on_is_kept_by_the_next_leader(sim: Simulation) -> None:
    """The operator cannot know, and looks (RV-3, RV-50)."""
    there = stage(sim, masters=2, **RECONNECTS)
    applied = sim.hold(OperationApplied, where=writes(StartReclaim))
    call(sim, there.cluster, "cpus:2", within=100.0)
    assert (applied.count, there.web.asked) == (1, [])

    fail_over(sim, there.cluster)
    sim.advance(20.0)
    reclaim = only(there.cluster.operator.reclaims())
    assert (reclaim.state, there.web.amounts_asked) == (ASKED, ["cpus:1"])
    sim.advance(100.0)

    assert (reclaim.state, there.living) == (DONE, ["t1", "t2"])


def test_a_release_that_was_not_stored_is_forgotten_with_its_leader(sim: Simulation) -> None:
    """Asked again, the next leader releases it (RV-3, RV-40)."""
    there = stage(sim, masters=2, **RECONNECTS)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=1000.0)
    lost = sim.drop(where=lambda message: isinstance(getattr(message, "operation", None), EndReclaim))
    release = ReleaseReclaimCall(call_id=1, reclaim_id=reclaim.id)
    sim.inject(leader_of(there.cluster), release, sender="operator")
    sim.settle()
    assert lost.count == 1

    sim.forget(lost)
    fail_over(sim, there.cluster)
    sim.advance(30.0)
    assert reclaim.state is ASKED
    reclaim.release()

    assert reclaim.wait(timeout=1000.0) is RELEASED


def test_how_it_ended_is_known_to_the_next_leader(sim: Simulation) -> None:
    """Whoever waits across a failover is told (RV-45, RV-46)."""
    there = stage(sim, masters=2, **RECONNECTS)
    reclaim = there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=10.0)
    answered = sim.hold(OperationApplied, where=writes(EndReclaim))
    sim.advance(11.0)
    assert (answered.count, reclaim.state) == (1, REVOKING)

    leader_of(there.cluster).crash()

    assert reclaim.wait(timeout=100.0) is DONE
    assert [past["state"] for past in there.cluster.operator.state()["past_reclaims"]] == ["DONE"]


def test_the_reclaim_of_a_framework_waits_for_all_agents(sim: Simulation) -> None:
    """To a new leader it seems to hold nothing, until its agents are back (RV-53); no amount can be named (RV-70)."""
    there = stage(sim, masters=2, **RECONNECTS)
    reclaim = there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=10.0)
    returns = sim.hold(ReregisterAgent)
    fail_over(sim, there.cluster)
    sim.advance(60.0)

    assert reclaim.state is REVOKING
    assert only(reclaim.blocked_by).name == id_of(there.cluster)
    with pytest.raises(Refused, match=r"nobody knows how much framework .* holds; ask again"):
        there.cluster.operator.reclaim(there.web_driver, "cpus:1")
    returns.release()
    sim.advance(10.0)

    assert (reclaim.state, there.living) == (DONE, ["t1", "t3"])
    assert offered(sim, there, to=there.etl_driver) == "cpus:2;mem:3840"


def test_the_reclaim_of_a_framework_is_decided_when_no_agent_is_missing_any_more(sim: Simulation) -> None:
    """One never comes back: when it is given up, what it held is not held, and the reclaim is DONE (RV-53)."""
    there = stage(sim, masters=2, **RECONNECTS)
    reclaim = there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=10.0)
    there.cluster.agents["agent-1"].power_off()
    fail_over(sim, there.cluster)
    sim.advance(590.0)
    assert reclaim.state is REVOKING

    sim.advance(30.0)

    assert (reclaim.wait(timeout=1000.0), there.cluster.operator.state()["recovered_agents"]) == (DONE, [])


def on_both(sim: Simulation, cluster: SimulatedCluster) -> tuple[Owner, SchedulerDriver, AgentId | None]:
    """A framework with two tasks on each of two agents, its driver, and the agent of the first two."""
    framework = Owner(command_task("t1"), command_task("t2"))
    driver = cluster.run(framework, framework=FrameworkInfo(name="etl", **RECONNECTS))
    sim.advance(2.0)
    first = framework.updates("t1")[-1].agent_id
    other = only(offer for offer in framework.offers if offer.agent_id != first)
    driver.launch_tasks(other, [command_task("t3"), command_task("t4")])
    sim.advance(2.0)
    return framework, driver, first


def test_a_framework_is_asked_by_a_new_leader_when_that_knows_for_how_much(sim: Simulation) -> None:
    """When the last agent is back, not when the first one is (RV-21, RV-53)."""
    cluster = sim.cluster(agents=2, masters=2, resources="cpus:2;mem:1024")
    framework, driver, _ = on_both(sim, cluster)
    cluster.operator.reclaim(driver, "cpus:3", within=1000.0)
    sim.settle()
    returns = sim.hold(ReregisterAgent, sender="agent-2")

    fail_over(sim, cluster)
    sim.advance(60.0)
    assert framework.amounts_asked == ["cpus:3"]
    returns.release()
    sim.advance(10.0)

    assert framework.amounts_asked == ["cpus:3", "cpus:3"]


# ------------------------------------------------------------------------------------------------------ agents away


def test_while_the_agent_is_disconnected_nothing_is_decided(sim: Simulation) -> None:
    """It comes back late, with its amount withheld, and loses what is missing at once (RV-51)."""
    there = stage(sim, **RECONNECTS)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    sim.settle()
    there.cluster.agents["agent-1"].crash()
    sim.advance(30.0)
    assert (reclaim.state, there.living, there.web.asked_no_more) == (REVOKING, ["t1", "t2", "t3"], [])
    assert only(reclaim.blocked_by).why == "it is disconnected and has to come back"

    there.cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    assert (reclaim.state, there.living) == (DONE, ["t1", "t2"])
    assert offered(sim, there) == "mem:3840"


def test_an_agent_restarted_before_the_deadline_asks_nobody_twice(sim: Simulation) -> None:
    """Who has answered has answered, and an open request is open (RV-21, RV-23)."""
    there = stage(sim, web=Owner(command_task("t3"), reply=accepts("t3")), **RECONNECTS)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:3", within=100.0)
    sim.settle()

    there.cluster.agents["agent-1"].restart()
    sim.advance(50.0)
    assert (there.web.amounts_asked, there.etl.amounts_asked) == (["cpus:1"], ["cpus:1"])
    assert (there.web.asked_no_more, there.etl.asked_no_more) == ([], [])
    sim.advance(60.0)

    assert (reclaim.state, reclaim.revoked_tasks) == (DONE, ("t3", "t2"))


def test_an_agent_that_is_disconnected_seems_empty_and_is_not_done(sim: Simulation) -> None:
    """What was not checkpointed is given up with the link; that is judged when the agent is back (RV-51)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:4", within=1000.0)
    there.cluster.agents["agent-1"].crash()
    sim.advance(1.0)
    assert (reclaim.state, there.living) == (ASKED, [])

    there.cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    assert reclaim.state is DONE


def test_an_agent_restarted_while_it_revokes(sim: Simulation) -> None:
    """It goes on with what it was told, and is told again (RV-37, RV-51)."""
    task = command_task("t3", STUBBORN, kill_policy=KillPolicy(grace_period_s=30.0))
    there = stage(sim, web=Owner(task), **RECONNECTS)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    sim.advance(12.0)

    there.cluster.agents["agent-1"].restart()
    sim.advance(100.0)

    assert (reclaim.state, there.living, reclaim.revoked_tasks) == (DONE, ["t1", "t2"], ("t3",))
    assert there.web.updates("t3")[-1].cause is Cause.REVOKED


def test_an_agent_that_was_unreachable_loses_what_is_missing_when_it_is_back(sim: Simulation) -> None:
    """The reclaim stays open; nothing of the agent is offered before (RV-51)."""
    there = stage(sim, **RECONNECTS)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=10.0)
    lose_sight(sim, there)
    assert (reclaim.state, there.web.states("t3")[-1]) == (REVOKING, "LOST")
    come_back(sim)

    assert (reclaim.state, there.living, there.web.states("t3")[-1]) == (DONE, ["t1", "t2"], "KILLED")
    assert offered(sim, there) == "mem:3840"


def test_an_unreachable_agent_before_the_deadline(sim: Simulation) -> None:
    """It is back in time: asked again, for the request went with the agent; then the deadline counts (RV-51)."""
    there = stage(sim, **RECONNECTS)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=500.0)
    lose_sight(sim, there)
    assert reclaim.state is ASKED
    assert only(reclaim.blocked_by).why == "it is unreachable and has to come back"
    come_back(sim)
    assert (reclaim.state, there.web.amounts_asked, len(there.web.asked_no_more)) == (ASKED, ["cpus:1"] * 2, 1)

    sim.advance(500.0)
    assert (reclaim.state, there.living) == (DONE, ["t1", "t2"])


def test_the_tasks_of_an_unreachable_agent_are_not_held_until_it_is_back(sim: Simulation) -> None:
    """Of a framework: while they are out of reach nothing is missing, and it ends (RV-2, RV-54)."""
    there = stage(sim, **RECONNECTS)
    reclaim = there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=500.0)
    lose_sight(sim, there)
    assert reclaim.state is DONE

    come_back(sim)
    sim.advance(600.0)

    assert there.living == ["t1", "t2", "t3"]


def test_what_comes_back_with_an_unreachable_agent_counts(sim: Simulation) -> None:
    """Its reclaim is still open, for another agent holds more than it may keep (RV-54)."""
    cluster = sim.cluster(agents=2, resources="cpus:2;mem:1024")
    _, driver, first = on_both(sim, cluster)
    names = {str(machine.id): name for name, machine in cluster.agents.items()}
    reclaim = cluster.operator.reclaim(driver, "cpus:3", within=500.0)
    sim.partition(names[str(first)], leader_of(cluster))
    sim.run_until(lambda: len(cluster.operator.state()["agents"]) == 1, timeout=100.0)
    assert (reclaim.state, str(reclaim.missing)) == (ASKED, "cpus:1")

    come_back(sim)
    assert (reclaim.state, str(reclaim.missing)) == (ASKED, "cpus:3")
    sim.advance(600.0)

    assert (reclaim.state, reclaim.revoked_tasks) == (DONE, ("t4", "t3", "t2"))


def test_a_framework_loses_tasks_on_an_agent_that_is_away_when_it_is_back(sim: Simulation) -> None:
    """Nobody can be told before; the other agents are not made to pay for it (RV-37, RV-51)."""
    there = stage(sim, **RECONNECTS)
    reclaim = there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=10.0)
    there.cluster.agents["agent-1"].crash()
    sim.advance(30.0)
    assert (reclaim.state, reclaim.revoked_tasks) == (REVOKING, ())
    waits_for = only(reclaim.blocked_by)
    assert (str(waits_for.party), waits_for.task_id) == ("AGENT", "t2")

    there.cluster.agents["agent-1"].restart()
    sim.advance(10.0)

    assert (reclaim.state, reclaim.revoked_tasks, there.living) == (DONE, ("t2",), ["t1", "t3"])


# ---------------------------------------------------------------------------------------------------- who leaves

def take_down(there: Stage) -> None:
    window = Window(machines=(there.cluster.agents["agent-1"].machine_id,), unavailability=Unavailability(start=1e6))
    there.cluster.operator.update_maintenance_schedule([window])
    there.cluster.operator.machine_down(["agent-1"])


LEAVE: dict[str, Callable[[Stage], None]] = {
    "unregisters": lambda there: there.cluster.agents["agent-1"].signal(signal.SIGUSR1),
    "is marked gone": lambda there: there.cluster.operator.mark_gone("agent-1"),
    "goes with its machine": take_down,
}


@pytest.mark.parametrize("leave", LEAVE.values(), ids=LEAVE)
def test_an_agent_that_leaves_ends_its_reclaim(sim: Simulation, leave: Callable[[Stage], None]) -> None:
    """Before the deadline or after it: LEFT, whose requests are taken back (RV-44, RV-23)."""
    there = stage(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=60.0)
    of_framework = there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=60.0)
    sim.settle()

    leave(there)
    sim.advance(5.0)

    assert reclaim.wait(timeout=1000.0) is LEFT
    assert there.web.asked_no_more == [only(there.web.asked).id]
    assert (reclaim.blocked_by, of_framework.state) == ((), DONE)
    check_books(sim)


@pytest.mark.parametrize("how", ["pruned", "gone"])
def test_an_unreachable_agent_that_is_given_up_ends_its_reclaim(how: str) -> None:
    """Forgotten by the registry, or marked gone by an operator (RV-44)."""
    with Simulation(settings=Settings.mesos().but(registry_max_agent_age_s=200.0)) as sim:
        there = stage(sim, **RECONNECTS)
        reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=5000.0)
        lose_sight(sim, there)
        assert reclaim.ended_at is None
        if how == "gone":
            there.cluster.operator.mark_gone("agent-1")
        else:
            sim.advance(2000.0)

        assert reclaim.wait(timeout=1.0) is LEFT


def test_a_reclaim_ends_though_the_leader_died_before_it_wrote_that() -> None:
    """That its agent is removed is stored, that it has ended is not: the next leader ends it (RV-44, RV-50)."""
    sim = Simulation()
    there = stage(sim, masters=3)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:1", within=500.0)
    sim.drop(ApplyOperation, where=lambda message: isinstance(message.operation, EndReclaim), times=1)
    there.cluster.agents["agent-1"].signal(signal.SIGUSR1)
    sim.advance(30.0)
    assert reclaim.state is not LEFT

    fail_over(sim, there.cluster)
    sim.advance(30.0)

    assert reclaim.state is LEFT


def test_a_framework_that_is_removed_ends_its_reclaim(sim: Simulation) -> None:
    """LEFT; and an agent that was reclaimed has what it held (RV-44, RV-42)."""
    there = stage(sim)
    of_agent = there.cluster.operator.reclaim("agent-1", "cpus:2", within=60.0)
    of_web = there.cluster.operator.reclaim(there.web_driver, "cpus:1", within=60.0)

    there.web_driver.stop()
    sim.settle()

    assert (of_agent.wait(timeout=1000.0), of_web.wait(timeout=1000.0)) == (DONE, LEFT)


def test_a_framework_that_is_removed_while_its_reclaim_is_written(sim: Simulation) -> None:
    """It has left meanwhile (RV-44)."""
    there = stage(sim)
    applied = sim.hold(OperationApplied, where=writes(StartReclaim))
    with pytest.raises(OutcomeUnknown):
        there.cluster.operator.reclaim(there.web_driver, "cpus:1")
    there.cluster.operator.teardown(there.web_driver)

    applied.release()
    sim.settle()

    assert only(there.cluster.operator.reclaims()).state is LEFT


# ------------------------------------------------------------------------------------------------ frameworks away


def test_a_framework_that_subscribes_again_is_asked_again(sim: Simulation) -> None:
    """Another instance has not heard of it: it is asked for what is still to be returned (RV-21, RV-52)."""
    there = stage(sim, etl=Owner(command_task("t1"), command_task("t2"), reply=accepts("t1")), **RECONNECTS)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:4", within=60.0)
    sim.settle()
    assert there.etl.amounts_asked == ["cpus:2"]
    there.etl_driver.kill_task("t2")
    sim.settle()
    there.etl_driver.stop(failover=True)
    sim.settle()

    successor = Owner()
    info = FrameworkInfo(name="etl", id=there.etl_driver.framework_id, **RECONNECTS)
    there.cluster.run(successor, framework=info)
    sim.advance(2.0)
    assert successor.amounts_asked == ["cpus:1"]
    assert {each.framework: str(each.answer) for each in reclaim.asked}["etl"] == "ACCEPT"
    sim.advance(60.0)

    assert reclaim.state is DONE


def test_the_deadline_does_not_wait_for_a_framework_that_is_away(sim: Simulation) -> None:
    """It is asked when it is back, if that is in time; its tasks go all the same (RV-52)."""
    there = stage(sim, **RECONNECTS)
    there.web_driver.stop(failover=True)
    sim.settle()
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:2", within=60.0)
    sim.settle()
    assert "it cannot be asked, as its scheduler is away" in only(reclaim.blocked_by).why

    sim.advance(61.0)
    assert (reclaim.state, reclaim.revoked_tasks) == (DONE, ("t3",))


def test_a_barred_framework_stays_barred_when_it_subscribes_again(sim: Simulation) -> None:
    """Another instance of it is offered nothing either (RV-7)."""
    there = stage(sim, **RECONNECTS)
    there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=600.0)
    there.etl_driver.stop(failover=True)
    sim.settle()
    there.web_driver.suppress_offers()

    successor = Owner()
    info = FrameworkInfo(name="etl", id=there.etl_driver.framework_id, **RECONNECTS)
    driver = there.cluster.run(successor, framework=info)
    sim.advance(5.0)
    driver.revive_offers()
    sim.advance(5.0)

    assert (successor.offers, successor.amounts_asked) == ([], ["cpus:1"])


def test_a_barred_framework_stays_barred_under_a_new_leader(sim: Simulation) -> None:
    """Until its reclaim is done or released (RV-7, RV-50)."""
    there = stage(sim, masters=2, **RECONNECTS)
    reclaim = there.cluster.operator.reclaim(there.etl_driver, "cpus:1", within=600.0)
    offers = len(there.etl.offers)
    there.web_driver.suppress_offers()
    sim.settle()
    fail_over(sim, there.cluster)
    sim.advance(30.0)
    assert (len(there.etl.offers), there.etl.amounts_asked) == (offers, ["cpus:1"] * 2)

    reclaim.release()
    assert offered(sim, there, to=there.etl_driver) == "cpus:1;mem:3712"


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
