"""Reading what people write for one resource: a number, ranges, a set, whole or not at all (core.md RS-9 to RS-21)."""

from __future__ import annotations

import re
from decimal import MAX_PREC, ROUND_HALF_UP, Context, Decimal
from itertools import pairwise
from math import isfinite

from mesolite.messages.errors import InvalidValue
from mesolite.messages.resources.values import Items, Ranges


class ResourceError(InvalidValue):
    """These resources cannot be understood or cannot be taken; the message says what would work."""


EXAMPLE = "write for example cpus:1;mem:32;ports:[31000-32000];zones:{a,b}"
_WORD = re.compile(r"[^\s:;,()\[\]{}]+")
# Three digits of exponent reach beyond any float; "1e999999999" would fill the memory.
_NUMBER = re.compile(r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?|nan|inf|infinity)", re.IGNORECASE)
_PAIR = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
_UINT64_MAX = 2**64 - 1
_EXACT = Context(prec=MAX_PREC)


def check_name(entry: str, name: object) -> None:
    """Refuse what is no name of a resource."""
    if not isinstance(name, str) or not _WORD.fullmatch(name):
        why = "is not a name: no blanks, brackets, any of ':;,' or parentheses (roles are not reserved here)"
        raise ResourceError(f"{entry}: {name!r} {why}; {EXAMPLE}")


def read_scalar(entry: str, name: str, text: str) -> int:
    """A number in thousandths, rounded half away from zero (RS-1); exact, so never by way of a float."""
    if not _NUMBER.fullmatch(text):
        why = "mismatched brackets" if re.search(r"[\[\]{}]", text) else "neither a number, ranges nor a set"
        raise ResourceError(f"{entry}: {why}; write for example {name}:1, {name}:[1-9] or {name}:{{a,b}}")
    if not isfinite(float(text)):
        raise ResourceError(f"{entry}: a scalar must be a finite number; write for example {name}:1")
    number = Decimal(text)
    if number < 0:
        raise ResourceError(f"{entry}: a scalar cannot be negative; write for example {name}:1")
    thousandths = int(number.scaleb(3, _EXACT).to_integral_value(ROUND_HALF_UP))
    if number and not thousandths:
        raise ResourceError(f"{entry}: rounds to zero; the least that can be had is {name}:0.001")
    return thousandths


def read_ranges(entry: str, name: str, value: str) -> Ranges:
    """The ranges of `[1-2,5-9]`, in order, overlapping ones refused (RS-12); `sum` merges adjacent ones."""
    example = f"write for example {name}:[31000-32000]"
    pairs: list[tuple[int, int]] = []
    for piece in _pieces(entry, value, "]", example):
        match = _PAIR.fullmatch(piece)
        if not match:
            raise ResourceError(f"{entry}: {piece!r} is not a begin-end pair of whole numbers; {example}")
        begin, end = int(match[1]), int(match[2])
        if begin > end:
            raise ResourceError(f"{entry}: {piece} ends before it begins; write {name}:[{end}-{begin}]")
        if end > _UINT64_MAX:
            raise ResourceError(f"{entry}: {end} is more than 64 bits hold, {_UINT64_MAX}; {example}")
        pairs.append((begin, end))
    pairs.sort()
    for (_, end), (begin, _) in pairwise(pairs):
        if begin <= end:
            raise ResourceError(f"{entry}: {begin} lies in two of the ranges; name each number once")
    return tuple(pairs)


def read_set(entry: str, name: str, value: str) -> Items:
    """The items of `{a,b}`, each once (RS-12); `sum` sorts them."""
    example = f"write for example {name}:{{a,b}}"
    items = _pieces(entry, value, "}", example)
    for item in items:
        if not _WORD.fullmatch(item) or items.count(item) > 1:
            raise ResourceError(f"{entry}: {item!r} is not a word or stands there twice; {example}")
    return tuple(items)


def _pieces(entry: str, value: str, closing: str, example: str) -> list[str]:
    """What stands between the brackets, split at the commas."""
    if not value.endswith(closing) or value.count(value[0]) != 1 or value.count(closing) != 1:
        raise ResourceError(f"{entry}: mismatched brackets; {example}")
    return value[1:-1].split(",") if len(value) > 2 else []
