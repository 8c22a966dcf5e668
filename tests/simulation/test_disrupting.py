"""What a test can do to actors and their connections: break a link, end a session, let a process stand still, kill."""

from __future__ import annotations

import pytest

from mesolite import Refused, Simulation
from mesolite.actors.decisions.contract import LinkBroken, TimerFired
from mesolite.actors.trace import Lost
from mesolite.messages import (
    AcceptOffers,
    PingAgent,
    PongAgent,
    ReregisterAgent,
    RunTask,
    SessionExpired,
    StatusUpdate,
    UnregisterAgent,
)
from tests.inside import executors_on
from tests.scenarios.schedulers import Launcher, command_task, leader_of


def _lost(sim: Simulation) -> list[tuple[str, str, str]]:
    return [
        (record.sender, record.actor, type(record.event.message).__name__)
        for record in sim.trace
        if isinstance(record.event, Lost) and record.event.why == "link broken"
    ]


def test_a_broken_link_loses_what_is_in_flight_and_both_hear_of_it(sim: Simulation) -> None:
    """Here an update; its agent registers again and says it again."""
    cluster = sim.cluster(agents=1)
    driver = cluster.run(Launcher(command_task("t1")), framework="web")
    sim.delay(1.0, StatusUpdate, receiver="master-1", times=1)
    sim.run_until(lambda: any(each.arrives_at > sim.now for each in sim.in_flight), timeout=30.0)
    heard = sim.observe(ReregisterAgent)

    sim.break_link("agent-1", "master-1")
    sim.advance(30.0)

    assert _lost(sim) == [("agent-1", "master-1", "StatusUpdate")]
    broken = [record.actor for record in sim.trace if isinstance(record.event, LinkBroken)]
    assert sorted(broken) == ["agent-1", "master-1"]
    assert heard.count == 1
    assert [task["state"] for task in cluster.operator.state()["frameworks"][0]["tasks"]] == ["TASK_RUNNING"]
    assert driver.still_running


def test_a_link_can_break_for_one_side_first(sim: Simulation) -> None:
    """The master hears of it; the agent does at the next ping, which says that it is not connected."""
    cluster = sim.cluster(agents=1)

    sim.break_link("master-1", "agent-1", both_ways=False)
    sim.settle()
    assert [record.actor for record in sim.trace if isinstance(record.event, LinkBroken)] == ["master-1"]
    assert not cluster.operator.state()["agents"][0]["connected"]

    sim.advance(30.0)
    assert cluster.operator.state()["agents"][0]["connected"]


def test_who_has_lost_something_hears_of_it_whoever_heard_first() -> None:
    """Only the agent hears that the link broke, and a launch was on it: the task must not be staging for ever."""
    slow = Simulation(seed=3, latency=(0.5, 0.5))
    cluster = slow.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework="web")
    launches = slow.observe(RunTask)
    accepted = slow.expect(AcceptOffers)
    slow.run_until(lambda: accepted.count, timeout=60)  # the launch that it leads to is on its way

    slow.break_link("agent-1", "master-1", both_ways=False)
    slow.advance(60.0)

    assert ("master-1", "agent-1", "RunTask") in _lost(slow)
    assert sorted(each.actor for each in slow.trace if isinstance(each.event, LinkBroken)) == ["agent-1", "master-1"]
    assert launches.count == 0
    assert framework.states("t1")[0] in ("LOST", "DROPPED")


def test_a_session_can_be_expired(sim: Simulation) -> None:
    """The leader loses its candidacy and ends; a standby leads (core.md EL-30)."""
    cluster = sim.cluster(agents=1, masters=2)
    leader = leader_of(cluster)
    told = sim.observe(SessionExpired)

    sim.expire_session(leader)
    sim.advance(30.0)

    assert told.count > 0
    assert not leader.alive
    assert leader_of(cluster) is not leader


def test_what_is_paused_handles_nothing_and_goes_on_in_order(sim: Simulation) -> None:
    """Pings wait; nothing breaks, until the master has missed five; then it handles all of them at once."""
    cluster = sim.cluster(agents=1)
    sim.pause("agent-1")
    sim.pause("agent-1")
    before = len(sim.trace)

    sim.advance(40.0)
    assert [record for record in sim.trace if record.index >= before and record.actor == "agent-1"] == []
    sim.resume("agent-1")
    sim.resume("agent-1")
    pongs = sim.observe(PongAgent)
    sim.settle()

    handled = [record.event for record in sim.trace if record.index >= before and record.actor == "agent-1"]
    assert [event for event in handled if isinstance(event, PingAgent)] == [PingAgent(connected=True)] * 2
    assert pongs.count == 2
    assert cluster.agents["agent-1"].registered


