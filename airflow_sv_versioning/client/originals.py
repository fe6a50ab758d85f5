"""The files behind items, as they were uploaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_sv_versioning.client.transport import Download, Transport
from airflow_sv_versioning.exceptions import RateLimitedError, ServerError, TransportError


class Originals:
    """Read media of any project type."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def iter_chunks(self, project_type: str, item_id: int) -> Iterator[bytes]:
        """Stream the file of an item; of one that is a link, what the server finds behind it.

        A connection that is cut continues where it broke. The server does not tell the digest of a body,
        so it is for the caller to prove what came.

        :param project_type: ``images``, ``videos`` or ``volumes``.
        :raises NotFoundError: the item or its file is gone.
        :raises RequestRejectedError: the server cannot read what the item links to.

        Source: POST images.download, videos.download, volumes.download.
        """
        return self._continued(f"{project_type}.download", {"id": item_id})

    def _continued(self, method: str, body: Any) -> Iterator[bytes]:
        position, tries = 0, 0
        while True:
            tries += 1
            position_before = position
            try:
                with self._transport.download(method, body, position) as download:
                    for chunk in _from(position, download):
                        position += len(chunk)
                        yield chunk
                if download.end is not None and position != download.end:
                    raise TransportError(f"{method} was cut after {position} of {download.end} bytes.")
                return
            except (TransportError, ServerError, RateLimitedError):
                # A try that brought bytes is progress, and progress does not use up the tries.
                tries = 1 if position > position_before else tries
                if not self._transport.wait(tries):
                    raise


def _from(position: int, download: Download) -> Iterator[bytes]:
    """Pass over what is there already, where the server sends all of it again."""
    known_bytes = position - download.start
    for chunk in download.chunks:
        if rest := chunk[known_bytes:]:
            yield rest
        known_bytes = max(0, known_bytes - len(chunk))
