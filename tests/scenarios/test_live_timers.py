"""Every timer a master sets fires, is set again, or is cancelled when it is wanted no more (core.md FW-29, LP-34)."""

from __future__ import annotations

import inspect

import attrs
import pytest

from mesolite import FrameworkInfo, Settings, Simulation
from mesolite.actors.decisions.contract import PeerExited, TimerKey
from mesolite.actors.decisions.master import timers
from mesolite.actors.decisions.master.core import TIMERS
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages import DeactivateFramework, KillTask, ReviveOffers, Teardown
from mesolite.messages.ids import FrameworkId, TaskId
from mesolite.simulation.simulation import SimulatedCluster
from tests.scenarios.schedulers import (
    Launcher,
    Recorder,
    books_of,
    command_task,
    framework_of,
    leader_of,
    shown,
)

PATIENT = FrameworkInfo(name="patient", failover_timeout_s=100.0)


def live(sim: Simulation, cluster: SimulatedCluster, kind: type[TimerKey]) -> list[TimerKey]:
    """The timers of that kind that the leader has set and that will fire."""
    context = sim.runtime.directory.find(leader_of(cluster).name)
    assert context is not None
    return [key for key in context.timers if isinstance(key, kind)]


def successor_of(driver: MesoliteSchedulerDriver) -> FrameworkInfo:
    """The same framework, as its next instance presents it."""
    return attrs.evolve(PATIENT, id=FrameworkId(str(driver.framework_id)))


def crash(sim: Simulation, driver: MesoliteSchedulerDriver) -> None:
    """The scheduler's process dies."""
    sim.kill(driver.name)
    sim.settle()


def test_every_kind_of_timer_has_its_decision() -> None:
    """What can be set is handled, and nothing else is (contract.py)."""
    kinds = [kind for _, kind in inspect.getmembers(timers, inspect.isclass) if kind.__module__ == timers.__name__]

    assert sorted(kind.__name__ for kind in kinds) == sorted(kind.__name__ for kind in TIMERS)


def test_keys_of_two_kinds_are_never_equal() -> None:
    """Though they say the same, and print as what they are."""
    about = "m1-O1"

    assert timers.OfferTimeout(about) != timers.InverseOfferTimeout(about)  # type: ignore[arg-type]
    assert timers.OfferTimeout(about) == timers.OfferTimeout(about)  # type: ignore[arg-type]
    assert str(timers.OfferTimeout(about)) == "offer-timeout m1-O1"  # type: ignore[arg-type]
    assert str(timers.Pruning()) == "pruning"


def test_six_failovers_leave_no_timer_behind(sim: Simulation) -> None:
    """One runs while nobody is there, none when somebody is (FW-28, FW-29)."""
    cluster = sim.cluster(agents=0)
    driver = cluster.run(Recorder(), framework=PATIENT)
    sim.settle()

    for _ in range(6):
        crash(sim, driver)
        assert live(sim, cluster, timers.FailoverTimeout) == [timers.FailoverTimeout(framework_of(cluster)["id"])]
        driver = cluster.run(Recorder(), framework=successor_of(driver))
        sim.settle()
        assert live(sim, cluster, timers.FailoverTimeout) == []


def test_a_framework_that_returned_and_left_again_has_its_whole_time_again(sim: Simulation) -> None:
    """The first countdown ended when it returned (FW-29)."""
    cluster = sim.cluster(agents=0)
    driver = cluster.run(Recorder(), framework=PATIENT)
    sim.settle()
    crash(sim, driver)
    sim.advance(60.0)
    successor = cluster.run(Recorder(), framework=successor_of(driver))
    sim.advance(20.0)
    crash(sim, successor)

    sim.advance(99.0)
    assert framework_of(cluster)["connected"] is False
    sim.advance(2.0)

    assert cluster.operator.state()["frameworks"] == []


@pytest.mark.parametrize("how", ["operator", "timeout"])
def test_a_framework_that_is_ended_while_it_is_away_leaves_no_timer(sim: Simulation, how: str) -> None:
    """Nothing is left that could end it again (FW-36)."""
    cluster = sim.cluster(agents=0)
    driver = cluster.run(Recorder(), framework=PATIENT)
    sim.settle()
    crash(sim, driver)

    if how == "operator":
        cluster.operator.teardown(str(driver.framework_id))
    sim.advance(0.0 if how == "operator" else 101.0)

    assert cluster.operator.state()["frameworks"] == []
    assert live(sim, cluster, timers.FailoverTimeout) == []


def test_a_failover_does_not_keep_the_old_connection(sim: Simulation) -> None:
    """What the instance that was replaced says is not heard, and when it goes nobody is missed (FW-18, FW-33)."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(command_task("t1"))
    old = cluster.run(framework, framework=PATIENT)
    sim.advance(1.0)
    new = cluster.run(Recorder(), framework=successor_of(old))
    sim.settle()
    framework_id = FrameworkId(str(old.framework_id))
    before = framework_of(cluster)

    for message in (
        KillTask(framework_id=framework_id, task_id=TaskId("t1")),
        ReviveOffers(framework_id=framework_id),
        DeactivateFramework(framework_id=framework_id),
        Teardown(framework_id=framework_id),
    ):
        sim.inject("master-1", message, sender=old.name)
    sim.settle()
    crash(sim, old)
    sim.inject("master-1", PeerExited(old.name, 1), sender=old.name)
    sim.settle()

    assert framework_of(cluster) == before
    assert (before["connected"], live(sim, cluster, timers.FailoverTimeout)) == (True, [])
    assert len(sim.view.running()) == 1
    crash(sim, new)
    assert framework_of(cluster)["connected"] is False


def test_six_disconnections_of_an_agent_leave_no_timer_behind(sim: Simulation) -> None:
    """One runs while it is away (drain.md 1.5.3), none when it is back, none when it is removed."""
    cluster = sim.cluster(agents=1)
    sim.settle()

    for _ in range(6):
        cluster.agents["agent-1"].crash()
        sim.settle()
        assert live(sim, cluster, timers.ReregisterTimeout) == [timers.ReregisterTimeout(shown(cluster)["id"])]
        cluster.agents["agent-1"].restart()
        sim.advance(5.0)
        assert live(sim, cluster, timers.ReregisterTimeout) == []
    cluster.agents["agent-1"].crash()
    sim.settle()
    cluster.operator.mark_gone("agent-1")

    assert live(sim, cluster, timers.ReregisterTimeout) == []
    assert live(sim, cluster, timers.PingBatch) == []


def test_only_outstanding_offers_have_timers(sim: Simulation) -> None:
    """Whichever way an offer ends (drain.md 5.6.6)."""
    sim.settings = Settings.mesos().but(offer_timeout_s=30.0)
    cluster = sim.cluster(agents=3)
    framework = Launcher(command_task("t1"))
    driver = cluster.run(framework, framework=PATIENT)
    sim.advance(2.0)
    driver.decline_offer(framework.offers[1].id)
    cluster.agents["agent-3"].crash()
    sim.settle()

    outstanding = books_of(cluster).offers

    assert live(sim, cluster, timers.OfferTimeout) == [timers.OfferTimeout(each) for each in outstanding]
