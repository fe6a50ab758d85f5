"""Annotations of videos in bulk: figures stay JSON until they are asked for, one after the other.

A long video has tens of thousands of figures; as Python values they take ten times the memory of their text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from airflow_sv_versioning.client.decoding import Id
from airflow_sv_versioning.client.figures import NULL
from airflow_sv_versioning.client.shapes import Small


class VideoFigure(msgspec.Struct, rename="camel"):
    """A figure on a frame; what is ``Raw`` stays the JSON text that came over the wire."""

    object_id: Id
    geometry_type: str
    id: Id | None = None
    geometry: msgspec.Raw = NULL
    meta: msgspec.Raw = NULL
    track_id: str | int | None = None
    priority: Small | None = None
    smart_tool_input: msgspec.Raw = NULL
    nn_created: bool | None = None
    nn_updated: bool | None = None
    created_at: str | None = None
    updated_at: str | None = None
    custom_data: msgspec.Raw = NULL
    description: str | None = None
    labeler_login: str | None = None


class VideoFrame(msgspec.Struct):
    """A frame with figures, each as JSON text."""

    index: Small
    figures: list[msgspec.Raw]


class VideoAnnotation(msgspec.Struct, rename="camel"):
    """What is annotated on a video, as answers and archives have it; archives leave out what is empty."""

    description: str | None = None
    tags: list[dict[str, Any]] | None = None
    objects: list[dict[str, Any]] | None = None
    frames: list[VideoFrame] | None = None

    def owners(self) -> dict[str, Any]:
        """Give objects and tags as the server's JSON has them."""
        return {"tags": self.tags, "objects": self.objects}

    def iter_figures(self) -> Iterator[tuple[int, VideoFigure]]:
        """Stream the figures with their frame, by frame; on a frame they keep their order.

        :raises msgspec.MsgspecError: one is not what a figure has to be.
        """
        decoder = msgspec.json.Decoder(VideoFigure, strict=False)
        for frame in sorted(self.frames or [], key=lambda frame: frame.index):
            for figure in frame.figures:
                yield frame.index, decoder.decode(figure)


class AnnotatedVideo(VideoAnnotation, kw_only=True, rename="camel"):
    """What is annotated on a video, whole. Source: POST videos.annotations.bulk.info."""

    video_id: Id
    tags: list[dict[str, Any]]
    objects: list[dict[str, Any]]
    frames: list[VideoFrame]
