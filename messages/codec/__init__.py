"""The only place that knows the wire: messages and records to JSON text, and back (core.md LP-16).

The text is one compact JSON object: `kind`, which is the class name, then every field in the order of its
class, as in `{"kind":"PingAgent","connected":true}`. A field that may hold one of several classes is
tagged too.

Every field is written, defaults too: what was said keeps its meaning when a later version changes a default.
A field with a default may be missing when reading, so text from before the field was there is understood.

Reading is strict. Nothing is guessed or converted (true is no integer, "1" is no number), unknown keys and
kinds are refused, numbers are finite, strings are what UTF-8 can carry; what comes out equals what went in.
Where a field may hold text or bytes, text is a string and bytes are `{"kind":"bytes","base64":"aGk="}`.
Whether the ids in a message are *valid* is for its receiver to say: a master answers a bad task id with
TASK_ERROR (OF-70 to OF-83).

What stores keep are records: any message or noun, a plain value, or a tuple of these.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import cattrs

from mesolite.messages.base import Message
from mesolite.messages.codec.mistakes import explain, path_first, phrase, shown
from mesolite.messages.codec.readers import NAMED, carried, converter, tag, take_kind
from mesolite.messages.errors import MesoliteError

_CLASSES = [named for named in NAMED if attrs.has(named)]

KINDS: tuple[type[Message], ...] = tuple(cls for cls in _CLASSES if issubclass(cls, Message))
"""Every message, in the order of the package's list of names: all that `decode` can return."""

NOUNS: tuple[type, ...] = tuple(cls for cls in _CLASSES if not issubclass(cls, Message))
"""What a record may hold beside messages and plain values."""

MAX_TEXT = 16 * 1024 * 1024
"""Characters in one message: a registry of 50,000 agents fits, and the worst that can be parsed from it.

This guards what is read from outside.
"""

MAX_RECORD_TEXT = 200 * 1024 * 1024
"""Characters in one record. It comes out of our own store, so this is no guard: it is what SQLite holds in one value,
a billion bytes, if each character takes the four that UTF-8 may need. 150 MB of bytes fit."""

MAX_NESTING = 16
"""How deep the tuples of a record may nest. Messages cannot nest deeper than their types."""


class DecodeError(MesoliteError, ValueError):
    """Nothing we understand. A line per mistake: the path to it, what is wrong, what would be accepted."""


def encode(message: Message) -> str:
    """Write a message. Equal fields give equal text.

    Raises TypeError for what is not in `KINDS`, ValueError for a value that JSON in UTF-8 cannot carry.
    """
    if _MESSAGES.get(type(message).__name__) is not type(message):
        raise TypeError(f"{message!r} is not a message that mesolite.messages has in its list of names")
    return _write(tag(message), MAX_TEXT)


def decode(text: str) -> Message:
    """Read what `encode` wrote. Raises DecodeError, and nothing else, for every other text."""
    message: Message = _read_tagged(_parse(text, MAX_TEXT), _MESSAGES, "")
    return message


def encode_record(value: object) -> str:
    """Write a message, a noun, None, a bool, int, float or str, or a tuple of these, for a store; as `round_trip`."""
    return round_trip(value)[0]


def round_trip(value: object) -> tuple[str, object]:
    """Write a record, and read it back: a store must not take what it could not give back.

    Raises TypeError for anything else, ValueError for a value that would not come back equal; what is said begins with
    the path to the part that is to blame.
    """
    try:
        text = _write(_record(value, 0), MAX_RECORD_TEXT)
        if (back := decode_record(text)) != value:
            raise ValueError(f"would be read back as {phrase(back)}")
        return text, back
    except DecodeError:
        raise  # it begins with the path already
    except TypeError as error:
        raise TypeError(f"{_blamed(value)[0]}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{_blamed(value)[0]}: {error}") from error
    except Exception as error:  # a value of another type raises anything when it is asked for what it has not
        path, part = _blamed(value)
        raise ValueError(f"{path}: {phrase(part)} cannot be written there: {error}") from error


