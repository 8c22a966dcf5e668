"""A link that breaks, pings that stop, and agents that stay away: the quicker and slower ways to lose an agent.

drain.md 1.4.4 to 1.5.3, 1.7; core.md 5.10.
"""

from __future__ import annotations

import pytest

from mesolite import Settings, Simulation
from mesolite.actors.decisions.contract import PeerExited
from mesolite.messages import (
    AgentLost,
    AgentRegistered,
    AgentReregistered,
    ApplyOperation,
    KillTask,
    PingAgent,
    PongAgent,
    ReregisterAgent,
    RescindOffer,
    StatusUpdate,
)
from mesolite.messages.registrar import MarkAgentUnreachable
from tests.scenarios.schedulers import (
    AWARE,
    CHECKPOINTED,
    EXECUTORS,
    FOR_EVER,
    PLAIN,
    Launcher,
    Recorder,
    about,
    check_books,
    command_task,
    counters,
    executor_task,
    fail_over,
    framework_of,
    leader_of,
    only,
)


def break_link(sim: Simulation, master: str = "master-1") -> None:
    """Let the master believe that agent-1 is gone, while it lives."""
    sim.inject(master, PeerExited("agent-1", 1), sender="agent-1")  # type: ignore[arg-type]


@pytest.mark.scenario("OneWayPartitionTest.MasterToSlave")
def test_an_agent_that_the_master_takes_for_disconnected_learns_it_by_ping(sim: Simulation) -> None:
    """It gets no offers, and the next ping makes it re-register (1.4.5, 1.5.1, EL-52, LP-29, TK-74)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework="framework")
    sim.settle()
    pings = sim.expect(PingAgent)
    back = sim.expect(AgentReregistered)

    break_link(sim)
    sim.settle()
    assert framework.names[-1] == "offer_rescinded"
    assert only(cluster.operator.state()["agents"])["active"] is False
    sim.advance(14.9)
    assert (pings.count, back.count) == (0, 0)
    sim.advance(2.0)

    assert pings.first.connected is False
    assert back.count == 1
    assert only(cluster.operator.state()["agents"])["active"] is True
    assert framework.lost_agents == []
    sim.advance(1.0)
    assert framework.names[-1] == "resource_offers"


@pytest.mark.parametrize("info", [PLAIN, AWARE], ids=["plain", "partition aware"])
def test_a_broken_link_loses_tasks_that_were_not_checkpointed_at_once(sim: Simulation, info: object) -> None:
    """LOST for AGENT_DISCONNECTED, aware or not; the offer goes first; no agent is lost (1.5.1, 1.5.2, FW-45)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"), executor_task("t2"), refuse_s=0)
    cluster.run(framework, framework=info, executors=EXECUTORS)  # type: ignore[arg-type]
    sim.advance(2.0)
    said = sim.expect((RescindOffer, StatusUpdate, AgentLost), sender="master-1")

    cluster.agents["agent-1"].crash()
    sim.settle()

    assert [type(message) for message in said.all] == [RescindOffer, StatusUpdate, StatusUpdate]
    for task_id in ("t1", "t2"):
        assert about(framework.updates(task_id)[-1]) == ("LOST", "MASTER", "AGENT_DISCONNECTED")
    agent = only(cluster.operator.state()["agents"])
    assert (agent["connected"], agent["active"], agent["tasks"], agent["executors"]) == (False, False, [], [])


def test_a_second_notice_of_a_broken_link_is_ignored(sim: Simulation) -> None:
    """Duplicates of it change nothing, and the countdown is not started again (1.5.1, LP-29, TK-75)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    break_link(sim)
    sim.settle()
    calls = len(framework.calls)

    break_link(sim)
    sim.settle()

    assert len(framework.calls) == calls


def test_checkpointed_tasks_outlive_their_agents_process(sim: Simulation) -> None:
    """Nothing is told when the link breaks; the restarted agent brings its task along (1.5.2, FW-44, FW-45)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    agent = cluster.agents["agent-1"]

    agent.crash()
    sim.advance(30.0)
    assert framework.states("t1") == ["STARTING", "RUNNING"]
    agent.restart()
    sim.advance(10.0)

    assert agent.registered
    assert framework.states("t1") == ["STARTING", "RUNNING"]
    assert [task["state"] for task in framework_of(cluster)["tasks"]] == ["TASK_RUNNING"]


