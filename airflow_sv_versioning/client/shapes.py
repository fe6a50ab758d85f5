"""What the JSON of answers has to be for those who read it: members that are used, and no others.

Answers that are proven by a shape are passed on as they came; members that a shape does not name may be
anything, for servers of different age send different ones.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from airflow_sv_versioning.client.decoding import Count, Id

Small = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
"""A number of pixels, frames, slices, or a rank: what fits in 32 bits."""
Digits = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,18}$")]


class Shape(msgspec.Struct, rename="camel", gc=False):
    """A JSON object; a member without default has to be there."""


class MadeEntry(Shape):
    """An entry of what was made."""

    id: Id


class MadeItem(MadeEntry):
    """An item that was made."""

    name: str


class Stored(Shape):
    """A content that was stored."""

    hash: str | None = None


class Tag(Shape):
    """A tag on an item, an object or a figure."""

    tag_id: Id
    id: Id | None = None
    name: str | None = None
    frame_range: tuple[Small, Small] | None = None
    is_finished: bool | None = None
    non_final_value: bool | None = None
    labeler_login: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class Tagged(Shape):
    """What carries tags."""

    id: Id
    tags: list[Tag] | None = None


class Item(Shape):
    """An item as its listing tells of it."""

    id: Id
    name: str
    updated_at: str
    dataset_id: Id
    hash: str | None = None
    link: str | None = None
    description: str | None = None
    created_at: str | None = None
    meta: dict[str, Any] | None = None
    tags: list[Tag] | None = None


class VideoFile(Shape):
    """What the server knows of a video's file."""

    frames_count: Small | None = None
    width: Small | None = None
    height: Small | None = None
    size: Count | Digits | None = None


class Video(Item):
    """A video. Source: POST videos.list."""

    file_meta: VideoFile | None = None


class Dimensions(Shape):
    """Voxels of a volume along its axes."""

    x: Small
    y: Small
    z: Small


class VolumeMeta(Shape, rename={"dimensions": "dimensionsIJK"}):
    """What is known of the space of a volume."""

    dimensions: Dimensions | None = None


class Volume(Item, kw_only=True):
    """A volume. Source: POST volumes.list."""

    meta: VolumeMeta | None = None  # type: ignore[assignment]
    mime: str | None = None
    ext: str | None = None
    size: Count | Digits | None = None
    path_original: str | None = None
    full_storage_url: str | None = None
    processing_path: str | None = None


class Object(Tagged):
    """An annotation object."""

    class_id: Id | None = None
    class_title: str | None = None
    key: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    labeler_login: str | None = None


class VolumeFigure(Shape):
    """A figure of a volume."""

    id: Id
    object_id: Id
    geometry_type: str
    geometry: dict[str, Any] | None = None
    meta: dict[str, Any] | None = None
    key: str | None = None
    priority: Small | None = None
    description: str | None = None
    nn_created: bool | None = None
    nn_updated: bool | None = None
    labeler_login: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class Slice(Shape):
    """A slice of a volume with what is drawn on it."""

    index: Small
    figures: list[VolumeFigure]


class Plane(Shape):
    """The slices along one axis of a volume."""

    name: str
    slices: list[Slice]


class VolumeAnnotation(Shape):
    """What is annotated on a volume. Source: POST volumes.annotations.bulk.info."""

    volume_id: Id
    tags: list[Tag]
    objects: list[Object]
    planes: list[Plane]
    spatial_figures: list[VolumeFigure]


class ImageFigure(Shape):
    """A figure of an image, or what a listing tells of one of a video or volume."""

    id: Id
    geometry_type: str | None = None
    entity_id: Id | None = None
    tags: list[Tag] | None = None


class Note(Shape):
    """What annotations leave out of a figure."""

    id: Id
    description: str | None = None
