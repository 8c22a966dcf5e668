"""Readers of what has no parts: None, truth values, bytes, texts and numbers.

What is right is nearly always plainly so, and is told first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from numbers import Integral, Real
from typing import Any

from mesolite.messages.checking.annotations import Number, Text, in_seconds
from mesolite.messages.checking.misfits import Misfit, shown

Reader = Callable[[Any], Any]

TEXT_MAX = 64 * 1024 * 1024
"""Characters, or bytes, in one value: far beyond what anybody means, and far below what ends a process."""

INTEGER_MAX = 2**63 - 1
"""What stores and wires can carry."""


def none(value: Any) -> None:
    """Read None."""
    if value is not None:
        raise Misfit(value, "None")


def truth(value: Any) -> bool:
    """Read True or False; numbers are neither."""
    if value is not True and value is not False:
        raise Misfit(value, "True or False")
    return value


def some_bytes(value: Any) -> bytes:
    """Read bytes, or what is like them."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise Misfit(value, "bytes")
    if len(value) > TEXT_MAX:
        raise Misfit(value, f"bytes, at most {TEXT_MAX}")
    return value if type(value) is bytes else bytes(value)


def text_reader(wanted: Text) -> Reader:
    """Make the reader of such texts."""
    sentence = str(wanted)

    def read(value: Any) -> str:
        if type(value) is str and value and value.isascii() and len(value) <= TEXT_MAX:
            return value  # as nearly always
        if wanted.path and hasattr(value, "__fspath__"):
            value = value.__fspath__()
        if not isinstance(value, str):
            raise Misfit(value, sentence, hint=_text_hint(value))
        text = str.__str__(value)  # of a subclass the text itself
        if not text and not wanted.empty:
            raise Misfit(value, sentence)
        if len(text) > TEXT_MAX:
            raise Misfit(value, f"{sentence}, at most {TEXT_MAX} characters")
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            hint = "half of a surrogate pair is in it, as os.fsdecode() leaves of bytes that are not UTF-8"
            raise Misfit(value, f"{sentence} that UTF-8 can carry", hint=hint)
        return text

    return read


def _text_hint(value: Any) -> str:
    if isinstance(value, Mapping) and isinstance(inner := value.get("value"), str):
        return f"give the text itself, {shown(inner)}"
    return ""


def whole_reader(wanted: Number) -> Reader:
    """Make the reader of such whole numbers."""
    sentence = str(wanted).replace("a finite number", "a whole number")
    least, above = _bounds(wanted)

    def read(value: Any) -> int:
        if type(value) is int and least <= value <= INTEGER_MAX and above < value:
            return value  # as nearly always
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise Misfit(value, sentence)
        number = int(value)
        if abs(number) > INTEGER_MAX or wanted.excludes(number):
            raise Misfit(value, sentence)
        return number

    return read


def _bounds(wanted: Number) -> tuple[float, float]:
    """What a number must reach, and what it must be above, to be plainly right."""
    least = -INTEGER_MAX if wanted.at_least is None else wanted.at_least
    return float(least), -inf if wanted.above is None else wanted.above


def number_reader(wanted: Number, *, durations: bool = False) -> Reader:
    """Make the reader of such numbers; `durations` are understood from `timedelta`, too."""
    sentence = str(wanted)
    least, above = _bounds(wanted)

    def read(value: Any) -> float:
        if type(value) is float and least <= value < inf and above < value:
            return value  # as nearly always
        value = in_seconds(value) if durations else value
        if isinstance(value, bool) or not isinstance(value, Real):
            raise Misfit(value, sentence)
        try:
            number = float(value)
        except OverflowError:
            raise Misfit(value, sentence) from None
        if wanted.excludes(number):
            raise Misfit(value, sentence)
        return number

    return read
