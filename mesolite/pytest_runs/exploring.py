"""A test whose simulations the harness makes: scripts that were kept first, then many seeds, all in one item."""

from __future__ import annotations

import os
import pathlib
import sys
from collections.abc import Callable

import pytest

from mesolite.actors.errors import MesoliteError
from mesolite.harness.checkers import STANDARD, Family
from mesolite.harness.confirm import replay_and_write
from mesolite.harness.explore import SHARES, Plan, explored
from mesolite.harness.failure import Failure, NotReplayed
from mesolite.harness.faults import Faults
from mesolite.harness.naming import name_of
from mesolite.harness.run import Outcome, misfits, replayed, running
from mesolite.pytest_runs.corpus import corpus_of
from mesolite.pytest_runs.protocol import REPEATED_BY, TOLD, NothingMore, Runs
from mesolite.pytest_runs.told import command, place_of
from mesolite.pytest_runs.wishes import Wishes
from mesolite.simulation.choices import POSTPONED

YOURS = tuple(each.name for each in STANDARD if each.family is Family.YOURS)
"""The checkers of what would be a fault of the scheduler under test."""

KEPT = "mesolite scripts"
"""The title of what is said about scripts that were kept, in the reports of tests that pass, too."""


class Test(Runs):
    """A test as a scenario that another process finds, too."""

    __test__ = False

    def process(self, failure: pathlib.Path, seen: pathlib.Path) -> tuple[list[str], pathlib.Path]:
        """The command that replays the failure in a file and writes what it has seen into another, and its folder."""
        folder, test = place_of(self.item)
        config = self.item.config
        line = [sys.executable, "-m", "pytest", "-q", "-p", "mesolite.pytest_plugin"]
        line += [f"--rootdir={config.rootpath}", *(["-c", str(config.inipath)] if config.inipath else [])]
        line += [word for name in config.option.plugins for word in ("-p", name)]
        # Alone, and leaving no traces, whatever the project's own options say.
        has = config.pluginmanager.hasplugin
        line += ["-n0"] if has("xdist") else []
        line += ["--no-cov"] if has("_cov") or has("pytest_cov") else []
        line += ["-o", f"cache_dir={seen.parent / 'cache'}"] if has("cacheprovider") else []
        line += ["--mesolite-replay", str(failure), "--mesolite-outcome", str(seen), test]
        return line, folder or config.invocation_params.dir


