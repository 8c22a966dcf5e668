"""Links of our pages where the pages are not files of a checkout: on the site, and in a package index."""

from __future__ import annotations

import configparser
import posixpath
import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")
PICTURE = re.compile(r"(?P<before>\b(?:src|srcset)=\")(?P<target>[^\":]+)(?=\")")
FENCE = re.compile(r"^(```|~~~)(\w+) (?:output|exits with \d|not run: .*)$", re.MULTILINE)
REPOSITORY = ("repository", "source", "source code")
"""What the address of the repository may be called among the project's URLs."""


def repository() -> str | None:
    """Where the sources can be read, by the metadata of the package; None if that does not say."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = setup.get("metadata", "project_urls", fallback="").splitlines()
    urls = {name.strip().lower(): url.strip() for name, _, url in (line.partition("=") for line in lines)}
    return next((urls[name].rstrip("/") for name in REPOSITORY if name in urls), None)


def relinked(markdown: str, source: str, address: Callable[[str], str | None]) -> str:
    """Send the links and pictures of a file of the repository to the addresses of what they lead to.

    A file without an address, None, is named without a link. What leads nowhere stays as it is, to be found.
    """

    def target_of(found: re.Match[str]) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(source), found["target"]))

    def link(found: re.Match[str]) -> str:
        target, anchor = target_of(found), found["anchor"] or ""
        if not (ROOT / target).exists():
            return found[0]
        there = address(target)
        return found["text"] if there is None else f"[{found['text']}]({there}{anchor})"

    def picture(found: re.Match[str]) -> str:
        return f"{found['before']}{address(target_of(found)) or found['target']}"

    return LINK.sub(link, PICTURE.sub(picture, markdown))


def plain_fences(markdown: str) -> str:
    """Let the fence of a block of code say a language and nothing else, as other readers of Markdown want it."""
    return FENCE.sub(r"\1\2", markdown)
