"""Where a scenario is found: its name, by which another process, or the same one tomorrow, finds it again.

A name is one of these:

    module:function               what can be imported
    /path/file.py:function        what can not, or was named by its file: `mesolite explore FILE::FUNCTION`
    module:name?text              what that function makes of the text; it says so itself, in `kept_as`
    pytest:file.py::test          a test with the `sim` fixture, by pytest's name for it
"""

from __future__ import annotations

import importlib
import importlib.util
import pathlib
import sys
from types import ModuleType
from typing import Any

TEST = "pytest:"

_BY_FILE = "__mesolite_file__"
"""A module has this if somebody has named its file: then that is its name, as no other process can import it so."""


def name_of(scenario: object) -> str:
    """The name of a scenario, or of what makes a checker."""
    function: Any = scenario
    if (kept_as := getattr(function, "kept_as", None)) is not None:
        return str(kept_as)
    if (node_id := getattr(function, "node_id", None)) is not None:
        return f"{TEST}{node_id}"
    module = sys.modules.get(function.__module__)
    file = getattr(module, _BY_FILE, None) or getattr(module, "__file__", None)
    importable = function.__module__ != "__main__" and getattr(module, "__spec__", None) is not None
    named_by_file = not importable or hasattr(module, _BY_FILE)
    return f"{file if named_by_file else function.__module__}:{function.__qualname__}"


def scenario_of(name: str) -> Any:
    """Find a scenario by its name, or what makes a checker.

    Raises:
        LookupError: there is none: its module or it is gone, or it was made inside a function.
    """
    if name.startswith(TEST):
        raise LookupError(f"{name} is a test: replay it with `pytest --mesolite-replay FILE`, and its name")
    if "?" in name:
        maker, _, text = name.partition("?")
        made: Any = scenario_of(maker)
        return made(text)
    module_name, _, function = name.rpartition(":")
    if "<" in function:
        raise LookupError(f"{name} was made inside a function: give the scenario itself")
    try:
        is_file = module_name.endswith(".py")
        found: Any = module_of(pathlib.Path(module_name)) if is_file else importlib.import_module(module_name)
        for part in function.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, OSError) as why:
        raise LookupError(f"there is no scenario {name} any more: {why}") from why
    return found


def check_name(scenario: object) -> str:
    """Why a scenario, or what makes a checker, cannot be found by its name, elsewhere or later; "" if it can."""
    try:
        name = name_of(scenario)
    except AttributeError:
        return f"{scenario!r} has no name"
    if name.rpartition(":")[0].endswith(".py") and "<" not in name:
        return ""  # the program that is running: to load it would be to run it a second time
    try:
        scenario_of(name)
    except LookupError as why:
        return str(why)
    return ""


def module_of(path: pathlib.Path) -> ModuleType:
    """Load the module in a file, as Python does that runs it: what lies beside it, or beside its package, is found.

    Raises:
        OSError: there is no such file.
        Exception: whatever it raises when it is loaded.
    """
    file = path.resolve(strict=True)
    folder, name = file.parent, file.stem
    while (folder / "__init__.py").exists():
        folder, name = folder.parent, f"{folder.name}.{name}"
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    module = sys.modules.get(name)
    if module is None and "." in name:
        module = importlib.import_module(name)
    if module is None or getattr(module, "__file__", None) != str(file):
        module = _loaded(file, name if module is None else f"{name}, of {folder}")
    setattr(module, _BY_FILE, str(file))
    return module


def _loaded(file: pathlib.Path, name: str) -> ModuleType:
    """Load a file under that name, which is nobody else's."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no file of Python")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
