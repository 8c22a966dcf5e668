"""`python -m tests.fuzz --calls 200000`: the large round; exit status 1 if anything was found."""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.run import fuzz

ROUND = 10_000


def main() -> int:
    """Make the calls in rounds, each with a seed of its own, and say how far it is."""
    parser = argparse.ArgumentParser(description="call the public face with what nobody should give it")
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    complaints: list[str] = []
    for first in range(0, options.calls, ROUND):
        complaints += fuzz(options.seed + first, min(ROUND, options.calls - first))
        print(f"{min(first + ROUND, options.calls)} calls, {len(complaints)} complaints", flush=True)
    print("\n".join(complaints))
    return bool(complaints)


sys.exit(main())
