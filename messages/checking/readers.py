"""Readers: one function per annotation, from whatever came to the value that the annotation means, or `Misfit`.

A reader answers the very object it was given wherever that is as it should be. It never guesses: `"5"` is no number,
`True` is no number, `5` is no text.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from mesolite.messages.checking.annotations import Number, Text, in_seconds
from mesolite.messages.checking.misfits import Misfit, any_of, one, shown, wanted_by

Reader = Callable[[Any], Any]

TEXT_MAX = 64 * 1024 * 1024
"""Characters, or bytes, in one value: far beyond what anybody means, and far below what ends a process."""

INTEGER_MAX = 2**63 - 1
"""What stores and wires can carry."""

ITEMS_MAX = 1_000_000
"""Things in one list: an iterator that never ends must not fill the memory."""


def reader(annotation: Any, *, deep: bool = False) -> Reader:
    """Make the reader of an annotation. `deep` looks into nested attrs objects, which else were checked when made."""
    if isinstance(annotation, NewType):
        return reader(annotation.__supertype__, deep=deep)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1])
    if origin in (Union, UnionType):
        return _union(arguments, deep)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return _fixed(arguments, deep)
    if origin is tuple or origin is Iterable:
        return _several(arguments[0], deep)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(arguments, deep)
    if origin is type:
        return _subclass(arguments[0])
    if origin is Callable or annotation is Callable:
        return _function
    if annotation is Any or annotation is object or isinstance(annotation, TypeVar):
        return _anything
    return _plain(annotation, deep)


def field_readers(kind: Any) -> list[tuple[str, Reader]]:
    """Make the reader of each field of an attrs class."""
    hints = get_type_hints(kind, include_extras=True)
    return [(field.name, reader(hints[field.name])) for field in attrs.fields(kind)]


# --- one reader per kind of annotation ---


def _plain(kind: Any, deep: bool) -> Reader:
    known = {str: _text(Text()), bytes: _bytes, int: _whole(Number()), float: _number(Number()), bool: _bool}
    if kind in known:
        return known[kind]
    if kind is None or kind is NoneType:
        return _none
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _member(kind)
    if attrs.has(kind):
        return _record(kind, deep)
    return _instance(kind)


def _annotated(kind: Any, marker: Any) -> Reader:
    if isinstance(marker, Text):
        return _text(marker)
    if isinstance(marker, Number):
        return _whole(marker) if kind is int else _number(marker, durations=kind is not float)
    return reader(kind)


def _anything(value: Any) -> Any:
    return value


def _none(value: Any) -> None:
    if value is not None:
        raise Misfit(value, "None")


def _bool(value: Any) -> bool:
    if value is not True and value is not False:
        raise Misfit(value, "True or False")
    return value


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise Misfit(value, "bytes")
    if len(value) > TEXT_MAX:
        raise Misfit(value, f"bytes, at most {TEXT_MAX}")
    return value if type(value) is bytes else bytes(value)


def _text(wanted: Text) -> Reader:
    sentence = str(wanted)

    def read(value: Any) -> str:
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


def _whole(wanted: Number) -> Reader:
    sentence = str(wanted).replace("a finite number", "a whole number")

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise Misfit(value, sentence)
        number = int(value)
        if abs(number) > INTEGER_MAX or wanted.excludes(number):
            raise Misfit(value, sentence)
        return number

    return read


def _number(wanted: Number, *, durations: bool = False) -> Reader:
    sentence = str(wanted)

    def read(value: Any) -> float:
        if type(value) is not float:
            value = in_seconds(value) if durations else value
            if isinstance(value, bool) or not isinstance(value, Real):
                raise Misfit(value, sentence)
            try:
                number = float(value)
            except OverflowError:
                raise Misfit(value, sentence) from None
        else:
            number = value
        if wanted.excludes(number):
            raise Misfit(value, sentence)
        return number

    return read


def _member(kind: type[enum.Enum]) -> Reader:
    names = kind.__members__
    numbers = {member.value: member for member in kind} if issubclass(kind, int) else {}
    some = ", ".join(names) if len(names) <= 6 else f"such as {next(iter(names))}"

    def read(value: Any) -> enum.Enum:
        if isinstance(value, kind):
            return value
        if type(value) is str and value in names:
            return names[value]
        if type(value) is int and value in numbers:
            return numbers[value]
        near = get_close_matches(value, names, 1) if type(value) is str else []
        hint = f"perhaps {near[0]} is meant" if near else ""
        raise Misfit(value, f"{one(kind)} or the name of one: {some}", hint=hint)

    return read


def _record(kind: Any, deep: bool) -> Reader:
    inner: list[tuple[str, Reader]] = []

    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise _not_one(value, kind)
        if deep:
            if not inner:
                inner[:] = _held_fields(kind)  # all at once: another thread may be here, too
            for name, read_field in inner:
                try:
                    read_field(getattr(value, name))
                except Misfit as misfit:
                    raise misfit.within(f".{name}") from None
        return value

    return read


def _held_fields(kind: Any) -> list[tuple[str, Reader]]:
    """For each field a reader of what an object holds: nobody will make of it any more what it only stands for."""
    hints = get_type_hints(kind, include_extras=True)
    return [(field.name, _held(hints[field.name])) for field in attrs.fields(kind)]


def _held(annotation: Any) -> Reader:
    read = reader(annotation, deep=True)

    def read_held(value: Any) -> Any:
        known = read(value)
        if known is not value and type(value) is not int:  # a whole number does where any number is wanted
            raise Misfit(value, wanted_by(annotation), hint=f"what it stands for is {shown(known)}")
        return value

    return read_held


def _instance(kind: Any) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise _not_one(value, kind)
        return value

    return read


def _not_one(value: Any, kind: Any) -> Misfit:
    hint = ""
    if isinstance(value, type) and issubclass(value, kind):
        hint = f"give an instance, {value.__name__}(...), not the class"
    elif isinstance(value, kind):
        hint = f"give {one(kind)} itself, not one of a class of your own"
    return Misfit(value, wanted_by(kind), hint=hint)


def _subclass(kind: Any) -> Reader:
    def read(value: Any) -> Any:
        if not (isinstance(value, type) and issubclass(value, kind)):
            hint = f"give the class itself, {type(value).__name__}" if isinstance(value, kind) else ""
            raise Misfit(value, f"a class that extends {kind.__name__}", hint=hint)
        return value

    return read


def _function(value: Any) -> Any:
    if not callable(value):
        raise Misfit(value, "a function")
    return value


def _union(kinds: tuple[Any, ...], deep: bool) -> Reader:
    optional = NoneType in kinds
    readers = [reader(kind, deep=deep) for kind in kinds if kind is not NoneType]
    wanted = any_of(kinds)

    def read(value: Any) -> Any:
        if value is None and optional:
            return None
        misfits = []
        for read_one in readers:
            try:
                return read_one(value)
            except Misfit as misfit:
                # Without its frames, which would hold what holds it: a circle for the collector at every call.
                misfits.append(misfit.with_traceback(None))
        # The one that got furthest knows best: a wrong item of a list rather than "no list, and nothing else either".
        deepest = max(misfits, key=lambda misfit: len(misfit.path))
        if deepest.path or (len(misfits) == 1 and not optional):
            raise deepest
        hint = next((misfit.hint for misfit in misfits if misfit.hint), "")
        raise Misfit(value, misfits[0].wanted + " or None" if len(misfits) == 1 else wanted, hint=hint)

    return read


def _several(kind: Any, deep: bool) -> Reader:
    """Any number of them: an iterable, or a single one. A mapping is its items if those are wanted."""
    read_item = reader(kind, deep=deep)
    pairs = get_origin(kind) is tuple
    wanted = f"a list, each {wanted_by(kind)}"

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is tuple:
            items = value
        elif isinstance(value, str | bytes | bytearray) or (isinstance(value, Mapping) and not pairs):
            return _only_one(value, read_item, wanted)
        elif isinstance(value, Iterable) and not isinstance(value, type):
            listed = value.items() if isinstance(value, Mapping) else _in_order(value)
            items = tuple(islice(listed, ITEMS_MAX + 1))
        else:
            return _only_one(value, read_item, wanted)
        if len(items) > ITEMS_MAX:
            raise Misfit(value, f"{wanted}, at most {ITEMS_MAX} of them")
        known = []
        for index, item in enumerate(items):
            try:
                known.append(read_item(item))
            except Misfit as misfit:
                raise misfit.within(f"[{index}]") from None
        if items is value and all(map(_same, known, items)):
            return value
        return tuple(known)

    return read


def _only_one(value: Any, read_item: Reader, wanted: str) -> tuple[Any, ...]:
    try:
        return (read_item(value),)
    except Misfit as misfit:
        raise Misfit(value, wanted, hint=misfit.hint) from None


def _in_order(value: Iterable[Any]) -> Iterable[Any]:
    """The order of a set differs from one process to the next, and must not be seen."""
    return sorted(value, key=str) if isinstance(value, set | frozenset) else value


def _same(one: object, other: object) -> bool:
    return one is other


def _fixed(kinds: tuple[Any, ...], deep: bool) -> Reader:
    readers = [reader(kind, deep=deep) for kind in kinds]

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, tuple | list) or len(value) != len(readers):
            raise Misfit(value, f"a tuple of {len(readers)}")
        known = []
        for index, (read_one, item) in enumerate(zip(readers, value, strict=True)):
            try:
                known.append(read_one(item))
            except Misfit as misfit:
                raise misfit.within(f"[{index}]") from None
        if type(value) is tuple and all(map(_same, known, value)):
            return value
        return tuple(known)

    return read


def _mapping(kinds: tuple[Any, ...], deep: bool) -> Reader:
    read_key, read_value = (reader(kind, deep=deep) for kind in kinds)

    def read(value: Any) -> Mapping[Any, Any]:
        if not isinstance(value, Mapping):
            raise Misfit(value, "a mapping")
        known = {}
        for key, item in value.items():
            try:
                known[read_key(key)] = read_value(item)
            except Misfit as misfit:
                raise misfit.within(f"[{shown(key)}]") from None
        return known

    return read