def decode_record(text: str) -> object:
    """Read what `encode_record` wrote. Raises DecodeError, and nothing else, for every other text."""
    return _read_record(_parse(text, MAX_RECORD_TEXT), "", 0)


# --- text to tree, tree to text ---


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):  # which of the two is meant is anybody's guess
        [(name, times)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"an object has the key {shown(name)} {times} times")
    return fields


_READER = json.JSONDecoder(object_pairs_hook=_object)
_WRITER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False)


def _parse(text: str, longest: int) -> Any:
    if len(text) > longest:
        raise DecodeError(f"{len(text)} characters: at most {longest} are read")
    try:
        return _READER.decode(text)
    except RecursionError as error:
        raise DecodeError("nested too deeply to be read") from error
    except ValueError as error:
        raise DecodeError(f"not readable as JSON: {error}") from error


def _write(tree: Any, longest: int) -> str:
    text = _WRITER.encode(tree)
    if len(text) > longest:
        raise ValueError(f"{len(text)} characters: at most {longest} are written")
    return carried(text)


# --- records ---

_MESSAGES: dict[str, type] = {kind.__name__: kind for kind in KINDS}
_RECORDS: dict[str, type] = _MESSAGES | {noun.__name__: noun for noun in NOUNS}
_RECORDABLE = f"a record is a message, a noun, a plain value or a tuple of these, at most {MAX_NESTING} deep"


def _record(value: object, depth: int) -> Any:
    if type(value) is tuple and depth < MAX_NESTING:
        return [_record(part, depth + 1) for part in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    if _RECORDS.get(type(value).__name__) is type(value):
        return tag(value)
    raise TypeError(f"{type(value).__name__} cannot be stored: {_RECORDABLE}")


def _read_record(tree: Any, path: str, depth: int) -> Any:
    if type(tree) is dict:
        return _read_tagged(tree, _RECORDS, path)
    if type(tree) is list:
        if depth == MAX_NESTING:
            raise DecodeError(f"{path}: nested too deeply: {_RECORDABLE}")
        return tuple([_read_record(part, f"{path}[{at}]", depth + 1) for at, part in enumerate(tree)])
    try:
        return converter.structure(tree, type(tree))
    except ValueError as error:
        raise DecodeError(f"{path or 'record'}: {error}") from error


def _read_tagged(tree: Any, kinds: Mapping[str, type], path: str) -> Any:
    """An instance of one of these kinds. Raises DecodeError, its paths beginning with `path` or the kind."""
    try:
        kind = take_kind(tree, kinds)
    except ValueError as error:
        raise DecodeError(f"{path}: {error}" if path else str(error)) from error
    try:
        return converter.structure(tree, kind)
    except (cattrs.BaseValidationError, RecursionError) as error:
        lines = cattrs.transform_error(error, path or kind.__name__, explain)
        raise DecodeError("\n".join(map(path_first, lines))) from error


def _blamed(value: Any) -> tuple[str, Any]:
    """The innermost part that is not kept even alone, and the path to it; the whole if that is only too long."""
    path = type(value).__name__ if attrs.has(type(value)) else "record"
    while True:
        for step, part, wanted in _parts(value):
            if not _is_kept(part, wanted):
                path, value = f"{path}{step}", part
                break
        else:
            return path, value


def _parts(value: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each part of it: the step to it, the part, and the type it should have, None if it may be any."""
    if type(value) is tuple:
        yield from ((f"[{at}]", part, None) for at, part in enumerate(value))
    elif attrs.has(type(value)):
        yield from ((f".{field.name}", getattr(value, field.name), field.type) for field in attrs.fields(type(value)))


def _is_kept(part: Any, wanted: Any) -> bool:
    """Whether it can be written, and would be read back as it is where that type is wanted."""
    try:
        text = _write(converter.unstructure(part, unstructure_as=wanted), MAX_RECORD_TEXT)
        return wanted is None or bool(converter.structure(_parse(text, MAX_RECORD_TEXT), wanted) == part)
    except Exception:  # noqa: BLE001  # as in encode_record
        return False
