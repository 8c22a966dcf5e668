"""Where parties keep what must survive them: records by key, written all or none, fenced by term (core.md EL-37).

Memory for simulations, here; SQLite for real clusters, in threads/sqlite_store.py. A write of an older term than the
one that last claimed the store is refused, so a deposed leader cannot change what its successor has read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

Changes = Iterable[tuple[str, Any]]


class StaleTerm(Exception):
    """The store belongs to a later term."""


class Store(Protocol):
    """What a runtime needs of a store."""

    def load(self, owner: str, term: int) -> Mapping[str, Any]:
        """Claim the owner's records for this term and return them.

        Raises:
            StaleTerm: a later term has claimed them.
        """

    def save(self, owner: str, changes: Changes, term: int) -> None:
        """Write these records, all or none; None deletes one.

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
    """Records of a simulated cluster: they survive a party, and end with the cluster."""

    def __init__(self) -> None:
        """Start empty."""
        self._records: dict[str, dict[str, Any]] = {}
        self._terms: dict[str, int] = {}

    def load(self, owner: str, term: int) -> Mapping[str, Any]:
        """Claim and read."""
        self._check(owner, term)
        self._terms[owner] = term
        return dict(self._records.get(owner, {}))

    def save(self, owner: str, changes: Changes, term: int) -> None:
        """Write."""
        self._check(owner, term)
        records = self._records.setdefault(owner, {})
        for key, record in changes:
            if record is None:
                records.pop(key, None)
            else:
                records[key] = record

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
