"""The schedulers that people copy survive every way of losing a machine, alone and while a leader dies."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from attrs import evolve

from examples.schedulers import Shop, Stayer, service
from mesolite import Capability, FrameworkInfo, SimulatedWork, Simulation, TaskState
from mesolite.messages import AcceptOffers, KillTask, ReconcileTasks, RunTask, StatusUpdate, Subscribe
from mesolite.simulation import SimulatedCluster
from tests.examples.losses import ACCIDENTS, LATENCY_S, PATIENCE_S, SERVICES, STEADY_S, WAYS, Way, alive, one_each

AWARE = (Capability.PARTITION_AWARE,)
AROUND_THE_CRASH_S = (
    *(-0.003, -0.002, -0.0015, -0.001, -0.0005, 0.0, 0.0005, 0.001, 0.0015, 0.002),
    *(1.0, 3.0, 5.0, 7.0, 9.0, 9.3, 9.6, 9.9, 10.2, 11.0, 12.0),
)
"""When SIGUSR1 comes, from the leader's crash on: another leads after 9 s, and agents come back in the next second."""


def open_shop(
    sim: Simulation, masters: int = 3, *, aware: bool = True, checkpoint: bool = True, kind: type[Shop] = Shop
) -> tuple[SimulatedCluster, Shop]:
    cluster = sim.cluster(agents=3, masters=masters)
    shop = kind(service(name, "sleep infinity") for name in SERVICES)
    info = FrameworkInfo(name="shop", checkpoint=checkpoint, capabilities=AWARE if aware else (), failover_timeout_s=60)
    cluster.run(shop, framework=info)
    sim.advance(STEADY_S)
    assert shop.complete
    return cluster, shop


def wait_for_one_each(sim: Simulation, shop: Shop, *, without: str = "") -> None:
    """Until every service runs exactly once, none of them there, and the shop knows."""
    sim.run_until(lambda: one_each(sim) and shop.complete and alive(sim) == alive(sim, without=without), PATIENCE_S)


def crash_leader(cluster: SimulatedCluster) -> None:
    leader = cluster.leader
    assert leader is not None
    leader.crash()


@pytest.mark.parametrize("aware", [False, True], ids=["plain", "aware"])
@pytest.mark.parametrize("after_s", AROUND_THE_CRASH_S)
def test_services_of_an_agent_that_says_goodbye_to_a_dying_leader_run_again(after_s: float, aware: bool) -> None:
    """Nobody may have heard the goodbye, and the new leader tells nobody of what it never knew: the shop asks."""
    with Simulation(1, latency=LATENCY_S) as sim:
        cluster, shop = open_shop(sim, aware=aware)
        sign = lambda: cluster.agents["agent-1"].signal(signal.SIGUSR1)  # noqa: E731  # one of two, in either order
        first, second = (sign, lambda: crash_leader(cluster)) if after_s < 0 else (lambda: crash_leader(cluster), sign)
        first()
        sim.advance(abs(after_s))
        second()

        wait_for_one_each(sim, shop, without="agent-1")


@pytest.mark.parametrize(
    "leader_dies", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["", "while-the-leader-dies"]
)
@pytest.mark.parametrize("kind", [Shop, Stayer])
@pytest.mark.parametrize("way", [*WAYS, *ACCIDENTS], ids=lambda way: way.name)
def test_services_of_a_machine_that_goes_run_elsewhere(way: Way, kind: type[Shop], leader_dies: bool) -> None:
    """Each exactly once, and none on that machine, unless what runs there was to go on."""
    with Simulation(2, latency=LATENCY_S) as sim:
        cluster, shop = open_shop(sim, kind=kind)
        agent = cluster.agents["agent-1"]
        way.go(sim, cluster, agent)
        if leader_dies:
            crash_leader(cluster)
        sim.advance(120.0)

        wait_for_one_each(sim, shop, without="" if way.stays else "agent-1")
        assert way.stays == (alive(sim) != alive(sim, without="agent-1"))


@pytest.mark.parametrize("aware", [False, True], ids=["plain", "aware"])
def test_copies_given_up_are_ended_when_their_machine_turns_up_again(aware: bool) -> None:
    """The machine was only cut off, and is back with a new leader before the shop: nobody announces its return."""
    with Simulation(3, latency=LATENCY_S) as sim:
        cluster, shop = open_shop(sim, aware=aware)
        leaders = list(cluster.masters)
        for master in leaders:
            sim.partition("agent-1", master)
        sim.run_until(lambda: shop.complete and len(shop.told) > 2 * len(SERVICES) + 2, 200.0)
        assert sum(alive(sim).values()) > len(SERVICES)

        crash_leader(cluster)
        sim.heal()
        held = sim.hold(Subscribe)
        sim.advance(30.0)
        held.release()

        wait_for_one_each(sim, shop)


