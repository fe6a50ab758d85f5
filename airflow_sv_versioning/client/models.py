"""What the platform says, as frozen records; what a server leaves out and what it calls null is the same."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import msgspec

from airflow_sv_versioning.client.decoding import Count, Id


class Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A record as it comes over the wire, with its members named as in Python.

    A member without default is one that nothing can be done without: where it is missing, or any member is of
    another type, the answer is an error.
    """


class User(Record, frozen=True, kw_only=True):
    """A user of the platform. Source: POST users.me."""

    id: Id
    login: str = ""
    name: str | None = None
    email: str | None = None


FREE_PLAN = "free"
"""The subscription without versions."""


class Usage(Record, frozen=True, kw_only=True):
    """A team's subscription, such as ``free``, where the server tells it."""

    plan: str | None = None


class Team(Record, frozen=True, kw_only=True):
    """A team."""

    id: Id
    name: str = ""
    usage: Usage = Usage()

    @property
    def plan(self) -> str | None:
        """The team's subscription."""
        return self.usage.plan


class Workspace(Record, frozen=True, kw_only=True):
    """A workspace of a team."""

    id: Id
    team_id: Id
    name: str = ""


class Project(Record, frozen=True, kw_only=True):
    """A project.

    :ivar type: ``images``, ``videos``, ``volumes``, ...
    :ivar updated_at: stamp of the last change, ISO 8601, compared as a string.
    :ivar version: ``{"id", "version"}`` of the latest version, ``None`` where there is none.
    :ivar raw: the whole answer.
    """

    id: Id
    name: str
    type: str
    workspace_id: Id
    team_id: Id
    updated_at: str
    description: str = ""
    items_count: Count = 0
    all_images_count: Count = msgspec.field(default=0, name="imagesCount")
    datasets_count: Count = 0
    version: dict[str, Any] | None = None
    custom_data: dict[str, Any] = msgspec.field(default_factory=dict)
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    readme: str | None = None
    raw: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def images_count(self) -> int:
        """How many items there are, of whatever type; older servers count them all as images."""
        return self.items_count or self.all_images_count


class ListedProject(Record, frozen=True, kw_only=True):
    """What a listing tells of a project; the custom data is empty where the server does not list it."""

    id: Id
    name: str
    type: str
    custom_data: dict[str, Any] = msgspec.field(default_factory=dict)


class Dataset(Record, frozen=True, kw_only=True):
    """A dataset; ``parent_id`` is ``None`` at the root of the project."""

    id: Id
    name: str
    project_id: Id
    parent_id: Id | None = None
    description: str = ""
    custom_data: dict[str, Any] = msgspec.field(default_factory=dict)


class VersionInfo(Record, frozen=True, kw_only=True):
    """A project version.

    :ivar version_num: its number within the project: 1, 2, 3, ...
    :ivar project_updated_at: the project's stamp that the version was made of.
    """

    version_id: Id = msgspec.field(name="id")
    project_id: Id
    version_num: Count = msgspec.field(name="version")
    title: str = msgspec.field(default="", name="name")
    description: str = ""
    status: str = ""
    team_file_id: Id | None = None
    team_id: Id | None = None
    created_by: Any = None
    created_at: str = ""
    updated_at: str = ""
    project_updated_at: str | None = None
    preview_project_id: Id | None = None

    @property
    def id(self) -> int:
        """The SDK's name of ``version_id``."""
        return self.version_id

    @property
    def version(self) -> int:
        """The SDK's name of ``version_num``."""
        return self.version_num

    @property
    def name(self) -> str:
        """The SDK's name of ``title``."""
        return self.title


class FileMeta(Record, frozen=True, kw_only=True):
    """What Team Files know of a file's content."""

    size: Count | None = None


class FileInfo(Record, frozen=True, kw_only=True):
    """A file in Team Files.

    :ivar hash: base64 of the SHA-256 of its bytes, where the server tells it.
    """

    id: Id
    path: str
    hash: str | None = None
    meta: FileMeta = FileMeta()

    @property
    def size_bytes(self) -> int | None:
        """The size, where the server tells it."""
        return self.meta.size

    @property
    def sha256(self) -> str | None:
        """The digest in hex, where the server tells it."""
        return base64.b64decode(self.hash).hex() if self.hash else None


@dataclass(frozen=True)
class Reservation:
    """The right to commit one version of a project, until it is committed, cancelled or expires."""

    version_id: int
    commit_token: str = field(repr=False)


@dataclass(frozen=True)
class NothingChanged:
    """The server's answer to a reservation where the latest version still holds."""

    version_id: int
