"""Connections that are cut and healed: what is lost, and who hears that it is (core.md LP-28)."""

from __future__ import annotations

import pytest

from mesolite import Refused, Simulation
from mesolite.actors.decisions.contract import LinkBroken, PeerExited
from mesolite.messages.agent import PingAgent, PongAgent, RegisterAgent
from mesolite.messages.relayed import KillTask
from mesolite.simulation.simulation import SimulatedCluster
from tests.simulation.listening import Listener, lost


@pytest.fixture
def cluster(sim: Simulation) -> SimulatedCluster:
    return sim.cluster(agents=2)


def test_a_partition_lets_nothing_pass_either_way(sim: Simulation, cluster: SimulatedCluster) -> None:
    """Nobody is told: no link breaks. After 75 to 90 s the master gives the agent up."""
    ends = sim.expect(PeerExited)
    sim.partition("agent-1", "master-1")

    sim.advance(60.0)
    assert len(cluster.operator.state()["agents"]) == 2
    sim.advance(40.0)

    assert [agent["hostname"] for agent in cluster.operator.state()["agents"]] == ["agent-2"]
    assert ends.count == 0
    assert ("master-1", "agent-1", "PingAgent", "cut") in lost(sim)


def test_a_partition_may_be_one_way(sim: Simulation, cluster: SimulatedCluster) -> None:
    """Pings arrive, and their answers do not."""
    pings, pongs = sim.expect(PingAgent, receiver="agent-1"), sim.expect(PongAgent, sender="agent-1")

    sim.partition("agent-1", "master-1", both_ways=False)
    sim.advance(15.0)

    assert (pings.count, pongs.count) == (1, 0)


def test_a_healed_partition_lets_pass_again(sim: Simulation, cluster: SimulatedCluster) -> None:
    """Within the time-out nothing has happened."""
    sim.partition(cluster.agents["agent-1"], cluster.masters["master-1"])
    sim.advance(40.0)
    registrations = sim.expect(RegisterAgent)

    sim.heal()
    sim.advance(100.0)

    assert len(cluster.operator.state()["agents"]) == 2
    assert registrations.count == 0


def broken(sim: Simulation) -> list[tuple[str, str]]:
    """Who learned that the connection to whom has broken."""
    return [(record.actor, record.event.name) for record in sim.trace if isinstance(record.event, LinkBroken)]


@pytest.mark.parametrize("both_ways", [True, False])
def test_a_connection_that_has_lost_something_has_broken(
    sim: Simulation, cluster: SimulatedCluster, both_ways: bool
) -> None:
    """When it heals both ends learn it, once, after all that did arrive (core.md LP-28)."""
    driver = cluster.run(Listener(), "listener")
    sim.settle()
    sim.partition("listener", "master-1", both_ways=both_ways)
    driver.kill_task("t1")
    driver.kill_task("t2")
    sim.advance(1.0)
    assert broken(sim) == []

    sim.heal()
    sim.heal()
    sim.settle()

    assert sorted(broken(sim)) == [("listener", "master-1"), ("master-1", "listener")]
    assert sim.runtime.network.cuts == {}


def test_a_connection_that_has_lost_only_what_is_said_again_has_not_broken(
    sim: Simulation, cluster: SimulatedCluster
) -> None:
    """Pings, and registrations that are repeated until they are answered."""
    sim.partition("agent-1", "master-1")
    sim.advance(200.0)
    assert ("agent-1", "master-1", "ReregisterAgent", "cut") in lost(sim)

    sim.heal()
    sim.settle()

    assert broken(sim) == []


def test_only_the_connections_that_are_healed_have_broken(sim: Simulation, cluster: SimulatedCluster) -> None:
    """The other is still cut."""
    drivers = [cluster.run(Listener(), name) for name in ("one", "other")]
    sim.settle()
    for driver in drivers:
        sim.partition(driver, "master-1")
        driver.kill_task("t1")
    sim.settle()

    sim.heal("one")
    sim.settle()
    assert sorted(broken(sim)) == [("master-1", "one"), ("one", "master-1")]
    sim.heal("master-1")
    sim.settle()

    assert sorted(broken(sim)[2:]) == [("master-1", "other"), ("other", "master-1")]


def test_who_ended_behind_a_partition_has_ended_when_it_heals(sim: Simulation, cluster: SimulatedCluster) -> None:
    """A link that breaks cannot be told through a cut; the news is only late (core.md LP-24, LP-52)."""
    ends = sim.expect(PeerExited, receiver="master-1")
    sim.partition("agent-1", "master-1")
    cluster.agents["agent-1"].crash()
    sim.advance(5.0)
    assert ends.count == 0

    sim.heal()
    sim.settle()

    assert [(end.name, end.incarnation, end.status) for end in ends.all] == [("agent-1", 1, -9)]
    assert broken(sim) == []


def test_news_of_an_end_is_for_the_life_that_waited_for_it(sim: Simulation, cluster: SimulatedCluster) -> None:
    """A master that was restarted behind the partition has not linked to anybody (core.md LP-11)."""
    sim.partition("agent-1", "master-1")
    cluster.agents["agent-1"].crash()
    sim.settle()
    cluster.masters["master-1"].restart()

    sim.heal()
    sim.settle()

    ends = [record for record in sim.trace if isinstance(record.event, PeerExited) and record.actor == "master-1"]
    assert [record.event.name for record in ends if record.event.name == "agent-1"] == []


def test_a_message_that_is_dropped_breaks_nothing(sim: Simulation, cluster: SimulatedCluster) -> None:
    """That is what no real connection does, and what a test may want to see (docs/testing.md)."""
    driver = cluster.run(Listener(), "listener")
    sim.settle()
    sim.drop(KillTask)
    driver.kill_task("t1")
    sim.settle()

    sim.heal()
    sim.settle()

    assert ("listener", "master-1", "KillTask", "dropped") in lost(sim)
    assert broken(sim) == []


def test_healing_may_be_for_one_actor_only(sim: Simulation, cluster: SimulatedCluster) -> None:
    """The other stays cut off."""
    sim.partition("agent-1", "master-1")
    sim.partition("agent-2", "master-1")
    pongs = sim.expect(PongAgent)

    sim.heal("agent-1")
    sim.advance(15.0)

    assert [parcel.sender for parcel in pongs.matched] == ["agent-1"]


def test_cutting_off_whom_nobody_knows_is_refused(sim: Simulation, cluster: SimulatedCluster) -> None:
    """A typing error would otherwise be a test that tests nothing."""
    with pytest.raises(Refused, match=r"there never was anybody named agnet-1; there are .*agent-1"):
        sim.partition("agnet-1", "master-1")
