"""The converter: one strict reader per type, and how what is no JSON of its own is written.

A reader is called with the value and the type of the *field*, which for `X | None` is the whole union, so
that what it says would be accepted is complete.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from itertools import cycle
from math import isfinite
from types import NoneType
from typing import Any, NewType, get_args, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from mesolite import messages
from mesolite.messages.codec.mistakes import expected, is_enum, is_tuple, is_union, near, shown, unlike
from mesolite.messages.data import Data
from mesolite.messages.resources import Resources

NAMED: list[Any] = [getattr(messages, name) for name in messages.__all__]
"""All that has a name in the package's list."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_BYTES = "bytes"
"""The tag of bytes. No class has this name."""

_Reader = Callable[[Any, Any], Any]


def _read_text(value: Any, wanted: Any) -> str:
    if type(value) is not str:
        raise unlike(value, wanted)
    return carried(value)


def _read_number(value: Any, wanted: Any) -> float:
    """A whole number will do if a float can hold it: people write `grace_s=5`, and JSON has one sort only."""
    if type(value) is float and isfinite(value):
        return value
    if type(value) is int and abs(value) <= 2**53:
        return float(value)
    raise unlike(value, wanted)


def carried(text: str) -> str:
    """The text itself. Raises ValueError for half of a surrogate pair, which UTF-8 cannot carry."""
    if not text.isascii() and (half := _SURROGATE.search(text)):
        raise ValueError(f"{shown(half[0])} is half of a surrogate pair, which no UTF-8 text can hold")
    return text


def _read_data(value: Any, wanted: Any) -> Data:
    """Text is a string, bytes are an object of their own."""
    if type(value) is str:
        return carried(value)
    if type(value) is not dict:
        raise unlike(value, wanted)
    if value.keys() != {"kind", "base64"} or value["kind"] != _BYTES or type(value["base64"]) is not str:
        got = ", ".join(f"{shown(key)}: {shown(part)}" for key, part in list(value.items())[:3])
        raise ValueError(f"expected {expected(wanted)}, got an object with {got or 'no keys'}")
    return _bytes_of(value["base64"])


