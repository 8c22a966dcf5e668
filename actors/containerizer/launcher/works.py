"""Which works there are, and to which of them each process belongs."""

from __future__ import annotations

import os
from collections.abc import Callable

from mesolite.actors.containerizer.launcher.process_table import (
    LISTS_CHILDREN,
    ON_LINUX,
    children_of,
    mark_of,
    with_descendants,
)


class Work:
    """One command and all that descends from it; or what has escaped, which is a work of its own and has ended."""

    def __init__(self, work_id: str, mark: str, pid: int) -> None:
        """Begin with a main process."""
        self.work_id, self.mark, self.pid = work_id, mark, pid  # of the main process, which leads the session
        self.looks = 0
        """Since it ended, at what may be left of it."""
        self.ended = False
        """The main process has been reaped."""
        self.marked_for_kill = False
        """Whatever is left of it is to be killed."""
        self.candidates: list[Work] = []
        """Of what has escaped: the works that were alive when it was first seen, one of which has started it."""


class Works:
    """Every process below this one, by work."""

    def __init__(self, name: str) -> None:
        """Our marks begin with the name."""
        self._name = name
        self._pid = os.getpid()
        self.live: dict[str, Work] = {}
        """By id."""
        self.sessions: dict[int, Work] = {}
        """Live, and ended but not swept yet, by session."""
        self.unreported: dict[Work, int] = {}
        """Ended with this exit status, or by the signal of which it is the negative, and some of it was alive still."""
        self._orphans: dict[int, Work] = {}  # whose they are: our children that are not main processes
        self._children = os.open(f"/proc/self/task/{self._pid}/children", os.O_RDONLY) if LISTS_CHILDREN else -1

    def add(self, work: Work) -> None:
        """Learn of a new one."""
        self.live[work.work_id] = self.sessions[work.pid] = work

    def reaped(self, pid: int, status: int) -> None:
        """Learn that a child of ours is no more, and how it ended."""
        self._orphans.pop(pid, None)
        work = self.sessions.get(pid)
        if work and not work.ended:
            work.ended = True
            del self.live[work.work_id]
            self.unreported[work] = os.waitstatus_to_exitcode(status)

    def forget_ended(self) -> None:
        """Nothing is left in the sessions of those that have ended."""
        self.sessions = {pid: work for pid, work in self.sessions.items() if not work.ended}

    def children(self) -> list[int]:
        """Our children, orphans included. It is reliable: they leave the list only by being reaped."""
        listed = b""
        if self._children < 0:
            return children_of(self._pid)
        while some := os.pread(self._children, 65536, len(listed)):
            listed += some
        return [int(pid) for pid in listed.split()]

    def owner(self, pid: int) -> Work:
        """The work to which this child of ours belongs. That never changes, so it is looked up once."""
        owner = self.sessions.get(pid)
        if owner is None or owner.ended:
            owner = self._orphans.get(pid)
        if owner is None:
            mark = mark_of(pid)
            marked = (work for work in (*self.sessions.values(), *self.unreported) if work.mark == mark)
            owner = self.sessions.get(os.getsid(pid)) or next(marked, None)
            if owner is None:
                owner = Work("", mark, pid)
                owner.ended = True
                if not mark.startswith(f"{self._name}-"):  # with our mark it is a late birth of an ended work
                    owner.candidates = list(self.live.values())
            self._orphans[pid] = owner
        return owner

    def processes(self, chosen: Callable[[Work], bool], visit: Callable[[int], object] = lambda _: None) -> list[int]:
        """Every process of the chosen works, parents before their children; each is visited before its children are
        looked up.
        """
        roots = [-work.pid for work in self.sessions.values() if chosen(work)]
        if ON_LINUX:
            roots = [pid for pid in self.children() if chosen(self.owner(pid))]
        return with_descendants(roots, visit)
