"""Maintenance: the schedule, what it does to offers, machines down and up, and who survives a failover (drain.md 5).

Mesos's siblings of these tests that are about who may do it have no counterpart: there is no authorisation here.
"""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import MachineId, Refused, Simulation, Unavailability, Window
from mesolite.messages import ReregisterAgent, ShutdownAgent
from mesolite.messages.ids import AgentId
from mesolite.messages.infos import AgentInfo
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import (
    AWARE,
    PLAIN,
    Launcher,
    Recorder,
    about,
    check_books,
    command_task,
    fail_over,
    only,
)


def in_a_minute(cluster: SimulatedCluster, *machines: Any, enforce: bool = False) -> Window:
    """These machines are unavailable in a minute, for two."""
    unavailability = Unavailability(start=cluster.now + 60.0, duration_s=120.0)
    return Window(machines=machines, unavailability=unavailability, enforce=enforce)


def modes(cluster: SimulatedCluster) -> tuple[list[str], list[str]]:
    """The host names of the machines that are DRAINING and of those that are DOWN."""
    status = cluster.operator.maintenance_status()
    return tuple([each["hostname"] for each in status[key]] for key in ("draining_machines", "down_machines"))  # type: ignore[return-value]


# --- the schedule ---------------------------------------------------------------------------------------------------


@pytest.mark.scenario("MasterMaintenanceTest.PendingUnavailabilityTest")
def test_a_scheduled_agent_is_offered_anew_and_asked_back(sim: Simulation) -> None:
    """Its offer is rescinded, made again with the times, and then asked for; after that all is quiet (5.2.6, 5.2.7)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    sim.settle()
    before = only(framework.offers)
    assert before.unavailability is None
    window = in_a_minute(cluster, "agent-1")

    cluster.operator.update_maintenance_schedule([window])
    sim.settle()

    assert framework.rescinded == [before.id]
    assert framework.names[1:] == ["resource_offers", "offer_rescinded", "resource_offers", "inverse_offers"]
    assert framework.offers[-1].unavailability == window.unavailability
    asked = only(framework.asked)
    assert (asked.agent_id, asked.unavailability, asked.enforced) == (before.agent_id, window.unavailability, False)
    sim.advance(10.0)
    assert (len(framework.offers), len(framework.asked)) == (2, 1)
    check_books(sim)


def test_only_agents_of_which_something_changes_lose_their_offers(sim: Simulation) -> None:
    """Ours: Mesos rescinds every offer in the cluster at every post, even at an identical one (5.2.6, 10.2)."""
    cluster = sim.cluster(agents=2)
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    sim.settle()
    window = in_a_minute(cluster, "agent-1")

    cluster.operator.update_maintenance_schedule([window])
    sim.settle()
    assert [offer.hostname for offer in framework.offers if offer.id in framework.rescinded] == ["agent-1"]
    for same in ([window], [Window(machines=["AGENT-1", "elsewhere"], unavailability=window.unavailability)]):
        cluster.operator.update_maintenance_schedule(same)
        sim.advance(5.0)

    assert len(framework.rescinded) == 1
    assert (len(framework.asked), framework.asked_no_more) == (1, [])


def test_other_times_begin_everything_anew(sim: Simulation) -> None:
    """Offers and inverse offers of the old times are rescinded, answers forgotten, and all is asked again (5.2.6)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"), refuse_s=0)
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(2.0)
    cluster.operator.update_maintenance_schedule([in_a_minute(cluster, "agent-1")])
    sim.settle()
    driver.decline_inverse_offers(framework.asked[0])
    sim.settle()
    later = Window(machines=["agent-1"], unavailability=Unavailability(start=cluster.now + 600.0))

    cluster.operator.update_maintenance_schedule([later])
    sim.settle()

    assert [asked.unavailability for asked in framework.asked][1:] == [later.unavailability]
    assert framework.offers[-1].unavailability == later.unavailability
    assert framework.offers[-2].id in framework.rescinded
    assert only(cluster.operator.maintenance_status()["draining_machines"])["agents"][0]["answers"] == []


