"""Probes: actors that only the test speaks for, absent ones and those that are taken out."""

from __future__ import annotations

import pytest

from mesolite import (
    FrameworkInfo,
    InvalidValue,
    NotAsExpected,
    Probe,
    Refused,
    Resources,
    Simulation,
    Source,
    TaskState,
    TaskStatus,
)
from mesolite.harness.checkers import STANDARD, Checkers
from mesolite.harness.schedulers import Endless
from mesolite.messages import (
    AgentInfo,
    AgentRegistered,
    AgentReregistered,
    FrameworkRegistered,
    KillTask,
    PingAgent,
    PongAgent,
    RegisterAgent,
    ReregisterAgent,
    ResourceOffers,
    RunTask,
    StatusUpdate,
    StatusUpdateAcknowledgement,
    Subscribe,
)


def registered(sim: Simulation, name: str = "agent-9") -> tuple[Probe, str]:
    """An agent that only the test speaks for, and its id."""
    probe = sim.probe(name)
    probe.send("master-1", RegisterAgent(agent=AgentInfo(hostname="h9", resources=Resources.of("cpus:2;mem:512"))))
    return probe, probe.expect(AgentRegistered, within=5).agent_id


def test_an_agent_that_only_the_test_speaks_for(sim: Simulation) -> None:
    """It is offered, given a task, and believed about it."""
    cluster, scheduler = sim.cluster(agents=0), Endless()
    probe, agent_id = registered(sim)
    driver = cluster.run(scheduler, framework="mine")

    run = probe.expect(RunTask, within=5)
    assert (run.task.task_id, probe.sender) == ("t1", "master-1")
    status = TaskStatus(
        task_id="t1", state=TaskState.TASK_RUNNING, agent_id=agent_id, uuid="u1", source=Source.SOURCE_EXECUTOR
    )
    update = StatusUpdate(framework_id=run.framework_id, status=status, latest_state=TaskState.TASK_RUNNING)
    probe.send(probe.sender, update)
    assert probe.expect(StatusUpdateAcknowledgement, within=5).uuid == "u1"
    assert scheduler.told["t1"].state is TaskState.TASK_RUNNING
    driver.kill_task("t1")
    assert probe.expect(KillTask, within=5).task_id == "t1"


def test_what_it_says_and_hears_is_in_the_trace(sim: Simulation) -> None:
    """Under the name of the actor, with the code that says it as its cause."""
    sim.cluster(agents=0)
    registered(sim)

    lines = [line[11:].strip() for line in sim.trace.text().splitlines()]
    assert "sim.probe('agent-9')" in lines
    assert "agent-9.send('master-1', RegisterAgent(...))" in lines
    (index,) = (record.index for record in sim.trace if type(record.event) is AgentRegistered)
    assert sim.trace.why(index).splitlines()[-1].endswith("agent-9.send('master-1', RegisterAgent(...))")


def test_a_scheduler_that_only_the_test_speaks_for(sim: Simulation) -> None:
    """It subscribes, and is made an offer."""
    sim.cluster(agents=1)
    probe = sim.probe("mine")
    probe.send("master-1", Subscribe(framework_info=FrameworkInfo(name="mine")))

    assert probe.expect(FrameworkRegistered, within=5).framework_id == "m1-F1"
    (offer,) = probe.expect(ResourceOffers, within=5).offers
    assert offer.framework_id == "m1-F1"


def test_nobody_notices_that_an_agent_was_taken_out(sim: Simulation) -> None:
    """What is said to it the probe hears, and what ran there is gone; links break when the probe ends, not before."""
    cluster, scheduler = sim.cluster(agents=1), Endless()
    cluster.run(scheduler, framework="mine")
    sim.advance(5.0)
    probe = sim.probe("probe", instead_of=cluster.agents["agent-1"])

    assert str(probe) == "probe (instead of agent-1)"
    assert sim.view.running() == ()
    for _ in range(3):
        assert probe.expect(PingAgent, within=20).connected
        probe.send(probe.sender, PongAgent())
    sim.advance(10.0)
    assert sim.view.agents[0].connected
    probe.stop()
    sim.advance(1.0)
    assert not sim.view.agents[0].connected

    cluster.agents["agent-1"].restart()
    sim.advance(60.0)
    assert sim.view.agents[0].connected


def test_a_master_that_only_the_test_speaks_for(sim: Simulation) -> None:
    """It has been elected, so agents come to it until its session is over; then another leads."""
    cluster = sim.cluster(agents=1, masters=2)
    probe = sim.probe("probe", instead_of=cluster.leader)
    assert cluster.leader is None
    cluster.agents["agent-1"].restart()

    asked = probe.expect(ReregisterAgent, within=9)
    assert asked.agent.id == cluster.agents["agent-1"].id
    probe.send(probe.sender, AgentReregistered(agent_id=asked.agent.id, total_ping_timeout_s=75.0, life=asked.life))
    sim.advance(1.0)
    assert cluster.agents["agent-1"].registered
    sim.run_until(lambda: cluster.leader is not None, timeout=60)
    assert sim.view.leader not in (None, probe.actor)