@pytest.mark.parametrize(
    ("lost", "where"),
    [
        (AcceptOffers, lambda message: any(launch.tasks for launch in message.operations)),
        (RunTask, None),
        (StatusUpdate, None),
        (ReconcileTasks, None),
        (KillTask, None),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_lost_message_costs_time_and_no_service(lost: type, where: Callable[[object], bool] | None) -> None:
    """Launches, updates, questions and kills may be lost on their way; the shop gets there all the same."""
    with Simulation(4, latency=LATENCY_S) as sim:
        cluster, shop = open_shop(sim)
        sim.drop(lost, where=where, times=2)
        cluster.agents["agent-1"].signal(signal.SIGUSR1)
        sim.advance(60.0)
        crash_leader(cluster)
        sim.advance(60.0)

        wait_for_one_each(sim, shop)


def test_a_launch_lost_between_master_and_agent_is_given_up() -> None:
    """No link breaks and no leader changes, so the master calls it TASK_STAGING for ever (core.md TL-15)."""
    with Simulation(10, latency=LATENCY_S) as sim:
        cluster, shop = open_shop(sim, 1)
        sim.drop(RunTask, times=1)
        cluster.agents["agent-1"].signal(signal.SIGUSR1)
        sim.advance(60.0)
        assert sum(alive(sim, without="agent-1").values()) == len(SERVICES) - 1

        wait_for_one_each(sim, shop)


def test_updates_said_twice_change_nothing() -> None:
    """At least once is what is promised; a replacement for each word of a loss would be one too many."""
    with Simulation(5, latency=LATENCY_S) as sim:
        cluster, shop = open_shop(sim)
        sim.duplicate(StatusUpdate)
        cluster.agents["agent-1"].signal(signal.SIGUSR1)

        wait_for_one_each(sim, shop, without="agent-1")
        assert {task.task_id.partition(".")[2] for task in shop.current.values()} == {"", "2"}


def test_a_second_driver_goes_on_where_the_first_one_ended() -> None:
    """A scheduler that fails over knows what it had launched, and finds out what was lost meanwhile."""
    with Simulation(6, latency=LATENCY_S) as sim:
        cluster, shop = open_shop(sim)
        (framework,) = cluster.operator.state()["frameworks"]
        info = FrameworkInfo(name="shop", id=framework["id"], capabilities=AWARE, checkpoint=True)
        cluster.agents["agent-1"].signal(signal.SIGUSR1)
        cluster.run(shop, framework=info)  # the first driver is told that there is another one, and ends

        wait_for_one_each(sim, shop, without="agent-1")
        assert len(cluster.operator.state()["frameworks"]) == 1


def test_service_that_fails_by_itself_is_tried_again_and_not_all_the_time() -> None:
    """Its command exits with 1 at once: every five seconds it may try again."""
    with Simulation(7) as sim:
        cluster = sim.cluster()
        shop = Shop([evolve(service("broken", "false"), work=SimulatedWork(duration=0.0, exit_status=1))])
        cluster.run(shop, framework="shop")
        sim.advance(60.0)
        failed = [status for _, status in shop.told if status.state is TaskState.TASK_FAILED]

        assert 10 <= len(failed) <= 13


def test_service_larger_than_an_offer_waits_and_holds_nothing() -> None:
    """It is launched as soon as there is a machine with room, and the others do not wait for it."""
    with Simulation(8) as sim:
        cluster = sim.cluster(agents=1, resources="cpus:2;mem:512")
        large = evolve(service("large", "sleep infinity"), resources="cpus:6;mem:64")
        shop = Shop([large, service("small", "sleep infinity")])
        cluster.run(shop, framework="shop")
        sim.advance(STEADY_S)
        assert list(shop.status) == ["small"]

        cluster.add_agent(resources="cpus:8;mem:512")
        sim.advance(STEADY_S)
        assert shop.complete


def test_mover_gives_back_what_it_is_asked_for_and_no_more() -> None:
    """Three cpus of a machine that has two free and runs two services: one goes, and runs again elsewhere."""
    with Simulation(9, latency=LATENCY_S) as sim:
        cluster, shop = open_shop(sim, 1, kind=Shop)
        agent = cluster.agents["agent-1"]
        killed = sim.expect(KillTask, sender="shop")
        reclaim = cluster.operator.reclaim(agent, "cpus:3", within=60)
        sim.advance(30.0)

        assert killed.count == 1
        assert str(reclaim.state) == "DONE"
        wait_for_one_each(sim, shop)
        assert sum((alive(sim) - alive(sim, without=agent.name)).values()) == 1
