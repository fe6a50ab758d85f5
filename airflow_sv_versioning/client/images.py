"""Images and their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.checks import check_count, check_once
from airflow_sv_versioning.client.decoding import Id, prove
from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.client.listing import list_whole
from airflow_sv_versioning.client.media import Media
from airflow_sv_versioning.client.shapes import Item, MadeItem, Stored, Tag
from airflow_sv_versioning.client.transport import Transport
from airflow_sv_versioning.exceptions import IntegrityError

LIST_PAGE = 1000
ADD_BATCH = 200
LINKS_BATCH = 50
_UPLOAD_BATCH = 50


class Image(msgspec.Struct, rename="camel"):
    """An image as the server says it.

    Members that no restore needs may be anything. None is ``Raw``: that would keep the whole page in memory
    for as long as one image of it waits.
    """

    id: Id
    name: str
    updated_at: str
    dataset_id: Id
    parent_id: Id | None = None
    hash: str | None = None
    link: str | None = None
    mime: str | None = None
    size: Any = None
    width: Any = None
    height: Any = None
    description: str | None = None
    meta: dict[str, Any] | None = None
    tags: list[dict[str, Any]] | None = None
    created_by: Any = None
    created_at: str | None = None
    related_data_id: Any = None
    download_id: Any = None
    offset_start: Any = None
    offset_end: Any = None


class Images:
    """Read, add and describe images."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def iter_pages(self, dataset_id: int) -> Iterator[list[dict[str, Any]]]:
        """Stream a dataset's images with their tags, in the order of their ids, page by page.

        Source: POST images.list, token mode.
        """
        return self._pages(_listing(dataset_id, []))

    def read_pages(self, dataset_id: int) -> Iterator[list[Image]]:
        """Stream the same as :meth:`iter_pages`, for bulk: members that nobody asks for are not decoded.

        Source: POST images.list, token mode.
        """
        return self._read_pages(_listing(dataset_id, []))

    def read_by_ids(self, dataset_id: int, image_ids: Sequence[int]) -> list[Image]:
        """Read those of the given images that still are in the dataset; see :meth:`read_pages`.

        Source: POST images.list.
        """
        return [
            image
            for filters in _by_ids(image_ids)
            for image in list_whole(partial(self._read_pages, _listing(dataset_id, filters)))
        ]

    def _read_pages(self, body: Mapping[str, Any]) -> Iterator[list[Image]]:
        for page in self._transport.token_pages("images.list", body, LIST_PAGE, Image):
            _check_tags([image.tags for image in page])
            yield page

    def count(self, dataset_id: int) -> int:
        """Count the images of a dataset. Source: POST images.list."""
        return self._transport.count("images.list", _listing(dataset_id, []))

    def list_by_ids(self, dataset_id: int, image_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Read those of the given images that still are in the dataset. Source: POST images.list."""
        return [
            image
            for filters in _by_ids(image_ids)
            for image in list_whole(partial(self._pages, _listing(dataset_id, filters)))
        ]

    def list_by_names(self, dataset_id: int, names: Sequence[str]) -> list[dict[str, Any]]:
        """Read those of a dataset's images that have the given names. Source: POST images.list."""
        filters = [{"field": "name", "operator": "in", "value": list(names)}]
        return list_whole(lambda: self._pages(_listing(dataset_id, filters)))

    def _pages(self, body: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        return self._transport.token_pages("images.list", body, LIST_PAGE, dict[str, Any], Item)

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
        added: list[dict[str, Any]] = self._transport.call(
            "images.bulk.add", body, list[MadeItem], idempotent=False
        )
        check_count(added, images, f"images to dataset {dataset_id}")
        return added

    def find_existing_hashes(self, hashes: Sequence[str]) -> set[str]:
        """Tell which contents the server still holds. Source: POST images.internal.hashes.list."""
        return Media(self._transport).find_existing(hashes)

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
        present_hashes = self.find_existing_hashes(sorted(set(hashes.values())))
        missing = {digest: path for path, digest in hashes.items() if digest not in present_hashes}
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

        answer = self._transport.upload("images.bulk.upload", fields, list[Stored])
        if [entry.get("hash") for entry in answer] != [hashes[path] for path in paths]:
            raise IntegrityError(
                f"The server did not store {paths[0]} and {len(paths) - 1} more whole: {answer}.",
                path=str(paths[0]),
            )


def _check_tags(tags: Sequence[Sequence[Mapping[str, Any]] | None]) -> None:
    """Prove the tags of a page of images, which stay as they came."""
    prove("images.list", tags, list[list[Tag] | None])
    check_once(
        [tag["id"] for image_tags in tags for tag in image_tags or () if tag.get("id") is not None],
        "image tags",
    )


def _by_ids(image_ids: Sequence[int]) -> Iterator[list[dict[str, Any]]]:
    """Make the filters of requests for images by their ids."""
    for part in batches(image_ids, ADD_BATCH):
        yield [{"field": "id", "operator": "in", "value": list(part)}]


def _listing(dataset_id: int, filters: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "projectId": None,
        "datasetId": dataset_id,
        "recursive": False,
        "filter": filters,
        "sort": "id",
        "sort_order": "asc",
        # Otherwise the server looks into the links, which takes long, and writes what it sees.
        "forceMetadataForLinks": False,
    }
