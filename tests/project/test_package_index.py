"""What a package index shows of the README: the same words, and no link that leads nowhere there."""

from __future__ import annotations

import json
import re

import pytest

from pages.links import relinked, repository
from pages.package_index import MADE, text
from tests.project.house_checks import ROOT

SOMEWHERE = "https://example.org/mesolite"
LINKS = re.compile(r"\]\(([^)]+)\)|(?:src|srcset)=\"([^\"]+)\"")


def links_in(markdown: str) -> list[str]:
    return [inline or in_html for inline, in_html in LINKS.findall(markdown)]


def test_long_description_is_as_made_today() -> None:
    """After a change of the README: make package-index."""
    assert MADE.read_text(encoding="utf-8") == text(repository())


def test_without_a_repository_there_is_no_link_into_it() -> None:
    """Its pages are named without one, its pictures left out."""
    assert [link for link in links_in(text(None)) if not link.startswith("https://")] == []
    assert "<picture>" not in text(None)
    assert "Tutorial" in text(None)


def test_with_a_repository_every_link_leads_there() -> None:
    """Pages as pages, pictures as they are."""
    found = links_in(text(SOMEWHERE))

    assert all(link.startswith("https://") for link in found)
    assert f"{SOMEWHERE}/blob/main/docs/drain.md" in found
    assert f"{SOMEWHERE}/raw/main/docs/pictures/drain-dark.svg" in found


def test_fences_say_a_language_only() -> None:
    """An index shows the words of a fence, or does not take it for one."""
    fences = re.findall(r"^```(.+)$", text(None), re.MULTILINE)

    assert fences
    assert set(fences) <= {"python", "sh", "text"}


def test_a_link_that_leads_nowhere_is_left_to_be_found() -> None:
    """It is not ours to hide it."""
    assert relinked("[a](docs/nowhere.md)", "README.md", lambda file: None) == "[a](docs/nowhere.md)"


@pytest.mark.parametrize(
    ("benchmark", "what", "shown"),
    [
        ("silence", "the whole story", "9.2 ms"),
        ("drain_now", "100 tasks, to the last TASK_LOST callback", "10 ms"),
        ("scale", "one virtual hour of 10,000 agents, 4.8 million pings and pongs", "31 s"),
    ],
)
def test_numbers_of_the_readme_are_those_last_measured(benchmark: str, what: str, shown: str) -> None:
    """`make bench` writes them down; the README rounds them to two digits."""
    measured = json.loads((ROOT / "benchmarks" / "results" / "latest.json").read_text(encoding="utf-8"))
    (figure,) = (each for each in measured["benchmarks"][benchmark]["figures"] if each["what"] == what)
    row = rf"\| {re.escape(shown)} \| `python -m benchmarks {benchmark}` \|"

    assert f"{figure['median']:.2g} {figure['unit']}" == shown
    assert re.search(row, (ROOT / "README.md").read_text(encoding="utf-8"))