def test_an_executor_that_only_the_test_speaks_for(sim: Simulation) -> None:
    """It is told to kill its task, and says what it likes."""
    cluster, scheduler = sim.cluster(agents=1), Endless()
    driver = cluster.run(scheduler, framework="mine")
    sim.advance(5.0)
    probe = sim.probe("probe", instead_of="agent-1/m1-F1/t1")
    driver.kill_task("t1")

    kill = probe.expect(KillTask, within=5)
    agent_id, finished = cluster.agents["agent-1"].id, TaskState.TASK_FINISHED
    status = TaskStatus(task_id="t1", state=finished, uuid="u1", agent_id=agent_id, executor_id="t1")
    said = StatusUpdate(framework_id=kill.framework_id, status=status, latest_state=TaskState.TASK_FINISHED)
    probe.send(probe.sender, said)
    sim.advance(1.0)
    assert scheduler.told["t1"].state is TaskState.TASK_FINISHED
    probe.expect_nothing(KillTask, within=10)


def test_what_was_expected_stays_expected_once(sim: Simulation) -> None:
    """Each message is returned once, the oldest first, whatever came between."""
    sim.cluster(agents=0)
    probe, _ = registered(sim)
    sim.advance(20.0)

    for _ in range(2):
        probe.expect(PingAgent, within=0)
    with pytest.raises(NotAsExpected):
        probe.expect(PingAgent, within=0)
    assert sorted((heard.time, heard.sender, type(heard.message).__name__) for heard in probe.heard) == [
        (0.0, "master-1", "AgentRegistered"),
        (0.0, "master-1", "PingAgent"),
        (15.0, "master-1", "PingAgent"),
    ]


def test_what_does_not_come_is_an_error_that_names_what_came(sim: Simulation) -> None:
    """And who waits for what; it takes the time that was given."""
    sim.cluster(agents=0).run(Endless(), framework="mine")
    probe, _ = registered(sim)
    began = sim.now

    with pytest.raises(NotAsExpected) as caught:
        probe.expect(KillTask, within=40)
    text = str(caught.value)
    assert sim.now == began + 40.0
    assert f"agent-9 has not heard KillTask within 40 virtual seconds (it is {sim.now:.3f} now, seed 0)" in text
    heard = "3 PingAgent from master-1, the last at 30.000, RunTask from master-1 at 0.000"
    assert f"it heard {heard}; 1 more were expected before" in text
    assert f"agent-9: a probe, and only the test speaks for it; heard and not expected so far: {heard}" in text
    assert "mine: DRIVER_RUNNING, connected, offers held: 0" in text


def test_what_comes_and_should_not_is_an_error_at_once(sim: Simulation) -> None:
    """Heartbeats count only if they are named; what was heard before does not count."""
    cluster = sim.cluster(agents=0)
    probe, _ = registered(sim)
    probe.expect_nothing(within=60)
    began = sim.now
    cluster.run(Endless(), framework="mine")

    with pytest.raises(NotAsExpected, match=r"agent-9 should have heard nothing for 10 .* master-1 said to it .*Run"):
        probe.expect_nothing(within=10)
    assert sim.now < began + 10.0
    with pytest.raises(NotAsExpected, match="should have heard no PingAgent for 20"):
        probe.expect_nothing(PingAgent, within=20)


def test_checkers_judge_no_more(sim: Simulation) -> None:
    """They take it for granted that an agent is one."""
    checkers = Checkers(sim, [checker() for checker in STANDARD])
    cluster = sim.cluster(agents=1)
    cluster.run(Endless(), framework="mine")
    sim.advance(5.0)
    assert checkers.checkers
    sim.probe("probe", instead_of="agent-1")
    sim.advance(200.0)

    assert not checkers.checkers
    assert checkers.first is None
    assert checkers.unfinished() == []


def test_a_run_with_a_probe_is_repeated_exactly() -> None:
    """By the same calls."""

    def traced() -> str:
        sim = Simulation(seed=4, latency=(0.001, 0.05))
        sim.cluster(agents=1).run(Endless(), framework="mine")
        registered(sim)
        sim.advance(100.0)
        return sim.trace.hash()

    assert traced() == traced()


def test_errors_say_what_would_work(sim: Simulation) -> None:
    """Names that are taken, actors that are not there, messages that are none."""
    cluster = sim.cluster(agents=1)
    with pytest.raises(Refused, match=r"agent-1 is alive; .* probe\(name, instead_of='agent-1'\)"):
        sim.probe("agent-1")
    with pytest.raises(Refused, match="there is nobody named agent-7 to stand in for; there are elector"):
        sim.probe("probe", instead_of="agent-7")
    probe = sim.probe("probe", instead_of=cluster.agents["agent-1"])
    with pytest.raises(Refused, match="there never was anybody named mastre-1; perhaps master-1 is meant"):
        probe.send("mastre-1", PongAgent())
    with pytest.raises(InvalidValue, match="say to whom"):
        probe.send(None, PongAgent())
    with pytest.raises(InvalidValue, match="within"):
        probe.expect(PingAgent, within=-1)
    probe.stop()
    probe.stop()
    with pytest.raises(Refused, match=r"probe \(instead of agent-1\) has ended, so it can say nothing"):
        probe.send("master-1", PongAgent())
