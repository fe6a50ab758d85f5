"""Who drew the figures of images, a person or a model: archives by official clients do not tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.figures import LIST_BATCH, Author
from airflow_sv_versioning.exceptions import NotFoundError
from airflow_sv_versioning.snapshot.formats import pickled
from airflow_sv_versioning.snapshot.id_sets import IdSet
from airflow_sv_versioning.snapshot.parallel import map_ordered
from airflow_sv_versioning.snapshot.progress import Progress
from airflow_sv_versioning.snapshot.table_writing import SnapshotWriter
from airflow_sv_versioning.snapshot.tables import Snapshot


def lacks_authors(snapshot: Snapshot, archive_format: str) -> bool:
    """Say whether a snapshot of images comes from an archive that was written without them."""
    is_older = archive_format == pickled.VERSION
    return snapshot.project_type == "images" and (
        is_older or not snapshot.has_column("figures", "nn_created")
    )


def fill_authors(client: SuperviselyClient, snapshot: Snapshot, progress: Progress) -> None:
    """Read them from the server into a snapshot of image figures.

    They are as true as the listing of an item is new: where it has another stamp than the snapshot's, the
    item is to be read anyway.
    """
    import pyarrow as pa

    created: list[int] = []
    updated: list[int] = []
    for authors in map_ordered(lambda part: _read(client, *part), _parts(snapshot), client.max_workers):
        progress.check()
        created += [author.id for author in authors if author.nn_created]
        updated += [author.id for author in authors if author.nn_updated]
    by_model = {"nn_created": IdSet(created), "nn_updated": IdSet(updated)}
    folder = snapshot.directory / "authors"
    folder.mkdir()
    with SnapshotWriter(folder, snapshot.project_type) as writer:
        for batch in snapshot.iter_batches("figures"):
            rows = pa.Table.from_batches([batch])
            for column, ids in by_model.items():
                drawn = pa.array(ids.mask(rows["src_figure_id"]))
                rows = rows.set_column(rows.schema.get_field_index(column), column, drawn)
            writer.append_arrow("figures", rows)
    (folder / "figures.parquet").replace(snapshot.path("figures"))


def _parts(snapshot: Snapshot) -> Iterator[tuple[int, Sequence[int]]]:
    """Cut the images into what one request takes: dataset and ids."""
    import pyarrow.compute as pc

    images = snapshot.read("images", ["src_image_id", "src_dataset_id"])
    for dataset_id in images["src_dataset_id"].unique().to_pylist():
        here = images["src_image_id"].filter(pc.equal(images["src_dataset_id"], dataset_id))
        for part in batches(here.to_pylist(), LIST_BATCH):
            yield dataset_id, part


def _read(client: SuperviselyClient, dataset_id: int, item_ids: Sequence[int]) -> list[Author]:
    try:
        return client.figures.list_authors(dataset_id, item_ids)
    except NotFoundError:
        # A dataset that is gone; nothing of it will be taken over.
        return []
