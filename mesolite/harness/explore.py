"""Explore a scenario: draw scripts, one a seed, until a check fails; then make that script small.

found = explore(scenario, seeds=2000)
found.check()                    raises what was found
print(found)                     what was run, reached, injected
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context, parent_process

from attrs import define, evolve

from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import InvalidValue
from mesolite.actors.trace import Record
from mesolite.harness.checkers import Checker
from mesolite.harness.checkers.checker import refuse_mute
from mesolite.harness.confirm import confirm
from mesolite.harness.expanded import expanded
from mesolite.harness.exploration import Exploration, NothingReached
from mesolite.harness.failure import Failure
from mesolite.harness.faults.faults import Faults
from mesolite.harness.faults.kind import Draws
from mesolite.harness.run import Outcome, Scenario, Setting, calm, drawn, uncollected
from mesolite.harness.script import Script
from mesolite.harness.shrink import Shrunk, shrink
from mesolite.harness.world import Watch
from mesolite.messages.base import Message
from mesolite.messages.checking import Count, Duration, SomeCount, checked_arguments, in_seconds
from mesolite.messages.checking.misfits import shown
from mesolite.simulation.choices import ChannelKey
from mesolite.simulation.simulation import Simulation

LATENCIES = ((0.0, 0.0), (0.0, 0.0), (0.001, 0.02), (0.01, 0.3))
"""What a message may take, where nothing is said about it: each seed has one of these."""

SHARES = (0.1, 0.5, 1.0)
"""Which share of the messages a seed may postpone: from nearly calm to as bad as can be."""

CHANGES = 3
"""At so many messages a channel falls back, where the order is "pct"."""

CHUNK = 10
"""So many seeds are given to a process at once, where there are several."""

YOUNG = 1
"""The generation of objects up to which the collector looks after a run: what a run makes is never older."""


AHEAD = 4
"""So many chunks are begun, or wait, for each process."""


@define(kw_only=True)
class Plan:
    """What is to be explored."""

    scenario: Scenario
    faults: Faults
    settings: Settings | Callable[[int], Settings] | None = None
    without: tuple[str, ...] = ()
    besides: tuple[Callable[[], Checker], ...] = ()
    latency: tuple[float, float] | None = None
    order: str = "random"
    shares: tuple[float, ...] = SHARES
    steps: tuple[tuple[ChannelKey, int], ...] = ()
    """What was said in a calm run: the messages at which an order may change."""

    def script(self, seed: int) -> Script:
        """What a seed is like, apart from its faults: latency, and how much is postponed."""
        draws = Draws(seed, "shape")
        latency = draws.one_of(LATENCIES) if self.latency is None else self.latency
        share = 0.0 if self.order == "fifo" else draws.one_of(self.shares)
        changes = tuple(draws.some_of(self.steps, CHANGES)) if self.order == "pct" else None
        return Script(latency=latency, share=share, changes=changes)

    def setting(self, seed: int) -> Setting:
        """The settings of a seed, and the checkers that are left out."""
        settings = self.settings(seed) if callable(self.settings) else self.settings
        if not isinstance(settings, Settings | None):
            raise InvalidValue(f"settings gave {shown(settings)} for seed {seed}: it must give Settings")
        return Setting(settings=settings, without=self.without, besides=self.besides)

    def run(self, seed: int, *, note: bool = False) -> Outcome:
        """Run one seed."""
        return drawn(self.scenario, seed, self.script(seed), self.faults.drawn(seed), self.setting(seed), note=note)


@checked_arguments
def explore(
    scenario: Scenario,
    seeds: SomeCount = 500,
    faults: Faults | None = None,
    processes: SomeCount = 1,
    *,
    settings: Settings | Callable[[int], Settings] | None = None,
    latency: tuple[Duration, Duration] | None = None,
    order: str = "random",
    time_limit: Duration | None = None,
    first_seed: Count = 0,
    without: Iterable[str] = (),
    checkers: Iterable[Callable[[], Checker]] = (),
) -> Exploration:
    """Run a scenario with many seeds, under faults, and return what was found.

    `scenario(sim)` makes a cluster, states what must hold (`sim.always`, `sim.eventually`, `sim.sometimes`), and lets
    time pass. Each seed draws which faults there are, when and to whom (`faults`, by default `Faults()`), which
    messages are overtaken, and how long messages take (within `latency`, by default drawn). At its end faults stop,
    everything is mended, and what must come true eventually has to. All checkers are on, but for those `without` names,
    and those besides that `checkers` makes: classes of checkers, or functions that make one (docs/checkers.md).

    `settings`: those of all seeds, or a function that says those of a seed.
    `order`: "random", "pct", or "fifo". With several `processes` the seeds are shared out; the result is the same.
    `time_limit`: no more seeds are begun after so many real seconds.

    Raises:
        InvalidValue: there is no such order, the scenario takes something else than a simulation, or one of `checkers`
            makes none that says anything.
        NothingReached: the scenario has made no cluster in any run.
    """
    if order not in ("random", "pct", "fifo"):
        raise InvalidValue(f"order={order!r}: there is no such order; give 'random', 'pct' or 'fifo'")
    _check_takes_a_simulation(scenario)
    if isinstance(settings, type):
        raise InvalidValue(f"settings={shown(settings)} is a class: give Settings, such as Settings.mesos()")
    plan = Plan(
        scenario=scenario,
        faults=Faults() if faults is None else faults,
        settings=settings,
        without=tuple(without),
        besides=_making_checkers(checkers),
        latency=None if latency is None else (in_seconds(latency[0]), in_seconds(latency[1])),
        order=order,
    )
    found = explored(plan, first_seed, seeds, processes, None if time_limit is None else in_seconds(time_limit))
    found.refuse_empty()
    return found


def _check_takes_a_simulation(scenario: object) -> None:
    """Refuse what cannot be called with a simulation, and nothing else.

    Raises:
        InvalidValue: it cannot.
    """
    try:
        inspect.signature(scenario).bind(None)  # type: ignore[arg-type]  # what is no function raises, too
    except TypeError as why:
        text = f"scenario={shown(scenario)} is called with the simulation, and nothing else: {why}"
        raise InvalidValue(text) from None
    except ValueError:
        return  # made in C: it says nothing of what it takes


def _making_checkers(makers: Iterable[Callable[[], Checker]]) -> tuple[Callable[[], Checker], ...]:
    """Those that are to be on besides; each is tried once, before any seed is."""
    for make in (tried := tuple(makers)):
        try:
            made: object = make()
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            raise InvalidValue(f"checkers: {shown(make)} makes no checker: {said}") from error
        if not isinstance(made, Checker):
            raise InvalidValue(f"checkers: {shown(make)} makes no checker; give classes, or functions that make one")
        refuse_mute(made)
    return tried


OnProgress = Callable[[Exploration, Shrunk | None], object]
"""Is told what was found so far: after some seeds, and before each run that makes a script smaller, of which so far."""


def explored(
    plan: Plan,
    first_seed: int,
    seeds: int,
    processes: int = 1,
    time_limit_s: float | None = None,
    *,
    found: Exploration | None = None,
    on_progress: OnProgress = lambda found, smaller: None,
) -> Exploration:
    """Explore as planned. Who is interrupted has in `found` what was found until then."""
    found = Exploration() if found is None else found
    found.aimed = {name: fault.targets for name, fault in plan.faults.each().items() if fault.targets and fault.rate}
    if plan.order == "pct":
        plan.steps = _steps(plan)
    began = time.monotonic()
    failed = None
    with contextlib.closing(_search(plan, first_seed, seeds, processes, time_limit_s)) as results:
        for part, seed in results:
            found.merge(part)
            found.seconds, failed = time.monotonic() - began, seed
            on_progress(found, None)
    if failed is not None:
        _look_closer(plan, failed, found, on_progress)
    return found


def _look_closer(plan: Plan, seed: int, found: Exploration, on_progress: OnProgress) -> None:
    """Look at a seed that fails: note its script, make it small, see whether another process agrees."""
    outcome = plan.run(seed, note=True)
    if outcome.error is None:
        # Run once more it does not fail: that is what has to be found out first.
        with Watch() as watch:
            plan.run(seed)
        raise NothingReached(
            f"seed {seed} failed, and did not when it was run again in the same process: "
            + (
                "; ".join(f"it uses {what}, at {where}" for what, where in watch.read.items())
                or "the scenario keeps something between its runs, as a counter of its module does; make all that it "
                "uses inside of it"
            )
        )
    setting, shrunk = plan.setting(seed), Shrunk(outcome=outcome)
    drew = expanded(outcome.sim, outcome.script, setting.settings, plan.faults.drawn(seed))
    try:
        shrink(plan.scenario, setting, shrunk, on_run=lambda smaller: on_progress(found, smaller))
    finally:
        others = tuple(shrunk.others)
        failure = Failure.of(plan.scenario, setting, shrunk.outcome, runs=shrunk.runs, others=others, expanded=drew)
        found.fail(failure)
    found.fail(evolve(failure, confirmed=confirm(failure)))


def _steps(plan: Plan) -> tuple[tuple[ChannelKey, int], ...]:
    """Run it once, calm and without faults, to learn what is said; what actors say to themselves is left out."""
    said: dict[ChannelKey, int] = {}

    def prepare(sim: Simulation) -> None:
        def note(record: Record) -> None:
            if record.sender and record.sender != record.actor and isinstance(record.event, Message):
                key = ChannelKey(record.sender, max(1, sim.runtime.directory.incarnation(record.sender)), record.actor)
                said[key] = said.get(key, 0) + 1

        sim.trace.subscribe(note)

    calm(plan.scenario, 0, Script(), plan.setting(0), prepare)
    return tuple((key, serial) for key, count in said.items() for serial in range(1, count + 1))


def _search(
    plan: Plan, first_seed: int, seeds: int, processes: int, time_limit_s: float | None
) -> Generator[tuple[Exploration, int | None], None, None]:
    """Run seeds until one fails, which is the lowest that does, or none is left; yields what some came to."""
    until = None if time_limit_s is None else time.monotonic() + time_limit_s
    end, size = first_seed + seeds, 1 if processes == 1 else CHUNK
    # One by one, as who gives a time limit may ask for any number of seeds.
    chunks = (range(begin, min(begin + size, end)) for begin in range(first_seed, end, size))
    for part, seed in _results(plan, chunks, processes, until):
        yield part, seed
        if seed is not None:
            return


def _results(
    plan: Plan, chunks: Iterator[range], processes: int, until: float | None
) -> Iterator[tuple[Exploration, int | None]]:
    """The results of the chunks in order, whoever ran them."""
    if processes == 1:
        for chunk in chunks:
            if until is not None and time.monotonic() >= until:
                return
            yield _run_chunk(plan, chunk)
        return
    _PLANS.append(plan)  # a scenario may be made inside a function; forked processes have it
    context = get_context("fork")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin_to_help)
    try:
        begun = deque(pool.submit(_run_in_process, chunk) for chunk in islice(chunks, AHEAD * processes))
        while begun:
            if until is not None and time.monotonic() >= until:
                return
            yield begun.popleft().result()
            begun.extend(pool.submit(_run_in_process, chunk) for chunk in islice(chunks, 1))
    finally:
        # Whether all was seen, enough was, or somebody has interrupted it: what has not begun is not begun any more.
        pool.shutdown(cancel_futures=True)
        _PLANS.pop()


def _begin_to_help() -> None:
    """Those that only help end without a word: at Ctrl-C, which on a terminal goes to all, and with whom they help."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    """A process that was killed closes its end of a pipe; nobody would want what comes of the seeds any more."""
    parent = parent_process()
    assert parent is not None, "this is a process that helps"
    parent.join()
    os._exit(1)


_PLANS: list[Plan] = []


def _run_in_process(chunk: range) -> tuple[Exploration, int | None]:
    return _run_chunk(_PLANS[-1], chunk)


def _run_chunk(plan: Plan, chunk: range) -> tuple[Exploration, int | None]:
    """Run some seeds, up to the first that fails."""
    part = Exploration()
    with uncollected():
        for seed in chunk:
            outcome = plan.run(seed)
            part.add(outcome)
            part.coverage.add(outcome.sim)
            if outcome.error is not None:
                return part, seed
            # All of a run is freed at once, while it is still at hand; most of it without the collector.
            outcome.sim.trace.forget()
            del outcome
            gc.collect(YOUNG)
    return part, None

