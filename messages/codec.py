"""The only place that knows the wire: messages and records to JSON text, and back (core.md LP-16).

The text is one compact JSON object: `kind`, which is the class name, then every field in the order of its
class, as in `{"kind":"PingAgent","connected":true}`. A field that may hold one of several classes is
tagged too.

Every field is written, defaults too: what was said keeps its meaning when a later version changes a default.
A field with a default may be missing when reading, so text from before the field was there is understood.

Reading is strict. Nothing is guessed or converted (true is no integer, "1" is no number), unknown keys and
kinds are refused, numbers are finite, strings are what UTF-8 can carry; what comes out equals what went in.
Whether the ids in a message are *valid* is for its receiver to say: a master answers a bad task id with
TASK_ERROR (OF-70 to OF-83).

What stores keep are records: any message or noun, a plain value, or a tuple of these.
"""

from __future__ import annotations

import enum
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from itertools import cycle
from math import isfinite
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from mesolite import messages
from mesolite.messages.base import Message
from mesolite.messages.resources import Resources

_NAMED: list[Any] = [getattr(messages, name) for name in messages.__all__]
_CLASSES = [named for named in _NAMED if attrs.has(named)]

KINDS: tuple[type[Message], ...] = tuple(cls for cls in _CLASSES if issubclass(cls, Message))
"""Every message, in the order of the package's list of names: all that `decode` can return."""

NOUNS: tuple[type, ...] = tuple(cls for cls in _CLASSES if not issubclass(cls, Message))
"""What a record may hold beside messages and plain values."""

MAX_TEXT = 16 * 1024 * 1024
"""Characters in one text: a registry of 50,000 agents fits, and the worst that can be parsed from it."""

MAX_NESTING = 16
"""How deep the tuples of a record may nest. Messages cannot nest deeper than their types."""


class DecodeError(ValueError):
    """Nothing we understand. A line per mistake: the path to it, what is wrong, what would be accepted."""


def encode(message: Message) -> str:
    """Write a message. Equal fields give equal text.

    Raises TypeError for what is not in `KINDS`, ValueError for a value that JSON in UTF-8 cannot carry.
    """
    if _MESSAGES.get(type(message).__name__) is not type(message):
        raise TypeError(f"{message!r} is not a message that mesolite.messages has in its list of names")
    return _write(_tag(message))


def decode(text: str) -> Message:
    """Read what `encode` wrote. Raises DecodeError, and nothing else, for every other text."""
    message: Message = _read_tagged(_parse(text), _MESSAGES, "")
    return message


def encode_record(value: object) -> str:
    """Write a message, a noun, None, a bool, int, float or str, or a tuple of these, for a store.

    It is read back before it is handed out: a store must not take what it could not give back.
    Raises TypeError for anything else, ValueError for a value that would not come back equal.
    """
    text = _write(_record(value, 0))
    if (back := decode_record(text)) != value:
        raise ValueError(f"{value!r} would be read back as {back!r}")
    return text


def decode_record(text: str) -> object:
    """Read what `encode_record` wrote. Raises DecodeError, and nothing else, for every other text."""
    return _read_record(_parse(text), "", 0)


# --- text to tree, tree to text ---


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):  # which of the two is meant is anybody's guess
        [(name, times)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"an object has the key {_shown(name)} {times} times")
    return fields


_READER = json.JSONDecoder(object_pairs_hook=_object)
_WRITER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False)
_SURROGATE = re.compile("[\ud800-\udfff]")


def _parse(text: str) -> Any:
    if len(text) > MAX_TEXT:
        raise DecodeError(f"{len(text)} characters: at most {MAX_TEXT} are read")
    try:
        return _READER.decode(text)
    except RecursionError as error:
        raise DecodeError("nested too deeply to be read") from error
    except ValueError as error:
        raise DecodeError(f"not readable as JSON: {error}") from error


def _write(tree: Any) -> str:
    text = _WRITER.encode(tree)
    if len(text) > MAX_TEXT:
        raise ValueError(f"{len(text)} characters: at most {MAX_TEXT} are written")
    return _carried(text)


def _carried(text: str) -> str:
    """The text itself. Raises ValueError for half of a surrogate pair, which UTF-8 cannot carry."""
    if not text.isascii() and (half := _SURROGATE.search(text)):
        raise ValueError(f"{_shown(half[0])} is half of a surrogate pair, which no UTF-8 text can hold")
    return text


# --- tagged by kind: messages, records, and fields that hold one of several classes ---


