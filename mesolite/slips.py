"""Callbacks that were meant and are misspelt: nobody would ever call them, and nobody would ever say so."""

from __future__ import annotations

import inspect
import re
import weakref
from difflib import SequenceMatcher
from types import FunctionType

from mesolite.actors.errors import Refused

NEARLY = 0.85
"""How much of two names must be the same: a letter or two of a name as long as these may differ."""

FORMER_NAMES = {"slavelost": "agent_lost"}
"""What callbacks were called before Mesos 1.0, and still are where names are in camel case."""


_NO_SLIPS: weakref.WeakKeyDictionary[type[object], type[object]] = weakref.WeakKeyDictionary()
"""Classes that were looked at, each with its base: a test runs the same scheduler again and again."""


def check_callbacks(cls: type[object], base: type[object]) -> None:
    """Refuse a class with a method that was certainly meant to be a callback of its base, and is none by its name.

    A method is taken for a slip if it nearly has a callback's name, and could be called as that is, and the class does
    not have that callback itself. All else is the class's own business, however similar it sounds.

    Raises:
        Refused: there is such a method; the text says which callback was meant.
    """
    if _NO_SLIPS.get(cls) is base:
        return
    callbacks = {name: function for name, function in vars(base).items() if _is_public_function(name, function)}
    missing = {name: function for name, function in callbacks.items() if getattr(cls, name) is function}
    for name in dir(cls):
        own = inspect.getattr_static(cls, name)
        if name in callbacks or not _is_public_function(name, own):
            continue
        for callback, function in missing.items():
            if _is_slip(name, callback) and _could_be(own, function):
                raise Refused(
                    f"{cls.__name__}.{name} is no callback, so nobody would ever call it: {callback} is meant, it "
                    "seems; if it is a function of your own, let its name begin with an underscore, or be another"
                )
    _NO_SLIPS[cls] = base


def _is_public_function(name: str, value: object) -> bool:
    return isinstance(value, FunctionType) and not name.startswith("_")


def _is_slip(name: str, callback: str) -> bool:
    """Whether one is written for the other: in another case, with a letter more or less, by its former name.

    With a word more or less it is another name: `registered_at`, `update_status` and `on_error` are somebody's own.
    """
    plain, meant = _plain(name), _plain(callback)
    if plain == meant or FORMER_NAMES.get(plain) == callback:
        return True
    near = SequenceMatcher(None, plain, meant).ratio() >= NEARLY
    return near and len(_words(name)) == len(_words(callback))


def _words(name: str) -> list[str]:
    """The words in a name: `resourceOffers` and `resource_offers` have two."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").split("_")


def _plain(name: str) -> str:
    return "".join(_words(name))


def _could_be(own: FunctionType, callback: FunctionType) -> bool:
    """Whether it takes exactly what the callback is given; `*arguments` are no sign of that."""
    given = len(inspect.signature(callback).parameters)
    parameters = inspect.signature(own).parameters.values()
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    needed = [one for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    return len(positional) >= given >= len(needed) and all(one in positional for one in needed)
