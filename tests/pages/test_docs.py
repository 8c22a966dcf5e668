"""Every snippet of the pages does what the page says: python is run, output compared, commands tried.

After a change that is meant to show, look at the difference this makes:

    MESOLITE_REWRITE=1 pytest tests/pages/test_docs.py
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.snippets import KINDS, PAGES, ROOT, Block, blocks_in, blocks_of, commands, is_output, with_outputs

NAMESPACE = "the_page"
"""Under this name a test on a page imports what the blocks before it have defined."""

TOOLS = {
    "make": ["make", "--dry-run"],
    "python": [sys.executable],
    "pytest": [sys.executable, "-m", "pytest"],
    "mesolite": [sys.executable, "-m", "mesolite"],
}
"""How a command of a page is tried."""

EXPLORING = ("conformance.md", "pymesos.md", "tutorial-harness.md")
"""What is on these pages is tried with hundreds of seeds."""


@pytest.fixture
def namespace(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """What the blocks of one page share; every page starts with nothing."""
    module = types.ModuleType(NAMESPACE)
    monkeypatch.setitem(sys.modules, NAMESPACE, module)
    yield module
    module.__dict__.clear()  # clusters and simulations that a page has left open go with it


def run(block: Block, namespace: types.ModuleType) -> str:
    """Run a block; returns what it has printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block.code, str(ROOT / block.page), "exec"), namespace.__dict__)
    return printed.getvalue()


def typed(block: Block, command: str, status: int) -> str:
    """Type a command of a block into a shell; returns what it has printed."""
    tool, *arguments = shlex.split(command)
    assert tool in TOOLS, f"{block}: say in the fence why {tool} cannot be run"
    line = [*TOOLS[tool], *arguments]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == status, f"{block}: {command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.long if page.name in EXPLORING else ()) for page in PAGES],
    ids=lambda page: page.name,
)
def test_python_on_a_page_runs_and_prints_what_the_page_says(
    page: Path, namespace: types.ModuleType, pytester: pytest.Pytester
) -> None:
    """From top to bottom, as a reader would type it; then pytest runs the tests that it has defined on the way."""
    printed = ""
    tests: list[str] = []
    outputs: list[str] = []
    for block in blocks_of(page):
        if block.info == "text output":
            outputs.append(printed)
            rewritten = "MESOLITE_REWRITE" in os.environ
            shown = rewritten or is_output(block.text, printed)
            assert shown, f"{block}: the block before it prints something else:\n{printed}"
        elif block.info == "python":
            printed = run(block, namespace)
            tests += block.tests
        elif block.info.startswith("sh exits"):
            printed = "".join(typed(block, command, int(block.info[-1])) for command in commands(block))
    if "MESOLITE_REWRITE" in os.environ:
        page.write_text(with_outputs(page.read_text(encoding="utf-8"), outputs), encoding="utf-8")
    assert len(tests) == len(set(tests)), f"{page.name}: two tests of one name, of which one is never run"
    if tests:
        pytester.makepyfile(test_page=f"from {NAMESPACE} import {', '.join(tests)}\n")
        result = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider")
        assert result.ret == 0, f"{page.name}: a test on the page fails:\n{result.stdout.str()}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_on_a_page_exist(page: Path) -> None:
    """What is to be typed into a shell works; long targets of make are not carried out."""
    for block in blocks_of(page):
        for command in commands(block) if block.info == "sh" else ():
            typed(block, command, 0)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    """A block without a word in its fence, or with a new one, would be run by nobody and rot."""
    assert [f"{block}: {block.info!r}" for block in blocks_of(page) if not KINDS.fullmatch(block.info)] == []


def test_blocks_are_found_whatever_their_fence() -> None:
    """Also with tildes, with more marks than three, and with fences inside."""
    text = "a\n```python\n1\n```\n~~~sh\nmake\n~~~\n````text\n```python\n```\n````\n```python not run: no GPU\n2\n```\n"

    found = [(block.line, block.info, block.text) for block in blocks_in("page", text)]

    assert found == [
        (2, "python", "1\n"),
        (5, "sh", "make\n"),
        (8, "text", "```python\n```\n"),
        (12, "python not run: no GPU", "2\n"),
    ]


def test_a_block_that_fails_is_found_at_its_line(namespace: types.ModuleType) -> None:
    """The traceback names the page and the line in it."""
    (block,) = blocks_in("page.md", "one\ntwo\n```python\nfine = 1\n1 / 0\n```\n")

    with pytest.raises(ZeroDivisionError) as caught:
        run(block, namespace)

    last = caught.traceback[-1]
    assert (str(last.path).endswith("page.md"), last.lineno + 1) == (True, 5)


@pytest.mark.parametrize(
    ("shown", "is_so"),
    [
        ("a\nb\nc\n", True),
        ("a\n...\n", True),
        ("...\nb\n...\n", True),
        ("...\nc\n", True),
        ("a\nc\n", False),
        ("...\nc\n...\nb\n", False),
        ("b\n...\n", False),
        ("...\n", True),
    ],
)
def test_three_dots_stand_for_lines_left_out(shown: str, is_so: bool) -> None:
    """What is left is there, whole, in its order, and at its end."""
    assert is_output(shown, "a\nb\nc\n") is is_so


def test_outputs_are_renewed_in_their_places() -> None:
    """Nothing else on the page changes."""
    page = "a\n```python\nprint(1)\n```\n```text output\n{}```\nb\n```text output\n{}```\n```text\nx\n```\n"

    renewed = with_outputs(page.format("2\n", ""), ["1\n", "3\n"])

    printed = "a\n```python\nprint(1)\n```\n```text output\n1\n```\nb\n```text output\n3\n```\n"
    assert renewed == printed + "```text\nx\n```\n"
    assert with_outputs(renewed, ["1\n", "3\n"]) == renewed
