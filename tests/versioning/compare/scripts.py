"""Scripts of edits: what they do to a project, and which changes a comparison has to tell of.

The truth comes from the edits alone. An edit claims what it touches, so that no other one makes its truth
another; what no edit decides by itself, such as which items are in another dataset in the end, is settled
after the last one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.versioning.compare.making import Maker
from tests.versioning.compare.states import NOBODY, Ids, Line, Row, State

DATASET = "src_dataset_id"
PARENT = "parent_src_dataset_id"
FIGURE = "src_figure_id"
OBJECT = "src_object_id"
_CONTENT = ("figures.", "objects.", "tags.", "items.changed")


Key = tuple[str, int]
"""What of a thing, and its id."""


@dataclass(frozen=True)
class Ground:
    """What ids are worth in a comparison.

    :param same_project: those of datasets, items, classes and tags mean the same on both sides.
    :param keeps_figures: those of figures and objects do so, too.
    """

    same_project: bool = True
    keeps_figures: bool = True


@dataclass
class Script:
    """Edits of a project, and what they make.

    :param lines: the changes to be told of.
    :param definitions: what is to be told of the project itself: part, name, what became of it.
    :param alone: what comes and goes with items, and has no line of its own, by kind.
    :param again: ids of the items that were uploaded again -> their new ids; the same of figures, objects.
    """

    before: State
    after: State
    maker: Maker
    ground: Ground
    lines: Counter[Line] = field(default_factory=Counter)
    definitions: set[tuple[str, str, str]] = field(default_factory=set)
    alone: Counter[str] = field(default_factory=Counter)
    again: dict[int, int] = field(default_factory=dict)
    changed_datasets: set[int] = field(default_factory=set)
    done: list[str] = field(default_factory=list)
    _claimed: set[Key] = field(default_factory=set)
    _pinned: set[Key] = field(default_factory=set)

    @property
    def random(self) -> Random:
        """Where all choices come from."""
        return self.maker.random

    @property
    def id_column(self) -> str:
        """The column with the id of an item."""
        return self.after.id_column

    # --- who touches what

    def claim(self, *keys: Key) -> bool:
        """Take things for one edit; false, and nothing taken, if another one has any of them."""
        if not self.is_free(*keys):
            return False
        self._claimed.update(map(self._known_as, keys))
        return True

    def pin(self, *keys: Key) -> bool:
        """Rely on things that any number of edits may rely on, but none may claim."""
        if not self.can_pin(*keys):
            return False
        self._pinned.update(map(self._known_as, keys))
        return True

    def can_pin(self, *keys: Key) -> bool:
        """Say whether nobody claimed any of them."""
        return not {self._known_as(key) for key in keys} & self._claimed

    def is_free(self, *keys: Key) -> bool:
        """Say whether nobody claimed or pinned any of them."""
        return not {self._known_as(key) for key in keys} & (self._claimed | self._pinned)

    def _known_as(self, key: Key) -> Key:
        """Name a thing by the id that it had first."""
        return key[0], self.old(key[1])

    # --- what is there

    def olds(self) -> list[Row]:
        """Tell the items that were there before and still are, as they are now."""
        known = {row[self.id_column] for row in self.before.items}
        return [row for row in self.after.items if self.old(row[self.id_column]) in known]

    def old(self, number: int) -> int:
        """Tell the id before of what may have been uploaded again."""
        return next((old for old, new in self.again.items() if new == number), number)

    def ids(self, number: int) -> Ids:
        """Tell both ids of something, of which the one after is given."""
        return self.old(number), number

    def holds(self, item_id: int) -> bool:
        """Say whether figures and objects of an item are known by their ids."""
        return self.ground.same_project and self.ground.keeps_figures and item_id not in self.again.values()

    def rows(self, table: str, item_id: int) -> list[Row]:
        """Tell the rows that hang on an item now."""
        column = "src_item_id" if table == "tags" else self.id_column
        return [row for row in self.after.tables[table] if row[column] == item_id]

    def tags_of(self, owner_type: str, owner: int) -> list[Row]:
        """Tell the tags on something."""
        return [
            row
            for row in self.after.tables["tags"]
            if row["owner_type"] == owner_type and row["owner_id"] == owner
        ]

    def is_lonely(self, item: Row) -> bool:
        """Say whether no other item, now or before, is of the same content."""
        content = item["hash"] or item["link"]
        number = self.old(item[self.id_column])
        return not any(
            (row["hash"] or row["link"]) == content and self.old(row[self.id_column]) != number
            for state in (self.before, self.after)
            for row in state.items
        )

    def had_parent(self, item_id: int) -> bool:
        """Say whether an image belonged to another one before."""
        old = self.old(item_id)
        return any(row[self.id_column] == old and row["parent_src_image_id"] for row in self.before.items)

    def path(self, state: State, dataset_id: int) -> str:
        """Tell the path of a dataset."""
        rows = {row[DATASET]: row for row in state.tables["datasets"]}
        row = rows[dataset_id]
        above = row[PARENT]
        return row["name"] if above is None else f"{self.path(state, above)}/{row['name']}"

    def above(self, dataset_id: int) -> list[int]:
        """Tell a dataset and all above it."""
        rows = {row[DATASET]: row for row in self.after.tables["datasets"]}
        found = []
        number: int | None = dataset_id
        while number is not None:
            found.append(number)
            number = rows[number][PARENT]
        return found

    def below(self, dataset_id: int) -> list[int]:
        """Tell a dataset and all below it."""
        found = [dataset_id]
        for row in self.after.tables["datasets"]:
            if row[PARENT] == dataset_id:
                found += self.below(row[DATASET])
        return found

    # --- what is told

    def tell(
        self, kind: str, item_id: int, thing: Ids = NOBODY, tag: str | None = None, member: str | None = None
    ) -> None:
        """Note a change of an item that both sides have."""
        self.lines[Line(kind, self.ids(item_id), thing, tag, member)] += 1

    def drop(self, table: str, row: Row) -> None:
        """Take a row away."""
        rows = self.after.tables[table]
        rows[:] = [other for other in rows if other is not row]

    def remove_figure(self, item_id: int, figure: Row, *, told: bool = True) -> None:
        """Take a figure away, with its tags."""
        number = figure[FIGURE]
        for tag in [] if self.maker.has_objects else self.tags_of("figure", number):
            self.drop("tags", tag)
            if told:
                self.tell("tags.removed", item_id, (self.old(number), None), tag["name"])
        masks = self.after.tables["alpha_geometries"]
        masks[:] = [row for row in masks if row[FIGURE] != number]
        self.after.masks.pop(number, None)
        self.drop("figures", figure)
        if told:
            self.tell("figures.removed", item_id, (self.old(number), None))

    def put_figure(self, figure: Row, place: int | None = None) -> None:
        """Put a figure where it belongs: those of one item stand together, by frame."""
        rows = self.after.tables["figures"]
        rows.insert(len(rows) if place is None else place, figure)

    def is_parted(self, item_id: int, figure: Row) -> None:
        """Note that a figure is taken for another one now, and its tags with it."""
        number = figure[FIGURE]
        self.tell("figures.removed", item_id, (self.old(number), None))
        self.tell("figures.added", item_id, (None, number))
        for tag in [] if self.maker.has_objects else self.tags_of("figure", number):
            self.tell("tags.removed", item_id, (self.old(number), None), tag["name"])
            self.tell("tags.added", item_id, (None, number), tag["name"])

    def count_alone(self, word: str, item_id: int) -> None:
        """Count what comes or goes with an item."""
        for table in ("figures", "objects", "tags"):
            self.alone[f"{table}.{word}"] += len(self.rows(table, item_id))

    # --- what is settled in the end

    def settle(self) -> None:
        """Tell of items that are in other datasets, and of all by the ids that they have in the end."""
        self.lines = Counter(
            {
                line._replace(item=self._in_the_end(line.item), thing=self._in_the_end(line.thing)): count
                for line, count in self.lines.items()
            }
        )
        pairs = self._dataset_pairs()
        before = {row[self.id_column]: row[DATASET] for row in self.before.items}
        for row in self.olds():
            old_dataset = before[self.old(row[self.id_column])]
            if pairs.get(old_dataset) != row[DATASET]:
                self.tell("items.moved", row[self.id_column])

    def _in_the_end(self, ids: Ids) -> Ids:
        before, after = ids
        return before, None if after is None else self.again.get(after, after)

    def _dataset_pairs(self) -> Mapping[int, int]:
        """Pair datasets by their ids, or by paths where these mean nothing."""
        sides = [
            {self._dataset_key(state, row[DATASET]): row[DATASET] for row in state.tables["datasets"]}
            for state in (self.before, self.after)
        ]
        return {number: sides[1][key] for key, number in sides[0].items() if key in sides[1]}

    def _dataset_key(self, state: State, number: int) -> Hashable:
        return self.old(number) if self.ground.same_project else self.path(state, number)

    def counts(self) -> dict[str, int]:
        """Tell all counts that are not 0, by kind."""
        found = Counter(self.alone)
        for line, count in self.lines.items():
            if line.kind != "items.changed":
                found[line.kind] += count
        found["items.changed"] = len({line.item for line in self.lines if line.kind.startswith(_CONTENT)})
        pairs = self._dataset_pairs()
        rows = [
            {row[DATASET]: row for row in state.tables["datasets"]} for state in (self.before, self.after)
        ]
        found["datasets.removed"] = len(rows[0]) - len(pairs)
        found["datasets.added"] = len(rows[1]) - len(pairs)
        found["datasets.renamed"] = sum(
            rows[0][one]["name"] != rows[1][other]["name"]
            or pairs.get(rows[0][one][PARENT]) != rows[1][other][PARENT]
            for one, other in pairs.items()
        )
        found["datasets.changed"] = len(self.changed_datasets & pairs.keys())
        return {kind: count for kind, count in found.items() if count}


Edit = Callable[[Script], bool]
EDITS: dict[str, Edit] = {}
"""What an edit is called -> the edit, which says whether there was something to edit."""


def edit(name: str, *types: str) -> Callable[[Edit], Edit]:
    """Enter an edit.

    :param types: of the projects that it can be done to; all by default.
    """

    def enter(function: Edit) -> Edit:
        EDITS[name] = function
        ONLY_OF[name] = types
        return function

    return enter


ONLY_OF: dict[str, tuple[str, ...]] = {}


def edits_of(project_type: str) -> list[str]:
    """Name the edits that can be done to projects of a type."""
    return [name for name in EDITS if not ONLY_OF[name] or project_type in ONLY_OF[name]]


def run_edits(script: Script, names: Iterable[str]) -> None:
    """Do edits, as far as there is something to edit."""
    for name in names:
        if EDITS[name](script):
            script.done.append(name)
    script.settle()


def chosen(script: Script, rows: list[Any]) -> list[Any]:
    """Put rows into any order."""
    return script.random.sample(rows, len(rows))
