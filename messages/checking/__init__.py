"""What people construct and pass is checked where they do it, by the annotations that are there for readers anyway.

    checks        @checked for a class, @checked_arguments for a function, misfit() for a message that was received
    annotations   which values are meant, where a type alone does not say: durations, counts, names, paths
    readers       one function per annotation: from whatever came to the value that is meant, or a misfit
    misfits       what came, what is wanted, what may have been meant: in words

Accepted, because the meaning is plain: a member of an enum by its name, any iterable for a tuple, one thing where
several are wanted, a whole number for a float. What else a field understands (text for resources) its own converter
says, which runs first. Everything else is refused with a sentence that names the field, what came and what is wanted.

Cores construct without a check, by `unchecked` and `evolve`: what reaches them has been checked.
"""

from mesolite.messages.checking.annotations import (
    Count,
    Duration,
    Name,
    Number,
    PathLike,
    PathText,
    Seconds,
    SomeCount,
    SomeSeconds,
    Text,
    Time,
    Timeout,
    in_seconds,
    optional_seconds,
    several,
)
from mesolite.messages.checking.checks import checked, checked_arguments, evolve, misfit, unchecked
from mesolite.messages.checking.readers import ITEMS_MAX, listed

__all__ = [
    "Count", "Duration", "Name", "Number", "PathLike", "PathText", "Seconds", "SomeCount", "SomeSeconds", "Text",
    "Time", "Timeout", "in_seconds", "optional_seconds", "several",
    "checked", "checked_arguments", "evolve", "misfit", "unchecked", "ITEMS_MAX", "listed",
]  # fmt: skip
