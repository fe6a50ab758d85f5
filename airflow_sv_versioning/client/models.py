"""What the platform says, as frozen records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class User:
    """A user of the platform. Source: POST users.me."""

    id: int
    login: str
    name: str | None
    email: str | None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> User:
        """Read a user from an answer."""
        return cls(data["id"], data.get("login") or "", data.get("name"), data.get("email"))


@dataclass(frozen=True)
class Team:
    """A team; ``plan`` is its subscription, such as ``free``, where the server tells it."""

    id: int
    name: str
    plan: str | None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Team:
        """Read a team from an answer."""
        return cls(data["id"], data.get("name") or "", (data.get("usage") or {}).get("plan"))


@dataclass(frozen=True)
class Workspace:
    """A workspace of a team."""

    id: int
    name: str
    team_id: int

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Workspace:
        """Read a workspace from an answer."""
        return cls(data["id"], data.get("name") or "", data["teamId"])


@dataclass(frozen=True)
class Project:
    """A project.

    :param type: ``images``, ``videos``, ``volumes``, ...
    :param updated_at: stamp of the last change, ISO 8601, compared as a string.
    :param version: ``{"id", "version"}`` of the latest version, ``None`` where there is none.
    :param raw: the whole answer.
    """

    id: int
    name: str
    type: str
    description: str
    workspace_id: int
    team_id: int
    updated_at: str
    images_count: int
    datasets_count: int
    version: dict[str, Any] | None
    custom_data: dict[str, Any]
    settings: dict[str, Any]
    readme: str | None
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Project:
        """Read a project from an answer."""
        return cls(
            id=data["id"],
            name=data["name"],
            type=data["type"],
            description=data.get("description") or "",
            workspace_id=data["workspaceId"],
            team_id=data["teamId"],
            updated_at=data["updatedAt"],
            images_count=int(data.get("itemsCount") or data.get("imagesCount") or 0),
            datasets_count=int(data.get("datasetsCount") or 0),
            version=data.get("version"),
            custom_data=data.get("customData") or {},
            settings=data.get("settings") or {},
            readme=data.get("readme"),
            raw=data,
        )


@dataclass(frozen=True)
class Dataset:
    """A dataset; ``parent_id`` is ``None`` at the root of the project."""

    id: int
    name: str
    project_id: int
    parent_id: int | None
    description: str
    custom_data: dict[str, Any]
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Dataset:
        """Read a dataset from an answer."""
        return cls(
            id=data["id"],
            name=data["name"],
            project_id=data["projectId"],
            parent_id=data.get("parentId"),
            description=data.get("description") or "",
            custom_data=data.get("customData") or {},
            raw=data,
        )


@dataclass(frozen=True)
class VersionInfo:
    """A project version, with the field names of the official SDK.

    :param version: its number within the project: 1, 2, 3, ...
    :param project_updated_at: the project's stamp that the version was made of.
    """

    id: int
    project_id: int
    version: int
    name: str
    description: str
    status: str
    team_file_id: int | None
    team_id: int | None
    created_by: int | None
    created_at: str
    updated_at: str
    project_updated_at: str | None
    preview_project_id: int | None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> VersionInfo:
        """Read a version from an answer; servers of different age send different keys."""
        return cls(
            id=data["id"],
            project_id=data["projectId"],
            version=data["version"],
            name=data.get("name") or "",
            description=data.get("description") or "",
            status=data.get("status") or "",
            team_file_id=data.get("teamFileId"),
            team_id=data.get("teamId"),
            created_by=data.get("createdBy"),
            created_at=data.get("createdAt") or "",
            updated_at=data.get("updatedAt") or "",
            project_updated_at=data.get("projectUpdatedAt"),
            preview_project_id=data.get("previewProjectId"),
        )


@dataclass(frozen=True)
class FileInfo:
    """A file in Team Files; ``hash`` is base64 of the SHA-256 of its bytes."""

    id: int
    path: str
    hash: str | None
    size_bytes: int | None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> FileInfo:
        """Read a file from an answer."""
        size = (data.get("meta") or {}).get("size")
        return cls(data["id"], data["path"], data.get("hash"), None if size is None else int(size))


@dataclass(frozen=True)
class Reservation:
    """The right to commit one version of a project, until it is committed, cancelled or expires."""

    version_id: int
    commit_token: str = field(repr=False)


@dataclass(frozen=True)
class NothingChanged:
    """The server's answer to a reservation where the latest version still holds."""

    version_id: int
