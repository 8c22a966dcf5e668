"""The server beside which ours is measured: aiohttp, which sends back what comes, whole or line by line."""

import asyncio
import sys

from aiohttp import web


async def echo(request: web.Request) -> web.Response:
    """Send it back."""
    return web.Response(body=await request.read(), content_type="application/json")


async def stream(request: web.Request) -> web.StreamResponse:
    """Send every line back as a chunk, as it comes."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    async for line in request.content:
        await response.write(line)
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
