"""`sim.recover()`: what counts as mended, before anybody is held to what must come true."""

from __future__ import annotations

from mesolite import FrameworkInfo, Simulation
from mesolite.messages import AgentLost
from tests.scenarios.schedulers import Launcher, command_task, leader_of

SEEDS = 6


def test_what_is_lost_is_known_to_be_lost_before_the_demands_begin() -> None:
    """A new leader gives agents ten minutes to come back (drain.md 1.7.1); those are no part of anybody's own time."""
    lost = []
    for seed in range(SEEDS):
        sim = Simulation(seed)
        cluster = sim.cluster(agents=3, masters=2)
        for agent in cluster.agents.values():
            agent.power_off()
        leader_of(cluster).crash()
        sim.eventually(lambda sim=sim: sim.view.awaited == (), within=0)  # type: ignore[misc]

        sim.recover()

        alive = sorted(name for name, agent in cluster.agents.items() if agent.alive)
        assert sorted(agent.name for agent in sim.view.agents) == alive
        assert sorted({*cluster.agents} - {*alive}) == sorted(sim.lost_for_good)
        lost.append(len(sim.lost_for_good))

    assert sorted(set(lost)) == [0, 1]


def test_who_never_returns_takes_what_ran_there_along() -> None:
    """A daemon that crashed leaves tasks running; a machine that is lost does not, or they would run for ever."""
    running = []
    for seed in range(SEEDS):
        sim = Simulation(seed)
        cluster = sim.cluster(agents=3)
        info = FrameworkInfo(name="mine", checkpoint=True, failover_timeout_s=3600)
        cluster.run(Launcher(command_task("t1")), framework=info)
        sim.advance(2.0)
        (its_agent,) = [cluster.agents[task.agent] for task in sim.view.running()]
        its_agent.crash()

        sim.recover()

        assert len(sim.view.running()) == its_agent.alive
        running.append(its_agent.alive)

    assert sorted(set(running)) == [False, True]


def test_a_leader_that_was_paused_too_long_is_not_taken_for_one() -> None:
    """It believes that it leads, and its agent is registered; its successor is dead and cannot object."""
    sim = Simulation()
    cluster = sim.cluster(agents=1, masters=2)
    first = leader_of(cluster)
    sim.pause(first)
    sim.advance(60.0)
    second = leader_of(cluster)
    terms = (first.term, second.term)
    second.power_off()

    sim.recover()

    assert leader_of(cluster).term not in terms
    assert [agent.connected for agent in sim.view.agents] == [True]
    assert first.alive


def test_who_dies_of_what_was_on_its_way_is_started_again() -> None:
    """A session that was ended just before ends its leader just after faults have stopped."""
    sim = Simulation(latency=(0.2, 0.3))
    cluster = sim.cluster(agents=1)
    sim.advance(30.0)
    sim.expire_session("master-1")
    lost = sim.expect(AgentLost)

    sim.recover()

    assert cluster.masters["master-1"].alive
    assert [agent.connected for agent in sim.view.agents] == [True]
    assert lost.count == 0
