"""The pytest plugin: fixtures, seeds, user code's errors as failures, and a report that says how to repeat it.

    pytest --mesolite-seed 7             run every simulation with this seed
    pytest --mesolite-seeds 100          run every test that uses `sim` with seeds 0 to 99, and report once
    pytest --mesolite-lines 200          show so much of the trace of a failure
    pytest --mesolite-report DIR         write the whole trace of every failure into that folder

Rule: nothing of Mesolite is imported before a fixture of ours is used, as this module is loaded in every pytest run of
every project that has Mesolite installed. Described for users in docs/testing.md.
"""

from __future__ import annotations

import argparse
import math
import pathlib
import re
import shlex
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mesolite.actors.decisions.settings import Settings
    from mesolite.cluster import Cluster
    from mesolite.simulation import Simulation

CLUSTER_AGENTS = 2
LAST_LINES = 20
MARK = "mesolite(settings=None, latency=(low, high)): settings of `sim` and `cluster`, seconds a message of `sim` takes"

RUNS = pytest.StashKey["list[Simulation | Cluster]"]()
"""What our fixtures have made for this run of the item; gone when it has been reported."""
SEED = pytest.StashKey[int]()
"""Which of many seeds this run of the item has."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("mesolite", "simulated Mesos clusters")
    group.addoption(
        "--mesolite-seed", type=int, metavar="N", help="seed of the `sim` fixture (default 0); beats --mesolite-seeds"
    )
    group.addoption(
        "--mesolite-seeds",
        type=_count,
        default=0,
        metavar="COUNT",
        help="run each test that uses `sim` with COUNT seeds, as one test with one report",
    )
    group.addoption(
        "--mesolite-lines",
        type=_count,
        default=LAST_LINES,
        metavar="N",
        help=f"lines of the trace in the report of a failure (default {LAST_LINES})",
    )
    group.addoption(
        "--mesolite-report", metavar="DIR", help="write report and whole trace of every failure to a file in DIR"
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no count; give 0 or more")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Make our marker known."""
    config.addinivalue_line("markers", MARK)


# --- fixtures ---------------------------------------------------------------------------------------------


@pytest.fixture
def mesolite_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run of this test."""
    chosen: int = request.config.getoption("--mesolite-seed") or 0
    return request.node.stash.get(SEED, chosen)  # type: ignore[no-any-return]


@pytest.fixture
def mesolite_sim(request: pytest.FixtureRequest, mesolite_seed: int) -> Iterator[Simulation]:
    """A `Simulation` with this run's seed; `sim.cluster(agents=..., masters=...)` starts a cluster in it."""
    from mesolite.simulation import Simulation

    settings, latency = _wishes(request.node)
    with Simulation(seed=mesolite_seed, settings=settings, latency=latency) as simulation:
        request.node.stash.setdefault(RUNS, []).append(simulation)
        yield simulation


@pytest.fixture
def mesolite_cluster(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Cluster]:
    """A real `Cluster` of one master and two agents, ready; its sandboxes are under `tmp_path`."""
    from mesolite.cluster import Cluster

    settings, _ = _wishes(request.node)
    with Cluster(agents=CLUSTER_AGENTS, work_dir=tmp_path / "mesolite", settings=settings) as started:
        request.node.stash.setdefault(RUNS, []).append(started)
        yield started


@pytest.fixture
def sim(mesolite_sim: Simulation) -> Simulation:
    """The same as `mesolite_sim`; define another `sim` if you have another use for the name."""
    return mesolite_sim


@pytest.fixture
def cluster(mesolite_cluster: Cluster) -> Cluster:
    """The same as `mesolite_cluster`; define another `cluster` if you have another use for the name."""
    return mesolite_cluster


def _wishes(item: pytest.Item) -> tuple[Settings | None, tuple[float, float]]:
    """What the markers of a test ask for; of several, for each argument the closest counts."""
    from mesolite.actors.decisions.settings import Settings

    wishes: dict[str, Any] = {}
    for mark in item.iter_markers("mesolite"):
        if mark.args:
            pytest.fail(f"@pytest.mark.mesolite takes no argument without a name, got {mark.args!r}", pytrace=False)
        if unknown := [name for name in mark.kwargs if name not in ("settings", "latency")]:
            known = "it takes settings and latency"
            pytest.fail(f"@pytest.mark.mesolite has no argument {', '.join(unknown)}; {known}", pytrace=False)
        wishes = {**mark.kwargs, **wishes}
    settings, latency = wishes.get("settings"), wishes.get("latency", (0.0, 0.0))
    if settings is not None and not isinstance(settings, Settings):
        pytest.fail(f"@pytest.mark.mesolite(settings={settings!r}): give a mesolite.Settings", pytrace=False)
    if not _is_range(latency):
        wanted = "give two numbers of seconds, as in latency=(0.001, 0.05)"
        pytest.fail(f"@pytest.mark.mesolite(latency={latency!r}): {wanted}", pytrace=False)
    return settings, (float(latency[0]), float(latency[1]))


