"""One cluster at a time works in a folder, as long as its process lives and no longer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from mesolite import Cluster, MesoliteError, Refused, WorkDirInUse, WorkDirUnusable
from tests.cluster.real_commands import PATIENCE_S, command, run_to_the_end

HOST = """
import multiprocessing, os, subprocess, sys, threading
from mesolite import Cluster, Refused
cluster = Cluster(work_dir=sys.argv[1])
cluster.ready()
{then}
os.write(1, b"ready\\n")
sys.stdin.read()
"""


class Host:
    """A process with a cluster."""

    def __init__(self, folder: Path, then: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOST.replace("{then}", then), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def hear(self) -> str:
        """The next line that it, or a child of it, has said."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip()

    def say(self, line: str) -> None:
        """Let whoever reads go on."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait(PATIENCE_S)


@contextmanager
def a_host(folder: Path, then: str = "") -> Iterator[Host]:
    """A process with a cluster in that folder that has done `then`; what it has left ends with the context."""
    host = Host(folder, then)
    with host.process:
        try:
            yield host
        finally:
            host.kill()


def works(folder: Path) -> None:
    """A cluster in that folder gets ready and runs a command."""
    with Cluster(work_dir=folder) as cluster:
        scheduler, _ = run_to_the_end(cluster, command("t", "exit 0"))
        assert scheduler.states("t")[-1] == "FINISHED"


def test_a_second_cluster_in_this_process_is_refused(tmp_path: Path) -> None:
    """Under whatever name of the folder; the first is not disturbed, and after its end the folder is free."""
    (tmp_path / "link").symlink_to(tmp_path / "d")
    with Cluster(work_dir=tmp_path / "d") as first:
        for again in (tmp_path / "d", str(tmp_path / "d"), tmp_path / "." / "d" / ".." / "d", tmp_path / "link"):
            with pytest.raises(WorkDirInUse, match=rf"a cluster in process {os.getpid()} \(this one\) has it"):
                Cluster(work_dir=again)
        first.operator.deactivate("agent-1")
        first.operator.reactivate("agent-1")
        scheduler, _ = run_to_the_end(first, command("t", "exit 0"))
        assert scheduler.states("t")[-1] == "FINISHED"

    works(tmp_path / "d")


def test_the_refusal_says_who_has_it_and_what_to_do(tmp_path: Path) -> None:
    """In one sentence, as an error of the tree."""
    with Cluster(work_dir=tmp_path), pytest.raises(Refused) as refused:
        Cluster(work_dir=tmp_path)

    assert isinstance(refused.value, MesoliteError)
    assert str(refused.value) == (
        f"work_dir {str(tmp_path)!r} is in use: a cluster in process {os.getpid()} (this one) has it; "
        "close that one first, or give another work_dir"
    )


def test_a_second_cluster_in_another_process_is_refused(tmp_path: Path) -> None:
    """The text names the process that has it; when that ends in peace the folder is free."""
    with a_host(tmp_path) as host:
        assert host.hear() == "ready"
        with pytest.raises(WorkDirInUse, match=f"a cluster in process {host.process.pid} has it; close that one first"):
            Cluster(work_dir=tmp_path)
        host.process.communicate(timeout=PATIENCE_S)

        works(tmp_path)


def test_a_killed_process_leaves_the_folder_free(tmp_path: Path) -> None:
    """At once, with its agent's launcher perhaps still clearing up; and once more."""
    for _ in range(2):
        with a_host(tmp_path) as host:
            assert host.hear() == "ready"
            host.kill()

            works(tmp_path)


STAY = "os.write(1, b'%d\\n' % os.getpid())\n    sys.stdin.read()\n    os._exit(0)\n"
CHILDREN = {
    "forked": f"if os.fork() == 0:\n    {STAY}",
    "forked twice": f"if os.fork() == 0:\n    os.fork() and os._exit(0)\n    {STAY}",
    "forked while another thread closes a cluster": (
        "other = Cluster(work_dir=sys.argv[1] + '/other')\n"
        "threading.Thread(target=other.close).start()\n"
        f"if os.fork() == 0:\n    {STAY}"
    ),
    "by multiprocessing": (
        "def stay():\n    sys.stdin = open(0)\n    "
        f"{STAY}multiprocessing.get_context('fork').Process(target=stay).start()\n"
    ),
    "executed": "subprocess.Popen(['sh', '-c', 'echo $$; read wait'])\n",
    "executed with all files": "subprocess.Popen(['sh', '-c', 'echo $$; read wait'], close_fds=False)\n",
}


@pytest.mark.parametrize("child", CHILDREN.values(), ids=CHILDREN)
def test_a_child_of_a_killed_process_does_not_keep_the_folder(tmp_path: Path, child: str) -> None:
    """However it came to be, and though it lives on."""
    with a_host(tmp_path, child) as host:
        told = host.hear(), host.hear()
        pid = next(int(line) for line in told if line != "ready")
        host.kill()

        works(tmp_path)

        assert psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_child_is_refused_the_folder_of_its_parent(tmp_path: Path) -> None:
    """The text names the parent; once that has closed its cluster, the text says what still forbids it."""
    child = """free, closed = os.pipe()
def attempt():
    try:
        Cluster(work_dir=sys.argv[1])
    except Refused as why:
        os.write(1, str(why).encode() + b"\\n")
if os.fork() == 0:
    attempt()
    os.read(free, 1)
    attempt()
    os._exit(0)
os.read(0, 1)
cluster.close()
os.write(closed, b".")
"""
    with a_host(tmp_path, child) as host:
        assert f"a cluster in process {host.process.pid} has it" in host.hear()
        host.say("")
        told = sorted([host.hear(), host.hear()])
        assert told[0] == "ready"
        assert re.search("was forked from one that had a cluster in it; use it in a process started anew", told[1])

        host.kill()
        works(tmp_path)


def test_what_is_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    """No thread, no process, no open file; and it does not let go of the first one's lock."""
    with Cluster(work_dir=tmp_path):
        before = threading.enumerate(), psutil.Process().num_fds(), psutil.Process().children(recursive=True)
        for _ in range(3):
            with pytest.raises(WorkDirInUse):
                Cluster(work_dir=tmp_path)
        assert before == (threading.enumerate(), psutil.Process().num_fds(), psutil.Process().children(recursive=True))


def test_what_reads_all_files_of_the_folder_does_not_take_it_away(tmp_path: Path) -> None:
    """A lock of the process's own would be gone as soon as somebody in it closes that file."""
    with Cluster(work_dir=tmp_path / "d"):
        shutil.copytree(tmp_path / "d", tmp_path / "copy")
        with pytest.raises(WorkDirInUse):
            Cluster(work_dir=tmp_path / "d")
        works(tmp_path / "copy")


@pytest.mark.parametrize("inside", ["file", "file/deeper", "loop/deeper"])
def test_a_folder_that_cannot_be_is_refused(tmp_path: Path, inside: str) -> None:
    """The text names it, the reason, and what to do."""
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises(WorkDirUnusable, match=r"work_dir '.*' cannot be used: [A-Z].*; give a folder in which this"):
        Cluster(work_dir=tmp_path / inside)
