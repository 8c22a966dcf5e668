"""Where the failing scripts of a test are kept: in `.mesolite/` beside its file.

What is to stay is promoted to a folder of the project's own with `--mesolite-keep`.
"""

from __future__ import annotations

import pytest

from mesolite.harness.corpus import Corpus


def corpus_of(item: pytest.Item) -> Corpus:
    """The kept scripts of a test."""
    names = [node.name for node in item.listchain() if not isinstance(node, pytest.Session | pytest.Directory)]
    return Corpus(item.path, names[1:])
