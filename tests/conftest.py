"""What every test is held to. Fixtures come from mesolite.pytest_plugin, as they do for any user."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator

import pytest

import tests.effort  # noqa: F401  # it has the profiles that --hypothesis-profile may name
from tests.scenarios.report import unknown_ids

pytest_plugins = ["mesolite.pytest_plugin", "pytester"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C is raised, also where the shell that runs pytest in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_collection_finish() -> None:
    """What has been collected stays until the end: the collector of garbage need not look at it again and again."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a scenario mark whose id is not in the catalogue: a typing error would count for nothing."""
    if unknown := unknown_ids(items):
        raise pytest.UsageError("\n".join(unknown))
