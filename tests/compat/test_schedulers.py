"""Schedulers as people write them for pymesos run unchanged: on threads, on virtual time, under faults with a seed."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite import Cluster, Simulation
from mesolite.compat.pymesos import MesosSchedulerDriver, on
from mesolite.harness import explore
from tests.compat import runs, schedulers

on_each_runtime = pytest.mark.parametrize("runtime", runs.RUNTIMES)


@on_each_runtime
def test_commands_are_run_to_their_ends(runtime: str) -> None:
    """More of them than there is room for at once, and each ends as it ends by itself."""
    commands = ["true"] * 9 + ["exit 3"]
    with runs.running(runtime):
        scheduler = schedulers.run_commands(commands)

    assert scheduler.ended == {str(number): "TASK_FINISHED" for number in range(1, 10)} | {"10": "TASK_FAILED"}


@on_each_runtime
@pytest.mark.parametrize("program", [schedulers.Squarer, schedulers.squarer_program], ids=["class", "program"])
@pytest.mark.parametrize("name", ["Squarer", "python squarer.py", "squarer"])
def test_an_executor_is_found_by_its_name_its_command_or_its_id(runtime: str, program: Any, name: str) -> None:
    """A class, or the function that its program runs; data and labels arrive as they were sent."""
    with runs.running(runtime, executors={name: program}):
        scheduler = schedulers.run_squares([2, 3, 4])

    assert scheduler.answers == {"square-2": "4 units", "square-3": "9 units", "square-4": "16 units"}
    assert sorted(scheduler.labels) == ["2", "3", "4"]
    assert set(scheduler.messages) <= {"squarer: ready on agent-1", "squarer: ready on agent-2"}


@on_each_runtime
def test_offers_stop_while_they_are_suppressed_and_come_when_revived(runtime: str) -> None:
    """A job that fails is tried again, and the revival overcomes the filters of an hour."""
    with runs.running(runtime):
        scheduler = schedulers.run_quiet([("good", "true"), ("bad", "false")], tries=3)

    assert scheduler.said == ["suppress", "revive", "suppress", "revive", "suppress"]
    assert scheduler.jobs == {}
    assert scheduler.offered <= 2 * 3


def kept(cluster: Any, store: dict[str, Any]) -> bool:
    """Whether all services run, as far as the scheduler and the master know."""
    listed = [task for framework in cluster.operator.state()["frameworks"] for task in framework["tasks"]]
    running = {task["task_id"] for task in listed if task["state"] == "TASK_RUNNING"}
    return len(running) == schedulers.Steadfast.WANTED and store["tasks"] == dict.fromkeys(running, "TASK_RUNNING")


def failovers(cluster: Any) -> tuple[dict[str, Any], MesosSchedulerDriver, MesosSchedulerDriver]:
    """The master fails over, and then the scheduler."""
    store: dict[str, Any] = {}
    with on(cluster):
        first = schedulers.steadfast_driver(store)
        cluster.wait_until(lambda: kept(cluster, store), timeout=60)
        cluster.leader.crash()
        cluster.wait_until(lambda: "reregistered" in first.sched.heard and kept(cluster, store), timeout=60)
        first.stop(failover=True)
        first.join()
        second = schedulers.steadfast_driver(store)
        cluster.wait_until(lambda: "reregistered" in second.sched.heard and kept(cluster, store), timeout=60)
    return store, first, second


def see_failovers(store: dict[str, Any], first: MesosSchedulerDriver, second: MesosSchedulerDriver) -> None:
    """Nothing was launched again; a successor with an id is re-registered, as pymesos calls it."""
    assert store["launched"] == schedulers.Steadfast.WANTED
    assert first.sched.heard == ["registered", "disconnected", "reregistered"]
    assert second.sched.heard == ["reregistered"]
    assert first.framework_id == second.framework_id == store["framework_id"]


def test_services_survive_the_failovers_of_master_and_scheduler_for_real() -> None:
    """On threads, with real processes."""
    with Cluster(agents=2, masters=2) as cluster:
        see_failovers(*failovers(cluster))


def test_services_survive_the_failovers_of_master_and_scheduler_in_simulation(sim: Simulation) -> None:
    """On virtual time."""
    see_failovers(*failovers(sim.cluster(agents=2, masters=2)))


def trace_of(seed: int) -> str:
    """The hash of one run of three schedulers."""
    with Simulation(seed=seed, latency=(0.001, 0.02)) as sim:
        with on(sim.cluster(agents=2), {"Squarer": schedulers.squarer_program}):
            schedulers.run_squares([2, 3, 4])
            schedulers.run_quiet([("good", "true"), ("bad", "false")], tries=3)
            schedulers.steadfast_driver({})
            sim.advance(60)
        return sim.trace.hash()


def test_the_same_seed_gives_the_same_trace() -> None:
    """Another one does not."""
    assert trace_of(1) == trace_of(1)
    assert trace_of(1) != trace_of(2)


@pytest.mark.long
def test_what_survives_failovers_survives_fifty_seeds_of_faults() -> None:
    """As any scheduler, it is explored; some runs have seen every kind of accident."""
    found = explore(runs.steadfast, seeds=50)

    found.check()
    assert found.runs == 50
    assert sum(count["injected"] for count in found.faults.values()) > 50


@pytest.mark.long
def test_executors_and_revivals_survive_eighty_seeds_of_faults() -> None:
    """No callback raises, and no checker finds a fault of ours."""
    explore(runs.busy, seeds=80).check()