def _is_range(pair: object) -> bool:
    return (
        isinstance(pair, tuple)
        and len(pair) == 2
        and all(isinstance(each, int | float) and not isinstance(each, bool) for each in pair)
        and 0 <= pair[0] <= pair[1] < math.inf
    )


# --- failures ---------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """Fail a test in whose simulation or cluster user code raised, as if its body had raised that."""
    runs = item.stash.get(RUNS, [])
    try:
        result = yield
    except Exception:
        # One failure is enough; the report names the errors of user code.
        for run in runs:
            _forget_user_errors(run)
        raise
    for run in runs:
        run.raise_user_errors()
    return result


def _forget_user_errors(run: Simulation | Cluster) -> None:
    """Let what has not been raised so far not be raised at closing."""
    while True:
        try:
            run.raise_user_errors()
        except Exception:  # noqa: BLE001, S112  # it may be anything, and is in the report
            continue
        return


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Add to a failure's report, once, what became of the simulation or cluster and how to repeat it."""
    report = yield
    runs = item.stash.get(RUNS, [])
    if report.failed and runs:
        for run in runs:
            _describe(item, run, call)
        report.sections.append(("mesolite", "\n".join(_told(item, run) for run in runs)))
    if (report.failed or call.when == "teardown") and RUNS in item.stash:
        # Reported, or over; items live as long as the session, and traces are large.
        del item.stash[RUNS]
    return report


def _describe(item: pytest.Item, run: Simulation | Cluster, call: pytest.CallInfo[None]) -> None:
    """Let the head of its trace say what has failed, and what repeats it."""
    from mesolite.actors.trace import TraceFailure, raised

    words = "" if call.excinfo is None else raised(call.excinfo.value).error
    time_s = run.now() if callable(run.now) else run.now
    failure = TraceFailure(check=item.name, words=words, time=time_s, index=len(run.trace) - 1)
    seed = getattr(run, "seed", None)
    run.trace.describe(failure=failure, repeat=None if seed is None else _repeat(item, seed))


def _told(item: pytest.Item, run: Simulation | Cluster) -> str:
    """All there is to say about one simulation or cluster."""
    from mesolite.failure_report import failure_report, write_trace

    seed = getattr(run, "seed", None)
    head = [] if seed is None else [f"seed {seed}; to repeat: {_repeat(item, seed)}"]
    told = "\n".join([*head, failure_report(run, item.config.getoption("--mesolite-lines"))])
    folder = item.config.getoption("--mesolite-report")
    if folder is None:
        return told
    # Ids differ in what may not stand in a file name, so that the name alone does not tell them apart.
    name = re.sub(r"[^\w.-]+", "-", item.nodeid)[-100:]
    kind = "cluster" if seed is None else f"seed-{seed}"
    file = f"{name}-{zlib.crc32(item.nodeid.encode('utf-8', 'backslashreplace')):08x}-{kind}.txt"
    return f"{told}\n{write_trace(run, item.config.invocation_params.dir / folder / file, told)}"


def _repeat(item: pytest.Item, seed: int) -> str:
    """The command that runs this test with this seed, from any folder."""
    inside = [node.name for node in item.listchain() if not isinstance(node, pytest.Session | pytest.Directory)]
    path, names = item.path, "::".join(inside[1:])
    if "[" in str(path.parent):
        # Pytest takes a bracket in a path for the beginning of a test's parameters.
        test = shlex.quote(f"{path.name}::{names}")
        return f"cd {shlex.quote(str(path.parent))} && pytest --mesolite-seed {seed} {test}"
    return f"pytest --mesolite-seed {seed} {shlex.quote(f'{path}::{names}')}"


# --- many seeds -------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test that uses `sim` with every seed, as one item with one outcome, if asked to."""
    count = item.config.getoption("--mesolite-seeds")
    one = item.config.getoption("--mesolite-seed") is not None
    if not count or one or "mesolite_seed" not in getattr(item, "fixturenames", ()):
        return None
    from mesolite.pytest_seeds import run_seeds

    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in run_seeds(item, nextitem, count, SEED):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
