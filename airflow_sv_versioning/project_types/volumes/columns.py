"""Which columns of volumes are compared, and why the others are not."""

from __future__ import annotations

from airflow_sv_versioning.project_types.compared_columns import (
    DATASETS,
    FILE,
    FRAMES,
    ID,
    NEW_DATASETS,
    NEW_FIGURES,
    NEW_OBJECTS,
    NEW_TAGS,
    OBJECT,
    PATH,
    STORAGE,
    TAGS,
    TIMES,
    ComparedColumns,
    Unsettable,
)

COMPARED = ComparedColumns(
    "volumes",
    stands_for={
        "datasets": DATASETS,
        "volumes": {"src_dataset_id": PATH, "name": PATH},
        "objects": {"src_volume_id": PATH},
        "figures": {"src_volume_id": PATH, "src_object_id": OBJECT},
        "tags": TAGS,
    },
    given_anew={
        "datasets": NEW_DATASETS,
        "volumes": {
            "src_volume_id": ID,
            "mime": FILE,
            "ext": FILE,
            "size": FILE,
            "file_meta": FILE,
            "path_original": STORAGE,
            "full_storage_url": STORAGE,
            "processing_path": STORAGE,
            **TIMES,
        },
        "objects": NEW_OBJECTS,
        "figures": {"key": ID, **NEW_FIGURES},
        "tags": NEW_TAGS,
    },
    unsettable=(
        Unsettable("volumes", ("link",), "volumes", "no call adds a volume by its link"),
        FRAMES,
    ),
    file_facts=("meta",),
    places=("plane_name", "slice_index"),
)
