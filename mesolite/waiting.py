"""What somebody waits for, in words."""

from __future__ import annotations

import linecache
import pathlib
from collections.abc import Callable
from typing import Any


def words(done: Callable[[], object]) -> str:
    """Say which condition was waited for: the line a lambda stands in, or the name of a function, and where it is."""
    code: Any = getattr(done, "__code__", None)
    if code is None:
        return str(getattr(done, "__qualname__", repr(done)))
    where = f"{pathlib.Path(code.co_filename).name}:{code.co_firstlineno}"
    if code.co_name != "<lambda>":
        return f"{code.co_qualname} ({where})"
    line = linecache.getline(code.co_filename, code.co_firstlineno).strip()
    return f"`{line}` ({where})" if line else f"a lambda ({where})"
