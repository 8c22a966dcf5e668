"""The launcher, with real processes: what starts and what ends is reported, and nothing stays behind.

No test sleeps. A command says on a named pipe that it has got where it should be, and every process that descends
from it holds another pipe open, its lifeline: when that hangs up, the last of them has gone.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import psutil
import pytest

from mesolite.actors.threads import launcher
from mesolite.actors.threads.processes import Exit, Launcher, WorkEvent, WorkExited, WorkFailedToStart, WorkStarted

PATIENCE_S = 60.0  # only what hangs takes that long
NOT_STARTED = "the launcher process ended before it started this command; the next start begins anew"

# What commands run: Python, started with the paths of the two pipes and a script that may use these functions.
PROGRAM = """
import os, signal, sys
told, lifeline, script = sys.argv[1:]
os.set_inheritable(os.open(lifeline, os.O_WRONLY), True)

def say(word):
    fd = os.open(told, os.O_WRONLY)
    os.write(fd, f"{word}\\n".encode())
    os.close(fd)

def stay(name):
    say(name)
    while True:
        signal.pause()

def on(signum, act):
    signal.signal(signum, lambda *_: act())

def child(life, *, setsid=False):
    if os.fork() == 0:
        if setsid:
            os.setsid()
        life()
        os._exit(0)

def daemon(life):
    if os.fork():
        os.wait()
    else:
        os.setsid()
        if os.fork() == 0:
            life()
        os._exit(0)

def hide(script):
    os.execve(sys.executable, [*sys.orig_argv[:-1], script], {})

def comet():
    say("comet")
    while os.fork() == 0:
        os.setsid()
    os._exit(0)

def breed():
    brood = []
    while True:
        brood.append(os.fork())
        if not brood[-1]:
            signal.pause()
        if len(brood) == 30:
            say("breeder")
        if len(brood) > 30:
            os.kill(brood[1], signal.SIGKILL)
            os.waitpid(brood.pop(1), 0)

