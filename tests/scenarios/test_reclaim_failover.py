"""Masters die during a reclaim: the next one keeps it (docs/reclaim.md RV-50 to RV-53)."""

from __future__ import annotations

import pytest

from mesolite import FrameworkInfo, KillPolicy, Refused, SchedulerDriver, Simulation
from mesolite.messages import OperationApplied, ReclaimState, ReregisterAgent
from mesolite.messages.ids import AgentId
from mesolite.messages.operator import ReleaseReclaimCall
from mesolite.messages.registrar import EndReclaim, StartReclaim
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.reclaims import Owner, accepts, call, offered, stage
from tests.scenarios.schedulers import STUBBORN, check_books, command_task, fail_over, id_of, leader_of, only, writes

DONE, ASKED, REVOKING, RELEASED, LEFT = (
    ReclaimState.DONE,
    ReclaimState.ASKED,
    ReclaimState.REVOKING,
    ReclaimState.RELEASED,
    ReclaimState.LEFT,
)
RECONNECTS = {"checkpoint": True, "failover_timeout_s": 10_000.0}


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
