"""A proxy that holds every request back for a while and counts them.

The delay stands for the round trip to a server far away: one per request, one per new connection.
``GET /-/count`` answers how many requests came since it was last asked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from urllib.parse import urlsplit

CHUNK_BYTES = 1 << 18
COUNT = b"GET /-/count "


class DelayProxy:
    """Relay connections to one upstream."""

    def __init__(self, upstream: str, delay_seconds: float) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._delay_seconds = delay_seconds
        self._requests = 0

    async def serve(self) -> None:
        """Serve for good; the first line on stdout is the address."""
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0, limit=CHUNK_BYTES)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._delay_seconds)
        there_reader, there_writer = await asyncio.open_connection(*self._upstream, limit=CHUNK_BYTES)
        back = asyncio.create_task(_pump(there_reader, writer))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._relay_request(reader, writer, there_writer)
        # The client has left: nobody waits for the rest of an answer.
        back.cancel()
        there_writer.close()
        writer.close()

    async def _relay_request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(COUNT):
            body = json.dumps(self._requests).encode()
            self._requests = 0
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            return
        self._requests += 1
        await asyncio.sleep(self._delay_seconds)
        there.write(head)
        if b"transfer-encoding: chunked" in head.lower():
            await _relay_chunks(reader, there)
        else:
            await _relay_bytes(reader, there, _content_length(head))


async def _relay_chunks(reader: asyncio.StreamReader, there: asyncio.StreamWriter) -> None:
    while True:
        size = await reader.readuntil(b"\r\n")
        there.write(size)
        await _relay_bytes(reader, there, int(size, 16) + 2)
        if int(size, 16) == 0:
            return


async def _relay_bytes(reader: asyncio.StreamReader, there: asyncio.StreamWriter, count: int) -> None:
    while count:
        chunk = await reader.read(min(count, CHUNK_BYTES))
        if not chunk:
            raise asyncio.IncompleteReadError(b"", count)
        count -= len(chunk)
        there.write(chunk)
        await there.drain()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await source.read(CHUNK_BYTES):
            target.write(chunk)
            await target.drain()
    target.close()


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("upstream")
    parser.add_argument("--delay-ms", type=float, default=0)
    given = parser.parse_args()
    asyncio.run(DelayProxy(given.upstream, given.delay_ms / 1000).serve())
