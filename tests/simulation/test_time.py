"""Virtual time: `settle`, `advance` and `run_until`, and what user code sees of the clock."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import pytest

from mesolite import Refused, Scheduler, SchedulerDriver, Simulation, WrongThread
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages.agent import PingAgent
from mesolite.messages.relayed import KillTask


class Ticker(Scheduler):
    """Calls itself every second."""

    def __init__(self) -> None:
        self.ticks: list[float] = []

    def registered(self, driver: SchedulerDriver, *arguments: object) -> None:
        self.tick(driver)

    def tick(self, driver: SchedulerDriver) -> None:
        self.ticks.append(driver.now())
        driver.call_later(1.0, lambda: self.tick(driver))


@pytest.fixture
def driver(sim: Simulation) -> MesoliteSchedulerDriver:
    """A driver that is registered, of a scheduler that does nothing."""
    driver = sim.cluster(agents=1).run(Scheduler(), "idle")
    sim.settle()
    return driver


def test_a_cluster_comes_ready(sim: Simulation) -> None:
    """A leader is elected and all agents are registered; nobody had to be settled."""
    cluster = sim.cluster(agents=3, masters=3)

    assert cluster.leader is not None
    assert all(agent.registered for agent in cluster.agents.values())


def test_settle_fires_no_timer_of_the_future(sim: Simulation) -> None:
    """Time stands still, however often it is settled (core.md LP-38)."""
    ticker = Ticker()
    sim.cluster().run(ticker, "ticker")
    began = sim.now

    sim.settle()
    sim.settle()

    assert began == sim.now
    assert [began] == ticker.ticks


def test_settle_ends_when_nothing_is_left_to_do_at_this_instant(
    sim: Simulation, driver: MesoliteSchedulerDriver
) -> None:
    """No message is under way and no timer is due, however many of them come up meanwhile (core.md LP-46)."""
    called: list[float] = []

    def again() -> None:
        called.append(sim.now)
        driver.kill_task(f"t{len(called)}")
        if len(called) < 5:
            driver.call_later(0.0, again)

    kills = sim.observe(KillTask, receiver="master-1")
    driver.call_later(0.0, again)
    began = sim.now

    sim.settle()

    assert called == [began] * 5
    assert (kills.count, sim.in_flight, sim.now) == (5, (), began)


def test_a_timer_of_one_second_fires_thirty_times_in_thirty(sim: Simulation) -> None:
    """Every timer on the way fires, in its own instant; Mesos's clock would fire it once (core.md LP-43)."""
    ticker = Ticker()
    sim.cluster().run(ticker, "ticker")
    sim.settle()
    began = sim.now

    sim.advance(30.0)

    assert [began + second for second in range(31)] == pytest.approx(ticker.ticks)
    assert sim.now == pytest.approx(began + 30.0)


def test_what_is_due_at_the_end_of_the_advance_happens(sim: Simulation, driver: MesoliteSchedulerDriver) -> None:
    """Until and including; and one moment before it has not (core.md LP-39)."""
    called: list[float] = []
    driver.call_later(10.0, lambda: called.append(sim.now))
    sim.settle()
    began = sim.now

    sim.advance(9.999)
    assert called == []
    sim.advance(0.001)
    assert [pytest.approx(began + 10.0)] == called


def test_timers_fire_in_the_order_they_are_due(sim: Simulation, driver: MesoliteSchedulerDriver) -> None:
    """Whatever the order in which they were set."""
    called: list[int] = []
    for delay_s in (3, 1, 2):
        driver.call_later(delay_s, lambda delay_s=delay_s: called.append(delay_s))

    sim.advance(5.0)

    assert called == [1, 2, 3]


def test_run_until_stops_as_soon_as_it_is_so(sim: Simulation) -> None:
    """The clock stands at the moment in which it came true."""
    sim.cluster(agents=1)
    pings = sim.expect(PingAgent)

    sim.run_until(lambda: pings.count == 2, timeout=60.0)

    at = sim.now
    assert pings.count == 2
    sim.run_until(lambda: pings.count == 3, timeout=60.0)
    assert pytest.approx(15.0) == sim.now - at


