"""What the launcher and its host do about each other: whoever dies, hangs or is asked what cannot be."""

from __future__ import annotations

import contextlib
import marshal
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from mesolite.actors.containerizer.host import PROGRAM, Launcher, WorkEvent, read_report
from mesolite.actors.containerizer.launcher import process_table
from mesolite.actors.containerizer.launcher.host_channel import LENGTH_BYTES, framed
from mesolite.actors.decisions.contract import WorkExited, WorkFailedToStart, WorkStarted
from tests.containerizer.launcher_bench import PATIENCE_S, TREE, Bench, exited, pid_of

NOT_STARTED = "the launcher process ended before it started this command; the next start begins anew"

HOST = f"""
import signal, sys
from pathlib import Path
from tests.containerizer.launcher_bench import Bench
bench = Bench(Path(sys.argv[1]))
bench.python("task", {TREE + "; stay('main')"!r})
"""


# Root becomes nobody. It may still read all files, as the interpreter may be root's, but not signal others' processes.
CAPABILITIES = "-all,+dac_override"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
NOBODY += [f"--inh-caps={CAPABILITIES}", f"--ambient-caps={CAPABILITIES}", f"--bounding-set={CAPABILITIES}"]
GIVE_UP_PRIVILEGES = {True: NOBODY, False: []}


