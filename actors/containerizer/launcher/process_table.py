"""What the kernel says of processes, and how to signal one; empty answers where the process is gone, or unknown here.

The host looks here, too: at what is alive, and when it clears up after a launcher that was killed.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable

MARK = "MESOLITE_WORK"
ON_LINUX = sys.platform == "linux"
LISTS_CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")  # some kernels are built without


def read(path: str) -> bytes:
    """The whole of a small file; nothing when it is gone or forbidden."""
    with contextlib.suppress(OSError), open(path, "rb", buffering=0) as file:
        return file.readall()
    return b""


def all_processes() -> list[int]:
    """Every process of the machine, zombies included. Empty if this is not Linux."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()] if ON_LINUX else []


def stat_of(pid: int) -> list[bytes]:
    """The fields of /proc/<pid>/stat from the state and the parent on, past the name; empty when it is gone."""
    return read(f"/proc/{pid}/stat").rpartition(b") ")[2].split()


def is_alive(pid: int) -> bool:
    """Whether this process exists and is no zombie. One that still has threads is alive: only its first has ended."""
    return bool(fields := stat_of(pid)) and (fields[0] not in b"ZX" or int(fields[17]) > 1)


def has_memory(pid: int) -> bool:
    """Whether this process has any memory, as all have but the dead and the dying."""
    return bool(read(f"/proc/{pid}/statm").strip(b"0 \n"))


def has_stopped(pid: int) -> bool:
    """Whether all threads of this process have stopped or ended: one that was told to may yet be forking."""
    with contextlib.suppress(OSError):
        threads = os.listdir(f"/proc/{pid}/task")
        return all(read(f"/proc/{pid}/task/{tid}/stat").rpartition(b") ")[2][:1] in b"TtZX" for tid in threads)
    return True


def children_of(pid: int) -> list[int]:
    """The children of a process, zombies included. Complete if it is stopped, or is the launcher itself."""
    if not LISTS_CHILDREN:
        return [other for other in all_processes() if stat_of(other)[1:2] == [str(pid).encode()]]
    with contextlib.suppress(OSError):
        threads = os.listdir(f"/proc/{pid}/task")
        return [int(child) for tid in threads for child in read(f"/proc/{pid}/task/{tid}/children").split()]
    return []


def with_descendants(roots: Iterable[int], visit: Callable[[int], object] = lambda _: None) -> list[int]:
    """The roots and everything below them. Each is visited before its children are looked up."""
    found = dict.fromkeys(roots)
    unseen = list(found)
    while unseen:
        pid = unseen.pop()
        visit(pid)
        fresh = [child for child in children_of(pid) if child not in found]
        found.update(dict.fromkeys(fresh))
        unseen += fresh
    return list(found)


def mark_of(pid: int) -> str:
    """The mark in the environment with which this process began; empty when absent or unreadable."""
    environment = b"\0" + read(f"/proc/{pid}/environ")
    return os.fsdecode(environment.partition(f"\0{MARK}=".encode())[2].partition(b"\0")[0])


def send(pid: int, signum: int) -> bool:
    """Whether the signal could be sent. A negative pid means that process group."""
    with contextlib.suppress(OSError):  # it is gone, it is not ours, or there is no such signal
        os.kill(pid, signum)
        return True
    return False
