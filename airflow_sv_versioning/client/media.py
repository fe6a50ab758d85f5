"""Contents of items: uploaded by their bytes, known by their hash, before any item is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.file_sizes import naming_file
from airflow_sv_versioning.client.shapes import Stored
from airflow_sv_versioning.client.transport import Check, Transport
from airflow_sv_versioning.exceptions import IntegrityError

_HASHES_BATCH = 900


@dataclass(frozen=True)
class UploadMethod:
    """How the platform takes files."""

    name: str
    content_type: str


# It takes volumes as it takes images.
IMAGE_UPLOAD = UploadMethod("images.bulk.upload", "image/*")
VIDEO_UPLOAD = UploadMethod("videos.bulk.upload", "video/*")


class Media:
    """Store contents on the server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def find_existing(self, hashes: Sequence[str]) -> set[str]:
        """Tell which contents the server holds, whatever their type.

        Source: POST images.internal.hashes.list, of as many at once as the official client asks for.
        """
        existing: set[str] = set()
        for part in batches(hashes, _HASHES_BATCH):
            existing.update(self._transport.call("images.internal.hashes.list", list(part), list[str]))
        return existing

    def upload(
        self, method: UploadMethod, path: Path, expected_hash: str, *, check: Check | None = None
    ) -> None:
        """Stream a file to the server.

        :param expected_hash: base64 of the SHA-256 of the file.
        :param check: called all the while; what it raises ends the sending.
        :raises FileTooLargeError: it is larger than the team's plan takes.
        :raises IntegrityError: the server stored something else, or nothing.

        Source: POST images.bulk.upload and videos.bulk.upload.
        """
        with ExitStack() as opened:

            def fields() -> list[tuple[str, Any]]:
                opened.close()
                return [("0-file", ("0", opened.enter_context(path.open("rb")), method.content_type))]

            with naming_file(path.name, path.stat().st_size):
                answer = self._transport.upload(method.name, fields, list[Stored], check=check)
        stored = answer[0].get("hash") if answer else None
        if stored != expected_hash:
            raise IntegrityError(
                f"The server stored {path.name} of hash {expected_hash} as {stored or answer}.",
                expected=expected_hash,
                actual=stored,
            )