def test_run_until_says_how_long_it_waited_in_vain(sim: Simulation) -> None:
    """The text has the time-out, the time it is, and the seed."""
    sim.cluster(agents=1)
    began = sim.now

    with pytest.raises(TimeoutError, match=rf"not so within 7.5 virtual seconds \(it is .* now, seed {sim.seed}\)"):
        sim.run_until(lambda: False, timeout=7.5)

    assert began + 7.5 == sim.now


def test_run_until_of_what_is_so_already_takes_no_time(sim: Simulation) -> None:
    """Nothing happens, not even what is due."""
    cluster = sim.cluster(agents=1)
    ticker = Ticker()
    cluster.run(ticker, "ticker")

    sim.run_until(lambda: True, timeout=1.0)

    assert ticker.ticks == []


def test_join_takes_a_virtual_time_out(sim: Simulation, driver: MesoliteSchedulerDriver) -> None:
    """It lets time pass until the driver ends, or that long."""
    began = sim.now
    assert driver.join(timeout=5.0).name == "DRIVER_RUNNING"
    assert sim.now == pytest.approx(began + 5.0)

    driver.call_later(20.0, driver.stop)
    assert driver.join(timeout=60.0).name == "DRIVER_STOPPED"
    assert sim.now == pytest.approx(began + 25.0)


@pytest.mark.parametrize(
    "use",
    [
        lambda sim, driver: driver.revive_offers(),
        lambda sim, driver: driver.call_later(1.0, print),
        lambda sim, driver: driver.join(1.0),
        lambda sim, driver: sim.advance(1.0),
        lambda sim, driver: sim.run_until(lambda: True, timeout=1.0),
    ],
    ids=["driver", "call_later", "join", "advance", "run_until"],
)
def test_a_foreign_thread_is_told_about_call_later(
    sim: Simulation, driver: MesoliteSchedulerDriver, use: Callable[[Simulation, MesoliteSchedulerDriver], object]
) -> None:
    """A simulation is driven from the thread that made it; the error names the way out."""
    caught: list[BaseException] = []
    sim.allow_error(WrongThread)

    def foreign() -> None:
        try:
            use(sim, driver)
        except WrongThread as wrong:
            caught.append(wrong)

    thread = threading.Thread(target=foreign)
    thread.start()
    thread.join()

    assert ["call_later" in str(wrong) for wrong in caught] == [True]


def test_whoever_drives_a_simulation_hears_of_a_foreign_threads_call(
    sim: Simulation, driver: MesoliteSchedulerDriver
) -> None:
    """Python prints what a thread raises, and goes on: a test would pass."""

    def foreign() -> None:
        with contextlib.suppress(WrongThread):
            driver.revive_offers()

    thread = threading.Thread(target=foreign)
    thread.start()
    thread.join()

    with pytest.raises(WrongThread):
        sim.settle()


def test_a_second_cluster_is_refused(sim: Simulation) -> None:
    """One simulation, one cluster."""
    sim.cluster()

    with pytest.raises(Refused, match="has a cluster already; make another Simulation"):
        sim.cluster()


def test_waiting_for_what_does_not_come_says_when_and_what_was_said_last(sim: Simulation) -> None:
    """`wait_until` gives up at its time-out, virtual here, and its error ends with the last messages."""
    cluster = sim.cluster(agents=1)
    began = cluster.now

    with pytest.raises(TimeoutError, match=r"(?s)not so within 5 s.*AgentRegistered") as caught:
        cluster.wait_until(lambda: False, 5.0)

    assert cluster.now == began + 5.0
    assert "PingAgent" not in str(caught.value)
    cluster.wait_until(lambda: cluster.now >= began + 5.0, 0.0)
