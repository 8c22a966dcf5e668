"""The pytest plugin: fixtures, exploring, user code's errors as failures, and a report that says how to repeat it.

    pytest --mesolite-seed 7             run every simulation with this seed
    pytest --mesolite-seeds 100          explore every test that uses `sim` with 100 seeds, as one test
    pytest --mesolite-replay FILE TEST   run that test with a script that was kept
    pytest --mesolite-keep DIR           keep the scripts that fail for good, in that folder
    pytest --mesolite-lines 200          show so much of the trace of a failure
    pytest --mesolite-report DIR         write the whole trace of every failure into that folder

Rule: nothing of Mesolite is imported before a fixture of ours is used, as this module is loaded in every pytest run of
every project that has Mesolite installed. What is done to a test that is run more than once is in mesolite/pytest_runs.
Described for users in docs/testing.md.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import sys
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mesolite.cluster import Cluster
    from mesolite.harness.exploration import Exploration
    from mesolite.harness.run import Running
    from mesolite.pytest_runs.wishes import Wishes
    from mesolite.simulation import Simulation

FOR_RUNS = ("seeds", "faults", "order", "replay")
"""The arguments of the marker that say how a simulation is run: without one they would do nothing."""

CLUSTER_AGENTS = 2
LAST_LINES = 20
MARK = (
    "mesolite(settings, latency=(low, high), seeds=N, faults=Faults(...), order='random', replay='file', without=(), "
    "allow_fixtures=False): how `sim` and `cluster` are made, and whether a test that uses `sim` is explored"
)

RUNS = pytest.StashKey["list[Simulation | Cluster]"]()
"""What our fixtures have made for this run of the item; gone when it has been reported."""


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
        help="explore each test that uses `sim` with COUNT seeds, as one test with one report",
    )
    group.addoption(
        "--mesolite-replay", metavar="FILE", help="run the tests that use `sim` with the script in FILE, as it was kept"
    )
    group.addoption(
        "--mesolite-go-on",
        action="store_true",
        help="where a replayed script does not fit any more, go on under the order of its seed",
    )
    group.addoption("--mesolite-keep", metavar="DIR", help="keep the scripts that fail in DIR, too, to be committed")
    group.addoption("--mesolite-outcome", metavar="FILE", help=argparse.SUPPRESS)
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
    from mesolite.pytest_runs.protocol import GIVEN

    given = request.node.stash.get(GIVEN, None)
    return (request.config.getoption("--mesolite-seed") or 0) if given is None else given.seed


@pytest.fixture
def mesolite_sim(request: pytest.FixtureRequest, mesolite_seed: int) -> Iterator[Simulation]:
    """A `Simulation` with this run's seed; `sim.cluster(agents=..., masters=...)` starts a cluster in it."""
    from mesolite.pytest_runs.protocol import GIVEN
    from mesolite.pytest_runs.wishes import check_fixtures, wishes_of
    from mesolite.simulation import Simulation

    wishes = wishes_of(request.node)
    check_fixtures(wishes)
    latency, order = wishes.latency or (0.0, 0.0), wishes.order
    given = request.node.stash.get(GIVEN, None)
    made = given or Simulation(mesolite_seed, settings=wishes.settings, latency=latency, order=order)
    with made as simulation:
        request.node.stash.setdefault(RUNS, []).append(simulation)
        yield simulation


@pytest.fixture
def mesolite_cluster(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Cluster]:
    """A real `Cluster` of one master and two agents, ready; its sandboxes are under `tmp_path`."""
    from mesolite.cluster import Cluster
    from mesolite.pytest_runs.wishes import wishes_of

    settings = wishes_of(request.node).settings
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


# --- failures ---------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """Let a run come to its end, and fail a test in whose simulation or cluster user code raised."""
    __tracebackhide__ = True
    runs = item.stash.get(RUNS, [])
    unseen = _unseen()
    try:
        result = yield
        _end(runs)
    except Exception:
        # One failure is enough; the report names the errors of user code.
        for run in runs:
            _forget_user_errors(run)
        _look_at_unseen(unseen)
        raise
    finally:
        _leave(runs)
    for run in runs:
        run.raise_user_errors()
    for exploration in _look_at_unseen(unseen):
        from mesolite.harness.exploration import NotLookedAt

        raise NotLookedAt(
            "this test explored and found a failure, and has neither read found.failure nor called found.check():\n"
            f"{exploration}"
        )
    return result


def _end(runs: list[Simulation | Cluster]) -> None:
    """Stop faults and see what must come true eventually: by the harness if it made this run, else as far as asked."""
    __tracebackhide__ = True
    from_harness = _from_harness(runs)
    if from_harness is not None:
        from_harness.end()
        return
    for run in runs:
        if (stated := getattr(run, "stated", None)) is not None and not stated.recovered:
            run.recover()  # type: ignore[union-attr]  # what states something is a simulation


