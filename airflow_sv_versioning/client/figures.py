"""Figures, their geometry out of line, and whole annotations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.transport import Transport
from airflow_sv_versioning.exceptions import IntegrityError

LIST_BATCH = 200
ADD_BATCH = 200
_LIST_PAGE = 20000
_NOTES_PAGE = 5000
_GEOMETRY_DOWNLOAD_BATCH = 50
GEOMETRY_BATCH = 100
_ANNOTATIONS_BATCH = 50
# Source: the fields that the official client asks for.
_FIELDS = (
    "id",
    "createdAt",
    "updatedAt",
    "imageId",
    "objectId",
    "classId",
    "projectId",
    "datasetId",
    "geometry",
    "geometryType",
    "geometryMeta",
    "tags",
    "meta",
    "area",
    "priority",
    "customData",
    "nnCreated",
    "nnUpdated",
)


NULL = msgspec.Raw(b"null")


class Figure(msgspec.Struct, rename="camel"):
    """A figure as the server says it; what is ``Raw`` stays the JSON text that came over the wire."""

    id: int
    entity_id: int
    class_id: int
    geometry_type: str
    dataset_id: int | None = None
    geometry: msgspec.Raw = NULL
    geometry_meta: msgspec.Raw = NULL
    meta: msgspec.Raw = NULL
    custom_data: msgspec.Raw = NULL
    tags: list[dict[str, Any]] | None = None
    priority: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    nn_created: bool | None = None
    nn_updated: bool | None = None


class _Page(msgspec.Struct, rename="camel"):
    entities: list[Figure]
    pages_count: int | None = None


class Author(msgspec.Struct, rename="camel"):
    """Who drew a figure, and who changed it: a person or a model."""

    id: int
    nn_created: bool | None = None
    nn_updated: bool | None = None


class _Authors(msgspec.Struct, rename="camel"):
    entities: list[Author]
    pages_count: int | None = None


class Figures:
    """Read and add figures."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_for_items(self, dataset_id: int, item_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Read the figures of at most 200 items of one dataset, with their tags.

        Coordinates are exact: vertices are ``[x, y]`` in pixels, origin top left, not rounded. Alpha
        masks come without geometry; see :meth:`download_geometries`.

        Source: POST figures.list; the server rounds coordinates unless asked not to.
        """
        return list(self._transport.pages("figures.list", _listing(dataset_id, item_ids), _LIST_PAGE))

    def read_for_items(self, dataset_id: int, item_ids: Sequence[int]) -> list[Figure]:
        """Read the same as :meth:`list_for_items`, for bulk: geometry is not decoded.

        Source: POST figures.list.
        """
        body = _listing(dataset_id, item_ids)
        pages = self._transport.typed_pages("figures.list", body, _LIST_PAGE, _Page)
        return [figure for page in pages for figure in page.entities]

    def iter_notes(self, dataset_id: int, item_ids: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Stream ``id``, ``customData`` and ``description`` of the figures of at most 200 items.

        Source: POST figures.list; annotations of videos leave these out.
        """
        body = {
            "datasetId": dataset_id,
            "fields": ["id", "entityId", "customData", "description"],
            "filter": [{"field": "entityId", "operator": "in", "value": list(item_ids)}],
            "integerCoords": False,
        }
        return self._transport.pages("figures.list", body, _NOTES_PAGE)

    def list_authors(self, dataset_id: int, item_ids: Sequence[int]) -> list[Author]:
        """Read of the figures of at most 200 items only who drew them. Source: POST figures.list."""
        body = {**_listing(dataset_id, item_ids), "fields": ["id", "nnCreated", "nnUpdated"]}
        pages = self._transport.typed_pages("figures.list", body, _LIST_PAGE, _Authors)
        return [author for page in pages for author in page.entities]

    def count(self, dataset_id: int) -> int:
        """Count the figures of a dataset. Source: POST figures.list."""
        body = {"datasetId": dataset_id, "fields": ["id"], "filter": [], "per_page": 1}
        return int(self._transport.call("figures.list", body)["total"])

    def add(self, dataset_id: int, figures: Sequence[Mapping[str, Any]]) -> list[int]:
        """Add at most 200 figures; returns their ids in the order of the request.

        :param figures: members may be ``msgspec.Raw`` JSON.

        Source: POST figures.bulk.add.
        """
        # Geometry from an archive comes as text, and is not decoded to be encoded again.
        body = msgspec.json.encode({"datasetId": dataset_id, "figures": list(figures)})
        answer = self._transport.call_encoded("figures.bulk.add", body, idempotent=False)
        if len(answer) != len(figures):
            raise IntegrityError(
                f"The server added {len(answer)} of {len(figures)} figures to dataset {dataset_id}.",
                dataset_id=dataset_id,
            )
        return [int(entry["id"]) for entry in answer]

    def download_geometries(self, figure_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Read geometries that are stored out of line: figure id -> ``{"origin", "data"}``.

        :raises IntegrityError: the server left some out.

        Source: POST figures.bulk.download.geometry.
        """
        found: dict[int, dict[str, Any]] = {}
        for part in batches(figure_ids, _GEOMETRY_DOWNLOAD_BATCH):
            parts = self._transport.multipart("figures.bulk.download.geometry", {"ids": list(part)})
            found.update({figure_id: json.loads(content) for figure_id, content in parts.items()})
        if lost := sorted(set(figure_ids) - found.keys()):
            raise IntegrityError(f"The server has no geometry for figures {lost[:10]}.", figure_ids=lost)
        return found

    def upload_geometries(self, geometries: Mapping[int, str]) -> None:
        """Store geometries out of line.

        :param geometries: figure id -> geometry as JSON text.

        Source: POST figures.bulk.upload.geometry.
        """
        for part in batches(sorted(geometries.items()), GEOMETRY_BATCH):
            self._transport.upload("figures.bulk.upload.geometry", lambda part=part: _geometry_fields(part))  # type: ignore[misc]

    def replace_annotations(self, dataset_id: int, annotations: Mapping[int, Mapping[str, Any]]) -> None:
        """Replace the whole annotation of images: image id -> annotation JSON, tags by name.

        Source: POST annotations.bulk.add.
        """
        entries = [{"imageId": image_id, "annotation": ann} for image_id, ann in annotations.items()]
        for part in batches(entries, _ANNOTATIONS_BATCH):
            self._transport.call("annotations.bulk.add", {"datasetId": dataset_id, "annotations": list(part)})


def _listing(dataset_id: int, item_ids: Sequence[int]) -> dict[str, Any]:
    return {
        "datasetId": dataset_id,
        "fields": list(_FIELDS),
        "filter": [{"field": "entityId", "operator": "in", "value": list(item_ids)}],
        "integerCoords": False,
    }


def _geometry_fields(part: Sequence[tuple[int, str]]) -> list[tuple[str, Any]]:
    fields: list[tuple[str, Any]] = []
    for figure_id, text in part:
        fields.append(("figureId", str(figure_id)))
        fields.append(("geometry", (str(figure_id), text.encode(), "application/octet-stream")))
    return fields
