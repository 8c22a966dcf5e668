"""Explore many seeds, on several processes: python -m tests.seeds --seeds 10000 --processes 2."""

from __future__ import annotations

import argparse
import sys
import time

from mesolite.harness import Exploration
from mesolite.harness.explore import explored
from tests.seeds.scenario import PLAN

AT_ONCE = 200
"""After so many seeds it is said how it goes."""


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if every statement held in every seed, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.seeds", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, metavar="COUNT", help="so many seeds (default 1000)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="from this one on (default 0)")
    parser.add_argument("--processes", type=int, default=2, metavar="COUNT", help="on so many processes (default 2)")
    parser.add_argument("--seed", type=int, metavar="SEED", help="only this one")
    asked = parser.parse_args(arguments)
    first, count = (asked.first, asked.seeds) if asked.seed is None else (asked.seed, 1)
    found, began = Exploration(), time.monotonic()
    for begin in range(first, first + count, AT_ONCE):
        part = explored(PLAN, begin, min(AT_ONCE, first + count - begin), min(asked.processes, count))
        found.merge(part)
        found.seconds = time.monotonic() - began
        if part.failure is not None:
            found.fail(part.failure)
            break
        _say(f"{found.runs} of {count} seeds, {found.seeds_per_second:.1f} per second, nothing found")
    _say(str(found))
    if found.failure is not None:
        _say(f"to repeat: .venv/bin/python -m tests.seeds --seed {found.failure.seed}")
    return 0 if found.failure is None else 1


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
