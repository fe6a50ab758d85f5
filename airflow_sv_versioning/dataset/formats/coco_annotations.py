"""The lines of annotations, each the JSON of a figure; written by columns, for there are millions of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from airflow_sv_versioning.dataset.figures import FigureRows, Tag
from airflow_sv_versioning.dataset.formats.coco_rows import CocoTag, coco_tags

if TYPE_CHECKING:
    import pyarrow as pa


class _More(msgspec.Struct, omit_defaults=True, gc=False):
    """What is beyond COCO."""

    tags: Sequence[CocoTag] | None = None
    track_id: int | None = None


def annotation_lines(
    rows: FigureRows,
    image_ids: Sequence[int | None],
    track_ids: Sequence[int | None],
    category_ids: Mapping[str, int],
    drawings: pa.StringArray,
) -> pa.StringArray:
    """Write annotations; null for what has no image or no drawing.

    :param drawings: see :class:`~.coco_drawing.Drawings`.
    """
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(
        '{"id":',
        _texts(rows.numbers),
        ',"image_id":',
        _texts(image_ids),
        ',"category_id":',
        _texts([category_ids.get(name) for name in rows.class_names]),
        ',"iscrowd":0,',
        drawings,
        _more(rows.tags, track_ids),
        "}",
        "",
    )


def _texts(numbers: Sequence[int | None]) -> pa.StringArray:
    import pyarrow as pa

    return pa.array(numbers, pa.int64()).cast(pa.string())


def _more(tags: Sequence[Sequence[Tag]], track_ids: Sequence[int | None]) -> pa.StringArray:
    import pyarrow as pa

    encode = msgspec.json.Encoder().encode
    texts = [
        b"," + encode(_More(coco_tags(own_tags), track_id))[1:-1] if own_tags or track_id is not None else b""
        for own_tags, track_id in zip(tags, track_ids, strict=True)
    ]
    return pa.array(texts, pa.binary()).cast(pa.string())
