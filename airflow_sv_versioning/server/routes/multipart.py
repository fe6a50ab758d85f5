"""Multipart bodies: uploads that go to disk as they come, answers that hold many files."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.responses import StreamingResponse
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.routes.call import PlatformDep
from airflow_sv_versioning.server.storage import IncomingBlob, Storage

CHUNK_BYTES = 1 << 20
MAX_TEXT_BYTES = 1 << 20


@dataclass
class Part:
    """One part of a multipart body: a text, or a file on its way to the storage."""

    headers: dict[str, str] = field(default_factory=dict)
    name: str = ""
    filename: str | None = None
    text: bytearray = field(default_factory=bytearray)
    file: IncomingBlob | None = None

    def value(self) -> str:
        """The text of a part that is no file."""
        return self.text.decode()


class UploadReader:
    """Takes a multipart body apart while it comes in; files are written to the storage's incoming folder."""

    def __init__(self, boundary: bytes, storage: Storage) -> None:
        self._storage = storage
        self._header_name = bytearray()
        self._header_value = bytearray()
        self.parts: list[Part] = []
        self.is_complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": lambda: self.parts.append(Part()),
                "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_body,
                "on_part_data": lambda data, start, end: self._take(memoryview(data)[start:end]),
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        try:
            self._parser.write(chunk)
        except ValueError as error:
            raise bad_request(f"The multipart body is malformed: {error}") from error

    def discard(self) -> None:
        """Drop every file that nobody kept."""
        for part in self.parts:
            if part.file is not None:
                part.file.discard()

    def _end_header(self) -> None:
        self.parts[-1].headers[self._header_name.decode("latin-1").lower()] = self._header_value.decode(
            "utf-8", "replace"
        )
        self._header_name.clear()
        self._header_value.clear()

    def _begin_body(self) -> None:
        part = self.parts[-1]
        _, options = parse_options_header(part.headers.get("content-disposition", "").encode())
        part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options:
            part.filename = options[b"filename"].decode("utf-8", "replace")
            part.file = self._storage.receive()

    def _take(self, data: memoryview) -> None:
        part = self.parts[-1]
        if part.file is not None:
            part.file.write(data)
        elif len(part.text) + len(data) > MAX_TEXT_BYTES:
            raise bad_request(f"Part {part.name!r} is too long for a text; send it as a file")
        else:
            part.text.extend(data)

    def _end(self) -> None:
        self.is_complete = True


async def read_upload(request: Request, platform: PlatformDep) -> AsyncIterator[list[Part]]:
    """The parts of a multipart request; files that the route does not keep are dropped afterwards."""
    content_type, options = parse_options_header(request.headers.get("content-type", "").encode())
    if not content_type.startswith(b"multipart/") or b"boundary" not in options:
        raise bad_request("The request must be multipart/form-data with a boundary")
    reader = UploadReader(options[b"boundary"], platform.storage)
    try:
        async for chunk in chunks(request):
            await run_in_threadpool(reader.feed, chunk)
        if not reader.is_complete:
            raise bad_request("The multipart body ends before its last boundary")
        yield reader.parts
    finally:
        reader.discard()


async def chunks(request: Request) -> AsyncIterator[bytes]:
    """The request's body in pieces of about a megabyte."""
    pending = bytearray()
    async for piece in request.stream():
        pending.extend(piece)
        if len(pending) >= CHUNK_BYTES:
            yield bytes(pending)
            pending.clear()
    if pending:
        yield bytes(pending)


UploadDep = Annotated[list[Part], Depends(read_upload)]


def held(content: bytes) -> Callable[[], bytes]:
    """A reader of what already is in memory."""
    return lambda: content


def multipart_response(files: Sequence[tuple[int | str, Callable[[], bytes]]]) -> Response:
    """Answer with many files, each under its id or hash; one is in memory at a time."""
    boundary = secrets.token_hex(16)

    def body() -> Iterator[bytes]:
        for name, read in files:
            head = f'Content-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
            kind = "Content-Type: application/octet-stream\r\n\r\n"
            yield f"--{boundary}\r\n{head}{kind}".encode()
            yield read()
            yield b"\r\n"
        yield f"--{boundary}--\r\n".encode()

    return StreamingResponse(body(), media_type=f"multipart/form-data; boundary={boundary}")
