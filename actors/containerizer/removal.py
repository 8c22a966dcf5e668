"""Removing a folder, however deep it is, and going on past what cannot be removed.

`shutil.rmtree` of Python 3.11 calls itself for every level, stops at what it cannot remove, and empties what is mounted
somewhere below. Here one folder is open at a time, a child is reached by its name and the parent by `..`, so neither
depth nor the length of a path has a limit; nothing moves meanwhile, as every process that could has ended.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator

_TOLD_MAX = 10
_PATH_MAX = 300
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_ALL = stat.S_IRWXU


def remove_tree(path: str) -> list[str]:
    """Remove a folder and all that is in it; returns what is left and why, as much of it as anybody reads.

    What is mounted below it stays as it is. That the folder is not there at all is well.
    """
    removal = _Removal(path)
    try:
        removal.run()
    except OSError as error:  # somebody else moves or removes folders here at the same time
        return [*removal.told(), f"{path!r}: {error.strerror or error}"]
    finally:
        removal.close()
    return removal.told()


def _mounts_below(path: str) -> frozenset[str]:
    """The folders below this one on which something is mounted, where the system says so."""
    top = os.path.realpath(path) + "/"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
            points = [line.split(" ", 5)[4] for line in table]
    except OSError:  # not Linux
        return frozenset()
    plain = (re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), point) for point in points)  # a space, say
    return frozenset(point.removeprefix(top) for point in plain if point.startswith(top))


class _Removal:
    """One walk through a tree, from the top down and back up."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._mounts = _mounts_below(path)
        self._trail: list[str] = []  # names from the top to where we are
        self._fd = -1  # where we are
        self._left: list[str] = []
        self._uncounted = 0

    def run(self) -> None:
        """Remove all that can be removed."""
        try:
            self._fd = self._open(self._path)
        except FileNotFoundError:
            return
        except OSError as error:
            self._keep(None, error)
            return
        folders = [self._empty()]  # per level, those not seen yet
        while folders:
            if not folders[-1]:
                folders.pop()
                self._leave()
            elif self._enter(folders[-1].pop()):
                folders.append(self._empty())

    def close(self) -> None:
        """Hold no folder open."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def told(self) -> list[str]:
        """What is left, and why."""
        return [*self._left, *([f"and {self._uncounted} more"] if self._uncounted else [])]

    def _open(self, name: str) -> int:
        """Open a folder below the one where we are, and be allowed to change it."""
        here = self._fd if self._fd >= 0 else None
        try:
            fd = os.open(name, _FOLDER, dir_fd=here)
        except PermissionError:
            os.chmod(name, _ALL, dir_fd=here)
            fd = os.open(name, _FOLDER, dir_fd=here)
        if os.fstat(fd).st_mode & _ALL != _ALL:
            with contextlib.suppress(OSError):  # not ours; what cannot be removed will be told
                os.fchmod(fd, _ALL)
        return fd

    def _empty(self) -> list[str]:
        """Remove all files here; returns the folders."""
        folders = []
        for name, is_folder in self._entries():
            if is_folder:
                folders.append(name)
                continue
            try:
                os.unlink(name, dir_fd=self._fd)
            except FileNotFoundError:
                pass
            except OSError as error:
                self._keep(name, error)
        return folders

    def _entries(self) -> Iterator[tuple[str, bool]]:
        try:
            with os.scandir(self._fd) as entries:
                return iter([(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries])
        except OSError as error:
            self._keep(None, error)
            return iter(())

    def _enter(self, name: str) -> bool:
        """Go into a folder below this one; whether that could be."""
        if self._mounts and "/".join([*self._trail, name]) in self._mounts:
            self._keep(name, OSError(errno.EBUSY, "something is mounted there"))
            return False
        try:
            fd = self._open(name)
        except FileNotFoundError:
            return False
        except OSError as error:
            self._keep(name, error)
            return False
        self._go(fd)
        self._trail.append(name)
        return True

    def _leave(self) -> None:
        """Go back up, and remove the folder from which we come, unless something is left in it."""
        if not self._trail:
            self.close()
            name = self._path
        else:
            self._go(os.open("..", _FOLDER, dir_fd=self._fd))
            name = self._trail.pop()
        try:
            os.rmdir(name, dir_fd=self._fd if self._fd >= 0 else None)
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not self._left:
                self._keep(name if self._fd >= 0 else None, error)

    def _go(self, fd: int) -> None:
        left, self._fd = self._fd, fd
        os.close(left)

    def _keep(self, name: str | None, error: OSError) -> None:
        """Note what cannot be removed."""
        if len(self._left) >= _TOLD_MAX:
            self._uncounted += 1
            return
        path = os.path.join(self._path, *self._trail, *([name] if name is not None else []))
        if len(path) > _PATH_MAX:
            path = f"{path[: _PATH_MAX // 2]}...{path[-_PATH_MAX // 2 :]}"
        self._left.append(f"{path!r}: {error.strerror or error}")
