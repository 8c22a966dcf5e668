"""What a call names: `FILE::NAME`, or `MODULE:NAME`, loaded and looked up."""

from __future__ import annotations

import importlib
import inspect
import pathlib
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

from attrs import frozen

from mesolite.command_line.ending import Unusable, meant
from mesolite.harness.naming import module_of
from mesolite.simulation import Simulation


@frozen
class Place:
    """Something that was named, and where it is.

    Attributes:
        file: that it is in.
        name: which it has in there.
        found: itself.
    """

    file: pathlib.Path
    name: str
    found: Any


RUNS_NOTHING = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
"""What gives a function away that has to be awaited or gone through."""


def scenario_at(text: str) -> Place:
    """Find a scenario: a function of a simulation, as a test that uses nothing but `sim` is one, too.

    Raises:
        Unusable: there is none.
    """
    place = place_of(text, "a scenario, such as scenarios.py::two_run")
    if not callable(place.found) or isinstance(place.found, type):
        raise Unusable(f"{text} is no function: a scenario is one that takes a simulation, as in def {place.name}(sim)")
    if any(runs_nothing(place.found) for runs_nothing in RUNS_NOTHING):
        raise Unusable(f"{text} would run nothing when it is called: give a function without async and yield")
    wanted = _wanted(place.found)
    if wanted == []:
        raise Unusable(f"{text} takes no sim: a scenario is a function of a simulation, as in def {place.name}(sim)")
    if len(wanted) > 1:
        besides = ", ".join(wanted[1:])
        raise Unusable(
            f"{text} wants {besides} besides {wanted[0]}: a scenario is given a simulation and nothing else; "
            "a test with fixtures of its own is explored by pytest --mesolite-seeds"
        )
    return place


def _wanted(function: Callable[[Simulation], object]) -> list[str]:
    """The arguments that it has to be given, and the first even if it need not."""
    given = [each for each in inspect.signature(function).parameters.values() if each.kind is not each.VAR_KEYWORD]
    return [each.name for number, each in enumerate(given) if number == 0 or each.default is each.empty]


def place_of(text: str, such_as: str) -> Place:
    """Find what `FILE::NAME` or `MODULE:NAME` names.

    Raises:
        Unusable: there is no such file, it cannot be loaded, or has nothing of that name.
    """
    where, separator, name = text.partition("::")
    if not separator:
        where, separator, name = text.rpartition(":")
    if not where or not name:
        raise Unusable(f"{text!r} names no place: give FILE::NAME of {such_as}")
    module = _module_in(pathlib.Path(where)) if "::" in text or where.endswith(".py") else _module_called(where)
    found: Any = module
    for part in name.replace("::", ".").split("."):
        if not hasattr(found, part):
            raise Unusable(f"there is no {name} in {where}{meant(name, _own(module))}")
        found = getattr(found, part)
    return Place(pathlib.Path(module.__file__ or where), name, found)


def _own(module: ModuleType) -> list[str]:
    """What a module has of its own that can be called."""
    return [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]


def _module_in(file: pathlib.Path) -> ModuleType:
    if file.is_dir():
        raise Unusable(f"{file} is a folder: name the file in it")
    if not file.exists():
        there = [str(file.with_name(each.name)) for each in file.parent.glob("*.py")]
        raise Unusable(f"there is no file {file}{meant(str(file), there)}")
    try:
        return module_of(file)
    except (Exception, SystemExit) as error:  # somebody's file may raise anything
        raise Unusable(f"{file} cannot be loaded: {told(error, str(file.resolve()))}") from error


def _module_called(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # It may be another that is missing, which the module wants to import.
        is_itself = error.name is not None and f"{name}.".startswith(f"{error.name}.")
        raise Unusable(
            f"there is no module {name} to be found from here; FILE::NAME names it by its file" if is_itself
            else f"module {name} cannot be loaded: {error}"
        ) from error
    except (Exception, SystemExit) as error:  # as above
        raise Unusable(f"module {name} cannot be loaded: {told(error)}") from error


def told(error: BaseException, file: str | None = None) -> str:
    """An error in a sentence, with the line at which it was raised, in that file if it passed it."""
    if isinstance(error, SyntaxError):
        return f"{error.msg}, {error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename == file] or frames
    return f"{type(error).__name__}: {error}, {inside[-1].filename}:{inside[-1].lineno}"
