"""Which statements of the specifications a test cites: a table, by section, and what is left: `make spec`.

A statement is a line with an id in docs/spec: HT-n in http.md, OF-n and so on in core.md, numbers such as 4.3.1 in
drain.md. It is cited when its id stands in the docstring or a comment of anything under tests/. Each statement of
http.md that is marked [core] must be; those that are not to be are in `NOT_HERE`, with the reason.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parents[1]
SPEC = ROOT / "docs" / "spec"
DOCUMENTS = ("http.md", "core.md", "drain.md")
MUST = "http.md"
"""Its [core] statements must be cited."""

NOT_HERE: Mapping[str, str] = {
    "HT-201": "there is no default executor here, and only that one is launched groups of tasks",
}
"""Statements that no test cites on purpose, and why."""

HEADING = re.compile(r"^## (?P<title>.+)$")
# A bullet (- **HT-1** [core] ...) or the first cell of a table's row (| HT-64 [core] | ...).
STATEMENT = re.compile(r"^(?:- \*\*|\| )(?P<id>[A-Z]+-\d+|\d+\.\d+\.\d+)(?:\*\*)?(?P<marks>(?: \[\w+\])*)")
CITED = re.compile(r"\b([A-Z]{1,4})-(\d+)\b(?: to \1-(\d+)\b)?")
"""An id, or all from one to another: HT-222 to HT-231."""
LONGEST = 20
"""A longer row of ids than that says of what a file is, and not what a test checks."""
# Statements of drain.md have numbers alone: (drain.md 1.2.3, 1.2.4), or (1.2.3) where nothing else is spoken of.
NUMBER = re.compile(r"(?<![\d.])\d+\.\d+\.\d+(?![\d.]*\d)")
LANGUAGES = (".py", ".js", ".go", ".sh")


@frozen
class Statement:
    """One line of a specification. `core`: to break it breaks clients, or the protocol."""

    document: str
    section: str
    id: str
    core: bool


def statements(document: str) -> Iterator[Statement]:
    """The statements of a document, in its order."""
    section = ""
    for line in (SPEC / document).read_text(encoding="utf-8").splitlines():
        if heading := HEADING.match(line):
            section = heading["title"]
        elif found := STATEMENT.match(line):
            yield Statement(document, section, found["id"], "[core]" in found["marks"])


def cited_in(text: str) -> set[str]:
    """The ids that a text names."""
    ids = {
        f"{family}-{number}"
        for family, first, last in CITED.findall(text)
        for number in range(int(first), int(last or first) + 1)
        if int(last or first) - int(first) < LONGEST
    }
    return ids.union(NUMBER.findall(text))


def cited() -> set[str]:
    """The ids that are named anywhere under tests/, but for this file."""
    files = (path for path in (ROOT / "tests").rglob("*") if path.suffix in LANGUAGES and path != Path(__file__))
    return set().union(*(cited_in(path.read_text(encoding="utf-8", errors="replace")) for path in files))


def table(known: Iterable[Statement], named: set[str]) -> str:
    """How many statements there are, and how many of them are cited, by document and section."""
    sections: dict[tuple[str, str], list[Statement]] = {}
    for each in known:
        sections.setdefault((each.document, each.section), []).append(each)
        sections.setdefault((each.document, "all of it"), []).append(each)
    rows = [f"{'':<64}{'statements':>11}{'cited':>7}{'core':>6}{'cited':>7}"]
    for (document, section), held in sorted(sections.items(), key=lambda item: DOCUMENTS.index(item[0][0])):
        core = [each for each in held if each.core]
        counts = (len(held), _count(held, named), len(core), _count(core, named))
        rows.append("{:<64}{:>11}{:>7}{:>6}{:>7}".format(f"{document}  {section}"[:62], *counts))
    return "\n".join(rows)


def _count(held: Iterable[Statement], named: set[str]) -> int:
    return sum(each.id in named for each in held)


def mistakes(known: Iterable[Statement], named: set[str]) -> list[str]:
    """One line for each statement that must be cited and is not, or is excused and need not be."""
    must = {each.id: each for each in known if each.document == MUST}
    missing = [
        f"{each.id} ({each.section}): no test cites it; write one, or say in NOT_HERE why there is none"
        for each in must.values()
        if each.core and each.id not in named and each.id not in NOT_HERE
    ]
    strangers = [
        f"{one}: there is no such statement, or a test cites it; take it out of NOT_HERE"
        for one in NOT_HERE
        if one not in must or one in named
    ]
    return missing + strangers


def main() -> int:
    """Print the table; the status is 1 if something that must be cited is not."""
    known = [each for document in DOCUMENTS for each in statements(document)]
    named = cited()
    print(table(known, named))
    excused = [f"{one}: {why}" for one, why in NOT_HERE.items()]
    print("\nnot here:", *(excused or ["nothing"]), sep="\n  ")
    wrong = mistakes(known, named)
    if wrong:
        print("\nmissing:", *wrong, sep="\n  ")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
