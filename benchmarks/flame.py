"""Where the time of a simulation goes, as text: `python -m benchmarks.flame [AGENTS]`, kept in docs/performance.md.

A timer of processor time interrupts a simulated cluster while its agents are pinged, and notes who is calling whom.
Functions of C have no frames of their own: their time is that of who called them. A line is a function; below it,
indented, whom it calls; in front, the share of the whole that is spent in it or below, and that spent in it alone.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from types import FrameType

from benchmarks.measuring import Stopwatch
from mesolite import Settings, Simulation

INTERVAL_S = 0.001
SAMPLES = 4_000
LEAST = 0.02
"""Smaller shares are not shown."""

Stack = tuple[str, ...]


class Sampler:
    """Notes the stack at every interval of processor time."""

    def __init__(self) -> None:
        """Start."""
        self.stacks: Counter[Stack] = Counter()
        signal.signal(signal.SIGPROF, self._note)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)

    def stop(self) -> None:
        """Note nothing more."""
        signal.setitimer(signal.ITIMER_PROF, 0.0)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        names = []
        while frame is not None:
            names.append(frame.f_code.co_qualname)
            frame = frame.f_back
        self.stacks[tuple(reversed(names))] += 1


def below(stacks: Counter[Stack], root: str) -> Counter[Stack]:
    """Only what is below that function, beginning with it."""
    cut: Counter[Stack] = Counter()
    for stack, times in stacks.items():
        if root in stack:
            cut[stack[stack.index(root) :]] += times
    return cut


def lines(stacks: Counter[Stack], whole: int, depth: int = 0) -> Iterator[str]:
    """The flame as text, the broadest branch first."""
    branches: dict[str, Counter[Stack]] = {}
    for stack, times in stacks.items():
        if stack:
            branches.setdefault(stack[0], Counter())[stack[1:]] += times
    for name, branch in sorted(branches.items(), key=lambda item: -item[1].total()):
        share = branch.total() / whole
        if share >= LEAST:
            yield f"{100 * share:5.1f} %  {100 * branch[()] / whole:5.1f} %  {'  ' * depth}{name}"
            yield from lines(branch, whole, depth + 1)


def main(agents: int) -> None:
    """Let agents be pinged until there are enough samples."""
    with Simulation(seed=7, settings=Settings.mesos(), encoded_store=False) as simulation:
        simulation.cluster(agents=agents)
        simulation.advance(30.0)
        events, watch = len(simulation.trace), Stopwatch(time.process_time)
        sampler = Sampler()
        while sampler.stacks.total() < SAMPLES:
            simulation.advance(15.0)
        sampler.stop()
        events = len(simulation.trace) - events
    stacks = below(sampler.stacks, "Dispatcher.advance")
    print(f"{agents:,} agents, {stacks.total():,} samples, {1e6 * watch.s / events:.1f} us per event")
    print("with below  alone  function")
    print("\n".join(lines(stacks, stacks.total())))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
