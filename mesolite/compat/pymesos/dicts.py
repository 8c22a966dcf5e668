"""Dictionaries whose keys are attributes, too, as those of the package addict; and base64, in which data travel."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, Self

_set = object.__setattr__


class Dict(dict[str, Any]):
    """A dictionary that can be asked for anything: `offer.agent_id.value` is `offer["agent_id"]["value"]`.

    What is not there is an empty `Dict`, which becomes part of its parent as soon as something is put into it:
    `task.task_id.value = "t1"`. InverseOfferQueue alone adds nothing.
    """

    __slots__ = ("_home",)

    _home: tuple[Dict, str] | None
    """Where it will be put when it gets its first entry."""

    def __init__(self, *entries: Any, **more: Any) -> None:
        """Take what a `dict` takes; dictionaries inside, in lists, too, become `Dict`s."""
        _set(self, "_home", None)
        super().__init__()
        super().update({key: _deep(value) for key, value in dict(*entries, **more).items()})

    def __missing__(self, key: str) -> Dict:
        """Nothing is there: an empty one that knows where it would belong."""
        made = Dict()
        _set(made, "_home", (self, key))
        return made

    def __setitem__(self, key: str, value: Any) -> None:
        """Put it in; the first entry brings the dictionary itself to where it was asked for."""
        home = self._home
        if home is not None:
            _set(self, "_home", None)
            home[0][home[1]] = self
        super().__setitem__(key, value)

    def __getattr__(self, name: str) -> Any:
        """The entry of that name."""
        if name.startswith("__"):  # these are protocols of Python, which it must not seem to know
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        """Put it in under that name, unless every dictionary has a method called so."""
        if hasattr(Dict, name):
            raise AttributeError(f"{name!r} is a method of dictionaries; write [{name!r}] = ... for an entry")
        self[name] = value

    def __delattr__(self, name: str) -> None:
        """Take out the entry of that name."""
        del self[name]

    def __deepcopy__(self, memo: object) -> Dict:
        """Copy it with all that is inside."""
        return type(self)(self)

    def __reduce__(self) -> tuple[type[Self], tuple[dict[str, Any]]]:
        """Pickle it by its entries."""
        return type(self), (dict(self),)

    def update(self, *entries: Any, **more: Any) -> None:
        """Take what `dict.update` takes; of a dictionary that is there and given entries are merged, at any depth."""
        for key, value in dict(*entries, **more).items():
            known = self.get(key)
            if isinstance(known, Dict) and isinstance(value, dict):
                known.update(value)
            else:
                self[key] = _deep(value)

    def copy(self) -> Dict:
        """Copy it; what is inside is copied, too."""
        return type(self)(self)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain dictionaries."""
        return {key: _plain(value) for key, value in self.items()}


def _deep(value: Any) -> Any:
    if isinstance(value, dict):
        return Dict(value)
    if type(value) in (list, tuple):
        return type(value)([_deep(item) for item in value])
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Dict):
        return value.to_dict()
    if type(value) in (list, tuple):
        return type(value)([_plain(item) for item in value])
    return value


def encode_data(data: bytes) -> str:
    """Bytes as base64 text, as `data` of tasks, statuses, executors and messages."""
    return b64encode(data).decode("ascii")


def decode_data(data: str | bytes) -> bytes:
    """The bytes that such a text stands for."""
    return b64decode(data)
