"""What the tests of both runtimes share: a stage, once on threads and once on virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.puppets import STAGES, stage_of


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with stage_of(request.param, tmp_path) as stage:
        yield stage
