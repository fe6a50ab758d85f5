"""Team Files: a team's folder tree on the server."""

from __future__ import annotations

import base64
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from airflow_sv_versioning.client.decoding import read_record
from airflow_sv_versioning.client.file_sizes import naming_file
from airflow_sv_versioning.client.models import FileInfo
from airflow_sv_versioning.client.transport import CHUNK_BYTES, Check, Download, Transport
from airflow_sv_versioning.exceptions import (
    IntegrityError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    TransportError,
)

SMALL_FILE_BYTES = 64 << 20
"""The most that is read of a file into memory."""


class _ListedFile(msgspec.Struct):
    path: str


class Files:
    """Read and write Team Files."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def find(self, team_id: int, path: str) -> FileInfo | None:
        """Look a file up by its path. Source: POST file-storage.list, which takes a file's path too."""
        method, body = "file-storage.list", {"teamId": team_id, "path": path, "recursive": True}
        entries = self._transport.call(method, body, list[_ListedFile])
        return next(
            (read_record(method, entry, FileInfo) for entry in entries if entry["path"] == path), None
        )

    def find_by_id(self, file_id: int) -> FileInfo | None:
        """Look a file up by its id. Source: POST file-storage.info."""
        try:
            return self._transport.call_record("file-storage.info", {"id": file_id}, FileInfo)
        except NotFoundError:
            return None

    def find_bytes(self, team_id: int, path: str) -> bytes | None:
        """Read a small file into memory; ``None`` where there is no such file.

        Source: POST file-storage.download.
        """
        copy = _MemoryCopy(SMALL_FILE_BYTES)
        try:
            self._fill(team_id, path, copy)
        except NotFoundError:
            return None
        return bytes(copy.content)

    def upload(
        self, team_id: int, source: Path | bytes, path: str, *, check: Check | None = None
    ) -> FileInfo:
        """Store a file at a path, replacing what is there.

        A large file is streamed from disk. Every try sends the whole body anew.

        :param check: called all the while; what it raises ends the sending.
        :raises FileTooLargeError: it is larger than the team's plan takes.
        :raises IntegrityError: what arrived differs in size or digest from what was sent.

        Source: POST file-storage.bulk.upload.
        """
        name, folder = PurePosixPath(path).name, f"{PurePosixPath(path).parent}/"
        kind = "application/json" if name.endswith(".json") else "application/octet-stream"
        with ExitStack() as opened:

            def fields() -> list[tuple[str, Any]]:
                opened.close()
                content = source if isinstance(source, bytes) else opened.enter_context(source.open("rb"))
                return [("name", name), ("path", folder), ("file", (name, content, kind))]

            method = "file-storage.bulk.upload"
            with naming_file(path, len(source) if isinstance(source, bytes) else source.stat().st_size):
                answer = self._transport.upload(
                    method, fields, list[_ListedFile], params={"teamId": team_id}, check=check
                )
        if len(answer) != 1:
            raise IntegrityError(
                f"The server stored {len(answer)} files at {path} in place of one.", path=path
            )
        stored_file = read_record(method, answer[0], FileInfo)
        _check_arrival(stored_file, source)
        return stored_file

    def remove(self, team_id: int, path: str) -> None:
        """Remove a file. Source: POST file-storage.bulk.remove."""
        self._transport.call("file-storage.bulk.remove", {"teamId": team_id, "paths": [path]})

    def download(
        self,
        team_id: int,
        path: str,
        destination: Path,
        *,
        expected_hash: str | None = None,
        max_bytes: int | None = None,
        check: Check | None = None,
    ) -> str:
        """Stream a file to disk and return the hex SHA-256 of its bytes.

        A connection that is cut continues where the copy ends; a copy that stays short, or differs from
        the digest, is an error and is removed.

        :param expected_hash: base64 of the SHA-256, as Team Files lists it.
        :param max_bytes: the size that Team Files list, or what the caller has room for.
        :param check: called with every part that comes; what it raises ends the download.
        :raises NotFoundError: there is no such file.
        :raises IntegrityError: the bytes differ from ``expected_hash``, or are more than ``max_bytes``.

        Source: POST file-storage.download.
        """
        copy = _FileCopy(destination, max_bytes, check)
        try:
            self._fill(team_id, path, copy)
            digest = copy.digest.digest()
            if expected_hash and base64.b64encode(digest).decode() != expected_hash:
                raise IntegrityError(
                    f"Team file {path} is damaged: its digest is {base64.b64encode(digest).decode()}, "
                    f"but Team Files lists {expected_hash}. Use another version.",
                    path=path,
                )
        except BaseException:
            destination.unlink(missing_ok=True)
            raise
        return digest.hex()

    def _fill(self, team_id: int, path: str, copy: _Copy) -> None:
        tries = 0
        while True:
            tries += 1
            size_before = copy.size
            try:
                with self._transport.download(
                    "file-storage.download", {"teamId": team_id, "path": path}, copy.size
                ) as download:
                    copy.take(download)
                return
            except (TransportError, ServerError, RateLimitedError):
                # A try that brought bytes is progress, and progress does not use up the tries.
                tries = 1 if copy.size > size_before else tries
                if not self._transport.wait(tries):
                    raise


