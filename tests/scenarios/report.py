"""How many of the Mesos scenarios are reproduced: a table, per area, and why others are not.

The catalogue beside this file lists the rows. A test reproduces a row when it carries the row's id in
`@pytest.mark.scenario("Class.Test")` and is expected to pass: one marked xfail counts for nothing. An id that
the catalogue does not know is an error here, and already when the tests are collected (tests/conftest.py).

Every row is reproduced or left out on purpose; the reasons are in left-out.md beside this file, one line each. A row
that is neither, or both, is an error too.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

CATALOGUE = Path(__file__).with_name("mesos-scenarios.md")
LEFT_OUT = Path(__file__).with_name("left-out.md")

# A row: | `file.cpp::Class.Test` | setup | stimulus | expected | area |
ROW = re.compile(r"^\| `[^`]+::(?P<id>\w+\.\w+)` \|.*\| (?P<area>[a-z-]+) \|$")
# A reason: - `Class.Test`: why
REASON = re.compile(r"^- `(?P<id>[^`]+)`: (?P<why>.+)$")


def catalogue() -> dict[str, str]:
    """The area of each scenario, by id, in the order of the catalogue."""
    rows = (ROW.match(line) for line in CATALOGUE.read_text(encoding="utf-8").splitlines())
    return {row["id"]: row["area"] for row in rows if row}


def ids_of(item: pytest.Item) -> list[str]:
    """The scenario ids a test carries; a test may reproduce several rows."""
    return [scenario for mark in item.iter_markers("scenario") for scenario in mark.args]


def unknown_ids(items: Iterable[pytest.Item]) -> list[str]:
    """One line for each mark that names no row, with the test that carries it."""
    known = catalogue()
    return [
        f"{item.nodeid}: no scenario {scenario!r} in {CATALOGUE.name}; write the row's id as Class.Test"
        for item in items
        for scenario in ids_of(item)
        if scenario not in known
    ]


def left_out() -> list[tuple[str, str]]:
    """The rows that are left out on purpose, and why, in the order of their file."""
    lines = (REASON.match(line) for line in LEFT_OUT.read_text(encoding="utf-8").splitlines())
    return [(line["id"], line["why"]) for line in lines if line]


def reasons() -> str:
    """The reasons, under the area of their rows, as text."""
    known, listed = catalogue(), left_out()
    lines = []
    for area in dict.fromkeys(known.values()):
        of_area = [f"  {scenario}: {why}" for scenario, why in listed if known.get(scenario) == area]
        lines += [area, *of_area] if of_area else []
    return "\n".join(lines)


def mistakes(reproduced: set[str], listed: list[tuple[str, str]]) -> list[str]:
    """One line for each row that is not accounted for exactly once."""
    known, counted = catalogue(), Counter(scenario for scenario, _ in listed)
    return [
        *(f"{row}: no scenario in {CATALOGUE.name}; write its id as Class.Test" for row in counted if row not in known),
        *(f"{row}: {LEFT_OUT.name} has it {count} times" for row, count in counted.items() if count > 1),
        *(f"{row}: a test reproduces it; take it out of {LEFT_OUT.name}" for row in counted if row in reproduced),
        *(
            f"{row}: reproduce it, or say in {LEFT_OUT.name} why not"
            for row in known
            if row not in reproduced and row not in counted
        ),
    ]


def table(reproduced: set[str]) -> str:
    """Reproduced and total per area, as aligned text, with the sum in the last line."""
    known = catalogue()
    totals = Counter(known.values())
    done = Counter(area for scenario, area in known.items() if scenario in reproduced)
    lines = [f"{area:16}{done[area]:4} / {total}" for area, total in totals.items()]
    return "\n".join([*lines, f"{'total':16}{done.total():4} / {totals.total()}"])


class Collected:
    """A pytest plugin that keeps the tests that were collected and runs none of them."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Called by pytest in place of its own loop over the tests; True says that all is done."""
        self.items = list(session.items)
        return True


def main() -> int:
    """Collect the tests, print table and reasons; 1 if they cannot be collected, or a row is not accounted for."""
    collected = Collected()
    tests = CATALOGUE.parents[1]
    status = pytest.main(["--quiet", "--quiet", str(tests)], plugins=[collected])
    if status != pytest.ExitCode.OK:
        print("the tests could not be collected: see above", file=sys.stderr)
        return 1
    counted = [item for item in collected.items if item.get_closest_marker("xfail") is None]
    reproduced = {scenario for item in counted for scenario in ids_of(item)}
    print(f"{table(reproduced)}\n\nLeft out:\n\n{reasons()}")
    wrong = mistakes(reproduced, left_out())
    print("".join(f"\n{mistake}" for mistake in wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
