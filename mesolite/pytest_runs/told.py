"""How a test is named to another pytest, and the command that repeats it."""

from __future__ import annotations

import pathlib
import shlex

import pytest


def place_of(item: pytest.Item) -> tuple[pathlib.Path | None, str]:
    """The folder to call pytest in, None if any will do, and the argument that names the test there."""
    inside = [node.name for node in item.listchain() if not isinstance(node, pytest.Session | pytest.Directory)]
    path, names = item.path, "::".join(inside[1:])
    if "[" in str(path.parent):
        # Pytest takes a bracket in a path for the beginning of a test's parameters.
        return path.parent, f"{path.name}::{names}"
    return None, f"{path}::{names}"


def command(item: pytest.Item, *options: str) -> str:
    """The line that runs this test with these options, from any folder."""
    folder, test = place_of(item)
    line = " ".join(["pytest", *map(shlex.quote, (*options, test))])
    return line if folder is None else f"cd {shlex.quote(str(folder))} && {line}"
