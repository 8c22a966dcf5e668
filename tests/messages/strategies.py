"""Values of every type that can be said or stored, built from the field types of the classes themselves."""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, Union, get_args, get_origin, get_type_hints

import attrs
from hypothesis import settings
from hypothesis import strategies as st

from mesolite.messages.checking import Number, Text
from mesolite.messages.codec import KINDS, NOUNS
from mesolite.messages.resources import Resources
from tests.effort import examples

WIRE = settings(deadline=None, derandomize=True, max_examples=examples(25))
"""Not timed and not random: the same examples on every machine, however slow."""

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    bytes: st.binary(max_size=8),
    int: st.integers(-(2**63) + 1, 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000),
    bool: st.booleans(),
    NoneType: st.none(),
    Resources: st.sets(
        st.sampled_from(["cpus:0.001", "mem:4096", "gpus:2", "ports:[1-3,31000-32000]", "zones:{a,ü}"])
    ).map(lambda parts: Resources.parse(";".join(sorted(parts)))),
}


PLAIN_DATA = st.recursive(
    st.none() | st.booleans() | PLAIN[int] | st.floats(allow_nan=False, allow_infinity=False) | PLAIN[str],
    lambda parts: st.lists(parts, max_size=2) | st.dictionaries(st.text(max_size=5), parts, max_size=2),
    max_leaves=4,
)
"""What JSON takes as it is."""


def values(wanted: Any) -> st.SearchStrategy[Any]:
    """Values of a type that a field has, or of a class, as wide as the type allows."""
    if wanted in PLAIN:
        return PLAIN[wanted]
    if isinstance(wanted, NewType):
        return values(wanted.__supertype__)
    if get_origin(wanted) is Annotated:
        return _meant(*get_args(wanted))
    if get_origin(wanted) in (Union, UnionType):
        return st.one_of(*map(values, get_args(wanted)))
    if get_origin(wanted) is Mapping:
        return st.dictionaries(st.text(max_size=5), PLAIN_DATA, max_size=2)
    if get_origin(wanted) is tuple and get_args(wanted)[-1] is Ellipsis:
        return st.lists(values(get_args(wanted)[0]), max_size=2).map(tuple)
    if get_origin(wanted) is tuple:
        return st.tuples(*map(values, get_args(wanted)))
    if issubclass(wanted, enum.Enum):
        return st.sampled_from(wanted)
    return _instances(wanted)


@st.composite
def _instances(draw: st.DrawFn, kind: Any) -> Any:
    """Instances of a class. Named by the class alone: spelt out, those of a snapshot fill pages."""
    return kind(**{name: draw(part) for name, part in _parts(kind).items()})


@functools.cache
def _parts(kind: Any) -> dict[str, st.SearchStrategy[Any]]:
    # Not the types of the fields themselves: once a class was read, those say less of which values are meant.
    types = get_type_hints(kind, include_extras=True)
    return {field.name: values(types[field.name]) for field in attrs.fields(kind)}


def _meant(kind: Any, which: Number | Text) -> st.SearchStrategy[Any]:
    """Values of a type, but only those that are meant."""
    if isinstance(which, Text):
        return st.text(min_size=0 if which.empty else 1, max_size=8)
    return values(kind).filter(lambda number: not which.excludes(number))


EVERY_CLASS = st.one_of(*map(values, [*KINDS, *NOUNS]))
"""An instance of any message or noun."""

RECORDS = st.recursive(
    EVERY_CLASS | st.one_of(*(values(plain) for plain in (str, int, float, bool, NoneType))),
    lambda parts: st.lists(parts, max_size=3).map(tuple),
    max_leaves=4,
)
"""Anything that a store can be given."""

KEYS = st.text(max_size=5) | st.just("kind")

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | KEYS | st.just("\ud800"),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(KEYS, parts, max_size=3),
    max_leaves=5,
)
"""Anything that JSON text can hold; with NaN, infinities and half a surrogate pair, which it should not."""
