"""A client's connection: aiohttp's, made stricter where docs/spec/http.md asks for more (section 17)."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from secrets import token_hex
from typing import Any

from aiohttp import web
from aiohttp.http import SERVER_SOFTWARE, RawRequestMessage
from aiohttp.http_exceptions import ContentEncodingError, LineTooLong

from mesolite.actors.logs import logger, told
from mesolite.gateway.limits import Limits
from mesolite.gateway.streams import Exchange

HEADERS = 200
"""So many, more than anybody sends, are too many, however short they are (HT-375)."""

NOT_DECODED = "The body is not what its Content-Encoding says, or that is not understood; send gzip, deflate or none"

LINGER_S = 1.0
"""So long a client that was refused may take to read why; closing at once could destroy that on its way."""


class Bare(web.StreamResponse):
    """An answer of a status and nothing else, on a connection that goes on: what nearly every call gets (HT-6).

    It is written in one go, which spares a third of what aiohttp does for a call. It keeps nothing of a request.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status=status)
        self._keep_alive = True  # aiohttp asks after each answer

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write it.

        Raises:
            ConnectionResetError: nobody is there any more.
        """
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        transport.write(_bare(self.status, int(time.time())))

    async def write_eof(self, data: bytes = b"") -> None:
        """All of it is written already."""


@lru_cache(maxsize=16)
def _bare(status: int, second: int) -> bytes:
    date = formatdate(second, usegmt=True)
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Length: 0\r\n"
        f"Date: {date}\r\nServer: {SERVER_SOFTWARE}\r\n\r\n"
    ).encode()


class Ports(web.Server):
    """What accepts the connections of one port."""

    def __init__(self, handler: Any, limits: Limits) -> None:
        super().__init__(handler, handler_cancellation=True)
        self._limits = limits
        self.open: set[Connection] = set()

    def __call__(self) -> Connection:
        """One more connection."""
        return Connection(self, self._limits)


class Connection(web.RequestHandler):
    """One connection; it reads a request at a time and has at most one exchange under way."""

    def __init__(self, port: Ports, limits: Limits) -> None:
        super().__init__(
            port,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=limits.idle_s,
            access_log=None,  # type: ignore[arg-type]  # that is how aiohttp is told to keep none
            max_line_size=limits.line,
            max_field_size=limits.line,
            max_headers=HEADERS,
            lingering_time=0,
        )
        self.exchange: Exchange | None = None
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._port = port
        self._limits = limits
        self._socket: asyncio.Transport
        self._refused = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._unsent = 0
        self._taken_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        assert isinstance(transport, asyncio.Transport)
        self._socket = transport
        self._port.open.add(self)
        super().connection_made(transport)  # which turns Nagle off (HT-58)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is no more; aiohttp cancels whatever answers on it."""
        self._port.open.discard(self)
        self._forget_head()
        self._forget_write()
        super().connection_lost(exc)
        if not self.lost.done():
            self.lost.set_result(None)

    def abort(self) -> None:
        """Drop the connection, and what has not been sent."""
        self._socket.abort()

    def eof_received(self) -> None:
        """The client has closed its half, which counts as all of it (HT-60); the transport closes itself after that."""
        if self.exchange is not None:
            self._socket.abort()  # to close would wait until all is sent

    # --- reading --------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._refused:
            return
        super().data_received(data)
        if self._messages:
            self._forget_head()
            if not isinstance(last := self._messages[-1][0], RawRequestMessage):
                self._spoil_bodies(last.exc)
        elif data and not self._request_in_progress and self._head_timer is None:
            self._head_timer = self._loop.call_later(self._limits.head_s, self._head_is_late)

    def _spoil_bodies(self, error: BaseException | None) -> None:
        """What could not be parsed may be a body that is waited for; aiohttp queues the error behind its request."""
        bodies = [body for _, body in self._messages]
        if self._current_request is not None:
            bodies.append(self._current_request.content)
        for body in bodies:
            if not body.is_eof():
                why = web.RequestPayloadError("the body is malformed")
                why.__cause__ = error
                body.set_exception(why)

    def _forget_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        """HT-377: nobody answers on this connection now, so the refusal can be written as it is."""
        self._head_timer = None
        if self._request_in_progress or self._socket.is_closing():
            return
        text = f"The request's head took longer than {self._limits.head_s:g} s".encode()
        status = HTTPStatus.REQUEST_TIMEOUT
        self._socket.write(
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(text)}\r\nDate: {formatdate(usegmt=True)}\r\nConnection: close\r\n\r\n".encode()
            + text
        )
        self.force_close()

    # --- writing --------------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        """More is unsent than should be: wait, and watch whether the client takes any of it (HT-188)."""
        super().pause_writing()
        if self.exchange is not None:
            self.exchange.pause()
        self._unsent = self._socket.get_write_buffer_size()
        self._taken_at = self._loop.time()
        self._watch_write()

    def resume_writing(self) -> None:
        """The client has taken most of it."""
        self._forget_write()
        super().resume_writing()
        if self.exchange is not None:
            self.exchange.resume()

    def _watch_write(self) -> None:
        self._write_timer = self._loop.call_later(self._limits.write_s / 5, self._look_at_write)

    def _look_at_write(self) -> None:
        unsent, now = self._socket.get_write_buffer_size(), self._loop.time()
        if unsent < self._unsent:
            self._unsent, self._taken_at = unsent, now
        if now - self._taken_at >= self._limits.write_s:
            self._socket.abort()
        else:
            self._watch_write()

    def _forget_write(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def invite(self) -> None:
        """Tell a client that waits for it to send its body (HT-7)."""
        self._socket.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # --- refusing -------------------------------------------------------------------------------------

    def refusal(self, status: int, text: str) -> web.Response:
        """An answer after which the connection is closed: what else comes on it cannot be made sense of."""
        self._refused = True
        response = web.Response(status=status, text=text)
        response.force_close()
        return response

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What to answer to malformed HTTP (HT-381), to lines too long (HT-375), and for our own defects (HT-89)."""
        if isinstance(exc, LineTooLong) or (message or "").startswith("Too many headers"):
            text = f"A line of the head is longer than {self._limits.line} bytes, or there are over {HEADERS} headers"
            return self.refusal(431, text)
        if isinstance(exc, ContentEncodingError):
            return self.refusal(400, NOT_DECODED)
        if status != HTTPStatus.INTERNAL_SERVER_ERROR or exc is None:
            return self.refusal(status, f"Not HTTP/1.1: {message}")
        reference = token_hex(4)
        logger.error("{} {} failed, reference {}:\n{}", request.method, request.path, reference, told(exc))
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun and cannot become another one")
        return self.refusal(500, f"A defect of Mesolite; the log says more under the reference {reference}")

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Write the answer, and after a refusal go on reading for a moment (see LINGER_S)."""
        done = await super().finish_response(request, resp, start_time)
        if self._refused and not self._socket.is_closing():
            if self._socket.can_write_eof():
                self._socket.write_eof()
            self._socket.resume_reading()
            await asyncio.wait([self.lost], timeout=LINGER_S)
        return done

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """What aiohttp would log with the standard library goes where our log goes."""
        error = kw.get("exc_info")
        logger.error("{}", told(error) if isinstance(error, BaseException) else args)
