"""Projects: their description, meta, settings."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from airflow_sv_versioning.client.models import Project
from airflow_sv_versioning.client.transport import Transport


class Projects:
    """Read, make and change projects."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, project_id: int) -> Project:
        """Read a project.

        :raises NotFoundError: it does not exist or is not visible to the token's user.

        Source: POST projects.info.
        """
        return Project.from_json(self._transport.call("projects.info", {"id": project_id}))

    def list_ids_by_name(self, workspace_id: int, name: str) -> list[int]:
        """List the projects of this name in a workspace. Source: POST projects.list."""
        by_name = [{"field": "name", "operator": "=", "value": name}]
        body = {"workspaceId": workspace_id, "filter": by_name, "fields": ["id", "name"]}
        return [entry["id"] for entry in self._transport.pages("projects.list", body)]

    def list_ids(self, workspace_id: int, types: Collection[str]) -> list[int]:
        """List the projects of these types in a workspace, by id. Source: POST projects.list."""
        body = {"workspaceId": workspace_id, "fields": ["id", "type"], "sort": "id", "sort_order": "asc"}
        return [
            entry["id"] for entry in self._transport.pages("projects.list", body) if entry["type"] in types
        ]

    def add(
        self,
        workspace_id: int,
        name: str,
        project_type: str = "images",
        description: str = "",
        readme: str | None = None,
        custom_data: dict[str, Any] | None = None,
    ) -> Project:
        """Make an empty project.

        :raises ConflictError: the workspace has a project of this name.

        Source: POST projects.add.
        """
        body = {
            "workspaceId": workspace_id,
            "name": name,
            "type": project_type,
            "description": description,
            "customData": custom_data or {},
        }
        if readme:
            body["readme"] = readme
        return Project.from_json(self._transport.call("projects.add", body, idempotent=False))

    def get_meta(self, project_id: int) -> dict[str, Any]:
        """Read classes and tags as the platform's meta JSON. Source: POST projects.meta."""
        meta: dict[str, Any] = self._transport.call("projects.meta", {"id": project_id})
        return meta

    def update_meta(self, project_id: int, meta: dict[str, Any]) -> dict[str, Any]:
        """Replace classes and tags; returns them with the ids the server gave.

        The order of the answer means nothing; join by name. Source: POST projects.meta.update.
        """
        answer: dict[str, Any] = self._transport.call(
            "projects.meta.update", {"id": project_id, "meta": meta}
        )
        return answer

    def update_settings(self, project_id: int, settings: dict[str, Any]) -> None:
        """Set the given top-level settings, leaving others. Source: POST projects.settings.update."""
        self._transport.call("projects.settings.update", {"id": project_id, "settings": settings})

    def edit(self, project_id: int, *, silent: bool = False, **fields: Any) -> None:
        """Change ``name``, ``description``, ``readme`` or ``customData``.

        :param silent: leave the project's ``updatedAt`` alone.

        Source: POST projects.editInfo.
        """
        self._transport.call("projects.editInfo", {"id": project_id, "silent": silent, **fields})

    def archive(self, project_id: int) -> None:
        """Move a project to the trash. Source: POST projects.archive."""
        self._transport.call("projects.archive", {"id": project_id})

    def clone(self, project_id: int, workspace_id: int, name: str) -> int:
        """Start copying a project in the background; returns the task's id. Source: POST projects.clone."""
        body = {"id": project_id, "workspaceId": workspace_id, "name": name}
        return int(self._transport.call("projects.clone", body, idempotent=False)["taskId"])
