"""Projects: their description, meta, settings."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from airflow_sv_versioning.client.checks import check_once
from airflow_sv_versioning.client.decoding import Id
from airflow_sv_versioning.client.models import ListedProject, Project
from airflow_sv_versioning.client.transport import Transport


class _Named(msgspec.Struct):
    id: Id
    name: str


class _Typed(msgspec.Struct):
    id: Id
    type: str


class _Class(msgspec.Struct):
    id: Id
    title: str
    shape: str


class _Tag(msgspec.Struct):
    id: Id
    name: str
    value_type: str


class _Meta(msgspec.Struct):
    classes: list[_Class]
    tags: list[_Tag]


class _NamedClass(msgspec.Struct):
    id: Id
    title: str


class _NamedTag(msgspec.Struct):
    id: Id
    name: str


class _NamedMeta(msgspec.Struct):
    classes: list[_NamedClass]
    tags: list[_NamedTag]


class _Started(msgspec.Struct, rename="camel"):
    task_id: Id


class Projects:
    """Read, make and change projects."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, project_id: int) -> Project:
        """Read a project.

        :raises NotFoundError: it does not exist or is not visible to the token's user.

        Source: POST projects.info.
        """
        return self._transport.call_record("projects.info", {"id": project_id}, Project)

    def list_ids_by_name(self, workspace_id: int, name: str) -> list[int]:
        """List the projects of this name in a workspace. Source: POST projects.list."""
        by_name = [{"field": "name", "operator": "=", "value": name}]
        body = {"workspaceId": workspace_id, "filter": by_name, "fields": ["id", "name"]}
        # A server that passes over the filter lists all projects, and callers remove what is found.
        projects = self._transport.list_whole("projects.list", body, _Named)
        return [entry.id for entry in projects if entry.name == name]

    def list_all(self, workspace_id: int) -> list[ListedProject]:
        """List the projects of a workspace, by id. Source: POST projects.list."""
        fields = ["id", "name", "type", "customData"]
        body = {"workspaceId": workspace_id, "fields": fields, "sort": "id", "sort_order": "asc"}
        return self._transport.list_records("projects.list", body, ListedProject)

    def list_ids(self, workspace_id: int, types: Collection[str]) -> list[int]:
        """List the projects of these types in a workspace, by id. Source: POST projects.list."""
        body = {"workspaceId": workspace_id, "fields": ["id", "type"], "sort": "id", "sort_order": "asc"}
        return [
            entry.id
            for entry in self._transport.list_whole("projects.list", body, _Typed)
            if entry.type in types
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
        return self._transport.call_record("projects.add", body, Project, idempotent=False)

    def get_meta(self, project_id: int) -> dict[str, Any]:
        """Read classes and tags as the platform's meta JSON. Source: POST projects.meta."""
        meta: dict[str, Any] = self._transport.call("projects.meta", {"id": project_id}, _Meta)
        check_once([entry["id"] for entry in meta["classes"]], "classes")
        check_once([entry["id"] for entry in meta["tags"]], "tags")
        return meta

    def update_meta(self, project_id: int, meta: dict[str, Any]) -> dict[str, Any]:
        """Replace classes and tags; returns them with the ids the server gave.

        The order of the answer means nothing; join by name. Source: POST projects.meta.update.
        """
        answer: dict[str, Any] = self._transport.call(
            "projects.meta.update", {"id": project_id, "meta": meta}, _NamedMeta
        )
        return answer

    def update_settings(self, project_id: int, settings: dict[str, Any]) -> None:
        """Set the given top-level settings, leaving others. Source: POST projects.settings.update."""
        self._transport.call("projects.settings.update", {"id": project_id, "settings": settings})

    def touch(self, project_id: int) -> None:
        """Move a project's stamp and change nothing in it.

        Source: POST projects.settings.update, which merges what it is given: here nothing.
        """
        self._transport.call("projects.settings.update", {"id": project_id, "settings": {}})

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
        return self._transport.call_typed("projects.clone", body, _Started, idempotent=False).task_id
