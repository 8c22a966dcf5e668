"""A wait without an end comes to one in a simulation: what was waited for, or an error that says who waits for what."""

from __future__ import annotations

import math

import pytest

from mesolite import (
    Filters,
    NothingToWaitFor,
    Offer,
    Scheduler,
    SchedulerDriver,
    SimulatedWork,
    Simulation,
    TaskState,
    TaskStatus,
)
from mesolite.actors.runtime.future import PortFuture
from mesolite.drivers import MesoliteSchedulerDriver
from mesolite.messages.agent import RevokeTask
from mesolite.messages.relayed import StatusUpdate
from mesolite.simulation import SimulatedCluster
from tests.scenarios.schedulers import AWARE, FOR_EVER, Launcher, Recorder, command_task

REPEATED = "only what repeats itself has happened"


class Repeating(Recorder):
    """Launches the same piece of work again and again, and stops after so many times."""

    def __init__(self, seconds: float, times: int) -> None:
        super().__init__()
        self._work = SimulatedWork(duration=seconds)
        self._times = times
        self.finished = 0

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[object, ...]) -> None:
        for offer in offers:
            driver.launch_tasks(offer, command_task(f"t{self.finished}", self._work))  # type: ignore[arg-type]

    def status_update(self, driver: SchedulerDriver, status: TaskStatus) -> None:
        self.finished += status.state is TaskState.TASK_FINISHED
        if self.finished == self._times:
            driver.stop()


def with_running_task(sim: Simulation) -> tuple[SimulatedCluster, Launcher, MesoliteSchedulerDriver]:
    """One agent, and a task on it that never ends."""
    cluster = sim.cluster(agents=1)
    launcher = Launcher(command_task("t1", FOR_EVER))
    driver = cluster.run(launcher, AWARE)
    sim.run_until(lambda: "RUNNING" in launcher.states("t1"), timeout=10.0)
    return cluster, launcher, driver


def test_joining_a_driver_that_nobody_stops_says_so(sim: Simulation) -> None:
    """Nobody will use the offer that is held; the text names the driver, what it holds, and what would work."""
    driver = sim.cluster(agents=1).run(Recorder(), "idle")

    with pytest.raises(NothingToWaitFor, match=r"(?s)the driver of idle is not stopped.*give a timeout") as caught:
        driver.join()

    assert "idle: DRIVER_RUNNING, connected, offers held: 1" in str(caught.value)
    assert "alive: elector, operator, master-1/registrar, master-1, agent-1, idle" in str(caught.value)


def test_a_task_that_runs_for_ever_is_named(sim: Simulation) -> None:
    """Its driver waits for it, and it never ends; what the leader knows of it stands there, too."""
    _, _, driver = with_running_task(sim)

    with pytest.raises(NothingToWaitFor, match=REPEATED) as caught:
        driver.join()

    assert "runs until it is killed: agent-1/m1-F1/t1" in str(caught.value)
    assert "aware has tasks: 1 (t1 TASK_RUNNING), offers: 1" in str(caught.value)


def test_an_update_that_is_sent_again_and_again_is_no_progress(sim: Simulation) -> None:
    """A drain waits for the acknowledgement of a framework that has aborted; the text names the framework."""
    cluster, _, driver = with_running_task(sim)
    driver.abort()
    drain = cluster.operator.drain("agent-1")

    with pytest.raises(NothingToWaitFor, match=r"drain m1-D1 of agent m1-S1 will never have ended") as caught:
        drain.wait()

    assert "waits for framework aware: it has not acknowledged the task's last update" in str(caught.value)
    assert "aware: DRIVER_ABORTED" in str(caught.value)


def test_a_reclaim_that_nobody_carries_out_says_so(sim: Simulation) -> None:
    """The agent never hears what is revoked, however often it is said; the fault is named."""
    cluster, _, _ = with_running_task(sim)
    lost = sim.drop(RevokeTask)
    reclaim = cluster.operator.reclaim("agent-1", within=30.0)

    with pytest.raises(NothingToWaitFor, match=r"reclaim m1-R1 of .* will never have come to its end.*task t1"):
        reclaim.wait()

    assert lost.count > 2


