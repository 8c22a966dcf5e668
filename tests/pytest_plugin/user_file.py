"""Pytest run on a small file of somebody's, with the plugin alone: what the tests of the plugin have in common."""

from __future__ import annotations

import pytest

import mesolite.cluster
import mesolite.failure_report
import mesolite.harness  # noqa: F401  # or else each run of pytest in this process would load all of it anew


def theirs(pytester: pytest.Pytester, text: str, *arguments: str) -> pytest.RunResult:
    """Run pytest on a file of theirs, in this process, with the plugin alone."""
    pytester.makepyfile(test_theirs=text)
    return run(pytester, *arguments)


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest on what is there."""
    # Hypothesis would be imported anew for each run, which takes longer than all the rest.
    plugins = ["-p", "mesolite.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    return pytester.runpytest_inprocess(*plugins, *arguments)


def text_of(result: pytest.RunResult) -> str:
    """All that a run has said."""
    return "\n".join(result.outlines)
