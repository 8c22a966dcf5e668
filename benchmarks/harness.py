"""How many seeds of the default workload are explored in a second, and what of it checkers and trace take.

The default workload: three masters, five agents, two frameworks of three services each, 60 virtual seconds under
`Faults()`, then recovery. Beside: the same events with nobody watching. Besides: a sweep of a story of 60 s, a failure
of some 200 faults made small, and what a second process brings.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable
from typing import TypeVar

from attrs import evolve, frozen

from benchmarks.measuring import Figure, Goal, Result, Stopwatch, in_turn
from examples.schedulers import Shop, service
from mesolite import SimulatedWork, Simulation, TaskInfo
from mesolite.actors.trace import DEFAULT_RECORDS
from mesolite.harness import explore, sweep
from mesolite.harness.explore import YOUNG
from mesolite.harness.faults import Fault, Faults
from mesolite.harness.faults.injector import Injector
from mesolite.harness.run import Setting, drawn, uncollected, watched
from mesolite.harness.script import Script
from mesolite.harness.shrink import Shrunk, shrink

SEEDS = 60
ROUNDS = 5
VIRTUAL_S = 60.0

T = TypeVar("T")


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


@frozen
class Lived:
    """What a seed was like with somebody watching: how many events, when operators took back what they had asked for,
    and when it was over. Whoever watches waits for answers, and for what is under way.
    """

    events: int
    events_to_recovery: int
    undone_at: float
    ended_at: float


def watched_seed(seed: int) -> Lived:
    """A seed under all checkers, to its end."""
    sim = Simulation(seed, order="random")
    run = watched(sim, Setting())
    wait, undone_at = run.injector.on_undo, 0.0

    def undo() -> None:
        nonlocal undone_at
        wait()
        undone_at = sim.now

    run.injector.on_undo = undo
    run.injector.draw(Faults().drawn(seed))
    workload(sim)
    sim.recover()
    recovered = len(sim.trace)
    run.end()
    return Lived(len(sim.trace), recovered, undone_at, sim.now)


def unwatched_seed(seed: int, lived: Lived, trace_records: int) -> None:
    """The same events with nobody watching."""
    sim = Simulation(seed, order="random", trace_records=trace_records)
    injector = Injector(sim)
    injector.on_undo = lambda: _pass_until(sim, lived.undone_at)
    injector.draw(Faults().drawn(seed))
    workload(sim)
    sim.recover()
    _pass_until(sim, lived.ended_at)
    assert not trace_records or len(sim.trace) == lived.events, f"seed {seed} is another without checkers"


def _pass_until(sim: Simulation, time: float) -> None:
    if time > sim.now:  # even no time at all would let happen what is due
        sim.runtime.advance(time - sim.now)


def timed(seed: Callable[[int], T]) -> tuple[float, list[T]]:
    """Processor milliseconds for all seeds, each freed at its end as `explore` does; and what each returned."""
    clock = Stopwatch(time.thread_time)
    with uncollected():
        lived = []
        for number in range(SEEDS):
            lived.append(seed(number))
            gc.collect(YOUNG)
    clock.stop()
    return clock.ms, lived


def _restart_leader(sim: Simulation) -> None:
    assert sim.started is not None
    if sim.started.leader is not None:
        sim.started.leader.restart()


def measure() -> Result:
    """Measure all."""
    _, lived = timed(watched_seed)
    seen, bare, unrecorded = in_turn(
        ROUNDS,
        lambda: timed(watched_seed)[0],
        lambda: timed(lambda seed: unwatched_seed(seed, lived[seed], DEFAULT_RECORDS))[0],
        lambda: timed(lambda seed: unwatched_seed(seed, lived[seed], 0))[0],
    )
    events, after = sum(each.events for each in lived), sum(each.events - each.events_to_recovery for each in lived)
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
        remarks=[
            f"{events / SEEDS:,.0f} events a seed, each {min(seen) * 1000 / events:.1f} us",
            f"{after / events:.0%} of them come after recovery, until nothing is under way that checkers wait for",
        ],
        figures=[
            Figure(
                what="a seed, with checkers",
                unit="ms",
                ours=[ms / SEEDS for ms in seen],
                beside="without",
                theirs=[ms / SEEDS for ms in bare],
                goal=Goal("at most", 1.54, ratio=True),
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
