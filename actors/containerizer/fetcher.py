"""The fetcher: brings the files that a command needs into its sandbox, before it starts (http.md HT-215).

What is fetched is on this machine: in Mesos too, whatever is written `file://` or as a path. Archives are unpacked
beside themselves. Nothing is ever written outside the sandbox, whatever a name in a URI or in an archive says.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile

from mesolite.messages.tasks import Uri

TAR_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
PERMISSIONS = 0o777
EXECUTABLE = 0o755


class CannotFetch(Exception):
    """A file that a command needs is not in its sandbox: the text says which, why not, and what would work."""


def fetch(uri: Uri, sandbox: str) -> None:
    """Copy a file into the sandbox, and unpack it if it is an archive; one that is to be executed never is.

    Raises:
        CannotFetch: it cannot be had, or must not be put there.
    """
    try:
        source = _source(uri.value)
        target = _target(uri.output_file or os.path.basename(source), sandbox)
        os.makedirs(os.path.dirname(target), exist_ok=True)
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
        raise ValueError(f"nothing is downloaded here by {scheme}; put it on the agent's machine and name its path")
    if path.startswith("localhost/"):
        path = path.removeprefix("localhost")
    if not path.startswith("/"):
        raise ValueError("it is neither an absolute path nor file:// and one")
    return path


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
