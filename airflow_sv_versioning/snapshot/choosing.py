"""Which items, datasets and annotations of a snapshot a selection chooses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.snapshot.globs import Globs
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.item_globs import ItemGlobs, Tree, item_paths
from airflow_sv_versioning.snapshot.schemas import item_column, table_names
from airflow_sv_versioning.snapshot.selection import Selection
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import dataset_rows

if TYPE_CHECKING:
    import pyarrow as pa

_NAMED = 10
_ID, _DATASET = "id", "src_dataset_id"


@dataclass(frozen=True)
class Unmatched:
    """A name of a selection of which a snapshot has nothing.

    :param kind: what is sought, in words.
    :param known: some of the names that there are.
    """

    kind: str
    name: str
    known: tuple[str, ...]

    def line(self) -> str:
        """Say so in one sentence, with what there is."""
        names = ", ".join(map(repr, self.known[:_NAMED])) + (", ..." if len(self.known) > _NAMED else "")
        return (
            f"There is no {self.kind} {self.name!r}; there {'are ' + names if names else 'is none at all'}."
        )


@dataclass(frozen=True)
class Choice:
    """What a selection chooses of a snapshot.

    :param dataset_ids: those of the part, with all that they lie in.
    :param owners: ids of the figures of images, or of the objects, of the chosen classes; ``None`` where
        classes are not restricted.
    """

    item_ids: IdSet
    dataset_ids: IdSet
    owners: IdSet | None
    unmatched: tuple[Unmatched, ...]


def choose(snapshot: Snapshot, selection: Selection) -> Choice:
    """Find what a selection chooses, by the columns that decide; memory holds a few integers an item.

    :raises FormatError: a table is damaged.
    """
    tree = dataset_rows(snapshot)
    datasets, items = Globs(selection.datasets), ItemGlobs(selection.items, tree)
    matching = _matching(tree, datasets)
    rows = _items(snapshot, items, matching)
    owners = _owners(snapshot, selection.classes) if selection.classes else None
    if selection.tags:
        rows = rows.filter(_carriers(snapshot, selection.tags).mask(rows[_ID]))
    if selection.drop_empty_items:
        rows = rows.filter(_annotated(snapshot, owners).mask(rows[_ID]))
    kept = IdSet.of_columns([rows[_DATASET]]) if selection.restricts_items else matching
    unmatched = (
        *_unmatched("dataset that matches", datasets.unmatched, (path for _, path in tree)),
        *_unmatched("item that matches", items.unmatched, item_paths(snapshot, tree)),
        *_undefined(snapshot, "class", "classes", "title", selection.classes),
        *_undefined(snapshot, "tag", "tags", "name", selection.tags),
    )
    return Choice(IdSet.of_columns([rows[_ID]]), _with_ancestors(tree, kept), owners, unmatched)


def refuse_unmatched(selection: Selection, choices: Sequence[Choice]) -> None:
    """Refuse a selection that says what none of some snapshots has.

    :raises ConfigurationError: a name matches nothing in any of them, or no item is left in any.
    """
    first, *others = choices
    elsewhere = [{(one.kind, one.name) for one in choice.unmatched} for choice in others]
    lines = [one.line() for one in first.unmatched if all((one.kind, one.name) in each for each in elsewhere)]
    if lines:
        raise ConfigurationError(f"The selection names what there is not. {' '.join(lines)}")
    if not any(len(choice.item_ids) for choice in choices):
        raise ConfigurationError(f"The selection leaves no item: {selection}.")


def class_ids(snapshot: Snapshot, names: Iterable[str]) -> set[int]:
    """Tell the ids of classes by their names."""
    wanted = set(names)
    return {entry["id"] for entry in snapshot.project_meta.get("classes") or [] if entry["title"] in wanted}


def owner_table(project_type: str) -> tuple[str, str]:
    """Name the table whose rows are of classes, and its column of ids: objects, or figures of images."""
    is_object = "objects" in table_names(project_type)
    return ("objects", "src_object_id") if is_object else ("figures", "src_figure_id")


def _matching(tree: Tree, globs: Globs) -> IdSet:
    """Collect the datasets whose paths match; all, where there are no globs."""
    import pyarrow as pa

    paths = pa.array([path for _, path in tree], pa.string())
    is_chosen = globs.mask(paths) if globs else [True] * len(tree)
    return IdSet([row[_DATASET] for (row, _), chosen in zip(tree, is_chosen, strict=True) if chosen])


def _items(snapshot: Snapshot, globs: ItemGlobs, datasets: IdSet) -> pa.Table:
    """Find the items of some datasets that match: columns ``id`` and ``src_dataset_id``."""
    import pyarrow as pa

    id_column = item_column(snapshot.project_type, snapshot.project_type)
    schema = pa.schema([(_ID, pa.int64()), (_DATASET, pa.int64())])
    parts = [schema.empty_table()]
    for batch in snapshot.iter_batches(snapshot.project_type, [id_column, _DATASET, "name"]):
        # Items of other datasets are looked at, too: a glob is wrong where nothing at all has that name.
        is_chosen = pa.array(globs.mask(batch) & datasets.mask(batch[_DATASET]))
        parts.append(
            pa.table([batch[name].filter(is_chosen) for name in (id_column, _DATASET)], schema=schema)
        )
    return pa.concat_tables(parts)


def _owners(snapshot: Snapshot, classes: Sequence[str]) -> IdSet:
    """Collect the figures of images, or the objects, of some classes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table, id_column = owner_table(snapshot.project_type)
    if table == "objects":
        where = pc.field("class_name").isin(pa.array(classes, pa.string()))
    else:
        where = pc.field("class_id").isin(pa.array(sorted(class_ids(snapshot, classes)), pa.int64()))
    return IdSet.of_columns(snapshot.iter_columns(table, id_column, where))


