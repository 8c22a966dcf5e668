"""The count of reproduced scenarios can be trusted: every row is accounted for, once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.scenarios import report


@pytest.mark.long  # and in make check, as `make scenarios`
def test_every_row_is_reproduced_or_left_out_for_a_reason() -> None:
    """Over all tests there are, and not both; `make scenarios` shows the table and the reasons."""
    script = report.__file__
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, encoding="utf-8", check=False)

    assert (ran.returncode, ran.stderr.strip()) == (0, ""), ran.stdout
    lines = ran.stdout.splitlines()
    assert {line.split()[0] for line in lines if " / " in line} == {*report.catalogue().values(), "total"}
    assert [line.partition(":")[0].strip() for line in lines if line.startswith("  ")] == [
        row for row, _ in report.left_out()
    ]


def test_a_row_that_is_not_accounted_for_once_is_found() -> None:
    """Neither, both, twice, and one that nobody knows."""
    done = set(report.catalogue())

    assert report.mistakes(done, []) == []
    assert report.mistakes(done - {"SlaveTest.Shutdown"}, [("SlaveTest.Shutdown", "why")]) == []
    found = [
        report.mistakes(done - {"SlaveTest.Shutdown"}, []),
        report.mistakes(done, [("SlaveTest.Shutdown", "why")]),
        report.mistakes(done - {"SlaveTest.Shutdown"}, [("SlaveTest.Shutdown", "why"), ("SlaveTest.Shutdown", "too")]),
        report.mistakes(done, [("SlaveTest.Shutdwon", "why")]),
    ]
    assert [mistake.partition(" ")[0] for (mistake,) in found] == ["SlaveTest.Shutdown:"] * 3 + ["SlaveTest.Shutdwon:"]
