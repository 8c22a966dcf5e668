"""Who leads, seen from a whole cluster: a leader that dies, is cut off or is deposed, and who believes whom.

core.md section 2. The election itself, without a cluster around it: tests/actors/test_election.py.
"""

from __future__ import annotations

import pytest

from mesolite import Refused, Simulation
from mesolite.messages import (
    AgentLost,
    AgentRegistered,
    AgentReregistered,
    KeepSession,
    LeaderDetected,
    RegisterAgent,
    RegistryRecovered,
    ReregisterAgent,
    ShutdownAgent,
    StatusUpdate,
    Subscribe,
)
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.infos import AgentInfo
from tests.scenarios.schedulers import (
    CHECKPOINTED,
    Launcher,
    Recorder,
    command_task,
    fail_over,
    framework_of,
    leader_of,
    lose_session,
    only,
)


@pytest.mark.scenario("FaultToleranceTest.SlaveReregisterOnZKExpiration")
def test_an_agent_that_hears_of_the_same_leader_again_reregisters(sim: Simulation) -> None:
    """A blip of the agent's watch makes it re-register with its old id; its offers stand (EL-48, 1.3.5)."""
    cluster = sim.cluster(agents=1)
    agent = cluster.agents["agent-1"]
    agent_id = agent.id
    framework = Recorder()
    cluster.run(framework, framework="framework")
    sim.settle()
    answers = sim.expect((AgentRegistered, AgentReregistered))

    lose_session(sim, "agent-1")
    sim.advance(15.0)

    assert [type(answer) for answer in answers.all] == [AgentReregistered]
    assert (agent.id, answers.first.agent_id, agent.registered) == (agent_id, agent_id, True)
    assert framework.rescinded == []


def test_a_dead_leader_is_followed_when_its_session_is_over(sim: Simulation) -> None:
    """A crash is noticed when the session ends, 10 s after it was last heard of, not before (EL-11, EL-28)."""
    cluster = sim.cluster(agents=1, masters=2)
    sim.advance(100.0)
    crashed_at = sim.now

    fail_over(sim, cluster)

    assert 10.0 * 2 / 3 <= sim.now - crashed_at <= 10.0


