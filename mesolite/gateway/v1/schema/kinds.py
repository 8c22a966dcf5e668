"""The words in which the schema is written: kinds of values, fields, messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

Cardinality = Literal["optional", "required", "repeated", "mapped"]


@frozen(eq=False)
class Scalar:
    """A kind of value that is no object and no enum."""

    name: str


@frozen(eq=False)
class Enum:
    """A choice of names."""

    name: str
    values: frozenset[str]


@frozen(eq=False)
class Itself:
    """Stands for the message in which it stands."""


@frozen(eq=False)
class MessageType:
    """An object with known fields."""

    name: str
    fields: Mapping[str, Field]


Kind = Scalar | Enum | Itself | MessageType


@frozen(eq=False)
class Field:
    """What a field holds and how often; one that is mapped is an object from text to what it holds (HT-37)."""

    kind: Kind
    cardinality: Cardinality


STRING = Scalar("string")
BOOL = Scalar("bool")
INT32 = Scalar("int32")
UINT32 = Scalar("uint32")
INT64 = Scalar("int64")
UINT64 = Scalar("uint64")
DOUBLE = Scalar("double")
BYTES = Scalar("bytes")
ITSELF = Itself()


def message(name: str, /, **fields: Field) -> MessageType:
    """A message with these fields."""
    return MessageType(name, fields)


def enum(name: str, names: str, /) -> Enum:
    """A choice of names, which are given as one text with spaces or line ends between them."""
    return Enum(name, frozenset(names.split()))


def optional(kind: Kind) -> Field:
    """A field that may be missing."""
    return Field(kind, "optional")


def required(kind: Kind) -> Field:
    """A field without which the message is refused (HT-38)."""
    return Field(kind, "required")


def repeated(kind: Kind) -> Field:
    """A field that holds a list."""
    return Field(kind, "repeated")


def mapped(kind: Kind) -> Field:
    """A field that holds an object from text to values of that kind."""
    return Field(kind, "mapped")
