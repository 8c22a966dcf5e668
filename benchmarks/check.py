"""Has something become slower? `make bench-check` compares ratios, never times, with the recorded ones.

Checked is what runs on one thread and is timed on the processor: messages and the silent machine on virtual time, the
allocator and its growth, the cost per event of a launch, and of a simulated cluster of 2,000 agents beside one of 200,
what must cost the same however many there are (growth.py), importing us, which must cost next to nothing before the
first use, and what a command costs this process.
Each figure's ratio is the best round of ours by the best round of what was measured beside it: others on the machine
only ever slow a round down, so the best one moves least.

The margin: a ratio may be worse than the recorded one by three quarters. Over ten rounds of this on a machine of two
processors, from nearly idle to three times overbooked, the same code's ratios lay up to a factor of 1.46 apart
(messages beside bare Pykka, which has less to lose of the shared caches), and mostly within 1.25. So recording on a
quiet machine and checking on a busy one does not reach the margin. A scan of all agents at every event does; one in a
rarer step, or a loss of a tenth, does not, and is for `make bench` at 10,000 agents on a quiet machine to find. What
fails is measured once more before it counts.

`make bench` records; so does `python -m benchmarks.check --record`, for these figures only.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import sys
import tempfile
from collections.abc import Callable

from benchmarks import allocator, commands, growth, importing, messages, scale, silence
from benchmarks.measuring import RATES, Figure, in_turn

MARGIN = 1.75
ROUNDS = 11
GROWTH_ROUNDS = 3
"""Of what grows: that is seen in a few."""
RECORDED = pathlib.Path(__file__).parent / "results" / "ratios.json"
SMALL, LARGE, PINGED_S = 200, 2_000, 150.0
LAUNCHED_ON = 100
FEW_COMMANDS = 300


def us_per_event(agents: int, frameworks: int, act: Callable[[scale.Life], None]) -> float:
    """Processor time per event of what such a cluster does once it is there."""
    life = scale.Life(agents, frameworks)
    life.phase("bring_up", life.bring_up)
    life.phase("act", lambda: act(life))
    return life.phases["act"].us_per_event


def pinged_us(agents: int) -> float:
    """... while so many agents are pinged."""
    return us_per_event(agents, 0, lambda life: life.advance(PINGED_S))


def launched_us() -> float:
    """... while a thousand tasks are launched."""
    return us_per_event(LAUNCHED_ON, 5, scale.Life.launch)


def figures() -> list[Figure]:
    """Measure what is checked."""
    ours, floor, events, stores, small, large = in_turn(
        ROUNDS,
        messages.mesolite_per_s,
        messages.bare_pykka_per_s,
        messages.simpy_events_per_s,
        messages.simpy_messages_per_s,
        lambda: allocator.cycle_s(2_000),
        lambda: allocator.cycle_s(4_000),
    )
    few, many, launched = in_turn(ROUNDS, lambda: pinged_us(SMALL), lambda: pinged_us(LARGE), launched_us)
    stories, bare = in_turn(ROUNDS, lambda: silence.story()[1], lambda: silence.simpy_events(1_000)[1])
    placing, arithmetic = in_turn(ROUNDS, lambda: allocator.mixed(suppress=True).seconds, allocator.arithmetic_s)
    package, nothing, first_use, attrs = in_turn(
        ROUNDS, importing.package_ms, importing.nothing_ms, importing.first_use_ms, importing.attrs_ms
    )
    with tempfile.TemporaryDirectory(prefix="mesolite-") as folder:
        numbers = itertools.count(1)
        host, popen = in_turn(
            ROUNDS,
            lambda: commands.host_us(pathlib.Path(folder, str(next(numbers))), FEW_COMMANDS),
            lambda: commands.popen_us(FEW_COMMANDS),
        )
    rows = [
        ("messages on virtual time", "per s", ours, "bare Pykka, one thread", floor),
        ("messages on virtual time", "per s", ours, "SimPy, bare events", events),
        ("messages on virtual time", "per s", ours, "SimPy, messages", stores),
        ("an allocation of 4,000 agents", "s", large, "2,000 agents", small),
        ("mixed frameworks", "s", placing, "the arithmetic alone", arithmetic),
        (f"an event of {LARGE:,} agents", "us", many, f"{SMALL} agents", few),
        (f"an event of {SMALL} agents", "us", few, "1,000 bare SimPy events", [1_000.0 * ms for ms in bare]),
        ("an event of a launch", "us", launched, "1,000 bare SimPy events", [1_000.0 * ms for ms in bare]),
        ("a machine falls silent", "ms", stories, "1,000 bare SimPy events", bare),
        ("a command, in the host", "us", host, "a bare loop of Popen", popen),
        ("import mesolite", "ms", package, "an interpreter that does nothing", nothing),
        ("from mesolite import Cluster", "ms", first_use, "import attrs", attrs),
    ]
    found = [
        Figure(what=what, unit=unit, ours=ours, beside=beside, theirs=theirs)
        for what, unit, ours, beside, theirs in rows
    ]
    return found + growth.figures(GROWTH_ROUNDS, lambda quick, full: quick)


def name(figure: Figure) -> str:
    """What a figure is recorded under."""
    return f"{figure.what}, beside {figure.beside}"


def worse(figure: Figure, recorded: float) -> float:
    """By which factor a figure is worse than recorded; below 1 it is better."""
    return recorded / figure.best_ratio if figure.unit in RATES else figure.best_ratio / recorded


def compare(recorded: dict[str, float]) -> list[str]:
    """Measure and print all; returns those that are worse than the margin allows, or were never recorded."""
    slower = []
    for figure in figures():
        known = recorded.get(name(figure))
        by = worse(figure, known) if known is not None else None
        said = f"worse by {by:.2f}" if by is not None else "never recorded: run make bench"
        print(f"{figure.best_ratio:10.3g}  recorded {known or 0.0:10.3g}  {said:<16}  {name(figure)}")
        if by is None or by > MARGIN:
            slower.append(name(figure))
    return slower


def main(arguments: list[str]) -> int:
    """Check, or record; the exit status says whether something is slower."""
    if arguments == ["--record"]:
        record()
        return 0
    recorded: dict[str, float] = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
    slower = compare(recorded)
    if slower:
        print("once more, as something is slower:")
        again = compare(recorded)
        slower = [figure for figure in slower if figure in again]
    for figure in slower:
        print(f"SLOWER than recorded by more than {MARGIN}, twice: {figure}")
    return 1 if slower else 0


def record() -> None:
    """Write the ratios of this machine and this state of the code."""
    ratios = {name(figure): round(figure.best_ratio, 4) for figure in figures()}
    RECORDED.write_text(json.dumps(ratios, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
