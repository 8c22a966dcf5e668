"""Links of our pages lead somewhere: to a file that is there, and to a heading that it has. No network is needed."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from attrs import frozen

from tests.pages.snippets import FENCE, ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
INLINE = re.compile(r"(?<!\w)!?\[(?:[^\[\]]|`[^`]*`)+\]\(([^)\s]+)\)")
DEFINED = re.compile(r"^\[([^\]]+)\]:\s+(\S+)$", re.MULTILINE)
IN_HTML = re.compile(r"\b(?:src|srcset|href)=\"([^\"]+)\"")
STATEMENT = re.compile(r"\d+\.\d+(?:\.\d+)?")
HEADING = re.compile(r"^(#{1,6}) +(.+?)(?: +#+)?$", re.MULTILINE)
ELSEWHERE = ("https://", "http://", "mailto:")


@frozen
class Link:
    """A link of a page: what it is called, if its definition says so, and where it leads."""

    page: Path
    name: str
    target: str

    @property
    def file(self) -> Path:
        """The file it leads to, the page itself if none is named."""
        path = self.target.partition("#")[0]
        return (self.page.parent / path).resolve() if path else self.page

    @property
    def anchor(self) -> str:
        """The place in it, empty for the whole."""
        return self.target.partition("#")[2]

    def __str__(self) -> str:
        """Say where it is."""
        return f"{self.page.relative_to(ROOT)}: {self.target}"


def without_code(text: str) -> str:
    """A page without its blocks of code, in which a comment may look like a heading, and a call like a link."""
    return FENCE.sub("", text)


def links_of(page: Path) -> list[Link]:
    """Every link of a page that does not lead out of the repository."""
    text = without_code(page.read_text(encoding="utf-8"))
    found = [("", target) for target in INLINE.findall(text) + IN_HTML.findall(text)]
    found += DEFINED.findall(text)
    return [Link(page, name, target) for name, target in found if not target.startswith(ELSEWHERE)]


def slug(heading: str) -> str:
    """What a heading is called in a link, as on a public host and on our site: lower case, spaces to hyphens."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def sections_of(text: str) -> dict[str, str]:
    """The text below each heading, by the name of the heading in links; a second one of a name gets a number."""
    text = without_code(text)
    headings = list(HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    count: Counter[str] = Counter()
    sections: dict[str, str] = {}
    for heading, end in zip(headings, ends, strict=True):
        name = slug(heading[2])
        sections[f"{name}-{count[name]}" if count[name] else name] = text[heading.start() : end]
        count[name] += 1
    return sections


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    """Of a page, to itself, to other pages, to pictures and to code."""
    lost = [str(link) for link in links_of(page) if not link.file.exists()]
    lost += [
        f"{link}: no such heading"
        for link in links_of(page)
        if link.anchor and link.file.suffix == ".md" and link.anchor not in sections_of(link.file.read_text("utf-8"))
    ]

    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_to_a_statement_leads_to_its_section(page: Path) -> None:
    """A link that is called 4.4.9 leads to the section in which 4.4.9 stands."""
    astray = [
        str(link)
        for link in links_of(page)
        if STATEMENT.fullmatch(link.name)
        and not re.search(
            rf"\*\*{re.escape(link.name)}\*\*|^#+ {re.escape(link.name)} ",
            sections_of(link.file.read_text("utf-8")).get(link.anchor, ""),
            re.MULTILINE,
        )
    ]

    assert astray == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_statement_in_brackets_is_a_link(page: Path) -> None:
    """`[4.4.9]` without a definition would be printed with its brackets, and nobody would notice."""
    text = without_code(page.read_text(encoding="utf-8"))
    used = {name for name in re.findall(r"\[([^\]]+)\](?!:)", text) if STATEMENT.fullmatch(name)}

    assert used == {name for name, _ in DEFINED.findall(text)}


FIRST_READ = ["README.md", "docs/tutorial.md", "docs/drain.md", "docs/write-a-scheduler.md", "docs/testing.md"]


@pytest.mark.parametrize("page", FIRST_READ)
def test_no_statement_stands_in_a_sentence_of_the_pages_people_read_first(page: str) -> None:
    """They are links in a line of their own: whoever reads for the first time can read on."""
    text = without_code((ROOT / page).read_text(encoding="utf-8"))
    bare = re.findall(r"(?<![\[\d.])\b\d+\.\d+\.\d+\b(?!\])|\b[A-Z]{2}-\d+\b", text)

    assert bare == []


def test_names_of_headings_are_those_of_public_hosts() -> None:
    """Marks go, hyphens and underscores stay, nothing is squeezed together, and a second one gets a number."""
    page = "# 4.1 DEACTIVATE_AGENT\n\n## What holds: `processes`\n\n## A - B\n\n```sh\n# no heading\n```\n\n## A - B\n"

    assert list(sections_of(page)) == ["41-deactivate_agent", "what-holds-processes", "a---b", "a---b-1"]
