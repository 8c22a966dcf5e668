"""The pytest plugin: the `sim` and `cluster` fixtures, seeds, and a failure report that says how to repeat it.

Two options:

    pytest --mesolite-seed 7             run every simulation with this seed
    pytest --mesolite-seeds 100          run every test that uses `sim` with seeds 0 to 99
"""

from __future__ import annotations

import pathlib
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from mesolite.cluster import Cluster
from mesolite.simulation import Simulation

CLUSTER_AGENTS = 2
LAST_LINES = 20
"""How much of a simulation's trace a failure report ends with."""

SEED = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our two options."""
    group = parser.getgroup("mesolite", "simulated Mesos clusters")
    group.addoption("--mesolite-seed", type=int, default=0, metavar="N", help="seed of the `sim` fixture (default 0)")
    group.addoption(
        "--mesolite-seeds", type=int, default=0, metavar="COUNT", help="run tests that use `sim` with COUNT seeds each"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat tests that use `sim`, once per seed, if asked to."""
    count = metafunc.config.getoption("--mesolite-seeds")
    if count and "mesolite_seed" in metafunc.fixturenames:
        metafunc.parametrize("mesolite_seed", range(count), indirect=True, ids=lambda seed: f"seed-{seed}")


@pytest.fixture
def mesolite_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run of this test."""
    seed: int = getattr(request, "param", request.config.getoption("--mesolite-seed"))
    request.node.stash[SEED] = seed
    return seed


@pytest.fixture
def sim(mesolite_seed: int) -> Iterator[Simulation]:
    """A `Simulation` with this run's seed; `sim.cluster(agents=..., masters=...)` starts a cluster in it."""
    with Simulation(seed=mesolite_seed) as simulation:
        yield simulation


@pytest.fixture
def cluster(tmp_path: pathlib.Path) -> Iterator[Cluster]:
    """A real `Cluster` of one master and two agents, ready; its sandboxes are under `tmp_path`."""
    with Cluster(agents=CLUSTER_AGENTS, work_dir=tmp_path / "mesolite") as started:
        yield started


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Say in a failure's report which seed it was, the command that repeats it, and the last that was said."""
    report = yield
    if report.failed and SEED in item.stash:
        seed = item.stash[SEED]
        lines = [f"seed {seed}; to repeat: pytest --mesolite-seed {seed} {shlex.quote(_without_seed(item))}"]
        simulation = getattr(item, "funcargs", {}).get("sim")
        if isinstance(simulation, Simulation):
            lines += ["the last that was said:", *simulation.trace.text().splitlines()[-LAST_LINES:]]
        report.sections.append(("mesolite", "\n".join(lines)))
    return report


def _without_seed(item: pytest.Item) -> str:
    """How to name the test on the command line: without the seed that `--mesolite-seeds` put among its parameters."""
    name, bracket, parameters = item.nodeid.partition("[")
    kept = re.sub(r"(^|-)seed-\d+(?=-|$)", "", parameters.removesuffix("]"), count=1).removeprefix("-")
    return f"{name}[{kept}]" if bracket and kept else name
