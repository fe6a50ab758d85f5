"""Stored files on the wire: whole, or a range of bytes."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from airflow_sv_versioning.exceptions import RequestRejectedError
from airflow_sv_versioning.server.behaviour.files import mime_of
from airflow_sv_versioning.server.errors import not_found
from airflow_sv_versioning.server.routes.call import PlatformDep
from airflow_sv_versioning.server.storage import Storage

CHUNK_BYTES = 1 << 20
# Whoever uploads a file chooses its content and its name: no browser may take it for a page of this server.
NOT_TO_BE_RUN = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
}
router = APIRouter()


def blob_response(request: Request, storage: Storage, blob_hash: str, mime: str | None) -> Response:
    """Answer with a blob and its checksum, or with the range of it that is asked for.

    :raises NotFoundError: its bytes are gone.
    :raises RequestRejectedError: 416, the range begins behind the end.
    """
    path = storage.path(blob_hash)
    if not path.is_file():
        raise not_found("File with hash", blob_hash)
    size = path.stat().st_size
    wanted = _wanted_range(request.headers.get("range"), size)
    start, end = wanted or (0, size)
    headers = {
        **NOT_TO_BE_RUN,
        "accept-ranges": "bytes",
        "content-length": str(end - start),
        "x-content-checksum-sha256": blob_hash,
    }
    if wanted:
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    chunks = iter(()) if request.method == "HEAD" else _read(path, start, end)
    media_type = mime or "application/octet-stream"
    return StreamingResponse(chunks, 206 if wanted else 200, headers=headers, media_type=media_type)


@router.api_route("/storage/{signature}/{digest}/{name}", methods=["GET", "HEAD"])
def get_stored(request: Request, signature: str, digest: str, name: str, platform: PlatformDep) -> Response:
    """What ``fullStorageUrl`` points to; knowing the address is the permission."""
    if not platform.is_signed(digest, signature):
        raise not_found("File", name)
    blob_hash = base64.b64encode(bytes.fromhex(digest)).decode()
    return blob_response(request, platform.storage, blob_hash, _shown_type(mime_of(name)))


def _shown_type(mime: str) -> str | None:
    """Keep the types of pictures, films and sounds; an SVG is a document that may hold scripts."""
    is_media = mime.partition("/")[0] in {"image", "video", "audio"} and not mime.endswith("xml")
    return mime if is_media else None


def _wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of a single range; ``None`` means the whole file.

    A header that is malformed or names several ranges is ignored, as RFC 9110 permits.
    """
    # No file has more bytes than 18 digits can count.
    match = re.fullmatch(r"\s*bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", header or "")
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if start >= size:
        raise RequestRejectedError(f"The file ends before byte {start}: it has {size} bytes", status_code=416)
    return (start, end) if start < end else None


def _read(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(CHUNK_BYTES, end - start))):
            start += len(chunk)
            yield chunk
