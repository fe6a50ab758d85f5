"""Figures, their geometry out of line, and whole annotations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.checks import check_added, check_once
from airflow_sv_versioning.client.decoding import Id, decode, prove
from airflow_sv_versioning.client.geometries import download_geometries
from airflow_sv_versioning.client.shapes import ImageFigure, MadeEntry, Note, Small, Tag
from airflow_sv_versioning.client.transport import Transport
from airflow_sv_versioning.exceptions import IncompleteListingError, RequestRejectedError, TransportError

LIST_BATCH = 200
ADD_BATCH = 200
_LIST_PAGE = 20000
_NOTES_PAGE = 5000
_GEOMETRY_DOWNLOAD_BATCH = 50
GEOMETRY_BATCH = 100
_ANNOTATIONS_BATCH = 50
# Source: the fields that the official client asks for.
_FIELDS = (
    "id", "createdAt", "updatedAt", "imageId", "objectId", "classId", "projectId", "datasetId",
    "geometry", "geometryType", "geometryMeta", "tags", "meta", "area", "priority", "customData",
    "nnCreated", "nnUpdated",
)  # fmt: skip
# Nobody says whether every server takes these names in a request.
_NOTABLE = ("description", "smartToolInput", "instance")
T = TypeVar("T")

NULL = msgspec.Raw(b"null")
# Older servers name the image of a figure only so.
_NO_ENTITY = -1


class Figure(msgspec.Struct, rename="camel"):
    """A figure as the server says it; what is ``Raw`` stays the JSON text that came over the wire."""

    id: Id
    class_id: Id
    geometry_type: str
    entity_id: Id = _NO_ENTITY
    image_id: Id | None = None
    dataset_id: Id | None = None
    geometry: msgspec.Raw = NULL
    geometry_meta: msgspec.Raw = NULL
    meta: msgspec.Raw = NULL
    custom_data: msgspec.Raw = NULL
    tags: list[dict[str, Any]] | None = None
    priority: Small | None = None
    created_at: str | None = None
    updated_at: str | None = None
    nn_created: bool | None = None
    nn_updated: bool | None = None
    object_id: Id | None = None
    description: str | None = None
    smart_tool_input: msgspec.Raw = NULL
    instance: str | None = None


class FigureNote(msgspec.Struct, rename="camel"):
    """What official archives do not tell of a figure: who drew it, a person or a model, and words on it."""

    id: Id
    nn_created: bool | None = None
    nn_updated: bool | None = None
    object_id: Id | None = None
    description: str | None = None
    smart_tool_input: msgspec.Raw = NULL
    instance: str | None = None


class Figures:
    """Read and add figures.

    :ivar refused_fields: fields that the server refuses to tell of figures of images.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.refused_fields: tuple[str, ...] = ()

    def list_for_items(self, dataset_id: int, item_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Read the figures of at most 200 items of one dataset, with their tags.

        Coordinates are exact: vertices are ``[x, y]`` in pixels, origin top left, not rounded. Alpha
        masks come without geometry; see :meth:`download_geometries`.

        Source: POST figures.list; the server rounds coordinates unless asked not to.
        """
        body = _listing(dataset_id, item_ids)
        return self._transport.list_whole("figures.list", body, dict[str, Any], _LIST_PAGE, shape=ImageFigure)

    def read_for_items(self, dataset_id: int, item_ids: Sequence[int]) -> list[Figure]:
        """Read the same as :meth:`list_for_items`, for bulk: geometry is not decoded.

        Source: POST figures.list.
        """
        figures = self._list_notable(_listing(dataset_id, item_ids), Figure)
        _check_figures(figures, item_ids)
        return figures

    def _list_notable(self, body: dict[str, Any], figure_type: type[T]) -> list[T]:
        """List figures with what the official client does not ask for, if the server knows it."""
        fields = [*body["fields"], *(field for field in _NOTABLE if field not in self.refused_fields)]
        try:
            return self._transport.list_whole(
                "figures.list", {**body, "fields": fields}, figure_type, _LIST_PAGE
            )
        except RequestRejectedError as error:
            asked_fields = [field for field in _NOTABLE if field not in self.refused_fields]
            if not asked_fields or "field" not in error.message.lower():
                raise
            refused = [field for field in asked_fields if field in error.message] or asked_fields
            self.refused_fields = (*self.refused_fields, *refused)
            return self._list_notable(body, figure_type)

    def iter_notes(self, dataset_id: int, item_ids: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Stream ``id``, ``customData`` and ``description`` of the figures of at most 200 items.

        Source: POST figures.list; annotations of videos leave these out.
        """
        body = {
            "datasetId": dataset_id,
            "recursive": False,
            "fields": ["id", "entityId", "customData", "description"],
            "filter": [{"field": "entityId", "operator": "in", "value": list(item_ids)}],
            "integerCoords": False,
        }
        pages = self._transport.pages("figures.list", body, _NOTES_PAGE, dict[str, Any], Note)
        return (note for page in pages for note in page)

    def list_notes(self, dataset_id: int, item_ids: Sequence[int]) -> list[FigureNote]:
        """Read of the figures of at most 200 items only what is no content. Source: POST figures.list."""
        fields = ["id", "nnCreated", "nnUpdated", "objectId"]
        return self._list_notable({**_listing(dataset_id, item_ids), "fields": fields}, FigureNote)

    def count(self, dataset_id: int) -> int:
        """Count the figures of a dataset. Source: POST figures.list."""
        body = {"datasetId": dataset_id, "recursive": False, "fields": ["id"], "filter": []}
        return self._transport.count("figures.list", body)

    def count_of_items(self, dataset_id: int, item_ids: Sequence[int]) -> int:
        """Count the figures of at most 200 items of a dataset. Source: POST figures.list."""
        return self._transport.count("figures.list", {**_listing(dataset_id, item_ids), "fields": ["id"]})

    def add(
        self, dataset_id: int, figures: Sequence[Mapping[str, Any]], *, skip_bounds_validation: bool = False
    ) -> list[int]:
        """Add at most 200 figures; returns their ids in the order of the request.

        :param figures: members may be ``msgspec.Raw`` JSON.
        :param skip_bounds_validation: also add what reaches out of its image.

        Source: POST figures.bulk.add.
        """
        # Geometry from an archive comes as text, and is not decoded to be encoded again.
        content = {"datasetId": dataset_id, "figures": list(figures), **skipping(skip_bounds_validation)}
        body = msgspec.json.encode(content)
        answer = self._transport.call_encoded("figures.bulk.add", body, list[MadeEntry], idempotent=False)
        return check_added(answer, figures, f"figures to dataset {dataset_id}")

    def download_geometries(self, figure_ids: Sequence[int]) -> dict[int, dict[str, Any] | None]:
        """Read geometries that are stored out of line: figure id -> ``{"origin", "data"}``.

        :returns: an entry for each figure, ``None`` where the server says that it has no geometry.
        :raises IncompleteListingError: the server left some out.

        Source: POST figures.bulk.download.geometry.
        """
        masks: dict[int, dict[str, Any] | None] = {}
        for part in batches(figure_ids, _GEOMETRY_DOWNLOAD_BATCH):
            for figure_id, content in download_geometries(self._transport, part).items():
                masks[figure_id] = None if content is None else _mask(figure_id, content)
        return masks

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


def _check_figures(figures: Sequence[Figure], item_ids: Sequence[int]) -> None:
    """Prove what hangs on figures and stays as it came, and that they belong to the items."""
    prove("figures.list", [figure.tags for figure in figures], list[list[Tag] | None])
    tags = [tag["id"] for figure in figures for tag in figure.tags or () if tag.get("id") is not None]
    check_once(tags, "figure tags")
    for figure in figures:
        if figure.entity_id == _NO_ENTITY and figure.image_id is not None:
            figure.entity_id = figure.image_id
    if strangers := {figure.entity_id for figure in figures}.difference(item_ids):
        raise IncompleteListingError(
            f"The server gave figures of {list(strangers)[:5]}, which were not asked for.", is_moving=False
        )


def _mask(figure_id: int, content: bytes) -> dict[str, Any]:
    what = f"figures.bulk.download.geometry(id={figure_id})"
    mask: dict[str, Any] = decode(what, content, dict[str, Any])
    if not mask:
        raise TransportError(f"{what} answered with an empty geometry.")
    return mask


def _listing(dataset_id: int, item_ids: Sequence[int]) -> dict[str, Any]:
    return {
        "datasetId": dataset_id,
        "recursive": False,
        "fields": list(_FIELDS),
        "filter": [{"field": "entityId", "operator": "in", "value": list(item_ids)}],
        "integerCoords": False,
    }


def skipping(bounds_validation: bool) -> dict[str, bool]:
    """Say in a request that figures may reach out of their item. Source: the official client."""
    return {"skipBoundsValidation": True} if bounds_validation else {}


def _geometry_fields(part: Sequence[tuple[int, str]]) -> list[tuple[str, Any]]:
    fields: list[tuple[str, Any]] = []
    for figure_id, text in part:
        fields.append(("figureId", str(figure_id)))
        fields.append(("geometry", (str(figure_id), text.encode(), "application/octet-stream")))
    return fields
