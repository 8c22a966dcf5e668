"""How a command ends: its exit status, and a sentence where it was called wrongly."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import click

NOTHING_FOUND = 0
FOUND = 1
WRONG_USAGE = 2
INTERRUPTED = 130


class Unusable(click.ClickException):
    """What the command was given cannot be used; the text says what, why not, and what would work."""

    exit_code = WRONG_USAGE


def not_written(out: str, why: OSError) -> Unusable:
    """What to say of a file into which nothing can be written."""
    return Unusable(f"{out} cannot be written: {why.strerror}; name a file in a folder that is there")


def meant(name: str, names: Iterable[str]) -> str:
    """What may have been meant by a name that is none of these, as the end of a sentence; "" if nothing is near."""
    near = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
