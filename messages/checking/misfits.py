"""What does not fit its annotation, in words: what came, what is wanted, what may have been meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, Union, get_args, get_origin

from mesolite.messages.resources import Resources


class Misfit(Exception):
    """A value that is not what an annotation says; `path` leads to the part of it that is not."""

    def __init__(self, value: object, wanted: str, path: str = "", hint: str = "") -> None:
        """That value came where that was wanted."""
        super().__init__(wanted)
        self.value = value
        self.wanted = wanted
        self.path = path
        self.hint = hint

    def within(self, step: str) -> Misfit:
        """Be the misfit of what holds this value, one step further up."""
        self.path = step + self.path
        return self

    def sentence(self, where: str) -> str:
        """Say where, what came, what is wanted."""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}{self.path} cannot be {shown(self.value)}: it must be {self.wanted}{hint}"


def shown(value: object) -> str:
    """Show a value and its type in a phrase; a value that cannot be shown must not hide what is wrong with it."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # somebody else's __repr__
        text = "something that cannot be shown"
    if not text.isprintable() or not text.isascii():
        text = text.encode("ascii", "backslashreplace").decode()
    text = text if len(text) <= 60 else text[:60] + "..."
    if value is None or isinstance(value, type):
        return text
    return f"{text} ({type(value).__name__})"


def wanted_by(annotation: Any) -> str:
    """Say in words what an annotation wants."""
    if isinstance(annotation, NewType):
        return wanted_by(annotation.__supertype__)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return str(arguments[1])
    if origin in (Union, UnionType):
        return any_of(arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return "a pair" if len(arguments) == 2 else f"{len(arguments)} things"
    if origin is tuple or origin is Iterable:
        return f"a list, each {wanted_by(arguments[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "a mapping"
    if origin is type:
        return f"a class that extends {arguments[0].__name__}"
    if origin is Callable:
        return "a function"
    return _WORDS.get(annotation) or one(annotation)


def any_of(annotations: tuple[Any, ...]) -> str:
    """Say in words that one of several is wanted."""
    return " or ".join(dict.fromkeys(map(wanted_by, annotations)))


_WORDS: dict[Any, str] = {
    str: "text", bytes: "bytes", int: "a whole number", float: "a finite number", bool: "True or False",
    NoneType: "None", Resources: "resources such as 'cpus:1;mem:32'",
}  # fmt: skip


def one(kind: Any) -> str:
    """A thing of that class, with its article."""
    name = getattr(kind, "__name__", str(kind))
    return f"an {name}" if name[0] in "AEIOU" else f"a {name}"
