"""What travels between sockets and the gateway, as plain data: requests, and the parts of which an answer is made.

Request  -->  Response                                 nearly every answer
Request  -->  StreamBegun, Record, Record, StreamEnded  an answer that stays open (docs/spec/http.md section 3)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import frozen

Headers = tuple[tuple[str, str], ...]
"""Names and values, in the order in which they came or are to go."""


@frozen(kw_only=True)
class Request:
    """What a client has sent, complete. `path` and `query` are as they came, with their percent signs (HT-97)."""

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first header of that name, in whatever case (HT-5); None if there is none."""
        found = self.headers_named(name)
        return found[0] if found else None

    def headers_named(self, name: str) -> list[str]:
        """All headers of that name."""
        wanted, length = name.lower(), len(name)
        # Looked for with every call: hardly any header has a name of that length.
        return [value for known, value in self.headers if len(known) == length and known.lower() == wanted]


@frozen(kw_only=True)
class Response:
    """A whole answer; its length is stated (HT-6), an empty one has no Content-Type."""

    status: int
    headers: Headers = ()
    body: bytes = b""


@frozen(kw_only=True)
class StreamBegun:
    """The head of an answer that stays open: 200, and chunked (HT-56)."""

    headers: Headers = ()


@frozen
class Record:
    """One record of a stream, its length line included; exactly one chunk (HT-55, HT-57)."""

    framed: bytes


@frozen
class StreamEnded:
    """A stream's final chunk (HT-59)."""


@frozen
class Cut:
    """No more is to come, and the connection breaks: who was to answer is gone."""


Part = Response | StreamBegun | Record | StreamEnded | Cut

Outlet = Callable[[int, Part], None]
"""Takes the next part of the answer to the request of that number, from any thread; drops it if nobody waits for it."""


class Inlet(Protocol):
    """Whoever is behind a port."""

    def request(self, number: int, request: Request) -> bool:
        """Take a request; False if nobody is there, as on a machine whose daemon is down. Never waits."""

    def gone(self, number: int) -> None:
        """Learn that the client of that request has gone, or was cut off, before its answer had ended."""
