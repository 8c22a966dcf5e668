"""Where the parties of a real cluster keep what must survive them: one SQLite file in its working folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from mesolite.actors.runtime.store import Changes, came_too_late
from mesolite.messages.codec import decode_record


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
            raise came_too_late(owner, term, claimed)