def _leave(runs: list[Simulation | Cluster]) -> None:
    """Let nothing disturb what fixtures do to tidy up."""
    if (from_harness := _from_harness(runs)) is not None:
        from_harness.leave()


def _from_harness(runs: list[Simulation | Cluster]) -> Running | None:
    """The run that the harness has made, None if it is a plain one."""
    module = sys.modules.get("mesolite.harness.run") if runs else None
    run: Running | None = None if module is None else module.running()
    return run


def _unseen() -> list[Exploration]:
    """What was found so far by `explore`, and nobody has looked at."""
    module = sys.modules.get("mesolite.harness.exploration")
    return [] if module is None else list(module.UNSEEN)


def _look_at_unseen(before: list[Exploration]) -> list[Exploration]:
    """What was found since then and nobody has looked at; now it is."""
    found = [each for each in _unseen() if all(each is not other for other in before)]
    for each in found:
        each.seen()
    return found


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
    if report.failed and runs and not _is_exploring(item):
        for run in runs:
            _describe(item, run, call)
        report.sections.append(("mesolite", "\n".join(_told(item, run) for run in runs)))
    if (report.failed or call.when == "teardown") and RUNS in item.stash:
        # Reported, or over; items live as long as the session, and traces are large.
        del item.stash[RUNS]
    return report


def _is_exploring(item: pytest.Item) -> bool:
    """Whether this run is one of many, and nobody will read its report."""
    from mesolite.pytest_runs.protocol import EXPLORING

    return item.stash.get(EXPLORING, False)


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
    head = "" if seed is None else f"{_head(item, seed)}\n"
    told = head + failure_report(run, item.config.getoption("--mesolite-lines"), head)
    folder = item.config.getoption("--mesolite-report")
    if folder is None:
        return told
    # Ids differ in what may not stand in a file name, so that the name alone does not tell them apart.
    name = re.sub(r"[^\w.-]+", "-", item.nodeid)[-100:]
    kind = "cluster" if seed is None else f"seed-{seed}"
    file = f"{name}-{zlib.crc32(item.nodeid.encode('utf-8', 'backslashreplace')):08x}-{kind}.txt"
    return f"{told}\n{write_trace(run, item.config.invocation_params.dir / folder / file, told)}"


def _head(item: pytest.Item, seed: int) -> str:
    from mesolite.pytest_runs.protocol import TOLD

    if (told := item.stash.get(TOLD, None)) is not None:
        return told()
    return f"seed {seed}; to repeat: {_repeat(item, seed)}"


def _repeat(item: pytest.Item, seed: int) -> str:
    """The command that runs this test again as it was run, from any folder."""
    from mesolite.pytest_runs.protocol import REPEATED_BY
    from mesolite.pytest_runs.told import command

    return item.stash.get(REPEATED_BY, None) or command(item, "--mesolite-seed", str(seed))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test that is marked itself to be explored or replayed, and has no simulation to do it with."""
    own = [name for mark in item.own_markers if mark.name == "mesolite" for name in mark.kwargs if name in FOR_RUNS]
    if own and "mesolite_seed" not in getattr(item, "fixturenames", ()):
        pytest.fail(
            f"@pytest.mark.mesolite({', '.join(own)}) is for a test that uses `sim`, and this one does not: take `sim` "
            "as an argument",
            pytrace=False,
        )


# --- more than one run ------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Explore or replay a test that uses `sim`, as one item with one outcome, if asked to."""
    wishes = None if item.config.getoption("setuponly", default=False) else _wishes(item)
    if wishes is None or wishes.is_plain or wishes.foreign:
        return None
    from mesolite.pytest_runs.exploring import Tried

    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in Tried(item, wishes).reports(nextitem):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _wishes(item: pytest.Item) -> Wishes | None:
    """What is asked of a test that uses `sim`, None if nothing is; what is wrong with it, its fixture says."""
    option = item.config.getoption
    asked = option("--mesolite-seeds") or option("--mesolite-replay") or item.get_closest_marker("mesolite")
    if not asked or "mesolite_seed" not in getattr(item, "fixturenames", ()):
        return None  # a marker of its own that can have no effect: see pytest_runtest_setup
    try:
        from mesolite.pytest_runs.wishes import wishes_of

        return wishes_of(item)
    except (ImportError, pytest.fail.Exception):
        return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which scripts were removed, or kept for good."""
    said = [
        f"{report.nodeid}: {line}"
        for reports in terminalreporter.stats.values()
        for report in reports
        for title, text in getattr(report, "sections", ())
        if title == "mesolite scripts"
        for line in text.splitlines()
    ]
    if said:
        terminalreporter.section("mesolite scripts")
        for line in said:
            terminalreporter.line(line)