class _Copy(ABC):
    """The part of a download that has arrived."""

    def __init__(self, max_bytes: int | None, check: Check | None = None) -> None:
        self._max_bytes = max_bytes
        self._check = check or (lambda: None)
        self._restart()

    @abstractmethod
    def _empty(self) -> None:
        """Drop what has arrived."""

    @abstractmethod
    def _append(self, chunks: Iterator[bytes]) -> None:
        """Keep what arrives, each chunk as it comes."""

    def _restart(self) -> None:
        self._empty()
        self.size = 0
        self.digest = hashlib.sha256()

    def _counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._check()
            if self._max_bytes is not None and self.size + len(chunk) > self._max_bytes:
                raise IntegrityError(f"The download has more bytes than {self._max_bytes:,}.")
            yield chunk
            self.digest.update(chunk)
            self.size += len(chunk)

    def take(self, download: Download) -> None:
        """Append a body to the copy, or start over where the server sends all of it again.

        :raises TransportError: the body ended early.
        :raises IntegrityError: it is larger than it may be.
        """
        if download.start != self.size:
            self._restart()
        self._append(self._counted(download.chunks))
        if download.end is not None and self.size != download.end:
            raise TransportError(f"The download was cut after {self.size} of {download.end} bytes.")


class _FileCopy(_Copy):
    def __init__(self, destination: Path, max_bytes: int | None, check: Check | None) -> None:
        self._destination = destination
        super().__init__(max_bytes, check)

    def _empty(self) -> None:
        self._destination.write_bytes(b"")

    def _append(self, chunks: Iterator[bytes]) -> None:
        with self._destination.open("ab") as file:
            file.writelines(chunks)


class _MemoryCopy(_Copy):
    def _empty(self) -> None:
        self.content = bytearray()

    def _append(self, chunks: Iterator[bytes]) -> None:
        for chunk in chunks:
            self.content += chunk


def _check_arrival(stored_file: FileInfo, source: Path | bytes) -> None:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if stored_file.size_bytes is not None and stored_file.size_bytes != size:
        raise IntegrityError(
            f"{stored_file.path} arrived with {stored_file.size_bytes} of {size} bytes.",
            path=stored_file.path,
        )
    if stored_file.hash and stored_file.hash != content_hash(source):
        raise IntegrityError(
            f"{stored_file.path} arrived with another digest than was sent.", path=stored_file.path
        )


def content_hash(source: Path | bytes) -> str:
    """Compute the platform's content hash: base64 of the SHA-256 of the bytes."""
    if isinstance(source, bytes):
        return base64.b64encode(hashlib.sha256(source).digest()).decode()
    digest = hashlib.sha256()
    with source.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return base64.b64encode(digest.digest()).decode()
