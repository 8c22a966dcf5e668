"""What every call of the command finds, and leaves."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def modules_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a call has loaded, and where it has looked, the next call in this process does not know."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in [name for name in sys.modules if name not in before]:
        if hasattr(sys.modules[name], "__mesolite_file__"):
            del sys.modules[name]
