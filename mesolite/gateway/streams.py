"""An answer under way: what waits for its client, and its writing, a chunk per record and no more than is taken."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import assert_never

from mesolite.gateway.exchange import Cut, Part, Record, Response, StreamBegun, StreamEnded
from mesolite.gateway.limits import Limits


class Exchange:
    """A request whose answer has not ended. Lives on the loop's thread; never waits, never writes to a full socket."""

    def __init__(self, transport: asyncio.Transport, limits: Limits) -> None:
        loop = asyncio.get_running_loop()
        self.head: asyncio.Future[Response | StreamBegun] = loop.create_future()
        self.written: asyncio.Future[None] = loop.create_future()
        """Done once all of a stream's records are with the operating system, or with the transport at least."""
        self.complete = False
        """Whether whoever answers has said all: only then it is not told that the client has gone."""
        self._transport = transport
        self._limits = limits
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._ending = False
        self._open = False
        self._chunked = True
        self._full = False

    def take(self, part: Part) -> None:
        """The next part of the answer."""
        match part:
            case Record():
                self._waiting.append(part.framed)
                self._waiting_bytes += len(part.framed)
                self._flush()
            case StreamEnded():
                self.complete = True
                self.end()
            case Cut():
                self.complete = True
                self._transport.abort()
            case Response() | StreamBegun():
                self.complete = isinstance(part, Response)
                if not self.head.done():
                    self.head.set_result(part)
            case _:
                assert_never(part)

    def open(self, *, chunked: bool) -> None:
        """The head of the stream has been sent: its records may follow."""
        self._open, self._chunked = True, chunked
        self._flush()

    def end(self) -> None:
        """No more records will come."""
        self._ending = True
        self._flush()

    def pause(self) -> None:
        """The client does not take any more at present."""
        self._full = True

    def resume(self) -> None:
        """The client has taken most of what was written."""
        self._full = False
        self._flush()

    def _flush(self) -> None:
        """Write what waits, each record as one chunk in one send, until the client takes no more (HT-57, HT-58)."""
        if self._transport.is_closing():
            self._waiting.clear()
            return
        while self._open and self._waiting and not self._full:
            framed = self._waiting.popleft()
            self._waiting_bytes -= len(framed)
            self._transport.write(b"%x\r\n%b\r\n" % (len(framed), framed) if self._chunked else framed)
        if self._waiting_bytes > self._limits.waiting or len(self._waiting) > self._limits.waiting_records:
            self._transport.abort()  # HT-62
        if self._open and self._ending and not self._waiting and not self.written.done():
            self.written.set_result(None)
