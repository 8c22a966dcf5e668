"""How tests read the log: it says nothing uninvited, so they invite it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger


@contextmanager
def logged(level: str = "WARNING") -> Iterator[list[str]]:
    """What is logged, without time and place, as a list that grows."""
    lines: list[str] = []
    sink = logger.add(lines.append, level=level, format="{message}")
    logger.enable("mesolite")
    try:
        yield lines
    finally:
        logger.disable("mesolite")
        logger.remove(sink)
