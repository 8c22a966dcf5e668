"""The log, in which a library says nothing uninvited: whoever wants to read it calls `logger.enable("mesolite")`.

What must not be missed is raised instead (errors.py, user_errors.py). Rule: texts only. An exception that is handed to
Loguru is shown with the values of local variables, which may be anybody's secrets.
"""

from __future__ import annotations

import traceback

from loguru import logger

__all__ = ["logger", "told"]


def _invited() -> bool:
    """Whether somebody has decided already; this is loaded late, when the first name of Mesolite is used.

    Loguru keeps that to itself. Should it come to keep it elsewhere, enabling works from the first use on.
    """
    core = getattr(logger, "_core", None)
    return any(name.startswith("mesolite.") for name, _ in getattr(core, "activation_list", ()))


if not _invited():
    logger.disable("mesolite")


def told(error: BaseException) -> str:
    """An exception with its traceback, as text: lines of code, and no values."""
    return "".join(traceback.format_exception(error)).rstrip()