exec(script)
"""
# One process of each kind that a work can have: below it, in another session, and cut off from it.
TREE = "child(lambda: stay('child')), child(lambda: stay('session'), setsid=True), daemon(lambda: stay('daemon'))"
KINDS = ["child", "daemon", "session"]


class Bench:
    """A launcher, what it reports, and the pipes of its commands."""

    def __init__(self, folder: Path, max_file_size: int | None = None) -> None:
        self.folder = folder
        self.events: queue.Queue[WorkEvent] = queue.Queue()
        self.launcher = Launcher(self.events.put, max_file_size)
        self.env = {"PATH": os.environ["PATH"]}
        self.told_path = self._pipe("told")
        self._told = os.open(self.told_path, os.O_RDWR)  # for both, so that no command waits for a reader
        self._lifelines: dict[str, int] = {}
        self._heard = b""

    def _pipe(self, name: str) -> Path:
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self.folder / name)
        return self.folder / name

    def run(self, work_id: str, argv: list[str], **places: str) -> None:
        """Ask for a command; `places` replaces where it runs and writes."""
        here = {"cwd": self.folder, "stdout": self.folder / "stdout", "stderr": self.folder / "stderr"}
        self.launcher.spawn(work_id, argv, self.env, **{name: str(path) for name, path in (here | places).items()})

    def shell(self, work_id: str, script: str) -> None:
        self.run(work_id, ["sh", "-c", script])

    def python(self, work_id: str, script: str) -> None:
        """Ask for a Python script that may use the functions of PROGRAM."""
        lifeline = self.watch(work_id)
        self.run(work_id, [sys.executable, "-I", "-S", "-c", PROGRAM, str(self.told_path), str(lifeline), script])

    def watch(self, work_id: str) -> Path:
        """Listen to the lifeline of this work, which the test, or another process, will start."""
        path = self._pipe(f"lifeline-{work_id}")
        if work_id not in self._lifelines:
            self._lifelines[work_id] = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        return path

    def event(self) -> WorkEvent:
        return self.events.get(timeout=PATIENCE_S)

    def end_of(self, work_id: str) -> WorkEvent:
        """The last event of this work; what is reported of others meanwhile is passed over."""
        while True:
            event = self.event()
            if event.work_id == work_id and not isinstance(event, WorkStarted):
                return event

    def told(self, count: int = 1) -> list[str]:
        """The next words that commands say, in alphabetical order."""
        while self._heard.count(b"\n") < count:
            assert select.select([self._told], [], [], PATIENCE_S)[0], f"only heard {self._heard!r}"
            self._heard += os.read(self._told, 4096)
        *words, self._heard = self._heard.split(b"\n", count)
        return sorted(word.decode() for word in words)

    def wait_until_gone(self, work_id: str) -> None:
        """Return when the last process that descends from this work, which must have spoken, has ended."""
        poll = select.poll()
        poll.register(self._lifelines[work_id], 0)
        assert poll.poll(1000 * PATIENCE_S), f"something of {work_id} is still alive"

    def is_gone(self, work_id: str) -> bool:
        """Whether nothing that descends from this work, which must have spoken, is alive now."""
        poll = select.poll()
        poll.register(self._lifelines[work_id], 0)
        return bool(poll.poll(0))

    def close(self) -> None:
        self.launcher.close(PATIENCE_S)
        for fd in (self._told, *self._lifelines.values()):
            os.close(fd)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with contextlib.closing(Bench(tmp_path)) as bench:
        yield bench


# --- starting and ending ---


@pytest.mark.parametrize(
    ("script", "end"),
    [
        ("exit 0", Exit(exit_status=0)),
        ("exit 3", Exit(exit_status=3)),
        ("kill -KILL $$", Exit(signal=signal.SIGKILL)),
        ("kill -TERM $$", Exit(signal=signal.SIGTERM)),
        # The launcher ignores these: its commands must not.
        ("kill -PIPE $$", Exit(signal=signal.SIGPIPE)),
        ("kill -XFSZ $$", Exit(signal=signal.SIGXFSZ)),
        ("kill -INT $$", Exit(signal=signal.SIGINT)),
        ("kill -USR1 $$", Exit(signal=signal.SIGUSR1)),
    ],
)
def test_start_and_end_of_a_command_are_reported(bench: Bench, script: str, end: Exit) -> None:
    """First WorkStarted with the pid, then WorkExited with either the exit status or the signal."""
    bench.shell("task", script)

    assert isinstance(bench.event(), WorkStarted)
    assert bench.event() == WorkExited(work_id="task", **attrs.asdict(end))


@pytest.mark.parametrize(
    ("argv", "places", "error"),
    [
        (["no-such"], {}, "cannot start 'no-such' in .*: no such command in its PATH, which is '.*'"),
        (["./no-such"], {}, r"cannot start './no-such' in .*: No such file or directory: './no-such'"),
        (["/etc"], {}, "cannot start '/etc' in .*: Permission denied: '/etc'"),
        (["true"], {"cwd": "/no-such"}, "cannot start 'true' in '/no-such': No such file or directory: '/no-such'"),
        (["true"], {"stdout": "/no-such/out"}, "cannot start 'true' in .*: No such file .*: '/no-such/out'"),
        (["true"], {"stderr": "/no-such/err"}, "cannot start 'true' in .*: No such file .*: '/no-such/err'"),
        (["true", "a\0b"], {}, "cannot start 'true' in .*: embedded null byte"),
    ],
)
def test_a_command_that_cannot_start_says_why(
    bench: Bench, argv: list[str], places: dict[str, str], error: str
) -> None:
    """WorkFailedToStart names the command and what is wrong, it is the only event, and the id is free again."""
    bench.run("task", argv, **places)

    failed = bench.event()
    bench.run("task", ["true"])

    assert isinstance(failed, WorkFailedToStart)
    assert re.fullmatch(error, failed.error)
    assert isinstance(bench.event(), WorkStarted)
    assert bench.event() == WorkExited(work_id="task", exit_status=0)


def test_output_goes_to_files_and_input_is_empty(bench: Bench) -> None:
    """Standard output and error are appended to their files; reading standard input finds its end."""
    (bench.folder / "stdout").write_text("before\n")

    bench.shell("task", "cat; echo out; echo err >&2")

    assert bench.end_of("task") == WorkExited(work_id="task", exit_status=0)
    assert (bench.folder / "stdout").read_text() == "before\nout\n"
    assert (bench.folder / "stderr").read_text() == "err\n"


def test_a_command_has_its_own_environment_folder_session_and_files(bench: Bench) -> None:
    """It sees the given environment and its mark, runs in its folder, leads its session, has no file of others."""
    bench.env |= {"GREETING": "héllo \udcff"}
    (bench.folder / "sandbox").mkdir()

    bench.run("task", ["sh", "-c", "pwd; env; ls /proc/self/fd"], cwd=str(bench.folder / "sandbox"))

    started = bench.event()
    assert isinstance(started, WorkStarted)
    assert bench.event() == WorkExited(work_id="task", exit_status=0)
    told = (bench.folder / "stdout").read_bytes()
    assert told.startswith(os.fsencode(bench.folder / "sandbox"))
    assert b"\nGREETING=h\xc3\xa9llo \xff\n" in told
    assert re.search(rb"\nMESOLITE_WORK=.+\n", told)
    assert b"PYTEST_CURRENT_TEST" not in told
    assert told.endswith(b"\n0\n1\n2\n3\n")  # 3 is the folder that ls reads


def test_a_command_leads_its_session(bench: Bench) -> None:
    """Its session and its process group are its own, not those of the launcher or the host."""
    bench.python("task", "stay('ready')")
    bench.told()

    started = bench.event()

    assert isinstance(started, WorkStarted)
    assert os.getsid(started.pid) == os.getpgid(started.pid) == started.pid


def test_a_command_is_looked_up_in_the_path_it_runs_with(bench: Bench) -> None:
    """The PATH of the work counts, not that of the host."""
    (bench.folder / "only-here").write_text("#!/bin/sh\nexit 9\n")
    (bench.folder / "only-here").chmod(0o755)
    bench.env["PATH"] = str(bench.folder)

    bench.run("task", ["only-here"])

    assert bench.end_of("task") == WorkExited(work_id="task", exit_status=9)


def test_an_id_is_in_use_until_its_end(bench: Bench) -> None:
    """A second start under a live id is refused; after the end the id is free."""
    bench.python("task", "stay('ready')")
    bench.told()

    with pytest.raises(ValueError, match="work 'task' has not ended yet"):
        bench.shell("task", "exit 0")

    bench.launcher.kill("task")
    bench.end_of("task")
    bench.shell("task", "exit 4")
    assert bench.end_of("task") == WorkExited(work_id="task", exit_status=4)


def test_an_empty_command_is_refused(bench: Bench) -> None:
    """There is nothing that could be started."""
    with pytest.raises(ValueError, match="work 'task' names no command"):
        bench.run("task", [])


def test_an_exit_is_a_status_or_a_signal() -> None:
    """Never both, never neither."""
    with pytest.raises(ValueError, match="exactly one"):
        Exit()
    with pytest.raises(ValueError, match="exactly one"):
        Exit(exit_status=0, signal=9)


def test_writing_without_end_ends_by_sigxfsz(tmp_path: Path) -> None:
    """A file grows to max_file_size, then its writer dies."""
    with contextlib.closing(Bench(tmp_path, max_file_size=100_000)) as bench:
        bench.run("task", ["yes"])

        assert bench.end_of("task") == WorkExited(work_id="task", signal=signal.SIGXFSZ)
    assert (tmp_path / "stdout").stat().st_size == 100_000


# --- signals ---


def test_a_command_may_obey_sigterm(bench: Bench) -> None:
    """The signal arrives as sent, and the command chooses its exit status."""
    bench.python("task", "on(signal.SIGTERM, lambda: os._exit(5)); stay('ready')")
    bench.told()

    bench.launcher.signal("task", signal.SIGTERM)

    assert bench.end_of("task") == WorkExited(work_id="task", exit_status=5)


def test_a_command_that_ignores_sigterm_is_killed(bench: Bench) -> None:
    """SIGTERM may be ignored; the kill that follows may not."""
    bench.python("task", "on(signal.SIGTERM, lambda: say('ignored')); stay('ready')")
    bench.told()

    bench.launcher.signal("task", signal.SIGTERM)
    assert bench.told() == ["ignored"]
    bench.launcher.kill("task")

    assert bench.end_of("task") == WorkExited(work_id="task", signal=signal.SIGKILL)


def test_a_signal_reaches_every_process_of_the_work(bench: Bench) -> None:
    """Children, those in other sessions, orphans known only by their session or only by their environment."""
    hear = "on(signal.SIGTERM, lambda: say('heard')); "
    hidden = f"{hear} stay('orphan')"
    orphan = f"child(lambda: child(lambda: hide({hidden!r})))"
    bench.python("task", f"{hear} {TREE}; {orphan}; stay('main')")
    bench.python("other", "on(signal.SIGTERM, lambda: say('astray')); stay('other')")
    assert bench.told(6) == sorted([*KINDS, "orphan", "main", "other"])

    bench.launcher.signal("task", signal.SIGTERM)

    assert bench.told(5) == ["heard"] * 5
    bench.launcher.signal("other", signal.SIGTERM)
    assert bench.told() == ["astray"]


def test_requests_about_what_has_ended_or_never_was_do_nothing(bench: Bench) -> None:
    """They come too late, which nobody can prevent; the launcher goes on."""
    bench.launcher.kill("task")
    bench.launcher.kill_all()
    bench.shell("task", "exit 0")
    bench.end_of("task")

    bench.launcher.signal("task", signal.SIGTERM)
    bench.launcher.kill("task")
    bench.launcher.kill("never-was")

    bench.shell("next", "exit 0")
    assert bench.end_of("next") == WorkExited(work_id="next", exit_status=0)


# --- killing ---


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (TREE, KINDS),
        (f"child(lambda: ({TREE}, stay('parent')))", [*KINDS, "parent"]),
        ("child(comet)", ["comet"]),
        ("child(lambda: hide('breed()'), setsid=True)", ["breeder"]),
        ("[child(lambda: daemon(lambda: stay('many'))) for _ in range(40)]", ["many"] * 40),
    ],
    ids=[
        "a tree",
        "a deeper tree",
        "a comet: forks, leaves the session and exits, for ever",
        "a hidden breeder",
        "many daemons",
    ],
)
def test_kill_ends_every_process_of_the_work(bench: Bench, script: str, words: list[str]) -> None:
    """Whatever the work has become, all of it has ended when that is reported, and nothing of another work has."""
    bench.python("task", f"{script}; stay('main')")
    bench.python("other", "on(signal.SIGTERM, lambda: say('unharmed')); stay('other')")
    assert bench.told(len(words) + 2) == sorted([*words, "main", "other"])

    bench.launcher.kill("task")

    assert bench.end_of("task") == WorkExited(work_id="task", signal=signal.SIGKILL)
    assert bench.is_gone("task")
    bench.launcher.signal("other", signal.SIGTERM)
    assert bench.told() == ["unharmed"]


@pytest.mark.parametrize(
    ("script", "words"),
    [(TREE, KINDS), ("child(comet)", ["comet"]), ("""daemon(lambda: hide("stay('stray')"))""", ["stray"])],
    ids=["a tree", "a comet", "a stray"],
)
def test_what_a_command_leaves_behind_is_killed(bench: Bench, script: str, words: list[str]) -> None:
    """The end of the main process is reported as it was, when all its descendants have ended; strays follow."""
    bench.python("task", f"{script}; on(signal.SIGTERM, lambda: os._exit(6)); stay('main')")
    assert bench.told(len(words) + 1) == sorted([*words, "main"])

    os.kill(_pid(bench.event()), signal.SIGTERM)

    assert bench.event() == WorkExited(work_id="task", exit_status=6)
    assert bench.is_gone("task") or words == ["stray"]
    bench.wait_until_gone("task")


def _pid(event: WorkEvent) -> int:
    assert isinstance(event, WorkStarted)
    return event.pid


def test_the_end_of_one_work_spares_the_daemons_of_another(bench: Bench) -> None:
    """Also those that hide whose they are: such strays end with the last work that can have started them."""
    hear = "on(signal.SIGUSR1, lambda: say('spared')); "
    stray = f"daemon(lambda: hide({hear + 'stay(os.getpid())'!r}))"
    bench.python("keeper", f"{hear} daemon(lambda: stay('daemon')); {stray}; stay('main')")
    stray_pid = int(bench.told(3)[0])  # digits come before letters
    bench.python("passer-by", "daemon(lambda: stay('daemon')); on(signal.SIGUSR1, lambda: os._exit(0)); stay('main')")
    bench.told(2)

    bench.launcher.signal("passer-by", signal.SIGUSR1)
    bench.end_of("passer-by")
    bench.wait_until_gone("passer-by")

    bench.launcher.signal("keeper", signal.SIGUSR1)
    os.kill(stray_pid, signal.SIGUSR1)
    assert bench.told(3) == ["spared"] * 3
    bench.launcher.kill("keeper")
    bench.wait_until_gone("keeper")


def test_kill_all_ends_everything_and_what_is_asked_next_starts_alone(bench: Bench) -> None:
    """However many there are; and nothing of them is alive when the next command starts."""
    works = [f"task-{number}" for number in range(12)]
    for work_id in works:
        bench.python(work_id, f"""{TREE}; daemon(lambda: hide("stay('stray')")); stay('main')""")
    bench.told(5 * len(works))

    bench.launcher.kill_all()
    bench.python("next", "stay('next')")

    assert bench.told() == ["next"]
    assert len(bench.launcher.processes()) == 1
    ends = [event for event in (bench.event() for _ in range(2 * len(works) + 1)) if isinstance(event, WorkExited)]
    assert sorted(event.work_id for event in ends) == sorted(works)
    assert {event.signal for event in ends} == {signal.SIGKILL}


def test_close_ends_everything_and_has_reported_every_end(bench: Bench) -> None:
    """After close nothing is alive, nothing can be started, and closing again is harmless."""
    bench.python("task", f"{TREE}; stay('main')")
    bench.told(4)

    bench.launcher.close(PATIENCE_S)

    bench.wait_until_gone("task")
    assert bench.launcher.processes() == []
    bench.events.get_nowait()
    assert bench.events.get_nowait() == WorkExited(work_id="task", signal=signal.SIGKILL)
    with pytest.raises(RuntimeError, match="cannot start work 'late': this launcher is closed"):
        bench.shell("late", "exit 0")
    bench.launcher.close()


# --- the launcher and its host ---

HOST = f"""
import signal, sys
from pathlib import Path
from tests.runtime.test_launcher import Bench
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
    process = psutil.Process(_pid(bench.event())).ppid()

    os.kill(process, signal.SIGKILL)

    assert bench.event() == WorkExited(work_id="task", signal=signal.SIGKILL)
    bench.wait_until_gone("task")
    bench.shell("task", "exit 2")
    assert bench.end_of("task") == WorkExited(work_id="task", exit_status=2)