def test_tasks_live_through_a_masters_death_and_nobody_is_told_anything_of_them(sim: Simulation) -> None:
    """Agent and framework find the new leader; it takes the task over without an update (RC-20, EL-43, EL-59)."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework="framework")
    sim.advance(1.0)

    fail_over(sim, cluster)
    sim.advance(5.0)

    assert framework.states("t1") == ["STARTING", "RUNNING"]
    # "registered" again, not "reregistered": this master has never seen the framework.
    told = [name for name in framework.names if name in ("registered", "reregistered", "disconnected")]
    assert told == ["registered", "disconnected", "registered"]
    assert framework.lost_agents == []
    assert [(task["task_id"], task["state"]) for task in framework_of(cluster)["tasks"]] == [("t1", "TASK_RUNNING")]
    assert cluster.operator.state()["recovered_agents"] == []


def test_of_a_framework_without_a_scheduler_a_new_leader_learns_from_its_agent(sim: Simulation) -> None:
    """Its books are empty before; then agent, framework and task are there, the framework recovered (EL-43, EL-44)."""
    cluster = sim.cluster(agents=1, masters=2)
    info = FrameworkInfo(name="framework", failover_timeout_s=1e6)
    driver = cluster.run(Launcher(command_task("t1")), framework=info)
    sim.advance(1.0)
    driver.stop(failover=True)
    coming = sim.hold(ReregisterAgent)
    fail_over(sim, cluster)
    sim.advance(5.0)
    state = cluster.operator.state()
    assert (state["agents"], state["frameworks"], state["completed_frameworks"]) == ([], [], [])

    coming.release()
    sim.settle()

    assert [found["id"] for found in cluster.operator.state()["agents"]] == [cluster.agents["agent-1"].id]
    known = framework_of(cluster)
    assert (known["id"], known["active"], known["connected"], known["recovered"]) == (
        driver.framework_id,
        False,
        False,
        True,
    )
    assert [(task["task_id"], task["state"]) for task in known["tasks"]] == [("t1", "TASK_RUNNING")]


def test_a_leader_whose_session_is_lost_ends_and_never_becomes_a_follower(sim: Simulation) -> None:
    """Losing the candidacy while leading is fatal to the process; a standby leads at once (EL-30, EL-32)."""
    cluster = sim.cluster(agents=1, masters=3)
    old = leader_of(cluster)

    lose_session(sim, old.name)
    sim.settle()

    assert not old.alive
    assert leader_of(cluster) is not old
    sim.advance(5.0)
    assert cluster.agents["agent-1"].registered


def test_a_leader_that_hears_that_nobody_leads_ends(sim: Simulation) -> None:
    """Whatever it is that the elector names, if it is not this master, the process ends (EL-32)."""
    cluster = sim.cluster(agents=0, masters=1)

    sim.inject("master-1", LeaderDetected(leader=None), sender="outside")
    sim.settle()
    assert cluster.masters["master-1"].alive
    sim.inject("master-1", LeaderDetected(leader=None), sender="elector")
    sim.settle()

    assert not cluster.masters["master-1"].alive


def test_a_standby_whose_session_is_lost_contends_again(sim: Simulation) -> None:
    """It goes to the end of the queue and leads when the others are gone; the leader stays (EL-20, EL-30)."""
    cluster = sim.cluster(agents=0, masters=2)
    old = leader_of(cluster)
    standby = only(master for master in cluster.masters.values() if master is not old)

    lose_session(sim, standby.name)
    sim.advance(20.0)
    assert leader_of(cluster) is old
    assert standby.alive

    assert fail_over(sim, cluster) is standby


def test_a_leader_cut_off_from_the_elector_is_gone_before_another_leads(sim: Simulation) -> None:
    """It gives up no later than its session ends, so two leaders never decide at the same time (EL-8, EL-61)."""
    cluster = sim.cluster(agents=1, masters=2)
    old = leader_of(cluster)
    sim.advance(3.0)

    sim.partition(old.name, "elector")
    sim.run_until(lambda: not old.alive or not old.leading, timeout=11.0)
    gone_at = sim.now
    sim.run_until(lambda: cluster.leader, timeout=11.0)

    assert sim.now >= gone_at
    assert leader_of(cluster) is not old
    sim.advance(5.0)
    assert cluster.agents["agent-1"].registered


def test_the_death_of_a_standby_is_noticed_by_nobody(sim: Simulation) -> None:
    """Who comes and goes behind the leader changes nothing for anybody (EL-20, EL-21)."""
    cluster = sim.cluster(agents=1, masters=3)
    leader = leader_of(cluster)
    framework = Recorder()
    cluster.run(framework, framework="framework")
    sim.settle()
    said = sim.expect((ReregisterAgent, Subscribe))

    for master in cluster.masters.values():
        if master is not leader:
            master.crash()
    sim.advance(60.0)

    assert leader_of(cluster) is leader
    assert said.count == 0
    assert framework.names == ["registered", "resource_offers"]


def test_a_restarted_master_stands_at_the_end_of_the_queue(sim: Simulation) -> None:
    """A newcomer never displaces the leader, and a former leader is a newcomer (EL-1, EL-20)."""
    cluster = sim.cluster(agents=0, masters=2)
    first = leader_of(cluster)
    second = fail_over(sim, cluster)

    first.restart()
    sim.advance(30.0)

    assert leader_of(cluster) is second
    assert first.alive
    assert fail_over(sim, cluster) is first


def test_one_master_alone_follows_itself_after_a_crash(sim: Simulation) -> None:
    """Restarted, it waits for its own old session to end, then leads with what the registry holds (EL-11, EL-36)."""
    cluster = sim.cluster(agents=1, masters=1)
    agent = cluster.agents["agent-1"]
    agent_id = agent.id
    cluster.masters["master-1"].crash()
    sim.settle()
    assert cluster.leader is None
    with pytest.raises(Refused, match="nobody leads"):
        cluster.operator.state()

    cluster.masters["master-1"].restart()
    sim.advance(15.0)

    assert leader_of(cluster).name == "master-1"
    assert (agent.id, agent.registered) == (agent_id, True)
    assert [found["id"] for found in cluster.operator.state()["agents"]] == [agent_id]


def test_a_master_that_does_not_lead_hears_nothing(sim: Simulation) -> None:
    """A standby discards every message in silence (0.2.1, EL-33)."""
    cluster = sim.cluster(agents=0, masters=2)
    standby = only(master for master in cluster.masters.values() if not master.leading)
    answers = sim.expect(sender=standby.name)

    sim.inject(standby, RegisterAgent(agent=AgentInfo(hostname="x", resources="cpus:1")), sender="agent-9")
    sim.inject(standby, Subscribe(framework_info=FrameworkInfo(name="x")), sender="framework-9")
    sim.settle()

    assert answers.count == 0


def test_a_leader_that_has_not_read_the_registry_hears_nothing(sim: Simulation) -> None:
    """Until the registry is read it discards everything; agents and drivers repeat themselves (0.2.1, EL-33)."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Recorder()
    cluster.run(framework, framework="framework")
    sim.settle()
    old = leader_of(cluster)
    new = only(master for master in cluster.masters.values() if master is not old)
    recovered = sim.hold(RegistryRecovered)
    answers = sim.expect((AgentReregistered, ShutdownAgent, AgentLost), sender=new.name)
    asked = sim.expect((ReregisterAgent, Subscribe), receiver=new.name)
    old.crash()
    sim.advance(30.0)
    assert asked.count >= 2
    assert (answers.count, cluster.leader) == (0, None)

    recovered.release()
    sim.advance(60.0)

    assert cluster.agents["agent-1"].registered
    assert framework.names.count("registered") == 2


