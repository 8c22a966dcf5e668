"""What markers and options ask of a test that uses `sim`.

The harness is loaded for tests that are run more than once, and for no other.
"""

from __future__ import annotations

import math
import os
import pathlib
import sys
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from mesolite.actors.decisions.settings import Settings

if TYPE_CHECKING:
    from mesolite.harness.faults import Faults

ARGUMENTS = ("settings", "latency", "seeds", "faults", "order", "replay", "allow_fixtures", "without")
SEEDS = 200
"""So many seeds a test is explored with whose marker says faults and no number."""

OURS = ("sim", "mesolite_sim", "mesolite_seed")
"""The fixtures that belong to a run and are made with it."""


@frozen(kw_only=True)
class Wishes:
    """What is asked of one test.

    Attributes:
        latency: None: nothing is said; an exploration draws it, a plain run has none.
        seeds: how many; 0: one plain run.
        first_seed: the first of them.
        faults: what goes wrong; None: nothing does.
        replay: files with scripts that are run first.
        ours_only: only the checkers of what would be a fault of Mesolite look on.
        without: other checkers that are left out.
        foreign: fixtures of the test itself that a run does not make, and that were not allowed.
    """

    settings: Settings | None = None
    latency: tuple[float, float] | None = None
    seeds: int = 0
    first_seed: int = 0
    faults: Faults | None = None
    order: str = "random"
    replay: tuple[pathlib.Path, ...] = ()
    ours_only: bool = False
    without: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the test is run once, as it is."""
        return not self.seeds and not self.replay


def wishes_of(item: pytest.Item) -> Wishes:
    """What the options and the markers of a test ask for; of several markers, for each argument the closest counts.

    It fails the test whose marker is wrong.
    """
    said = _marked(item)
    _check(said)
    option = item.config.getoption
    replay = _files(item, said.get("replay", ()))
    if (file := option("--mesolite-replay")) is not None:
        replay = (item.config.invocation_params.dir / file,)
    explored = "seeds" in said or "faults" in said
    seeds = option("--mesolite-seeds") or said.get("seeds", SEEDS if explored else 0)
    one = option("--mesolite-seed")
    if option("--mesolite-replay") is not None:
        seeds = 0
    elif one is not None and seeds:
        seeds = 1
    # What nobody has said is to be explored is run as it is, with other seeds.
    latency = said.get("latency", None if explored else (0.0, 0.0))
    wishes = Wishes(
        settings=said.get("settings"),
        latency=None if latency is None else (float(latency[0]), float(latency[1])),
        seeds=seeds,
        first_seed=one or 0,
        faults=said.get("faults", _default_faults() if explored else None),
        order=said.get("order", "random"),
        replay=replay,
        ours_only=not explored,
        without=tuple(said.get("without", ())),
        foreign=() if said.get("allow_fixtures") else tuple(_foreign(item)),
    )
    if wishes.order == "pct" and wishes.is_plain:
        _refuse("order='pct'", "that order is learned over several runs; give seeds, too")
    return wishes


def _default_faults() -> Faults:
    from mesolite.harness.faults import Faults

    return Faults()


def check_fixtures(wishes: Wishes) -> None:
    """Fail a test that is run more than once and has fixtures that no run makes anew as its script says."""
    if wishes.foreign and not wishes.is_plain:
        names = ", ".join(wishes.foreign)
        pytest.fail(
            f"this test is explored, and {names} stands beside `sim`: what it brings in is no part of a run, which its "
            "seed and script are to repeat. Make what is needed inside of the test, or of `sim`, or say "
            "@pytest.mark.mesolite(allow_fixtures=True) if every run may have it anew",
            pytrace=False,
        )


def _marked(item: pytest.Item) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for mark in item.iter_markers("mesolite"):
        if mark.args:
            pytest.fail(f"@pytest.mark.mesolite takes no argument without a name, got {mark.args!r}", pytrace=False)
        if unknown := [name for name in mark.kwargs if name not in ARGUMENTS]:
            known = f"it takes {', '.join(ARGUMENTS)}"
            pytest.fail(f"@pytest.mark.mesolite has no argument {', '.join(unknown)}; {known}", pytrace=False)
        said = {**mark.kwargs, **said}
    return said


def _refuse(said: str, wanted: str) -> None:
    pytest.fail(f"@pytest.mark.mesolite({said}): {wanted}", pytrace=False)


def _check(said: dict[str, Any]) -> None:
    """Fail the test if an argument is not what it must be."""
    checks: dict[str, tuple[Any, str]] = {
        "settings": (lambda it: it is None or isinstance(it, Settings), "give a mesolite.Settings"),
        "latency": (_is_range, "give two numbers of seconds, as in latency=(0.001, 0.05)"),
        "seeds": (lambda it: type(it) is int and it > 0, "give a number of seeds, 1 or more"),
        "faults": (_is_faults, "give a mesolite.Faults, as in faults=Faults.mild()"),
        "order": (lambda it: it in ("random", "pct", "fifo"), "give 'random', 'pct' or 'fifo'"),
        "replay": (_is_files, "give the name of a file that was kept, or a tuple of them"),
        "allow_fixtures": (lambda it: isinstance(it, bool), "give True or False"),
        "without": (_are_checkers, "give a tuple of names of checkers, as docs/checkers.md has them"),
    }
    for name, value in said.items():
        is_right, wanted = checks[name]
        if not is_right(value):
            _refuse(f"{name}={value!r}", wanted)


def _is_range(pair: object) -> bool:
    return (
        isinstance(pair, tuple)
        and len(pair) == 2
        and all(isinstance(each, int | float) and not isinstance(each, bool) for each in pair)
        and 0 <= pair[0] <= pair[1] < math.inf
    )


def _is_faults(faults: object) -> bool:
    module = sys.modules.get("mesolite.harness.faults")  # whoever has some has loaded it
    return module is not None and isinstance(faults, module.Faults)


def _are_checkers(names: object) -> bool:
    from mesolite.harness.checkers import STANDARD

    known = [each.name for each in STANDARD]
    return isinstance(names, tuple | list) and all(name in known for name in names)


def _is_files(files: object) -> bool:
    several = files if isinstance(files, tuple | list) else (files,)
    return all(isinstance(each, str | os.PathLike) for each in several)


def _files(item: pytest.Item, files: Any) -> tuple[pathlib.Path, ...]:
    """Files that a marker names, relative to the folder of the test."""
    several = files if isinstance(files, tuple | list) else (files,)
    return tuple(item.path.parent / each for each in several)


# --- fixtures ---------------------------------------------------------------------------------------------


def _foreign(item: pytest.Item) -> list[str]:
    """The fixtures of the test itself that stand beside its `sim`: a run does not make them, nor does a script.

    What is made of `sim` belongs to the run, and so do those that every test has (autouse).
    """
    known = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]  # noqa: SLF001  # pytest has no other way
    found: dict[str, None] = {}
    walked: set[str] = set()

    def rests_on_sim(name: str) -> bool:
        return name in OURS or any(map(rests_on_sim, _asked(known, name)))

    def walk(name: str) -> None:
        if name in OURS or name in walked:
            return
        walked.add(name)
        definitions = known.get(name, ())
        if definitions and definitions[-1].scope == "function" and not rests_on_sim(name):
            found[name] = None
        for other in _asked(known, name):
            walk(other)

    used = [name for mark in item.iter_markers("usefixtures") for name in mark.args]
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    for name in dict.fromkeys((*item._fixtureinfo.argnames, *used)):  # type: ignore[attr-defined]  # noqa: SLF001
        if name not in parameters:
            walk(name)
    return list(found)


def _asked(known: Any, name: str) -> tuple[str, ...]:
    definitions = known.get(name, ())
    # One that overrides another asks for it by its own name.
    return tuple(each for each in definitions[-1].argnames if each != name) if definitions else ()
