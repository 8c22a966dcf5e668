"""The folder that a cluster was told to work in: one cluster at a time, as long as its process lives.

In it lies a file that names the process and is locked. The kernel lets go of the lock when the process is no more,
however it ended; so what a killed one has left can be used at once, and no age or pid is ever guessed from.

A lock belongs to an open file, and a forked process has the same file open. There it is closed at once, or else the
child would keep the folder from everybody after its parent's end; what is executed has it closed by the kernel. The
child itself cannot have that folder even then: SQLite must not open a file whose connection it has inherited.
"""

from __future__ import annotations

import fcntl
import os
import threading

from mesolite.actors.errors import WorkDirInUse, WorkDirUnusable

LOCK = "in-use-by"

_held: dict[int, tuple[int, int]] = {}
"""The locked files of this process, and which each is."""
_inherited: dict[tuple[int, int], None] = {}
"""Those that were locked when this process was forked from another."""
_changing = threading.RLock()
"""Held while a file is open that is not among them yet, so that nobody forks just then."""


class WorkFolder:
    """A folder that no other cluster may use until `leave`, or until this process ends."""

    def __init__(self, path: str) -> None:
        """Make the folder if it is not there, and take it.

        Raises:
            WorkDirInUse: another cluster has it; the text names its process.
            WorkDirUnusable: it cannot be made, or not be written in.
        """
        self.name = os.path.abspath(path)
        try:
            os.makedirs(self.name, exist_ok=True)
            self._lock = _take(self.name)
        except OSError as error:
            raise WorkDirUnusable(
                f"work_dir {self.name!r} cannot be used: {error.strerror}; give a folder in which this user may write"
            ) from error

    def leave(self) -> None:
        """Let go of the folder, which stays. Doing it twice is harmless, and doing it in a forked process, too."""
        with _changing:
            if self._lock in _held:
                del _held[self._lock]
                os.close(self._lock)
            self._lock = -1


def _take(path: str) -> int:
    with _changing:
        fd = os.open(f"{path}/{LOCK}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            about = os.fstat(fd)
            which = about.st_dev, about.st_ino
            _lock(fd, path, which)
        except BaseException:
            os.close(fd)
            raise
        _held[fd] = which
    return fd


def _lock(fd: int, path: str, which: tuple[int, int]) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _in_use(path, os.pread(fd, 20, 0).decode()) from None
    if which in _inherited:
        raise WorkDirUnusable(
            f"work_dir {path!r} cannot be used here: this process was forked from one that had a cluster in it; use it"
            " in a process started anew, or give another work_dir"
        )
    os.ftruncate(fd, 0)
    os.write(fd, str(os.getpid()).encode())


def _in_use(path: str, holder: str) -> WorkDirInUse:
    # Between its taking the lock and saying so the file may be empty, or name the one before.
    who = f"process {holder}" + (" (this one)" if holder == str(os.getpid()) else "")
    return WorkDirInUse(
        f"work_dir {path!r} is in use: a cluster in {who} has it; close that one first, or give another work_dir"
    )


def _forked() -> None:
    """In a forked process: the folders are its parent's."""
    for fd, which in _held.items():
        os.close(fd)
        _inherited[which] = None
    _held.clear()
    _changing.release()


os.register_at_fork(before=_changing.acquire, after_in_parent=_changing.release, after_in_child=_forked)
