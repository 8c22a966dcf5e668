"""Failing scripts that are kept: one file per test and failure, in `.mesolite/` beside the file of the test.

There they stay wherever pytest is called from, and however many processes run tests: a file is put in its place whole,
under a name that only this failure of this test has. `.mesolite/` ignores itself in git; what is to stay is promoted to
a folder of the project's own with `--mesolite-keep`.
"""

from __future__ import annotations

import pathlib
import re
import zlib

import pytest

from mesolite.harness.failure import Failure

FOLDER = ".mesolite"
NAME_CHARACTERS = 80


class Corpus:
    """The kept scripts of one test.

    Attributes:
        folder: where they are.
    """

    def __init__(self, item: pytest.Item) -> None:
        """Look beside the file of that test."""
        self.folder = item.path.parent / FOLDER
        names = [node.name for node in item.listchain() if not isinstance(node, pytest.Session | pytest.Directory)]
        # Names differ in what may not stand in a file name, so that the readable part alone does not tell them apart.
        words = re.sub(r"[^\w.-]+", "-", "-".join(names[1:]), flags=re.ASCII)[:NAME_CHARACTERS]
        self._stem = f"{words}-{_digits('::'.join([item.path.name, *names[1:]]))}"

    def files(self) -> list[pathlib.Path]:
        """The scripts that have failed and were not seen to pass since."""
        return sorted(self.folder.glob(f"{self._stem}-*.json"))

    def keep(self, failure: Failure, folder: pathlib.Path | None = None) -> pathlib.Path:
        """Keep a failure, in a folder of the project's own if one is given.

        Raises:
            OSError: nothing can be written there.
        """
        if folder is None:
            self.folder.mkdir(exist_ok=True)
            ignore = self.folder / ".gitignore"
            if not ignore.exists():
                ignore.write_text("# made by mesolite: `pytest --mesolite-keep DIR` keeps what is to stay\n*\n")
        # The line that failed counts, but not the folder that the project is in.
        identity = f"{failure.identity.what} {pathlib.PurePath(failure.identity.where).name}"
        return failure.save((folder or self.folder) / f"{self._stem}-{_digits(identity)}.json")


def _digits(text: str) -> str:
    return f"{zlib.crc32(text.encode('utf-8', 'backslashreplace')):08x}"
