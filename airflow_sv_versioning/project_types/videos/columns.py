"""Which columns of videos are compared, and why the others are not."""

from __future__ import annotations

from airflow_sv_versioning.project_types.compared_columns import (
    DATASETS,
    FILE,
    ID,
    NEW_DATASETS,
    NEW_FIGURES,
    NEW_OBJECTS,
    NEW_TAGS,
    OBJECT,
    PATH,
    TAGS,
    TIMES,
    ComparedColumns,
    Unsettable,
)

COMPARED = ComparedColumns(
    "videos",
    stands_for={
        "datasets": DATASETS,
        "videos": {"src_dataset_id": PATH, "name": PATH},
        "objects": {"src_video_id": PATH},
        "figures": {"src_video_id": PATH, "src_object_id": OBJECT},
        "tags": TAGS,
    },
    given_anew={
        "datasets": NEW_DATASETS,
        "videos": {"src_video_id": ID, "size": FILE, **TIMES},
        "objects": NEW_OBJECTS,
        "figures": NEW_FIGURES,
        "tags": NEW_TAGS,
    },
    unsettable=(
        Unsettable(
            "videos",
            ("link",),
            "videos with a hash",
            "a video is added by one of the two, and the hash names the very file that was annotated",
            beside=("hash",),
        ),
    ),
    file_facts=("frames_count", "frame_width", "frame_height", "frames_to_timecodes"),
    places=("frame_index",),
)
