"""Scripts of scenarios that were kept, read and replayed."""

from __future__ import annotations

import json
import os
import pathlib
import shlex

from attrs import frozen

from mesolite.command_line.ending import Unusable
from mesolite.command_line.places import scenario_at, told
from mesolite.harness.failure import Failure, NotReplayed
from mesolite.harness.naming import TEST
from mesolite.harness.run import Outcome, replayed


def test_of(file: str) -> str | None:
    """The name of the test whose script this is, None if it is a scenario's.

    Raises:
        Unusable: it is no such file.
    """
    path = pathlib.Path(file)
    if not path.is_file():
        raise Unusable(f"there is no file {file}: give a script that was kept, as explore and pytest do in .mesolite/")
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        name = plain["scenario"]
    except (OSError, LookupError, TypeError, ValueError):
        raise Unusable(f"{file} is no script that was kept: explore and pytest keep some in .mesolite/") from None
    return name.removeprefix(TEST) if isinstance(name, str) and name.startswith(TEST) else None


@frozen
class Kept:
    """A script that was kept, to be replayed.

    Attributes:
        failure: what it was.
        repeat: the command that replays it, from any folder.
    """

    failure: Failure
    repeat: str

    def replay(self, *, go_on: bool) -> Outcome:
        """Run it again; the trace says what repeats it."""
        failure = self.failure
        outcome = replayed(
            failure.scenario, failure.seed, failure.script, failure.setting, note=not go_on, go_on=go_on
        )
        outcome.sim.trace.describe(repeat=self.repeat)
        return outcome


def kept_in(file: str, scenario: str | None) -> Kept:
    """Read a script that was kept; its scenario is found by its name unless one is given as FILE::FUNCTION.

    Raises:
        Unusable: it is no such file, or its scenario is not found.
    """
    place = None if scenario is None else scenario_at(scenario)
    again = ["mesolite", "replay", os.path.abspath(file)]
    again += [] if place is None else ["--scenario", f"{place.file}::{place.name}"]
    try:
        return Kept(Failure.load(file, None if place is None else place.found), shlex.join(again))
    except NotReplayed as why:
        hint = "" if place is not None else "; --scenario FILE::FUNCTION says where its scenario is now"
        raise Unusable(f"{why}{hint}") from None
    except (Exception, SystemExit) as error:  # the scenario's file may raise anything
        raise Unusable(f"{file}: its scenario cannot be loaded: {told(error)}") from error