def test_an_agent_obeys_only_the_leader_it_has_detected(sim: Simulation) -> None:
    """Orders of anybody else are ignored, those of a former leader too (EL-48, 2.2.1)."""
    cluster = sim.cluster(agents=1, masters=2)
    old = leader_of(cluster).name
    fail_over(sim, cluster)
    sim.advance(5.0)

    for sender in (old, "framework", "outside"):
        sim.inject("agent-1", ShutdownAgent(reason="no reason"), sender=sender)
    sim.settle()

    assert cluster.agents["agent-1"].registered


def test_ids_given_by_different_leaders_never_collide(sim: Simulation) -> None:
    """Agents, frameworks and offers of each term have ids of their own (EL-35)."""
    cluster = sim.cluster(agents=1, masters=3)
    frameworks = [Recorder() for _ in range(3)]
    for number, framework in enumerate(frameworks):
        cluster.run(framework, framework=f"framework-{number}")
        cluster.add_agent()
        sim.advance(5.0)
        if number < 2:
            fail_over(sim, cluster)
            sim.advance(5.0)

    state = cluster.operator.state()
    offers = [offer.id for framework in frameworks for offer in framework.offers]
    assert len({agent["id"] for agent in state["agents"]}) == 4
    assert len({framework["id"] for framework in state["frameworks"]}) == 3
    assert len(set(offers)) == len(offers)


def test_a_leader_that_cannot_write_the_registry_any_more_ends(sim: Simulation) -> None:
    """A successor has claimed the store: the old leader's next write is refused, and it exits (EL-37, 0.2.6)."""
    cluster = sim.cluster(agents=1, masters=1)
    claimed = sim.runtime.store.load("registry", 1_000)
    assert claimed

    sim.inject("master-1", RegisterAgent(agent=AgentInfo(hostname="x", resources="cpus:1")), sender="agent-9")
    sim.settle()

    assert not cluster.masters["master-1"].alive


def test_a_leaders_death_during_a_checkpointed_agents_restart_loses_nothing(sim: Simulation) -> None:
    """Agent and master gone at once: both come back from what they stored, and the task has never stopped."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    updates = sim.expect(StatusUpdate, receiver="checkpointed")

    cluster.agents["agent-1"].crash()
    leader_of(cluster).crash()
    sim.advance(1.0)
    cluster.agents["agent-1"].restart()
    sim.advance(30.0)

    assert updates.count == 0
    assert [(task["task_id"], task["state"]) for task in framework_of(cluster)["tasks"]] == [("t1", "TASK_RUNNING")]


def test_a_restarted_leader_does_not_lead_on_in_its_predecessors_session() -> None:
    """The answer to a heartbeat of its earlier life reaches it first: that session is not its own (EL-8, EL-11)."""
    sim = Simulation(order="fifo")
    cluster = sim.cluster(agents=1)
    first = leader_of(cluster).term

    kept = sim.when(KeepSession, "master-1", "elector", where=lambda message: message.session is not None)
    kept.then(cluster.masters["master-1"].restart)
    sim.advance(30.0)

    assert kept.happened
    assert (first, leader_of(cluster).term) == (1, 2)
