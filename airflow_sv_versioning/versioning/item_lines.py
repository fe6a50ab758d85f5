"""What is said of one item in a line: by an archive, and of a project as it is now."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import msgspec

from airflow_sv_versioning.archive import item_lines_of, iter_item_lines, unpack_archive
from airflow_sv_versioning.capture.one_item import only, split_path
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.originals import paths_of
from airflow_sv_versioning.project_types.references import check_references
from airflow_sv_versioning.project_types.remnants import find_remnants
from airflow_sv_versioning.snapshot.excerpts import excerpt
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import dataset_paths


class ItemLine(msgspec.Struct):
    """What an item is.

    Archives of videos hold such lines, see :mod:`~airflow_sv_versioning.project_types.videos.digests`. Of
    other types they are made here, without digests.
    """

    id: int
    path: str
    hash: str | None
    link: str | None
    size_bytes: int | None
    frames_count: int | None
    annotation_sha256: str | None
    item_sha256: str | None = None

    def proves_equal(self, other: ItemLine) -> bool:
        """Say whether two lines alone show that nothing of an item differs.

        What the platform found behind a link may change while the link does not.
        """
        has_all = None not in (self.hash, self.annotation_sha256, self.item_sha256)
        return has_all and self._told() == other._told()

    def _told(self) -> tuple[object, ...]:
        digests = (self.annotation_sha256, self.item_sha256)
        return (self.path, self.hash, self.link, self.frames_count, *digests)


class ArchivedItems:
    """Items of one archive, which is unpacked only when its lines do not say enough.

    :param directory: takes what is unpacked, below new folders.
    """

    def __init__(self, archive: Path, project_type: str, directory: Path) -> None:
        self._archive = archive
        self._project_type = project_type
        self._directory = directory

    def find(self, path: str) -> ItemLine | None:
        """Find what the archive says of an item; ``None`` if it holds none of this path.

        :param path: ``dataset/path/item name``.
        :raises ConfigurationError: it holds several, for names may hold slashes.
        :raises FormatError: it is damaged.
        """
        lines = iter_item_lines(self._archive, self._project_type)
        if lines is not None:
            found = [line for line in map(_decoded, lines) if line.path == path]
            return only(found, path, "The version")
        item_id = only(_ids_of(self._snapshot, path), path, "The version")
        return None if item_id is None else line_of(self.cut_out(item_id))

    def cut_out(self, item_id: int) -> Snapshot:
        """Take one item out of the archive, as a snapshot of its own.

        :raises FormatError: the archive refers to what it does not hold.
        """
        directory = self._directory / f"item-{item_id}"
        if (directory / "project_info.json").exists():
            return Snapshot(directory, self._project_type)
        return alone(self._snapshot, item_id, directory)

    def dataset_of(self, item_id: int) -> int | None:
        """Tell the id of the dataset that holds an item; ``None`` where the archive holds no such item."""
        rows = self.cut_out(item_id).read(self._project_type, ["src_dataset_id"]).to_pylist()
        return rows[0]["src_dataset_id"] if rows else None

    @cached_property
    def _snapshot(self) -> Snapshot:
        directory = self._directory / "snapshot"
        snapshot = unpack_archive(self._archive, self._project_type, directory).snapshot
        # A project is read without them, too.
        find_remnants(snapshot).leave_out()
        check_references(snapshot)
        return snapshot


def alone(whole: Snapshot, item_id: int, directory: Path) -> Snapshot:
    """Write one item of a snapshot as a snapshot of its own, which shares files with the whole."""
    import pyarrow.compute as pc

    items = whole.project_type
    ids = whole.iter_columns(items, project_type_of(items).id_column)
    others = IdSet.of_columns(column.filter(pc.not_equal(column, item_id)) for column in ids)
    return excerpt(whole, others, directory)


def line_of(snapshot: Snapshot) -> ItemLine:
    """Say in a line what the one item of a snapshot is."""
    member = item_lines_of(snapshot.project_type)
    if member is not None and member.lines is not None:
        (line,) = member.lines(snapshot)
        return _decoded(line)
    id_column = project_type_of(snapshot.project_type).id_column
    columns = [id_column, "hash", "link", "size"]
    (row,) = snapshot.read(snapshot.project_type, columns).to_pylist()
    (path,) = paths_of(snapshot, [row[id_column]]).values()
    return ItemLine(row[id_column], path, row["hash"], row["link"], row["size"], None, None)


def _ids_of(snapshot: Snapshot, path: str) -> list[int]:
    import pyarrow.compute as pc

    id_column = project_type_of(snapshot.project_type).id_column
    return [
        row[id_column]
        for dataset_id, name in split_path(dataset_paths(snapshot).items(), path)
        for row in snapshot.iter_rows(
            snapshot.project_type,
            [id_column],
            (pc.field("src_dataset_id") == dataset_id) & (pc.field("name") == name),
        )
    ]


def _decoded(line: bytes) -> ItemLine:
    """Decode a line that anybody may have written.

    :raises FormatError: it is none of those of :mod:`~airflow_sv_versioning.project_types.videos.digests`.
    """
    try:
        return msgspec.json.decode(line, type=ItemLine)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FormatError(f"The archive's account of its videos cannot be read: {error}.") from error
