r"""Sandboxes and logs over HTTP: what there is, and what is in it (docs/spec/http.md section 12.2, HT-271, HT-272).

A client names a virtual path, which begins with one of the roots; nothing outside of a root is ever shown (HT-365).
A byte of a name that is no UTF-8 is shown as `\xff`, and may be asked for so, too, or as it is: `%FF` (HT-47).
"""

from __future__ import annotations

import errno
import grp
import mimetypes
import os
import pwd
import re
import stat
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs
from attrs import frozen

from mesolite.gateway.v1.writing import Plain

READ_MAX = 65_536
"""So many bytes are read at a time (HT-373)."""

TYPES = mimetypes.MimeTypes().types_map[True]
"""Media types by extension; those that Python knows, whatever the machine has."""

NUMBER = re.compile(r"-?[0-9]{1,18}")
SHOWN_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")
NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
BITS = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
"""Of a mode, what `browse` does not show."""

Roots = Callable[[], Mapping[str, str]]
"""Gives what is attached now: real directories and files by virtual path."""


@attrs.frozen
class FileRefusal(Exception):
    """What was asked of a file cannot be had: the status of the answer, and why (HT-364)."""

    status: int
    text: str

    def __str__(self) -> str:
        """Say why."""
        return self.text


@frozen
class Download:
    """A whole file (HT-363)."""

    body: bytes
    filename: str
    content_type: str

    @property
    def disposition(self) -> str:
        """The Content-Disposition; what cannot stand in a header is replaced."""
        return "attachment; filename=" + re.sub(r"[^ -~]", "_", self.filename)


class Files:
    """What is attached at virtual paths, the longest that fits before the others."""

    def __init__(self, roots: Roots) -> None:
        """`roots` is asked each time, as executors come and go."""
        self._roots = roots

    def browse(self, path: str) -> list[Plain]:
        """A directory's entries, sorted by path; of a file there are none (HT-360).

        Raises:
            FileRefusal: there is no such path, or nobody may look.
        """
        return [
            {
                "path": entry,
                "nlink": info.st_nlink,
                "size": info.st_size,
                "mtime": info.st_mtime,
                "mode": stat.filemode(info.st_mode & ~BITS),
                "uid": _user(info.st_uid),
                "gid": _group(info.st_gid),
            }
            for entry, info in self._entries(path)
        ]

    def list_files(self, path: str) -> Plain:
        """The same for v1 (HT-271).

        Raises:
            FileRefusal: there is no such path, or nobody may look.
        """
        told = [
            {
                "path": entry,
                "nlink": info.st_nlink,
                "size": info.st_size,
                "mtime": {"nanoseconds": info.st_mtime_ns},
                "mode": info.st_mode,
                "uid": _user(info.st_uid),
                "gid": _group(info.st_gid),
            }
            for entry, info in self._entries(path)
        ]
        return {"file_infos": told}

    def read(self, path: str, offset: str = "-1", length: str = "-1") -> Plain:
        """A piece of a file as text; without an offset, or with -1, only its size (HT-361, HT-362).

        `offset` and `length` are the text of the query.

        Raises:
            FileRefusal: there is no such file, or a number is none.
        """
        _check_given(path)
        begin, count = _number("offset", offset), _number("length", length)
        if begin == -1:
            return {"offset": self._piece(path, 0, 0)[0], "data": ""}
        _, piece = self._piece(path, begin, None if count == -1 else count)
        return {"offset": begin, "data": piece.decode("utf-8", "replace")}

    def read_file(self, path: str, offset: int, length: int | None = None) -> Plain:
        """The same for v1: the size of the file, and the bytes as they are (HT-272, HT-362).

        Raises:
            FileRefusal: there is no such file, or a number is negative.
        """
        if offset < 0 or (length is not None and length < 0):
            raise FileRefusal(
                400, f"offset {offset}, length {length}: neither may be negative; leave the length out for all"
            )
        size, piece = self._piece(path, offset, length)
        return {"size": size, "data": b64encode(piece).decode("ascii")}

    def download(self, path: str) -> Download:
        """A whole file, exactly as it is (HT-363).

        Raises:
            FileRefusal: there is no such file.
        """
        real = self._resolved(path)[1]
        with _opened(path, real) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
            body = file.read()
        kind = TYPES.get(os.path.splitext(real)[1].lower(), "application/octet-stream")
        return Download(body, os.path.basename(real), kind)

    def _entries(self, path: str) -> list[tuple[str, os.stat_result]]:
        root, real = self._resolved(path)
        with _refusing(path):
            if not os.path.isdir(real):
                return []
            names = sorted(os.listdir(real))
        shown = ((_shown(f"{path.rstrip('/')}/{name}"), _looked_at(root, os.path.join(real, name))) for name in names)
        return [(entry, info) for entry, info in shown if info is not None]

    def _piece(self, path: str, offset: int, length: int | None) -> tuple[int, bytes]:
        """The size of a file, and some of it: nothing behind its end."""
        real = self._resolved(path)[1]
        with _opened(path, real) as descriptor:
            size = os.fstat(descriptor).st_size
            count = min(READ_MAX, max(0, size - offset), READ_MAX if length is None else length)
            return size, os.pread(descriptor, count, offset) if count else b""

    def _resolved(self, path: str) -> tuple[str, str]:
        """The real root and the real path that are meant by a virtual one; links are followed first (HT-365)."""
        _check_given(path)
        roots = {_tidy(virtual): real for virtual, real in self._roots().items()}
        parts = _tidy(path).split("/")
        for cut in range(len(parts), 0, -1):
            attached = roots.get("/".join(parts[:cut]))
            if attached is not None:
                return _within(path, attached, parts[cut:])
        raise _missing(path)


