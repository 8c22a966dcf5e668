"""Reading what clients send: JSON, bent until it fits a message of the schema (docs/spec/http.md section 2.2).

A result is a plain dict with only the fields that were set, under their names in the schema: numbers are numbers,
booleans are booleans, lists are lists, enums are names that exist. Bytes stay base64 text: so they are shown (HT-46).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any

from mesolite.gateway.v1.scalars import (
    SCALARS,
    Reader,
    Unfit,
    choice_reader,
    decoded,
    described,
    enum_reader,
    joined,
    keyed,
    read_text,
)
from mesolite.gateway.v1.schema.kinds import Enum, Field, Itself, MessageType, Scalar

__all__ = ["Unreadable", "convert", "decoded", "read", "read_list"]

DEEPEST = 100
"""Lists and objects may stand within each other this deep (HT-40)."""

MOST_VALUES = 250_000
"""So many values may be in a body: while it is read, nothing else in the process goes on, no leader's session, say."""


MOST_NAMED = 20
"""So many fields that are missing are named in an answer."""


class Unreadable(ValueError):
    """What came does not fit; the text names the field by its path, what came and what was expected (HT-42)."""


def read(message: MessageType, body: bytes) -> dict[str, Any]:
    """What a body, one JSON object, means as that message (HT-39).

    Raises:
        Unreadable: it is no JSON object, or does not fit the message.
    """
    return _read(message, _parsed(body), "")


def read_list(message: MessageType, body: bytes) -> list[dict[str, Any]]:
    """What a body, one JSON array of such messages, means (HT-39, HT-341).

    Raises:
        Unreadable: it is no JSON array, or something in it does not fit.
    """
    values = _parsed(body)
    if not isinstance(values, list):
        raise Unreadable(f"the body is {described(values)}; a JSON array of {message.name} objects was expected")
    return [_read(message, value, f"[{at}]") for at, value in enumerate(values) if value is not None]


def convert(message: MessageType, value: Any, where: str = "") -> dict[str, Any]:
    """What a JSON value, parsed before, means as that message; errors put the path `where` before their own.

    Raises:
        Unreadable: it does not fit the message.
    """
    if not _is_shallow(value):
        raise Unreadable(_TOO_DEEP)
    return _read(message, value, where)


# --- a whole document -----------------------------------------------------------------------------