def test_an_empty_schedule_cancels_all_maintenance(sim: Simulation) -> None:
    """Machines not listed any more are UP: offers lose their times, nobody is asked any longer (5.2.3, 5.2.5)."""
    cluster = sim.cluster(agents=1)
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    cluster.operator.update_maintenance_schedule([in_a_minute(cluster, "agent-1")])
    sim.settle()
    assert modes(cluster) == (["agent-1"], [])

    cluster.operator.update_maintenance_schedule([])
    sim.advance(10.0)

    assert (cluster.operator.maintenance_schedule(), modes(cluster)) == ([], ([], []))
    assert framework.asked_no_more == [only(framework.asked).id]
    assert framework.offers[-1].unavailability is None
    assert framework.rescinded == [offer.id for offer in framework.offers[:-1]]
    check_books(sim)


def test_times_are_stored_copied_and_shown_and_nothing_else(sim: Simulation) -> None:
    """Before, during and after it offers carry the times, tasks run, the mode is DRAINING (5.3.1, 5.4.1, 5.11.1)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"), refuse_s=0)
    driver = cluster.run(framework, framework=PLAIN)
    window = in_a_minute(cluster, "agent-1")
    cluster.operator.update_maintenance_schedule([window])
    sim.advance(2.0)
    for _ in ("before", "during", "after"):
        driver.decline_offer(framework.offers[-1])
        count = len(framework.offers)
        sim.advance(90.0)

        assert len(framework.offers) == count + 1
        assert framework.offers[-1].unavailability == window.unavailability
        assert modes(cluster) == (["agent-1"], [])
    assert framework.states("t1") == ["STARTING", "RUNNING"]
    assert cluster.operator.maintenance_schedule() == [
        {
            "machines": [{"hostname": "agent-1", "ip": ""}],
            "start": window.unavailability.start,
            "duration_s": 120.0,
            "enforce": False,
        }
    ]


@pytest.mark.parametrize(
    "windows",
    [
        [Window(machines=[], unavailability=Unavailability(start=0))],
        [Window(machines=[MachineId()], unavailability=Unavailability(start=0))],
        [Window(machines=[MachineId(hostname="agent-2", ip="here")], unavailability=Unavailability(start=0))],
        [Window(machines=["agent-2"], unavailability=Unavailability(start=0))] * 2,
    ],
)
def test_a_schedule_that_is_refused_changes_nothing(sim: Simulation, windows: list[Window]) -> None:
    """The old schedule and all offers stand (5.2.1; all refusals are in tests/rules/test_maintenance.py)."""
    cluster = sim.cluster(agents=2)
    framework = Recorder()
    cluster.run(framework, framework=PLAIN)
    cluster.operator.update_maintenance_schedule([in_a_minute(cluster, "agent-1")])
    sim.settle()
    before, calls = cluster.operator.maintenance_schedule(), len(framework.calls)

    with pytest.raises(Refused, match=r"schedule"):
        cluster.operator.update_maintenance_schedule(windows)
    sim.advance(3.0)

    assert cluster.operator.maintenance_schedule() == before
    assert len(framework.calls) == calls


def test_what_is_not_checked_is_taken(sim: Simulation) -> None:
    """A start in the past, windows that overlap, machines nobody has heard of (5.2.2)."""
    cluster = sim.cluster(agents=1)
    past = Window(machines=["nobody", "agent-1"], unavailability=Unavailability(start=-60.0, duration_s=30.0))

    cluster.operator.update_maintenance_schedule([past, in_a_minute(cluster, "nobody else")])

    assert modes(cluster) == (["nobody", "agent-1", "nobody else"], [])


def test_a_draining_machine_takes_agents_and_offers_them(sim: Simulation) -> None:
    """An agent that registers from a scheduled machine is offered with its times at once (5.3.2, 1.2.5)."""
    cluster = sim.cluster(agents=0)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    window = in_a_minute(cluster, MachineId(hostname="Rack-1", ip="10.0.0.1"))
    cluster.operator.update_maintenance_schedule([window])

    cluster.add_agent("near", hostname="rack-1", ip="10.0.0.1")
    cluster.add_agent("other", hostname="rack-1", ip="10.0.0.2")
    sim.advance(10.0)

    assert {offer.unavailability for offer in framework.offers} == {window.unavailability, None}
    assert framework.states("t1") == ["STARTING", "RUNNING"]
    assert {asked.agent_id for asked in framework.asked} == {cluster.agents["near"].id}


# --- down and up ----------------------------------------------------------------------------------------------------


@pytest.mark.scenario("MasterMaintenanceTest.EnterMaintenanceMode")
def test_a_machine_that_goes_down_takes_its_agents_with_it(sim: Simulation) -> None:
    """ShutdownAgent, tasks LOST, agent lost; DOWN, its agents are refused; UP, they are taken in (5.5.2, 5.3.3)."""
    cluster = sim.cluster(agents=2)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=PLAIN)
    sim.advance(1.0)
    agent = next(each for each in cluster.agents.values() if each.id == framework.updates("t1")[0].agent_id)
    other = next(each for each in cluster.agents.values() if each is not agent)
    cluster.operator.update_maintenance_schedule([in_a_minute(cluster, agent.name)])
    told = sim.expect(ShutdownAgent)

    cluster.operator.machine_down([agent])
    sim.advance(10.0)

    lost = framework.updates("t1")[-1]
    assert (*about(lost), str(lost.cause)) == ("LOST", "MASTER", "AGENT_REMOVED", "MACHINE_DOWN")
    assert framework.lost_agents == [agent.id]
    assert (told.count, agent.alive, other.registered) == (1, False, True)
    assert modes(cluster) == ([], [agent.name])

    agent.restart()  # it has an id: it re-registers (1.3.3)
    cluster.add_agent("newcomer", hostname=agent.name)  # it has none: it registers (1.2.2)
    sim.advance(3.0)
    assert told.count == 3
    assert (agent.alive, cluster.agents["newcomer"].alive) == (False, False)
    assert len(cluster.operator.state()["agents"]) == 1

    cluster.operator.machine_up([agent])
    agent.restart()
    cluster.agents["newcomer"].restart()
    sim.advance(10.0)
    assert (agent.registered, cluster.agents["newcomer"].registered, told.count) == (True, True, 3)
    assert (cluster.operator.maintenance_schedule(), modes(cluster)) == ([], ([], []))
    assert all(offer.unavailability is None for offer in framework.offers[-2:])
    check_books(sim)


@pytest.mark.scenario("MasterMaintenanceTest.BringDownMachines")
def test_which_machines_can_be_taken_down(sim: Simulation) -> None:
    """Only scheduled ones that are draining still, and all of a list or none (5.5.1, 5.5.6: nobody need be there)."""
    cluster = sim.cluster(agents=1)
    operator = cluster.operator
    with pytest.raises(Refused, match=r"machine agent-1 is UP: it is not in the schedule; schedule it first"):
        operator.machine_down(["agent-1"])
    operator.update_maintenance_schedule([in_a_minute(cluster, "agent-1", "nobody")])
    with pytest.raises(Refused, match=r"no machine was named"):
        operator.machine_down([])
    with pytest.raises(Refused, match=r"neither a hostname nor an ip"):
        operator.machine_down([MachineId()])

    operator.machine_down(["nobody"])
    with pytest.raises(Refused, match=r"machine nobody is DOWN: it is down already"):
        operator.machine_down(["nobody"])
    with pytest.raises(Refused, match=r"machine nobody is DOWN: it is down already"):
        operator.machine_down(["agent-1", "nobody"])

    assert modes(cluster) == (["agent-1"], ["nobody"])
    assert cluster.agents["agent-1"].registered
    operator.machine_down(["agent-1"])
    assert modes(cluster) == ([], ["nobody", "agent-1"])


@pytest.mark.scenario("MasterMaintenanceTest.FailToUnscheduleDeactivatedMachines")
def test_a_machine_that_is_down_cannot_be_unscheduled(sim: Simulation) -> None:
    """It has to come up first; the schedule that leaves it out is refused as a whole (5.2.1)."""
    cluster = sim.cluster(agents=0)
    operator = cluster.operator
    operator.update_maintenance_schedule([in_a_minute(cluster, "one", "two")])
    operator.machine_down(["one"])

    for without in ([in_a_minute(cluster, "two")], []):
        with pytest.raises(Refused, match=r"machine one is DOWN and not in the schedule; bring it up first"):
            operator.update_maintenance_schedule(without)

    assert modes(cluster) == (["two"], ["one"])
    operator.machine_up(["one"])
    operator.update_maintenance_schedule([])
    assert modes(cluster) == ([], [])


@pytest.mark.scenario("MasterAPITest.StartAndStopMaintenance")
def test_a_machine_that_comes_up_takes_its_window_along(sim: Simulation) -> None:
    """Started and stopped, the machine is out of the schedule, and so is the window it was alone in (5.5.5)."""
    cluster = sim.cluster(agents=0)
    operator = cluster.operator
    single, pair = in_a_minute(cluster, "one"), in_a_minute(cluster, "two", "three")
    operator.update_maintenance_schedule([single, pair])
    for machine in ("one", "two"):
        with pytest.raises(Refused, match=rf"machine {machine} is DRAINING: it is only scheduled"):
            operator.machine_up([machine])

    operator.machine_down(["one", "two"])
    assert len(operator.maintenance_schedule()) == 2
    operator.machine_up(["one"])
    assert [[machine["hostname"] for machine in each["machines"]] for each in operator.maintenance_schedule()] == [
        ["two", "three"]
    ]
    operator.machine_up(["two"])

    assert modes(cluster) == (["three"], [])
    with pytest.raises(Refused, match=r"machine two is UP: it is not down"):
        operator.machine_up(["two"])


def test_an_agent_cannot_move_to_another_machine(sim: Simulation) -> None:
    """One that is registered and comes back from another address is refused, so a schedule keeps meaning it (1.3.4)."""
    cluster = sim.cluster(agents=0)
    agent = cluster.add_agent("a", hostname="rack", ip="10.0.0.1")
    sim.advance(5.0)
    told = sim.expect(ShutdownAgent)
    moved = AgentInfo(hostname="rack", ip="10.0.0.2", resources="cpus:4;mem:4096", id=AgentId(str(agent.id)))

    sim.inject("master-1", ReregisterAgent(agent=moved), sender="a")
    sim.settle()

    assert told.count == 1
    check_books(sim)


def test_all_agents_of_a_machine_go_down_together(sim: Simulation) -> None:
    """A machine is host name and address: who shares both goes, who shares only one stays (5.1.1, 5.5.2)."""
    cluster = sim.cluster(agents=0)
    for name, ip in (("a", "10.0.0.1"), ("b", "10.0.0.1"), ("c", "10.0.0.2")):
        cluster.add_agent(name, hostname="rack", ip=ip)
    sim.advance(5.0)
    cluster.operator.update_maintenance_schedule([in_a_minute(cluster, cluster.agents["a"].machine_id)])

    cluster.operator.machine_down([cluster.agents["b"]])
    sim.advance(10.0)

    assert [cluster.agents[name].alive for name in "abc"] == [False, False, True]
    assert [agent["name"] for agent in cluster.operator.state()["agents"]] == ["c"]


def test_an_agent_that_is_not_told_is_removed_all_the_same(sim: Simulation) -> None:
    """The removal does not depend on the message; when the agent notices, it is turned away (5.5.3, 10.15)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    cluster.run(framework, framework=AWARE)
    sim.advance(1.0)
    agent = cluster.agents["agent-1"]
    cluster.operator.update_maintenance_schedule([in_a_minute(cluster, agent.name)])
    lost = sim.drop(ShutdownAgent, times=1)

    cluster.operator.machine_down([agent])
    sim.advance(1.0)
    assert (lost.count, agent.alive) == (1, True)
    assert framework.lost_agents == [agent.id]
    assert framework.states("t1")[-1] == "LOST"
    sim.advance(100.0)

    assert not agent.alive
    assert framework.states("t1") == ["STARTING", "RUNNING", "LOST"]
    assert cluster.operator.state()["agents"] == []


