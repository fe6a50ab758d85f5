"""Images and their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.checks import check_once
from airflow_sv_versioning.client.decoding import Id, prove
from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.client.items import Items, Row
from airflow_sv_versioning.client.listing import by_tokens, list_whole
from airflow_sv_versioning.client.shapes import Item, Tag
from airflow_sv_versioning.exceptions import NotFoundError, UnexpectedAnswerError

LIST_PAGE = 1000
ADD_BATCH = 200
LINKS_BATCH = 50
_BY_HASH = "images.bulk.download-by-hash"


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


class Images(Items):
    """Read, add and describe images; listed ones have their tags.

    At most 200 are added at once, each with ``title``, ``hash`` or ``link``, and optionally ``meta`` and
    ``parentId``.

    Source: POST images.list, token mode; POST images.bulk.add.
    """

    name = "images"
    list_page = LIST_PAGE
    ids_at_once = ADD_BATCH
    # Otherwise the server looks into the links, which takes long, and writes what it sees.
    list_options = MappingProxyType({"projectId": None, "forceMetadataForLinks": False})
    add_options = MappingProxyType({"forceMetadataForLinks": True, "skipValidation": False})

    def iter_pages(self, dataset_id: int, filters: Sequence[Row] = ()) -> Iterator[list[dict[str, Any]]]:
        """Stream a dataset's images in the order of their ids, page by page."""
        body = self._listing(dataset_id, filters)
        return self._transport.pages("images.list", body, LIST_PAGE, dict[str, Any], Item, by_tokens)

    def read_pages(self, dataset_id: int, filters: Sequence[Row] = ()) -> Iterator[list[Image]]:
        """Stream the same as :meth:`iter_pages`, for bulk: members that nobody asks for are not decoded."""
        body = self._listing(dataset_id, filters)
        for page in self._transport.pages("images.list", body, LIST_PAGE, Image, way=by_tokens):
            _check_tags([image.tags for image in page])
            yield page

    def read_by_ids(self, dataset_id: int, image_ids: Sequence[int]) -> list[Image]:
        """Read those of the given images that still are in the dataset; see :meth:`read_pages`."""
        return [
            image
            for filters in self._by_ids(image_ids)
            for image in list_whole(partial(self.read_pages, dataset_id, filters))
        ]

    def find_existing_hashes(self, hashes: Sequence[str]) -> set[str]:
        """Tell which contents the server still holds. Source: POST images.internal.hashes.list."""
        return self._media.find_existing(hashes)

    def read_by_hash(self, content_hash: str) -> bytes:
        """Read the file of an image by its hash, which the server may hold when no image has it any more.

        It is for the caller to prove what came.

        :raises NotFoundError: the server does not hold it.

        Source: POST images.bulk.download-by-hash of SDK 6.74.51, ``image_api.download_paths_by_hashes``; it
        answers with those that it has.
        """
        try:
            contents = self._transport.multipart_by_name(_BY_HASH, {"hashes": [content_hash]})
        except UnexpectedAnswerError:
            contents = {}
        if content_hash not in contents:
            raise NotFoundError(
                f"The server does not hold the content {content_hash}.", status_code=404, method=_BY_HASH
            )
        return contents[content_hash]

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
        self._media.store_small({digest: path.read_bytes for path, digest in hashes.items()})
        added: list[dict[str, Any]] = []
        for chunk in batches(files, ADD_BATCH):
            entries: list[dict[str, Any]] = [{"title": name, "hash": hashes[path]} for name, path in chunk]
            for entry in entries:
                if meta := (metas or {}).get(entry["title"]):
                    entry["meta"] = meta
            added += self.add(dataset_id, entries)
        return added


def _check_tags(tags: Sequence[Sequence[Mapping[str, Any]] | None]) -> None:
    """Prove the tags of a page of images, which stay as they came."""
    prove("images.list", tags, list[list[Tag] | None])
    check_once(
        [tag["id"] for image_tags in tags for tag in image_tags or () if tag.get("id") is not None],
        "image tags",
    )
