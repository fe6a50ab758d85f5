"""The classes that genuine payloads name, and what they hold.

Source: observed with SDK 6.74.51 and over its releases; fields are only ever appended.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class RecordType:
    """A named tuple: rebuilt from its values in order; shorter ones are older."""

    module: str
    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ObjectType:
    """An ordinary class: rebuilt from a dict of attributes."""

    module: str
    name: str


@dataclass(frozen=True, eq=False)
class GeometryType:
    """A class that payloads refer to and never make instances of."""

    module: str
    name: str
    shape: str


Named = RecordType | ObjectType | GeometryType

PROJECT = RecordType(
    "supervisely.api.project_api",
    "ProjectInfo",
    (
        *("id", "name", "description", "size", "readme", "workspace_id", "images_count", "items_count"),
        *("datasets_count", "created_at", "updated_at", "type", "reference_image_url", "custom_data"),
        *("backup_archive", "team_id", "settings", "import_settings", "version", "created_by_id"),
        *("embeddings_enabled", "embeddings_updated_at", "embeddings_in_progress"),
        *("local_entities_count", "remote_entities_count"),
    ),
)
DATASET = RecordType(
    "supervisely.api.dataset_api",
    "DatasetInfo",
    (
        *("id", "name", "description", "size", "project_id", "images_count", "items_count", "created_at"),
        *("updated_at", "reference_image_url", "team_id", "workspace_id", "parent_id", "custom_data"),
        "created_by",
    ),
)
IMAGE = RecordType(
    "supervisely.api.image_api",
    "ImageInfo",
    (
        *("id", "name", "link", "hash", "mime", "ext", "size", "width", "height", "labels_count"),
        *("dataset_id", "created_at", "updated_at", "meta", "path_original", "full_storage_url", "tags"),
        *("created_by", "related_data_id", "download_id", "offset_start", "offset_end", "ai_search_meta"),
        *("embeddings_updated_at", "project_id", "description", "parent_id"),
    ),
)
FIGURE = RecordType(
    "supervisely.api.entity_annotation.figure_api",
    "FigureInfo",
    (
        *("id", "class_id", "updated_at", "created_at", "entity_id", "object_id", "project_id"),
        *("dataset_id", "frame_index", "geometry_type", "geometry", "geometry_meta", "tags", "meta"),
        *("area", "priority", "custom_data"),
    ),
)
RECORDS = (PROJECT, DATASET, IMAGE, FIGURE)

PROJECT_META = ObjectType("supervisely.project.project_meta", "ProjectMeta")
PROJECT_SETTINGS = ObjectType("supervisely.project.project_settings", "ProjectSettings")
CLASS_COLLECTION = ObjectType("supervisely.annotation.obj_class_collection", "ObjClassCollection")
CLASS = ObjectType("supervisely.annotation.obj_class", "ObjClass")
TAG_COLLECTION = ObjectType("supervisely.annotation.tag_meta_collection", "TagMetaCollection")
TAG = ObjectType("supervisely.annotation.tag_meta", "TagMeta")
OBJECTS = (PROJECT_META, PROJECT_SETTINGS, CLASS_COLLECTION, CLASS, TAG_COLLECTION, TAG)

GEOMETRIES = tuple(
    GeometryType(f"supervisely.geometry.{module}", name, shape)
    for module, name, shape in (
        ("bitmap", "Bitmap", "bitmap"),
        ("mask_3d", "Mask3D", "mask_3d"),
        ("cuboid", "Cuboid", "cuboid"),
        ("point", "Point", "point"),
        ("polygon", "Polygon", "polygon"),
        ("multipolygon", "Multipolygon", "multipolygon"),
        ("polyline", "Polyline", "line"),
        ("rectangle", "Rectangle", "rectangle"),
        ("graph", "GraphNodes", "graph"),
        ("any_geometry", "AnyGeometry", "any"),
        ("cuboid_3d", "Cuboid3d", "cuboid_3d"),
        ("pointcloud", "Pointcloud", "point_cloud"),
        ("point_3d", "Point3d", "point_3d"),
        ("multichannel_bitmap", "MultichannelBitmap", "multichannelBitmap"),
        ("closed_surface_mesh", "ClosedSurfaceMesh", "closed_surface_mesh"),
        ("alpha_mask", "AlphaMask", "alpha_mask"),
        ("cuboid_2d", "Cuboid2d", "cuboid_2d"),
        ("polyline_3d", "Polyline3D", "polyline_3d"),
        ("oriented_bbox", "OrientedBBox", "oriented_bbox"),
        ("mesh", "Mesh", "mesh"),
    )
)
BY_SHAPE = {geometry.shape: geometry for geometry in GEOMETRIES}
ANY_SHAPE = "any"

_EVERY: tuple[Named, ...] = (*RECORDS, *OBJECTS, *GEOMETRIES)
ALL = {(named.module, named.name): named for named in _EVERY}