def test_an_agent_that_stays_away_is_marked_by_its_pings_long_before_ten_minutes(sim: Simulation) -> None:
    """A crashed agent with checkpointed tasks: the health check wins over the re-registration timer (1.5.3)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    cluster.agents["agent-1"].crash()
    crashed_at = sim.now

    sim.run_until(lambda: framework.lost_agents, timeout=600.0)

    assert 60.0 <= sim.now - crashed_at <= 90.0
    assert about(framework.updates("t1")[-1]) == ("LOST", "MASTER", "AGENT_REMOVED")


def test_an_agent_that_answers_but_never_reregisters_is_marked_after_ten_minutes(sim: Simulation) -> None:
    """The timer is for agents that answer pings and do nothing else (1.5.3)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework="framework")
    sim.settle()
    sim.drop(ReregisterAgent)

    break_link(sim)
    sim.advance(599.0)
    assert framework.lost_agents == []
    sim.advance(1.0)

    assert framework.count("agent_lost") == 1
    counted = counters(cluster)
    assert (counted["slave_unreachable_scheduled"], counted["slave_unreachable_completed"]) == (1, 1)


def test_tasks_given_up_at_a_broken_link_run_on_unseen(sim: Simulation) -> None:
    """Neither restored nor killed when the agent reconnects; their updates still get through (1.5.2a)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    kills = sim.expect(KillTask, receiver="agent-1")
    break_link(sim)
    sim.advance(20.0)
    agent = only(cluster.operator.state()["agents"])
    assert (agent["connected"], agent["tasks"], kills.count) == (True, [], 0)
    assert str(framework.offers[-1].resources).startswith("cpus:4")

    driver.stop()
    sim.advance(20.0)

    assert len(sim.view.running()) == 0


def test_a_task_id_used_again_is_not_killed_for_what_its_predecessor_did(sim: Simulation) -> None:
    """A kill that was remembered for a lost task does not hit a later task of that id (RC-27)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    agent = cluster.agents["agent-1"]
    sim.drop(KillTask, receiver="agent-1", times=1)
    driver.kill_task("t1")
    sim.settle()
    agent.crash()
    sim.advance(5.0)
    assert framework.states("t1")[-1] == "LOST"
    agent.restart()
    sim.advance(15.0)
    driver.launch_tasks(framework.offers[-1], command_task("t1", FOR_EVER))
    sim.advance(1.0)

    break_link_and_return = sim.expect(AgentReregistered)
    sim.inject("agent-1", PingAgent(connected=False), sender="master-1")
    sim.advance(15.0)

    assert break_link_and_return.count == 1
    assert framework.states("t1")[-1] == "RUNNING"


@pytest.mark.scenario("SlaveTest.PingTimeoutNoPings")
def test_an_agent_that_gets_no_pings_looks_for_the_leader_again(mesolite_seed: int) -> None:
    """It counts on the total time-out it was told at registration, here 2 x 5 s (1.4.6, EL-53)."""
    settings = Settings.mesos().but(agent_ping_timeout_s=5.0, max_agent_ping_timeouts=2)
    with Simulation(seed=mesolite_seed, settings=settings) as sim:
        sim.drop(PingAgent)
        answers = sim.expect(AgentRegistered)
        asked = sim.expect(ReregisterAgent)
        cluster = sim.cluster(agents=1)
        agent_id = cluster.agents["agent-1"].id
        assert answers.first.total_ping_timeout_s == 10.0

        sim.advance(9.9)
        assert asked.count == 0
        sim.advance(1.2)

        assert asked.first.agent.id == agent_id


def test_agents_that_do_not_come_back_to_a_new_leader_are_lost_after_ten_minutes(sim: Simulation) -> None:
    """Known from the registry only: agent lost, and not a word of their tasks (1.7.1, 1.7.3, EL-41, EL-42)."""
    cluster = sim.cluster(agents=2, masters=2)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=CHECKPOINTED)
    sim.advance(1.0)
    gone = framework.updates("t1")[0].agent_id
    machine = next(agent for agent in cluster.agents.values() if agent.id == gone)
    machine.power_off()
    fail_over(sim, cluster)
    led_since = sim.now
    sim.advance(10.0)
    assert cluster.operator.state()["recovered_agents"] == [gone]
    updates = len(framework.updates("t1"))

    sim.run_until(lambda: framework.lost_agents, timeout=700.0)

    assert framework.lost_agents == [gone]
    assert sim.now == pytest.approx(led_since + 600.0)
    assert len(framework.updates("t1")) == updates
    assert len(cluster.operator.state()["agents"]) == 1


