"""A client of sockets, for tests of a whole cluster: one call at a time, and streams read record by record."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import urlsplit

PATIENCE_S = 30.0


class Connection:
    """One connection to a master or an agent."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self.socket = socket.create_connection((where.hostname, where.port), timeout=PATIENCE_S)
        self.file = self.socket.makefile("rb")
        self.headers: dict[str, str] = {}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> int:
        """Send a request and read the head of its answer; returns the status. `_` in a header's name stands for `-`."""
        sent = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: mesos", f"Content-Length: {len(sent)}"]
        if body is not None:
            lines.append("Content-Type: application/json")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode() + sent)
        status = int(self.file.readline().split()[1])
        self.headers = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(": ")
            self.headers[name.lower()] = value
        return status

    def body(self) -> Any:
        """The body of an answer that is no stream."""
        text = self.file.read(int(self.headers["content-length"]))
        return json.loads(text) if self.headers.get("content-type") == "application/json" else text.decode()

    def chunks(self) -> Iterator[bytes]:
        """The chunks of a stream, until it ends."""
        while size := int(self.file.readline(), 16):
            chunk = self.file.read(size)
            self.file.readline()
            yield chunk

    def records(self) -> Iterator[Any]:
        """The records of a stream, each a chunk of its own (HT-57)."""
        for chunk in self.chunks():
            length, _, record = chunk.partition(b"\n")
            assert int(length) == len(record), chunk
            yield json.loads(record)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Go."""
        self.file.close()
        self.socket.close()


class Framework:
    """A scheduler that does what a test says."""

    def __init__(
        self, url: str, framework_id: str | None = None, *, authorization: str | None = None, **info: Any
    ) -> None:
        """Subscribe, and wait until that is taken."""
        self.url = url
        self._headers = {} if authorization is None else {"Authorization": authorization}
        self.stream = Connection(url)
        told: dict[str, Any] = {"user": "me", "name": "raw", "failover_timeout": 600.0, **info}
        call: dict[str, Any] = {"type": "SUBSCRIBE", "subscribe": {"framework_info": told}}
        if framework_id is not None:
            call["framework_id"] = told["id"] = {"value": framework_id}
        status = self.stream.send("POST", "/api/v1/scheduler", call, **self._headers)
        assert status == 200, status
        self.stream_id = self.stream.headers["mesos-stream-id"]
        self.records = self.stream.records()
        self.id: str = self.next("SUBSCRIBED")["framework_id"]["value"]

    def next(self, kind: str) -> Any:
        """The body of the next record of that type; others are passed over."""
        return next(record.get(kind.lower()) for record in self.records if record["type"] == kind)

    def call(self, kind: str, **body: Any) -> int:
        """Make a call on a connection of its own; returns the status."""
        call = {"type": kind, "framework_id": {"value": self.id}, kind.lower(): body}
        with Connection(self.url) as connection:
            headers = {"Mesos_Stream_Id": self.stream_id, **self._headers}
            return connection.send("POST", "/api/v1/scheduler", call, **headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Go, as a client does that dies."""
        self.stream.close()
