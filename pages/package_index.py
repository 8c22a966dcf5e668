"""The README as a package index can show it, where no file lies beside it: make package-index.

If the metadata names the repository, links and pictures lead there. If not, pages are named without a link, and
pictures are left out: no link is better than one that leads nowhere. setup.cfg has the result as long description.
"""

from __future__ import annotations

import re

from pages.links import ROOT, plain_fences, relinked, repository

MADE = ROOT / "pages" / "package-index.md"
PICTURES = re.compile(r"(?:## The house\n\n[^<]*)?<picture>.*?</picture>\n\n", re.DOTALL)
NOTE = "<!-- Made from README.md: make package-index -->\n\n"


def text(where: str | None) -> str:
    """The README, with links into that repository; None: without links."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    if where is None:
        readme = PICTURES.sub("", readme)
    return NOTE + plain_fences(relinked(readme, "README.md", lambda file: _address(where, file)))


def _address(where: str | None, file: str) -> str | None:
    """Where a file can be read, a picture as it is and anything else as a page."""
    if where is None:
        return None
    return f"{where}/{'raw' if file.endswith('.svg') else 'blob'}/main/{file}"


if __name__ == "__main__":
    MADE.write_text(text(repository()), encoding="utf-8")
