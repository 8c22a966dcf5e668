"""Which values are meant, where a type alone does not say: durations, counts, names, paths."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from math import inf, isfinite
from typing import Annotated, Protocol, TypeVar

from attrs import frozen

T = TypeVar("T")


class PathLike(Protocol):
    """What `os.PathLike` is, without the operating system: a `pathlib.Path`, for example."""

    def __fspath__(self) -> str:
        """Return the path as text."""


@frozen
class Number:
    """Which numbers are meant, in `Annotated[float, Number(...)]`; a bare float is any finite number."""

    at_least: float | None = None
    above: float | None = None
    infinite: bool = False
    meaning: str = "a finite number"

    def excludes(self, number: float) -> bool:
        """Whether this number is not meant; a number that is not one (NaN) never is."""
        known = isinstance(number, int) or isfinite(number) or (self.infinite and number in (inf, -inf))
        return not (
            known
            and (self.at_least is None or number >= self.at_least)
            and (self.above is None or number > self.above)
        )

    def __str__(self) -> str:
        """Say which, as in "a finite duration in seconds, 0 or more"."""
        least = f", {self.at_least:g} or more" if self.at_least is not None else ""
        above = f", more than {self.above:g}" if self.above is not None else ""
        return f"{self.meaning}{least}{above}"


@frozen
class Text:
    """Which texts are meant, in `Annotated[str, Text(...)]`; a bare str is any text that UTF-8 can carry."""

    empty: bool = True
    path: bool = False

    def __str__(self) -> str:
        """Say which."""
        return ("text" if self.empty else "text that is not empty") + (" or a path" if self.path else "")


_DURATION = Number(at_least=0, meaning="a finite duration in seconds")

Duration = Annotated[float | timedelta, _DURATION]
"""For arguments; the function gets a float, and says so to a type checker with `in_seconds`."""

Timeout = Annotated[float | timedelta, Number(at_least=0, infinite=True, meaning="a time-out in seconds")]
"""The same for how long to wait; infinity is for ever."""

Seconds = Annotated[float, _DURATION]
SomeSeconds = Annotated[float, Number(above=0, meaning="a finite duration in seconds")]
Count = Annotated[int, Number(at_least=0)]
SomeCount = Annotated[int, Number(at_least=1)]
Name = Annotated[str, Text(empty=False)]
PathText = Annotated[str, Text(path=True)]


Time = Annotated[float, Number(meaning="a finite time in seconds on the cluster's clock")]


def in_seconds(value: float | timedelta) -> float:
    """Understand a timedelta where seconds are wanted; anything else is left to the check."""
    return value.total_seconds() if isinstance(value, timedelta) else value


def optional_seconds(value: float | timedelta | None) -> float | None:
    """The same where None is wanted, too."""
    return None if value is None else in_seconds(value)


def several(things: T | Iterable[T]) -> tuple[T, ...]:
    """One, or several, which the check has made a tuple."""
    return things if isinstance(things, tuple) else (things,)
