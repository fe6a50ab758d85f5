"""Which columns of a snapshot are compared, and why the others are not: what all types have in common.

A column that its type names in no list is restored and compared. ``stands_for`` names what is compared as a
path, a number or a name, ``given_anew`` what every copy has its own of, and ``unsettable`` what people may
have made and no call is known to set: of that a restore warns where a version holds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import and_

from airflow_sv_versioning.snapshot.schemas import column_names
from airflow_sv_versioning.snapshot.tables import Snapshot

PATH = "the path of the dataset or item"
OBJECT = "the number of the object among those of its item"

DATASETS = {"parent_src_dataset_id": PATH, "name": PATH}
TAG = "the name of the tag"
TAGS = {"owner_id": OBJECT, "src_item_id": PATH, "tag_id": TAG}

ID = "whatever is made gets a new id"
TIME = "the moment of making or changing: a copy has its own"
WHO = "the platform writes down who sends it; a copy is of who restores"
FILE = "the platform reads it from the file, which is compared by its hash or link"
STORAGE = "where the platform keeps the file"

TIMES = {"created_at": TIME, "updated_at": TIME}
NEW_DATASETS = {"src_dataset_id": ID, "full_path": "made of the names"}
NEW_OBJECTS = {"src_object_id": ID, "key": ID, "labeler_login": WHO, **TIMES}
NEW_FIGURES = {"src_figure_id": ID, "labeler_login": WHO, **TIMES}
NEW_TAGS = {"tag_assignment_id": ID, "labeler_login": WHO, **TIMES}


@dataclass(frozen=True)
class Unsettable:
    """What a version may hold, and no call is known to set.

    :param columns: what is lost; they hold something together or not at all.
    :param rows: what the rows are, in words.
    :param reason: why it cannot be set.
    :param beside: columns that must hold something, too; where they do not, all is brought back.
    """

    table: str
    columns: tuple[str, ...]
    rows: str
    reason: str
    beside: tuple[str, ...] = ()

    def count(self, snapshot: Snapshot) -> int:
        """Count the rows that lose it."""
        import pyarrow.compute as pc

        first, *others = (~pc.field(name).is_null() for name in (*self.columns, *self.beside))
        lost = reduce(and_, others, first)
        return sum(batch.num_rows for batch in snapshot.iter_batches(self.table, self.columns, lost))

    def warning(self, number: int) -> str:
        """Tell of so many rows that lose it."""
        return f"{' and '.join(self.columns)} of {number} {self.rows} cannot be restored: {self.reason}."


FRAMES = Unsettable("tags", ("frame_from", "frame_to"), "tags", "only tags of videos stand on frames")


@dataclass(frozen=True)
class ComparedColumns:
    """What a comparison of projects of one type looks at.

    :param stands_for: table -> column -> what is compared in its place.
    :param given_anew: table -> column -> why no copy can have that of its source.
    :param unsettable: what a restore cannot bring back, and names in its warnings.
    :param file_facts: columns of items that the platform also finds out by itself: where one of two projects
        does not tell them, as it did not look into a file yet, there is nothing to compare.
    :param places: columns of figures that say where in its item one lies: those of one place have an order.
    """

    project_type: str
    stands_for: Mapping[str, Mapping[str, str]]
    given_anew: Mapping[str, Mapping[str, str]]
    unsettable: tuple[Unsettable, ...]
    file_facts: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @cached_property
    def of_items(self) -> list[str]:
        """Name the columns of items that are compared one by one: not those that say what the item is."""
        return [name for name in self.of(self.project_type) if name not in {"hash", "link", *self.file_facts}]

    @cached_property
    def of_figures(self) -> list[str]:
        """Name the attributes of figures: neither their class nor where they lie and how they are shaped."""
        not_these = {"class_name", "geometry_type", "geometry_json", *self.places}
        return [name for name in self.of("figures") if name not in not_these]

    @cached_property
    def of_tags(self) -> list[str]:
        """Name what tags say."""
        return [name for name in self.of("tags") if name not in {"owner_type", "name"}]

    def of(self, table: str) -> list[str]:
        """Name the columns of a table that a comparison looks at: all that are on no list."""
        never = {
            column
            for entry in self.unsettable
            if entry.table == table and not entry.beside
            for column in entry.columns
        }
        never |= self.given_anew[table].keys() | self.stands_for[table].keys()
        return [name for name in column_names(self.project_type, table) if name not in never]

    def warnings(self, snapshot: Snapshot) -> Iterator[str]:
        """Tell what of a version no call can set, as far as it holds such a thing."""
        for entry in self.unsettable:
            if number := entry.count(snapshot):
                yield entry.warning(number)


DEFAULTS: dict[str, int | bool] = {
    "priority": 1,
    "nn_created": False,
    "nn_updated": False,
    "is_finished": True,
    "non_final_value": False,
}
"""Column -> what the platform takes where nothing is said, and says afterwards."""

MEMBER_DEFAULTS: dict[str, dict[str, str]] = {
    "classes": {"shape": "any"},
    "tags": {"value_type": "none", "applicable_type": "all", "target_type": "all"},
    "settings": {"labelingInterface": "default"},
}
"""Part of a project -> member -> what the platform takes where nothing is said: others are empty or off."""

CHOSEN_BY_PLATFORM = ("color",)
"""Members of classes and tags that the platform chooses where nothing is said: compared where both tell."""

CHOSEN_BY_SERVER = ("labelingInterface", "groupImages", "groupImagesByTagId", "groupImagesSync")
"""Settings that a server makes fit each other, or that a plan does not include. Source: the vendor's commit
texts on its ``UpdateProjectSettings.js``, "grouping auto-correction logic", and error texts."""

REPEATED_IN_META = {"frame_index": "frame"}
"""Column of figures -> member of their ``meta`` that tells the same, and that some writers leave out."""