def test_a_condition_that_cannot_come_true_names_the_faults_in_force(sim: Simulation) -> None:
    """What is cut, dropped and held; what was held is not on its way to anybody."""
    sim.cluster(agents=2)
    sim.partition("agent-2", "master-1")
    sim.hold(StatusUpdate)
    sim.drop(RevokeTask, times=0)

    with pytest.raises(NothingToWaitFor, match=REPEATED) as caught:
        sim.run_until(lambda: False, timeout=math.inf)

    assert "nothing passes from agent-2 to master-1; nothing passes from master-1 to agent-2" in str(caught.value)
    assert "hold StatusUpdate from anybody to anybody (0 so far)" in str(caught.value)
    assert "RevokeTask" not in str(caught.value)


def test_a_question_that_nobody_answers_says_so(sim: Simulation) -> None:
    """`ref.ask` without a time-out is a wait like any other; with one, its error names who was asked."""
    sim.cluster(agents=1)
    question = PortFuture()
    sim.runtime.bind(question, "agent-1")

    with pytest.raises(NothingToWaitFor, match=REPEATED):
        question.get()


def test_without_any_leader_the_text_says_so(sim: Simulation) -> None:
    """Retries go on for ever to a master that is not there any more."""
    cluster = sim.cluster(agents=1)
    driver = cluster.run(Recorder(), "orphan")
    cluster.masters["master-1"].crash()

    with pytest.raises(NothingToWaitFor, match=r"(?s)ended: master-1.*elector: nobody leads.*not connected"):
        driver.join()


@pytest.mark.parametrize("latency_s", [(0.0, 0.0), (0.05, 2.0)], ids=["at-once", "slowly"])
def test_silence_is_waited_for_until_it_is_noticed(latency_s: tuple[float, float]) -> None:
    """Five pings without an answer are news: 75 to 90 s after the last one, and a message or so."""
    sim = Simulation(latency=latency_s)
    cluster = sim.cluster(agents=1)
    launcher = Launcher(command_task("t1", FOR_EVER))
    driver = cluster.run(launcher, AWARE)
    sim.run_until(lambda: "RUNNING" in launcher.states("t1"), timeout=100.0)
    sim.partition("agent-1", "master-1")
    began = sim.now

    sim.run_until(lambda: "UNREACHABLE" in launcher.states("t1"), timeout=math.inf)

    assert 75.0 <= sim.now - began <= 95.0
    with pytest.raises(NothingToWaitFor, match=REPEATED):
        driver.join()


def test_a_delayed_ping_is_nothing_to_wait_for(sim: Simulation) -> None:
    """There is always one under way, and it brings nothing about."""
    driver = sim.cluster(agents=1).run(Recorder(), "idle")
    sim.delay(14.0)

    with pytest.raises(NothingToWaitFor, match=REPEATED):
        driver.join()


def test_a_message_under_way_is_waited_for(sim: Simulation) -> None:
    """However long it was delayed."""
    cluster = sim.cluster(agents=1)
    launcher = Launcher(command_task("t1", FOR_EVER))
    sim.delay(5_000.0, StatusUpdate, receiver="master-1")
    cluster.run(launcher, AWARE)

    sim.run_until(lambda: "RUNNING" in launcher.states("t1"), timeout=math.inf)

    assert sim.now > 5_000.0


@pytest.mark.parametrize(("seconds", "times"), [(0.5, 200), (100.0, 40), (2_000.0, 2)])
def test_work_that_will_end_is_waited_for(sim: Simulation, seconds: float, times: int) -> None:
    """A scheduler that launches again what has ended may do something else one day, and here it does."""
    driver = sim.cluster(agents=1).run(Repeating(seconds, times), "repeating")

    assert driver.join().name == "DRIVER_STOPPED"
    assert sim.now > seconds * times


