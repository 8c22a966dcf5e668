"""Maintenance windows that bite: from their start nothing is offered, everything is revoked (docs/reclaim.md RV-60)."""

from __future__ import annotations

import pytest
from attrs import frozen

from mesolite import Filters, FrameworkInfo, KillPolicy, Simulation
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages import Cause, ReclaimState, ReregisterAgent, RevokeExecutor, RevokeTask, Unavailability, Window
from mesolite.messages.resources import Resources
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.reclaims import AGENT, Owner, accepts, kills
from tests.scenarios.schedulers import (
    EXECUTORS,
    STUBBORN,
    Recorder,
    about,
    check_books,
    command_task,
    executor_task,
    fail_over,
    id_of,
    only,
)

CHECKPOINTS = {"checkpoint": True, "failover_timeout_s": 10_000.0}


@frozen
class Machines:
    """agent-1, which is to be maintained, with `leaver` and `stayer` on it; agent-2, with `other`.

    What is left of both is on offer to `other`.
    """

    cluster: SimulatedCluster
    leaver: Owner
    stayer: Owner
    other: Recorder
    leaver_driver: MesoliteSchedulerDriver

    def schedule(self, start: float, duration_s: float | None = None, *, enforce: bool = True) -> None:
        """Let agent-1's machine be away then."""
        away = Unavailability(start=start, duration_s=duration_s)
        machine = self.cluster.agents["agent-1"].machine_id
        window = Window(machines=(machine,), unavailability=away, enforce=enforce)
        self.cluster.operator.update_maintenance_schedule([window])

    @property
    def offered(self) -> str:
        """What is on offer of agent-1."""
        agent_id = id_of(self.cluster)
        offers = [offer for offer in self.cluster.operator.state()["offers"] if offer["agent_id"] == agent_id]
        return str(Resources.sum(Resources.of(offer["resources"]) for offer in offers))


def machines(sim: Simulation, *, masters: int = 1, checkpoint: bool = True) -> Machines:
    """Both agents run what they are to run."""
    cluster = sim.cluster(agents=1, masters=masters, resources=AGENT)
    info = dict(CHECKPOINTS, checkpoint=checkpoint)
    leaver = Owner(command_task("t1"))
    leaver_driver = cluster.run(leaver, framework=FrameworkInfo(name="leaver", **info), executors=EXECUTORS)
    sim.advance(2.0)
    stayer = Owner(command_task("t2", STUBBORN), executor_task("t3"))
    stayer_driver = cluster.run(stayer, framework=FrameworkInfo(name="stayer", **info), executors=EXECUTORS)
    sim.advance(2.0)
    leaver_driver.suppress_offers()
    stayer_driver.suppress_offers()
    other = Recorder()
    driver = cluster.run(other, framework=FrameworkInfo(name="other", **info))
    cluster.add_agent("agent-2", resources=AGENT)
    sim.run_until(lambda: cluster.agents["agent-2"].registered, timeout=10.0)
    sim.advance(2.0)
    theirs = [offer for offer in other.offers if offer.agent_id == id_of(cluster, "agent-2")]
    driver.launch_tasks(theirs, command_task("t4"), Filters(refuse_seconds=0.0))
    sim.advance(5.0)
    states = [leaver.states("t1")[-1], stayer.states("t2")[-1], stayer.states("t3")[-1], other.states("t4")[-1]]
    assert states == ["RUNNING"] * 4, "the stage could not be set"
    return Machines(cluster, leaver, stayer, other, leaver_driver)


