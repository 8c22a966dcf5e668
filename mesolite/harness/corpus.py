"""Failing scripts that are kept: one file per scenario and failure, in `.mesolite/` beside the file of the scenario.

There they stay wherever they are asked for from, and however many processes find some: a file is put in its place
whole, under a name that only this failure of this scenario has. `.mesolite/` ignores itself in git.
"""

from __future__ import annotations

import pathlib
import re
import zlib
from collections.abc import Sequence

from mesolite.harness.failure import Failure

FOLDER = ".mesolite"
NAME_CHARACTERS = 80


class Corpus:
    """The kept scripts of one scenario.

    Attributes:
        folder: where they are.
    """

    def __init__(self, file: pathlib.Path, names: Sequence[str]) -> None:
        """Look beside that file, in which these names lead to the scenario."""
        self.folder = file.parent / FOLDER
        # Names differ in what may not stand in a file name, so that the readable part alone does not tell them apart.
        words = re.sub(r"[^\w.-]+", "-", "-".join(names), flags=re.ASCII)[:NAME_CHARACTERS]
        self._stem = f"{words}-{_digits('::'.join([file.name, *names]))}"

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
                ignore.write_text("# made by mesolite: copy what is to stay out of here\n*\n")
        # The line that failed counts, but not the folder that the project is in.
        identity = f"{failure.identity.what} {pathlib.PurePath(failure.identity.where).name}"
        return failure.save((folder or self.folder) / f"{self._stem}-{_digits(identity)}.json")


def _digits(text: str) -> str:
    return f"{zlib.crc32(text.encode('utf-8', 'backslashreplace')):08x}"
