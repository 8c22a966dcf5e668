"""A cluster that speaks HTTP, and the clients' programs, which end with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from mesolite import Cluster, Settings
from tests.clients.running import Program, running

Start = Callable[..., Program]

OFTEN = Settings.local().but(stream_heartbeat_s=0.5)
"""A client that reads by lines has a record when the next one begins: heartbeats push it on (HT-67)."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """One master and two agents."""
    with Cluster(agents=2, masters=1, http=True, settings=OFTEN) as cluster:
        yield cluster


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a program: its name, its environment, and what it is given."""
    number = count(1)
    with ExitStack() as running_programs:

        def begin(name: str, environment: str, **given: object) -> Program:
            log = tmp_path / f"{name}-{next(number)}.log"
            return running_programs.enter_context(running(name, environment, log, **given))

        yield begin
