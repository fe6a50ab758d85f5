"""Image projects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.figures import LIST_BATCH
from airflow_sv_versioning.client.images import Image
from airflow_sv_versioning.client.media import IMAGE_UPLOAD
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.base import ItemReader, Names, ProjectType, Rows, copy_rows
from airflow_sv_versioning.project_types.compared import Part, Side
from airflow_sv_versioning.project_types.images import comparison
from airflow_sv_versioning.project_types.images.columns import COMPARED
from airflow_sv_versioning.project_types.images.figure_notes import fill_notes, lacks_notes
from airflow_sv_versioning.project_types.images.rows import ALPHA_MASK, figure_table, image_table
from airflow_sv_versioning.project_types.images.tag_items import complete_tags
from airflow_sv_versioning.project_types.tag_rows import tag_table
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.json_columns import json_text
from airflow_sv_versioning.snapshot.tables import Snapshot, values
from airflow_sv_versioning.snapshot.validation import check_ids
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

if TYPE_CHECKING:
    import pyarrow as pa


MAX_GENERATIONS = 100
"""Of images; a copy of a copy is the third."""


class Images(ProjectType):
    """Images with figures; tags hang on images and on figures."""

    name = "images"
    item = "image"
    counted = ("datasets", "images", "figures", "tags")
    compared = COMPARED
    is_picture = True
    upload = IMAGE_UPLOAD
    others_tell_all = True
    # The hash is only a trace of what the link held when it was added.
    prefers_link = True

    def reader(self, client: SuperviselyClient, names: Names, directory: Path) -> ItemReader[Image]:
        """Make what reads images."""
        return _ImageReader(client, names)

    def copy_kept(self, base: Snapshot, writer: SnapshotWriter, kept_ids: IdSet) -> None:
        """Copy figures, masks and the tags of figures; those of images come with the listing."""
        import pyarrow.compute as pc

        alpha_ids: list[int] = []
        for rows in copy_rows(base, writer, "figures", "src_image_id", kept_ids):
            alpha_ids += values(rows.filter(pc.field("geometry_type") == ALPHA_MASK), "src_figure_id")
        for _ in copy_rows(base, writer, "alpha_geometries", "src_figure_id", IdSet(alpha_ids)):
            pass
        for rows in base.iter_rows_of("tags", "src_item_id", kept_ids):
            writer.append_arrow("tags", rows.filter(pc.field("owner_type") == "figure"))

    def complete(self, snapshot: Snapshot) -> frozenset[str]:
        """Name the image of every tag."""
        return complete_tags(snapshot)

    def lacks_columns(self, snapshot: Snapshot) -> bool:
        """Say whether an archive cannot tell who drew figures, and what was noted of them."""
        return lacks_notes(snapshot)

    def fill_columns(self, client: SuperviselyClient, snapshot: Snapshot, progress: Progress) -> None:
        """Ask the server for the notes on figures."""
        fill_notes(client, snapshot, progress)

    def bare_figures(self, snapshot: Snapshot) -> Iterable[int]:
        """Find masks without their geometry."""
        import pyarrow.compute as pc

        figures_with_masks = IdSet.of_columns(snapshot.iter_columns("alpha_geometries", "src_figure_id"))
        masks = snapshot.iter_columns("figures", "src_figure_id", pc.field("geometry_type") == ALPHA_MASK)
        for column in masks:
            yield from figures_with_masks.missing(column)

    def check(self, snapshot: Snapshot, paths: Mapping[int, str], names: Names) -> None:
        """Check images of figures, and what has tags and masks."""
        import pyarrow.compute as pc

        ids = IdSet.of_columns(snapshot.iter_columns("images", "src_image_id"))
        _check_parents(snapshot)
        check_ids("images of figures", snapshot, "figures", "src_image_id", ids)
        check_ids("images of tags", snapshot, "tags", "owner_id", ids, pc.field("owner_type") == "item")
        figures = IdSet.of_columns(snapshot.iter_columns("figures", "src_figure_id"))
        check_ids("figures of masks", snapshot, "alpha_geometries", "src_figure_id", figures)
        check_ids(
            "figures of tags", snapshot, "tags", "owner_id", figures, pc.field("owner_type") == "figure"
        )

    def compared_items(self, side: Side, rows: pa.Table) -> pa.Table:
        """Leave of rows of images what says by what each is restored."""
        return comparison.items(side, rows)

    def compared_figures(self, part: Part) -> pa.Table:
        """Read the figures of some images."""
        return comparison.figures(part)


def _check_parents(snapshot: Snapshot) -> None:
    """Refuse images that are each other's parents: they are added parents first, a generation at a time."""
    import pyarrow.compute as pc

    has_parent = ~pc.field("parent_src_image_id").is_null()
    rows = snapshot.read("images", ["src_image_id", "parent_src_image_id"], has_parent)
    parents = dict(zip(values(rows, "src_image_id"), values(rows, "parent_src_image_id"), strict=True))
    for image_id in parents:
        ancestor_id, generations = image_id, 0
        while ancestor_id in parents:
            ancestor_id, generations = parents[ancestor_id], generations + 1
            if generations > MAX_GENERATIONS:
                raise FormatError(
                    f"Image {image_id} of the snapshot has more than {MAX_GENERATIONS} parents above it, "
                    "or is its own. It is damaged."
                )


class _ImageReader(ItemReader[Image]):
    def __init__(self, client: SuperviselyClient, names: Names) -> None:
        self._client = client
        self._names = names

    def iter_pages(self, dataset_id: int) -> Iterator[Sequence[Image]]:
        return self._client.images.read_pages(dataset_id)

    def parts(self, items: Sequence[Image]) -> Iterator[Sequence[Image]]:
        return batches(items, LIST_BATCH)

    def listed_rows(self, items: Sequence[Image]) -> Rows:
        owners = ((image.id, image.id, image.tags) for image in items)
        tags = tag_table(Images.name, "item", owners, self._names.tags)
        return {"images": image_table(items), "tags": tags}

    def read(self, dataset_id: int, items: Sequence[Image]) -> Rows | None:
        if not items:
            return {}
        ids = [image.id for image in items]
        # Pages come in any order. Ids ascend as figures were drawn, and a restore draws them in this order.
        figures = sorted(self._client.figures.read_for_items(dataset_id, ids), key=lambda figure: figure.id)
        alpha_ids = [figure.id for figure in figures if figure.geometry_type == ALPHA_MASK]
        masks = self._client.figures.download_geometries(alpha_ids)
        if maskless_ids := [figure_id for figure_id in alpha_ids if masks[figure_id] is None]:
            figures_now = self._client.figures.read_for_items(dataset_id, ids)
            if not {figure.id for figure in figures_now}.issuperset(maskless_ids):
                # A mask that was listed a moment ago is gone: read the batch again.
                return None
        owners = ((figure.id, figure.entity_id, figure.tags) for figure in figures)
        return {
            "figures": figure_table(figures, self._names.classes),
            "alpha_geometries": [
                {"src_figure_id": figure_id, "geometry_json": json_text(masks[figure_id])}
                for figure_id in alpha_ids
                if masks[figure_id] is not None
            ],
            "tags": tag_table(Images.name, "figure", owners, self._names.tags),
        }

    def list_by_ids(self, dataset_id: int, item_ids: Sequence[int]) -> Sequence[Image]:
        return self._client.images.read_by_ids(dataset_id, item_ids)
