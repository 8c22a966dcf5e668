"""How many seeds of the default workload are explored in a second, and what of it checkers and trace take.

The default workload: three masters, five agents, two frameworks of three services each, 60 virtual seconds under
`Faults()`, then recovery. Beside: the same seeds with nobody watching. Besides: a sweep of a story of 60 s, a failure
of some 200 faults made small, and what a second process brings.
"""

from __future__ import annotations

import os
import signal
import time

from attrs import evolve

from benchmarks.measuring import Figure, Goal, Result, Stopwatch, in_turn
from examples.schedulers import Shop, service
from mesolite import SimulatedWork, Simulation, TaskInfo
from mesolite.harness import explore, sweep
from mesolite.harness.faults import Fault, Faults
from mesolite.harness.faults.injector import Injector
from mesolite.harness.run import Setting, drawn
from mesolite.harness.script import Script
from mesolite.harness.shrink import Shrunk, shrink

SEEDS = 60
ROUNDS = 5
VIRTUAL_S = 60.0


def _service(name: str) -> TaskInfo:
    return evolve(service(name, name), work=SimulatedWork(duration=None, on_sigterm=1.0))


def workload(sim: Simulation) -> None:
    """What is explored."""
    cluster = sim.cluster(agents=5, masters=3)
    for framework in ("a", "b"):
        cluster.run(Shop([_service(f"{framework}{number}") for number in range(3)]), framework=framework)
    sim.advance(VIRTUAL_S)


def story(sim: Simulation) -> None:
    """What is swept: a drain now, and the tasks elsewhere again."""
    cluster = sim.cluster(agents=2, masters=2)
    cluster.run(Shop([_service(f"s{number}") for number in range(2)]), framework="shop")
    sim.eventually(lambda: len(sim.view.running("shop")) == 2, within=900)  # both services
    sim.at(20.0, lambda: cluster.agents["agent-1"].signal(signal.SIGUSR1))
    sim.advance(VIRTUAL_S)


def planted(sim: Simulation) -> None:
    """Fails when agent-1 was restarted, and agent-2 after it."""
    cluster = sim.cluster(agents=3)
    sim.advance(600)
    first, second = (
        [at for at, what in cluster.agents[name].history if what == "restart"] for name in ("agent-1", "agent-2")
    )
    assert not (first and second and max(second) > min(first)), "agent-2 was restarted after agent-1"


def explored() -> tuple[float, int]:
    """Processor milliseconds for the seeds, and how many events they have."""
    events, clock = 0, Stopwatch(time.thread_time)
    for seed in range(SEEDS):
        outcome = drawn(workload, seed, Script(), Faults().drawn(seed), Setting())
        assert outcome.error is None, outcome.error
        events += len(outcome.sim.trace)
    clock.stop()
    return clock.ms, events


def unwatched(trace_records: int) -> float:
    """Processor milliseconds for the same seeds with no checkers, up to their recovery."""
    clock = Stopwatch(time.thread_time)
    for seed in range(SEEDS):
        sim = Simulation(seed, order="random", trace_records=trace_records)
        Injector(sim).draw(Faults().drawn(seed))
        workload(sim)
        sim.recover()
    clock.stop()
    return clock.ms


def _restart_leader(sim: Simulation) -> None:
    assert sim.started is not None
    if sim.started.leader is not None:
        sim.started.leader.restart()


def measure() -> Result:
    """Measure all."""
    watched, bare, unrecorded = in_turn(ROUNDS, explored, lambda: unwatched(20_000), lambda: unwatched(0))
    events = watched[0][1]
    swept = Stopwatch()
    instants = sweep(story, _restart_leader).instants
    swept.stop()
    many = {"restart": Fault(15.0), "stop": Fault(6.0, lasts=(0.0, 2.0))}
    outcome = drawn(planted, 0, Script(latency=(0.01, 0.1)), many, Setting(), note=True)
    shrinking = Stopwatch()
    small = Shrunk(outcome=outcome)
    shrink(planted, Setting(), small)
    shrinking.stop()
    alone, together = (explore(workload, seeds=SEEDS * 3, processes=count).seeds_per_second for count in (1, 2))
    faults = len(outcome.script.faults)
    return Result(
        title=f"Exploring: 3 masters, 5 agents, 2 frameworks, {VIRTUAL_S:g} virtual s under faults, {SEEDS} seeds",
        settings="Settings.mesos()",
        remarks=[f"{events / SEEDS:,.0f} events a seed, each {min(ms for ms, _ in watched) * 1000 / events:.1f} us"],
        figures=[
            Figure(
                what="a seed, with checkers and to its end",
                unit="ms",
                ours=[ms / SEEDS for ms, _ in watched],
                beside="without",
                theirs=[ms / SEEDS for ms in bare],
            ),
            Figure(
                what="a seed without checkers",
                unit="ms",
                ours=[ms / SEEDS for ms in bare],
                beside="without a trace",
                theirs=[ms / SEEDS for ms in unrecorded],
                goal=Goal("at most", 1.54, ratio=True),
            ),
            Figure(
                what=f"a sweep of a story of {VIRTUAL_S:g} s, {instants} instants",
                unit="s",
                ours=[swept.ms / 1000],
                beside="the goal",
                theirs=[5.0],
                goal=Goal("under", 5.0),
            ),
            Figure(
                what=f"a failure of {faults} faults made one of {len(small.outcome.script.faults)}, {small.runs} runs",
                unit="s",
                ours=[shrinking.ms / 1000],
                beside="the goal",
                theirs=[60.0],
                goal=Goal("under", 60.0),
            ),
            Figure(
                what=f"seeds with two processes, {os.cpu_count()} cores",
                unit="per s",
                ours=[together],
                beside="with one",
                theirs=[alone],
                goal=Goal("at least", 1.6, ratio=True),
            ),
        ],
    )
