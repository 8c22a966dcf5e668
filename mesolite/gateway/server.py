"""The sockets of the Mesos v1 HTTP interface: one thread for any number of ports, connections and streams.

aiohttp parses and keeps connections (connections.py); records are written by streams.py as soon as they come, a chunk
each. Nothing here waits for anybody while others could go on (HT-380).
"""

from __future__ import annotations

import asyncio
import errno
import gzip
import itertools
import socket
import ssl
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from aiohttp import HttpVersion11, web
from attrs import frozen
from multidict import CIMultiDict

from mesolite.actors.errors import Refused
from mesolite.actors.logs import logger, told
from mesolite.gateway.connections import Connection, Ports
from mesolite.gateway.exchange import Inlet, Part, Request, Response, StreamBegun
from mesolite.gateway.limits import Limits, make_room_for_streams
from mesolite.gateway.streams import Exchange

GRACE_S = 1.0
"""So long running requests get when the server closes (HT-17)."""

COMPRESSED_FROM = 1024
"""Bytes of body from which an answer is compressed for whoever can read that (HT-9)."""

COMPRESSED_ASIDE_FROM = 64 * 1024
"""Bytes of body from which compressing takes so long that a thread beside does it."""


@frozen
class Tls:
    """Paths of a certificate and its key, in PEM (HT-18)."""

    certificate: str
    key: str


class HttpServer:
    """Serves any number of ports from one thread, until it is closed.

    Raises:
        Refused: the certificate or its key cannot be used.
    """

    def __init__(self, tls: Tls | None = None, limits: Limits | None = None) -> None:
        self._tls = _context(tls) if tls is not None else None
        self._limits = limits or Limits()
        self._numbers = itertools.count(1)
        self._exchanges: dict[int, Exchange] = {}
        self._inbox: deque[tuple[int, Part]] = deque()
        self._woken = False
        self._ports: list[tuple[asyncio.Server, Ports]] = []
        self._closed = threading.Event()
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="mesolite-http", daemon=True)
        self._thread.start()
        self._loop, self._closing = self._started.result()

    def listen(self, host: str, port: int, inlet: Inlet) -> int:
        """Serve one more port, whose requests go to that inlet, and say which it is: 0 means any free one (HT-1).

        Raises:
            Refused: the server is closed, or the address cannot be had.
        """
        if self._closed.is_set():
            raise Refused(f"cannot listen at {host}:{port}: this server has been closed; make another one")
        make_room_for_streams()
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            bound = socket.create_server((host, port), family=family, backlog=1024)
        except (OSError, OverflowError) as error:
            raise Refused(
                f"cannot listen at {host}:{port}: {getattr(error, 'strerror', None) or error}; "
                "give an address of this machine and a port that nobody uses, or 0 for any free port"
            ) from error
        asyncio.run_coroutine_threadsafe(self._accept(bound, inlet), self._loop).result()
        number: int = bound.getsockname()[1]
        return number

    def write(self, number: int, part: Part) -> None:
        """Send the next part of the answer to the request of that number; drop it if its client has gone.

        From any thread. However many parts come at a time, and to however many clients: the loop is woken once.
        """
        self._inbox.append((number, part))
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the loop has ended: so have all clients
                self._loop.call_soon_threadsafe(self._hand_out)

    def close(self) -> None:
        """End all streams, give running requests a second, and free the ports (HT-17). A second time does nothing."""
        self._closed.set()
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    # --- on the loop's thread -------------------------------------------------------------------------

    async def _serve(self) -> None:
        loop, closing = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(_report)
        self._started.set_result((loop, closing))
        await closing.wait()
        await self._shut()

    async def _accept(self, bound: socket.socket, inlet: Inlet) -> None:
        ports = Ports(partial(self._answer, inlet), self._limits)
        timeouts = {"ssl_handshake_timeout": self._limits.head_s, "ssl_shutdown_timeout": GRACE_S / 2}
        listener = await asyncio.get_running_loop().create_server(
            ports, sock=bound, backlog=1024, ssl=self._tls, **(timeouts if self._tls else {})
        )
        self._ports.append((listener, ports))

    def _hand_out(self) -> None:
        self._woken = False  # first: whoever adds a part from now on wakes us again
        for _ in range(len(self._inbox)):
            number, part = self._inbox.popleft()
            if (exchange := self._exchanges.get(number)) is not None:
                exchange.take(part)

    async def _answer(self, inlet: Inlet, request: web.BaseRequest) -> web.StreamResponse:
        """One request, from its body to the end of its answer."""
        connection = request.protocol
        assert isinstance(connection, Connection)
        body = await _body(request, connection, self._limits)
        if isinstance(body, web.Response):
            return body
        assert request.transport is not None
        number = next(self._numbers)
        exchange = self._exchanges[number] = connection.exchange = Exchange(request.transport, self._limits)
        taken = False
        try:
            taken = inlet.request(number, _request(request, body))
            if not taken:
                connection.abort()
                return web.Response()  # which finds no connection to go to
            head = await exchange.head
            if isinstance(head, Response):
                return await _whole(head, request)
            return await _stream(head, request, exchange)
        finally:
            connection.exchange = None
            del self._exchanges[number]
            if taken and not exchange.complete:
                inlet.gone(number)

    async def _shut(self) -> None:
        until = asyncio.get_running_loop().time() + GRACE_S
        for listener, ports in self._ports:
            listener.close()
            ports.pre_shutdown()
        raise NotImplementedError(until)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio would log with the standard library; above all that there are too many connections (HT-379)."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        logger.warning("x")
    else:
        logger.error("{}{}", context["message"], f"\n{told(error)}" if error is not None else "")
