"""docs/architecture.md walks through what happens, by file and function: each is there, and leads to the next."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "actors" / "decisions"
PLACE = re.compile(r"`([\w/]+\.py): (\w+)`")


def walks() -> dict[str, list[tuple[str, str]]]:
    """The walks of the section, by their question: places, as file and function, in the order of the text."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.split("## Four walks\n")[1].split("\n## ")[0]
    found = re.findall(r"^\*\*(.+?)\*\*(.+?)(?=^\*\*|\Z)", section, re.MULTILINE | re.DOTALL)
    return {question: PLACE.findall(told) for question, told in found}


PLACES = [pytest.param(*place, id=": ".join(place)) for places in walks().values() for place in places]


def functions_of(file: str) -> dict[str, str]:
    """The functions of that file, methods too, with their source."""
    source = (DECISIONS / file).read_text(encoding="utf-8")
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_source_segment(source, node) or "" for node in nodes}


def test_there_are_four_walks_of_several_steps() -> None:
    """Those that a newcomer asks for first."""
    found = walks()

    assert len(found) == 4
    assert all(len(places) >= 4 for places in found.values()), found


@pytest.mark.parametrize(("file", "function"), PLACES)
def test_each_place_of_a_walk_is_there(file: str, function: str) -> None:
    """Under the name that the page gives."""
    assert function in functions_of(file)


@pytest.mark.parametrize(
    ("file", "function", "leads_to"),
    [
        ("agent/leaving.py", "signalled", "terminate("),
        ("agent/leaving.py", "terminate", "shut_down_framework("),
        ("agent/leaving.py", "terminate", "executors.end_if_empty("),
        ("agent/leaving.py", "shut_down_framework", "updates.close("),
        ("agent/leaving.py", "shut_down_framework", "executors.shut_down("),
        ("master/drain/draining.py", "check_done", "is_done("),
        ("agent/draining.py", "kill_all", "drain_policy("),
        ("agent/draining.py", "_limit", "drain_grace_s("),
        ("agent/revocation.py", "_revoke", "kill_grace_s("),
        ("executor/command.py", "_kill_asked", "kill_grace_s("),
        ("master/membership/removal.py", "removed", "leaving.leave("),
        ("master/membership/gone.py", "marked_gone", "leaving.leave("),
        ("master/membership/leaving.py", "leave", "subscribers.agent_left("),
        ("master/membership/leaving.py", "leave", "announce_lost("),
        ("master/tasks.py", "agent_left", "end("),
        ("master/tasks.py", "end", "archive("),
    ],
)
def test_a_step_of_a_walk_leads_to_the_next(file: str, function: str, leads_to: str) -> None:
    """Where the page says that one leads to another, it does so itself."""
    assert leads_to in functions_of(file)[function]
