"""Readers: one function per annotation, from whatever came to the value that the annotation means, or `Misfit`.

A reader answers the very object it was given wherever that is as it should be. It never guesses: `"5"` is no number,
`True` is no number, `5` is no text.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from operator import attrgetter, is_
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from mesolite.messages.checking.annotations import Number, Text
from mesolite.messages.checking.misfits import Misfit, any_of, one, shown, wanted_by
from mesolite.messages.checking.scalars import (
    TEXT_MAX,
    Reader,
    none,
    number_reader,
    some_bytes,
    text_reader,
    truth,
    whole_reader,
)
from mesolite.messages.resources import Resources

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
    if isinstance(annotation, TypeVar) and annotation.__bound__ is not None:
        return reader(annotation.__bound__, deep=deep)
    if annotation is Any or annotation is object or isinstance(annotation, TypeVar):
        return _anything
    return _plain(annotation, deep)


FieldsReader = Callable[[Any], dict[str, Any]]
"""Reads all fields of an object; returns, by their names, the values that are meant where others were given."""

Plan = Sequence[tuple[str, tuple[type, ...], Reader]]
"""Of each field its name, the types that need not be read (see `_settled`), and its reader."""


def fields_reader(kind: Any, *, deep: bool = False) -> FieldsReader:
    """Make the reader of an attrs class's fields. It runs all the time, so what is plainly right is not read."""
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in attrs.fields(kind)]
    read = _held if deep else reader
    plan = [(name, _settled(hints[name], deep), read(hints[name])) for name in names]
    texts = [name for name, settled, _ in plan if settled == (str,)]
    read_each = _each(plan)
    if not deep or len(texts) < 2:
        return read_each
    # What frameworks call is mostly ids, and to look at all of them at once takes a fifth of the time.
    get_texts = attrgetter(*texts)
    rest = [field for field in plan if field[1] != (str,)]
    read_rest = _each(rest)

    def read_at_once(value: Any) -> dict[str, Any]:
        held = get_texts(value)
        if set(map(type, held)) != _TEXT_ONLY:
            return read_each(value)
        joined = "".join(held)
        if not joined.isascii() or len(joined) > TEXT_MAX:
            return read_each(value)
        return read_rest(value) if rest else {}

    return read_at_once


_TEXT_ONLY = {str}


def _held(annotation: Any) -> Reader:
    """Make the reader of what an object holds: nobody will make of it any more what it only stands for."""
    read = reader(annotation, deep=True)

    def read_held(value: Any) -> Any:
        known = read(value)
        if known is not value and type(value) is not int:  # a whole number does where any number is wanted
            raise Misfit(value, wanted_by(annotation), hint=f"what it stands for is {shown(known)}")
        return value

    return read_held


def _each(plan: Plan) -> FieldsReader:
    def read(value: Any) -> dict[str, Any]:
        others = {}
        for name, settled, read_field in plan:
            held = getattr(value, name)
            of = type(held)
            if of in settled and (of is not str or (held.isascii() and len(held) <= TEXT_MAX)):
                continue
            try:
                known = read_field(held)
            except Misfit as misfit:
                raise misfit.within(f".{name}") from None
            if known is not held:
                others[name] = known
        return others

    return read


def _settled(annotation: Any, deep: bool) -> tuple[type, ...]:
    """The types of which every value is what the annotation means; of text, all that is ASCII and not too long."""
    if isinstance(annotation, NewType):
        return _settled(annotation.__supertype__, deep)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return tuple(settled for kind in arguments for settled in _settled(kind, deep))
    if origin is Annotated and isinstance(arguments[1], Text):
        return (str,) if arguments[1].empty else ()
    if origin is not None or not isinstance(annotation, type):
        return ()
    if issubclass(annotation, enum.Enum):
        return () if issubclass(annotation, str | int) else (annotation,)  # such a member is a text or a number, too
    shallow = attrs.has(annotation) and not deep
    return (annotation,) if shallow or annotation in (NoneType, bool, str, Resources) else ()


# --- one reader per kind of annotation ---


