"""Which columns of images are compared, and why the others are not."""

from __future__ import annotations

from airflow_sv_versioning.project_types.compared_columns import (
    DATASETS,
    FILE,
    FRAMES,
    ID,
    NEW_DATASETS,
    NEW_TAGS,
    PATH,
    STORAGE,
    TAG,
    TIMES,
    WHO,
    ComparedColumns,
    Unsettable,
)

COMPARED = ComparedColumns(
    "images",
    stands_for={
        "datasets": DATASETS,
        "images": {"src_dataset_id": PATH, "name": PATH, "parent_src_image_id": "the path of the parent"},
        "figures": {"src_image_id": PATH, "class_id": "the name of the class"},
        "alpha_geometries": {"src_figure_id": "the figure, as whose geometry it is compared"},
        "tags": {"owner_id": "the path of the image, or the figure", "src_item_id": PATH, "tag_id": TAG},
    },
    given_anew={
        "datasets": NEW_DATASETS,
        "images": {
            "src_image_id": ID,
            "mime": FILE,
            "ext": FILE,
            "size": FILE,
            "width": FILE,
            "height": FILE,
            "created_by_id": WHO,
            "related_data_id": STORAGE,
            "download_id": STORAGE,
            "offset_start": STORAGE,
            "offset_end": STORAGE,
            **TIMES,
        },
        "figures": {
            "src_figure_id": ID,
            "src_dataset_id": "the dataset of its image",
            "geometry_meta_json": "the platform measures the geometry",
            **TIMES,
        },
        "alpha_geometries": {},
        "tags": NEW_TAGS,
    },
    unsettable=(
        Unsettable("figures", ("object_id",), "figures of images", "no call binds figures to each other"),
        Unsettable("figures", ("instance",), "figures of images", "no call binds figures to each other"),
        FRAMES,
    ),
)
