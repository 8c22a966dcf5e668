"""The fetcher: brings the files that a command needs into its sandbox, before it starts (http.md HT-215).

What is fetched is on this machine, written `file://` or as a path, or is downloaded by http or https. Archives are
unpacked beside themselves. Nothing is ever written outside the sandbox, whatever a name in a URI or in an archive says.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable

from mesolite.messages.tasks import Uri

TAR_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
DOWNLOADED = ("http", "https")
STALLED_S = 30.0
"""A download may go on for ever, but not stand still for so long."""

CHUNK = 1 << 20
PERMISSIONS = 0o777
EXECUTABLE = 0o755


class CannotFetch(Exception):
    """A file that a command needs is not in its sandbox: the text says which, why not, and what would work."""


def fetch(uri: Uri, sandbox: str, given_up: Callable[[], bool] = lambda: False) -> None:
    """Bring a file into the sandbox, and unpack it if it is an archive; one that is to be executed never is.

    Raises:
        CannotFetch: it cannot be had, must not be put there, or nobody wants it any more.
    """
    scheme, separator, _ = uri.value.partition("://")
    is_far = bool(separator) and scheme.lower() in DOWNLOADED
    try:
        source = uri.value if is_far else _source(uri.value)
        target = _target(uri.output_file or os.path.basename(source), sandbox)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if is_far:
            _download(source, target, given_up)
        else:
            shutil.copy(source, target)
        if uri.executable:
            os.chmod(target, EXECUTABLE)
        elif uri.extract and target.endswith(TAR_ARCHIVES):
            _unpack_tar(target, sandbox)
        elif uri.extract and target.endswith(".zip"):
            _unpack_zip(target, sandbox)
    except (OSError, ValueError, EOFError, tarfile.TarError, zipfile.BadZipFile, RuntimeError) as error:
        raise CannotFetch(f"cannot fetch {uri.value!r}: {error}") from error


def _source(value: str) -> str:
    """The path of what is to be copied. Raises ValueError, if it is not on this machine."""
    scheme, separator, path = value.partition("://")
    if not separator:
        path = value
    elif scheme.lower() != "file":
        raise ValueError(f"nothing is downloaded here by {scheme}; http and https are, and paths are of this machine")
    if path.startswith("localhost/"):
        path = path.removeprefix("localhost")
    if not path.startswith("/"):
        raise ValueError("it is neither an absolute path nor file:// and one")
    return path


def _download(url: str, target: str, given_up: Callable[[], bool]) -> None:
    """Raises OSError, if it is not there or its server is not; ValueError, if it is no address or ends too soon."""
    # They take as long to load as all else here, and few commands need them.
    from http.client import HTTPException  # noqa: PLC0415
    from urllib.request import urlopen  # noqa: PLC0415

    try:
        with urlopen(url, timeout=STALLED_S) as answer, open(target, "wb") as file:  # noqa: S310  the scheme was looked at
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                if given_up():
                    raise InterruptedError("its executor has ended")
            whole = answer.headers["Content-Length"]
    except HTTPException as error:
        raise ValueError(str(error) or type(error).__name__) from error
    if whole is not None and os.path.getsize(target) != int(whole):
        raise ValueError(f"of {whole} bytes only {os.path.getsize(target)} came")


def _target(name: str, sandbox: str) -> str:
    """Where it goes. Raises ValueError, if that is not inside the sandbox, be it by a link."""
    top = os.path.realpath(sandbox)
    target = os.path.realpath(os.path.join(top, name))
    if not target.startswith(f"{top}/"):
        raise ValueError(f"{name!r} is not the name of a file in the sandbox")
    return target


def _unpack_tar(path: str, sandbox: str) -> None:
    """Raises tarfile.TarError, if a member would be outside the sandbox, or is no file, folder or link."""
    if not hasattr(tarfile, "data_filter"):
        raise ValueError("this Python cannot unpack archives safely, as 3.11.4 and later can; say extract=False")
    with tarfile.open(path) as archive:
        archive.extractall(sandbox, filter="data")


def _unpack_zip(path: str, sandbox: str) -> None:
    """What a member's name has of `..` and `/` before it is left out; permissions are kept, as unzip keeps them."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            unpacked = archive.extract(member, sandbox)
            permissions = member.external_attr >> 16 & PERMISSIONS
            if permissions and not member.is_dir():
                os.chmod(unpacked, permissions)
