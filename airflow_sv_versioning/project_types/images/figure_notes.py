"""What official archives do not tell of the figures of images: who drew them, what was noted of them.

The columnar format takes columns of ours. A pickle has no place for them; of figures that have something to
tell, an archive of ours carries a line each beside it, in the order of the pickle, as
``figures.notes.jsonl``, an object with the platform's own members: ``id``, ``nnCreated``, ``nnUpdated``,
``description``, ``smartToolInput``, ``instance``. Of archives by others, the server is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.figures import LIST_BATCH, NULL, FigureNote
from airflow_sv_versioning.exceptions import FormatError, NotFoundError
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.json_columns import json_raw, raw_text
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import replace_table

if TYPE_CHECKING:
    import pyarrow as pa

MEMBER = "figures.notes.jsonl"
NOT_IN_PICKLES = ("nn_created", "nn_updated", "description", "smart_tool_input", "instance")
_NOTED = (*NOT_IN_PICKLES, "object_id")


def lacks_notes(snapshot: Snapshot) -> bool:
    """Say whether a snapshot of images comes from an archive that was written without them."""
    return not all(snapshot.has_column("figures", name) for name in _NOTED)


def note_line(row: Mapping[str, Any]) -> bytes | None:
    """Write the line of a figure; ``None`` if there is nothing to tell of it."""
    import msgspec

    members = {
        "nnCreated": row["nn_created"] or None,
        "nnUpdated": row["nn_updated"] or None,
        "description": row["description"],
        "smartToolInput": row["smart_tool_input"] and json_raw(row["smart_tool_input"]),
        "instance": row["instance"],
    }
    stated = {key: value for key, value in members.items() if value is not None}
    return msgspec.json.encode({"id": row["src_figure_id"], **stated}) + b"\n" if stated else None


def take_notes(snapshot: Snapshot, lines: Iterable[bytes]) -> None:
    """Bring the lines of an archive into the figures of its snapshot, which are in their order.

    :raises FormatError: a line cannot be read, or is of a figure that does not come.
    """
    if snapshot.path("figures").exists():
        notes = _Sequence(map(_read_line, lines))
        rows = (_with_notes(batch, notes.of(batch)) for batch in snapshot.iter_batches("figures"))
        replace_table(snapshot, "figures", rows, NOT_IN_PICKLES)
        notes.check_taken()


def fill_notes(client: SuperviselyClient, snapshot: Snapshot, progress: Progress) -> None:
    """Read them from the server into a snapshot of image figures.

    They are as true as the listing of an item is new: where it has another stamp than the snapshot's, the
    item is to be read anyway.
    """
    if not snapshot.path("figures").exists():
        return
    notes_by_id: dict[int, FigureNote] = {}
    for notes in map_ordered(lambda part: _ask(client, *part), _parts(snapshot), client.max_workers):
        progress.check()
        notes_by_id.update((note.id, note) for note in notes if _says_anything(note))

    def filled() -> Iterator[pa.Table]:
        for batch in snapshot.iter_batches("figures"):
            ids = batch["src_figure_id"].to_pylist()
            yield _with_notes(
                batch, [notes_by_id.get(figure_id, _DRAWN_BY_HAND) for figure_id in ids], _NOTED
            )

    replace_table(snapshot, "figures", filled(), _NOTED)


class _Sequence:
    """Notes that come in the order of the figures, of some of these."""

    def __init__(self, notes: Iterator[FigureNote]) -> None:
        self._notes = notes
        self._next = next(notes, None)

    def of(self, rows: pa.RecordBatch) -> list[FigureNote]:
        return [self._take(figure_id) for figure_id in rows["src_figure_id"].to_pylist()]

    def _take(self, figure_id: int) -> FigureNote:
        note = self._next
        if note is None or note.id != figure_id:
            return _NOTHING
        self._next = next(self._notes, None)
        return note

    def check_taken(self) -> None:
        if self._next is not None:
            raise FormatError(f"The archive's {MEMBER} tells of figure {self._next.id} out of its order.")


def _read_line(line: bytes) -> FigureNote:
    import msgspec

    try:
        return msgspec.json.decode(line, type=FigureNote)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FormatError(f"The archive's {MEMBER} cannot be read: {error}.") from error


def _with_notes(
    rows: pa.RecordBatch, notes: Sequence[FigureNote], columns: Sequence[str] = NOT_IN_PICKLES
) -> pa.Table:
    """Put what notes tell into the columns of rows."""
    import pyarrow as pa

    values_by_column: dict[str, list[Any]] = {
        "nn_created": [note.nn_created for note in notes],
        "nn_updated": [note.nn_updated for note in notes],
        "description": [note.description or None for note in notes],
        "smart_tool_input": [raw_text(note.smart_tool_input) for note in notes],
        "instance": [note.instance for note in notes],
        "object_id": [note.object_id for note in notes],
    }
    table = pa.Table.from_batches([rows])
    for name in columns:
        field = table.schema.field(name)
        place = table.schema.get_field_index(name)
        table = table.set_column(place, field, pa.array(values_by_column[name], field.type))
    return table


_NOTHING = FigureNote(0)
_DRAWN_BY_HAND = FigureNote(0, nn_created=False, nn_updated=False)


def _says_anything(note: FigureNote) -> bool:
    has_bond = note.object_id is not None or note.instance is not None
    has_text = bool(note.description) or note.smart_tool_input != NULL
    return bool(note.nn_created or note.nn_updated or has_text or has_bond)


def _parts(snapshot: Snapshot) -> Iterator[tuple[int, Sequence[int]]]:
    """Cut the images into what one request takes: dataset and ids."""
    import pyarrow.compute as pc

    images = snapshot.read("images", ["src_image_id", "src_dataset_id"])
    for dataset_id in images["src_dataset_id"].unique().to_pylist():
        image_ids = images["src_image_id"].filter(pc.equal(images["src_dataset_id"], dataset_id))
        for part in batches(image_ids.to_pylist(), LIST_BATCH):
            yield dataset_id, part


def _ask(client: SuperviselyClient, dataset_id: int, item_ids: Sequence[int]) -> list[FigureNote]:
    try:
        return client.figures.list_notes(dataset_id, item_ids)
    except NotFoundError:
        # A dataset that is gone; nothing of it will be taken over.
        return []
