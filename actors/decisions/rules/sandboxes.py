"""Where a run of an executor has its sandbox, whatever the ids of its agent, framework and executor look like.

    <work_dir>/<agent id>/<framework id>/<executor id>.<life of the agent>-<run>

An id that is short and harmless is its own folder's name. Any other is shown by what is harmless of its beginning, and
a digest of the whole: `a-very-long-na~0123456789abcdef...`. No plain name holds `~`, so no two ids share a folder.
"""

from __future__ import annotations

import hashlib
import re

PLAIN_MAX = 64
"""Characters of the longest id that is its own folder's name; file systems take names of 255 bytes."""

SHOWN_MAX = 24
"""Characters that are shown of another id."""

DIGEST_CHARACTERS = 32
HARMLESS = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", re.ASCII)
HARMFUL = re.compile(r"[^A-Za-z0-9._-]", re.ASCII)


def folder_name(name: str) -> str:
    """The folder of an id, of at most `PLAIN_MAX` characters that every file system takes; never that of another id."""
    if len(name) <= PLAIN_MAX and HARMLESS.fullmatch(name):
        return name
    # An id may hold half of a surrogate pair, which has no bytes of its own.
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[: DIGEST_CHARACTERS]
    return f"{HARMFUL.sub('_', name[:SHOWN_MAX])}~{digest}"


def container_id(agent: str, sandbox: str) -> str:
    """Name one run of an executor, as no other run on that agent is named; there is no dot in it (http.md HT-322)."""
    life_and_run = sandbox.rpartition(".")[2]
    return f"{folder_name(agent).replace('.', '_')}-{life_and_run}"


def sandbox(work_dir: str, agent_id: str, framework_id: str, executor_id: str, run: str) -> str:
    """The path of a run's sandbox; `run` tells it from other runs of that executor there."""
    return f"{work_dir}/{folder_name(agent_id)}/{folder_name(framework_id)}/{folder_name(executor_id)}.{run}"
