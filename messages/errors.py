"""The root of every error that Mesolite raises to people, and those about values; the others: actors/errors.py."""

from __future__ import annotations


class MesoliteError(Exception):
    """The root of the tree."""


class Refused(MesoliteError):
    """What was asked cannot be done; the text says what was asked, why not, and what would work."""


class InvalidValue(Refused, TypeError, ValueError):
    """A value is not what is wanted there: of another type, or one that cannot be. Raised where it is made or passed.

    It is both of Python's own errors for this, as one value may be wrong in both ways: `TaskInfo(task_id=5)`,
    `Filters(refuse_seconds=float("nan"))`.
    """
