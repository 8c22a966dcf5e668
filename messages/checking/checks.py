"""The checks: of what is constructed, of what is passed, of what was received."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, ParamSpec, TypeVar, get_type_hints

import attrs

from mesolite.messages.checking.misfits import Misfit
from mesolite.messages.checking.readers import FieldsReader, fields_reader, reader
from mesolite.messages.checking.scalars import Reader
from mesolite.messages.errors import InvalidValue

T = TypeVar("T")
P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Any])

_UNCHECKED = "__mesolite_unchecked__"
_FIELDS = "__mesolite_fields__"
_set = object.__setattr__  # frozen objects take it from nobody else


def checked(cls: type[T]) -> type[T]:
    """Check every instance of this attrs class when it is constructed.

    The constructed object raises `InvalidValue` for the first field that does not hold what its annotation says.
    """
    construct: Any = cls.__init__
    read: FieldsReader | None = None
    kind: Any = cls

    def __init__(self: Any, *arguments: Any, **fields: Any) -> None:  # noqa: N807  # it becomes the class's own
        nonlocal read
        try:
            construct(self, *arguments, **fields)
        except TypeError:
            if unknown := fields.keys() - _taken(kind):
                raise TypeError(_has_no(kind, min(unknown))) from None
            raise
        if read is None:
            read = fields_reader(kind)  # not before the first use: annotations may name classes defined further down
        try:
            others = read(self)
        except Misfit as misfit:
            raise InvalidValue(misfit.sentence(kind.__name__)) from None
        for name, known in others.items():
            _set(self, name, known)

    def make(**fields: Any) -> T:
        made: T = object.__new__(kind)
        construct(made, **fields)
        return made

    __init__.__wrapped__ = construct  # type: ignore[attr-defined]  # help() shows the signature
    __init__.__doc__, __init__.__qualname__ = construct.__doc__, construct.__qualname__
    kind.__init__ = __init__
    setattr(kind, _UNCHECKED, staticmethod(make))
    setattr(kind, _FIELDS, dict.fromkeys(field.name for field in attrs.fields(kind)))
    return cls


def _taken(kind: Any) -> list[str]:
    """What its constructor takes by name."""
    return [field.alias for field in attrs.fields(kind) if field.init]


def _has_no(kind: Any, name: str) -> str:
    near = get_close_matches(name, _taken(kind), 1)
    return f"{kind.__name__} has no {name!r}; {f'did you mean {near[0]!r}?' if near else f'see help({kind.__name__})'}"


def unchecked(kind: Callable[P, T]) -> Callable[P, T]:
    """Return a constructor of a `checked` class that does not check: for values that have been checked before."""
    constructor: Callable[P, T] = getattr(kind, _UNCHECKED)
    return constructor


def evolve(value: T, **changes: Any) -> T:
    """Do what `attrs.evolve` does, to an instance of a `checked` class, without a check.

    Nor are values converted: they are what their fields hold. That takes a third of the time, once for every update.
    """
    made: T = object.__new__(type(value))
    names = getattr(type(value), _FIELDS)
    for name in names:
        _set(made, name, changes[name] if name in changes else getattr(value, name))
    if not changes.keys() <= names.keys():
        raise TypeError(f"{type(value).__name__} has no such field among {', '.join(changes)}")
    return made


def checked_arguments(function: F) -> F:
    """Check the arguments of each call of this function or method by its annotations."""
    code = function.__code__
    names, rest = code.co_varnames[: code.co_argcount], code.co_varnames[code.co_argcount + code.co_kwonlyargcount :]
    readers: dict[str, Reader] = {}

    def call(*arguments: Any, **named: Any) -> Any:
        if not readers:
            hints = get_type_hints(function, include_extras=True)
            readers.update({name: reader(hints[name]) for name in hints if name != "return"})
        try:
            known = [_argument(readers, name, value) for name, value in zip(names, arguments, strict=False)]
            # What goes into `*rest`; where there is none it is too much, and the function complains of it itself.
            known += [_argument(readers, rest[0] if rest else "", value) for value in arguments[len(known) :]]
            named = {name: _argument(readers, name, value) for name, value in named.items()}
        except Misfit as misfit:
            # By the class of the object that people hold, not by the one that the method is inherited from.
            owner = f"{type(arguments[0]).__name__}." if names[:1] == ("self",) else ""
            raise InvalidValue(misfit.sentence(f"{owner}{function.__name__}".removesuffix(".__init__"))) from None
        return function(*known, **named)

    for attribute in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
        setattr(call, attribute, getattr(function, attribute))
    call.__wrapped__ = function  # type: ignore[attr-defined]
    return call  # type: ignore[return-value]


def _argument(readers: Mapping[str, Reader], name: str, value: Any) -> Any:
    read = readers.get(name)
    if read is None:
        return value  # `self`, or a name that the function does not have and will complain of itself
    try:
        return read(value)
    except Misfit as misfit:
        raise misfit.within(f": {name}") from None


def misfit(message: object) -> str:
    """Say what is wrong with a message, or with anything nested in it; '' if every field holds what it should."""
    kind = type(message)
    read = _DEEP.get(kind)
    if read is None:
        read = _DEEP[kind] = fields_reader(kind, deep=True) if attrs.has(kind) else reader(kind, deep=True)
    try:
        read(message)
    except Misfit as found:
        return found.sentence(kind.__name__)
    return ""


_DEEP: dict[type, Reader] = {}
