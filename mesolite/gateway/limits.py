"""What the HTTP server puts up with, and how many connections the operating system lets it have (HT-375 to HT-379)."""

from __future__ import annotations

import os
import resource
import sys

from attrs import frozen

from mesolite.actors.logs import logger

STREAMS = 10_000
"""That many streams a process should be able to hold open (HT-379)."""

SPARE = 6_384
"""Descriptors for all else: files, pipes to tasks, calls beside the streams."""


@frozen(kw_only=True)
class Limits:
    """Where the server's patience with a client ends. Sizes are in bytes."""

    line: int = 8 * 1024  # HT-375
    head: int = 64 * 1024  # HT-375
    body: int = 64 * 1024 * 1024  # HT-376, HT-41
    head_s: float = 30.0  # HT-377
    body_s: float = 300.0  # HT-377, without progress
    idle_s: float = 300.0  # HT-378
    write_s: float = 75.0  # HT-188, without progress
    waiting: int = 64 * 1024 * 1024  # HT-62
    waiting_records: int = 100_000  # HT-62


def file_limit() -> int:
    """How many files and sockets this process may have open at a time."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def descriptors_left() -> int:
    """How many more of them it can open now."""
    return file_limit() - len(os.listdir("/dev/fd"))


def make_room_for_streams() -> None:
    """Raise the limit of open files as far as wanted and allowed; say so if that is not enough (HT-379).

    No further than wanted: tasks inherit it, and old programs close every number below it when they start.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = STREAMS + SPARE if hard == resource.RLIM_INFINITY else min(STREAMS + SPARE, hard)
    if file_limit() < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if (left := descriptors_left()) < STREAMS:
        logger.warning(
            "This process may open {} files and sockets, {} more than it has: the HTTP server cannot hold {} streams; "
            "raise the hard limit (ulimit -Hn) if there are to be that many",
            file_limit(),
            left,
            STREAMS,
        )
