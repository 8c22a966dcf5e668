"""What somebody waits for, and what may be in the way, in words."""

from __future__ import annotations

import linecache
import pathlib
from collections.abc import Callable
from typing import Any

from mesolite.actors.runtime.port import Runtime


def words(done: Callable[[], object]) -> str:
    """Say which condition was waited for: the line a lambda stands in, or the name of a function, and where it is."""
    code: Any = getattr(done, "__code__", None)
    if code is None:
        return str(getattr(done, "__qualname__", repr(done)))
    where = f"{pathlib.Path(code.co_filename).name}:{code.co_firstlineno}"
    if code.co_name != "<lambda>":
        return f"{code.co_qualname.rpartition('<locals>.')[2]} ({where})"
    line = linecache.getline(code.co_filename, code.co_firstlineno).strip()
    return f"`{line}` ({where})" if line else f"a lambda ({where})"


def in_callbacks(runtime: Runtime) -> list[str]:
    """Say whose user code is at work, and for how long: nothing else reaches them before it returns."""
    calls = [(context.name, context.user_call) for context in runtime.directory]
    return [
        f"{name} has been in {call.callback} for {runtime.now() - call.since:.3f} s" for name, call in calls if call
    ]


def unless_broken(runtime: Runtime, done: Callable[[], object]) -> Callable[[], bool]:
    """Watch for what may keep a condition from ever coming true, too: an error of user code, a failure of ours.

    While there is one that was not raised yet, looking at the condition raises it.
    """
    look = runtime.user_errors.raising(done)

    def look_around() -> bool:
        runtime.raise_failure()
        return look()

    return look_around
