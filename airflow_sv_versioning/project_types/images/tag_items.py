"""The image of a tag, where an archive tells only what the tag is on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.ids import joined
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import replace_table

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_ITEM = "src_item_id"


def complete_tags(snapshot: Snapshot) -> frozenset[str]:
    """Name the image of every tag of a snapshot; returns the tables that were written anew.

    The official reader does without. What is left out with an image, and what is compared, goes by it.
    """
    if not any(part.null_count for part in snapshot.iter_columns("tags", _ITEM)):
        return frozenset()
    replace_table(snapshot, "tags", _completed(snapshot), (_ITEM,))
    return frozenset({"tags"})


def _completed(snapshot: Snapshot) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.compute as pc

    figures, images = (_column(snapshot, name) for name in ("src_figure_id", "src_image_id"))
    order = figures.argsort()
    figures, images = figures[order], images[order]
    for batch in snapshot.iter_batches("tags"):
        rows = pa.Table.from_batches([batch])
        of_figures = _images_of(rows["owner_id"], figures, images)
        owners = pc.if_else(pc.equal(rows["owner_type"], "figure"), of_figures, rows["owner_id"])
        place = rows.schema.get_field_index(_ITEM)
        yield rows.set_column(place, rows.schema.field(place), pc.coalesce(rows[_ITEM], owners))


def _images_of(
    figure_ids: pa.ChunkedArray, figures: np.ndarray[Any, Any], images: np.ndarray[Any, Any]
) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    if not len(figures):
        return pa.nulls(len(figure_ids), pa.int64())
    ids = figure_ids.to_numpy()
    places = np.minimum(figures.searchsorted(ids), len(figures) - 1)
    return pa.array(images[places], mask=figures[places] != ids)


def _column(snapshot: Snapshot, name: str) -> np.ndarray[Any, Any]:
    return joined(part.to_numpy() for part in snapshot.iter_columns("figures", name))
