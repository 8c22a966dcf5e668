"""Waiting for messages, and faults that take the same filters: kind, sender, receiver, where, times."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Cluster, NothingToWaitFor, Simulation
from mesolite.messages import PingAgent, PongAgent, RunTask, StatusUpdate, UnregisterAgent
from tests.scenarios.schedulers import EXECUTORS, PLAIN, Launcher, Recorder, command_task, executor_task


def is_second(update: Any) -> bool:
    """Of the two tasks."""
    return bool(update.status.task_id == "t2")


def test_a_message_can_be_waited_for(sim: Simulation) -> None:
    """The first that fits from now on, and nothing stays behind that goes on looking."""
    cluster = sim.cluster(agents=2)
    cluster.run(Launcher(command_task("t1"), command_task("t2")), framework=PLAIN)

    update = sim.wait_for(StatusUpdate, receiver="plain", where=is_second, timeout=10.0)

    assert (update.status.task_id, str(update.status.state)) == ("t2", "TASK_STARTING")
    assert sim.runtime.network.rules == []


def test_what_was_said_before_is_not_waited_for(sim: Simulation) -> None:
    """Nor is it for ever: the time-out says what did not come."""
    cluster = sim.cluster(agents=1)
    cluster.run(Recorder(), framework=PLAIN)
    sim.advance(1.0)

    with pytest.raises(TimeoutError, match=r"there was no UnregisterAgent from agent-1 to anybody within 30 virtual s"):
        sim.wait_for(UnregisterAgent, sender="agent-1", timeout=30.0)
    with pytest.raises(NothingToWaitFor):
        sim.wait_for(UnregisterAgent, timeout=float("inf"))
    assert sim.runtime.network.rules == []


def test_the_older_names_are_the_same_verbs() -> None:
    """Programs that use them go on as they are."""
    assert Simulation.expect is Simulation.observe
    assert Simulation.wait_until is Simulation.run_until
    assert Cluster.run_until is Cluster.wait_until


def test_a_hold_keeps_so_many_and_lets_the_others_pass(sim: Simulation) -> None:
    """The first pong is late, and the second is not."""
    sim.cluster(agents=1)
    held, seen = sim.hold(PongAgent, times=1), sim.observe(PongAgent)

    sim.advance(31.0)
    assert (held.count, seen.count) == (1, 1)
    held.release()
    sim.settle()

    assert (held.count, seen.count) == (1, 2)


def test_what_is_held_can_be_lost(sim: Simulation) -> None:
    """It is in the trace as dropped, and what is said afterwards passes."""
    cluster = sim.cluster(agents=1)
    framework = Launcher(executor_task("t1"))
    held = sim.hold(RunTask, receiver="agent-1")
    driver = cluster.run(framework, framework=PLAIN, executors=EXECUTORS)
    sim.advance(1.0)
    assert held.count == 1

    held.drop()
    held.drop()
    sim.run_until(lambda: len(framework.offers) > 1, timeout=30.0)
    driver.launch_tasks(framework.offers[-1:], executor_task("t2", executor_id="e2"))
    sim.advance(5.0)

    assert framework.updates("t1") == []
    assert framework.states("t2") == ["RUNNING"]
    assert "RunTask plain t1" in (lost := sim.trace.text())
    assert lost.count("(dropped)") == 1


@pytest.mark.parametrize("verb", ["delay", "duplicate", "drop", "hold"])
def test_every_fault_takes_every_filter(sim: Simulation, verb: str) -> None:
    """Only what fits all of them, and only so often."""
    cluster = sim.cluster(agents=1)
    filters: dict[str, Any] = {"sender": "master-1", "receiver": "plain", "where": is_second, "times": 1}
    fault = getattr(sim, verb)(*([3.0] if verb == "delay" else []), StatusUpdate, **filters)

    cluster.run(Launcher(command_task("t1"), command_task("t2")), framework=PLAIN)
    sim.advance(2.0)

    assert fault.count == 1
    assert {update.status.task_id for update in fault.all} == {"t2"}


def test_a_delay_of_one_message_delays_no_other(sim: Simulation) -> None:
    """The next ping is answered in time."""
    sim.cluster(agents=1)
    sim.delay(5.0, PongAgent, times=1)
    pings, pongs = sim.observe(PingAgent), sim.observe(PongAgent)

    sim.advance(31.0)

    assert (pings.count, pongs.count) == (2, 2)




def test_a_trace_shows_every_record_to_whoever_subscribes_at_any_time() -> None:
    """Also those of actors that were there before; from the moment it ends the subscription nothing more."""
    sim = Simulation(seed=1)
    sim.cluster(agents=1)
    began, seen = len(sim.trace), list[int]()

    unsubscribe = sim.trace.subscribe(lambda record: seen.append(record.index))
    sim.advance(20.0)
    ended = len(sim.trace)
    unsubscribe()
    sim.advance(20.0)

    assert seen == list(range(began, ended))
    assert len(sim.trace) > ended > began
