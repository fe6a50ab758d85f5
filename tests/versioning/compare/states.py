"""States of made-up projects, as rows that can be edited, and what a comparison of two of them tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from airflow_sv_versioning.archive import pack_archive, unpack_archive
from airflow_sv_versioning.compare.engine import compare_snapshots
from airflow_sv_versioning.compare.records import Change, ItemDiff, SideFacts, VersionDiff
from airflow_sv_versioning.snapshot.schemas import table_names
from airflow_sv_versioning.snapshot.tables import MASKS, Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

Row = dict[str, Any]
Number = Callable[[int], int]
Ids = tuple[int | None, int | None]

FROZEN = "2026-01-01T00:00:00.000Z"
"""When everything was made and last changed, whatever happens to it."""
NOBODY: Ids = (None, None)
_IDS = {
    *("src_dataset_id", "parent_src_dataset_id", "src_image_id", "src_video_id", "src_volume_id"),
    *("parent_src_image_id", "src_figure_id", "src_object_id", "tag_assignment_id", "owner_id"),
    *("src_item_id", "tag_id", "class_id"),
}


class Line(NamedTuple):
    """A change with only that by which changes are told apart; ids are those before and after.

    :param thing: the figure or object that it is of, or whose tag it is.
    """

    kind: str
    item: Ids = NOBODY
    thing: Ids = NOBODY
    tag: str | None = None
    member: str | None = None


@dataclass
class State:
    """A project at a moment.

    :param masks: id of a figure -> its file.
    """

    type: str
    tables: dict[str, list[Row]]
    info: dict[str, Any] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)
    masks: dict[int, bytes] = field(default_factory=dict)

    @property
    def id_column(self) -> str:
        """The column with the id of an item."""
        return f"src_{self.type[:-1]}_id"

    @property
    def items(self) -> list[Row]:
        """The rows of its items."""
        return self.tables[self.type]

    def copy(self) -> State:
        """Make one that can be edited without changing this one."""
        return deepcopy(self)

    def numbered(self, number: Number) -> State:
        """Make one with other ids, as another project has them."""
        tables = {
            name: [{key: _numbered(number, key, value) for key, value in row.items()} for row in rows]
            for name, rows in self.tables.items()
        }
        meta = {
            key: [{**entry, "id": number(entry["id"])} for entry in value]
            if isinstance(value, list)
            else value
            for key, value in self.meta.items()
        }
        masks = {number(figure_id): content for figure_id, content in self.masks.items()}
        return State(self.type, tables, dict(self.info), meta, masks)

    def write(self, folder: Path) -> Snapshot:
        """Write it as a snapshot."""
        (folder / MASKS).mkdir(parents=True)
        for figure_id, content in self.masks.items():
            (folder / MASKS / f"{figure_id}.nrrd").write_bytes(content)
        with SnapshotWriter(folder, self.type) as writer:
            writer.append_rows({name: self.tables.get(name, []) for name in table_names(self.type)})
            info = {"id": 1, "name": "p", "type": self.type, "custom_data": {}, "settings": {}, **self.info}
            return writer.finish(info, {"classes": [], "tags": [], "projectType": self.type, **self.meta})


def _numbered(number: Number, key: str, value: Any) -> Any:
    return number(value) if key in _IDS and value is not None else value


@dataclass(frozen=True)
class Comparison:
    """What a comparison told.

    :param lines: with ids of the states before they were numbered.
    :param changes: the records behind them.
    """

    diff: VersionDiff
    lines: Counter[Line]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Numbering:
    """Ids of the project after: those of another project are all others.

    :param number: gives them.
    :param back: tells the original.
    """

    number: Number
    back: Number
    same_project: bool = False


def _unchanged(number: int) -> int:
    return number


def _later(number: int) -> int:
    return number + 10**6


def _earlier(number: int) -> int:
    return number - 10**6


def _turned(number: int) -> int:
    return 10**6 - number


SAME = Numbering(_unchanged, _unchanged, same_project=True)
LATER = Numbering(_later, _earlier)
"""Of another project, whose ids have the same order."""
TURNED = Numbering(_turned, _turned)
"""Of another project, whose ids have the opposite order."""


def compare(
    before: Snapshot, after: Snapshot, numbering: Numbering, *, backwards: bool = False
) -> Comparison:
    """Compare two snapshots, the second of which is numbered.

    :param backwards: compare the second with the first.
    """
    items: list[ItemDiff] = []
    sides = (after, before) if backwards else (before, after)
    diff = compare_snapshots(
        *sides,
        (SideFacts("before"), SideFacts("after")),
        same_project=numbering.same_project,
        sinks=[items.append],
    )
    back = (numbering.back, _unchanged) if backwards else (_unchanged, numbering.back)
    lines = Counter(line for item in items for line in _lines(item, back))
    return Comparison(diff, lines, tuple(change for item in items for change in item.changes))


def _lines(item: ItemDiff, back: tuple[Number, Number]) -> Iterator[Line]:
    one, other = item.before, item.after
    ids = _of((one.item_id if one else None, other.item_id if other else None), back)
    if None in ids:
        yield Line("items.removed" if item.after is None else "items.added", ids)
    for change in item.changes:
        yield Line(change.kind, ids, _thing(change, back), change.tag, change.member)


def _thing(change: Change, back: tuple[Number, Number]) -> Ids:
    figures = _of((change.figure_id_before, change.figure_id_after), back)
    objects = _of((change.object_id_before, change.object_id_after), back)
    if change.kind.startswith("objects."):
        return objects
    return objects if figures == NOBODY and change.tag else figures


def _of(ids: Ids, back: tuple[Number, Number]) -> Ids:
    one, other = (None if number is None else tell(number) for tell, number in zip(back, ids, strict=True))
    return one, other


def definitions(diff: VersionDiff) -> set[tuple[str, str, str]]:
    """Tell what changed of the project itself: part, name, what became of it."""
    return {(what, entry.name, entry.change) for what, entry in diff.project.entries()}


def counts(diff: VersionDiff) -> dict[str, int]:
    """Tell all counts that are not 0, by kind."""
    return {
        f"{what}.{word}": count
        for what in ("datasets", "items", "figures", "objects", "tags")
        for word, count in vars(getattr(diff, what)).items()
        if count and not word.startswith("iou_")
    }


def through_archive(snapshot: Snapshot, archive_format: str, folder: Path) -> Snapshot:
    """Pack a snapshot and unpack it again."""
    folder.mkdir(parents=True)
    packed = pack_archive(snapshot, archive_format, folder / "archive", {})
    return unpack_archive(packed.path, snapshot.project_type, folder / "snapshot").snapshot


def assert_consistent(diff: VersionDiff) -> None:
    """Check that the numbers of a difference belong together."""
    for one in diff.by_class.values():
        moved = one.added - one.removed + one.relabelled_in - one.relabelled_out
        assert one.after == one.before + moved, one
    for tag in diff.by_tag.values():
        assert tag.after == tag.before + tag.added - tag.removed, tag
    assert sum(one.added for one in diff.by_class.values()) == diff.figures.added
    assert sum(one.removed for one in diff.by_class.values()) == diff.figures.removed
    assert sum(one.reshaped for one in diff.by_class.values()) == diff.figures.reshaped
    assert sum(tag.changed for tag in diff.by_tag.values()) == diff.tags.changed
    for held in diff.by_dataset.values():
        moved = held.items_added - held.items_removed
        assert diff.items.moved or held.items_after == held.items_before + moved, held
    for word in ("added", "removed", "changed"):
        found = sum(getattr(held, f"items_{word}") for held in diff.by_dataset.values())
        assert found == getattr(diff.items, word), word