def test_a_command_that_kills_its_launcher_at_once_did_start(bench: Bench) -> None:
    """Though its start could not be reported any more; the one behind it, which had to wait, did not start."""
    bench.python("first", "stay('first')")
    bench.told()
    process = psutil.Process(_pid(bench.event())).ppid()
    os.mkfifo(bench.folder / "nobody-reads")
    os.kill(process, signal.SIGSTOP)

    bench.shell("killer", "kill -KILL $PPID")
    bench.run("blocked", ["true"], stdout=str(bench.folder / "nobody-reads"))  # the launcher waits for a reader
    bench.run("behind", ["true"])
    os.kill(process, signal.SIGCONT)

    told = [bench.event() for _ in range(5)]
    assert told == [
        WorkExited(work_id="first", signal=signal.SIGKILL),
        WorkStarted(work_id="killer", pid=0),
        WorkExited(work_id="killer", signal=signal.SIGKILL),
        *(WorkFailedToStart(work_id=name, error=NOT_STARTED) for name in ("blocked", "behind")),
    ]


@pytest.mark.parametrize(
    "request_",
    [
        b"no json",
        b"\xff",
        b"[]",
        b"{}",
        b'{"do": "dance"}',
        b'{"do": "spawn"}',
        b'{"do": "kill", "work_id": []}',
        b'{"do": "signal", "work_id": "task", "signum": 4711}',
        b'{"do": "signal", "work_id": "task", "signum": "x"}',
    ],
)
def test_no_request_ends_the_launcher(bench: Bench, request_: bytes) -> None:
    """Whatever it cannot make sense of; what runs goes on, and so does what is asked for next."""
    bench.python("task", "stay('main')")
    bench.told()
    bench.event()

    with bench.launcher._lock:  # noqa: SLF001
        bench.launcher._send(request_ + b"\n")  # noqa: SLF001
    bench.shell("next", "exit 3")

    assert bench.end_of("next") == WorkExited(work_id="next", exit_status=3)
    bench.launcher.kill("task")
    assert bench.end_of("task") == WorkExited(work_id="task", signal=signal.SIGKILL)


