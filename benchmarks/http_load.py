"""The client's side of the HTTP benchmark, a process of its own: `python -m benchmarks.http_load WHAT URL ...`.

It does as little as a client can, so that what is measured is the server. It prints one number.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from urllib.parse import urlsplit

CONNECTIONS = 8


def head(host: str, path: str, body: bytes, *headers: str) -> bytes:
    """A request, with its body."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def answered(reader: asyncio.StreamReader) -> None:
    """Read one answer that is no stream."""
    told = await reader.readuntil(b"\r\n\r\n")
    length = int(told.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    if length:
        await reader.readexactly(length)
    assert told.startswith((b"HTTP/1.1 202", b"HTTP/1.1 200")), told


async def calls(url: str, path: str, body: bytes, count: int, *headers: str) -> float:
    """Make so many calls, one after another on each of a few connections; calls per second."""
    where = urlsplit(url)
    request = head(where.netloc, path, body, *headers)

    async def some(number: int) -> None:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        for _ in range(number):
            writer.write(request)
            await answered(reader)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(some(count // CONNECTIONS) for _ in range(CONNECTIONS)))
    return count / (time.perf_counter() - began)


async def records(url: str, path: str, body: bytes, count: int) -> float:
    """Send so many lines in one request, and read them back as they come; per second."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=1 << 24)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: {where.netloc}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    line = body + b"\n"
    writer.write(b"%x\r\n%b\r\n" % (len(line) * count, line * count) + b"0\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    rate = await chunks_per_second(reader, count)
    writer.close()
    return rate


async def chunks_per_second(reader: asyncio.StreamReader, count: int) -> float:
    """How many chunks of a stream come in a second, over so many."""
    began = time.perf_counter()
    for _ in range(count):
        size = int(await reader.readline(), 16)
        await reader.readexactly(size + 2)
    return count / (time.perf_counter() - began)


async def updates(url: str, path: str, body: bytes, count: int, *headers: str) -> float:
    """Subscribe as a framework, ask about so many tasks that nobody knows, and read the updates that say so."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=1 << 24)
    writer.write(head(where.netloc, path, body, *headers))
    told = await reader.readuntil(b"\r\n\r\n")
    stream_id = told.lower().partition(b"mesos-stream-id: ")[2].partition(b"\r\n")[0].decode()
    size = int(await reader.readline(), 16)
    subscribed = json.loads((await reader.readexactly(size + 2)).partition(b"\n")[2])["subscribed"]
    tasks = [{"task_id": {"value": f"unknown-{number}"}} for number in range(count)]
    call = {"type": "RECONCILE", "framework_id": subscribed["framework_id"], "reconcile": {"tasks": tasks}}
    asking, asked = await asyncio.open_connection(where.hostname, where.port)
    asked.write(head(where.netloc, path, json.dumps(call).encode(), f"Mesos-Stream-Id: {stream_id}"))
    await answered(asking)
    rate = await chunks_per_second(reader, count)
    for connection in (asked, writer):
        connection.close()
    return rate


def main() -> None:
    """Measure what was asked for."""
    what, url, path, body, count, *headers = sys.argv[1:]
    measure = {"calls": calls, "records": records, "updates": updates}[what]
    print(json.dumps(asyncio.run(measure(url, path, body.encode(), int(count), *headers))))


if __name__ == "__main__":
    main()
