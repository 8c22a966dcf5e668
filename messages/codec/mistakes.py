"""What mistakes sound like: a phrase for what was expected, one for what is there, and the path to it first.

Never longer than a phrase, however long the value is, for the text may come from anywhere.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin

import attrs
import cattrs

from mesolite.messages.resources import Resources

FEW = 6
"""At most so many names are listed."""

_SHOWN = 60
_LONGEST_LINE = 500
_PLAIN = {
    str: "a string", int: "an integer", float: "a finite number", bool: "true or false", NoneType: "null",
    bytes: 'bytes such as {"kind":"bytes","base64":"aGk="}',
    Resources: 'resources such as "cpus:1;mem:32"',
}  # fmt: skip


def unlike(value: Any, wanted: Any) -> ValueError:
    """What to raise for a value that is not of the wanted type."""
    return ValueError(f"expected {expected(wanted)}, got {shown(value)}")


def expected(wanted: Any) -> str:
    """What would be accepted where a value of this type is wanted."""
    if wanted in _PLAIN:
        return _PLAIN[wanted]
    if isinstance(wanted, NewType):
        return f"{expected(wanted.__supertype__)} ({wanted.__name__})"
    if is_union(wanted):
        return " or ".join(map(expected, get_args(wanted)))
    if is_enum(wanted):
        return either([member.value for member in wanted])
    if is_tuple(wanted):
        types = get_args(wanted)
        return "a list" if types[-1] is Ellipsis else f"a list of {len(types)}"
    if get_origin(wanted) is Mapping:
        return "an object of plain data"
    return f"an object ({wanted.__name__})"


def either(names: list[str]) -> str:
    """One of these."""
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def shown(value: Any) -> str:
    """Never longer than a phrase, however long the value is."""
    if type(value) is dict:
        return "an object"
    if type(value) is list:
        return f"a list of {len(value)}"
    return _cut(json.dumps(value[:_SHOWN] if type(value) is str else value), _SHOWN)


def phrase(value: object) -> str:
    """A value of ours, cut when it is long."""
    return _cut(repr(value), _LONGEST_LINE)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "..."


def explain(error: BaseException, wanted: Any) -> str:
    """One mistake in words. `wanted` is the type of the field it is in, None if it is a whole object's."""
    if isinstance(error, KeyError) and wanted is not None:
        return f"is missing, expected {expected(wanted)}"
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        unknown = [shown(name) for name in sorted(error.extra_fields)]
        more = f" and {len(unknown) - FEW} more" if len(unknown) > FEW else ""
        known = ", ".join(field.name for field in attrs.fields(error.cl))
        return f"unknown key {', '.join(unknown[:FEW])}{more}; the keys are {known or 'kind alone'}"
    return _cut(str(error), _LONGEST_LINE)


def path_first(line: str) -> str:
    """Cattrs writes `what @ path`. A path is made of our own field names, so the last @ is the one."""
    what, _, path = line.rpartition(" @ ")
    return f"{path}: {what}"


def near(name: Any, kinds: Iterable[str]) -> str:
    """Those kinds that may have been meant; all of them when there are few."""
    known = list(kinds)
    if len(known) <= FEW:
        return f"expected {either(known)}"
    if meant := get_close_matches(name[:_SHOWN] if type(name) is str else "", known):
        return f"expected perhaps {either(meant)}"
    return "expected the name of a class of mesolite.messages"


# --- which sort of type a field has ---


def is_union(wanted: Any) -> bool:
    """Whether it is `X | Y`."""
    return get_origin(wanted) in (Union, UnionType)


def is_tuple(wanted: Any) -> bool:
    """Whether it is `tuple[...]`."""
    return get_origin(wanted) is tuple


def is_enum(wanted: Any) -> bool:
    """Whether it is an enumeration."""
    return isinstance(wanted, type) and issubclass(wanted, enum.Enum)
