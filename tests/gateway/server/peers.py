"""Both ends of the server under test: whoever answers behind it, and clients that know nothing but sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue

import psutil

from mesolite.gateway.exchange import Request, Response
from mesolite.gateway.limits import Limits
from mesolite.gateway.server import HttpServer, Tls

PATIENCE_S = 20


class Desk:
    """An inlet that keeps what it is told, for the test to take, and answers at once if it has been told how."""

    def __init__(self, answer: Callable[[int, Request], None] | None = None, *, there: bool = True) -> None:
        self.answer = answer
        self.there = there
        self._came: Queue[tuple[int, Request]] = Queue()
        self._left: Queue[int] = Queue()

    def request(self, number: int, request: Request) -> bool:
        self._came.put((number, request))
        if self.answer is not None:
            self.answer(number, request)
        return self.there

    def gone(self, number: int) -> None:
        self._left.put(number)

    def next(self) -> tuple[int, Request]:
        """The next request, waiting for it."""
        return self._came.get(timeout=PATIENCE_S)

    def next_gone(self) -> int:
        """The number of the next client that has gone, waiting for it."""
        return self._left.get(timeout=PATIENCE_S)

    def heard_nothing_more(self) -> bool:
        """Whether all requests and departures have been taken."""
        return self._came.empty() and self._left.empty()


class Client:
    """A connection, and a reader of answers that trusts nothing but the bytes."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.settimeout(PATIENCE_S)
        self.unread = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def head(self) -> tuple[int, dict[str, str]]:
        """The status and headers of the next answer; names are in lower case."""
        text = self._until(b"\r\n\r\n").decode()
        first, *lines = text.split("\r\n")[:-2]
        return int(first.split()[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer, which states its length."""
        status, headers = self.head()
        return status, headers, self.exactly(int(headers["content-length"]))

    def chunk(self) -> bytes:
        """The next chunk of a stream; empty is the final one."""
        size = int(self._until(b"\r\n"), 16)
        data = self.exactly(size)
        assert self.exactly(2) == b"\r\n"
        return data

    def ended(self) -> bool:
        """Whether the server has closed the connection, after all that has been read; waits for it."""
        try:
            return not self.unread and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def ends_before(self, size: int) -> bool:
        """Whether the server breaks the connection before that many bytes have come."""
        try:
            self.exactly(size)
        except (EOFError, ConnectionResetError):
            return True
        return False

    def exactly(self, size: int) -> bytes:
        while len(self.unread) < size:
            self._more()
        data, self.unread = self.unread[:size], self.unread[size:]
        return data

    def close(self) -> None:
        self.socket.close()

    def _until(self, mark: bytes) -> bytes:
        while mark not in self.unread:
            self._more()
        return self.exactly(self.unread.index(mark) + len(mark))

    def _more(self) -> None:
        more = self.socket.recv(65536)
        if not more:
            raise EOFError(f"the server closed the connection after {self.unread[:200]!r}")
        self.unread += more


class Place:
    """A server with one port, what answers there, and the clients that have come."""

    def __init__(self, limits: Limits | None = None, tls: Tls | None = None, *, there: bool = True) -> None:
        self.server = HttpServer(tls, limits)
        self.desk = Desk(there=there)
        self.port = self.server.listen("127.0.0.1", 0, self.desk)
        self._clients: list[Client] = []

    def client(self, *, buffer: int = 0) -> Client:
        """One more client; with a buffer, one whose system takes no more than about that many bytes for it."""
        connection = socket.socket()
        if buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.settimeout(PATIENCE_S)
        connection.connect(("127.0.0.1", self.port))
        self._clients.append(Client(connection))
        return self._clients[-1]

    def echo(self) -> None:
        """From now on, answer every request with its own body."""
        self.desk.answer = lambda number, request: self.server.write(number, Response(status=200, body=request.body))

    def descriptors(self) -> list[int]:
        """Those of the server's ends of the connections to its port."""
        return [
            found.fd
            for found in psutil.Process().net_connections("tcp")
            if found.laddr and found.laddr.port == self.port and found.raddr and found.fd != -1
        ]

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.server.close()


@contextmanager
def place(limits: Limits | None = None, tls: Tls | None = None, *, there: bool = True) -> Iterator[Place]:
    """A place that is closed at the end, and leaves no thread behind (HT-17)."""
    opened = Place(limits, tls, there=there)
    try:
        yield opened
    finally:
        opened.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("mesolite-http", "asyncio"))]


def post(body: bytes = b"", *headers: str, path: str = "/api/v1") -> bytes:
    """A POST with a stated length."""
    lines = [f"POST {path} HTTP/1.1", "Host: here", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(*headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    """A request without a body."""
    return "\r\n".join([f"{method} /state HTTP/{version}", "Host: here", *headers]).encode() + b"\r\n\r\n"
