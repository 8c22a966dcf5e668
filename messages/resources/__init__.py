"""What machines have and tasks need: cpus, memory, ports, and the arithmetic on them (core.md 8, RS).

The rule of this file: a `Resources` in hand is always valid. Mesos drops the invalid parts of a collection
without a word (RS-14); here every way in either understands all it was given or raises `ResourceError`.
Scalars are whole thousandths (RS-1), so adding and taking back never drifts. Reservations, volumes, revocable
and shared resources do not exist here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TypeVar, final

from mesolite.messages.resources.text import EXAMPLE, ResourceError, check_name, read_ranges, read_scalar, read_set
from mesolite.messages.resources.values import Items, Ranges, cut, merge, union, without

__all__ = ["NOTHING", "Items", "Ranges", "ResourceError", "Resources"]

_FIRST = {"cpus": 0, "mem": 1, "disk": 2, "gpus": 3}
_Value = TypeVar("_Value")
_Pool = TypeVar("_Pool", Ranges, Items)
_Combine = Callable[[_Pool, _Pool], _Pool]


@final
class Resources:
    """An immutable, hashable collection such as `cpus:4;mem:4096;ports:[31000-32000];zones:{a,b}`.

    Made by `parse`, `of` and `sum`; `Resources()` is `NOTHING`. A name has one type: scalar, ranges or set.
    cpus and gpus count devices, mem and disk are megabytes (RS-23). Zero scalars, empty ranges and empty sets
    are not held, so what is empty is false and equal to `NOTHING`.

    Where this departs from Mesos, on purpose: subtracting what is not there raises (Mesos ignores it, RS-15);
    overlapping ranges in one value are refused in either order (RS-13); equal sets are equal however they
    were written (RS-8); adding one name under two types raises (Mesos keeps both).
    """

    # Not attrs.frozen: its constructor takes twice as long, for objects the allocator makes by the thousand.
    # No method assigns to these fields later, save for the text, made when first asked for. All three dicts are in
    # canonical order and may be shared between objects.
    __slots__ = ("_ranges", "_scalars", "_sets", "_text")

    _scalars: dict[str, int]
    _ranges: dict[str, Ranges]
    _sets: dict[str, Items]
    _text: str | None

    def __new__(cls) -> Resources:
        """The empty resources: contents only come in by way of the checks below."""
        return NOTHING

    @staticmethod
    @lru_cache(maxsize=1024)  # thousands of tasks ask for the same, and what never changes can be shared
    def parse(text: str) -> Resources:
        """Read `name:value;...` (RS-9, RS-21); blanks do not count, a repeated name adds up.

        Raises `ResourceError` for anything that is not wholly understood and valid (RS-3, RS-12).
        """
        return Resources.sum(_read_entry(entry) for entry in map(str.strip, text.split(";")) if entry)

    @staticmethod
    def of(wanted: Resources | str | Mapping[str, float]) -> Resources:
        """Resources as users like to write them: text, a mapping of scalars, or resources as they are.

        Raises `ResourceError` as `parse` does; ranges and sets have no mapping form.
        """
        if isinstance(wanted, Resources):
            return wanted
        if isinstance(wanted, str):
            return Resources.parse(wanted)
        if not isinstance(wanted, Mapping):
            raise ResourceError(f"{wanted!r}: neither text nor a mapping; {EXAMPLE} or {{'cpus': 1}}")
        return Resources.sum(_read_item(name, value) for name, value in wanted.items())

    @staticmethod
    def sum(parts: Iterable[Resources]) -> Resources:
        """All of them added up as by `+`; `NOTHING` when there are none."""
        scalars: dict[str, int] = {}
        ranges: dict[str, Ranges] = {}
        sets: dict[str, Items] = {}
        for part in parts:
            for name, amount in part._scalars.items():
                scalars[name] = scalars.get(name, 0) + amount
            ranges = _plus(ranges, part._ranges, union) if part._ranges else ranges
            sets = _plus(sets, part._sets, merge) if part._sets else sets
        return _joined(scalars, ranges, sets)

    def __add__(self, other: Resources) -> Resources:
        """Both together: scalars add; ranges and sets unite, so an overlap counts once (RS-4, RS-7).

        Raises `ResourceError` when the two hold one name under two types.
        """
        if other.__class__ is not Resources:
            return NotImplemented
        if other._ranges or other._sets:
            return Resources.sum((self, other)) if self else other
        scalars = self._scalars.copy()
        for name, amount in other._scalars.items():
            if name not in scalars:  # a new name can upset the order or clash with another type
                return Resources.sum((self, other)) if self else other
            scalars[name] += amount
        return _built(scalars, self._ranges, self._sets)

    def __sub__(self, other: Resources) -> Resources:
        """What is left after taking `other` away; ranges are split where needed (RS-5).

        Raises `ResourceError` when not all of it is there. Mesos drops the entry, or does nothing, and leaves
        it to the caller to have checked (RS-15); here a mistake in the accounts must not pass.
        """
        if other.__class__ is not Resources:
            return NotImplemented
        scalars = self._scalars.copy()
        for name, amount in other._scalars.items():
            left = scalars.get(name, 0) - amount
            if left < 0:
                raise _over_subtraction(self, other)
            if left:
                scalars[name] = left
            else:
                del scalars[name]
        if not (other._ranges or other._sets):
            return _built(scalars, self._ranges, self._sets)
        if not self.contains(other):
            raise _over_subtraction(self, other)
        ranges = _minus(self._ranges, other._ranges, cut)
        return _built(scalars, ranges, _minus(self._sets, other._sets, without))

    def contains(self, wanted: Resources) -> bool:
        """Is every part of `wanted` here (RS-6, RS-7, RS-16)? Also written `wanted in self`."""
        held = self._scalars
        for name, amount in wanted._scalars.items():
            if name not in held or held[name] < amount:
                return False
        return not (wanted._ranges or wanted._sets) or not _missing(self, wanted)

    __contains__ = contains

    @property
    def names(self) -> tuple[str, ...]:
        """Every name held, in canonical order: cpus, mem, disk, gpus, then the others alphabetically."""
        return _canonical((*self._scalars, *self._ranges, *self._sets))

    @property
    def scalars(self) -> Mapping[str, int]:
        """The scalars in thousandths, read only, in canonical order: exact where `scalar` is for the eye."""
        return MappingProxyType(self._scalars)

    def scalar(self, name: str) -> float:
        """The amount of a scalar, 0.0 when there is none."""
        return self._scalars.get(name, 0) / 1000

    def ranges(self, name: str) -> Ranges:
        """The inclusive (begin, end) pairs under this name, empty when there are none."""
        return self._ranges.get(name, ())

    def set(self, name: str) -> Items:
        """The sorted items of the set of this name, empty when there are none."""
        return self._sets.get(name, ())

    @property
    def cpus(self) -> float:
        """Number of processors."""
        return self.scalar("cpus")

    @property
    def mem(self) -> float:
        """Memory in megabytes."""
        return self.scalar("mem")

    @property
    def disk(self) -> float:
        """Disk in megabytes."""
        return self.scalar("disk")

    def __bool__(self) -> bool:
        return bool(self._scalars or self._ranges or self._sets)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Resources):
            return NotImplemented
        return self._scalars == other._scalars and self._ranges == other._ranges and self._sets == other._sets

    def __hash__(self) -> int:
        # Equal resources have equal text, and a str remembers its own hash.
        return hash(str(self))

    def __str__(self) -> str:
        """The canonical text: `parse` gives equal resources back, and equal resources print alike."""
        if self._text is None:
            self._text = ";".join(f"{name}:{_printed(self, name)}" for name in self.names)
        return self._text

    def __repr__(self) -> str:
        return f"Resources.parse({str(self)!r})"

    def __deepcopy__(self, memo: object) -> Resources:
        return self  # what never changes is its own copy

    def __reduce__(self) -> tuple[Callable[[str], Resources], tuple[str]]:
        return Resources.parse, (str(self),)  # checked again where it arrives


def _built(scalars: dict[str, int], ranges: dict[str, Ranges], sets: dict[str, Items]) -> Resources:
    """Resources of parts already known to be valid, in order and without empties."""
    made = object.__new__(Resources)
    made._scalars = scalars
    made._ranges = ranges
    made._sets = sets
    made._text = None
    return made


NOTHING = _built({}, {}, {})
"""The empty resources: false, printed as the empty text, contained in everything."""


def _joined(scalars: dict[str, int], ranges: dict[str, Ranges], sets: dict[str, Items]) -> Resources:
    """Resources of valid parts: put in order, empties left out, no name under two types (RS-21)."""
    for name in (*scalars, *ranges):
        if (name in scalars and name in ranges) or name in sets:
            raise ResourceError(f"{name}: one name cannot be of two types; give each type a name of its own")
    return _built(_in_order(scalars), _in_order(ranges), _in_order(sets))


def _place(name: str) -> tuple[int, str]:
    """What sorts names into canonical order."""
    return _FIRST.get(name, len(_FIRST)), name


def _in_order(values: dict[str, _Value]) -> dict[str, _Value]:
    if not values:
        return {}  # as ranges and sets nearly always are
    return {name: values[name] for name in _canonical(tuple(values)) if values[name]}


@lru_cache(maxsize=1024)  # the same few names come again and again
def _canonical(names: tuple[str, ...]) -> tuple[str, ...]:
    """These names in canonical order."""
    return tuple(sorted(names, key=_place))


def _plus(mine: dict[str, _Pool], more: dict[str, _Pool], unite: _Combine[_Pool]) -> dict[str, _Pool]:
    return {**mine, **{name: unite(mine.get(name, ()), value) for name, value in more.items()}}


def _minus(mine: dict[str, _Pool], less: dict[str, _Pool], cut: _Combine[_Pool]) -> dict[str, _Pool]:
    return {name: left for name, value in mine.items() if (left := cut(value, less.get(name, ())))}


def _missing(held: Resources, wanted: Resources) -> Resources:
    """The part of `wanted` that is not in `held`."""
    there = held._scalars
    lacking = {name: max(0, amount - there.get(name, 0)) for name, amount in wanted._scalars.items()}
    ranges = _minus(wanted._ranges, held._ranges, cut)
    return _joined(lacking, ranges, _minus(wanted._sets, held._sets, without))


def _over_subtraction(held: Resources, wanted: Resources) -> ResourceError:
    what = f"cannot take {wanted} from {held or 'nothing'}"
    return ResourceError(f"{what}: {_missing(held, wanted)} is missing; ask contains() before taking")


def _read_entry(entry: str) -> Resources:
    """The one resource of `name:value`, raw: an empty one is still held, for `sum` to see its type."""
    name, colon, value = entry.partition(":")
    name, value = name.rstrip(), "".join(value.split())
    if not colon:
        raise ResourceError(f"{entry}: a name and a value need ':' between them; {EXAMPLE}")
    check_name(entry, name)
    if value.startswith("["):
        return _built({}, {name: read_ranges(entry, name, value)}, {})
    if value.startswith("{"):
        return _built({}, {}, {name: read_set(entry, name, value)})
    return _built({name: read_scalar(entry, name, value)}, {}, {})


def _read_item(name: str, value: float) -> Resources:
    """The one scalar of an item of a mapping."""
    entry = f"{name}:{value}"
    check_name(entry, name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ResourceError(f"{entry}: a mapping holds numbers only; write for example {{{name!r}: 1}}")
    return _built({name: read_scalar(entry, name, str(value))}, {}, {})


def _printed(held: Resources, name: str) -> str:
    if name in held._ranges:
        return "[" + ",".join(f"{begin}-{end}" for begin, end in held._ranges[name]) + "]"
    if name in held._sets:
        return "{" + ",".join(held._sets[name]) + "}"
    whole, rest = divmod(held._scalars[name], 1000)
    return f"{whole}.{rest:03}".rstrip("0") if rest else str(whole)
