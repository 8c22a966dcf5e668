"""`mesolite explore FILE::FUNCTION`: try a scenario with many seeds, and keep what fails."""

from __future__ import annotations

import os
import pathlib
import shlex
from typing import TYPE_CHECKING

import click

from mesolite.command_line.ending import FOUND, INTERRUPTED, NOTHING_FOUND, Unusable, meant
from mesolite.command_line.progress import Progress

if TYPE_CHECKING:
    from mesolite.command_line.places import Place
    from mesolite.harness.exploration import Exploration
    from mesolite.harness.faults import Faults
    from mesolite.harness.shrink import Shrunk

FAULTS = """Which faults, and how many: none, mild, usual or harsh; kinds with how many there are in a virtual minute,
as in crash=2,drain=1, and no others; or both, as in harsh,reclaim=0."""


@click.command(short_help="Try a scenario with many seeds, until one fails.")
@click.argument("scenario", metavar="FILE::FUNCTION")
@click.option("--seeds", type=click.IntRange(1), default=500, show_default=True, help="How many seeds.")
@click.option("--first-seed", type=click.IntRange(0), default=0, show_default=True, help="From which on.")
@click.option("--faults", metavar="FAULTS", default="usual", show_default=True, help=FAULTS)
@click.option(
    "--order", type=click.Choice(["random", "pct", "fifo"]), default="random", show_default=True,
    help="Which message goes first.",
)
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True, help="Among how many to share.")
@click.option("--time-limit", metavar="SECONDS", type=click.FloatRange(0), help="Begin no more seeds after that.")
@click.option("--without", metavar="CHECKER", multiple=True, help="Leave out this checker; may be given again.")
def explore(
    scenario: str,
    seeds: int,
    first_seed: int,
    faults: str,
    order: str,
    processes: int,
    time_limit: float | None,
    without: tuple[str, ...],
) -> None:
    """Run the scenario FUNCTION in FILE once for each seed, under faults, and stop at the lowest that fails.

    What fails is made small, tried in another process, and kept in .mesolite/ beside FILE.

    Ctrl-C ends it, and prints what was found so far.
    """
    from mesolite.command_line.places import scenario_at
    from mesolite.harness.exploration import Exploration
    from mesolite.harness.explore import Plan, explored

    place = scenario_at(scenario)
    plan = Plan(scenario=place.found, faults=faults_of(faults), order=order, without=_checkers(without))
    found, interrupted = Exploration(), False
    with Progress() as progress:
        try:
            explored(
                plan, first_seed, seeds, processes, time_limit, found=found,
                on_progress=lambda found, smaller: progress.say(_so_far(found, seeds, smaller)),
            )
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        click.echo(f"interrupted after {found.runs} of {seeds} seeds", err=True)
    raise SystemExit(_tell(place, found, interrupted))


def _so_far(found: Exploration, seeds: int, smaller: Shrunk | None) -> str:
    """How far it is, and what was found so far."""
    tried = f"{found.runs} of {seeds} seeds, {found.seeds_per_second:.0f} a second"
    if smaller is not None:
        return f"{tried}; {smaller.outcome.identity}; run {smaller.runs} to make it small"
    faults = sum(count["injected"] for count in found.faults.values())
    reached = "".join(f", {name} in {runs}" for name, runs in found.sometimes.items())
    return f"{tried}; nothing found; {faults} faults{reached}"


def _tell(place: Place, found: Exploration, interrupted: bool) -> int:
    """Print what was found; returns the exit status."""
    from mesolite.harness.exploration import NothingReached

    failure = found.failure
    if failure is None:
        click.echo(str(found))
        if interrupted:
            return INTERRUPTED
        try:
            found.refuse_empty()
            found.check()
        except NothingReached as why:
            click.echo(str(why))
            return FOUND
        return NOTHING_FOUND
    click.echo(f"{found.runs} seeds tried, the last of which fails\n\n{failure.report}\n")
    click.echo(_kept(place, found))
    return FOUND


def _kept(place: Place, found: Exploration) -> str:
    """Keep the failure; returns how to see it again."""
    from mesolite.harness.corpus import Corpus

    failure = found.failure
    assert failure is not None
    try:
        kept = Corpus(place.file, [place.name]).keep(failure)
    except OSError as why:
        return f"its script cannot be kept: {why}"
    file = shlex.quote(os.path.relpath(kept) if kept.is_relative_to(pathlib.Path.cwd()) else str(kept))
    return f"to repeat it:   mesolite replay {file}\nto look at it:  mesolite trace {file} --html run.html"


# --- what options say -------------------------------------------------------------------------------------


def faults_of(text: str) -> Faults:
    """The faults that `--faults` says.

    Raises:
        Unusable: there is no such level or kind, or no such number.
    """
    from mesolite.actors.errors import MesoliteError
    from mesolite.harness.faults import Faults

    levels = {"none": Faults.none, "mild": Faults.mild, "usual": Faults, "harsh": Faults.harsh}
    first, *_ = parts = [part.strip() for part in text.split(",")]
    level = parts.pop(0) if "=" not in first else "none"
    if level not in levels:
        near = meant(level, levels)
        raise Unusable(f"--faults {text}: {level!r} is none of {', '.join(levels)}, and no kind=number{near}")
    faults, rates = levels[level](), {}
    for part in parts:
        kind, _, rate = (word.strip() for word in part.partition("="))
        if kind not in faults.each():
            near = meant(kind, faults.each()) or f"; there are {', '.join(faults.each())}"
            raise Unusable(f"--faults {text}: there is no kind of fault {kind!r}{near}")
        try:
            rates[kind] = float(rate)
        except ValueError:
            meaning = f"give how many there are in a virtual minute, as in {kind}=2"
            raise Unusable(f"--faults {text}: {rate!r} is no number; {meaning}") from None
    try:
        return faults.but(**rates)
    except MesoliteError as why:
        raise Unusable(f"--faults {text}: {why}") from None


def _checkers(names: tuple[str, ...]) -> tuple[str, ...]:
    from mesolite.harness.checkers import STANDARD

    there = [checker.name for checker in STANDARD]
    for name in names:
        if name not in there:
            near = meant(name, there) or f"; there are {', '.join(there)}"
            raise Unusable(f"--without {name}: there is no such checker{near}")
    return names
