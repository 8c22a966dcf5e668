"""See whether a failure is one in another process, too: with another hash seed, and nothing left over from before.

If it is not, the first event that differs is shown, and the cause is found out by further processes: two that are given
the same and differ read the clock, random numbers or threads; two that differ in their hash seed alone depend on the
order of a set; and where all of them agree, it is this process that kept something from its earlier runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from attrs import asdict, field, frozen

from mesolite.actors.trace import line
from mesolite.harness.failure import Failure
from mesolite.harness.naming import check_name
from mesolite.harness.run import Outcome, replayed
from mesolite.harness.world import Watch
from mesolite.simulation.simulation import Simulation

PATIENCE_S = 120.0
HASH_SEEDS = ("4242", "4243")

WATCHES = "MESOLITE_WATCH"
"""Set in the environment of a process that is to note what is read of the world, which makes it slow."""

FORGOTTEN = ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID")
"""What another process is not told: it is not part of this run of pytest."""

CONFIRMING = "MESOLITE_CONFIRMING"
"""Set in the other process: it loads the scenario's file, which may explore when loaded, and so confirm again."""


@runtime_checkable
class InProcess(Protocol):
    """A scenario that another process finds by a way of its own, as it does a test."""

    def process(self, failure: pathlib.Path, seen: pathlib.Path) -> tuple[list[str], pathlib.Path]:
        """The command that replays the failure in a file and writes what it has seen into another, and its folder."""


class NotRun(Exception):
    """It could not be run in another process."""


@frozen
class Seen:
    """What came of a failure in another process.

    Attributes:
        identity: how it fails there, None if it does not.
        hash: of its trace.
        records: number, digest and text of every event, if the trace is not the one that was expected.
        read: what was read of the world, and where.
    """

    identity: str | None
    hash: str
    records: list[tuple[int, str, str]] = field(factory=list)
    read: dict[str, str] = field(factory=dict)


def confirm(failure: Failure) -> str | None:
    """Run it in a fresh process with another PYTHONHASHSEED; "" if it fails there in the same way, else what differs.

    None: its scenario, or a checker of its own, cannot be found by another process, as what was made inside a function.
    """
    in_process = _in_process(failure.scenario) is not None
    cannot_be_told = bool(failure.unnamed_checkers) or (not in_process and bool(check_name(failure.scenario)))
    if CONFIRMING in os.environ or cannot_be_told:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = failure.save(os.path.join(folder, "failure.json"))
        try:
            there = _run(failure, path, HASH_SEEDS[0])
            return "" if there.hash == failure.trace_hash else _difference(failure, path, there)
        except NotRun as why:
            return f"it could not be run there: {why}"


def _in_process(scenario: object) -> InProcess | None:
    return scenario if isinstance(scenario, InProcess) else None


def _run(failure: Failure, path: pathlib.Path, hash_seed: str, *, watch: bool = False) -> Seen:
    seen = path.with_suffix(".seen")
    seen.unlink(missing_ok=True)
    if (scenario := _in_process(failure.scenario)) is not None:
        command, folder = scenario.process(path, seen)
    else:
        command, folder = [sys.executable, "-m", "mesolite.harness.confirm", str(path), str(seen)], pathlib.Path.cwd()
    given = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
    given |= {CONFIRMING: "1", "PYTHONHASHSEED": hash_seed}
    given["PYTHONPATH"] = os.pathsep.join(each or os.getcwd() for each in sys.path)
    if watch:
        given[WATCHES] = "1"
    try:
        process = subprocess.run(
            command,
            cwd=folder,
            env=given,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotRun(f"it took longer than {PATIENCE_S:g} s") from None
    if not seen.exists():
        raise NotRun("; ".join((process.stdout + process.stderr).strip().splitlines()[-2:]))
    return Seen(**json.loads(seen.read_text(encoding="utf-8")))


def _difference(failure: Failure, path: pathlib.Path, there: Seen) -> str:
    """Say how it ends there, at which event it becomes another run, and why."""
    if there.identity is None:
        ends = "it does not fail there"
    elif there.identity == str(failure.identity):
        ends = "it fails there in the same way, but not in the same run"
    else:
        ends = f"it fails there otherwise: {there.identity}"
    here = replayed(failure.scenario, failure.seed, failure.script, failure.setting)
    return "\n".join([ends, *_first_difference(here, there), f"the cause: {_cause(failure, path, there)}"])


def _first_difference(here: Outcome, there: Seen) -> Iterator[str]:
    """The first event that differs, here and there."""
    ours = {index: (digest, text) for index, digest, text in _records(here.sim)}
    theirs = {index: (digest, text) for index, digest, text in there.records}
    first = max(min(ours, default=0), min(theirs, default=0))
    for index in range(first, max(len(here.sim.trace), max(theirs, default=0) + 1)):
        one, other = ours.get(index, ("", "(nothing more)")), theirs.get(index, ("", "(nothing more)"))
        if one[0] != other[0]:
            yield f"the first event that differs is number {index}:"
            yield f"  here:  {one[1].strip()}"
            yield f"  there: {other[1].strip()}"
            return


def _cause(failure: Failure, path: pathlib.Path, there: Seen) -> str:
    """Find out, by further processes, why a run is another one there."""
    again = _run(failure, path, HASH_SEEDS[0], watch=True)
    if again.hash != there.hash:
        where = "; ".join(f"it uses {what}, at {place}" for what, place in again.read.items()) or "nobody knows why"
        return f"two processes that are given the same do not run the same: {where}"
    if _run(failure, path, HASH_SEEDS[1]).hash != there.hash:
        return "the order of a set or of hashes: it is another run with another PYTHONHASHSEED"
    return (
        "what earlier runs have left in this process, as a counter of a module or a class does: every fresh process "
        "runs the same; make all that a run uses inside of it"
    )


# --- in the other process ---------------------------------------------------------------------------------


def _records(sim: Simulation) -> list[tuple[int, str, str]]:
    return [
        (record.index, hashlib.blake2b(repr(record).encode(), digest_size=8).hexdigest(), line(record))
        for record in sim.trace
    ]


def replay_and_write(failure: Failure, path: str | pathlib.Path) -> Outcome:
    """Replay a failure, and write what came of it for the process that wants to know."""
    watch = Watch()
    with watch if WATCHES in os.environ else contextlib.nullcontext():
        outcome = replayed(failure.scenario, failure.seed, failure.script, failure.setting)
    identity = None if outcome.identity is None else str(outcome.identity)
    same = outcome.hash == failure.trace_hash
    seen = Seen(identity, outcome.hash, [] if same else _records(outcome.sim), watch.read)
    pathlib.Path(path).write_text(json.dumps(asdict(seen)), encoding="utf-8")
    return outcome


if __name__ == "__main__":
    replay_and_write(Failure.load(sys.argv[1]), sys.argv[2])
