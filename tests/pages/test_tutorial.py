"""What the tutorial says before its fix: the test fails with one seed of forty, and the report has what is shown."""

from __future__ import annotations

import pytest

from tests.pages.snippets import ROOT, blocks_of

PAGE = ROOT / "docs" / "tutorial.md"
SEEDS = "40"


def test_the_bug_shows_where_the_tutorial_says(pytester: pytest.Pytester) -> None:
    """The reader's file as it is by then; the excerpt of the report is word for word."""
    blocks = blocks_of(PAGE)
    (excerpt,) = (block for block in blocks if block.info == "text")
    written = [block.text for block in blocks if block.info == "python" and block.line < excerpt.line]
    pytester.makepyfile(test_pool="\n".join(written))

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--mesolite-seeds", SEEDS, "-k", "drain")

    report = result.stdout.str().replace(f"{pytester.path}/", "")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    for line in excerpt.text.splitlines():
        assert line in report.splitlines()


def test_the_fix_holds_for_the_same_seeds(pytester: pytest.Pytester) -> None:
    """The whole page as one file, without what shows the failure once more."""
    written = [block.text for block in blocks_of(PAGE) if block.info == "python" and "pytest.raises" not in block.text]
    pytester.makepyfile(test_pool="from mesolite import Simulation\n" + "\n".join(written))

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--mesolite-seeds", SEEDS, "-k", "drain")

    result.assert_outcomes(passed=2)
