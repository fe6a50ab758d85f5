"""What a restore needs of its source: a version of a project of the server, or one that a vault holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.archive.stored.fetching import unpack_version
from airflow_sv_versioning.archive.stored.version_ref import VersionRef
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.exceptions import (
    ArchiveMissingError,
    ConfigurationError,
    MediaAbsentError,
    UnsupportedProjectError,
)
from airflow_sv_versioning.project_types import VERSIONED_TYPES
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.pulling import pull_archive
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import VaultVersion, VaultVersionRef
from airflow_sv_versioning.versioning.listing import check_versioned

if TYPE_CHECKING:
    from airflow_sv_versioning.archive import UnpackedArchive

Unpack = Callable[[Path, Progress], "UnpackedArchive"]
"""Brings the archive of a version into a folder, proves it, and unpacks it there."""


@dataclass(frozen=True)
class RestoreSource:
    """A version to restore.

    :param description: of its project; ``None`` where only the archive tells it.
    :param owner: its project, as vaults name it.
    :param place: workspace and team of its project; ``None`` where it is not of this server.
    :param vault_version: how the vault names the version that it is taken from.
    """

    project_id: int
    project_name: str
    project_type: str
    description: str | None
    version_id: int
    version_num: int
    owner: Owner
    unpack: Unpack
    place: tuple[int, int] | None = None
    vault_version: str | None = None

    @property
    def server(self) -> str | None:
        """The server that it is of, as vaults name it; ``None`` of one that is restored from there."""
        return None if self.vault_version is None else self.owner.server

    def origin(self) -> dict[str, Any]:
        """Say where a project made of it comes from."""
        origin = {"project_id": self.project_id, "version_num": self.version_num}
        if self.server is None:
            return origin
        return {"server": self.server, **origin, "version_id": self.version_id}


@dataclass(frozen=True)
class RestoreSourceRef:
    """Which version somebody wants to restore.

    :param version: of a version of the server; exactly one of this and ``vault_version`` is given.
    """

    project_id: int | None
    version: VersionRef | None
    vault_version: VaultVersionRef | None = None

    @classmethod
    def parse(
        cls,
        project_id: int | None,
        version_id: int | None,
        version_num: int | None,
        as_of: str | datetime | None,
        vault_version: str | None,
    ) -> RestoreSourceRef:
        """Read the arguments that name a version.

        :raises ConfigurationError: they name none, or several.
        """
        named = (version_id, version_num, as_of)
        if vault_version is None:
            if project_id is None:
                raise ConfigurationError("Give the project_id of the version to restore.")
            return cls(project_id, VersionRef.parse(*named))
        if any(value is not None for value in named):
            raise ConfigurationError(
                "vault_version names the version already; leave out version_id, version_num and as_of."
            )
        ref = VaultVersionRef.parse(vault_version)
        if ref.owner and project_id not in {None, ref.owner.project_id}:
            raise ConfigurationError(
                f"{vault_version} is no version of project {project_id}; name one of both."
            )
        return cls(project_id, None, ref)

    def find(self, client: SuperviselyClient, vault: Vault | None) -> RestoreSource:
        """Find the version.

        :param vault: where it is looked for, if it is one of a vault.
        :raises VersionNotFoundError: there is no such version.
        :raises UnsupportedProjectError: its project is of a type that cannot be versioned.
        :raises ConfigurationError: no vault is given.
        """
        if self.vault_version is None:
            return self._find_on_server(client)
        if vault is None:
            raise ConfigurationError("Name the vault that holds the vault_version.")
        owner = None if self.project_id is None else Owner.of(client.server_url, self.project_id)
        return source_in_vault(vault, self.vault_version.find(vault, owner))

    def _find_on_server(self, client: SuperviselyClient) -> RestoreSource:
        if self.version is None or self.project_id is None:
            raise AssertionError("what is of no vault is a version of a project")
        version = self.version.find(client, self.project_id)
        return source_on_server(client, client.projects.get(version.project_id), version)


def source_on_server(client: SuperviselyClient, project: Project, version: VersionInfo) -> RestoreSource:
    """Take a version of a project of the server.

    :raises UnsupportedProjectError: of such a project no versions can be made.
    """
    check_versioned(project)

    def unpack(folder: Path, progress: Progress) -> UnpackedArchive:
        return unpack_version(client, project, version, folder, progress)

    return RestoreSource(
        project_id=project.id,
        project_name=project.name,
        project_type=project.type,
        description=project.description or "",
        version_id=version.version_id,
        version_num=version.version_num,
        owner=Owner.of(client.server_url, project.id),
        unpack=unpack,
        place=(project.workspace_id, project.team_id),
    )


def source_in_vault(vault: Vault, version: VaultVersion) -> RestoreSource:
    """Take a version that a vault holds, whatever became of its project and its server.

    :raises UnsupportedProjectError: its project is of a type that is not known here.
    """
    if version.project_type not in VERSIONED_TYPES:
        raise UnsupportedProjectError(
            f"{version.key} is of a project of type {version.project_type!r}; versions of "
            f"{', '.join(VERSIONED_TYPES)} projects can be restored.",
            project_id=version.project_id,
        )

    def unpack(folder: Path, progress: Progress) -> UnpackedArchive:
        return _unpack_from(vault, version, folder, progress)

    return RestoreSource(
        project_id=version.project_id,
        project_name=version.project_name,
        project_type=version.project_type,
        description=None,
        version_id=version.version_id,
        version_num=version.version_num,
        owner=version.owner,
        unpack=unpack,
        vault_version=version.key,
    )


def _unpack_from(vault: Vault, version: VaultVersion, folder: Path, progress: Progress) -> UnpackedArchive:
    from airflow_sv_versioning.archive import unpack_archive

    progress.say(f"Taking {version.key} of {version.archive_size_bytes:,} bytes out of {vault.url}.")
    archive = folder / "archive.tar.zst"
    try:
        pull_archive(vault, version, archive, progress.check)
    except MediaAbsentError as error:
        raise ArchiveMissingError(
            f"{vault.url} does not hold the archive {version.archive_sha256} of {version.key} any more, "
            "though it has its manifest. Restore another version, or push this one again where its server "
            "has it.",
            project_id=version.project_id,
            version_id=version.version_id,
        ) from error
    try:
        return unpack_archive(archive, version.project_type, folder / "snapshot")
    finally:
        archive.unlink()
