"""The fenced blocks of our pages, and how each is run.

python                    run, in order, in one namespace per page; if it defines tests, by pytest, with that namespace
text output               what the block before it has printed; a line of three dots stands for lines left out
sh                        each line: `make` for a dry run, `python`, `pytest` and `mesolite` for real
sh exits with 1           the same, and its status is that
text                      a picture
python not run: REASON    cannot be run, and says why where the reader sees it
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)
KINDS = re.compile(r"python|sh|sh exits with \d|text|text output|(python|sh|go|js) not run: \w.*")


@frozen
class Block:
    """One fenced block: the page and line where it stands, what its fence says, and what is in it."""

    page: str
    line: int
    info: str
    text: str

    def __str__(self) -> str:
        """Say where it is."""
        return f"{self.page}:{self.line}"

    @property
    def tests(self) -> list[str]:
        """The tests that it defines."""
        return re.findall(r"^def (test_\w+)", self.text, re.MULTILINE)

    @property
    def code(self) -> str:
        """The text at its place in the page, so that errors name the page's lines."""
        return "\n" * self.line + self.text


def blocks_in(page: str, text: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found["info"].strip(), found["text"])
        for found in FENCE.finditer(text)
    ]


def is_output(shown: str, printed: str) -> bool:
    """Whether that is what was printed, but for lines left out at three dots."""
    parts = re.split(r"^\.\.\.\n", shown, flags=re.MULTILINE)
    return re.fullmatch(r"(?:.*\n)*?".join(map(re.escape, parts)), printed) is not None


def with_outputs(text: str, outputs: list[str]) -> str:
    """The same page, its blocks of output holding these, in order; what is shown in part is left to hands."""
    ahead = iter(outputs)

    def renewed(found: re.Match[str]) -> str:
        if found["info"].strip() != "text output":
            return found[0]
        printed = next(ahead)
        kept = re.search(r"^\.\.\.$", found["text"], re.MULTILINE)
        return found[0] if kept else f"{found['fence']}{found['info']}\n{printed}{found['fence']}"

    return FENCE.sub(renewed, text)


def blocks_of(page: Path) -> list[Block]:
    """Every fenced block of one of our pages."""
    return blocks_in(str(page.relative_to(ROOT)), page.read_text(encoding="utf-8"))


def commands(block: Block) -> Iterator[str]:
    """The commands of a block of shell, without prompts and comments."""
    for line in block.text.splitlines():
        command = re.sub(r"\s+#.*|^#.*", "", line).removeprefix("$ ").strip()
        if command:
            yield command
