"""Videos and what is annotated on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.checks import check_answered, check_count, check_owners
from airflow_sv_versioning.client.decoding import prove
from airflow_sv_versioning.client.figures import skipping
from airflow_sv_versioning.client.items import Items, Row
from airflow_sv_versioning.client.listing import by_tokens
from airflow_sv_versioning.client.media import VIDEO_UPLOAD
from airflow_sv_versioning.client.shapes import Object, Tag, Video
from airflow_sv_versioning.client.video_annotations import AnnotatedVideo

# Timecodes make long videos heavy: a number for every frame of every video of a page.
LIST_PAGE = 50
ADD_BATCH = 50
FIGURES_BATCH = 200
TAGS_BATCH = 300


class Videos(Items):
    """Read, add, describe and annotate videos.

    ``fileMeta`` of one holds ``framesCount``, ``framesToTimecodes`` (seconds), ``width``, ``height`` (pixels)
    and ``size`` (bytes). At most 50 are added at once, each with ``title``, ``hash`` or ``link``, ``meta``.

    Source: POST videos.list, token mode; POST videos.bulk.add.
    """

    name = "videos"
    list_page = ids_at_once = LIST_PAGE
    list_options = MappingProxyType({"rawVideoMeta": False, "forceMetadataForLinks": False})
    add_options = MappingProxyType({"forceMetadataForLinks": True})

    def iter_pages(self, dataset_id: int, filters: Sequence[Row] = ()) -> Iterator[list[dict[str, Any]]]:
        """Stream a dataset's videos in the order of their ids, page by page."""
        body = self._listing(dataset_id, filters)
        return self._transport.pages("videos.list", body, LIST_PAGE, dict[str, Any], Video, by_tokens)

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
        hashes = self._media.store(VIDEO_UPLOAD, [path for _, path in files])
        entries = [{"title": name, "hash": hashes[path], "meta": {}} for name, path in files]
        return [video for part in batches(entries, ADD_BATCH) for video in self.add(dataset_id, part)]
