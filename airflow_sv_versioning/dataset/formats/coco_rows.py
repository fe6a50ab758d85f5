"""The objects that stand in the lists of a COCO file; the id is always the first member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_sv_versioning.dataset.figures import Tag
from airflow_sv_versioning.dataset.formats.coco_shapes import Size
from airflow_sv_versioning.dataset.formats.frames import frame_name
from airflow_sv_versioning.dataset.formats.pictures import category_of
from airflow_sv_versioning.dataset.records import Item


class CocoTag(msgspec.Struct, omit_defaults=True):
    """A tag; COCO has none, and its readers pass over them.

    :param frames: first and last frame of a video that it is on.
    """

    name: str
    value: Any = None
    frames: tuple[int, int] | None = None


class _Titled(msgspec.Struct, omit_defaults=True):
    """What images and videos tell alike; from ``dataset`` on it is beyond COCO."""

    id: int
    file_name: str
    width: int
    height: int
    dataset: str
    name: str
    tags: Sequence[CocoTag] | None = None


class CocoImage(_Titled):
    """An image, or an annotated frame of a video."""

    video_id: int | None = None
    frame_index: int | None = None


class CocoObject(msgspec.Struct, omit_defaults=True):
    """An object of a video.

    :param track_id: what annotations call it, ``None`` where it has no figure.
    """

    track_id: int | None
    category_id: int
    tags: Sequence[CocoTag] | None = None


class CocoVideo(_Titled):
    """A video, with all that no frame has."""

    objects: Sequence[CocoObject] = ()


def image_of(item: Item, size: Size) -> CocoImage:
    """Write an image."""
    return CocoImage(
        id=item.number,
        file_name=item.file_name,
        width=size.width,
        height=size.height,
        dataset=item.dataset_path,
        name=item.row["name"],
        tags=coco_tags(item.tags),
    )


def frame_of(item: Item, frame: int, image_id: int, size: Size) -> CocoImage:
    """Write a frame of a video; tags stand with the video."""
    return CocoImage(
        id=image_id,
        file_name=frame_name(item, frame),
        width=size.width,
        height=size.height,
        dataset=item.dataset_path,
        name=item.row["name"],
        video_id=item.number,
        frame_index=frame,
    )


def video_of(
    item: Item, size: Size, tracks: Mapping[int | None, int], category_ids: Mapping[str, int]
) -> CocoVideo:
    """Write a video.

    :param tracks: number of an object -> what annotations call it.
    """
    objects = [
        CocoObject(tracks.get(each.number), category_of(each.class_name, category_ids), coco_tags(each.tags))
        for each in item.objects
    ]
    name, tags = item.row["name"], coco_tags(item.tags)
    return CocoVideo(item.number, item.file_name, *size, item.dataset_path, name, tags, objects)


def coco_tags(tags: Sequence[Tag]) -> Sequence[CocoTag] | None:
    """Write tags; ``None`` where there are none."""
    return [CocoTag(tag.name, tag.value, tag.frames) for tag in tags] if tags else None