def test_a_launcher_that_hangs_is_ended_by_force(bench: Bench) -> None:
    """When its time is over, close ends the launcher and all its commands, and every end is reported."""
    bench.python("task", f"{TREE}; stay('main')")
    bench.told(4)
    process = psutil.Process(_pid(bench.event())).ppid()

    os.kill(process, signal.SIGSTOP)
    bench.launcher.close(timeout_s=0.1)

    assert bench.events.get_nowait() == WorkExited(work_id="task", signal=signal.SIGKILL)
    bench.wait_until_gone("task")


def test_a_launcher_leaves_on_sigterm_and_not_on_ctrl_c(bench: Bench) -> None:
    """Ctrl-C and SIGUSR1 are meant for the host; on SIGTERM the launcher kills all commands, and tells."""
    bench.python("task", f"on(signal.SIGTERM, lambda: say('alive')); {TREE}; stay('main')")
    bench.told(4)
    process = psutil.Process(_pid(bench.event())).ppid()

    assert os.getsid(process) == process  # a terminal's Ctrl-C does not even reach it
    for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1):
        os.kill(process, signum)
    bench.launcher.signal("task", signal.SIGTERM)
    assert bench.told(4) == ["alive"] * 4
    os.kill(process, signal.SIGTERM)

    assert bench.event() == WorkExited(work_id="task", signal=signal.SIGKILL)
    bench.wait_until_gone("task")


def test_it_all_works_for_an_ordinary_user() -> None:
    """Without privileges, when the tests have any to give up: trees die, and limits hold."""
    script = f"""
import os, signal, sys, tempfile
from pathlib import Path
from tests.runtime.test_launcher import Bench
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

    killed, limited = [repr(WorkExited(work_id="task", signal=9)), repr(WorkExited(work_id="limited", signal=25))]
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
    process = psutil.Process(psutil.Process(_pid(bench.event())).ppid())
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
    monkeypatch.setattr(launcher, "LISTS_CHILDREN", launcher.LISTS_CHILDREN and lists_children)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        assert launcher.children_of(os.getpid()) == [child.pid]
        assert launcher.with_descendants([os.getpid()]) == [os.getpid(), child.pid]
        assert launcher.children_of(child.pid) == []


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

    assert bench.end_of("task") == WorkExited(work_id="task", signal=signal.SIGTERM)


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