def _parsed(body: bytes) -> Any:
    if not body.strip():
        raise Unreadable("the body is empty; one JSON document was expected")
    # Each but the first stands behind one of these. Counting is quick; commas within texts are not told apart.
    if sum(map(body.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise Unreadable(f"the body has more than {MOST_VALUES} values, or commas; send it in parts")
    try:
        value = _decoder.decode(body.decode())
    except UnicodeDecodeError as error:
        raise Unreadable(f"the body is not UTF-8: byte {error.start} is {body[error.start]:#04x}") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"the body is not one JSON document: {error}") from None
    except RecursionError:
        raise Unreadable(_TOO_DEEP) from None
    except Unreadable:
        raise
    except ValueError:
        # All else that is no JSON has been named: these are more digits than a number is made of.
        raise Unreadable(f"{_NO_JSON}: it has a number of thousands of digits, and no field takes so many") from None
    # Counting is quick, and says for nearly every body that it cannot be too deep.
    if body.count(b"{") + body.count(b"[") > DEEPEST and not _is_shallow(value):
        raise Unreadable(_TOO_DEEP)
    return value


def _refuse_constant(name: str) -> None:
    raise Unreadable(f'{_NO_JSON}: {name} is no JSON number; infinity is the text "Infinity"')


def _is_shallow(value: Any) -> bool:
    level: list[Any] = [[value]]
    for _ in range(DEEPEST + 1):
        inside = (outer.values() if isinstance(outer, dict) else outer for outer in level)
        level = [inner for inners in inside for inner in inners if isinstance(inner, dict | list)]
        if not level:
            return True
    return False


def _read(message: MessageType, value: Any, where: str) -> dict[str, Any]:
    try:
        return _message_reader(message, False)(value)
    except _Incomplete:
        # Only now, as it is rare, all that is missing is looked for (HT-38).
        partial = _read_incomplete(message, value, where)
        missing = list(islice(_missing(message, partial, where), MOST_NAMED + 1))
        more = ", and more" if len(missing) > MOST_NAMED else ""
        raise Unreadable(f"required fields are missing: {', '.join(missing[:MOST_NAMED])}{more}") from None
    except Unfit as unfit:
        raise Unreadable(unfit.said_of(where)) from None


def _read_incomplete(message: MessageType, value: Any, where: str) -> dict[str, Any]:
    try:
        return _message_reader(message, True)(value)
    except Unfit as unfit:
        raise Unreadable(unfit.said_of(where)) from None


def _missing(message: MessageType, partial: dict[str, Any], where: str) -> Iterator[str]:
    """Paths of the required fields that what was read lacks; nulls that were skipped do not count in them."""
    for name, field in message.fields.items():
        place = joined(where, name)
        if name not in partial:
            if field.cardinality == "required":
                yield place
        elif isinstance(kind := message if isinstance(field.kind, Itself) else field.kind, MessageType):
            if field.cardinality == "repeated":
                for at, inner in enumerate(partial[name]):
                    yield from _missing(kind, inner, f"{place}[{at}]")
            elif field.cardinality == "mapped":
                for key, inner in partial[name].items():
                    yield from _missing(kind, inner, f"{place}{keyed(key)}")
            else:
                yield from _missing(kind, partial[name], place)


class _Incomplete(Exception):
    """A required field is missing somewhere."""


# --- messages and fields --------------------------------------------------------------------------


@cache
def _message_reader(message: MessageType, incomplete: bool) -> Callable[[Any], dict[str, Any]]:
    """Reads a message; one that is incomplete is read so far as it goes, if that is allowed."""
    required = frozenset(name for name, field in message.fields.items() if field.cardinality == "required")
    readers: dict[str, Reader] = {}

    def read_message(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Unfit(value, f"an object ({message.name})")
        result = {}
        for name, given in value.items():
            # Null means unset (HT-30); what is not known is ignored (HT-29).
            if given is not None and (reader := readers.get(name)) is not None:
                try:
                    understood = reader(given)
                except Unfit as unfit:
                    unfit.steps.append(name)
                    raise
                if understood is not None:
                    result[name] = understood
        if not (incomplete or required <= result.keys()):
            raise _Incomplete
        return result

    for name, field in message.fields.items():
        inner = read_message if isinstance(field.kind, Itself) else _kind_reader(field.kind, incomplete)
        readers[name] = _field_reader(field, inner)
    return read_message


def _field_reader(field: Field, inner: Reader) -> Reader:
    match field.cardinality:
        case "repeated":
            return _list_reader(inner)
        case "mapped":
            return _map_reader(inner)
        case "required" if isinstance(field.kind, Enum):
            return choice_reader(field.kind)
        case _:
            return inner


def _kind_reader(kind: Scalar | Enum | MessageType, incomplete: bool) -> Reader:
    if isinstance(kind, MessageType):
        return _message_reader(kind, incomplete)
    return enum_reader(kind) if isinstance(kind, Enum) else SCALARS[kind]


def _list_reader(inner: Reader) -> Callable[[Any], list[Any]]:
    def read_list(value: Any) -> list[Any]:
        if not isinstance(value, list):
            # A single value is a list of one (HT-31), unless it means nothing, as the name of no enum does (HT-35).
            one = inner(value)
            return [] if one is None else [one]
        result = []
        for at, given in enumerate(value):
            if given is not None:
                try:
                    # Mesos reads a list within a list as if its brackets were not there (PB:627-644).
                    result += read_list(given)
                except Unfit as unfit:
                    unfit.steps.append(f"[{at}]")
                    raise
        return result

    return read_list


def _map_reader(inner: Reader) -> Reader:
    def read_map(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Unfit(value, "an object from names to values")
        result = {}
        for key, given in value.items():
            if given is not None:
                try:
                    result[read_text(key)] = inner(given)
                except Unfit as unfit:
                    unfit.steps.append(keyed(key))
                    raise
        return result

    return read_map


_TOO_DEEP = f"the body nests lists and objects deeper than {DEEPEST} levels"
_NO_JSON = "the body is not JSON that can be read"
_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
