"""A part of a snapshot as a snapshot of its own: whoever works on a part works on that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.runtime.file_sharing import share_file
from airflow_sv_versioning.snapshot.choosing import Choice, choose, owner_table, refuse_unmatched
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.schemas import item_column, table_names
from airflow_sv_versioning.snapshot.selection import Selection
from airflow_sv_versioning.snapshot.tables import MASKS, Snapshot, mask_path, values
from airflow_sv_versioning.snapshot.writer import writer_beside

if TYPE_CHECKING:
    import pyarrow as pa

_ALPHA = "alpha_geometries"


def take_part(whole: Snapshot, selection: Selection, directory: Path) -> Snapshot:
    """Write what a selection chooses of a snapshot; the snapshot itself, where that is everything.

    The part has the chosen items, and of what hangs on them what is of the chosen classes; tags of items
    stay. It has the datasets that match, and where not all their items are chosen only those that hold one;
    and all datasets that these lie in, empty. Its meta defines the chosen classes and all tags; a tag that
    was for certain classes is for those of them that are left, and for all classes where none is.

    :param directory: a new folder; on the same disk, files of masks are shared with the whole.
    :raises ConfigurationError: a name matches nothing, or no item is left.
    :raises FormatError: a table is damaged.
    """
    return take_parts([(whole, directory)], selection)[0]


def take_parts(wholes: Sequence[tuple[Snapshot, Path]], selection: Selection) -> list[Snapshot]:
    """Take the same part of several snapshots as :func:`take_part` does.

    :param wholes: each with a new folder.
    :raises ConfigurationError: a name matches nothing in any of them, or no item is left in any.
    """
    if selection.is_everything:
        return [whole for whole, _ in wholes]
    choices = [choose(whole, selection) for whole, _ in wholes]
    refuse_unmatched(selection, choices)
    return [
        _Part(whole, choice, selection.classes).write(directory)
        for (whole, directory), choice in zip(wholes, choices, strict=True)
    ]


class _Part:
    """What is chosen of a snapshot, table by table.

    :param classes: the names of those that its meta defines; all where there are none.
    """

    def __init__(self, whole: Snapshot, choice: Choice, classes: Sequence[str]) -> None:
        self._whole = whole
        self._choice = choice
        self._classes = classes
        self._owner_table, self._owner_column = owner_table(whole.project_type)
        self._has_alphas = _ALPHA in table_names(whole.project_type) and whole.path(_ALPHA).exists()
        self._figure_ids: list[pa.ChunkedArray] = []

    def write(self, directory: Path) -> Snapshot:
        with writer_beside(self._whole, directory) as writer:
            masks = _Masks(self._whole, directory)
            for table in table_names(self._whole.project_type):
                for rows in self._rows(table):
                    writer.append_arrow(table, rows)
                    if table == "figures":
                        self._keep_ids(rows)
                        masks.share(rows)
            part = writer.finish(self._whole.project_info, self._meta())
        kept = self._choice.item_ids
        part.incomplete_items = frozenset(i for i in self._whole.incomplete_items if kept.find(i) is not None)
        return part

    def _rows(self, table: str) -> Iterator[pa.Table]:
        """Stream the chosen rows of a table; figures before what is theirs."""
        if table == "datasets":
            yield from self._whole.iter_rows_of(table, "src_dataset_id", self._choice.dataset_ids)
        elif table == _ALPHA:
            yield from self._whole.iter_rows_of(table, "src_figure_id", IdSet.of_columns(self._figure_ids))
        else:
            column = item_column(self._whole.project_type, table)
            for rows in self._whole.iter_rows_of(table, column, self._choice.item_ids):
                yield self._of_classes(table, rows)

    def _of_classes(self, table: str, rows: pa.Table) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        owners = self._choice.owners
        if owners is None or table == self._whole.project_type:
            return rows
        if table != "tags":
            return rows.filter(pa.array(owners.mask(rows[self._owner_column])))
        is_item = pc.fill_null(pc.equal(rows["owner_type"], "item"), False)
        return rows.filter(pc.or_(is_item, pa.chunked_array([owners.mask(rows["owner_id"])])))

    def _keep_ids(self, figures: pa.Table) -> None:
        if self._has_alphas:
            self._figure_ids.append(figures["src_figure_id"])

    def _meta(self) -> dict[str, Any]:
        meta = self._whole.project_meta
        if not self._classes:
            return meta
        return {
            **meta,
            "classes": [entry for entry in meta.get("classes") or [] if entry["title"] in self._classes],
            "tags": [self._tag(entry) for entry in meta.get("tags") or []],
        }

    def _tag(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        # Source: SDK, the platform does so with the tags of a class that is removed.
        classes = entry.get("classes")
        if not isinstance(classes, list):
            return entry
        return {**entry, "classes": [name for name in classes if name in self._classes]}


class _Masks:
    """The files of figures that have any."""

    def __init__(self, whole: Snapshot, directory: Path) -> None:
        folder = whole.directory / MASKS
        self._whole = whole
        self._directory = directory
        self._ids = IdSet(_numbers(path.stem for path in folder.iterdir()) if folder.is_dir() else ())

    def share(self, figures: pa.Table) -> None:
        """Give the part the files of some figures."""
        if not len(self._ids):
            return
        (self._directory / MASKS).mkdir(exist_ok=True)
        for figure_id in values(figures.filter(self._ids.mask(figures["src_figure_id"])), "src_figure_id"):
            share_file(self._whole.mask_path(figure_id), mask_path(self._directory, figure_id))


def _numbers(names: Iterable[str]) -> Iterator[int]:
    return (int(name) for name in names if name.isdecimal())