def test_an_agent_that_returns_while_it_is_being_marked_is_heard_afterwards(sim: Simulation) -> None:
    """Its re-registration is ignored during the write (1.3.1); a later attempt brings it back, with its task."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    sim.partition("agent-1", "master-1")
    held = sim.hold(ApplyOperation, where=lambda message: isinstance(message.operation, MarkAgentUnreachable))
    sim.run_until(lambda: held.count, timeout=100.0)
    sim.heal()
    asked = sim.expect(ReregisterAgent)
    sim.run_until(lambda: asked.count, timeout=100.0)
    sim.settle()
    assert framework.states("t1")[-1] == "RUNNING"

    held.release()
    sim.advance(60.0)

    assert framework.states("t1")[-2:] == ["UNREACHABLE", "RUNNING"]
    assert cluster.agents["agent-1"].registered


def test_two_tasks_of_one_id_are_reported_to_a_new_leader_and_the_second_ends(sim: Simulation) -> None:
    """Ours: the agent that comes second is told to kill its copy; Mesos would abort here."""
    cluster = sim.cluster(agents=2, masters=2)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    first = framework.updates("t1")[0].agent_id
    name = next(name for name, agent in cluster.agents.items() if agent.id == first)
    sim.inject(leader_of(cluster), PeerExited(name, 1), sender=name)  # type: ignore[arg-type]
    sim.settle()
    assert framework.states("t1")[-1] == "LOST"
    other = next(offer for offer in framework.offers if offer.agent_id != first)
    driver.launch_tasks(other, command_task("t1"))
    sim.advance(20.0)
    assert framework.states("t1")[-1] == "RUNNING"
    assert len(sim.view.running()) == 2

    fail_over(sim, cluster)
    sim.advance(30.0)

    assert len(sim.view.running()) == 1
    assert [task["state"] for task in framework_of(cluster)["tasks"]] == ["TASK_RUNNING"]


def test_more_tasks_than_an_agent_can_hold_are_reported_to_a_new_leader_and_the_last_end(sim: Simulation) -> None:
    """Ours: what was given up (1.5.2a) and does not fit beside what came after it is killed, the leader lives."""
    cluster = sim.cluster(agents=1, masters=2, resources="cpus:1;mem:512")
    framework = Launcher(command_task("t1", resources="cpus:1;mem:512"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    sim.inject(leader_of(cluster), PeerExited("agent-1", 1), sender="agent-1")  # type: ignore[arg-type]
    sim.advance(20.0)
    driver.launch_tasks(framework.offers[-1], command_task("t2", resources="cpus:1;mem:512"))
    sim.advance(1.0)
    assert len(sim.view.running()) == 2

    fail_over(sim, cluster)
    sim.advance(30.0)

    assert len(sim.view.running()) == 1
    assert len(framework_of(cluster)["tasks"]) == 1


def test_an_agent_runs_no_second_task_of_an_id_it_still_has(sim: Simulation) -> None:
    """Ours: the newcomer is dropped while the one that was given up runs on; afterwards the id is free again."""
    cluster = sim.cluster(agents=1, masters=2)
    framework = Launcher(executor_task("t1"))
    driver = cluster.run(framework, framework=AWARE, executors=EXECUTORS)
    sim.advance(1.0)
    break_link(sim, leader_of(cluster).name)
    sim.advance(20.0)
    assert framework.states("t1") == ["RUNNING", "LOST"]

    driver.launch_tasks(framework.offers[-1], executor_task("t1", executor_id="e2"))
    sim.advance(20.0)

    assert about(framework.updates("t1")[-1]) == ("DROPPED", "AGENT", "TASK_INVALID")
    assert framework.offers[-1].executor_ids == ("e1",)  # that lives, and e2 does not
    fail_over(sim, cluster)
    sim.advance(20.0)
    assert cluster.agents["agent-1"].registered
    assert [task["state"] for task in framework_of(cluster)["tasks"]] == ["TASK_RUNNING"]
    check_books(sim)


def test_a_pong_from_a_stranger_keeps_no_agent_alive(sim: Simulation) -> None:
    """Only the agent itself answers for itself (1.4.2)."""
    cluster = sim.cluster(agents=1)
    sim.drop(PongAgent)

    for _ in range(9):
        sim.inject("master-1", PongAgent(), sender="outside")
        sim.advance(10.0)

    assert cluster.operator.state()["agents"] == []
