"""Do the checkers bite? Plant every mistake, and say after how many seeds it is found: python -m tests.seeds.teeth."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections import Counter
from typing import NamedTuple

import pytest
from attrs import evolve

from mesolite import ActorFailed
from mesolite.actors.errors import EndlessLoop
from mesolite.harness import CheckerViolated
from tests.seeds.mistakes import MISTAKES, Mistake
from tests.seeds.mistakes.mistake import NOBODY_FAILS
from tests.seeds.scenario import PLAN


class Found(NamedTuple):
    """After how many seeds a checker that should noticed, None if none did; and who noticed first how often."""

    name: str
    after: int | None
    noticed: dict[str, int]


def search(mistake: Mistake, seeds: int) -> Found:
    """Plant it and run seeds until a checker that should notice does."""
    noticed: Counter[str] = Counter()
    plan = evolve(PLAN, faults=mistake.faults)
    with pytest.MonkeyPatch.context() as patch:
        mistake.plant(patch)
        for seed in range(seeds):
            error = plan.run(seed).error
            if error is None:
                continue
            name = _noticed_by(error)
            noticed[name] += 1
            if name in mistake.checkers:
                return Found(mistake.name, seed + 1, dict(noticed))
    return Found(mistake.name, None, dict(noticed))


def _noticed_by(error: Exception) -> str:
    if isinstance(error, CheckerViolated):
        return error.violation.checker
    return NOBODY_FAILS if isinstance(error, ActorFailed | EndlessLoop | AssertionError) else type(error).__name__


def _search(task: tuple[int, int]) -> Found:
    number, seeds = task
    return search(MISTAKES[number], seeds)


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if enough of them are found."""
    parser = argparse.ArgumentParser(prog="python -m tests.seeds.teeth", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, metavar="COUNT", help="so many seeds each (default 2000)")
    parser.add_argument("--processes", type=int, default=2, metavar="COUNT", help="on so many processes (default 2)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only mistakes whose name has this in it")
    asked = parser.parse_args(arguments)
    tasks = [(number, asked.seeds) for number, each in enumerate(MISTAKES) if asked.only in each.name]
    missed = 0
    with multiprocessing.Pool(asked.processes) as pool:
        for found in pool.imap(_search, tasks):
            missed += found.after is None
            after = f"{found.after:6}" if found.after is not None else "  none"
            first = ", ".join(f"{name} {count}" for name, count in found.noticed.items())
            sys.stdout.write(f"{after}  {found.name:50}  {first}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(tasks) - missed} of {len(tasks)} found within {asked.seeds} seeds each\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
