"""`python -m tests.fuzz.http --requests 200000`: the large round; exit status 1 if anything was found."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests.fuzz.http.run import fuzz

ROUND = 10_000


def main() -> int:
    """Send the requests in rounds, each with a seed of its own, and say how far it is."""
    parser = argparse.ArgumentParser(description="send requests that nobody should send to a cluster that speaks HTTP")
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    statuses: Counter[int | None] = Counter()
    complaints: list[str] = []
    for first in range(0, options.requests, ROUND):
        found = fuzz(options.seed + first, min(ROUND, options.requests - first))
        statuses += found.statuses
        complaints += found.complaints
        print(f"{min(first + ROUND, options.requests)} requests, {len(complaints)} complaints", flush=True)
    print(", ".join(f"{status}: {times}" for status, times in sorted(statuses.items(), key=str)))
    print("\n".join(complaints))
    return bool(complaints)


sys.exit(main())