def test_a_window_with_teeth(sim: Simulation) -> None:
    """Warned, one leaves and one does not; at the start it has to; then nothing, until the window is over (RV-61)."""
    there = machines(sim)
    there.leaver.reply = accepts("t1")
    there.schedule(sim.now + 100.0, 200.0)
    sim.advance(1.0)
    for framework in (there.leaver, there.stayer):
        asked = only(framework.asked)
        assert (asked.enforced, asked.agent_id, asked.unavailability.duration_s) == (True, id_of(there.cluster), 200.0)
    kills("t1")(there.leaver_driver, there.leaver.asked[0])
    sim.advance(98.0)
    assert (there.leaver.states("t1")[-1], there.stayer.states("t2")[-1]) == ("KILLED", "RUNNING")
    assert there.offered != "", "until the start all is as in Mesos"

    sim.advance(2.0)
    assert there.offered == ""
    sim.advance(20.0)
    assert about(there.stayer.updates("t2")[-1]) == ("KILLED", "EXECUTOR", "RESOURCES_REVOKED")
    assert [there.stayer.updates(task)[-1].cause for task in ("t2", "t3")] == [Cause.REVOKED] * 2
    assert there.leaver.updates("t1")[-1].cause is Cause.KILLED
    assert there.stayer.count("executor_lost") == 1
    agent = next(agent for agent in there.cluster.operator.state()["agents"] if agent["name"] == "agent-1")
    assert (agent["connected"], agent["tasks"], agent["executors"]) == (True, [], [])

    sim.advance(170.0)
    assert there.offered == ""
    sim.advance(10.0)
    assert there.offered == AGENT
    check_books(sim)


def test_other_machines_and_frameworks_notice_nothing(sim: Simulation) -> None:
    """The window of one machine is nobody else's (RV-64)."""
    there = machines(sim)
    told = there.other.count("status_update")
    away = id_of(there.cluster)
    before = [offer.id for offer in there.other.offers if offer.agent_id != away]
    there.schedule(sim.now + 10.0)

    sim.advance(100.0)

    assert there.other.count("status_update") == told
    assert {asked.agent_id for asked in there.other.asked} == {away}, "only for what it was offered there"
    assert [offer.id for offer in there.other.offers if offer.agent_id != away] == before
    assert all(offer_id not in there.other.rescinded for offer_id in before)
    check_books(sim)


def test_a_window_without_teeth_is_advice(sim: Simulation) -> None:
    """As in Mesos: time changes nothing (drain.md 5.11.1)."""
    there = machines(sim)
    there.schedule(sim.now + 10.0, enforce=False)

    sim.advance(100.0)

    assert only(there.stayer.asked[:1]).enforced is False
    assert there.stayer.states("t2")[-1] == "RUNNING"
    assert there.offered != ""


def test_an_agent_that_registers_within_the_window(sim: Simulation) -> None:
    """It is taken in and offers nothing (RV-62)."""
    there = machines(sim)
    there.schedule(sim.now + 1.0)
    sim.advance(30.0)
    machine = there.cluster.agents["agent-1"].machine_id

    there.cluster.add_agent("agent-3", resources=AGENT, hostname=machine.hostname, ip=machine.ip)
    sim.advance(10.0)

    agent = next(agent for agent in there.cluster.operator.state()["agents"] if agent["name"] == "agent-3")
    assert (agent["connected"], agent["active"]) == (True, True)
    assert [o for o in there.cluster.operator.state()["offers"] if o["agent_id"] == agent["id"]] == []


def test_an_agent_that_comes_back_within_the_window(sim: Simulation) -> None:
    """What it comes back with is revoked at once (RV-62)."""
    there = machines(sim)
    there.schedule(sim.now + 20.0)
    there.cluster.agents["agent-1"].crash()
    sim.advance(40.0)
    assert there.stayer.states("t2")[-1] == "RUNNING"

    there.cluster.agents["agent-1"].restart()
    sim.advance(30.0)

    assert [there.stayer.states(task)[-1] for task in ("t2", "t3")] == ["KILLED", "KILLED"]
    assert there.offered == ""


def test_a_window_that_has_begun_when_it_is_scheduled(sim: Simulation) -> None:
    """It bites at once; without a duration it does not end by itself (RV-61)."""
    there = machines(sim)

    there.schedule(sim.now - 5.0)
    sim.advance(30.0)
    assert [there.stayer.states(task)[-1] for task in ("t2", "t3")] == ["KILLED", "KILLED"]
    sim.advance(3000.0)

    assert there.offered == ""


@pytest.mark.parametrize("within", [True, False], ids=["within the window", "before it"])
def test_a_window_that_is_withdrawn(sim: Simulation, within: bool) -> None:
    """The schedule is the record: when it says so no longer, all is offered again, and nobody is revoked (RV-63)."""
    there = machines(sim)
    there.schedule(sim.now + 50.0)
    sim.advance(100.0 if within else 30.0)
    assert (there.offered == "") == within

    there.cluster.operator.update_maintenance_schedule([])
    sim.advance(200.0)

    assert there.stayer.states("t2")[-1] == ("KILLED" if within else "RUNNING")
    assert there.offered != ""


