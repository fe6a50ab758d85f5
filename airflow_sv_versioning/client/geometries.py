"""Geometries that are stored apart from their figures: each comes, or the server says that there is none."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_sv_versioning.client.transport import Transport
from airflow_sv_versioning.exceptions import IncompleteListingError, NotFoundError

_METHOD = "figures.bulk.download.geometry"


def download_geometries(transport: Transport, figure_ids: Sequence[int]) -> dict[int, bytes | None]:
    """Read the geometries of some figures: figure id -> bytes, ``None`` for one that has none.

    A server refuses a request for several if it lacks one of them; which, it says of each alone.

    :raises IncompleteListingError: the server left some out, or sent others.

    Source: POST figures.bulk.download.geometry; 404 where the file of a geometry is missing.
    """
    if not figure_ids:
        return {}
    try:
        contents: dict[int, bytes | None] = dict(transport.multipart(_METHOD, {"ids": list(figure_ids)}))
    except NotFoundError:
        if len(figure_ids) == 1:
            return {figure_ids[0]: None}
        half = len(figure_ids) // 2
        parts = (figure_ids[:half], figure_ids[half:])
        return {
            key: content for part in parts for key, content in download_geometries(transport, part).items()
        }
    if wrong_ids := sorted(contents.keys() ^ set(figure_ids)):
        raise IncompleteListingError(
            f"{_METHOD} left out, or gave without being asked, the geometry of figures {wrong_ids[:10]}.",
            is_moving=False,
        )
    return contents
