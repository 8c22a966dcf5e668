"""The host's side of the launcher: real commands, started and killed by a process of its own.

Rule: whatever is started here is reported exactly once as ended, or as never started, whoever dies first.

    Launcher.spawn ---> launcher/, one process per agent ---> commands
    on_event       <--- one reader thread                <--- exit statuses

The host stays an ordinary process: it becomes no subreaper and waits for no child but the launcher itself, so
the user's own children keep their exit statuses.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import IO, Any, TypeAlias

import attrs

from mesolite.actors.containerizer import launcher
from mesolite.actors.containerizer.launcher import process_table
from mesolite.actors.containerizer.launcher.host_channel import LENGTH_BYTES, framed
from mesolite.actors.decisions.contract import WorkExited, WorkFailedToStart, WorkStarted
from mesolite.actors.runtime.thread import Thread

WorkEvent: TypeAlias = WorkStarted | WorkFailedToStart | WorkExited

_EVENTS = {"started": WorkStarted, "failed": WorkFailedToStart, "exited": WorkExited}
PROGRAM = os.path.join(*launcher.__path__, "__main__.py")
"""The launcher, to be run by our own interpreter."""

_LAUNCHER_ENDED = "the launcher process ended before it started this command; the next start begins anew"
_PIECE = 1 << 16


@attrs.define
class _Work:
    """What was asked for and has not ended."""

    number: int
    """Which of the starts that this launcher process was asked for."""
    pid: int | None = None
    """None until it is known."""


class Launcher:
    """Starts commands, tells how they end, and leaves none of them behind.

    The launcher process is started by the first `spawn`, and again if it was killed. Requests are carried out
    in the order they were made, and none of them waits. Requests about a work that has ended do nothing.
    """

    def __init__(
        self,
        on_event: Callable[[WorkEvent], None],
        max_file_size: int | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Report to `on_event`, called by one thread of ours; it must not call `close`.

        Every command gets `environment` beside its own; it is sent to the launcher once. A command that writes a file
        longer than `max_file_size` bytes dies by SIGXFSZ; None means no limit.
        """
        self._on_event = on_event
        self._max_file_size = max_file_size
        self._environment = environment
        self._lock = threading.Lock()
        self._works: dict[str, _Work] = {}  # live ones
        self._asked = 0  # how many starts this launcher process was asked for
        self._connection: socket.socket | None = None
        self._unsent = bytearray()  # requests that the launcher has not taken, as it is stopped or busy
        self._writer: Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._readers: list[Thread] = []
        self._closed = False

    def spawn(
        self, work_id: str, argv: Sequence[str], env: Mapping[str, str], cwd: str, stdout: str, stderr: str
    ) -> None:
        """Start a command in a session of its own, its standard input empty, its output appended to files.

        `env` and what all commands share are the whole environment, and the PATH there is where `argv[0]` is looked
        up. Relative paths start at the host's working directory. Raises ValueError for an id in use or an empty
        `argv`, RuntimeError once closed.
        """
        if not argv:
            raise ValueError(f"work {work_id!r} names no command to start")
        request: dict[str, object] = {"do": "spawn", "work_id": work_id, "argv": list(argv), "env": dict(env)}
        paths = {"cwd": cwd, "stdout": stdout, "stderr": stderr}
        request |= {name: os.path.abspath(path) for name, path in paths.items()}
        written = framed(request)
        with self._lock:
            if self._closed:
                raise RuntimeError(f"cannot start work {work_id!r}: this launcher is closed")
            if work_id in self._works:
                raise ValueError(f"work {work_id!r} has not ended yet; its id is free again after its end")
            if self._process is None:
                self._start()
            self._asked += 1
            self._works[work_id] = _Work(self._asked)
            self._send(written)

    def signal(self, work_id: str, signum: int) -> None:
        """Send a signal to every process of a work, also to those that became daemons."""
        with self._lock:
            self._send(framed({"do": "signal", "work_id": work_id, "signum": int(signum)}))

    def kill(self, work_id: str) -> None:
        """SIGKILL every process of a work, until none is left."""
        with self._lock:
            self._send(framed({"do": "kill", "work_id": work_id}))

    def kill_all(self) -> None:
        """SIGKILL everything ever started here. What is asked for afterwards waits until none of it is left."""
        with self._lock:
            self._send(framed({"do": "kill_all"}))

    def hang_up(self) -> None:
        """Tell the launcher to kill everything and to end, without waiting for that; nothing is started any more."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                with contextlib.suppress(OSError):  # the launcher has just died
                    self._connection.shutdown(socket.SHUT_WR)  # even if a fork has a copy

    def close(self, timeout_s: float = 5.0) -> None:
        """Kill everything and end the launcher, by force after `timeout_s`; then every end is reported.

        If it was interrupted it can be called again.
        """
        self.hang_up()
        with self._lock:
            process, readers = self._process, self._readers
        if process is not None and not readers[-1].wait(timeout_s):
            process.kill()
        for reader in readers:
            reader.wait()

    def processes(self) -> list[int]:
        """The pids alive below the launcher now, without zombies; not on Linux, of main processes only.

        A tree that changes during the look may be seen in part.
        """
        with self._lock:
            if not process_table.ON_LINUX:
                return [work.pid for work in self._works.values() if work.pid is not None]
            if self._process is None:
                return []
            return list(filter(process_table.is_alive, process_table.with_descendants([self._process.pid])[1:]))

    def main_processes(self, work_id: str) -> list[int]:
        """The pid of the main process of that work; none while it is not known, or when the work has ended."""
        with self._lock:
            work = self._works.get(work_id)
        return [] if work is None or work.pid is None else [work.pid]

    def _start(self) -> None:
        """Start the launcher process and the thread that reads its reports."""
        ours, theirs = socket.socketpair()
        starts = tempfile.TemporaryFile()  # noqa: SIM115  the reader closes it
        name = f"{os.getpid()}-{secrets.token_hex(8)}"
        command = [sys.executable, "-I", "-S", PROGRAM, str(os.getpid()), name]
        if self._max_file_size is not None:
            command.append(str(self._max_file_size))
        process = None
        try:
            # In a session of its own, as Ctrl-C in a terminal goes to the whole foreground group.
            process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=starts, start_new_session=True)
            reader = Thread(self._read, "mesolite-launcher-reader", (ours, process, name, starts))
            reader.start()
        except BaseException:
            ours.close()  # so the launcher, if there is one, leaves
            starts.close()
            if process is not None:
                process.wait()
            raise
        finally:
            theirs.close()
        self._connection, self._process, self._asked = ours, process, 0
        self._readers = [*filter(Thread.is_alive, self._readers), reader]
        self._send(framed({"do": "share", "env": dict(self._environment)}))

    def _send(self, written: bytes) -> None:
        """Hand over one request; the lock is held, so this never waits for the launcher, which may be stopped."""
        if self._connection is None:
            return
        waiting, sent = bool(self._unsent), 0
        try:
            if not waiting:
                sent = self._connection.send(written, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        except OSError:  # the launcher has just died, and its reader will tell
            return
        if sent < len(written):
            self._unsent += written[sent:]
            if not waiting:
                self._writer = Thread(self._write, "mesolite-launcher-writer", (self._connection, self._unsent))
                self._writer.start()

    def _write(self, connection: socket.socket, unsent: bytearray) -> None:
        """Send what the launcher did not take at once, until nothing of it is left, or nothing of the launcher."""
        piece = bytes(unsent[:_PIECE])
        with contextlib.suppress(OSError):
            while piece:
                sent = connection.send(piece)
                with self._lock:
                    del unsent[:sent]
                    piece = bytes(unsent[:_PIECE])

    def _read(
        self, connection: socket.socket, process: subprocess.Popen[bytes], name: str, starts: IO[bytes]
    ) -> None:
        """Pass on the reports of one launcher process until it ends; then account for what it left."""
        with connection, connection.makefile("rb") as reports:
            with contextlib.suppress(ConnectionError):  # it died with requests unread
                while report := read_report(reports):
                    self._pass_on(**report)
            process.wait()
            with self._lock:
                self._connection = self._process = None
                lost, self._works, self._unsent = self._works, {}, bytearray()
            if self._writer is not None:  # nobody is left to take anything, so it ends
                self._writer.wait()
        with starts:
            begun = int(os.pread(starts.fileno(), 20, 0) or 0)
        # Killed itself, or ended by force: nobody else is left to do this.
        if lost or process.returncode:
            _kill_abandoned(name, [work.pid for work in lost.values() if work.pid is not None])
        for work_id, work in lost.items():
            if work.pid is None and work.number > begun:
                self._tell(WorkFailedToStart(work_id, _LAUNCHER_ENDED))
                continue
            if work.pid is None:  # it has killed the launcher, say, before that could report its start
                self._tell(WorkStarted(work_id, 0))
            self._tell(WorkExited(work_id, None, signal.SIGKILL))

    def _pass_on(self, event: str, work_id: str, **details: Any) -> None:
        with self._lock:
            if event == "started":
                self._works[work_id].pid = details["pid"]
            else:
                del self._works[work_id]
        self._tell(_EVENTS[event](work_id=work_id, **details))

    def _tell(self, event: WorkEvent) -> None:
        try:
            self._on_event(event)
        except Exception as error:  # noqa: BLE001  the next reports must still be read
            where = threading.current_thread()
            threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, where)))


def read_report(reports: IO[bytes]) -> dict[str, Any] | None:
    """The next report of a launcher; None when it has ended, be it in the middle of one."""
    length = int.from_bytes(reports.read(LENGTH_BYTES), "big")
    written = reports.read(length)
    return marshal.loads(written) if written and len(written) == length else None  # noqa: S302  we have started it


def _kill_abandoned(name: str, main_pids: Sequence[int]) -> None:
    """Kill what a dead launcher left: the sessions it reported, and all that carries its mark."""
    for pid in main_pids:
        process_table.send(-pid, signal.SIGKILL)
    killed: set[int] = set()
    while True:
        marked = [pid for pid in process_table.all_processes() if process_table.mark_of(pid).startswith(f"{name}-")]
        fresh = [pid for pid in marked if pid not in killed]
        if not fresh:
            return
        killed.update(fresh)
        for pid in fresh:
            process_table.send(pid, signal.SIGKILL)
