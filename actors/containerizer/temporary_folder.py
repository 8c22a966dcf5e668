"""The temporary folder of a cluster, which goes with it; what a killed process has left goes with the next cluster.

In each folder lies a file that names its owner, by pid and by when that process began, and is locked as long as it
lives. A folder is swept only if it is this user's, its file is whole, its owner is no more and nobody holds the lock.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import stat
import tempfile

from mesolite.actors.containerizer.removal import remove_tree
from mesolite.actors.logs import logger

PREFIX = "mesolite-"
OWNER = "owner.json"

PASSABLE = 0o711
"""The mode of a folder of root's: commands of other users get to their sandboxes, and see nothing else."""


class TemporaryFolder:
    """A folder that is there until `leave`, or until this process ends."""

    def __init__(self) -> None:
        """Sweep what the dead have left, and make a new one."""
        top = tempfile.gettempdir()
        _sweep(top)
        self._pid = os.getpid()
        self.name = tempfile.mkdtemp(prefix=PREFIX, dir=top)
        if os.geteuid() == 0:
            os.chmod(self.name, PASSABLE)
        self._owner = os.open(f"{self.name}/{OWNER}", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._owner, fcntl.LOCK_EX)  # it goes with this process, and with what that has forked
        os.write(self._owner, json.dumps({"pid": self._pid, "began": _began(self._pid)}).encode())
        atexit.register(self.leave)

    def leave(self) -> None:
        """Remove it; says what could not be, and does nothing in a forked process. If interrupted, call it again."""
        if os.getpid() != self._pid:
            return
        for what in _remove(self.name):
            logger.warning("left behind: {}", what)
        atexit.unregister(self.leave)
        if self._owner >= 0:
            owner, self._owner = self._owner, -1
            os.close(owner)


def _began(pid: int) -> str | None:
    """When that process began, in units of its system; empty where systems do not tell, None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(") ")[2].split()[19]
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""


def _remove(path: str) -> list[str]:
    """Remove a folder, its owner's name last, so that what is left can still be swept by a later cluster."""
    left = []
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(path):
            if name != OWNER:
                left += _remove_entry(f"{path}/{name}")
    return left or remove_tree(path)


def _remove_entry(path: str) -> list[str]:
    if os.path.isdir(path) and not os.path.islink(path):
        return remove_tree(path)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        return [f"{path!r}: {error.strerror}"]
    return []


def _sweep(top: str) -> None:
    """Remove the folders of processes that have ended without doing so; quietly, as nobody here has made them."""
    with contextlib.suppress(OSError), os.scandir(top) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                    _sweep_one(entry.path)


def _sweep_one(path: str) -> None:
    """Remove one folder if it is this user's and its owner has gone. Raises whatever shows that it is none of ours."""
    if os.stat(path, follow_symlinks=False).st_uid != os.geteuid():
        return
    fd = os.open(f"{path}/{OWNER}", os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        owner = json.loads(os.read(fd, 1000))
        if _began(int(owner["pid"])) != owner["began"]:
            left = _remove(path)
            logger.debug("swept {}, left by process {}; what could not be removed: {}", path, owner["pid"], left)
    finally:
        os.close(fd)
