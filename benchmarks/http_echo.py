"""The server beside which ours is measured: aiohttp, which sends back what comes, or as many chunks of it as wanted."""

import asyncio
import contextlib
import sys

from aiohttp import web


async def echo(request: web.Request) -> web.Response:
    """Send it back."""
    return web.Response(body=await request.read(), content_type="application/json")


async def stream(request: web.Request) -> web.StreamResponse:
    """Send it back as chunks, without end."""
    chunk = await request.read()
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):  # its client has enough
        while True:
            await response.write(chunk)
    return response


async def main() -> None:
    """Serve until the standard input ends."""
    application = web.Application()
    application.router.add_post("/stream", stream)
    application.router.add_post("/{path:.*}", echo)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
