"""Agents and frameworks are away during a reclaim, or leave (docs/reclaim.md RV-44, RV-51 to RV-53)."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from mesolite import FrameworkInfo, KillPolicy, OutcomeUnknown, SchedulerDriver, Simulation
from mesolite.actors.decisions.settings import Settings
from mesolite.messages import Cause, OperationApplied, ReclaimState, Unavailability, Window
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import ApplyOperation, EndReclaim, StartReclaim
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.reclaims import Owner, Stage, accepts, offered, stage
from tests.scenarios.schedulers import STUBBORN, check_books, command_task, fail_over, leader_of, only, writes

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
