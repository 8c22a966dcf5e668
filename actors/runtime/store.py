"""Where parties keep what must survive them: records by key, written all or none, fenced by term (core.md EL-37).

Memory for simulations, SQLite for real clusters; both keep the texts that `encoded` makes of records. A write of an
older term than the one that last claimed the store is refused, so a deposed leader cannot change what its successor has
read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from mesolite.messages.codec import decode_record, encode_record
from mesolite.messages.errors import InvalidValue

Changes = Iterable[tuple[str, Any]]
"""Records by key as a store keeps them; None deletes one."""


class StaleTerm(Exception):
    """The store belongs to a later term."""


def encoded(owner: str, changes: Changes) -> Changes:
    """Write these records as stores keep them. Called for the party that saves them: a mistake in them is its own.

    Raises:
        InvalidValue: a record cannot be written, or would be read back as another.
    """
    texts = []
    for key, record in changes:
        try:
            texts.append((key, None if record is None else encode_record(record)))
        except Exception as error:
            raise InvalidValue(f"the record {key!r} of {owner} cannot be stored: {error}") from error
    return texts


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


def _refuse(owner: str, asked: int, claimed: int) -> StaleTerm:
    return StaleTerm(f"{owner}: term {asked} came too late, term {claimed} has claimed the store")


class MemoryStore:
    """Records of a simulated cluster: they survive a party, and end with the cluster.

    `encoded` False: they are kept as they are, and nobody has to encode them.
    """

    def __init__(self, *, encoded: bool = True) -> None:
        """Start empty."""
        self.encoded = encoded
        self._records: dict[str, dict[str, Any]] = {}
        self._terms: dict[str, int] = {}

    def load(self, owner: str, term: int) -> Mapping[str, Any]:
        """Claim and read."""
        self._check(owner, term)
        self._terms[owner] = term
        kept = self._records.get(owner, {})
        return {key: decode_record(text) for key, text in kept.items()} if self.encoded else dict(kept)

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
            raise _refuse(owner, term, self._terms[owner])


class SqliteStore:
    """Records of a real cluster, in one SQLite file in WAL mode. Used from one thread."""

    def __init__(self, path: str) -> None:
        """Open or make the file."""
        # Opened by whoever builds the cluster, used by the store's thread alone from then on.
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # An empty file needs no fsync; from the first checkpoint on SQLite syncs as NORMAL says.
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS terms (owner TEXT PRIMARY KEY, term INTEGER NOT NULL)")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS records"
            " (owner TEXT, key TEXT, record TEXT NOT NULL, PRIMARY KEY (owner, key)) WITHOUT ROWID"
        )
        self._db.execute("CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY, began REAL, latest REAL)")

    def load(self, owner: str, term: int) -> Mapping[str, Any]:
        """Claim and read."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._check(owner, term)
            self._db.execute("INSERT OR REPLACE INTO terms VALUES (?, ?)", (owner, term))
            rows = self._db.execute("SELECT key, record FROM records WHERE owner = ? ORDER BY key", (owner,)).fetchall()
        return {key: decode_record(record) for key, record in rows}

    def save(self, owner: str, changes: Changes, term: int) -> None:
        """Write."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._check(owner, term)
            for key, text in changes:
                if text is None:
                    self._db.execute("DELETE FROM records WHERE owner = ? AND key = ?", (owner, key))
                else:
                    self._db.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (owner, key, text))

    def term(self, owner: str) -> int:
        """The latest claim."""
        row = self._db.execute("SELECT term FROM terms WHERE owner = ?", (owner,)).fetchone()
        return int(row[0]) if row else 0

    def clock_at(self, wall_s: float) -> float:
        """What the cluster's clock reads at this wall time: seconds since the wall time of the first call.

        It stands still rather than go back: not less than was noted, should the wall clock have been set back.
        """
        self._db.execute("INSERT OR IGNORE INTO clock VALUES (1, ?, 0)", (wall_s,))
        began, latest = self._db.execute("SELECT began, latest FROM clock").fetchone()
        return max(wall_s - float(began), float(latest))

    def note_time(self, now: float) -> None:
        """Remember it."""
        self._db.execute("UPDATE clock SET latest = max(latest, ?)", (now,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _check(self, owner: str, term: int) -> None:
        claimed = self.term(owner)
        if term < claimed:
            raise _refuse(owner, term, claimed)