def _python(script: str, *arguments: str, prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
    """A second host: a Python process that can import this module, in a session of its own."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [*prefix, sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.parametrize("more", ["", "import os; os.fork()\n"], ids=["alone", "with a forked process"])
def test_nothing_outlives_a_host_that_is_killed(bench: Bench, more: str) -> None:
    """Even by SIGKILL, and even if a process that the host forked still holds its files open."""
    bench.watch("task")
    with _python(f"{HOST}{more}print(flush=True)\nsignal.pause()", str(bench.folder)) as host:
        bench.told(4)
        assert host.stdout is not None
        host.stdout.readline()
        host.kill()
        host.wait()

        bench.wait_until_gone("task")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(host.pid, signal.SIGKILL)


def test_a_launcher_that_is_killed_takes_its_commands_along(bench: Bench) -> None:
    """Their ends are reported all the same, and the next command gets a new launcher."""
    bench.python("task", f"{TREE}; stay('main')")
    bench.told(4)
    process = psutil.Process(pid_of(bench.event())).ppid()

    os.kill(process, signal.SIGKILL)

    assert bench.event() == exited(work_id="task", signal=signal.SIGKILL)
    bench.wait_until_gone("task")
    bench.shell("task", "exit 2")
    assert bench.end_of("task") == exited(work_id="task", exit_status=2)


def test_a_command_that_kills_its_launcher_at_once_did_start(bench: Bench) -> None:
    """Though its start could not be reported any more; the one behind it, which had to wait, did not start."""
    bench.python("first", "stay('first')")
    bench.told()
    process = psutil.Process(pid_of(bench.event())).ppid()
    os.mkfifo(bench.folder / "nobody-reads")
    os.kill(process, signal.SIGSTOP)

    bench.shell("killer", "kill -KILL $PPID")
    bench.run("blocked", ["true"], stdout=str(bench.folder / "nobody-reads"))  # the launcher waits for a reader
    bench.run("behind", ["true"])
    os.kill(process, signal.SIGCONT)

    told = [bench.event() for _ in range(5)]
    assert told == [
        exited(work_id="first", signal=signal.SIGKILL),
        WorkStarted("killer", 0),
        exited(work_id="killer", signal=signal.SIGKILL),
        *(WorkFailedToStart(name, NOT_STARTED) for name in ("blocked", "behind")),
    ]


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"no request",
        b"\xff",
        marshal.dumps([]),
        marshal.dumps({}),
        marshal.dumps({"do": "dance"}),
        marshal.dumps({"do": "spawn"}),
        marshal.dumps({"do": "kill", "work_id": []}),
        marshal.dumps({"do": "signal", "work_id": "task", "signum": 4711}),
        marshal.dumps({"do": "signal", "work_id": "task", "signum": "x"}),
    ],
)
def test_no_request_ends_the_launcher(bench: Bench, request_: bytes) -> None:
    """Whatever it cannot make sense of; what runs goes on, and so does what is asked for next."""

    def spawn(work_id: str, argv: list[str]) -> bytes:
        request = {"do": "spawn", "work_id": work_id, "argv": argv, "env": bench.env}
        return framed(request | {"cwd": str(bench.folder), "stdout": os.devnull, "stderr": os.devnull})

    def report(event: str, work_id: str, **details: object) -> dict[str, object]:
        return {"event": event, "work_id": work_id, **details}

    ours, theirs = socket.socketpair()
    command = [sys.executable, "-I", "-S", PROGRAM, str(os.getpid()), "test"]
    with subprocess.Popen(command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        theirs.close()
        with ours, ours.makefile("rb") as reports:
            ours.sendall(spawn("task", ["cat", str(bench.told_path)]))
            started = read_report(reports)
            ours.sendall(len(request_).to_bytes(LENGTH_BYTES, "big") + request_)
            ours.sendall(spawn("next", ["sh", "-c", "exit 3"]))
            next_started, next_exited = read_report(reports), read_report(reports)
            ours.sendall(framed({"do": "kill", "work_id": "task"}))
            exited = read_report(reports)
            ours.shutdown(socket.SHUT_WR)
            over = read_report(reports)

    assert started is not None
    assert started == report("started", "task", pid=started["pid"])
    assert next_started is not None
    assert next_started == report("started", "next", pid=next_started["pid"])
    assert next_exited == report("exited", "next", exit_status=3, signal=None)
    assert exited == report("exited", "task", exit_status=None, signal=signal.SIGKILL)
    assert over is None


def test_a_launcher_that_hangs_is_ended_by_force(bench: Bench) -> None:
    """When its time is over, close ends the launcher and all its commands, and every end is reported."""
    bench.python("task", f"{TREE}; stay('main')")
    bench.told(4)
    process = psutil.Process(pid_of(bench.event())).ppid()

    os.kill(process, signal.SIGSTOP)
    bench.launcher.close(timeout_s=0.1)

    assert bench.events.get_nowait() == exited(work_id="task", signal=signal.SIGKILL)
    bench.wait_until_gone("task")


def test_a_launcher_leaves_on_sigterm_and_not_on_ctrl_c(bench: Bench) -> None:
    """Ctrl-C and SIGUSR1 are meant for the host; on SIGTERM the launcher kills all commands, and tells."""
    bench.python("task", f"on(signal.SIGTERM, lambda: say('alive')); {TREE}; stay('main')")
    bench.told(4)
    process = psutil.Process(pid_of(bench.event())).ppid()

    assert os.getsid(process) == process  # a terminal's Ctrl-C does not even reach it
    for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1):
        os.kill(process, signum)
    bench.launcher.signal("task", signal.SIGTERM)
    assert bench.told(4) == ["alive"] * 4
    os.kill(process, signal.SIGTERM)

    assert bench.event() == exited(work_id="task", signal=signal.SIGKILL)
    bench.wait_until_gone("task")


def test_it_all_works_for_an_ordinary_user() -> None:
    """Without privileges, when the tests have any to give up: trees die, and limits hold."""
    script = f"""
import os, signal, sys, tempfile
from pathlib import Path
from tests.containerizer.launcher_bench import Bench
with tempfile.TemporaryDirectory() as folder:
    bench = Bench(Path(folder), max_file_size=1000)
    bench.python("task", {TREE + "; stay('main')"!r})
    bench.told(4)
    bench.launcher.kill("task")
    print(bench.end_of("task"))
    bench.wait_until_gone("task")
    bench.run("limited", ["yes"])
    print(bench.end_of("limited"))
    bench.close()
print(os.geteuid() != 0)
"""
    with _python(script, prefix=GIVE_UP_PRIVILEGES[os.geteuid() == 0]) as host:
        told = host.communicate(timeout=PATIENCE_S)[0].splitlines()

    killed, limited = [repr(exited(work_id="task", signal=9)), repr(exited(work_id="limited", signal=25))]
    assert told == [killed, limited, "True"]


def test_the_children_of_the_host_keep_their_exit_statuses(bench: Bench) -> None:
    """The host waits for its own children as ever, whatever the launcher reaps."""
    with subprocess.Popen(["sh", "-c", "exit 7"], stdout=subprocess.PIPE) as own:
        assert own.stdout is not None
        own.stdout.read()
        bench.shell("task", "exit 1")
        bench.end_of("task")
        bench.launcher.close(PATIENCE_S)

        assert own.wait() == 7


def test_the_launcher_keeps_no_file_of_a_work(bench: Bench) -> None:
    """However many commands it has started, or failed to start, it has as many files open as in the beginning."""
    bench.python("first", "stay('first')")
    bench.told()
    process = psutil.Process(psutil.Process(pid_of(bench.event())).ppid())
    before = process.num_fds()

    for number in range(5):
        bench.run(f"good-{number}", ["true"])
        bench.run(f"bad-{number}", ["no-such"])
        bench.run(f"worse-{number}", ["true"], stderr="/no-such/err")
    for _ in range(20):
        bench.event()

    assert process.num_fds() == before


@pytest.mark.parametrize("lists_children", [True, False])
def test_children_are_found_with_and_without_the_kernels_list(
    monkeypatch: pytest.MonkeyPatch, lists_children: bool
) -> None:
    """Some kernels have no file that lists the children of a process; the table of all processes has them too."""
    monkeypatch.setattr(process_table, "LISTS_CHILDREN", process_table.LISTS_CHILDREN and lists_children)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        assert process_table.children_of(os.getpid()) == [child.pid]
        assert process_table.with_descendants([os.getpid()]) == [os.getpid(), child.pid]
        assert process_table.children_of(child.pid) == []


def test_threads_and_files_return_after_close(tmp_path: Path) -> None:
    """A closed launcher leaves no thread, no file and no process."""
    host = psutil.Process()
    before = (host.num_fds(), threading.active_count(), host.children())

    with contextlib.closing(Bench(tmp_path)) as bench:
        bench.python("task", f"{TREE}; stay('main')")
        bench.told(4)

    assert (host.num_fds(), threading.active_count(), host.children()) == before


def test_what_the_host_blocks_is_not_blocked_in_commands(bench: Bench) -> None:
    """A command starts with no signal blocked, though the thread that starts the launcher may block some."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
    bench.shell("task", "kill -TERM $$")
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    assert bench.end_of("task") == exited(work_id="task", signal=signal.SIGTERM)


def test_an_error_in_on_event_does_not_stop_the_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown as the error of a thread, and the next event comes."""
    shown: queue.Queue[threading.ExceptHookArgs] = queue.Queue()
    monkeypatch.setattr(threading, "excepthook", shown.put)
    heard: list[WorkEvent] = []

    def fail(event: WorkEvent) -> None:
        heard.append(event)
        raise LookupError(event.work_id)

    with contextlib.closing(Launcher(fail)) as launcher:
        launcher.spawn("task", ["true"], {"PATH": os.environ["PATH"]}, str(tmp_path), os.devnull, os.devnull)
        errors = [shown.get(timeout=PATIENCE_S).exc_value for _ in range(2)]

    assert [type(event) for event in heard] == [WorkStarted, WorkExited]
    assert [repr(error) for error in errors] == ["LookupError('task')"] * 2


def test_a_launcher_loads_little() -> None:
    """An agent's first command waits for it: nothing of ours but its own modules, and nothing that takes long."""
    command = [sys.executable, "-I", "-S", "-X", "importtime", PROGRAM, str(os.getpid()), "test"]
    told = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stderr
    loaded = {line.rpartition("|")[2].strip() for line in told.splitlines()}

    assert "mesolite.actors.containerizer.launcher.program" in loaded
    assert [name for name in loaded if "mesolite" in name and ".launcher." not in name] == []
    assert loaded.isdisjoint({"json", "re", "typing", "dataclasses", "subprocess", "threading", "asyncio", "attr"})
