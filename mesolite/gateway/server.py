"""The sockets of the Mesos v1 HTTP interface: one thread for any number of ports, connections and streams.

aiohttp parses and keeps connections (connections.py); records are written by streams.py as soon as they come, a chunk
each. Nothing here waits for anybody while others could go on (HT-380).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gzip
import itertools
import re
import socket
import ssl
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import ContentEncodingError
from attrs import frozen
from multidict import CIMultiDict

from mesolite.actors.errors import Refused
from mesolite.actors.logs import logger, told
from mesolite.gateway.connections import Bare, Connection, Ports
from mesolite.gateway.exchange import Inlet, Part, Request, Response, StreamBegun
from mesolite.gateway.limits import Limits, file_limit, make_room_for_streams
from mesolite.gateway.streams import Exchange

BACKLOG = 1024
"""So many connections may wait to be accepted, as when all frameworks come back to a new leader at once."""

GRACE_S = 1.0
"""So long running requests get when the server closes (HT-17)."""

ROUNDS_TO_CONNECT = 5

COMPRESSED_FROM = 1024
"""Bytes of body from which an answer is compressed for whoever can read that (HT-9)."""

COMPRESSED_ASIDE_FROM = 64 * 1024
"""Bytes of body from which compressing takes so long that a thread beside does it."""

KEY_IN_PEM = b"PRIVATE KEY-----"
"""What a key begins with in PEM, whatever kind it is of."""

BARE = {status: Bare(status) for status in (200, 202)}
"""What calls are answered with, by status."""

FAST = 1
"""The level of gzip that takes least time; JSON becomes about a tenth even so."""


@frozen
class Tls:
    """Paths of a certificate and its key, in PEM; without a key, that is in the certificate's file (HT-18)."""

    certificate: str
    key: str = ""


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
        self._closed = False
        self._opening = threading.Lock()
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="mesolite-http", daemon=True)
        self._thread.start()
        self._loop, self._closing = self._started.result()

    def listen(self, host: str, port: int, inlet: Inlet) -> int:
        """Serve one more port, whose requests go to that inlet, and say which it is: 0 means any free one (HT-1).

        Raises:
            Refused: the server is closed, or the address cannot be had.
        """
        make_room_for_streams()
        with self._opening:
            if self._closed:
                raise Refused(f"cannot listen at {host}:{port}: this server has been closed; make another one")
            bound = _bind(host, port)
            number: int = bound.getsockname()[1]
            asyncio.run_coroutine_threadsafe(self._accept(bound, inlet), self._loop).result()
        return number

    def write(self, number: int, part: Part) -> None:
        """Send the next part of the answer to the request of that number; drop it if its client has gone.

        From any thread. However many parts come at a time, and to however many clients: the loop is woken once.
        """
        if self._loop.is_closed():
            return
        self._inbox.append((number, part))
        if threading.current_thread() is self._thread:
            self._hand_out()
        elif not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # it has closed meanwhile
                self._loop.call_soon_threadsafe(self._hand_out)

    def close(self) -> None:
        """End all streams, give running requests a second, and free the ports (HT-17). A second time does nothing."""
        with self._opening:
            self._closed = True
        with suppress(RuntimeError):  # the loop has ended already
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
        listener = await asyncio.get_running_loop().create_server(
            ports,
            sock=bound,
            backlog=BACKLOG,
            ssl=self._tls,
            ssl_handshake_timeout=self._limits.head_s if self._tls else None,
            ssl_shutdown_timeout=GRACE_S / 2 if self._tls else None,
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
                bare = BARE.get(head.status) if not head.body and not head.headers else None
                if bare is not None and request.version == HttpVersion11 and request.keep_alive:
                    return bare
                return await _whole(head, request)
            return await _stream(head, request, exchange)
        finally:
            connection.exchange = None
            del self._exchanges[number]
            if taken and not exchange.complete:
                _tell(inlet, number)

    async def _shut(self) -> None:
        """HT-17. Whatever is sent is flushed; what is not taken within the second is dropped."""
        loop = asyncio.get_running_loop()
        for listener, _ in self._ports:
            for listening in listener.sockets:
                loop.remove_reader(listening.fileno())
        # What was accepted just now becomes a connection in the next rounds. If the listener were closed by then,
        # asyncio would forget it, and leave it open.
        for _ in range(ROUNDS_TO_CONNECT):
            await asyncio.sleep(0)
        for listener, ports in self._ports:
            for listening in listener.sockets:
                # To close it would leave it listening as long as a child that was forked has a copy.
                with contextlib.suppress(OSError):
                    listening.shutdown(socket.SHUT_RDWR)
            listener.close()
            ports.pre_shutdown()
        for exchange in list(self._exchanges.values()):
            exchange.end()
        for connection in self._connections():
            if connection.exchange is None:
                connection.force_close()
        await self._all_lost()
        for connection in self._connections():
            connection.abort()
        await self._all_lost()

    async def _all_lost(self) -> None:
        if lost := [connection.lost for connection in self._connections()]:
            await asyncio.wait(lost, timeout=GRACE_S)

    def _connections(self) -> list[Connection]:
        return [connection for _, ports in self._ports for connection in ports.open]


def _bind(host: str, port: int) -> socket.socket:
    try:
        if not 0 <= port < 2**16:
            raise OSError(errno.EINVAL, "ports are numbers from 0 to 65535")
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise Refused(
            f"cannot listen at {host}:{port}: {error.strerror or error}; "
            "give an address of this machine and a port that nobody uses, or 0 for any free port"
        ) from error


def _tell(inlet: Inlet, number: int) -> None:
    try:
        inlet.gone(number)
    except Exception as error:  # noqa: BLE001  # a defect, and nobody is left to be answered
        logger.error("Nobody has learnt that the client of request {} has gone:\n{}", number, told(error))


async def _body(request: web.BaseRequest, connection: Connection, limits: Limits) -> bytes | web.Response:
    """The whole body, or why there is none."""
    lines = request.raw_headers
    # Few lines cannot be too long together: each has a limit of its own.
    length = sum(len(name) + len(value) + 4 for name, value in lines) if len(lines) * limits.line > limits.head else 0
    if length > limits.head:
        return connection.refusal(431, f"The request's headers are longer than {limits.head} bytes")
    too_large = f"The body is larger than {limits.body} bytes, which is as much as is taken"
    if (request.content_length or 0) > limits.body:
        return connection.refusal(413, too_large)
    coming = request.content
    waits = request.headers.get("Expect", "").lower() == "100-continue"
    if waits and not coming.is_eof() and coming.exception() is None:
        connection.invite()
    if coming.is_eof() and coming.exception() is None and coming.total_bytes <= limits.body:
        return coming.read_nowait()
    body = bytearray()
    try:
        while not coming.at_eof():
            if coming.is_eof():  # as nearly always, it has come with the head, and a timer would cost more than it
                body += coming.read_nowait()
                continue
            async with asyncio.timeout(limits.body_s):
                body += await coming.readany()
            if len(body) > limits.body:
                return connection.refusal(413, too_large)
    except TimeoutError:
        return connection.refusal(408, f"Nothing of the body has come for {limits.body_s:g} s")
    except web.RequestPayloadError as error:
        if isinstance(error.__cause__, ContentEncodingError):
            stated = request.headers.get("Content-Encoding", "")
            return connection.refusal(400, f"The body is not {stated}, although its Content-Encoding says so")
        return connection.refusal(400, f"Not HTTP/1.1: {error}")
    return bytes(body)


def _request(request: web.BaseRequest, body: bytes) -> Request:
    path, query = request.rel_url.raw_path, request.rel_url.raw_query_string
    return Request(method=request.method, path=path, query=query, headers=tuple(request.headers.items()), body=body)


async def _whole(response: Response, request: web.BaseRequest) -> web.Response:
    """An answer of known length (HT-6), compressed if that pays and is understood (HT-9)."""
    headers, body = CIMultiDict(response.headers), response.body
    if len(body) >= COMPRESSED_FROM and _reads_gzip(request.headers.get("Accept-Encoding", "")):
        if len(body) >= COMPRESSED_ASIDE_FROM:
            body = await asyncio.to_thread(gzip.compress, body, FAST)
        else:
            body = gzip.compress(body, FAST)
        headers["Content-Encoding"] = "gzip"
        headers["Vary"] = "Accept-Encoding"
    if not body:
        headers.popall("Content-Type", None)
    if response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        headers["Content-Length"] = str(len(body))  # aiohttp leaves a 0 out when the method is HEAD
    return web.Response(status=response.status, headers=headers, body=body)


async def _stream(head: StreamBegun, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
    """An answer that stays open until it is ended (HT-56); HTTP/1.0 knows no chunks, there the end is that of all."""
    stream = web.StreamResponse(headers=CIMultiDict(head.headers))
    chunked = request.version >= HttpVersion11
    if chunked:
        stream.enable_chunked_encoding()
    await stream.prepare(request)
    exchange.open(chunked=chunked)
    await exchange.written
    return stream  # aiohttp writes the final chunk (HT-59)


def _reads_gzip(accepted: str) -> bool:
    for entry in accepted.lower().split(","):
        coding, *parameters = (word.strip() for word in entry.split(";"))
        if coding == "gzip":
            return not any(re.fullmatch(r"q\s*=\s*0(\.0*)?", parameter) for parameter in parameters)
    return False


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        if not tls.key and KEY_IN_PEM not in Path(tls.certificate).read_bytes():
            raise Refused(f"the certificate {tls.certificate} comes without a key; give the path of its key, too")
        context.load_cert_chain(tls.certificate, tls.key or None)
    except OSError as error:  # ssl.SSLError is one
        key = f"key {tls.key}" if tls.key else "key in the same file"
        raise Refused(
            f"cannot use the certificate {tls.certificate} with the {key}: {error.strerror or error}; "
            "give the paths of two files in PEM that belong together, or of one that holds both"
        ) from error
    return context


def _report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio would log with the standard library; above all that there are too many connections (HT-379)."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        logger.warning(
            "The HTTP server cannot accept another connection: {}; this process may open {} files and sockets, and has "
            "opened them; raise that limit (ulimit -n), or close some",
            error.strerror,
            file_limit(),
        )
    else:
        logger.error("{}{}", context["message"], f"\n{told(error)}" if error is not None else "")