def _bytes_of(text: str) -> bytes:
    """The bytes that are written so. Any other way to write them is refused: equal bytes have equal text."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:  # not ASCII, other characters, a wrong length
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise ValueError(f"{shown(text)} is not base64 as it is written here: A-Z a-z 0-9 + / in fours, padded with =")
    return data


def _read_plain(value: Any, wanted: Any) -> Any:
    """Plain data: an object of nulls, truths, numbers, strings, lists and objects, taken as it is."""
    if type(value) is not dict:
        raise unlike(value, wanted)
    return _plain(value)


def _plain(value: Any) -> Any:
    if type(value) is dict:
        return {carried(key): _plain(part) for key, part in value.items()}
    if type(value) is list:
        return [_plain(part) for part in value]
    if type(value) is float and not isfinite(value):
        raise unlike(value, float)
    return carried(value) if type(value) is str else value


def _written_bytes(data: bytes) -> dict[str, str]:
    return {"kind": _BYTES, "base64": base64.b64encode(data).decode()}


def _exact_reader(cls: type) -> _Reader:
    """For types whose instances are taken as they are. A bool is an int to isinstance(), and not to us."""

    def read(value: Any, wanted: Any) -> Any:
        if type(value) is not cls:
            raise unlike(value, wanted)
        return value

    return read


def _enum_reader(members: Any) -> _Reader:
    by_value = {member.value: member for member in members}

    def read(value: Any, wanted: Any) -> Any:
        if type(value) is not str or value not in by_value:
            raise unlike(value, wanted)
        return by_value[value]

    return read


def _tuple_reader(wanted: Any) -> _Reader:
    """For `tuple[X, ...]` and `tuple[X, Y]`. Stops at the first mistake: a million alike are no news."""
    types = [part for part in get_args(wanted) if part is not Ellipsis]
    any_length = len(types) < len(get_args(wanted))
    readers = [(converter.get_structure_hook(part), part) for part in types]

    def read(value: Any, wanted: Any) -> tuple[Any, ...]:
        if type(value) is not list or not (any_length or len(value) == len(readers)):
            raise unlike(value, wanted)
        parts: list[Any] = []
        for index, (part, (read_part, to)) in enumerate(zip(value, cycle(readers), strict=False)):
            try:
                parts.append(read_part(part, to))
            except (ValueError, cattrs.BaseValidationError) as error:
                error.add_note(cattrs.IterableValidationNote(f"at index {index}", index, to))
                raise cattrs.IterableValidationError("in a list", [error], tuple) from None
        return tuple(parts)

    return read


def _union_reader(union: Any) -> _Reader:
    kinds = {member.__name__: member for member in get_args(union) if member is not NoneType}
    optional = len(kinds) < len(get_args(union))
    read_only_one = converter.get_structure_hook(*kinds.values()) if len(kinds) == 1 else None

    def read(value: Any, wanted: Any) -> Any:
        if value is None and optional:
            return None
        if read_only_one:
            return read_only_one(value, wanted)
        return converter.structure(value, take_kind(value, kinds))

    return read


def _class_reader(cls: Any) -> _Reader:
    attrs.resolve_types(cls, include_extras=False)  # annotations are strings until somebody asks
    read_fields = make_dict_structure_fn(cls, converter)

    def read(value: Any, wanted: Any) -> Any:
        if type(value) is not dict:
            raise unlike(value, wanted)
        return read_fields(value, cls)

    return read


def _is_data(wanted: Any) -> bool:
    return bool(wanted == Data)


def _is_plain(wanted: Any) -> bool:
    return get_origin(wanted) is Mapping


def _is_tagged_union(wanted: Any) -> bool:
    return is_union(wanted) and not _is_data(wanted) and sum(part is not NoneType for part in get_args(wanted)) > 1


def _strict_converter() -> cattrs.Converter:
    made = cattrs.Converter(forbid_extra_keys=True)
    made.register_structure_hook(str, _read_text)
    made.register_structure_hook(float, _read_number)
    made.register_structure_hook(Resources, lambda value, to: Resources.parse(_read_text(value, to)))
    for cls in (int, bool, NoneType):
        made.register_structure_hook(cls, _exact_reader(cls))
    for members in filter(is_enum, NAMED):
        made.register_structure_hook(members, _enum_reader(members))
    made.register_structure_hook_factory(attrs.has, _class_reader)
    made.register_structure_hook_factory(is_tuple, _tuple_reader)
    made.register_structure_hook_factory(is_union, _union_reader)
    made.register_structure_hook_func(_is_data, _read_data)  # a union, so after those
    made.register_structure_hook_func(_is_plain, _read_plain)
    made.register_structure_hook_factory(
        lambda wanted: isinstance(wanted, NewType), lambda new: made.get_structure_hook(new.__supertype__)
    )
    made.register_unstructure_hook(Resources, str)
    made.register_unstructure_hook(bytes, _written_bytes)
    made.register_unstructure_hook_func(_is_tagged_union, tag)
    return made


# --- tagged by kind: messages, records, and fields that hold one of several classes ---


def tag(value: Any) -> dict[str, Any]:
    """The tree of an instance of one of our classes, with its class."""
    return {"kind": type(value).__name__, **converter.unstructure(value)}


def take_kind(tree: Any, kinds: Mapping[str, type]) -> type:
    """Take the tag off. The tree was parsed for us alone, so it may be changed."""
    if type(tree) is not dict:
        raise ValueError(f'expected an object with the key "kind", got {shown(tree)}')
    if "kind" not in tree:
        raise ValueError(f'the key "kind" is missing: {near("", kinds)}')
    name = tree.pop("kind")
    if type(name) is not str or name not in kinds:
        raise ValueError(f"unknown kind {shown(name)}: {near(name, kinds)}")
    return kinds[name]


converter = _strict_converter()
