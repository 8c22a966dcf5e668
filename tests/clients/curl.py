"""curl, as an operator at a terminal uses it: one answer, or a stream of records."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest
from attrs import frozen

from tests.clients.running import PATIENCE_S

JSON = ("--header", "Content-Type: application/json")


def _curl() -> str:
    if path := shutil.which("curl"):
        return path
    raise pytest.UsageError("there is no curl here; on Debian: apt-get install curl")


@frozen
class Answer:
    """The status, the headers by their names in lower case, and the body."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def curl(*arguments: str) -> Answer:
    """Run curl to its end."""
    command = [_curl(), "--silent", "--show-error", "--max-time", str(PATIENCE_S), "--include", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    head, _, body = done.stdout.decode().partition("\r\n\r\n")
    first, *lines = head.splitlines()
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(first.split()[1]), headers, body)


def call(url: str, kind: str, **body: Any) -> Answer:
    """POST an operator call, with what curl sends of itself and the type of the content."""
    data = json.dumps({"type": kind, **({kind.lower(): body} if body else {})})
    return curl(*JSON, "--data", data, f"{url}/api/v1")


class Records:
    """RecordIO from a pipe: the length in digits, a newline, and so many bytes (HT-55)."""

    def __init__(self, pipe: int) -> None:
        self._pipe, self._unread = pipe, b""

    def next(self, until: float | None = None) -> Any:
        """The next record, waited for with an end."""
        until = until or monotonic() + PATIENCE_S
        while True:
            digits, newline, rest = self._unread.partition(b"\n")
            if newline and len(rest) >= int(digits):
                record, self._unread = rest[: int(digits)], rest[int(digits) :]
                return json.loads(record)
            ready, _, _ = select.select([self._pipe], [], [], max(0.0, until - monotonic()))
            read = os.read(self._pipe, 65536) if ready else b""
            assert read, f"no whole record came, but {self._unread!r}"
            self._unread += read

    def until(self, kind: str) -> Any:
        """The next record of this type, without its envelope."""
        until = monotonic() + PATIENCE_S
        while True:
            record = self.next(until)
            assert monotonic() < until, f"no {kind} came, but heartbeats"
            if record["type"] == kind:
                return record.get(kind.lower())


@contextmanager
def stream(url: str) -> Iterator[Records]:
    """Subscribe to the operator's events, without curl's own buffer between."""
    command = [_curl(), "--silent", "--no-buffer", *JSON, "--data", '{"type": "SUBSCRIBE"}', f"{url}/api/v1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            yield Records(process.stdout.fileno())
        finally:
            process.kill()
