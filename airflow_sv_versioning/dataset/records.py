"""What formats get: items of a version with all that hangs on them, in the version's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

# None of these can be part of a circle: the collector need not look through millions of them.

ALL = "all"
"""The one part of a data set that is not split."""


class Tag(msgspec.Struct, frozen=True, gc=False):
    """A tag of an item or a figure.

    :param value: text, number, or ``None``.
    :param frames: first and last frame of a video that it is on, ``None`` for the whole.
    """

    name: str
    value: Any = None
    frames: tuple[int, int] | None = None


class Figure(msgspec.Struct, frozen=True, gc=False):
    """A figure of an item.

    :param number: from 1, its place among all figures of what is exported; the same in each shard.
    :param geometry_type: the platform's word, such as ``polygon``.
    :param geometry: JSON text, in pixels of the item; with its own ``data`` where it is an alpha mask.
    :param frame: of a video, from 0.
    :param slice_index: of a volume's plane, from 0.
    :param plane: of a volume: ``axial``, ``coronal``, ``sagittal``.
    :param object_number: from 1, within its item, of the object that a figure of a video or volume is of.
    :param figure_id: on the platform, ``None`` where the archive tells none.
    :param mask: of a volume's figure that fills space: the file of its voxels (NRRD) or mesh (STL), there
        as long as the version is open; ``None`` where it has none.
    """

    number: int
    class_name: str
    geometry_type: str
    geometry: str | None
    tags: Sequence[Tag] = ()
    frame: int | None = None
    slice_index: int | None = None
    plane: str | None = None
    object_number: int | None = None
    mask: Path | None = None
    figure_id: int | None = None


class AnnotationObject(msgspec.Struct, frozen=True, gc=False):
    """An object of a video or volume, to which figures belong.

    :param number: from 1, within its item.
    """

    number: int
    class_name: str
    tags: Sequence[Tag] = ()


class Item(msgspec.Struct, frozen=True, gc=False):
    """An image, video or volume.

    :param number: from 1, its place among all items of what is exported; the same in each shard.
    :param row: the columns of the table of items, see :mod:`~airflow_sv_versioning.snapshot.schemas`.
    :param dataset_path: such as ``train/cats``.
    :param split: the part that it is in, ``all`` where there are none.
    :param file_name: where its file goes in the part's folder: dataset path and name, safe, of it alone.
    :param open_media: opens its file, proved; ``None`` where media are left out, or its own are gone.
    :param key: of its content: items of equal content have the same, in any version. From 0 to 2**64 - 1.
    """

    number: int
    row: Mapping[str, Any]
    dataset_path: str
    split: str
    file_name: str
    key: int
    figures: Sequence[Figure] = ()
    objects: Sequence[AnnotationObject] = ()
    tags: Sequence[Tag] = ()
    open_media: Callable[[], BinaryIO] | None = None
