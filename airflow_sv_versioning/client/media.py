"""Contents of items: uploaded by their bytes, known by their hash, before any item is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.file_sizes import naming_file
from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.client.shapes import Stored
from airflow_sv_versioning.client.transport import Check, Transport
from airflow_sv_versioning.exceptions import IntegrityError

_HASHES_BATCH = 900
_SMALL_BATCH = 50
T = TypeVar("T")


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

    def store(self, method: UploadMethod, paths: Sequence[Path]) -> dict[Path, str]:
        """Upload the files that the server does not hold yet, each content once; returns the hash of each."""
        hashes = {path: content_hash(path) for path in paths}
        for digest, path in self._missing({digest: path for path, digest in hashes.items()}).items():
            self.upload(method, path, digest)
        return hashes

    def store_small(self, contents: Mapping[str, Callable[[], bytes]]) -> None:
        """Upload small contents that the server does not hold yet, many in one request.

        :param contents: base64 of the SHA-256 -> what reads the content.
        :raises IntegrityError: the server did not store them whole.

        Source: POST images.bulk.upload, which takes contents of any type.
        """
        for part in batches(list(self._missing(contents).items()), _SMALL_BATCH):

            def fields(part: Sequence[tuple[str, Callable[[], bytes]]] = part) -> list[tuple[str, Any]]:
                return [(f"{i}-file", (str(i), read(), "image/*")) for i, (_, read) in enumerate(part)]

            answer = self._transport.upload("images.bulk.upload", fields, list[Stored])
            if [entry.get("hash") for entry in answer] != [digest for digest, _ in part]:
                raise IntegrityError(f"The server did not store {len(part)} files whole: {answer}.")

    def _missing(self, contents: Mapping[str, T]) -> dict[str, T]:
        known = self.find_existing(sorted(contents))
        return {digest: content for digest, content in contents.items() if digest not in known}

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
        stored_hash = answer[0].get("hash") if answer else None
        if stored_hash != expected_hash:
            raise IntegrityError(
                f"The server stored {path.name} of hash {expected_hash} as {stored_hash or answer}.",
                expected=expected_hash,
                actual=stored_hash,
            )
