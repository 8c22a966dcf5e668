"""How far a command is, with what was found so far: one line on a terminal, written anew; nothing elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import Self

OFTEN_S = 0.1
"""Not more often is the line written."""

ERASED = "\r\x1b[K"


class Progress:
    """One line on standard error, while it is entered."""

    def __init__(self) -> None:
        """Write nothing yet."""
        self._stream = sys.stderr
        self._seen = self._stream.isatty()
        self._written_at = 0.0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the line away: the answer stands in its place."""
        if self._written_at:
            self._write(ERASED)

    def say(self, text: str) -> None:
        """Write the line anew, unless that was a moment ago."""
        now = time.monotonic()
        if self._seen and now - self._written_at >= OFTEN_S:
            self._written_at = now
            self._write(ERASED + text[: shutil.get_terminal_size().columns - 1])

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
