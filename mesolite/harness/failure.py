"""A failure that was found: what fails, how to see it again, and how to keep it."""

from __future__ import annotations

import contextlib
import enum
import json
import operator
import os
import pathlib
from typing import Any, Self

import attrs
from attrs import field, frozen

from mesolite.actors.decisions.settings import Settings
from mesolite.actors.errors import MesoliteError
from mesolite.harness.naming import check_name, name_of, scenario_of
from mesolite.harness.run import Identity, Outcome, Scenario, Setting, line_of, lines_of, replayed
from mesolite.harness.script import Script, from_plain, to_plain
from mesolite.harness.story import story_of
from mesolite.simulation.simulation import Simulation
from mesolite.version import __version__

FORMAT = 1
NOTHING_DONE = "  nothing: what its seed draws, such as latencies, is enough"
AGAIN = "to see it again: .replay(); to keep it: .save(path), or .as_test(), which is the source of a test"


class NotReplayed(MesoliteError):
    """A script that was kept cannot be given back, or does not fail any more: the text says which, and where."""


@frozen(kw_only=True, eq=False)
class Failure:
    """A run that fails, as (scenario, seed, script).

    Attributes:
        scenario: what was run.
        setting: for the harness: with which settings, and without which checkers.
        seed: whose draws it has: latencies, jitter, and the order where the script has none.
        script: its faults, and the exceptions from first in, first out.
        error: what it raises.
        story: what led to it, as text.
        identity: what tells it from other failures.
        trace_hash: of the run in which it was last seen.
        runs: how many runs it took to make the script so small.
        others: other failures met on the way, not followed.
        confirmed: what came of another process: "" if it failed there in the same way, None if nobody tried.
        expanded: what the seed has drawn: the cluster, settings, latency, which kinds of faults were on.
        found_by: of one that was kept: the name of the scenario that it was found by.
    """

    scenario: Scenario = field(repr=False)
    seed: int
    script: Script
    error: Exception
    story: str = field(repr=False)
    identity: Identity
    trace_hash: str = field(repr=False)
    setting: Setting = field(repr=False)
    runs: int = 0
    others: tuple[Identity, ...] = ()
    confirmed: str | None = None
    expanded: str = field(default="", repr=False)
    found_by: str = field(default="", repr=False)

    @classmethod
    def of(cls, scenario: Scenario, setting: Setting, outcome: Outcome, **more: Any) -> Self:
        """The failure that an outcome is."""
        error, identity = outcome.error, outcome.identity
        assert error is not None, "this run has not failed"
        assert identity is not None
        return cls(
            scenario=scenario,
            seed=outcome.seed,
            script=outcome.script,
            error=error,
            story=story_of(outcome),
            identity=identity,
            trace_hash=outcome.hash,
            setting=setting,
            **more,
        )

    def replay(self) -> Simulation:
        """Run it again and raise what it raises; returns the simulation if nothing is.

        Raises:
            Exception: the failure.
            NotReplayed: something of the script could not be done, and nothing failed.
        """
        outcome = replayed(self.scenario, self.seed, self.script, self.setting)
        if outcome.error is not None:
            raise outcome.error
        if outcome.unfit:
            raise NotReplayed("the script does not fit any more:\n  " + "\n  ".join(outcome.unfit))
        return outcome.sim

    # ------------------------------------------------------------------------------------------------ as text, kept

    @property
    def code(self) -> str:
        """The faults of the script as the lines of code that do them."""
        return "\n".join(lines_of(self.script, self.seed))

    def __str__(self) -> str:
        """Say what fails, what was done, what led to it, and how to see it again."""
        return f"{self.report}\n\n{AGAIN}"

    @property
    def report(self) -> str:
        """What fails, what was done, and what led to it."""
        others = "other failures met on the way:\n" + "\n".join(f"  {other}" for other in self.others)
        more = [others] if self.others else []
        shrunk = f" (shrunk in {self.runs} runs)" if self.runs else ""
        return "\n\n".join([self.told(f"what was done{shrunk}:"), *more, self._confirmation])

    def told(self, title: str) -> str:
        """Say what fails, what was done, under that title, and what led to it."""
        parts = [f"seed {self.seed}: {self.identity}\n{str(self.error) or line_of(self.error)}".rstrip()]
        if self.expanded:
            parts.append(f"what the seed expanded to:\n{_indented(self.expanded)}")
        done = "\n".join(line for line in (getattr(self.scenario, "does", ""), self.code) if line)
        parts.append(f"{title}\n{_indented(done) or NOTHING_DONE}")
        return "\n\n".join([*parts, self.story])

    @property
    def _confirmation(self) -> str:
        if self.confirmed is None:
            why = ": its scenario cannot be found by name" if check_name(self.scenario) else ""
            return f"no other process has tried it{why}"
        return f"in a fresh process: {self.confirmed or 'it fails in the same way'}"

    def save(self, path: str | pathlib.Path) -> pathlib.Path:
        """Keep it in a file, for `Failure.load` and `pytest --mesolite-replay`. It comes to its place whole.

        Raises:
            OSError: nothing can be written there.
            NotReplayed: a checker of the exploration's own cannot be found again by a name.
        """
        kept = pathlib.Path(path)
        text = json.dumps(self.to_plain(), indent=1) + "\n"
        kept.parent.mkdir(parents=True, exist_ok=True)
        begun = kept.with_name(f".{kept.name}.{os.getpid()}")
        try:
            begun.write_text(text, encoding="utf-8")
            begun.replace(kept)
        except OSError:
            with contextlib.suppress(OSError):
                begun.unlink()
            raise
        return kept

    def to_plain(self) -> dict[str, Any]:
        """The failure as JSON has it.

        Raises:
            NotReplayed: a checker of the exploration's own cannot be found again by a name: it would be lost.
        """
        if unnamed := self.unnamed_checkers:
            raise NotReplayed(
                f"this failure cannot be kept: {'; '.join(unnamed)}. Give `checkers` classes, or functions of a module"
            )
        return {
            "format": FORMAT,
            "mesolite": __version__,
            "scenario": name_of(self.scenario),
            "seed": self.seed,
            "script": to_plain(self.script),
            "without": list(self.setting.without),
            "checkers": [name_of(make) for make in self.setting.besides],
            "settings": changed(self.setting.settings),
            "identity": [self.identity.what, self.identity.where],
            "error": str(self.error),
            "trace_hash": self.trace_hash,
            "expanded": self.expanded,
        }

    @property
    def unnamed_checkers(self) -> list[str]:
        """Why checkers that were on besides cannot be found again by a name; empty if all can."""
        return [why for make in self.setting.besides if (why := check_name(make))]

    @classmethod
    def load(cls, path: str | pathlib.Path, scenario: Scenario | None = None) -> Self:
        """Read what `save` has written. The scenario is found by its name unless it is given.

        Raises:
            NotReplayed: it is no such file, or its scenario is not found.
        """
        try:
            return cls.from_plain(json.loads(pathlib.Path(path).read_text(encoding="utf-8")), scenario)
        except (OSError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as why:
            raise NotReplayed(f"{path} holds no failure that can be replayed: {_said(why)}") from why

    @classmethod
    def from_plain(cls, plain: dict[str, Any], scenario: Scenario | None = None) -> Self:
        """Make it of what `to_plain` gave.

        Raises:
            AttributeError, LookupError, TypeError, ValueError: it is no such thing, or its scenario is not found.
        """
        if plain["format"] != FORMAT:
            raise ValueError(f"it has format {plain['format']}, and this version reads {FORMAT} only")
        failure = cls(
            scenario=scenario or scenario_of(plain["scenario"]),
            seed=operator.index(plain["seed"]),
            script=from_plain(plain["script"]),
            error=NotReplayed(plain["error"]),
            story="(kept without its story: replay it)",
            identity=Identity(*plain["identity"]),
            trace_hash=plain["trace_hash"],
            expanded=plain["expanded"],
            found_by=str(plain["scenario"]),
            setting=Setting(
                settings=settings_of(plain["settings"]),
                without=tuple(plain["without"]),
                besides=tuple(map(scenario_of, plain.get("checkers", ()))),  # older files have no such key
            ),
        )
        try:
            _ = failure.code
        except LookupError as unknown:
            raise LookupError(f"a fault has a kind, or an argument, that is not known here: {unknown}") from None
        return failure

    def as_test(self) -> str:
        """The source of a test that replays it: it fails until the fault is mended."""
        name = name_of(self.scenario).partition("?")[0].rpartition(":")[2]
        plain = json.dumps(self.to_plain())
        return (
            f'"""Found by exploring {name}: {self.identity}."""\n\n'
            "import json\n\nfrom mesolite.harness import Failure\n\n"
            f"FOUND = json.loads(\n    {plain!r}\n)\n\n\n"
            f"def test_{name.replace('.', '_')}_with_seed_{self.seed}():\n"
            "    Failure.from_plain(FOUND).replay()\n"
        )


def _said(why: Exception) -> str:
    """What is wrong with a file, in words: some errors name nothing but a key."""
    return f"it has no {why}" if isinstance(why, KeyError) else str(why)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def changed(settings: Settings | None) -> dict[str, Any] | None:
    """The settings that differ from Mesos's, by name, as JSON has them."""
    if settings is None:
        return None
    mesos = attrs.asdict(Settings.mesos())
    differ = {name: value for name, value in attrs.asdict(settings).items() if value != mesos[name]}
    return {name: value.name if isinstance(value, enum.Enum) else value for name, value in differ.items()}


def settings_of(plain: dict[str, Any] | None) -> Settings | None:
    """The settings that `changed` gave."""
    return None if plain is None else Settings.mesos().but(**plain)
