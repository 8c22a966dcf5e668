"""What a run reads of the world, which is no part of its script: the clock, random numbers, threads.

A run that does so is not the same run again. `Watch` notes who does it; it slows a run down, and is used only to find
out why one cannot be repeated.
"""

from __future__ import annotations

import _thread
import datetime
import gc
import os
import random
import sys
import sysconfig
import time
from types import FrameType, TracebackType
from typing import Any

import mesolite

CLOCKS = tuple(getattr(time, name) for name in ("time", "monotonic", "perf_counter", "time_ns", "monotonic_ns"))
DATES = ("now", "utcnow", "today")
STARTS = ("start_new_thread", "start_joinable_thread")
OURS = (os.path.dirname(mesolite.__file__), *(f"{os.sep}{name}{os.sep}" for name in ("_pytest", "pluggy", "pykka")))
"""Files whose reads are no part of a run."""

_STANDARD = sysconfig.get_path("stdlib")


class Watch:
    """Notes what is read of the world while it is entered.

    Attributes:
        read: for the clock, random numbers and threads: where that was first read or begun, as file and line.
    """

    def __init__(self) -> None:
        """See nothing yet."""
        self.read: dict[str, str] = {}

    def __enter__(self) -> Watch:
        """Begin to watch this thread."""
        # Whoever is called when memory is collected is called from anywhere, and belongs to no run.
        self._collects = gc.isenabled()
        gc.disable()
        self._before = sys.getprofile()
        sys.setprofile(self._see)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Watch no more."""
        sys.setprofile(self._before)
        if self._collects:
            gc.enable()

    def _see(self, frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call" or (what := _read_by(called)) is None or what in self.read:
            return
        caller: FrameType | None = frame
        while caller is not None and _is_standard(caller.f_code.co_filename):
            caller = caller.f_back
        if caller is not None and not any(part in caller.f_code.co_filename for part in OURS):
            self.read[what] = f"{caller.f_code.co_filename}:{caller.f_lineno}"


def _read_by(called: Any) -> str | None:
    """What of the world a built-in function reads, None if nothing."""
    owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
    if called in CLOCKS or (name in DATES and isinstance(owner, type) and issubclass(owner, datetime.date)):
        return "the clock"
    if called is os.urandom or owner is random._inst:  # noqa: SLF001  # the shared one
        return "random numbers"
    return "a thread" if owner is _thread and name in STARTS else None


def _is_standard(file: str) -> bool:
    return file.startswith(_STANDARD) and "site-packages" not in file
