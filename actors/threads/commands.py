"""Real work: each agent's commands, in sandboxes, through a launcher of its own (processes.py)."""

from __future__ import annotations

import os
import pathlib
import signal
import threading
from collections.abc import Callable

from mesolite.actors.decisions.contract import Run, WorkExited, WorkFailedToStart, WorkStarted
from mesolite.actors.runtime.port import Seat
from mesolite.actors.threads import processes as real

SANDBOXES_KNOWN = 10_000
"""How many sandboxes can be found by their task's id; older ones stay on disk."""


def _make_folder(path: str) -> None:
    """Make a sandbox; nearly always the folder above it is there already."""
    try:
        os.mkdir(path)
    except FileNotFoundError:
        os.makedirs(path)
    except FileExistsError:
        if not os.path.isdir(path):
            raise


class Commands:
    """What runs, by work id; told to the seat that asked for it."""

    def __init__(self, max_file_size: int, post: Callable[[Seat, object], None]) -> None:
        """Stop files at `max_file_size` bytes; `post` puts news before a seat."""
        self._max_file_size = max_file_size
        self._post = post
        self._lock = threading.Lock()
        # A process's environment is fixed when it starts, and so is that of our commands; copying it is slow.
        self._environment = dict(os.environ)
        self._launchers: dict[str, real.Launcher] = {}
        self._seats: dict[str, Seat] = {}
        self._works: dict[Seat, dict[str, None]] = {}
        self._farewells: dict[Seat, Callable[[], None]] = {}
        self._sandboxes: dict[str, str] = {}
        self._closed = False

    def run(self, seat: Seat, run: Run) -> None:
        """Start a command in its sandbox, with stdout and stderr in files there."""
        sandbox = run.sandbox
        with self._lock:
            if self._closed:
                return
            self._seats[run.work_id] = seat
            self._works.setdefault(seat, {})[run.work_id] = None
            self._sandboxes[run.work_id] = sandbox
            if len(self._sandboxes) > SANDBOXES_KNOWN:
                del self._sandboxes[next(iter(self._sandboxes))]
        command = run.command
        argv = ["/bin/sh", "-c", command.value] if command.shell else [command.value, *command.arguments]
        try:
            _make_folder(sandbox)
            self._launcher(seat.host).spawn(
                run.work_id,
                argv,
                env={**dict(run.environment), **dict(command.environment)},
                cwd=sandbox,
                stdout=f"{sandbox}/stdout",
                stderr=f"{sandbox}/stderr",
            )
        except OSError as error:  # no room for the sandbox, or for one more process
            self._over(seat, run.work_id, WorkFailedToStart(run.work_id, f"cannot start {argv[0]!r}: {error}"))

    def signal(self, work_id: str, signum: int) -> None:
        """Signal every process of a command; one that has ended is past it."""
        with self._lock:
            seat = self._seats.get(work_id)
        if seat is None:
            return
        launcher = self._launcher(seat.host)
        if signum == signal.SIGKILL:
            launcher.kill(work_id)
        else:
            launcher.signal(work_id, signum)

    def end(self, seat: Seat, farewell: Callable[[], None]) -> None:
        """Kill everything of a party that has ended; it takes its leave when nothing of it is left."""
        with self._lock:
            works = list(self._works.get(seat, ()))
            if works:
                self._farewells[seat] = farewell
        if not works:
            farewell()
        for work_id in works:
            self._launcher(seat.host).kill(work_id)

    def processes(self, host: str) -> list[int]:
        """The pids alive on that machine."""
        with self._lock:
            launcher = self._launchers.get(host)
        return launcher.processes() if launcher is not None else []

    def sandbox(self, task_id: str) -> pathlib.Path | None:
        """The newest sandbox of a command task of that id."""
        with self._lock:
            paths = [pathlib.Path(path) for path in reversed(self._sandboxes.values())]
        return next((path for path in paths if path.stem == task_id), None)

    def close(self) -> None:
        """Kill everything everywhere; nothing is started any more."""
        with self._lock:
            self._closed = True
            launchers, self._launchers = list(self._launchers.values()), {}
        for launcher in launchers:
            launcher.close()

    def _launcher(self, host: str) -> real.Launcher:
        with self._lock:
            launcher = self._launchers.get(host)
            if launcher is None:
                launcher = self._launchers[host] = real.Launcher(
                    self._report, self._max_file_size, self._environment
                )
            return launcher

    def _report(self, event: real.WorkEvent) -> None:
        """Pass on what a launcher says; called on its reader thread."""
        with self._lock:
            seat = self._seats[event.work_id]
        match event:
            case real.WorkStarted():
                self._post(seat, WorkStarted(event.work_id, event.pid))
            case real.WorkFailedToStart():
                self._over(seat, event.work_id, WorkFailedToStart(event.work_id, event.error))
            case real.WorkExited():
                self._over(seat, event.work_id, WorkExited(event.work_id, event.exit_status, event.signal))

    def _over(self, seat: Seat, work_id: str, event: object) -> None:
        with self._lock:
            del self._seats[work_id]
            works = self._works[seat]
            del works[work_id]
            farewell = None
            if not works:
                del self._works[seat]
                farewell = self._farewells.pop(seat, None)
        self._post(seat, event)
        if farewell is not None:
            farewell()