def _carriers(snapshot: Snapshot, names: Sequence[str]) -> IdSet:
    """Collect the items that have one of some tags themselves."""
    import pyarrow as pa
    import pyarrow.compute as pc

    tags = snapshot.project_meta.get("tags") or []
    tag_ids = pa.array([entry["id"] for entry in tags if entry["name"] in names], pa.int64())
    where = (pc.field("owner_type") == "item") & pc.field("tag_id").isin(tag_ids)
    return IdSet.of_columns(snapshot.iter_columns("tags", "owner_id", where))


def _annotated(snapshot: Snapshot, owners: IdSet | None) -> IdSet:
    """Collect the items that have a figure, of some owners if there are any."""
    import pyarrow as pa

    column = item_column(snapshot.project_type, "figures")
    if owners is None:
        return IdSet.of_columns(snapshot.iter_columns("figures", column))
    _, owner_column = owner_table(snapshot.project_type)
    batches = snapshot.iter_batches("figures", [column, owner_column])
    return IdSet.of_columns(
        batch[column].filter(pa.array(owners.mask(batch[owner_column]))) for batch in batches
    )


def _with_ancestors(tree: Tree, dataset_ids: IdSet) -> IdSet:
    # Children come after their parents.
    found: set[int] = set()
    for row, _ in reversed(tree):
        if row[_DATASET] in found or dataset_ids.find(row[_DATASET]) is not None:
            found |= {row[_DATASET], row["parent_src_dataset_id"]}
    return IdSet(found - {None})


def _unmatched(kind: str, names: Iterable[str], known: Iterable[str]) -> Iterator[Unmatched]:
    some = None
    for name in names:
        some = tuple(islice(known, _NAMED + 1)) if some is None else some
        yield Unmatched(kind, name, some)


def _undefined(
    snapshot: Snapshot, kind: str, key: str, name_key: str, names: Sequence[str]
) -> Iterator[Unmatched]:
    known = [entry[name_key] for entry in snapshot.project_meta.get(key) or []]
    return _unmatched(kind, [name for name in dict.fromkeys(names) if name not in known], known)