def _tag(value: Any) -> dict[str, Any]:
    return {"kind": type(value).__name__, **_converter.unstructure(value)}


def _record(value: object, depth: int) -> Any:
    if type(value) is tuple and depth < MAX_NESTING:
        return [_record(part, depth + 1) for part in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    if _RECORDS.get(type(value).__name__) is type(value):
        return _tag(value)
    raise TypeError(f"{type(value).__name__} cannot be stored: {_RECORDABLE}")


def _read_record(tree: Any, path: str, depth: int) -> Any:
    if type(tree) is dict:
        return _read_tagged(tree, _RECORDS, path)
    if type(tree) is list:
        if depth == MAX_NESTING:
            raise DecodeError(f"{path}: nested too deeply: {_RECORDABLE}")
        return tuple([_read_record(part, f"{path}[{at}]", depth + 1) for at, part in enumerate(tree)])
    try:
        return _converter.structure(tree, type(tree))
    except ValueError as error:
        raise DecodeError(f"{path or 'record'}: {error}") from error


def _read_tagged(tree: Any, kinds: Mapping[str, type], path: str) -> Any:
    """An instance of one of these kinds. Raises DecodeError, its paths beginning with `path` or the kind."""
    try:
        kind = _kind(tree, kinds)
    except ValueError as error:
        raise DecodeError(f"{path}: {error}" if path else str(error)) from error
    try:
        return _converter.structure(tree, kind)
    except (cattrs.BaseValidationError, RecursionError) as error:
        lines = cattrs.transform_error(error, path or kind.__name__, _explain)
        raise DecodeError("\n".join(map(_path_first, lines))) from error


def _kind(tree: Any, kinds: Mapping[str, type]) -> type:
    """Take the tag off. The tree was parsed for us alone, so it may be changed."""
    if type(tree) is not dict:
        raise ValueError(f'expected an object with the key "kind", got {_shown(tree)}')
    if "kind" not in tree:
        raise ValueError(f'the key "kind" is missing: {_near("", kinds)}')
    name = tree.pop("kind")
    if type(name) is not str or name not in kinds:
        raise ValueError(f"unknown kind {_shown(name)}: {_near(name, kinds)}")
    return kinds[name]


def _near(name: Any, kinds: Mapping[str, type]) -> str:
    """Those that may have been meant; all of them when there are few."""
    known = list(kinds)
    if len(known) <= _FEW:
        return f"expected {_either(known)}"
    if near := get_close_matches(name[:_SHOWN] if type(name) is str else "", known):
        return f"expected perhaps {_either(near)}"
    return "expected the name of a class of mesolite.messages"


# --- the converter: one strict reader per type ---
#
# A reader is called with the value and the type of the *field*, which for `X | None` is the whole union, so
# that what it says would be accepted is complete.

_Reader = Callable[[Any, Any], Any]


def _read_text(value: Any, wanted: Any) -> str:
    if type(value) is not str:
        raise _unlike(value, wanted)
    return _carried(value)


def _read_number(value: Any, wanted: Any) -> float:
    """A whole number will do if a float can hold it: people write `grace_s=5`, and JSON has one sort only."""
    if type(value) is float and isfinite(value):
        return value
    if type(value) is int and abs(value) <= 2**53:
        return float(value)
    raise _unlike(value, wanted)


def _exact_reader(cls: type) -> _Reader:
    """For types whose instances are taken as they are. A bool is an int to isinstance(), and not to us."""

    def read(value: Any, wanted: Any) -> Any:
        if type(value) is not cls:
            raise _unlike(value, wanted)
        return value

    return read


def _enum_reader(members: Any) -> _Reader:
    by_value = {member.value: member for member in members}

    def read(value: Any, wanted: Any) -> Any:
        if type(value) is not str or value not in by_value:
            raise _unlike(value, wanted)
        return by_value[value]

    return read


def _tuple_reader(wanted: Any) -> _Reader:
    """For `tuple[X, ...]` and `tuple[X, Y]`. Stops at the first mistake: a million alike are no news."""
    types = [part for part in get_args(wanted) if part is not Ellipsis]
    any_length = len(types) < len(get_args(wanted))
    readers = [(_converter.get_structure_hook(part), part) for part in types]

    def read(value: Any, wanted: Any) -> tuple[Any, ...]:
        if type(value) is not list or not (any_length or len(value) == len(readers)):
            raise _unlike(value, wanted)
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
    read_only_one = _converter.get_structure_hook(*kinds.values()) if len(kinds) == 1 else None

    def read(value: Any, wanted: Any) -> Any:
        if value is None and optional:
            return None
        if read_only_one:
            return read_only_one(value, wanted)
        return _converter.structure(value, _kind(value, kinds))

    return read


def _class_reader(cls: Any) -> _Reader:
    attrs.resolve_types(cls, include_extras=False)  # annotations are strings until somebody asks
    read_fields = make_dict_structure_fn(cls, _converter)

    def read(value: Any, wanted: Any) -> Any:
        if type(value) is not dict:
            raise _unlike(value, wanted)
        return read_fields(value, cls)

    return read


def _is_union(wanted: Any) -> bool:
    return get_origin(wanted) in (Union, UnionType)


def _is_tagged_union(wanted: Any) -> bool:
    return _is_union(wanted) and sum(member is not NoneType for member in get_args(wanted)) > 1


def _is_tuple(wanted: Any) -> bool:
    return get_origin(wanted) is tuple


def _is_enum(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, enum.Enum)


def _strict_converter() -> cattrs.Converter:
    made = cattrs.Converter(forbid_extra_keys=True)
    made.register_structure_hook(str, _read_text)
    made.register_structure_hook(float, _read_number)
    made.register_structure_hook(Resources, lambda value, to: Resources.parse(_read_text(value, to)))
    for cls in (int, bool, NoneType):
        made.register_structure_hook(cls, _exact_reader(cls))
    for members in filter(_is_enum, _NAMED):
        made.register_structure_hook(members, _enum_reader(members))
    made.register_structure_hook_factory(attrs.has, _class_reader)
    made.register_structure_hook_factory(_is_tuple, _tuple_reader)
    made.register_structure_hook_factory(_is_union, _union_reader)
    made.register_structure_hook_factory(
        lambda wanted: isinstance(wanted, NewType), lambda new: made.get_structure_hook(new.__supertype__)
    )
    made.register_unstructure_hook(Resources, str)
    made.register_unstructure_hook_func(_is_tagged_union, _tag)
    return made


_converter = _strict_converter()
_MESSAGES: dict[str, type] = {kind.__name__: kind for kind in KINDS}
_RECORDS: dict[str, type] = _MESSAGES | {noun.__name__: noun for noun in NOUNS}


# --- what mistakes sound like ---

_FEW = 6
_SHOWN = 60
_LONGEST_LINE = 500
_RECORDABLE = f"a record is a message, a noun, a plain value or a tuple of these, at most {MAX_NESTING} deep"
_PLAIN = {
    str: "a string", int: "an integer", float: "a finite number", bool: "true or false", NoneType: "null",
    Resources: 'resources such as "cpus:1;mem:32"',
}  # fmt: skip


def _unlike(value: Any, wanted: Any) -> ValueError:
    return ValueError(f"expected {_expected(wanted)}, got {_shown(value)}")


def _expected(wanted: Any) -> str:
    if wanted in _PLAIN:
        return _PLAIN[wanted]
    if isinstance(wanted, NewType):
        return f"{_expected(wanted.__supertype__)} ({wanted.__name__})"
    if _is_union(wanted):
        return " or ".join(map(_expected, get_args(wanted)))
    if _is_enum(wanted):
        return _either([member.value for member in wanted])
    if _is_tuple(wanted):
        types = get_args(wanted)
        return "a list" if types[-1] is Ellipsis else f"a list of {len(types)}"
    return f"an object ({wanted.__name__})"


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _shown(value: Any) -> str:
    """Never longer than a phrase, however long the value is."""
    if type(value) is dict:
        return "an object"
    if type(value) is list:
        return f"a list of {len(value)}"
    return _cut(json.dumps(value[:_SHOWN] if type(value) is str else value), _SHOWN)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "..."


def _explain(error: BaseException, wanted: Any) -> str:
    """One mistake in words. `wanted` is the type of the field it is in, None if it is a whole object's."""
    if isinstance(error, KeyError) and wanted is not None:
        return f"is missing, expected {_expected(wanted)}"
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        unknown = [_shown(name) for name in sorted(error.extra_fields)]
        more = f" and {len(unknown) - _FEW} more" if len(unknown) > _FEW else ""
        known = ", ".join(field.name for field in attrs.fields(error.cl))
        return f"unknown key {', '.join(unknown[:_FEW])}{more}; the keys are {known or 'kind alone'}"
    return _cut(str(error), _LONGEST_LINE)


def _path_first(line: str) -> str:
    """Cattrs writes `what @ path`. A path is made of our own field names, so the last @ is the one."""
    what, _, path = line.rpartition(" @ ")
    return f"{path}: {what}"