def _plain(kind: Any, deep: bool) -> Reader:
    known = {str: text_reader(Text()), int: whole_reader(Number()), float: number_reader(Number())}
    known |= {bytes: some_bytes, bool: truth}
    if kind in known:
        return known[kind]
    if kind is None or kind is NoneType:
        return none
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _member(kind)
    if attrs.has(kind):
        return _record(kind, deep)
    return _instance(kind)


def _annotated(kind: Any, marker: Any) -> Reader:
    if isinstance(marker, Text):
        return text_reader(marker)
    if isinstance(marker, Number):
        return whole_reader(marker) if kind is int else number_reader(marker, durations=kind is not float)
    return reader(kind)


def _anything(value: Any) -> Any:
    return value


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
    read_fields: FieldsReader | None = None

    def read(value: Any) -> Any:
        nonlocal read_fields
        if type(value) is not kind:
            raise _not_one(value, kind)
        if deep:
            if read_fields is None:
                read_fields = fields_reader(kind, deep=True)
            read_fields(value)
        return value

    return read


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
    some = [kind for kind in kinds if kind is not NoneType]
    if len(some) == 1:
        return _optional(reader(some[0], deep=deep))
    readers = [reader(kind, deep=deep) for kind in some]
    settled = tuple(each for kind in kinds for each in _settled(kind, deep) if each is not str)
    wanted = any_of(kinds)

    def read(value: Any) -> Any:
        if type(value) in settled:
            return value
        misfits = []
        for read_one in readers:
            try:
                return read_one(value)
            except Misfit as misfit:
                # Without its frames, which would hold what holds it: a circle for the collector at every call.
                misfits.append(misfit.with_traceback(None))
        # The one that got furthest knows best: a wrong item of a list rather than "no list, and nothing else either".
        deepest = max(misfits, key=lambda misfit: len(misfit.path))
        if deepest.path:
            raise deepest
        raise Misfit(value, wanted, hint=next((misfit.hint for misfit in misfits if misfit.hint), ""))

    return read


def _optional(read_one: Reader) -> Reader:
    def read(value: Any) -> Any:
        if value is None:
            return None
        try:
            return read_one(value)
        except Misfit as misfit:
            if misfit.path:
                raise
            raise Misfit(value, f"{misfit.wanted} or None", hint=misfit.hint) from None

    return read


def _several(kind: Any, deep: bool) -> Reader:
    """Any number of them: an iterable, or a single one. A mapping is its items if those are wanted."""
    read_item = reader(kind, deep=deep)
    pairs = get_origin(kind) is tuple
    wanted = f"a list, each {wanted_by(kind)}"

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is tuple or type(value) is list:
            items = tuple(value)
            if not items:
                return items
        elif isinstance(value, str | bytes | bytearray) or (isinstance(value, Mapping) and not pairs):
            return _only_one(value, read_item, wanted)
        elif isinstance(value, Iterable) and not isinstance(value, type):
            items = listed(value.items() if isinstance(value, Mapping) else value)
        else:
            return _only_one(value, read_item, wanted)
        if len(items) > ITEMS_MAX:
            raise Misfit(value, f"{wanted}, at most {ITEMS_MAX} of them")
        known: list[Any] = []
        try:
            known.extend(map(read_item, items))
        except Misfit as misfit:
            raise misfit.within(f"[{len(known)}]") from None
        return items if all(map(is_, known, items)) else tuple(known)

    return read


def _only_one(value: Any, read_item: Reader, wanted: str) -> tuple[Any, ...]:
    try:
        return (read_item(value),)
    except Misfit as misfit:
        raise Misfit(value, wanted, hint=misfit.hint) from None


def listed(things: Iterable[Any]) -> tuple[Any, ...]:
    """All of them, but of too many, or of an iterator that never ends, no more than shows that they are too many.

    Those of a set come in order: its own differs from one process to the next, and must not be seen.
    """
    return tuple(islice(sorted(things, key=str) if isinstance(things, set | frozenset) else things, ITEMS_MAX + 1))


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
        if type(value) is tuple and all(map(is_, known, value)):
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
