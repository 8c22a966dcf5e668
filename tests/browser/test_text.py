"""Text against picture: what the page shows is what the trace says, word for word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import Run
from tests.browser.page import Page
from tests.browser.runs import RUNS

LOOKED_AT = 600_000
"""So many records are gone through to ask why some of them are there: each answer goes through all of its run."""


def joined(text: str) -> str:
    return "; ".join(text.splitlines())


@pytest.mark.parametrize("name", RUNS)
def test_rows_are_the_text_of_the_trace(name: str, page: Page, runs: Callable[[str], Run]) -> None:
    """Read while scrolling, from the first to the last, unfolded: the lines of `trace.text()`."""
    run = runs(name)
    page.resize(1500, 3000)
    page.open(run.file, unfolded=1)

    rows = list(page.rows())
    assert "; ".join(row["label"] for row in rows) == joined(run.trace.text())
    assert [row["place"] for row in rows] == sorted(row["place"] for row in rows)


@pytest.mark.parametrize("name", ["failover", "partition"])
def test_with_timers_and_heartbeats_all_of_the_text_is_there(name: str, page: Page, runs: Callable[[str], Run]) -> None:
    """Both switches on: `trace.text(system=True, heartbeats=True)`."""
    run = runs(name)
    page.open(run.file, unfolded=1, timers=1, heartbeats=1)

    text = run.trace.text(system=True, heartbeats=True)
    assert "; ".join(row["label"] for row in page.rows()) == joined(text)


@pytest.mark.parametrize("name", RUNS)
def test_why_is_told_as_by_the_trace(name: str, page: Page, runs: Callable[[str], Run]) -> None:
    """The chain of causes of a record is `trace.why(index)`, with its folded timers and what happened meanwhile."""
    run = runs(name)
    page.open(run.file)
    indexes = [record.index for record in run.trace]
    places = range(0, len(indexes), -(-(len(indexes) ** 2) // LOOKED_AT))

    told = page.run("return arguments[0].map(mesolite.whyText)", list(places))
    for place, text in zip(places, told, strict=True):
        assert text == run.trace.why(indexes[place])


@pytest.mark.parametrize("name", ["sigusr1", "failover", "reclaim", "partition", "hold"])
def test_what_happened_is_told_as_by_the_trace(name: str, page: Page, runs: Callable[[str], Run]) -> None:
    """The list beside the picture is `trace.moments()`, and so is what `c` copies."""
    run = runs(name)
    page.open(run.file)

    read = """return [...document.querySelectorAll("#moments li")].map(
      (each) => [...each.querySelectorAll("button > span")].slice(1).map((span) => span.textContent))"""
    assert page.run(read) == [[f"{each.time:.3f}", each.words] for each in run.trace.moments()]
    assert page.run("return mesolite.copyText()") == "\n".join(map(str, run.trace.moments()))


def test_states_are_there_as_text(page: Page, runs: Callable[[str], Run]) -> None:
    """Who cannot see the overview reads `trace.states()`, line for line."""
    run = runs("failover")
    page.open(run.file)
    page.run("document.querySelector('#side summary').click()")
    page.frames()

    assert page.run("return document.querySelector('#side pre').textContent") == "\n".join(map(str, run.trace.states()))


def test_a_story_is_told_as_by_the_trace(page: Page, runs: Callable[[str], Run]) -> None:
    """Filtered to one task, the page shows and copies `trace.story(id)`."""
    run = runs("failover")
    page.open(run.file, story="t1")

    assert page.run("return mesolite.copyText()") == run.trace.story("t1")
    assert page.text("#filters") == "Shown:\nonly the story of t1 ✕"


@pytest.mark.parametrize("name", ["sigusr1", "partition"])
def test_from_the_failure_its_causes_name_the_fault(name: str, page: Page, runs: Callable[[str], Run]) -> None:
    """`f` goes to the failure, and `because of` has what hands did."""
    run = runs(name)
    page.open(run.file)
    page.press("f")

    fault = next(moment.words for moment in run.trace.moments() if moment.kind == "fault")
    assert fault in page.text("#because-of")
    assert page.text("#failed").startswith("✕ Failed")
    assert page.run("return document.getElementById('failed').getAttribute('role')") == "alert"


def test_no_failure_no_strip(page: Page, runs: Callable[[str], Run]) -> None:
    """Where nothing failed there is no strip, and no green one either."""
    page.open(runs("failover").file)

    assert page.run("return document.getElementById('failed')") is None


def test_the_rows_are_a_list_to_a_screen_reader(page: Page, runs: Callable[[str], Run]) -> None:
    """Only those in view exist, so each says which of how many it is, and the list says which is selected."""
    page.open(runs("failover").file)
    page.press("j")

    found: dict[str, Any] = page.run("""
      const list = document.getElementById("scroller"), row = document.querySelector(".row.selected");
      return { role: list.getAttribute("role"), active: list.getAttribute("aria-activedescendant"), id: row.id,
        place: Number(row.getAttribute("aria-posinset")), all: Number(row.getAttribute("aria-setsize")) };""")
    assert found["role"] == "listbox"
    assert found["active"] == found["id"]
    assert 1 <= found["place"] <= found["all"]
