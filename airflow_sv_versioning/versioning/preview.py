"""Previews: a version as a hidden, read-only project that people can look at."""

from __future__ import annotations

from collections.abc import Callable

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.exceptions import NotFoundError, UnsupportedProjectError
from airflow_sv_versioning.project_types import PROJECT_TYPES
from airflow_sv_versioning.restore.project import Target, with_end
from airflow_sv_versioning.versioning.results import RestoreResult

# Source: the names by which the platform's own client finds previews again.
WORKSPACE_NAME = "[Do Not Modify] Instant Versions Storage"
PREVIEW_KEY = "sly_version_preview"
PREVIEWED_TYPES = tuple(name for name, type_ in PROJECT_TYPES.items() if type_.has_previews)


def make_preview(
    client: SuperviselyClient,
    project: Project,
    version: VersionInfo,
    restore: Callable[[Target], RestoreResult],
    *,
    overwrite: bool,
) -> Project:
    """Return the preview of a version, made now if there is none.

    :param overwrite: make a new one in any case; the old one is removed.
    """
    if project.type not in PREVIEWED_TYPES:
        raise UnsupportedProjectError(
            f"Project {project.id} is of type {project.type!r}; "
            f"previews exist for {' and '.join(PREVIEWED_TYPES)}.",
            project_id=project.id,
        )
    earlier_preview = _find_preview(client, version)
    if earlier_preview and not overwrite:
        return earlier_preview
    restored = restore(
        Target(
            workspace_id=_workspace_id(client, project.team_id),
            team_id=project.team_id,
            name=with_end(project.name, f", preview for ver. {version.version_num}"),
            description=f"Preview for version {version.version_num}. "
            f"Source project ID: {project.id}, version ID: {version.version_id}",
            restored_from={"project_id": project.id, "version_num": version.version_num},
        )
    )
    try:
        _publish(client, project, version, restored.project_id)
    except BaseException:
        with client.finishing():
            client.projects.archive(restored.project_id)
        raise
    if earlier_preview:
        client.projects.archive(earlier_preview.id)
    return client.projects.get(restored.project_id)


def _publish(client: SuperviselyClient, project: Project, version: VersionInfo, preview_id: int) -> None:
    preview = client.projects.get(preview_id)
    custom_data = {
        "version_id": version.version_id,
        "source_project_id": project.id,
        "preview_created_at": preview.updated_at,
    }
    client.projects.edit(
        preview_id, customData={**preview.custom_data, PREVIEW_KEY: custom_data}, silent=True
    )
    advanced = {**(preview.settings.get("advancedSettings") or {}), "isReadOnlyProject": True}
    client.projects.update_settings(preview_id, {"advancedSettings": advanced})
    client.versions.update(version.version_id, previewProjectId=preview_id)


def _find_preview(client: SuperviselyClient, version: VersionInfo) -> Project | None:
    if version.preview_project_id is None:
        return None
    try:
        return client.projects.get(version.preview_project_id)
    except NotFoundError:
        return None


def _workspace_id(client: SuperviselyClient, team_id: int) -> int:
    for workspace in client.accounts.list_workspaces(team_id, WORKSPACE_NAME):
        if workspace.name == WORKSPACE_NAME:
            return workspace.id
    return client.accounts.add_workspace(team_id, WORKSPACE_NAME, hidden=True).id
