"""Run many seeds, on several processes: python -m tests.seeds --seeds 10000 --processes 2."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterable

from tests.seeds.run import Verdict, run

SAY_EVERY_S = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if every statement held in every seed, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.seeds", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, metavar="COUNT", help="so many seeds (default 1000)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="from this one on (default 0)")
    parser.add_argument("--processes", type=int, default=2, metavar="COUNT", help="on so many processes (default 2)")
    parser.add_argument("--seed", type=int, metavar="SEED", help="only this one")
    parser.add_argument("--go-on", action="store_true", help="do not stop at the first violation")
    asked = parser.parse_args(arguments)
    seeds = range(asked.first, asked.first + asked.seeds) if asked.seed is None else range(asked.seed, asked.seed + 1)
    if min(asked.processes, len(seeds)) <= 1:
        return _judge(map(run, seeds), len(seeds), go_on=asked.go_on)
    with multiprocessing.Pool(asked.processes) as pool:
        return _judge(pool.imap_unordered(run, seeds, chunksize=5), len(seeds), go_on=asked.go_on)


def _judge(verdicts: Iterable[Verdict], count: int, *, go_on: bool) -> int:
    """Say how it goes, what was found, and what the seeds have seen."""
    began = said = time.monotonic()
    tally: Counter[str] = Counter()
    found: list[Verdict] = []
    done = 0
    for done, verdict in enumerate(verdicts, start=1):
        tally += verdict.tally
        if verdict.violation is not None:
            found.append(verdict)
            _say(str(verdict) if not go_on else f"seed {verdict.seed}: {verdict.violation}")
            if not go_on:
                break
        if time.monotonic() - said > SAY_EVERY_S:
            said = time.monotonic()
            _say(f"{done} of {count} seeds, {done / (said - began):.1f} per second, {len(found)} violations")
    took = time.monotonic() - began
    for name, times in sorted(tally.items()):
        _say(f"{times:8}  {name}")
    _say(f"{done} seeds in {took:.1f} s, {done / took:.1f} per second: {len(found)} violations")
    return 1 if found else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
