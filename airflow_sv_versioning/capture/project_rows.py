"""The project itself as a snapshot holds it: description, meta, settings, dataset tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_sv_versioning.client.models import Dataset, Project
from airflow_sv_versioning.snapshot.json_columns import json_text

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
