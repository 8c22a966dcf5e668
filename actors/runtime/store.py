"""Where actors keep what must survive them: records by key, written all or none, fenced by term (core.md EL-37).

Memory for simulations, here; SQLite for real clusters, in threads/sqlite_store.py. Both keep what `encoded` makes of
records. A write of an older term than the one that last claimed the store is refused, so a deposed leader
cannot change what its successor has read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from mesolite.messages.errors import InvalidValue


class Kept(NamedTuple):
    """A record as stores keep it: its text, and what that is read back as, which equals it and never changes."""

    text: str
    record: Any


Changes = Iterable[tuple[str, Kept | None]]
"""Records by key as a store keeps them; None deletes one."""


class StaleTerm(Exception):
    """The store belongs to a later term."""


def encoded(owner: str, changes: Iterable[tuple[str, Any]]) -> Changes:
    """Make of these records what stores keep. Called for the actor that saves them: a mistake in them is its own.

    Raises:
        InvalidValue: a record cannot be written, or would be read back as another.
    """
    from mesolite.messages.codec import round_trip

    kept = []
    for key, record in changes:
        try:
            kept.append((key, None if record is None else Kept(*round_trip(record))))
        except Exception as error:
            raise InvalidValue(f"the record {key!r} of {owner} cannot be stored: {error}") from error
    return kept


def unwritten(changes: Iterable[tuple[str, Any]]) -> Changes:
    """Make of these records what a store in memory keeps, as they are: for who spares the time of writing them."""
    return [(key, None if record is None else Kept("", record)) for key, record in changes]


class Store(Protocol):
    """What a runtime needs of a store."""

    def load(self, owner: str, term: int) -> Mapping[str, Any]:
        """Claim the owner's records for this term and return them.

        Raises:
            StaleTerm: a later term has claimed them.
        """

    def save(self, owner: str, changes: Changes, term: int) -> None:
        """Write these records, which `encoded` has made, all or none.

        Raises:
            StaleTerm: a later term has claimed the owner's records.
        """

    def term(self, owner: str) -> int:
        """The latest term that claimed the owner's records, 0 if none has."""

    def note_time(self, now: float) -> None:
        """Remember that the cluster's clock has come this far."""

    def close(self) -> None:
        """Let go of what is held; nothing can be read or written any more."""


def came_too_late(owner: str, asked: int, claimed: int) -> StaleTerm:
    """The error of a term that asks after a later one has claimed the owner's records."""
    return StaleTerm(f"{owner}: term {asked} came too late, term {claimed} has claimed the store")


class MemoryStore:
    """Records of a simulated cluster: they survive an actor, and end with the cluster."""

    def __init__(self) -> None:
        """Start empty."""
        self._records: dict[str, dict[str, Any]] = {}
        self._terms: dict[str, int] = {}

    def load(self, owner: str, term: int) -> Mapping[str, Any]:
        """Claim and read."""
        self._check(owner, term)
        self._terms[owner] = term
        return dict(self._records.get(owner, {}))

    def look(self, owner: str, keys: Iterable[str]) -> Mapping[str, Any]:
        """Read what there is under those keys, and claim nothing: for whoever looks at a simulation."""
        records = self._records.get(owner, {})
        return {key: records[key] for key in keys if key in records}

    def save(self, owner: str, changes: Changes, term: int) -> None:
        """Write."""
        self._check(owner, term)
        records = self._records.setdefault(owner, {})
        for key, kept in changes:
            if kept is None:
                records.pop(key, None)
            else:
                records[key] = kept.record

    def term(self, owner: str) -> int:
        """The latest claim."""
        return self._terms.get(owner, 0)

    def note_time(self, now: float) -> None:
        """The clock of a simulation ends with it, too."""

    def close(self) -> None:
        """Nothing is held."""

    def _check(self, owner: str, term: int) -> None:
        if term < self._terms.get(owner, 0):
            raise came_too_late(owner, term, self._terms[owner])
