"""The log, in which a library says nothing uninvited: whoever wants to read it calls `logger.enable("mesolite")`.

That is Loguru's, and takes a program that does it to load Loguru. So here it is never loaded, which would take longer
than all of our messages: while nobody has, nobody can have invited us. What must not be missed is raised instead
(errors.py, user_errors.py).

Rule: texts only. An exception that is handed to Loguru is shown with the values of local variables, which may be
anybody's secrets.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loguru import Logger

__all__ = ["logger", "told"]


class _Log:
    """Says what happens to Loguru, in the name of the module that calls, if the program has loaded it."""

    _seen = False

    def debug(self, text: str, *values: object) -> None:
        """Say what only whoever looks for a fault wants to know."""
        self._say("DEBUG", text, values)

    def warning(self, text: str, *values: object) -> None:
        """Say what somebody should look at."""
        self._say("WARNING", text, values)

    def error(self, text: str, *values: object) -> None:
        """Say what must not be."""
        self._say("ERROR", text, values)

    def log(self, level: str, text: str, *values: object) -> None:
        """Say it at that level."""
        self._say(level, text, values)

    def _say(self, level: str, text: str, values: tuple[object, ...]) -> None:
        if "loguru" not in sys.modules:
            return
        from loguru import logger

        if not self._seen:
            self._seen = True
            if not _invited(logger):
                logger.disable("mesolite")
        logger.opt(depth=2).log(level, text, *values)


def _invited(logger: Logger) -> bool:
    """Whether somebody has decided already: we may see Loguru long after they have set it up.

    Loguru keeps that to itself. Should it come to keep it elsewhere, enabling works from the first line on.
    """
    core = getattr(logger, "_core", None)
    return any(name.startswith("mesolite.") for name, _ in getattr(core, "activation_list", ()))


logger = _Log()


def told(error: BaseException) -> str:
    """An exception with its traceback, as text: lines of code, and no values."""
    return "".join(traceback.format_exception(error)).rstrip()
