"""Volumes and what is annotated on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.checks import check_added, check_answered, check_owners
from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.client.geometries import download_geometries
from airflow_sv_versioning.client.items import Items, Row
from airflow_sv_versioning.client.media import IMAGE_UPLOAD
from airflow_sv_versioning.client.shapes import MadeEntry, Volume, VolumeAnnotation

LIST_PAGE = 200
ADD_BATCH = 50
FIGURES_BATCH = 200
TAGS_BATCH = 300
SLICES_BATCH = 50
_GEOMETRY_BATCH = 50
_GEOMETRY_BYTES = 8 << 20


class Volumes(Items):
    """Read, add, describe and annotate volumes.

    ``meta`` of one holds ``dimensionsIJK`` (voxels), ``spacing`` (mm), ``origin`` and ``directions``. At most
    50 are added at once, each with ``name``, ``hash`` and ``meta``; ``customData`` where a volume has some,
    which no official client sends, and a server may pass over.

    Source: POST volumes.list, by page numbers: of this listing no other way is known to be honoured.
    Source: POST volumes.bulk.add.
    """

    name = "volumes"
    list_page = ids_at_once = LIST_PAGE

    def iter_pages(self, dataset_id: int, filters: Sequence[Row] = ()) -> Iterator[list[dict[str, Any]]]:
        """Stream a dataset's volumes in the order of their ids, page by page."""
        body = self._listing(dataset_id, filters)
        return self._transport.pages("volumes.list", body, LIST_PAGE, dict[str, Any], Volume)

    def get_annotations(self, dataset_id: int, volume_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Read whole annotations, in the order of the ids; figures in space come without their geometry.

        Figures stand in ``planes[].slices[].figures`` and in ``spatialFigures``; they name their object by
        ``objectId``. Coordinates are exact: vertices are ``[x, y]`` in pixels of the slice, not rounded.

        :raises IncompleteListingError: the server left volumes out, or gave something twice.

        Source: POST volumes.annotations.bulk.info; the server rounds coordinates unless asked not to.
        """
        body = {"datasetId": dataset_id, "volumeIds": list(volume_ids), "integerCoords": False}
        answer: list[dict[str, Any]] = self._transport.call(
            "volumes.annotations.bulk.info", body, list[VolumeAnnotation]
        )
        by_id = {annotation["volumeId"]: annotation for annotation in answer}
        check_answered(volume_ids, [ann["volumeId"] for ann in answer], "annotations of volumes")
        for annotation in answer:
            check_owners(annotation["tags"], annotation["objects"])
        return [by_id[volume_id] for volume_id in volume_ids]

    def add_tags(self, volume_id: int, tags: Sequence[Mapping[str, Any]]) -> None:
        """Tag a volume; each tag is ``tagId`` with ``value``. Source: POST volumes.tags.bulk.add."""
        body = {"entityId": volume_id, "tags": list(tags)}
        self._transport.call("volumes.tags.bulk.add", body, idempotent=False)

    def add_figures(self, volume_id: int, figures: Sequence[Mapping[str, Any]]) -> list[int]:
        """Add at most 200 figures to objects of a volume; returns their ids in the order of the request.

        :param figures: one on a slice tells its place in ``meta``; one in space comes without geometry.
            Members may be ``msgspec.Raw`` JSON.

        Source: POST figures.bulk.add.
        """
        body = msgspec.json.encode({"entityId": volume_id, "figures": list(figures)})
        answer = self._transport.call_encoded("figures.bulk.add", body, list[MadeEntry], idempotent=False)
        return check_added(answer, figures, f"figures to volume {volume_id}")

    def find_spatial_geometries(self, figure_ids: Sequence[int]) -> dict[int, bytes | None]:
        """Read the files of figures in space: NRRD of masks, STL of meshes.

        :returns: an entry for each figure, ``None`` where the server says that it has no file.
        :raises IncompleteListingError: the server left some out.

        Source: POST figures.bulk.download.geometry.
        """
        return download_geometries(self._transport, figure_ids)

    def upload_spatial_geometries(self, files: Mapping[int, Path]) -> None:
        """Store the files of figures in space: figure id -> NRRD of a mask, or STL of a mesh.

        Source: POST figures.bulk.upload.geometry; official clients send several a request for images.
        """
        for part in _by_size(files):

            def fields(part: Mapping[int, Path] = part) -> list[tuple[str, Any]]:
                return [
                    pair
                    for figure_id, path in part.items()
                    for pair in (
                        ("figureId", str(figure_id)),
                        ("geometry", (str(figure_id), path.read_bytes(), "application/sla")),
                    )
                ]

            self._transport.upload("figures.bulk.upload.geometry", fields)

    def upload(
        self, dataset_id: int, files: Sequence[tuple[str, Path, Mapping[str, Any]]]
    ) -> list[dict[str, Any]]:
        """Upload NRRD files, each content once, and add them with their names and meta.

        :returns: volume JSON in the order of ``files``.
        """
        hashes = self.store_files([path for _, path, _ in files])
        entries = [{"name": name, "hash": hashes[path], "meta": dict(meta)} for name, path, meta in files]
        return [volume for part in batches(entries, ADD_BATCH) for volume in self.add(dataset_id, part)]

    def store_files(self, paths: Sequence[Path]) -> dict[Path, str]:
        """Upload NRRD files that the platform does not hold yet; returns the hash of each.

        Volumes are added by these hashes with :meth:`add`.

        Source: POST images.internal.hashes.list, POST images.bulk.upload, which take files of any type.
        """
        return self._media.store(IMAGE_UPLOAD, paths)

    def store_contents(self, contents: Sequence[bytes]) -> list[str]:
        """Upload small contents, such as slices, that the platform does not hold yet.

        :returns: their hashes in the order given.

        Source: POST images.internal.hashes.list, POST images.bulk.upload.
        """
        by_hash = {content_hash(content): content for content in contents}
        self._media.store_small({digest: partial(bytes, content) for digest, content in by_hash.items()})
        return [content_hash(content) for content in contents]

    def add_slices(self, volume_id: int, slices: Sequence[Mapping[str, Any]]) -> None:
        """Tell the pictures of at most 50 slices of a volume.

        :param slices: each ``hash``, ``sliceIndex`` and ``normal``; a slice that has one gets the new one.

        Source: POST volumes.slices.bulk.add.
        """
        self._transport.call("volumes.slices.bulk.add", {"volumeId": volume_id, "volumeSlices": list(slices)})


def _by_size(files: Mapping[int, Path]) -> Iterator[dict[int, Path]]:
    """Cut files into requests of some megabytes each; a larger file goes alone."""
    part: dict[int, Path] = {}
    size = 0
    for figure_id, path in files.items():
        size += path.stat().st_size
        if part and (size > _GEOMETRY_BYTES or len(part) == _GEOMETRY_BATCH):
            yield part
            part, size = {}, path.stat().st_size
        part[figure_id] = path
    if part:
        yield part
