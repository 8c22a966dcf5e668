"""How a command says that it is where it should be: its task runs when its process does, its trap may come later."""

from __future__ import annotations

import os
import select
import shlex
import tempfile
from types import TracebackType
from typing import Self


class Bell:
    """A named pipe. A command rings by writing to it; whoever waits for that need not pause and look again."""

    def __init__(self) -> None:
        """Hang it up in a folder of its own."""
        self._folder = tempfile.TemporaryDirectory(prefix="bell-")
        path = f"{self._folder.name}/bell"
        os.mkfifo(path)
        self._ear = os.open(path, os.O_RDWR)  # open for writing, too, so that nobody who rings has to wait
        self.ring = f"echo > {shlex.quote(path)}"
        """What a command has to do."""

    def __enter__(self) -> Self:
        """Take it down at the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nobody rings any more."""
        os.close(self._ear)
        self._folder.cleanup()

    def wait(self, timeout_s: float) -> None:
        """Wait until somebody has rung, once more than the last time.

        Raises:
            TimeoutError: nobody has.
        """
        heard, _, _ = select.select([self._ear], [], [], timeout_s)
        if not heard:
            raise TimeoutError(f"nobody has rung within {timeout_s:g} s")
        os.read(self._ear, 1)