def _within(path: str, attached: str, rest: list[str]) -> tuple[str, str]:
    try:
        root = os.path.realpath(attached)
        real = os.path.realpath(os.path.join(root, *rest))
        if _is_inside(root, real) and not os.path.lexists(real):
            real = os.path.realpath(os.path.join(root, *map(_from_shown, rest)))
    except ValueError as unfit:
        raise FileRefusal(400, f"{path!r} is no path: {unfit}") from unfit
    # Before anything is looked up: whether a file outside is there must not show, either.
    if not _is_inside(root, real):
        raise FileRefusal(400, f"{path!r} leads out of what is attached; name a path within")
    with _refusing(path):
        if rest and not os.path.isdir(root):
            raise _missing(path)
        os.stat(real)
    return root, real


def _is_inside(root: str, real: str) -> bool:
    return Path(real).is_relative_to(root)


def _looked_at(root: str, real: str) -> os.stat_result | None:
    """An entry; a link is what it leads to only if that is inside. None: it has gone, or leads nowhere."""
    try:
        inside = _is_inside(root, os.path.realpath(real))
        return os.stat(real, follow_symlinks=inside)
    except OSError:
        return None


@contextmanager
def _opened(path: str, real: str) -> Iterator[int]:
    """A file to be read. What would block is not opened: a task may leave a pipe in its sandbox."""
    with _refusing(path):
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                kind = "a directory; browse it" if stat.S_ISDIR(mode) else "no plain file"
                raise FileRefusal(400, f"{path!r} cannot be read: it is {kind}")
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def _refusing(path: str) -> Iterator[None]:
    """Say in Mesos's statuses what the operating system says."""
    try:
        yield
    except OSError as refused:
        if refused.errno in NOT_THERE:
            raise _missing(path) from refused
        raise FileRefusal(500, f"{path!r} cannot be read: {refused.strerror}") from refused


def _check_given(path: str) -> None:
    if not path:
        raise FileRefusal(400, "no path was given; add path=... to the query")


def _missing(path: str) -> FileRefusal:
    return FileRefusal(404, f"there is no {path!r} here; browse what is around it")


def _tidy(path: str) -> str:
    """A path without empty parts, as they mean nothing; a leading slash stays."""
    whole = "/".join(part for part in path.split("/") if part)
    return f"/{whole}" if path.startswith("/") else whole


def _shown(path: str) -> str:
    """A path as strict JSON can have it: bytes that are no UTF-8 are spelt out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _from_shown(name: str) -> str:
    """The name that is shown so."""
    return SHOWN_BYTE.sub(lambda found: chr(0xDC00 + int(found[1], 16)), name)


def _number(name: str, text: str) -> int:
    if not NUMBER.fullmatch(text) or (number := int(text)) < -1:
        raise FileRefusal(400, f"{name}={text}: not a number, or below -1; give {name}=0, say")
    return number


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
