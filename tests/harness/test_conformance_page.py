"""The page about conformance: every situation, and what becomes of every scheduler that we have.

After a change of either: MESOLITE_REWRITE=1 pytest tests/harness/test_conformance_page.py
"""

from __future__ import annotations

import os
import re

import pytest

from mesolite.harness.conformance import SITUATIONS, Report, Verdict
from tests.harness.subjects import COMPAT, EXAMPLES, WRONG, Tried
from tests.project.house_checks import ROOT

PAGE = ROOT / "docs" / "conformance.md"
WRITTEN = "<!-- {}: written by tests/harness/test_conformance_page.py -->\n"
END = "<!-- end of {} -->"
TRIED = (*EXAMPLES, *COMPAT, *WRONG)
SITUATIONS_HEAD = "| Situation | What is done | What a right scheduler does |\n|---|---|---|\n"
SCHEDULERS_HEAD = "| Scheduler | Handled | Not handled |\n|---|---|---|\n"


def written(name: str) -> re.Pattern[str]:
    """What stands between two marks of the page."""
    begin, end = re.escape(WRITTEN.format(name)), re.escape(END.format(name))
    return re.compile(f"(?<={begin}).*?(?={end})", re.DOTALL)


def key_of(tried: Tried) -> str:
    """How its row begins."""
    return f"| `{tried.name}`, [{tried.where.rpartition('/')[2]}](../{tried.where}) |"


def row_of(tried: Tried, report: Report) -> str:
    """What becomes of it: what was not handled by what was found there."""
    found: dict[str, list[str]] = {}
    for verdict in report.not_handled:
        found.setdefault(kinds_of(verdict), []).append(verdict.situation)
    cells = [f"**{kinds}**: {', '.join(names)}" for kinds, names in found.items()]
    handled = len(report.verdicts) - len(report.not_handled)
    return f"{key_of(tried)} {handled} of {len(report.verdicts)} | {'; '.join(cells)} |\n"


def kinds_of(verdict: Verdict) -> str:
    return ", ".join(dict.fromkeys(str(finding.kind) for finding in verdict.findings))


def rows() -> dict[str, str]:
    """The rows of the page, by how they begin."""
    (table,) = written("schedulers").findall(PAGE.read_text(encoding="utf-8"))
    lines = table.removeprefix(SCHEDULERS_HEAD).splitlines(keepends=True)
    return {" ".join(line.split(" ")[:3]) + " |": line for line in lines}


def rewrite(name: str, table: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(written(name).sub(lambda _: table, page), encoding="utf-8")


def test_the_page_has_every_situation() -> None:
    """With what it does, and what a right scheduler does."""
    table = SITUATIONS_HEAD + "".join(f"| {one.name} | {one.does} | {one.right} |\n" for one in SITUATIONS)

    if "MESOLITE_REWRITE" in os.environ:
        rewrite("situations", table)
    assert written("situations").findall(PAGE.read_text(encoding="utf-8")) == [table]


@pytest.mark.long
@pytest.mark.parametrize("tried", TRIED, ids=lambda tried: f"{tried.name}-{tried.where.rpartition('/')[2]}")
def test_the_page_says_what_becomes_of_it(tried: Tried) -> None:
    """Of each scheduler."""
    row = row_of(tried, tried.check())

    if "MESOLITE_REWRITE" in os.environ:
        there = rows() | {key_of(tried): row}
        rewrite("schedulers", SCHEDULERS_HEAD + "".join(there[key_of(one)] for one in TRIED if key_of(one) in there))
    assert rows()[key_of(tried)] == row


def test_the_page_has_every_scheduler() -> None:
    """In that order, and no other."""
    assert list(rows()) == [key_of(tried) for tried in TRIED]


def test_every_situation_is_too_much_for_somebody() -> None:
    """One that all of them handle would prove nothing; who is at fault even when nothing goes wrong does not count."""
    rest = [row for row in rows().values() if SITUATIONS[0].name not in row]
    names = {name.strip() for row in rest for cell in row.split("|")[3].split(";") for name in _names(cell)}

    # That is survived by whoever checkpoints: tests/harness/test_conformance.py tries it without.
    assert [one.name for one in SITUATIONS[1:] if one.name not in names] == ["agent restarted"]


def _names(cell: str) -> list[str]:
    return cell.partition("**:")[2].split(",")


def test_right_schedulers_handle_everything() -> None:
    """Those that people are told to copy."""
    right = ("Shop", "Stayer", "PoliteKeeper", "Journal")
    everything = f"{len(SITUATIONS)} of {len(SITUATIONS)}"

    handled = {key.split("`")[1]: row.split("|")[2].strip() for key, row in rows().items()}

    assert {name: handled[name] for name in right} == dict.fromkeys(right, everything)
