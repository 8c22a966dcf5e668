"""Where the actors of a real cluster keep what must survive them: one SQLite file in its working folder.

Whatever is wrong with that file is said in one sentence: which file, what is wrong, what to do. The file says by two
numbers in its header that it is ours, and how it is laid out. It is made under another name and renamed when it is
whole, so an empty or foreign file in its place is never the trace of a kill, and never taken for an empty registry.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any
from urllib.parse import quote

from mesolite.actors.errors import WorkDirUnusable
from mesolite.actors.runtime.store import Changes, came_too_late

APPLICATION_ID = int.from_bytes(b"Meso")
SCHEMA = 2
"""Grows when an older Mesolite could not read the file any more."""

_TABLES = """
BEGIN;
CREATE TABLE terms (owner TEXT PRIMARY KEY, term INTEGER NOT NULL);
CREATE TABLE records (owner TEXT, key TEXT, record TEXT NOT NULL, PRIMARY KEY (owner, key)) WITHOUT ROWID;
CREATE TABLE clock (one INTEGER PRIMARY KEY, began REAL, latest REAL);
COMMIT;
"""

_SMALLEST = 512
"""What is smaller than a page SQLite takes for a file without content."""

_DAMAGED = "put back a copy of it, or give another work_dir"
_FORBIDDEN = "let this user write the file and its folder, or give another work_dir"
_FAULTS = {
    "SQLITE_NOTADB": ("it is no SQLite file", _DAMAGED),
    "SQLITE_CORRUPT": ("it is damaged", _DAMAGED),
    "SQLITE_FULL": ("the disk is full", "make room there"),
    "SQLITE_IOERR": ("the disk failed", "look at the disk, and whether it is full"),
    "SQLITE_READONLY": ("it cannot be written", _FORBIDDEN),
    "SQLITE_CANTOPEN": ("it cannot be opened", _FORBIDDEN),
    "SQLITE_BUSY": ("another program keeps it locked", "close whatever has it open"),
}
"""What SQLite's errors mean, and what to do."""


class SqliteStore:
    """Records of a real cluster, in one SQLite file in WAL mode. Used from one thread."""

    def __init__(self, path: str) -> None:
        """Open or make the file.

        Raises:
            WorkDirUnusable: it is damaged, of another program or of a later Mesolite, or cannot be written; and so do
                all methods when the file fails later.
        """
        self._path = path
        with self._explaining():
            self._look_before()
            if not os.path.lexists(path):
                self._make()
            # Opened by whoever builds the cluster, used by the store's thread alone from then on.
            self._db = _connect(path)
            try:
                self._look()
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=NORMAL")
            except BaseException:
                self._db.close()
                raise

    def load(self, owner: str, term: int) -> Mapping[str, Any]:
        """Claim and read."""
        with self._explaining(), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._check(owner, term)
            self._db.execute("INSERT OR REPLACE INTO terms VALUES (?, ?)", (owner, term))
            # As bytes: what is no text must be told apart by its key.
            rows = self._db.execute(
                "SELECT key, CAST(record AS BLOB) FROM records WHERE owner = ? ORDER BY key", (owner,)
            ).fetchall()
        return {key: self._decoded(owner, key, record) for key, record in rows}

    def save(self, owner: str, changes: Changes, term: int) -> None:
        """Write."""
        with self._explaining(), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._check(owner, term)
            for key, kept in changes:
                if kept is None:
                    self._db.execute("DELETE FROM records WHERE owner = ? AND key = ?", (owner, key))
                else:
                    self._db.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (owner, key, kept.text))

    def term(self, owner: str) -> int:
        """The latest claim."""
        with self._explaining():
            row = self._db.execute("SELECT term FROM terms WHERE owner = ?", (owner,)).fetchone()
        return int(row[0]) if row else 0

    def clock_at(self, wall_s: float) -> float:
        """What the cluster's clock reads at this wall time: seconds since the wall time of the first call.

        It stands still rather than go back: not less than was noted, should the wall clock have been set back.
        """
        with self._explaining():
            self._db.execute("INSERT OR IGNORE INTO clock VALUES (1, ?, 0)", (wall_s,))
            began, latest = self._db.execute("SELECT began, latest FROM clock").fetchone()
        return max(wall_s - float(began), float(latest))

    def note_time(self, now: float) -> None:
        """Remember it."""
        with self._explaining():
            self._db.execute("UPDATE clock SET latest = max(latest, ?)", (now,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _check(self, owner: str, term: int) -> None:
        claimed = self.term(owner)
        if term < claimed:
            raise came_too_late(owner, term, claimed)

    # ------------------------------------------------------------------------------------------- opening, and faults

    def _look_before(self) -> None:
        """Refuse what SQLite would take for a new, empty file, or would make one of."""
        path, log = self._path, f"{self._path}-wal"
        if not os.path.lexists(path):
            if os.path.exists(log) and os.path.getsize(log):
                raise self._unusable(f"it is missing, but {log!r} is there", "put it back, or remove that file, too")
        elif not os.path.isfile(path):
            raise self._unusable("it is no file", "move it away, or give another work_dir")
        elif (size := os.path.getsize(path)) < _SMALLEST:
            wrong = "it is no SQLite file" if size else "it is empty"
            raise self._unusable(wrong, "put back a copy of it; if there is nothing to be missed, remove it")

    def _make(self) -> None:
        new = f"{self._path}.new"
        for left in (new, f"{new}-journal", f"{self._path}-wal", f"{self._path}-shm"):
            with suppress(FileNotFoundError):
                os.remove(left)
        with closing(sqlite3.connect(new, isolation_level=None)) as db:
            # An empty file needs no fsync; from the first checkpoint on SQLite syncs as NORMAL says.
            db.execute("PRAGMA synchronous=OFF")
            db.execute("PRAGMA journal_mode=OFF")
            db.execute(f"PRAGMA application_id={APPLICATION_ID}")
            db.execute(f"PRAGMA user_version={SCHEMA}")
            db.executescript(_TABLES)
            db.execute("PRAGMA journal_mode=WAL")
        os.rename(new, self._path)

    def _look(self) -> None:
        """Refuse a file that is not ours, or not whole."""
        application_id, schema = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in _NUMBERS)
        if application_id != APPLICATION_ID:
            raise self._unusable("it is a SQLite file of another program", "move it away, or give another work_dir")
        if schema != SCHEMA:
            raise self._unusable(
                f"it was written by another version of Mesolite, in layout {schema}, and this one knows {SCHEMA}",
                "use that version, or give another work_dir",
            )
        [found] = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise self._unusable(f"it is damaged ({' '.join(found.split())})", _DAMAGED)

    def _decoded(self, owner: str, key: str, record: bytes) -> object:
        from mesolite.messages.codec import decode_record

        try:
            return decode_record(record.decode())
        except ValueError as error:
            why = "; ".join(str(error).splitlines())
            raise self._unusable(f"the record {key!r} of {owner} cannot be read: {why}", _DAMAGED) from error

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            for begins, (wrong, todo) in _FAULTS.items():
                if name.startswith(begins):
                    raise self._unusable(wrong, todo) from error
            raise self._unusable(str(error), _DAMAGED) from error
        except OSError as error:
            raise self._unusable(error.strerror or str(error), "let this user write there") from error

    def _unusable(self, wrong: str, todo: str) -> WorkDirUnusable:
        return WorkDirUnusable(f"the store {self._path!r} cannot be used: {wrong}; {todo}")


_NUMBERS = ("application_id", "user_version")


def _connect(path: str) -> sqlite3.Connection:
    """Open the file that is there."""
    return sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, check_same_thread=False, isolation_level=None)
