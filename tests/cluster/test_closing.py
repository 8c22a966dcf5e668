"""Closing a cluster: interrupted, hindered, repeated; and what a killed one has left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mesolite import Cluster, CommandInfo, Refused, TaskInfo
from mesolite.actors.containerizer import commands
from mesolite.actors.containerizer.temporary_folder import OWNER
from mesolite.actors.runtime.thread import Thread
from tests.cluster.real_commands import PATIENCE_S, Launching, Pipes, command, pipes_in, run_to_the_end
from tests.logs import logged
from tests.scenarios.schedulers import Recorder

pytestmark = pytest.mark.slow

STUBBORN = """exec 9>"$LIFE"; trap '' TERM; echo ready > "$TOLD"; while :; do sleep 1000 & wait; done"""


@pytest.fixture
def pipes(tmp_path: Path) -> Iterator[Pipes]:
    with pipes_in(tmp_path / "pipes") as pipes:
        yield pipes


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where clusters make their temporary folders."""
    top = tmp_path / "tmp"
    top.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(top))
    return top


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What is logged as a warning or worse."""
    with logged() as lines:
        yield lines


def held() -> tuple[set[threading.Thread], set[psutil.Process], int]:
    """This process's threads, the processes below it, and how many files it has open."""
    process = psutil.Process()
    return set(threading.enumerate()), set(process.children(recursive=True)), process.num_fds()


def busy(pipes: Pipes) -> Cluster:
    """A cluster of two agents, each with a command that does not want to go."""
    cluster = Cluster(agents=2)
    for agent in ("agent-1", "agent-2"):
        cluster.run(Launching(command(agent, STUBBORN, **pipes.environment), on=agent), agent)
        pipes.hear()
    return cluster


@pytest.mark.parametrize("interrupted", range(8))
def test_a_close_that_is_interrupted_can_be_repeated(
    folders: Path, pipes: Pipes, monkeypatch: pytest.MonkeyPatch, interrupted: int
) -> None:
    """Wherever Ctrl-C comes while it waits, the next close leaves no process, thread, file and folder."""
    before = held()
    cluster = busy(pipes)
    waits, wait = iter(range(100)), Thread.wait

    def wait_or_not(thread: Thread, timeout_s: float | None = None) -> bool:
        if threading.current_thread() is threading.main_thread() and next(waits) == interrupted:
            raise KeyboardInterrupt
        return wait(thread, timeout_s)

    monkeypatch.setattr(Thread, "wait", wait_or_not)
    with pytest.raises(KeyboardInterrupt):
        cluster.close()
    cluster.close()

    pipes.all_gone()
    assert held() == before
    assert list(folders.iterdir()) == []
    cluster.close()


