"""Compare two sides by content, in memory that does not grow with them.

Each item of both sides becomes a few integers: enough to pair items, and a digest of all that hangs on it.
Only of pairs whose digests differ are the rows read again, and put side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.contents import NO_ID, places_in, shared_objects
from airflow_sv_versioning.compare.definitions import ComparedProject, compare_projects
from airflow_sv_versioning.compare.details import ItemReader, PairedParts, find_changes
from airflow_sv_versioning.compare.identity import count_datasets, looked_up, pair_datasets, pair_items
from airflow_sv_versioning.compare.index import read_index
from airflow_sv_versioning.compare.options import DEFAULTS, CompareOptions
from airflow_sv_versioning.compare.pairs import AFTER, BEFORE
from airflow_sv_versioning.compare.records import ItemDiff, SideFacts, VersionDiff
from airflow_sv_versioning.compare.survey import ITEMS_AT_ONCE, Survey, row_counts, survey
from airflow_sv_versioning.compare.tally import Tally
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.compared import Part, Side, columns_to_read
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.items import pieces
from airflow_sv_versioning.snapshot.schemas import table_names
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

Sink = Callable[[ItemDiff], None]


@dataclass(frozen=True)
class Expected:
    """Differences that are none, as a restore planned them: what the side after has otherwise.

    :param left_out: ids of items that are not there.
    :param new_names: id of an item -> its new name.
    :param references: id of an item -> hash of the file that it is made of now.
    :param placeholder_ids: ids of the items that placeholders stand in for.
    :param placeholder_tag: name of the tag that these got.
    :param passed_over: ids of the items whose custom data the server did not take.
    :param settings: those that the server may have chosen otherwise.
    """

    left_out: frozenset[int] = frozenset()
    new_names: Mapping[int, str] = field(default_factory=dict)
    references: Mapping[int, str] = field(default_factory=dict)
    placeholder_ids: frozenset[int] = frozenset()
    placeholder_tag: str | None = None
    passed_over: frozenset[int] = frozenset()
    settings: tuple[str, ...] = ()


NOTHING_EXPECTED = Expected()


def compare_snapshots(
    before: Snapshot,
    after: Snapshot,
    sides: tuple[SideFacts, SideFacts],
    *,
    same_project: bool,
    options: CompareOptions = DEFAULTS,
    expected: Expected = NOTHING_EXPECTED,
    sinks: Sequence[Sink] = (),
    taken_over: IdSet | None = None,
) -> VersionDiff:
    """Compare two snapshots.

    :param sides: what they are.
    :param same_project: both are of one project of one server, so ids mean the same on both sides.
    :param taken_over: ids of items whose figures, objects and tags the side after has from the side before:
        only what is said of the items themselves is compared, and what hangs on them is not counted.
    :param sinks: get each item that is not as it was, with all its changes, while they are found.
    :raises FormatError: the projects are of two types, or a table is damaged.
    """
    if before.project_type != after.project_type:
        raise FormatError(
            f"A project of {before.project_type} cannot be compared with one of {after.project_type}."
        )
    projects = compare_projects(
        before,
        after,
        same_project=same_project,
        hidden_tag=expected.placeholder_tag,
        not_these_settings=expected.settings,
    )
    compared = _sides(before, after, projects, expected)
    comparison = _Comparison(compared, options, same_project, sinks, taken_over or IdSet(()))
    comparison.run()
    not_compared = [*_names(compared[BEFORE].not_compared), *_unsettable(before, after)]
    return comparison.tally.result(before.project_type, sides, projects.diff, not_compared)


def _names(columns: Mapping[str, Collection[str]]) -> Iterator[str]:
    return (f"{table}.{name}" for table, names in columns.items() for name in names)


def _unsettable(*snapshots: Snapshot) -> Iterator[str]:
    """Name what a side holds and no call can set: no restore brings it back, so nobody compares it."""
    for entry in project_type_of(snapshots[0].project_type).compared.unsettable:
        if not entry.beside and any(entry.count(snapshot) for snapshot in snapshots):
            yield from _names({entry.table: entry.columns})


def _sides(
    before: Snapshot, after: Snapshot, projects: ComparedProject, expected: Expected
) -> tuple[Side, Side]:
    stand_ins = frozenset(expected.references[item_id] for item_id in expected.placeholder_ids)
    not_compared = _not_compared(before, after)
    other = Side(
        after,
        stand_ins=stand_ins,
        hidden_tag=expected.placeholder_tag,
        not_compared=not_compared,
        columns=columns_to_read(project_type_of(after.project_type).compared),
    )
    one = replace(
        other,
        snapshot=before,
        without=expected.left_out,
        new_names=expected.new_names,
        references=expected.references,
        passed_over=expected.passed_over,
        class_names=projects.class_names,
        tag_names=projects.tag_names,
    )
    return one, other


def _not_compared(before: Snapshot, after: Snapshot) -> dict[str, frozenset[str]]:
    """Find the columns that one of two archives does not tell of: they are of older formats."""
    compared = project_type_of(before.project_type).compared
    found = {}
    for table in table_names(before.project_type):
        columns = compared.of(table)
        lacking = before.lacking_columns(table, columns) | after.lacking_columns(table, columns)
        if lacking:
            found[table] = frozenset(lacking)
    return found


class _Comparison:
    """One comparison: pairs, what was seen of each side, and what is told of it."""

    def __init__(
        self,
        sides: tuple[Side, Side],
        options: CompareOptions,
        same_project: bool,
        sinks: Sequence[Sink],
        taken_over: IdSet,
    ) -> None:
        self._sides = sides
        self._options = options
        self._taken_over = taken_over
        self._same_project = same_project
        self._sinks = sinks
        self.tally = Tally()
        self._datasets = pair_datasets(*sides, same_project=same_project)
        self._indexes = read_index(sides[BEFORE]), read_index(sides[AFTER])
        self._items = pair_items(sides, self._indexes, self._datasets, same_project=same_project)
        keys = self._items.keys()
        self._parts = (
            Part(sides[BEFORE], self._indexes[BEFORE].ids, keys[BEFORE]),
            Part(sides[AFTER], self._indexes[AFTER].ids, keys[AFTER]),
        )
        self._shared = shared_objects(self._parts[BEFORE]), shared_objects(self._parts[AFTER])

    def run(self) -> None:
        """Find all that differs."""
        self._tell_of_datasets()
        surveys = (
            survey(self._parts[BEFORE], *self._how_to_look(BEFORE), self._shared[BEFORE]),
            survey(self._parts[AFTER], *self._how_to_look(AFTER), self._shared[AFTER]),
        )
        for side in (BEFORE, AFTER):
            self.tally.know(*self._sides[side].defined_names(), self._datasets.paths_now(side).values())
            self._count(side, surveys[side])
            self._tell_of_lone(side, surveys[side])
        for diff in self._changed_items(surveys):
            self._tell(diff, diff.item.dataset)

    def _tell(self, diff: ItemDiff, dataset: str) -> None:
        self.tally.add_item(diff, dataset)
        for sink in self._sinks:
            sink(diff)

    def _tell_of_datasets(self) -> None:
        for kind, count in count_datasets(self._datasets, self._sides[BEFORE].not_compared).items():
            self.tally.add_kind(kind, count)

    def _how_to_look(self, side: int) -> tuple[Numbers, Numbers]:
        """Say of each item whether it has no pair, and whether it is known that nothing on it changed."""
        import numpy as np

        ids = self._indexes[side].ids
        is_lone = np.zeros(len(ids), np.bool_)
        is_lone[self._lone(side)] = True
        return is_lone, np.array(self._taken_over.mask_of(ids), np.bool_) & ~is_lone

    def _lone(self, side: int) -> Numbers:
        return self._items.removed if side == BEFORE else self._items.added

    def _count(self, side: int, seen: Survey) -> None:
        """Count what a side holds, and what came or went with items."""
        import numpy as np

        when, lone = (("before", "removed"), ("after", "added"))[side]
        self.tally.add_rows(when, seen.classes, seen.tags)
        self.tally.add_rows(lone, seen.lone_classes, seen.lone_tags)
        self.tally.add_kind(f"figures.{lone}", sum(seen.lone_classes.values()))
        self.tally.add_kind(f"tags.{lone}", sum(seen.lone_tags.values()))
        self.tally.add_kind(f"objects.{lone}", seen.lone_objects)
        paths = self._datasets.paths_now(side)
        different, places = np.unique(self._indexes[side].dataset_ids, return_inverse=True)
        figures = np.bincount(places, weights=seen.figures, minlength=len(different))
        items = np.bincount(places, minlength=len(different))
        for dataset_id, held, drawn in zip(different.tolist(), items.tolist(), figures.tolist(), strict=True):
            counts = {f"items_{when}": held, f"figures_{when}": int(drawn)}
            self.tally.add_held(paths.get(dataset_id, ""), **counts)

    def _tell_of_lone(self, side: int, seen: Survey) -> None:
        """Tell of the items that one side alone has."""
        part, places = self._parts[side], self._lone(side)
        # A dataset counts what it lost under the name that it has now; an item has the path that it had.
        paths_now = self._datasets.paths_now(side)
        for start in range(0, len(places), ITEMS_AT_ONCE):
            some = places[start : start + ITEMS_AT_ONCE]
            reader = ItemReader(part.some(some), self._datasets.paths(side))
            for row, figures in zip(reader.rows(), seen.figures[some].tolist(), strict=True):
                item = reader.facts(row)
                before, after = (item, None) if side == BEFORE else (None, item)
                self._tell(ItemDiff(before, after, (), figures), paths_now.get(row["src_dataset_id"], ""))

    def _changed_items(self, surveys: tuple[Survey, Survey]) -> Iterator[ItemDiff]:
        """Read the pairs again whose digests differ; in other spellings they may be equal all the same."""
        one, other = self._items.before, self._items.after
        moved, other_parents = self._is_moved(), self._has_other_parent()
        differs = surveys[BEFORE].digests[one] != surveys[AFTER].digests[other]
        differs |= moved | other_parents | self._has_other_fields()
        chosen = (one[differs], other[differs])
        counts = [
            (before + after, most)
            for (before, most), (after, _) in zip(
                *(row_counts(self._parts[side].some(chosen[side])) for side in (BEFORE, AFTER)), strict=True
            )
        ]
        for piece in pieces(len(chosen[BEFORE]), counts, ITEMS_AT_ONCE):
            pairs = PairedParts(
                self._parts[BEFORE].some(chosen[BEFORE][piece]),
                self._parts[AFTER].some(chosen[AFTER][piece]),
                (self._datasets.paths(BEFORE), self._datasets.paths(AFTER)),
                _places(moved[differs][piece]),
                _places(other_parents[differs][piece]),
                self._shared,
            )
            yield from find_changes(pairs, self._options, same_project=self._same_project)

    def _has_other_fields(self) -> Numbers:
        (before, after), one, other = self._indexes, self._items.before, self._items.after
        differs: Numbers = before.fields[one] != after.fields[other]
        differs |= (before.names[one] != after.names[other]) | (before.contents[one] != after.contents[other])
        for fact, same_fact in zip(before.facts, after.facts, strict=True):
            both_tell = (fact[one] != 0) & (same_fact[other] != 0)
            differs |= both_tell & (fact[one] != same_fact[other])
        return differs

    def _is_moved(self) -> Numbers:
        keys = self._datasets.keys_before, self._datasets.keys_after
        datasets = [
            looked_up(index.dataset_ids, known) for index, known in zip(self._indexes, keys, strict=True)
        ]
        found: Numbers = datasets[BEFORE][self._items.before] != datasets[AFTER][self._items.after]
        return found

    def _has_other_parent(self) -> Numbers:
        """Compare the images that images belong to, whatever they are called."""
        parents = [
            self._parent_keys(side)[places]
            for side, places in enumerate((self._items.before, self._items.after))
        ]
        found: Numbers = parents[BEFORE] != parents[AFTER]
        return found

    def _parent_keys(self, side: int) -> Numbers:
        import numpy as np

        index, part = self._indexes[side], self._parts[side]
        # No parent is also equal to one that is not there, as the official format has it.
        places = places_in(index.ids, index.parents)
        return np.append(part.keys, NO_ID)[places]


def _places(mask: Numbers) -> frozenset[int]:
    return frozenset(mask.nonzero()[0].tolist())
