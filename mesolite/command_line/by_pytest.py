"""Scripts of tests: pytest runs them, as it alone makes a test's fixtures and parameters."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mesolite.command_line.ending import FOUND, NOTHING_FOUND, WRONG_USAGE, Unusable

if TYPE_CHECKING:
    import pytest

    from mesolite.actors.trace import Trace

ALONE = {"xdist": "-n0", "pytest_cov": "--no-cov"}
"""Options that keep a run in one process and without a side effect, whatever the project's own say; by plugin."""


def replay_test(file: str, test: str, *, go_on: bool) -> int:
    """Let pytest run a test with its script, and tell of it; returns the exit status."""
    command = [sys.executable, "-m", "pytest", "-q", *_arguments(file, test, go_on)]
    status = subprocess.run(command, check=False).returncode
    return status if status in (NOTHING_FOUND, FOUND) else WRONG_USAGE


def trace_of_test(file: str, test: str, *, go_on: bool) -> Trace:
    """Let pytest run a test with its script; returns the trace of its simulation.

    Raises:
        Unusable: the test has made none.
    """
    import pytest

    keeper, said = _Keeper(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        pytest.main(["-q", *_arguments(file, test, go_on)], plugins=[keeper])
    if keeper.trace is None:
        raise Unusable(f"pytest has made no simulation of {test}; it said:\n{said.getvalue().strip()}")
    return keeper.trace


class _Keeper:
    """A plugin that takes the trace of a test's simulation, before that is forgotten."""

    def __init__(self) -> None:
        self.trace: Trace | None = None

    def pytest_runtest_makereport(self, item: pytest.Item) -> None:
        from mesolite.pytest_plugin import RUNS

        for run in item.stash.get(RUNS, []):
            self.trace = run.trace


def _arguments(file: str, test: str, go_on: bool) -> Iterator[str]:
    if importlib.util.find_spec("pytest") is None:
        raise Unusable(f"{file} is the script of a test, {test}, and pytest is not installed here")
    yield from (option for plugin, option in ALONE.items() if importlib.util.find_spec(plugin) is not None)
    yield from ("-p", "mesolite.pytest_plugin", "--mesolite-replay", str(pathlib.Path(file).resolve()))
    if go_on:
        yield "--mesolite-go-on"
    yield _place(file, test)


def _place(file: str, test: str) -> str:
    """The test as pytest is to be given it: from here, or beside the folder that its script is in.

    Raises:
        Unusable: there is no such file.
    """
    name, *names = test.split("::")
    kept_beside = pathlib.Path(file).resolve().parents[1] / pathlib.PurePath(name).name
    for path in (pathlib.Path(name), kept_beside):
        if path.is_file():
            return "::".join([str(path), *names])
    raise Unusable(f"{file} is the script of {test}, which is not to be found from here; go to where pytest was called")
