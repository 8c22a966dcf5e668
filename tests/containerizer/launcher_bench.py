"""A launcher with real processes, for tests: what starts and what ends is reported, and nothing stays behind.

No test sleeps. A command says on a named pipe that it has got where it should be, and every process that descends
from it holds another pipe open, its lifeline: when that hangs up, the last of them has gone.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import sys
from pathlib import Path

from mesolite.actors.containerizer.host import Launcher, WorkEvent
from mesolite.actors.decisions.contract import WorkExited, WorkStarted

PATIENCE_S = 60.0  # only what hangs takes that long
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


def exited(work_id: str, exit_status: int | None = None, signal: int | None = None) -> WorkExited:
    """It ended so: one of the two is given."""
    return WorkExited(work_id, exit_status, signal)


def pid_of(event: WorkEvent) -> int:
    """Of the command whose start this event tells."""
    assert isinstance(event, WorkStarted)
    return event.pid