def test_a_removal_that_is_interrupted_can_be_repeated(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By then all else has ended; the second close finds what is left of the folder."""
    before = held()
    cluster = Cluster()
    run_to_the_end(cluster, command("t", "mkdir a; touch a/b"))
    unlink, left = os.unlink, ["a/b"]

    def interrupt(name: str, *, dir_fd: int | None = None) -> None:
        if name == "b" and left:
            left.clear()
            raise KeyboardInterrupt
        unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cluster.close()
    assert list(folders.iterdir()) != []
    cluster.close()

    assert held() == before
    assert list(folders.iterdir()) == []


class Interrupting(Recorder):
    """Sends this process Ctrl-C when the cluster is being closed, and then blocks its thread."""

    def __init__(self) -> None:
        super().__init__()
        self.here, self.go_on = threading.Event(), threading.Event()
        self.cluster: Cluster

    def registered(self, driver: Any, framework_id: Any, master: Any) -> None:
        self.here.set()
        self.cluster.runtime._clock._thread.wait()  # noqa: SLF001  # it ends when closing has begun
        os.kill(os.getpid(), signal.SIGINT)
        self.go_on.wait(PATIENCE_S)


@pytest.mark.usefixtures("interruptible")
def test_a_real_ctrl_c_while_user_code_blocks(folders: Path, pipes: Pipes) -> None:
    """The first close raises it; the second ends everything as soon as user code lets it."""
    before = held()
    cluster = busy(pipes)
    scheduler = Interrupting()
    scheduler.cluster = cluster
    cluster.run(scheduler, "interrupting")
    assert scheduler.here.wait(PATIENCE_S)

    with pytest.raises(KeyboardInterrupt):
        cluster.close()
    scheduler.go_on.set()
    cluster.close()

    pipes.all_gone()
    assert held() == before
    assert list(folders.iterdir()) == []


def test_a_cluster_that_cannot_be_made_leaves_nothing(folders: Path) -> None:
    """What was started before the refusal has ended when the caller has it; here, of a thread that takes no signals."""
    before = held()
    refusals: list[Refused] = []

    def make() -> None:
        try:
            Cluster(agents=2, handle_signals=True)
        except Refused as refusal:
            refusals.append(refusal)

    thread = Thread(make, "maker")
    thread.start()
    assert thread.wait(PATIENCE_S)
    thread.join()

    assert [str(refusal) for refusal in refusals] == [
        "handle_signals=True needs the main thread; make the cluster there, or signal its agents"
    ]
    refusals.clear()
    assert held() == before
    assert list(folders.iterdir()) == []


def test_a_stopped_launcher_hinders_nobody(
    folders: Path, pipes: Pipes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More requests than its socket holds do not wait for it, nor does a look at its processes, nor closing."""
    monkeypatch.setattr(commands, "CLOSE_S", 0.1)
    before = held()
    cluster = busy(pipes)
    for agent in ("agent-1", "agent-2"):
        os.kill(psutil.Process(cluster.processes(agent)[0]).ppid(), signal.SIGSTOP)
    long = CommandInfo(value="true", environment={"LONG": "x" * 100_000})
    tasks = [TaskInfo(task_id=f"t{n}", resources="cpus:0.01;mem:1", command=long) for n in range(30)]
    scheduler = Launching(*tasks)
    driver = cluster.run(scheduler, "more")
    cluster.wait_until(lambda: all(scheduler.updates(task.task_id) for task in tasks), PATIENCE_S)
    driver.kill_task("t0")

    assert cluster.processes("agent-1")
    cluster.close()

    pipes.all_gone()
    assert held() == before
    assert list(folders.iterdir()) == []


def test_a_launcher_that_goes_on_gets_all_that_was_asked_meanwhile(pipes: Pipes) -> None:
    """In order and complete, though it is more than its socket holds."""
    with Cluster() as cluster:
        cluster.run(Launching(command("t", STUBBORN, **pipes.environment)), "mine")
        pipes.hear()
        launcher = psutil.Process(cluster.processes("agent-1")[0]).ppid()
        os.kill(launcher, signal.SIGSTOP)
        long = CommandInfo(value="echo ${#LONG}", environment={"LONG": "x" * 100_000})
        tasks = [TaskInfo(task_id=f"t{n}", resources="cpus:0.01;mem:1", command=long) for n in range(30)]
        scheduler = Launching(*tasks)
        cluster.run(scheduler, "more")
        cluster.wait_until(lambda: all(scheduler.updates(task.task_id) for task in tasks), PATIENCE_S)

        os.kill(launcher, signal.SIGCONT)
        cluster.wait_until(lambda: scheduler.ended(*(task.task_id for task in tasks)), PATIENCE_S)

        for task in tasks:
            assert scheduler.states(task.task_id)[-1] == "FINISHED"
            assert (cluster.sandbox(task.task_id) / "stdout").read_text() == "100000\n"


def test_a_deep_sandbox_goes_with_its_cluster(folders: Path, said: list[str]) -> None:
    """As deep as no path can be."""
    with Cluster() as cluster:
        dig = "i=0; while [ $i -lt 1200 ]; do mkdir directory; cd directory; : > file; i=$((i+1)); done"
        scheduler, _ = run_to_the_end(cluster, command("t", dig))
        assert scheduler.states("t")[-1] == "FINISHED"

    assert list(folders.iterdir()) == []
    assert said == []


MOUNTING = """
import pathlib, subprocess
from loguru import logger
from mesolite import Cluster
logger.enable("mesolite")
from tests.cluster.real_commands import command, run_to_the_end
with Cluster() as cluster:
    run_to_the_end(cluster, command("t", "mkdir a b; touch b/c"))
    sandbox = cluster.sandbox("t")
    subprocess.run(["mount", "-t", "tmpfs", "none", sandbox / "a"], check=True)
print([path.name for path in sandbox.iterdir()], flush=True)
"""


def test_what_cannot_be_removed_is_told_and_left(folders: Path) -> None:
    """One line for it; closing goes on and removes the rest."""
    alone = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    environment = {**os.environ, "TMPDIR": str(folders)}

    command = [*alone, sys.executable, "-c", MOUNTING]
    ran = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)

    assert ran.stdout == "['a']\n", ran.stderr
    assert [line.partition(" - ")[2] for line in ran.stderr.splitlines()] == [
        f"left behind: '{next(folders.iterdir())}/sandboxes/agent-1/m1-S1/m1-F1/t.1-1/a': something is mounted there"
    ]


