"""Figures whose geometry is stored apart from them, and of which the server says that it has none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from airflow_sv_versioning.project_types.images.rows import ALPHA_MASK
from airflow_sv_versioning.project_types.volumes.masks import SPATIAL
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.tables import Snapshot

_NAMED = 10


def bare_figure_warnings(snapshot: Snapshot) -> Iterator[str]:
    """Name the figures that a snapshot holds without their geometry, as a killed import leaves them."""
    if bare := sorted(_bare_figures(snapshot)):
        named = ", ".join(map(str, bare[:_NAMED])) + (", ..." if len(bare) > _NAMED else "")
        yield (
            f"{len(bare)} figures have no mask: the server says that none was ever stored (ids {named}). "
            "The version holds them as they are."
        )


def _bare_figures(snapshot: Snapshot) -> Iterable[int]:
    import pyarrow.compute as pc

    if snapshot.project_type == "volumes":
        spatial = snapshot.iter_columns("figures", "src_figure_id", pc.field("geometry_type").isin(SPATIAL))
        for column in spatial:
            yield from (
                figure_id for figure_id in column.to_pylist() if not snapshot.mask_path(figure_id).exists()
            )
    if snapshot.project_type == "images":
        held = IdSet.of_columns(snapshot.iter_columns("alpha_geometries", "src_figure_id"))
        masks = snapshot.iter_columns("figures", "src_figure_id", pc.field("geometry_type") == ALPHA_MASK)
        for column in masks:
            yield from held.missing(column)