class Tried:
    """One item that is replayed and explored."""

    def __init__(self, item: pytest.Item, wishes: Wishes) -> None:
        """Do with that test what is wished."""
        self._item = item
        self._wishes = wishes
        self._runs = Test(item)
        self._corpus = corpus_of(item)
        self._notes: list[str] = []

    def reports(self, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
        """Run it; returns the reports to tell it by."""
        runs = self._runs
        try:
            reports = self._replay_all() or self._replay_kept() or self._explore() or runs.outcome()
        except NothingMore:
            reports = runs.reports
        except MesoliteError as error:
            reports = runs.failed(error)
        if self._notes:
            reports[-1].sections.append((KEPT, "\n".join(self._notes)))
        return runs.close(reports, nextitem)

    # ------------------------------------------------------------------------------------------------- what was kept

    def _replay_all(self) -> list[pytest.TestReport] | None:
        """Replay the files that are asked for; returns the reports of the first that fails, or does not fit."""
        for file in self._wishes.replay:
            failure, outcome = self._replay(file)
            if outcome.error is not None:
                return self._runs.reports
            unfit = misfits(failure.script, outcome)
            if unfit and not self._item.config.getoption("--mesolite-go-on"):
                where = "\n  ".join(unfit)
                raise NotReplayed(
                    f"{file}: nothing failed, and the script does not fit any more:\n  {where}\n"
                    "give --mesolite-go-on to go on from there under the seed's own order"
                )
            if failure.found_by not in ("", name_of(self._runs)):
                self._notes.append(f"{file} does not fail here; it was kept by {failure.found_by}")
        return None

    def _replay_kept(self) -> list[pytest.TestReport] | None:
        """Replay what has failed before; returns the reports of the first that still does. What passes is removed."""
        for file in self._corpus.files() if self._wishes.seeds else ():
            try:
                failure, outcome = self._replay(file)
            except NotReplayed as why:
                self._notes.append(f"{why}; it is left where it is")
                continue
            if outcome.error is not None:
                self._promote(failure)
                return self._runs.reports
            unfit = "; ".join(misfits(failure.script, outcome))
            unfit = unfit and f", and does not fit any more ({unfit})"
            self._forget(file, f"passes again{unfit}")
        return None

    def _forget(self, file: pathlib.Path, why: str) -> None:
        file.unlink(missing_ok=True)
        self._notes.append(f"{file.parent.name}/{file.name} {why}: removed")

    def _told(self, failure: Failure, again: str, head: Callable[[], str]) -> Outcome:
        """Replay a failure in a run that is told about, if it fails: with its head, and the command that repeats it."""
        item, option = self._item, self._item.config.getoption
        item.stash[TOLD] = head
        item.stash[REPEATED_BY] = again
        self._runs.is_told = True
        try:
            if (seen := option("--mesolite-outcome")) is not None:
                return replay_and_write(failure, seen)
            go_on = option("--mesolite-go-on")
            return replayed(self._runs, failure.seed, failure.script, failure.setting, note=not go_on, go_on=go_on)
        finally:
            self._runs.is_told = False
            del item.stash[TOLD], item.stash[REPEATED_BY]

    def _replay(self, file: pathlib.Path) -> tuple[Failure, Outcome]:
        """Replay a script that was kept."""
        failure = Failure.load(file, self._runs)
        again = command(self._item, "--mesolite-replay", str(file))

        def head() -> str:
            run = running()
            lines = [f"replayed from {file}; to repeat: {again}", *(f"  {line}" for line in failure.code.splitlines())]
            lines += [f"  does not fit any more: {each}" for each in (run.injector.unfit if run is not None else ())]
            if failure.expanded:
                lines += ["what its seed expanded to:", *(f"  {line}" for line in failure.expanded.splitlines())]
            return "\n".join(lines)

        return failure, self._told(failure, again, head)

    # --------------------------------------------------------------------------------------------------- exploring

    def _explore(self) -> list[pytest.TestReport] | None:
        """Explore it; returns the reports of what was found."""
        wishes, runs = self._wishes, self._runs
        if not wishes.seeds:
            return None
        plan = Plan(
            scenario=runs,
            faults=wishes.faults or Faults.none(),
            settings=wishes.settings,
            without=(*wishes.without, *(YOURS if wishes.ours_only else ())),
            latency=wishes.latency,
            order=wishes.order,
            # With seeds and nothing else, each is the run that `--mesolite-seed` gives.
            shares=(POSTPONED,) if wishes.ours_only else SHARES,
        )
        found = explored(plan, wishes.first_seed, wishes.seeds)
        failure = found.failure
        if failure is None:
            found.check()
            return None
        again = self._keep(failure)
        text = f"seed {failure.seed}; to repeat: {again}\nfound in the {_nth(found.runs)} run\n{failure.report}"
        outcome = self._told(failure, again, lambda: text)
        if outcome.error is not None:
            return runs.reports
        return runs.failed(NotReplayed(f"it has failed, and did not when it was run once more:\n{failure.report}"))

    def _keep(self, failure: Failure) -> str:
        """Keep it; returns the command that repeats it."""
        self._promote(failure)
        try:
            return command(self._item, "--mesolite-replay", str(self._corpus.keep(failure)))
        except OSError as why:
            self._notes.append(f"its script cannot be kept: {why}")
            return command(self._item, "--mesolite-seeds", "1", "--mesolite-seed", str(failure.seed))

    def _promote(self, failure: Failure) -> None:
        """Keep it in a folder of the project's own, if that is asked for."""
        folder = self._item.config.getoption("--mesolite-keep")
        if folder is None:
            return
        try:
            kept = self._corpus.keep(failure, self._item.config.invocation_params.dir / folder)
        except OSError as why:
            self._notes.append(f"it cannot be kept in {folder}: {why}")
            return
        name = pathlib.Path(os.path.relpath(kept, self._item.path.parent)).as_posix()
        self._notes.append(f"kept for good; the test's marker replays it: @pytest.mark.mesolite(replay={name!r})")


def _nth(number: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else endings.get(number % 10, 'th')}"