def test_an_agent_that_stands_still_too_long_is_unreachable_and_comes_back(sim: Simulation) -> None:
    """As after SIGSTOP and SIGCONT: what it had started lives on, its timers that were overtaken never fire."""
    cluster = sim.cluster(agents=1)
    sim.pause("agent-1")
    sim.advance(120.0)
    assert list(cluster.operator.state()["unreachable_agents"]) == [cluster.agents["agent-1"].id]

    sim.resume("agent-1")
    sim.advance(120.0)
    assert [agent["active"] for agent in cluster.operator.state()["agents"]] == [True]


def test_a_paused_actor_can_end(sim: Simulation) -> None:
    """What waited for it is refused, as by any actor that has ended, and its successor begins at once."""
    cluster = sim.cluster(agents=1)
    sim.pause("agent-1")
    sim.advance(40.0)
    cluster.agents["agent-1"].restart()
    sim.advance(30.0)

    assert cluster.agents["agent-1"].registered


def test_a_masters_registrar_stands_still_with_it(sim: Simulation) -> None:
    """They are one process: a leader that was paused past its session has lost the lead when it goes on."""
    cluster = sim.cluster(agents=1, masters=2)
    leader = leader_of(cluster)
    sim.pause(leader)
    before = len(sim.trace)
    sim.advance(30.0)

    handling = {record.actor for record in sim.trace if record.index >= before}
    assert leader.name not in handling
    assert f"{leader.name}/registrar" not in handling
    sim.resume(leader)
    sim.advance(10.0)
    assert not leader.alive
    assert leader_of(cluster) is not leader


def test_an_executor_or_a_scheduler_can_be_killed_and_a_daemon_cannot(sim: Simulation) -> None:
    """The executor's task fails; for daemons there are machines."""
    cluster = sim.cluster(agents=1)
    scheduler = Launcher(command_task("t1"))
    driver = cluster.run(scheduler, framework="web")
    sim.advance(10.0)
    [executor] = executors_on(sim, "agent-1")

    sim.kill(executor)
    sim.settle()
    assert scheduler.states("t1")[-1] == "FAILED"
    sim.kill(driver)
    sim.settle()
    assert cluster.operator.state()["frameworks"] == []
    with pytest.raises(Refused, match=r"agent-1 is no executor or scheduler; crash\(\)"):
        sim.kill("agent-1")
    with pytest.raises(Refused, match="nobody named web to pause"):
        sim.pause("web")


def test_timers_of_a_paused_actor_fire_when_it_goes_on(sim: Simulation) -> None:
    """They came due meanwhile; each once."""
    sim.cluster(agents=1)
    sim.pause("master-1")
    sim.advance(60.0)
    before = len(sim.trace)
    sim.resume("master-1")
    sim.settle()

    fired = [record.event for record in sim.trace if record.index >= before and record.actor == "master-1"]
    assert any(isinstance(event, TimerFired) for event in fired)
    assert not any(isinstance(event, UnregisterAgent) for event in fired)


def test_groups_can_be_cut_off_from_each_other(sim: Simulation) -> None:
    """By names or handles, in one verb, and healed by one; inside a group everything passes."""
    cluster = sim.cluster(agents=3)
    cluster.operator.state()
    sim.partition([cluster.agents["agent-1"], "agent-2"], ["master-1", "elector"])
    sim.advance(100.0)
    assert sorted(agent.name for agent in sim.view.agents) == ["agent-3"]

    sim.heal(["agent-1", "agent-2"], ["master-1", "elector"])
    sim.advance(120.0)
    assert sorted(agent.name for agent in sim.view.agents) == ["agent-1", "agent-2", "agent-3"]
    assert "sim.partition(['agent-1', 'agent-2'], ['master-1', 'elector'])" in sim.trace.text()
    with pytest.raises(Refused, match="there never was anybody named agnet"):
        sim.partition(["agent-1", "agnet"], "master-1")
