"""Reading single values, and saying of one that does not fit where it stood, what it was and what was expected."""

from __future__ import annotations

import binascii
import json
import math
import re
from collections.abc import Callable
from typing import Any

from mesolite.gateway.v1.schema.kinds import (
    BOOL,
    BYTES,
    DOUBLE,
    INT32,
    INT64,
    STRING,
    UINT32,
    UINT64,
    Enum,
    Scalar,
)

SHOWN = 60
"""An error shows at most so many characters of what came."""

LONGEST_NUMBER = 400
"""A number that comes as text has at most so many characters: enough for any that fits somewhere."""

Reader = Callable[[Any], Any]
"""Gives what a JSON value means, or None if it means that the field is unset."""


class Unfit(Exception):
    """A value does not fit; whoever it passes on its way out adds one step to its path."""

    def __init__(self, came: Any, expected: str) -> None:
        super().__init__()
        self.came = came
        self.expected = expected
        self.steps: list[str] = []

    def said_of(self, where: str) -> str:
        """The whole error, with the path of the value below `where`."""
        for step in reversed(self.steps):
            where = joined(where, step)
        return f"{where or 'the body'}: {described(self.came)} came, {self.expected} was expected"


def joined(where: str, step: str) -> str:
    """The path of what is one step below `where`: a field's name, or a place in brackets."""
    return f"{where}.{step}" if where and not step.startswith("[") else where + step


def keyed(key: str) -> str:
    """The step to what a map has under that key."""
    return f"[{json.dumps(key)}]"


def described(value: Any) -> str:
    """What came, for people: its sort, and its beginning if it is a single value."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text {json.dumps(value[:SHOWN])}{'...' if len(value) > SHOWN else ''}"
    shown = json.dumps(value)
    if value is None or isinstance(value, bool):
        return shown
    return f"the number {shown[:SHOWN]}{'...' if len(shown) > SHOWN else ''}"


def decoded(text: str) -> bytes:
    """The bytes that a field of them stands for.

    Raises:
        ValueError: it is not standard base64 with padding (HT-36).
    """
    return binascii.a2b_base64(text, strict_mode=True)


def enum_reader(enum: Enum) -> Reader:
    """Reads an enum that may be missing: a name that is not known means that it is (HT-35)."""
    values = enum.values

    def read_enum(value: Any) -> str | None:
        if isinstance(value, str):
            return value if value in values else None
        raise Unfit(value, f"a name ({enum.name})")

    return read_enum


def choice_reader(enum: Enum) -> Reader:
    """Reads an enum that has to be there: a name that is not known is an error (HT-35)."""

    def read_choice(value: Any) -> str:
        if isinstance(value, str) and value in enum.values:
            return value
        raise Unfit(value, f"one of {', '.join(sorted(enum.values))}")

    return read_choice


def read_text(value: Any) -> str:
    """Reads text, which is never made from anything else (HT-34).

    Raises:
        Unfit: it is none, or has half of a character in it, which no UTF-8 can hold.
    """
    if isinstance(value, str) and (value.isascii() or _HALF.search(value) is None):
        return value
    raise Unfit(value, "a text of whole characters" if isinstance(value, str) else "a text")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    raise Unfit(value, "true or false")


def _base64(value: Any) -> str:
    if isinstance(value, str):
        # Line ends and spaces, which some encoders put in, mean nothing (3rdparty/stout/include/stout/base64.hpp:117).
        text = "".join(value.split())
        try:
            decoded(text)
        except ValueError:
            pass
        else:
            return text
    raise Unfit(value, "standard base64 with padding")


def _number(value: Any, expected: str) -> int | float:
    if type(value) is int or type(value) is float:
        return value
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER and _NUMBER.fullmatch(value):
        return int(value) if value.lstrip("-").isdigit() else float(value)
    raise Unfit(value, expected)


def _double(value: Any) -> float:
    if value == "Infinity" or value == "-Infinity":
        return float(value)
    number = _number(value, "a number")
    try:
        result = float(number)
    except OverflowError:
        raise Unfit(value, "a number below 1.8e308") from None
    if math.isnan(result):
        raise Unfit(value, "a number")
    return result


def _integer_reader(least: int, greatest: int) -> Reader:
    expected = f"a whole number from {least} to {greatest}"

    def read_integer(value: Any) -> int:
        number = _number(value, expected)
        # What comes as floating point is cut (HT-32); NaN fails every comparison.
        if least - 1 < number < greatest + 1 and least <= (whole := int(number)) <= greatest:
            return whole
        raise Unfit(value, expected)

    return read_integer


SCALARS: dict[Scalar, Reader] = {
    STRING: read_text,
    BOOL: _boolean,
    BYTES: _base64,
    DOUBLE: _double,
    INT32: _integer_reader(-(2**31), 2**31 - 1),
    UINT32: _integer_reader(0, 2**32 - 1),
    INT64: _integer_reader(-(2**63), 2**63 - 1),
    UINT64: _integer_reader(0, 2**64 - 1),
}

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_HALF = re.compile("[\ud800-\udfff]")
