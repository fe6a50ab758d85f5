"""Bytes and their digests: as the platform writes these, as files are named, and proved on the way."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator

from airflow_sv_versioning.exceptions import FormatError, IntegrityError

_DIGEST_BYTES = 32
_HEX_DIGITS = frozenset("0123456789abcdef")


def hex_digest(content_hash: str) -> str:
    """Write a content hash of the platform as the hex of its SHA-256.

    :raises FormatError: it is none.
    """
    try:
        digest = base64.b64decode(content_hash, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != _DIGEST_BYTES:
        raise FormatError(f"{content_hash!r} is no content hash: those are base64 of a SHA-256.")
    return digest.hex()


def content_hash_of(digest: bytes) -> str:
    """Write a SHA-256 as the platform does: in base64."""
    return base64.b64encode(digest).decode()


def is_hex_digest(name: str) -> bool:
    """Say whether a name is the hex of a SHA-256."""
    return len(name) == 2 * _DIGEST_BYTES and set(name) <= _HEX_DIGITS


class Proof:
    """Pass chunks on, counting and digesting them."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._digest.update(chunk)
            self.size_bytes += len(chunk)
            yield chunk

    @property
    def content_hash(self) -> str:
        """The hash of what has passed."""
        return content_hash_of(self._digest.digest())


def expect(proof: Proof, content_hash: str, size_bytes: int | None, where: str) -> Iterator[bytes]:
    """Pass the chunks of a proof on, and at the end insist on what they were to be."""
    yield from proof
    expected_bytes = proof.size_bytes if size_bytes is None else size_bytes
    if (actual := (proof.content_hash, proof.size_bytes)) != (content_hash, expected_bytes):
        raise IntegrityError(
            f"{where}: content {content_hash} of {expected_bytes} bytes came as {actual[0]} of {actual[1]} "
            "bytes.",
            expected=(content_hash, expected_bytes),
            actual=actual,
            where=hex_digest(content_hash),
        )