def test_a_window_that_was_made_advice_in_time(sim: Simulation) -> None:
    """Posted again without teeth it has none; posted again with later ones, they bite later (RV-60)."""
    there = machines(sim)
    there.schedule(sim.now + 50.0)
    sim.advance(40.0)
    there.schedule(sim.now + 10.0, enforce=False)
    sim.advance(50.0)
    assert there.stayer.states("t2")[-1] == "RUNNING"

    there.schedule(sim.now + 50.0)
    sim.advance(49.0)
    assert there.stayer.states("t2")[-1] == "RUNNING"
    sim.advance(20.0)

    assert there.stayer.states("t2")[-1] == "KILLED"


def test_lost_orders_are_given_again(sim: Simulation) -> None:
    """Within the window, every `agent_ping_timeout_s` while something lives (RV-61, RV-37)."""
    there = machines(sim)
    lost = sim.drop((RevokeTask, RevokeExecutor), times=3)
    there.schedule(sim.now + 10.0)
    sim.advance(20.0)
    assert (lost.count, there.stayer.states("t2")[-1]) == (3, "RUNNING")

    sim.advance(30.0)

    assert [there.stayer.states(task)[-1] for task in ("t2", "t3")] == ["KILLED", "KILLED"]


def test_a_new_leader_finds_the_window_in_the_schedule(sim: Simulation) -> None:
    """Whether it begins before or after the agent is back (RV-60, RV-62)."""
    there = machines(sim, masters=2)
    there.schedule(sim.now + 60.0, 100.0)
    sim.advance(1.0)
    fail_over(sim, there.cluster)
    sim.advance(20.0)
    assert there.stayer.states("t2")[-1] == "RUNNING"

    sim.advance(60.0)
    assert there.stayer.states("t2")[-1] == "KILLED"
    assert there.offered == ""
    returns = sim.hold(ReregisterAgent)
    fail_over_again = there.cluster.leader
    assert fail_over_again is not None
    for master in there.cluster.masters.values():
        if not master.alive:
            master.restart()
    fail_over(sim, there.cluster)
    returns.release()
    sim.advance(5.0)
    assert there.offered == ""
    sim.advance(100.0)

    assert there.offered == AGENT


def test_a_reclaim_outlasts_the_window(sim: Simulation) -> None:
    """When the window is over, what was reclaimed of the agent is kept, and the rest offered (RV-63)."""
    there = machines(sim)
    there.schedule(sim.now + 10.0, 50.0)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:3", within=1000.0)
    sim.advance(30.0)
    assert (reclaim.state, there.offered) == (ReclaimState.DONE, "")

    sim.advance(50.0)
    assert there.offered == "cpus:1;mem:4096"
    reclaim.release()
    sim.advance(5.0)

    assert there.offered == AGENT


def test_the_window_outlasts_a_reclaim(sim: Simulation) -> None:
    """Releasing the one does not end the other (RV-63)."""
    there = machines(sim)
    reclaim = there.cluster.operator.reclaim("agent-1", "cpus:3", within=1000.0)
    there.schedule(sim.now + 10.0, 100.0)
    sim.advance(30.0)

    reclaim.release()
    sim.advance(30.0)
    assert there.offered == ""
    sim.advance(100.0)

    assert there.offered == AGENT


def test_a_task_has_its_own_grace_within_the_window(sim: Simulation) -> None:
    """The window does not wait for it, and does not cut it short (RV-36, RV-61)."""
    cluster = sim.cluster(agents=1, resources=AGENT)
    framework = Owner(command_task("t1", STUBBORN, kill_policy=KillPolicy(grace_period_s=40.0)))
    cluster.run(framework, framework="slow")
    sim.advance(2.0)
    away = Unavailability(start=sim.now + 10.0)
    window = Window(machines=(cluster.agents["agent-1"].machine_id,), unavailability=away, enforce=True)
    cluster.operator.update_maintenance_schedule([window])

    sim.advance(49.0)
    assert framework.states("t1")[-1] == "RUNNING"
    sim.advance(2.0)

    assert framework.states("t1")[-1] == "KILLED"
