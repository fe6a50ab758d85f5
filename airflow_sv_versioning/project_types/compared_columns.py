"""Which columns of a snapshot are compared, and why the others are not: the one list of exceptions.

A column that is named nowhere here is restored and compared. :data:`STANDS_FOR` names what is compared as
a path, a number or a name, :data:`GIVEN_ANEW` what every copy has its own of, and :data:`UNSETTABLE` what
people may have made and no call is known to set: of that a restore warns where a version holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_

from airflow_sv_versioning.snapshot.schemas import column_names
from airflow_sv_versioning.snapshot.tables import Snapshot

_PATH = "the path of the dataset or item"
_OBJECT = "the number of the object among those of its item"

_DATASETS = {"parent_src_dataset_id": _PATH, "name": _PATH}
_TAG = "the name of the tag"
_TAGS = {"owner_id": _OBJECT, "src_item_id": _PATH, "tag_id": _TAG}

STANDS_FOR: dict[str, dict[str, dict[str, str]]] = {
    "images": {
        "datasets": _DATASETS,
        "images": {"src_dataset_id": _PATH, "name": _PATH, "parent_src_image_id": "the path of the parent"},
        "figures": {"src_image_id": _PATH, "class_id": "the name of the class"},
        "alpha_geometries": {"src_figure_id": "the figure, as whose geometry it is compared"},
        "tags": {"owner_id": "the path of the image, or the figure", "src_item_id": _PATH, "tag_id": _TAG},
    },
    "videos": {
        "datasets": _DATASETS,
        "videos": {"src_dataset_id": _PATH, "name": _PATH},
        "objects": {"src_video_id": _PATH},
        "figures": {"src_video_id": _PATH, "src_object_id": _OBJECT},
        "tags": _TAGS,
    },
    "volumes": {
        "datasets": _DATASETS,
        "volumes": {"src_dataset_id": _PATH, "name": _PATH},
        "objects": {"src_volume_id": _PATH},
        "figures": {"src_volume_id": _PATH, "src_object_id": _OBJECT},
        "tags": _TAGS,
    },
}
"""Type -> table -> column -> what is compared in its place."""

_ID = "whatever is made gets a new id"
_TIME = "the moment of making or changing: a copy has its own"
_WHO = "the platform writes down who sends it; a copy is of who restores"
_FILE = "the platform reads it from the file, which is compared by its hash or link"
_STORAGE = "where the platform keeps the file"

_TIMES = {"created_at": _TIME, "updated_at": _TIME}
_NEW_DATASETS = {"src_dataset_id": _ID, "full_path": "made of the names"}
_NEW_OBJECTS = {"src_object_id": _ID, "key": _ID, "labeler_login": _WHO, **_TIMES}
_NEW_FIGURES = {"src_figure_id": _ID, "labeler_login": _WHO, **_TIMES}
_NEW_TAGS = {"tag_assignment_id": _ID, "labeler_login": _WHO, **_TIMES}

GIVEN_ANEW: dict[str, dict[str, dict[str, str]]] = {
    "images": {
        "datasets": _NEW_DATASETS,
        "images": {
            "src_image_id": _ID,
            "mime": _FILE,
            "ext": _FILE,
            "size": _FILE,
            "width": _FILE,
            "height": _FILE,
            "created_by_id": _WHO,
            "related_data_id": _STORAGE,
            "download_id": _STORAGE,
            "offset_start": _STORAGE,
            "offset_end": _STORAGE,
            **_TIMES,
        },
        "figures": {
            "src_figure_id": _ID,
            "src_dataset_id": "the dataset of its image",
            "geometry_meta_json": "the platform measures the geometry",
            **_TIMES,
        },
        "alpha_geometries": {},
        "tags": _NEW_TAGS,
    },
    "videos": {
        "datasets": _NEW_DATASETS,
        "videos": {"src_video_id": _ID, "size": _FILE, **_TIMES},
        "objects": _NEW_OBJECTS,
        "figures": _NEW_FIGURES,
        "tags": _NEW_TAGS,
    },
    "volumes": {
        "datasets": _NEW_DATASETS,
        "volumes": {
            "src_volume_id": _ID,
            "mime": _FILE,
            "ext": _FILE,
            "size": _FILE,
            "file_meta": _FILE,
            "path_original": _STORAGE,
            "full_storage_url": _STORAGE,
            "processing_path": _STORAGE,
            **_TIMES,
        },
        "objects": _NEW_OBJECTS,
        "figures": {"key": _ID, **_NEW_FIGURES},
        "tags": _NEW_TAGS,
    },
}
"""Type -> table -> column -> why no copy can have that of its source."""


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


_FRAMES = Unsettable("tags", ("frame_from", "frame_to"), "tags", "only tags of videos stand on frames")

UNSETTABLE: dict[str, tuple[Unsettable, ...]] = {
    "images": (
        Unsettable("figures", ("object_id",), "figures of images", "no call binds figures to each other"),
        Unsettable("figures", ("instance",), "figures of images", "no call binds figures to each other"),
        _FRAMES,
    ),
    "videos": (
        Unsettable(
            "videos",
            ("link",),
            "videos with a hash",
            "a video is added by one of the two, and the hash names the very file that was annotated",
            beside=("hash",),
        ),
    ),
    "volumes": (
        Unsettable("volumes", ("link",), "volumes", "no call adds a volume by its link"),
        _FRAMES,
    ),
}
"""Type -> what a restore cannot bring back, and names in its warnings."""

DEFAULTS: dict[str, int | bool] = {
    "priority": 1,
    "nn_created": False,
    "nn_updated": False,
    "is_finished": True,
    "non_final_value": False,
}
"""Column -> what the platform takes where nothing is said, and says afterwards."""

FILE_FACTS: dict[str, tuple[str, ...]] = {
    "images": (),
    "videos": ("frames_count", "frame_width", "frame_height", "frames_to_timecodes"),
    "volumes": ("meta",),
}
"""Type -> columns of items that the platform also finds out by itself: where one of two projects does not
tell them, as it did not look into a file yet, there is nothing to compare."""


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


def compared_columns(project_type: str, table: str) -> list[str]:
    """Name the columns of a table that a comparison looks at: all that are on no list."""
    never = {
        column
        for entry in UNSETTABLE[project_type]
        if entry.table == table and not entry.beside
        for column in entry.columns
    }
    never |= GIVEN_ANEW[project_type][table].keys() | STANDS_FOR[project_type][table].keys()
    return [name for name in column_names(project_type, table) if name not in never]


def unsettable_warnings(snapshot: Snapshot) -> Iterator[str]:
    """Tell what of a version no call can set, as far as it holds such a thing."""
    for entry in UNSETTABLE[snapshot.project_type]:
        if number := entry.count(snapshot):
            yield entry.warning(number)
