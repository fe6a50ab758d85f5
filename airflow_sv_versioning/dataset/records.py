"""What formats get: items of a version with all that hangs on them, in the version's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

import msgspec

from airflow_sv_versioning.dataset.figures import Figures, Tag

ALL = "all"
"""The one part of a data set that is not split."""


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
    figures: Figures
    objects: Sequence[AnnotationObject] = ()
    tags: Sequence[Tag] = ()
    open_media: Callable[[], BinaryIO] | None = None
