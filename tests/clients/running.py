"""A client's program, run in its own environment: what it is ordered, and what it tells, waited for with an end."""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from tests.clients.environments import FOLDER, interpreter, modules_of
from tests.project.house_checks import ROOT

PROGRAMS = ROOT / "tests" / "clients" / "programs"
PATIENCE_S = 30.0
"""Only what hangs takes that long."""

Told = dict[str, Any]


class Silent(AssertionError):
    """What was waited for was not told in time; the text has what was, and what the program wrote besides."""


class Teller:
    """Lines of JSON from a pipe: all that have been told are kept, and each is waited for with an end."""

    def __init__(self, pipe: int, log: Path | None = None) -> None:
        self.told: list[Told] = []
        self._pipe, self._log = pipe, log
        self._unread, self._ended = b"", False
        self._next = 0

    def _read(self, until: float) -> bool:
        """Take in what there is, or wait for something; False when the time is over, or the pipe has ended."""
        ready, _, _ = select.select([self._pipe], [], [], max(0.0, until - monotonic()))
        if not ready or self._ended:
            return False
        read = os.read(self._pipe, 65536)
        self._ended = not read
        *lines, self._unread = (self._unread + read).split(b"\n")
        self.told += [json.loads(line) for line in lines]
        return bool(read)

    def hears(self, event: str, **about: Any) -> Told:
        """The next line that says this; what stands before it is passed over.

        Raises:
            Silent: it was not told in time.
        """
        wanted = {"event": event, **about}
        return self._next_line(lambda line: wanted.items() <= line.items(), f"{event} {about}")

    def hears_any(self, *events: str) -> Told:
        """The next line that is one of these events.

        Raises:
            Silent: none was told in time.
        """
        return self._next_line(lambda line: line["event"] in events, " or ".join(events))

    def _next_line(self, fits: Callable[[Told], bool], what: str) -> Told:
        until = monotonic() + PATIENCE_S
        while True:
            while self._next < len(self.told):
                line = self.told[self._next]
                self._next += 1
                if fits(line):
                    return line
            if not self._read(until):
                raise Silent(f"{what} was not told, but:\n{self._all()}")

    def read_to_the_end(self) -> list[Told]:
        """All that is told until the pipe ends.

        Raises:
            Silent: it does not end.
        """
        until = monotonic() + PATIENCE_S
        while self._read(until):
            pass
        if not self._ended:
            raise Silent(f"it tells on:\n{self._all()}")
        return self.told

    def states(self, task_id: str) -> list[str]:
        """What has been told of a task so far, in order."""
        return [line["state"] for line in self.told if line["event"] == "update" and line["task_id"] == task_id]

    def _all(self) -> str:
        lines = [json.dumps(line)[:500] for line in self.told]
        return "\n".join([*lines, self._log.read_text()[-4000:] if self._log else ""])


class Program(Teller):
    """A program of tests/clients/programs, running."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        assert process.stdin
        assert process.stdout
        super().__init__(process.stdout.fileno(), log)
        self.process = process
        self._orders = process.stdin

    def order(self, **order: Any) -> None:
        """One line to its standard input."""
        self._orders.write(json.dumps(order).encode() + b"\n")
        self._orders.flush()

    def no_more_orders(self) -> list[Told]:
        """Wait until it has ended by itself; all that it has told."""
        self._orders.close()
        told = self.read_to_the_end()
        assert self.process.wait(PATIENCE_S) == 0, self._all()
        return told


def python_path() -> dict[str, str]:
    """For processes in a client's environment: the programs are found in this checkout."""
    return {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def _command(name: str, environment: str) -> tuple[list[Path | str], dict[str, str]]:
    """What starts a program, which is Node's or Python's, and the variables by which it finds what it needs."""
    script = PROGRAMS / f"{name}.js"
    if script.exists():
        return [interpreter(environment), script], {"NODE_PATH": str(modules_of(FOLDER / environment))}
    return [interpreter(environment), "-m", f"tests.clients.programs.{name}"], python_path()


@contextmanager
def running(name: str, environment: str, log: Path, **given: Any) -> Iterator[Program]:
    """Start a program; whatever happens, it does not outlive the test. What it logs is kept for a failure's text."""
    command, variables = _command(name, environment)
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*command, json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=log.parent,
            env={**os.environ, **variables},
        )
    with process:
        try:
            yield Program(process, log)
        finally:
            process.kill()


@contextmanager
def named_pipe(path: Path) -> Iterator[Teller]:
    """What a process tells that others start: give it the path as TELL_TO."""
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR)  # both ways, so that it does not end with the first that closes it
    try:
        yield Teller(pipe)
    finally:
        os.close(pipe)


def gone(pid: int) -> bool:
    """Wait until this process, which need not be a child, has ended."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], PATIENCE_S)[0])
    finally:
        os.close(process)
