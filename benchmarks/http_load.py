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


async def records(url: str, path: str, body: bytes, count: int, *headers: str) -> float:
    """Open a stream and read so many records; records per second, from the first to the last."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=1 << 24)
    writer.write(head(where.netloc, path, body, *headers))
    await reader.readuntil(b"\r\n\r\n")
    began, seen = time.perf_counter(), 0
    while seen < count:
        size = int(await reader.readline(), 16)
        await reader.readexactly(size + 2)
        seen += 1
    took = time.perf_counter() - began
    writer.close()
    return count / took


def main() -> None:
    """Measure what was asked for."""
    what, url, path, body, count, *headers = sys.argv[1:]
    measure = {"calls": calls, "records": records}[what]
    print(json.dumps(asyncio.run(measure(url, path, body.encode(), int(count), *headers))))


if __name__ == "__main__":
    main()
