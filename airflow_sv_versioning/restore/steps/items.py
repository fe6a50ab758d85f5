"""Add items to their new datasets: what images, videos and volumes have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import ConflictError, NotFoundError, RequestRejectedError
from airflow_sv_versioning.restore.added import Record, Sent
from airflow_sv_versioning.restore.work import RestoreWork, Row, naming
from airflow_sv_versioning.runtime.exactly_once import write_once

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc

MAX_DESCRIPTION = 255
"""Characters."""

Added = Sequence[Mapping[str, Any]]


def dataset_batches(
    work: RestoreWork, dataset_id: int, columns: Sequence[str], where: pc.Expression | None = None
) -> Iterator[pa.RecordBatch]:
    """Stream the items of a dataset that are not left out, in the order of the snapshot."""
    import pyarrow.compute as pc

    project_type = work.plan.project_type
    combined = pc.field("src_dataset_id") == dataset_id
    for condition in (where, work.plan.restored(project_type.id_column)):
        combined = combined if condition is None else combined & condition
    return work.plan.snapshot.iter_batches(project_type.name, columns, combined)


def new_name(work: RestoreWork, row: Row) -> str:
    """Tell under which name an item is added."""
    name: str = work.plan.new_names.get(row[work.plan.project_type.id_column], row["name"])
    return name


def add_items(work: RestoreWork, dataset_id: int, rows: Sequence[Row], entries: Sequence[Row]) -> Added:
    """Add some items of a dataset in one request; returns them as the server has them.

    :param dataset_id: in the snapshot.
    :param entries: what they are added with, in the order of their rows.
    """
    project_type, new_dataset = work.plan.project_type, work.ids.datasets[dataset_id]
    items = project_type.items(work.client)
    work.progress.count(
        f"{project_type.name.capitalize()} restored", len(work.item_ids), work.plan.counts[project_type.name]
    )
    names = [new_name(work, row) for row in rows]
    send = partial(items.add, new_dataset, entries)
    with naming(_label(project_type.item, project_type.id_column, rows)):
        sent = work.record.sending(new_dataset, names, entries) if work.record else None
        added = write_once(
            _refusal_recorded(work.record, sent, send) if work.record and sent else send,
            partial(items.list_by_names, new_dataset, names),
            len,
            len(rows),
            project_type.name,
            work.client.pause,
        )
        if work.record and sent:
            work.record.landed(sent, [item["id"] for item in added])
    work.take_added(new_dataset, rows, names, added)
    return added


def _refusal_recorded(record: Record, sent: Sent, send: Callable[[], Added]) -> Callable[[], Added]:
    """Have a record hear that the server took nothing: of these names, what is there is somebody else's."""
    first_try = iter([True])

    def recorded() -> Added:
        is_first = next(first_try, False)
        try:
            return send()
        except (ConflictError, RequestRejectedError, NotFoundError):
            # A try before may have landed, whatever becomes of this one.
            if is_first:
                record.refused(sent)
            raise

    return recorded


def add_described_items(
    work: RestoreWork, dataset_id: int, rows: Sequence[Row], entries: Sequence[Row]
) -> None:
    """Add some items like :func:`add_items`, with their descriptions, and remember their names."""
    added = add_items(work, dataset_id, rows, entries)
    work.item_names.update((row[work.plan.project_type.id_column], new_name(work, row)) for row in rows)
    for new_id, description in _undescribed(work, rows, added):
        work.plan.project_type.items(work.client).describe(new_id, description)


def description_entry(row: Row) -> dict[str, str]:
    """What a video or volume is added with to have its description; the platform takes no longer ones there.

    Source: the vendor's reference of videos.bulk.add and volumes.bulk.add.
    """
    text = row["description"]
    return {"description": text} if text and len(text) <= MAX_DESCRIPTION else {}


def _undescribed(work: RestoreWork, rows: Sequence[Row], added: Added) -> Iterator[tuple[int, str]]:
    """Find the items that the server added without their description: new id and description."""
    descriptions = {item["name"]: item.get("description") for item in added}
    for row in rows:
        if row["description"] and descriptions[new_name(work, row)] != row["description"]:
            yield work.item_ids[row[work.plan.project_type.id_column]], row["description"]


def _label(item: str, id_column: str, rows: Sequence[Row]) -> str:
    first = f"{item.capitalize()} {rows[0]['name']!r} (id {rows[0][id_column]})"
    return first if len(rows) == 1 else f"{first} and {len(rows) - 1} more"
