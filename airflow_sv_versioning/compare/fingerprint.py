"""One digest of all that a project holds, and how many figures each class has.

The digest is the SHA-256 of what a comparison looks at, in the spelling in which it does, and of nothing
else: two sides have the same one where a comparison of two projects finds nothing. Ids, times and people do
not count, nor do the order of items and datasets, the format of an archive, or the description of the
project, for a copy has its own. The order of figures on an image, frame or slice does.

A comparison passes over what one of two sides does not tell. A digest knows of no other side, so what is told
counts: the colour of a class or tag, frames of a video, meta of a volume, and which columns an older archive
lacks. Such sides may be equal and have different digests; never the other way round.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.cells import (
    DIGESTS,
    add_digests,
    compared_columns,
    group_digests,
    row_texts,
    text_digests,
)
from airflow_sv_versioning.compare.contents import NO_ID, Contents, integers, places_in, shared_objects
from airflow_sv_versioning.compare.definitions import project_content
from airflow_sv_versioning.compare.identity import numbers_among_equals
from airflow_sv_versioning.compare.index import as_compared, item_rows
from airflow_sv_versioning.compare.survey import ITEMS_AT_ONCE, row_counts
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.compared import Part, Side, columns_to_read
from airflow_sv_versioning.snapshot.items import pieces
from airflow_sv_versioning.snapshot.schemas import table_names
from airflow_sv_versioning.snapshot.stored_rows import damage_named
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import dataset_rows

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

# Part of each digest: whoever changes what it is made of counts it up.
SCHEME = "sv-content/1"
_BYTES_AT_ONCE = 16 * 1024 * 1024


def _go_on() -> None:
    pass


@dataclass(frozen=True)
class HeldItems:
    """All items of a side, in short: what some of them add can be taken away again.

    :param number: of the items.
    :param total: the sum of the SHA-256 of each, modulo 2**256.
    :param classes: name of a class -> its figures, of the classes that have any.
    """

    number: int
    total: int
    classes: Mapping[str, int]

    def exchanged(self, gone: HeldItems, new: HeldItems) -> HeldItems | None:
        """Take some items away and add others; ``None`` where those that go were not among them."""
        classes = Counter(self.classes)
        classes.subtract(gone.classes)
        if min(self.number - gone.number, *classes.values(), 0) < 0:
            return None
        classes.update(new.classes)
        return HeldItems(
            self.number - gone.number + new.number,
            (self.total - gone.total + new.total) % DIGESTS,
            {name: count for name, count in classes.items() if count},
        )


@dataclass(frozen=True)
class Fingerprint:
    """What a project holds, in short.

    :param content_digest: 64 hex digits.
    """

    content_digest: str
    items: HeldItems

    @property
    def classes(self) -> dict[str, int]:
        """The figures of each class that has any, by the name of the class."""
        return dict(sorted(self.items.classes.items()))


def fingerprint(
    snapshot: Snapshot, check: Callable[[], None] = _go_on, items: HeldItems | None = None
) -> Fingerprint:
    """Look at a snapshot once, in bounded memory.

    :param check: is called again and again, and ends it by an exception.
    :param items: what they hold, where that is known already.
    :raises FormatError: a table is damaged.
    """
    items = items or hold_items(snapshot, check)
    whole = hashlib.sha256(json.dumps([SCHEME, snapshot.project_type, lacking_columns(snapshot)]).encode())
    whole.update(project_content(snapshot).encode())
    for number, total in (add_digests(_dataset_texts(_side(snapshot))), (items.number, items.total)):
        whole.update(f"{number} {total:064x}\n".encode())
    return Fingerprint(whole.hexdigest(), items)


def hold_items(snapshot: Snapshot, check: Callable[[], None] = _go_on) -> HeldItems:
    """Look at all items of a snapshot.

    :raises FormatError: a table is damaged.
    """
    classes: Counter[str] = Counter()
    number, total = add_digests(_item_texts(_side(snapshot), classes, check))
    return HeldItems(number, total, classes)


def _side(snapshot: Snapshot) -> Side:
    return Side(snapshot, columns=columns_to_read(project_type_of(snapshot.project_type).compared))


def lacking_columns(snapshot: Snapshot) -> dict[str, list[str]]:
    """Name the compared columns that an older archive does not tell of."""
    compared = project_type_of(snapshot.project_type).compared
    names = {table: compared.of(table) for table in table_names(snapshot.project_type)}
    found = {table: sorted(snapshot.lacking_columns(table, columns)) for table, columns in names.items()}
    return {table: columns for table, columns in found.items() if columns}


def _dataset_texts(side: Side) -> Iterator[pa.Array]:
    """Write each dataset."""
    import pyarrow as pa

    entries = dataset_rows(side.snapshot)
    if not entries:
        return
    paths = _paths_by_id(entries)
    rows = pa.Table.from_pylist([row for row, _ in entries], side.snapshot.schema("datasets"))
    columns = compared_columns(rows, ["name", "description", "custom_data"])
    yield row_texts([_looked_up(rows["parent_src_dataset_id"], paths), *columns])


def _item_texts(side: Side, classes: Counter[str], check: Callable[[], None]) -> Iterator[pa.Array]:
    """Write each item with digests of all that hangs on it, and count the figures of each class."""
    import pyarrow as pa
    import pyarrow.compute as pc

    paths = _paths_by_id(dataset_rows(side.snapshot))
    whole, numbers = _all_items(side, paths)
    shared = shared_objects(whole)
    most = _rows_at_once(side.snapshot)
    rows = [(counts, min(most, at_once)) for counts, at_once in row_counts(whole)]
    for piece in pieces(len(whole), rows, ITEMS_AT_ONCE):
        check()
        contents = Contents(Part(side, whole.ids[piece], whole.keys[piece]), shared)
        for entry in pc.value_counts(contents.class_names()).to_pylist():
            classes[entry["values"] or ""] += entry["counts"]
        columns = [pa.array(numbers[piece]), *_own_columns(contents, whole, paths)]
        yield row_texts([*columns, *_hanging_columns(contents)])


def _rows_at_once(snapshot: Snapshot) -> int:
    """Tell how many figures may be in memory at a time: a few, where they are masks of megabytes."""
    import pyarrow.parquet as pq

    size = 1.0
    for table in ("figures", "alpha_geometries"):
        if (path := snapshot.path(table)).exists():
            with damage_named(table):
                footer = pq.read_metadata(path)
            groups = map(footer.row_group, range(footer.num_row_groups))
            size += max(group.total_byte_size / max(1, group.num_rows) for group in groups)
    return max(1, int(_BYTES_AT_ONCE / size))


def _all_items(side: Side, paths: Mapping[int, str]) -> tuple[Part, Numbers]:
    """Give each item a key that is made of its path, and so is the same in every process.

    :returns: the items, and of each its number among those of one path: platforms allow one.
    """
    import numpy as np

    ids, keys = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for rows in item_rows(side):
        ids.append(rows[side.id_column].to_numpy())
        texts = row_texts([_looked_up(rows["src_dataset_id"], paths), *compared_columns(rows, ["name"])])
        first_bytes = b"".join(digest[:8] for digest in text_digests(texts))
        keys.append(np.frombuffer(first_bytes, "<i8"))
    all_keys = np.concatenate(keys)
    numbers = numbers_among_equals(all_keys)
    return Part(side, np.concatenate(ids), all_keys + numbers), numbers


def _own_columns(contents: Contents, whole: Part, paths: Mapping[int, str]) -> list[pa.Array]:
    """Take what is said of items themselves."""
    import numpy as np
    import pyarrow as pa

    side, compared = contents.part.side, contents.project_type.compared
    rows = as_compared(side, contents.part.rows(side.project_type))
    made_of = [name for name in ("hash", "link") if name in compared.of(side.project_type)]
    columns = compared_columns(rows, ["name", *made_of, *compared.of_items, *compared.file_facts])
    if "parent_src_image_id" in rows.column_names:
        places = places_in(whole.ids, integers(rows, "parent_src_image_id"))
        columns.append(pa.array(np.append(whole.keys, NO_ID)[places]))
    return [_looked_up(rows["src_dataset_id"], paths), *columns]


def _hanging_columns(contents: Contents) -> list[pa.Array]:
    """Digest what hangs on items: what is on their objects, and what is on none."""
    import numpy as np
    import pyarrow as pa

    count = len(contents.part)
    figures, tags = _figure_texts(contents), _tag_texts(contents)
    figure_items, tag_items = contents.figure_items, contents.tag_items
    if not contents.project_type.has_objects:
        return [group_digests(figures, figure_items, count), group_digests(tags, tag_items, count)]
    owners, tag_owners = contents.figure_objects, contents.tag_objects
    object_count = len(contents.object_items)
    objects = row_texts(
        [
            *compared_columns(contents.objects, ["class_name"]),
            pa.array(contents.object_sharing()),
            group_digests(figures, owners, object_count),
            group_digests(tags, tag_owners, object_count),
        ]
    )
    return [
        group_digests(objects, contents.object_items, count),
        group_digests(figures, np.where(owners < 0, figure_items, -1), count),
        group_digests(tags, np.where(tag_owners < 0, tag_items, -1), count),
    ]


def _figure_texts(contents: Contents) -> pa.Array:
    """Write each figure; its number on its image, frame or slice comes first, so that they are in order."""
    import pyarrow as pa

    names = contents.shape_columns
    return row_texts([pa.array(contents.depths), *compared_columns(contents.figures, names)])


def _tag_texts(contents: Contents) -> pa.Array:
    """Write each tag, with the number of the figure that it is on."""
    import numpy as np
    import pyarrow as pa

    numbers = np.append(contents.depths, NO_ID)[contents.tag_figures]
    return row_texts([pa.array(numbers), *compared_columns(contents.tags, contents.tag_columns)])


def _paths_by_id(entries: Iterable[tuple[Mapping[str, Any], str]]) -> dict[int, str]:
    return {row["src_dataset_id"]: path for row, path in entries}


def _looked_up(ids: pa.ChunkedArray, names: Mapping[int, str]) -> pa.Array:
    """Name what ids stand for."""
    import pyarrow as pa
    import pyarrow.compute as pc

    places = pc.index_in(ids, value_set=pa.array(list(names), pa.int64())).combine_chunks()
    return pa.array(list(names.values()), pa.string()).take(places)