def test_an_absent_agent_of_a_machine_that_went_down_is_turned_away(sim: Simulation) -> None:
    """Taken down while nobody was there; the agent that comes back to it has to wait for the machine (5.5.6, 1.3.3)."""
    cluster = sim.cluster(agents=1)
    agent = cluster.agents["agent-1"]
    agent.crash()
    sim.advance(100.0)
    assert list(cluster.operator.state()["unreachable_agents"]) == [agent.id]
    cluster.operator.update_maintenance_schedule([in_a_minute(cluster, agent.name)])
    cluster.operator.machine_down([agent])

    agent.restart()
    sim.advance(5.0)
    assert not agent.alive
    cluster.operator.machine_up([agent])
    agent.restart()
    sim.advance(10.0)

    assert agent.registered


# --- another master -------------------------------------------------------------------------------------------------


def test_a_new_master_knows_the_schedule_before_any_agent_comes(sim: Simulation) -> None:
    """Offers carry their times at once; answers are lost, and everybody is asked again (5.10)."""
    cluster = sim.cluster(agents=2, masters=2)
    framework = Launcher(command_task("t1", resources="cpus:4;mem:4096"))
    driver = cluster.run(framework, framework=PLAIN)
    sim.advance(2.0)
    window = in_a_minute(cluster, "agent-1", "agent-2")
    cluster.operator.update_maintenance_schedule([window])
    sim.settle()
    driver.accept_inverse_offers(framework.asked)
    sim.settle()
    schedule = cluster.operator.maintenance_schedule()
    offers, asked = len(framework.offers), len(framework.asked)
    agents = sim.hold(ReregisterAgent)

    fail_over(sim, cluster)
    sim.advance(5.0)
    assert cluster.operator.maintenance_schedule() == schedule
    agents.release()
    sim.advance(5.0)

    assert [offer.unavailability for offer in framework.offers[offers:]] == [window.unavailability]
    assert [each.unavailability for each in framework.asked[asked:]] == [window.unavailability] * 2
    for machine in cluster.operator.maintenance_status()["draining_machines"]:
        assert only(machine["agents"])["answers"] == []
    check_books(sim)


def test_a_machine_that_is_down_stays_down_under_a_new_master(sim: Simulation) -> None:
    """Its agents are turned away as before, and it cannot be unscheduled (5.10.1)."""
    cluster = sim.cluster(agents=2, masters=2)
    agent = cluster.agents["agent-1"]
    cluster.operator.update_maintenance_schedule([in_a_minute(cluster, agent.name, "agent-2")])
    cluster.operator.machine_down([agent])
    sim.settle()

    fail_over(sim, cluster)
    agent.restart()
    sim.advance(20.0)

    assert not agent.alive
    assert cluster.agents["agent-2"].registered
    assert modes(cluster) == (["agent-2"], ["agent-1"])
    with pytest.raises(Refused, match=r"machine agent-1 is DOWN"):
        cluster.operator.update_maintenance_schedule([])
