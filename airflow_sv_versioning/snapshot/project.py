"""The project itself as a snapshot holds it: description, meta, settings, dataset tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_sv_versioning.client.models import Dataset, Project
from airflow_sv_versioning.snapshot.tables import json_text

# Source: the fields of ProjectInfo in SDK 6.74.51, snake_case name -> key on the wire.
_PROJECT_FIELDS = {
    "id": "id",
    "name": "name",
    "description": "description",
    "size": "size",
    "readme": "readme",
    "workspace_id": "workspaceId",
    "images_count": "imagesCount",
    "items_count": "itemsCount",
    "datasets_count": "datasetsCount",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "type": "type",
    "reference_image_url": "referenceImageUrl",
    "custom_data": "customData",
    "backup_archive": "backupArchive",
    "team_id": "teamId",
    "settings": "settings",
    "import_settings": "importSettings",
    "version": "version",
    "created_by_id": "createdBy",
    "embeddings_enabled": "embeddingsEnabled",
    "embeddings_updated_at": "embeddingsUpdatedAt",
    "embeddings_in_progress": "embeddingsInProgress",
    "local_entities_count": "localEntitiesCount",
    "remote_entities_count": "remoteEntitiesCount",
}


def project_info(project: Project) -> dict[str, Any]:
    """Describe a project with the SDK's field names."""
    info = {name: project.raw.get(key) for name, key in _PROJECT_FIELDS.items()}
    # The official restore updates this object; null makes a version that it cannot restore.
    info["custom_data"] = project.custom_data
    return info


def project_meta(meta: Mapping[str, Any], project: Project) -> dict[str, Any]:
    """Complete classes and tags with the project's settings, as the official archives hold them."""
    settings = project.settings
    tag_id = settings.get("groupImagesByTagId")
    names = {tag["id"]: tag["name"] for tag in meta.get("tags") or []}
    project_settings: dict[str, Any] = {
        "multiView": {
            "enabled": bool(settings.get("groupImages")),
            "tagName": names.get(tag_id),
            "tagId": tag_id if tag_id in names else None,
            "isSynced": bool(settings.get("groupImagesSync")),
        }
    }
    if settings.get("labelingInterface"):
        project_settings["labelingInterface"] = settings["labelingInterface"]
    return {
        "classes": list(meta.get("classes") or []),
        "tags": list(meta.get("tags") or []),
        "projectType": meta.get("projectType") or project.type,
        "projectSettings": project_settings,
    }


def in_tree_order(datasets: Sequence[Dataset]) -> Iterator[tuple[Dataset, str]]:
    """Yield datasets with their full path, parents before children, whatever their ids.

    A dataset whose parent is not among them comes as a root: losing it would lose its images.
    """
    known = {dataset.id for dataset in datasets}
    children: dict[int | None, list[Dataset]] = {}
    for dataset in datasets:
        parent = dataset.parent_id if dataset.parent_id in known else None
        children.setdefault(parent, []).append(dataset)
    stack = [(dataset, dataset.name) for dataset in reversed(children.get(None, []))]
    while stack:
        dataset, path = stack.pop()
        yield dataset, path
        stack += [(child, f"{path}/{child.name}") for child in reversed(children.get(dataset.id, []))]


def dataset_row(dataset: Dataset, full_path: str) -> dict[str, Any]:
    """Make the row of a dataset."""
    return {
        "src_dataset_id": dataset.id,
        "parent_src_dataset_id": dataset.parent_id,
        "name": dataset.name,
        "full_path": full_path,
        "description": dataset.description,
        "custom_data": json_text(dataset.custom_data),
    }
