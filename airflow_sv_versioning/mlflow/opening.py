"""Open a version that was recorded, or fail: never another one's data."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client.uris import server_name
from airflow_sv_versioning.exceptions import ConfigurationError, IntegrityError

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.models import Project, VersionInfo

logger = logging.getLogger(__name__)


def connected(supervisely_conn_id: str | None) -> SuperviselyClient:
    """Connect by an Airflow connection, or else by what the environment says.

    :raises ConfigurationError: there is neither.
    """
    from airflow_sv_versioning.client import SuperviselyClient

    return SuperviselyClient(**_client_arguments(supervisely_conn_id))


def _client_arguments(supervisely_conn_id: str | None) -> dict[str, Any]:
    if supervisely_conn_id is None:
        from airflow_sv_versioning.client.environment import arguments_of_environment

        return arguments_of_environment("or name an Airflow connection in supervisely_conn_id")
    try:
        from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"supervisely_conn_id needs Airflow, of which {error.name!r} is not installed; "
            "set SERVER_ADDRESS and API_TOKEN instead."
        ) from error
    return SuperviselyHook(supervisely_conn_id).client_arguments()


@dataclass(frozen=True)
class RecordedVersion:
    """A version as it was recorded.

    :param server: the address of its server.
    :param archive_sha256: hex digest of its archive, ``None`` where nobody told it.
    """

    server: str
    project_id: int
    version_id: int
    archive_sha256: str | None

    def fetch(self, client: SuperviselyClient, directory: Path) -> Path:
        """Download the archive into a folder, under its name only when it is proved.

        :raises ConfigurationError: the client leads to another server, and no digest was recorded.
        :raises NotFoundError: the project is gone, or the version.
        :raises ArchiveMissingError: the version is there, its archive is gone.
        :raises IntegrityError: the archive is not the one that was recorded.
        """
        from airflow_sv_versioning.archive.stored.fetching import fetch_archive, find_archive
        from airflow_sv_versioning.archive.stored.version_ref import VersionRef
        from airflow_sv_versioning.runtime.progress import Progress

        self._check_server(client.server_url)
        project = client.projects.get(self.project_id)
        version = VersionRef("id", self.version_id).find(client, project.id)
        directory.mkdir(parents=True, exist_ok=True)
        destination = directory / f"project-{project.id}-version-{version.version_id}.tar.zst"
        with TemporaryDirectory(dir=directory, prefix=".") as folder:
            file = find_archive(client, project, version)
            archive, digest = fetch_archive(client, project, file, Path(folder), Progress(logger.info))
            _prove(digest, self.archive_sha256 or _stated_digest(client, project, version), version)
            return archive.replace(destination)

    def _check_server(self, server_url: str) -> None:
        if server_name(server_url) == server_name(self.server):
            return
        if self.archive_sha256 is None:
            raise ConfigurationError(
                f"Version {self.version_id} is of {self.server}, but the connection leads to {server_url}, "
                "and no digest was recorded to tell whether that has the same one. Connect to the first.",
                version_id=self.version_id,
            )
        logger.warning(
            "The version is of %s, the connection leads to %s; the archive's digest tells if it is the one.",
            self.server,
            server_url,
        )


def _stated_digest(client: SuperviselyClient, project: Project, version: VersionInfo) -> str | None:
    """Take the digest that the project's map of versions tells, where the source has none."""
    from airflow_sv_versioning.archive.stored.version_map import VersionMap

    digest: str | None = VersionMap.read(client, project).entry(version.version_id).get("sha256")
    return digest


def _prove(actual: str, expected: str | None, version: VersionInfo) -> None:
    name = f"version {version.version_num} (id {version.version_id}) of project {version.project_id}"
    if expected is None:
        logger.warning("Nobody recorded a digest of %s; it is taken on the server's word.", name)
    elif actual != expected:
        raise IntegrityError(
            f"The archive of {name} is not what was recorded: its SHA-256 is {actual}, not {expected}. "
            "Somebody replaced it, and what it holds may be other data. Use another version.",
            project_id=version.project_id,
            version_id=version.version_id,
            expected=expected,
            actual=actual,
        )
