"""Videos and what is annotated on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.checks import check_answered, check_count, check_owners
from airflow_sv_versioning.client.decoding import prove
from airflow_sv_versioning.client.figures import skipping
from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.client.listing import list_whole
from airflow_sv_versioning.client.media import VIDEO_UPLOAD, Media
from airflow_sv_versioning.client.shapes import MadeItem, Object, Tag, Video
from airflow_sv_versioning.client.transport import Transport
from airflow_sv_versioning.client.video_annotations import AnnotatedVideo

# Timecodes make long videos heavy: a number for every frame of every video of a page.
LIST_PAGE = 50
ADD_BATCH = 50
FIGURES_BATCH = 200
TAGS_BATCH = 300


class Videos:
    """Read, add, describe and annotate videos."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def iter_pages(
        self, dataset_id: int, filters: Sequence[Mapping[str, Any]] = ()
    ) -> Iterator[list[dict[str, Any]]]:
        """Stream a dataset's videos in the order of their ids, page by page.

        ``fileMeta`` holds ``framesCount``, ``framesToTimecodes`` (seconds), ``width``, ``height`` (pixels)
        and ``size`` (bytes).

        Source: POST videos.list, token mode.
        """
        body = _listing(dataset_id, filters)
        return self._transport.token_pages("videos.list", body, LIST_PAGE, dict[str, Any], Video)

    def count(self, dataset_id: int) -> int:
        """Count the videos of a dataset. Source: POST videos.list."""
        return self._transport.count("videos.list", _listing(dataset_id, ()))

    def list_by_ids(self, dataset_id: int, video_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Read those of the given videos that still are in the dataset. Source: POST videos.list."""
        return [
            video
            for part in batches(video_ids, LIST_PAGE)
            for video in list_whole(partial(self.iter_pages, dataset_id, [_among("id", part)]))
        ]

    def list_by_names(self, dataset_id: int, names: Sequence[str]) -> list[dict[str, Any]]:
        """Read those of a dataset's videos that have the given names. Source: POST videos.list."""
        return list_whole(lambda: self.iter_pages(dataset_id, [_among("name", names)]))

    def read_annotations(self, dataset_id: int, video_ids: Sequence[int]) -> list[AnnotatedVideo]:
        """Read whole annotations, in the order of the ids; figures stay JSON text.

        Coordinates are exact: vertices are ``[x, y]`` in pixels, origin top left, not rounded.

        :raises IncompleteListingError: the server left videos out, or gave something twice.

        Source: POST videos.annotations.bulk.info; the server rounds coordinates unless asked not to.
        """
        body = {"datasetId": dataset_id, "videoIds": list(video_ids), "integerCoords": False}
        method = "videos.annotations.bulk.info"
        answer = self._transport.call_typed(method, body, list[AnnotatedVideo])
        check_answered(video_ids, [annotation.video_id for annotation in answer], "annotations of videos")
        by_id = {annotation.video_id: annotation for annotation in answer}
        for annotation in answer:
            prove(method, annotation.tags, list[Tag])
            prove(method, annotation.objects, list[Object])
            check_owners(annotation.tags, annotation.objects)
        return [by_id[video_id] for video_id in video_ids]

    def add(self, dataset_id: int, videos: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add at most 50 videos by reference.

        :param videos: each ``title`` with ``hash`` or ``link``, and ``meta``.
        :returns: video JSON in the order of the request.
        :raises ConflictError: a name is taken in the dataset.

        Source: POST videos.bulk.add.
        """
        body = {"datasetId": dataset_id, "videos": list(videos), "forceMetadataForLinks": True}
        added: list[dict[str, Any]] = self._transport.call(
            "videos.bulk.add", body, list[MadeItem], idempotent=False
        )
        check_count(added, videos, f"videos to dataset {dataset_id}")
        return added

    def describe(self, video_id: int, description: str) -> None:
        """Set a video's description. Source: POST images.editInfo, which takes items of any type."""
        self._transport.call("images.editInfo", {"id": video_id, "description": description})

    def set_custom_data(self, video_id: int, custom_data: Any) -> None:
        """Replace a video's custom data. Source: POST videos.custom-data.set."""
        self._transport.call("videos.custom-data.set", {"id": video_id, "customData": custom_data})

    def add_tags(self, video_id: int, tags: Sequence[Mapping[str, Any]]) -> None:
        """Tag a video; each tag is ``tagId`` with ``value`` and ``frameRange`` (first and last frame).

        Source: POST videos.tags.bulk.add.
        """
        body = {"videoId": video_id, "tags": list(tags)}
        answer = self._transport.call("videos.tags.bulk.add", body, list[Any], idempotent=False)
        check_count(answer, tags, "tags")

    def add_figures(
        self, video_id: int, figures: Sequence[Mapping[str, Any]], *, skip_bounds_validation: bool = False
    ) -> None:
        """Add at most 200 figures to objects of a video; each tells its frame in ``meta``.

        :param figures: members may be ``msgspec.Raw`` JSON.
        :param skip_bounds_validation: also add what reaches out of the frame.

        Source: POST figures.bulk.add.
        """
        content = {"entityId": video_id, "figures": list(figures), **skipping(skip_bounds_validation)}
        body = msgspec.json.encode(content)
        answer = self._transport.call_encoded("figures.bulk.add", body, list[Any], idempotent=False)
        check_count(answer, figures, "figures")

    def upload(self, dataset_id: int, files: Sequence[tuple[str, Path]]) -> list[dict[str, Any]]:
        """Upload video files, each content once, and add them under the given names.

        :returns: video JSON in the order of ``files``.
        """
        hashes = {path: content_hash(path) for _, path in files}
        media = Media(self._transport)
        present_hashes = media.find_existing(sorted(set(hashes.values())))
        for path, digest in hashes.items():
            if digest not in present_hashes:
                media.upload(VIDEO_UPLOAD, path, digest)
        entries = [{"title": name, "hash": hashes[path], "meta": {}} for name, path in files]
        return [video for part in batches(entries, ADD_BATCH) for video in self.add(dataset_id, part)]


def _among(field: str, values: Sequence[Any]) -> dict[str, Any]:
    return {"field": field, "operator": "in", "value": list(values)}


def _listing(dataset_id: int, filters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "datasetId": dataset_id,
        "recursive": False,
        "filter": list(filters),
        "sort": "id",
        "sort_order": "asc",
        "rawVideoMeta": False,
        "forceMetadataForLinks": False,
    }