def test_a_function_to_be_called_later_is_waited_for(sim: Simulation) -> None:
    """In five hours and more, here."""
    driver = sim.cluster(agents=1).run(Recorder(), "patient")
    driver.call_later(20_000.0, driver.stop)

    assert driver.join().name == "DRIVER_STOPPED"
    assert sim.now > 20_000.0


def test_a_function_that_was_called_is_not_waited_for_any_more(sim: Simulation) -> None:
    """A timer that has fired, and one whose actor has gone, are not to come."""
    cluster = sim.cluster(agents=1)
    driver, other = cluster.run(Recorder(), "one"), cluster.run(Recorder(), "other")
    driver.call_later(1000.0, lambda: None)
    other.call_later(1e8, lambda: None)
    sim.advance(1.0)
    other.stop()

    with pytest.raises(NothingToWaitFor, match=REPEATED):
        driver.join()

    assert 1000.0 < sim.now < 2000.0


@pytest.mark.parametrize("timeout", [math.inf, 1e300, 1e10], ids=str)
def test_a_time_out_longer_than_a_life_is_none(sim: Simulation, timeout: float) -> None:
    """Nobody lives to see it pass."""
    driver = sim.cluster(agents=1).run(Recorder(), "idle")

    with pytest.raises(NothingToWaitFor, match=REPEATED):
        driver.join(timeout)


def test_a_wait_with_a_time_out_lasts_until_then(sim: Simulation) -> None:
    """Nothing is to come, and the clock stands at its end all the same; the text says what was waited for."""
    cluster = sim.cluster(agents=1)
    began = sim.now

    with pytest.raises(TimeoutError, match=r"`sim\.run_until\(lambda: cluster\.leader is None, timeout=5000\.0\)`"):
        sim.run_until(lambda: cluster.leader is None, timeout=5000.0)

    assert sim.now == began + 5000.0


def test_the_same_seed_says_the_same() -> None:
    """At the same time, too."""

    def run() -> tuple[str, float]:
        sim = Simulation(seed=5, latency=(0.0, 0.1))
        _, _, driver = with_running_task(sim)
        with pytest.raises(NothingToWaitFor) as caught:
            driver.join()
        return str(caught.value), sim.now

    assert run() == run()


def test_what_repeats_itself_keeps_no_memory(sim: Simulation) -> None:
    """What fires once is counted until it has fired, was called off, or its actor has gone."""
    cluster = sim.cluster(agents=2)
    driver = cluster.run(Repeating(1.0, 50), "repeating")
    driver.join()
    sim.advance(2000.0)

    assert not sim.runtime._standstill.to_come  # noqa: SLF001


def test_a_simulation_can_be_used_on_after_it_stood_still(sim: Simulation) -> None:
    """The error is an answer, not an end."""
    _, launcher, driver = with_running_task(sim)
    with pytest.raises(NothingToWaitFor):
        driver.join()

    driver.kill_task("t1")
    sim.advance(1.0)

    assert launcher.states("t1")[-1] == "KILLED"


class Declining(Scheduler):
    """Wants nothing, and says so each time: it might want something the next time, so nothing stands still."""

    def resource_offers(self, driver: SchedulerDriver, offers: tuple[Offer, ...]) -> None:
        driver.decline_offer(offers, Filters(refuse_seconds=600.0))


@pytest.mark.long
def test_a_wait_without_an_end_is_given_up_after_a_day(sim: Simulation) -> None:
    """A test must not hang because a scheduler declines offers for ever."""
    driver = sim.cluster(agents=1).run(Declining(), framework="declining")

    with pytest.raises(NothingToWaitFor, match="a day has passed and it is still not so; perhaps a scheduler declines"):
        driver.join()
    assert 86_400 < sim.now < 87_100
