"""Images and their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.client.transport import TokenPage, Transport
from airflow_sv_versioning.exceptions import IntegrityError

LIST_PAGE = 1000
ADD_BATCH = 200
_UPLOAD_BATCH = 50
_HASHES_BATCH = 900


class Image(msgspec.Struct, rename="camel"):
    """An image as the server says it.

    No member is ``Raw``: that would keep the whole page in memory for as long as one image of it waits.
    """

    id: int
    name: str
    updated_at: str
    dataset_id: int
    parent_id: int | None = None
    hash: str | None = None
    link: str | None = None
    mime: str | None = None
    size: int | str | None = None
    width: int | None = None
    height: int | None = None
    description: str | None = None
    meta: dict[str, Any] | None = None
    tags: list[dict[str, Any]] | None = None
    created_by: int | None = None
    created_at: str | None = None
    related_data_id: int | None = None
    download_id: str | None = None
    offset_start: int | None = None
    offset_end: int | None = None


class Images:
    """Read, add and describe images."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def iter_pages(self, dataset_id: int) -> Iterator[list[dict[str, Any]]]:
        """Stream a dataset's images with their tags, in the order of their ids, page by page.

        Source: POST images.list, token mode.
        """
        return self._transport.token_pages("images.list", _listing(dataset_id, []), LIST_PAGE)

    def read_pages(self, dataset_id: int, image_ids: Sequence[int] | None = None) -> Iterator[list[Image]]:
        """Stream the same as :meth:`iter_pages`, for bulk: members that nobody asks for are not decoded.

        :param image_ids: read only those of them that still are in the dataset.

        Source: POST images.list, token mode.
        """
        for filters in _by_ids(image_ids):
            yield from self._transport.typed_token_pages(
                "images.list", _listing(dataset_id, filters), LIST_PAGE, TokenPage[Image]
            )

    def count(self, dataset_id: int) -> int:
        """Count the images of a dataset. Source: POST images.list."""
        return int(self._transport.call("images.list", {**_listing(dataset_id, []), "per_page": 1})["total"])

    def list_by_ids(self, dataset_id: int, image_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Read those of the given images that still are in the dataset. Source: POST images.list."""
        return [
            image
            for filters in _by_ids(image_ids)
            for page in self._transport.token_pages("images.list", _listing(dataset_id, filters), LIST_PAGE)
            for image in page
        ]

    def list_by_names(self, dataset_id: int, names: Sequence[str]) -> list[dict[str, Any]]:
        """Read those of a dataset's images that have the given names. Source: POST images.list."""
        wanted = [{"field": "name", "operator": "in", "value": list(names)}]
        pages = self._transport.token_pages("images.list", _listing(dataset_id, wanted), LIST_PAGE)
        return [image for page in pages for image in page]

    def add(self, dataset_id: int, images: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add at most 200 images by reference.

        :param images: each ``title`` with ``hash`` or ``link``, and optionally ``meta`` and ``parentId``.
        :returns: image JSON in the order of the request.
        :raises ConflictError: a name is taken in the dataset; ``details["errors"]`` lists them.

        Source: POST images.bulk.add.
        """
        body = {
            "datasetId": dataset_id,
            "images": list(images),
            "forceMetadataForLinks": True,
            "skipValidation": False,
        }
        added: list[dict[str, Any]] = self._transport.call("images.bulk.add", body, idempotent=False)
        if len(added) != len(images):
            raise IntegrityError(
                f"The server added {len(added)} of {len(images)} images to dataset {dataset_id}.",
                dataset_id=dataset_id,
            )
        return added

    def find_existing_hashes(self, hashes: Sequence[str]) -> set[str]:
        """Tell which contents the server still holds. Source: POST images.internal.hashes.list."""
        existing: set[str] = set()
        for part in batches(hashes, _HASHES_BATCH):
            existing.update(self._transport.call("images.internal.hashes.list", list(part)))
        return existing

    def edit(self, image_id: int, **fields: Any) -> None:
        """Change ``name``, ``description`` or ``meta`` of an image. Source: POST images.editInfo."""
        self._transport.call("images.editInfo", {"id": image_id, **fields})

    def upload(
        self,
        dataset_id: int,
        files: Sequence[tuple[str, Path]],
        metas: Mapping[str, dict[str, Any]] | None = None,
    ) -> list[dict[str, Any]]:
        """Upload image files, each content once, and add them under the given names.

        :param metas: image name -> its meta.
        :returns: image JSON in the order of ``files``.
        """
        hashes = {path: content_hash(path) for _, path in files}
        known = self.find_existing_hashes(sorted(set(hashes.values())))
        missing = {digest: path for path, digest in hashes.items() if digest not in known}
        for part in batches(sorted(missing.values()), _UPLOAD_BATCH):
            self._upload_bytes(part, hashes)
        added: list[dict[str, Any]] = []
        for chunk in batches(files, ADD_BATCH):
            entries: list[dict[str, Any]] = [{"title": name, "hash": hashes[path]} for name, path in chunk]
            for entry in entries:
                if meta := (metas or {}).get(entry["title"]):
                    entry["meta"] = meta
            added += self.add(dataset_id, entries)
        return added

    def _upload_bytes(self, paths: Sequence[Path], hashes: Mapping[Path, str]) -> None:
        def fields() -> list[tuple[str, Any]]:
            return [(f"{i}-file", (str(i), path.read_bytes(), "image/*")) for i, path in enumerate(paths)]

        answer = self._transport.upload("images.bulk.upload", fields)
        for path, entry in zip(paths, answer, strict=True):
            if entry.get("hash") != hashes[path]:
                raise IntegrityError(f"The server did not store {path} whole: {entry}.", path=str(path))


def _by_ids(image_ids: Sequence[int] | None) -> Iterator[list[dict[str, Any]]]:
    """Make the filters of requests for images by their ids; ``None`` asks once for all."""
    if image_ids is None:
        yield []
        return
    for part in batches(image_ids, ADD_BATCH):
        yield [{"field": "id", "operator": "in", "value": list(part)}]


def _listing(dataset_id: int, filters: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "projectId": None,
        "datasetId": dataset_id,
        "filter": filters,
        "sort": "id",
        "sort_order": "asc",
        "forceMetadataForLinks": True,
    }
