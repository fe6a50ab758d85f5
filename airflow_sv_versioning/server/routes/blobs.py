"""Stored files on the wire: whole, or a range of bytes."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from airflow_sv_versioning.server.behaviour.files import mime_of
from airflow_sv_versioning.server.errors import not_found
from airflow_sv_versioning.server.routes.call import PlatformDep
from airflow_sv_versioning.server.storage import Storage

router = APIRouter()


class BlobResponse(FileResponse):
    """A file that is read in large pieces; it answers ranges with 206 by itself."""

    chunk_size = 1 << 20


def blob_response(storage: Storage, blob_hash: str, mime: str | None) -> Response:
    """Answer with a blob and its checksum.

    :raises NotFoundError: its bytes are gone.
    """
    path = storage.path(blob_hash)
    if not path.is_file():
        raise not_found("File with hash", blob_hash)
    headers = {"x-content-checksum-sha256": blob_hash}
    return BlobResponse(path, media_type=mime or "application/octet-stream", headers=headers)


@router.api_route("/storage/{signature}/{blob_hash:path}/{name}", methods=["GET", "HEAD"])
def get_stored(signature: str, blob_hash: str, name: str, platform: PlatformDep) -> Response:
    """What ``fullStorageUrl`` points to; knowing the address is the permission."""
    if not platform.is_signed(blob_hash, signature):
        raise not_found("File", name)
    return blob_response(platform.storage, blob_hash, mime_of(name))