def test_a_thread_that_cannot_start_hinders_neither_its_cluster_nor_closing(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asked for it is refused, nothing of it is left, and everything else goes on."""
    before = held()
    cluster = Cluster()
    cluster.ready()
    start = Thread.start

    def fail(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", fail)
    with pytest.raises(Refused, match="mine cannot start: can't start new thread"):
        cluster.run(Recorder(), "mine")
    monkeypatch.setattr(Thread, "start", start)
    scheduler, _ = run_to_the_end(cluster, command("t", "true"))
    assert scheduler.states("t")[-1] == "FINISHED"
    cluster.close()

    assert held() == before
    assert list(folders.iterdir()) == []


# ------------------------------------------------------------------------------------------------- killed clusters

HOST = """
import os, signal, sys
from mesolite import Cluster
from tests.cluster.real_commands import command, run_to_the_end
cluster = Cluster()
run_to_the_end(cluster, command("t", "mkdir a; touch a/b"))
if sys.argv[1] == "forks" and os.fork() == 0:
    sys.stdin.read()
    os._exit(0)
print(cluster.sandbox("t").parents[4], flush=True)
signal.pause()
"""


def host(folders: Path, how: str = "alone") -> subprocess.Popen[str]:
    """Another process with a cluster."""
    command = [sys.executable, "-c", HOST, how]
    environment = {**os.environ, "TMPDIR": str(folders)}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def folder_of(process: subprocess.Popen[str]) -> Path:
    """Its cluster's folder, as soon as it says which."""
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


def test_what_a_killed_cluster_has_left_goes_with_the_next(folders: Path) -> None:
    """Its folder, and no other: not that of one that lives, nor what only looks like one."""
    (folders / "mesolite-mine").mkdir()
    (folders / "mesolite-broken").mkdir()
    (folders / "mesolite-broken" / OWNER).write_text('{"pid": ')
    (folders / "mesolite-of-a-pipe").mkdir()
    os.mkfifo(folders / "mesolite-of-a-pipe" / OWNER)
    (folders / "mesolite-file").touch()
    with host(folders) as killed, host(folders) as alive:
        left, used = folder_of(killed), folder_of(alive)
        killed.kill()
        killed.wait()
        (folders / "mesolite-link").symlink_to(left)
        others = {path.name for path in folders.iterdir()} - {left.name}

        with Cluster() as cluster:
            cluster.ready()
            assert not left.exists()
            assert used.exists()

        assert {path.name for path in folders.iterdir()} == others
        alive.kill()


def test_a_folder_without_a_lock_is_kept_as_long_as_its_owner_lives(folders: Path) -> None:
    """Which is told by when it began, as pids are used again."""
    with Cluster():
        same = next(folders.iterdir()).joinpath(OWNER).read_text()
    for name, text in {"alive": same, "recycled": same.replace('"began": "', '"began": "1')}.items():
        (folders / f"mesolite-{name}").mkdir()
        (folders / f"mesolite-{name}" / OWNER).write_text(text)

    with Cluster():
        pass

    assert [path.name for path in folders.iterdir()] == ["mesolite-alive"]


def test_a_folder_is_kept_as_long_as_a_fork_of_its_owner_lives(folders: Path) -> None:
    """It may still use what is in there."""
    with host(folders, "forks") as killed:
        left = folder_of(killed)
        killed.kill()
        killed.wait()

        with Cluster():
            assert left.exists()

        assert killed.stdin is not None
        assert killed.stdout is not None
        killed.stdin.close()
        killed.stdout.read()  # until the fork has ended, too
        with Cluster():
            assert not left.exists()


def test_a_cluster_that_is_never_closed_leaves_no_folder(folders: Path) -> None:
    """It goes with its process."""
    script = HOST.replace("signal.pause()", "")

    subprocess.run([sys.executable, "-c", script, "alone"], check=True, env={**os.environ, "TMPDIR": str(folders)})

    assert list(folders.iterdir()) == []
