"""A version as the source of a dataset. It imports MLflow, so it is imported by :mod:`source` alone."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from mlflow.data.dataset_source import DatasetSource

from airflow_sv_versioning.client.address import normalize_server_address
from airflow_sv_versioning.client.pages import version_page
from airflow_sv_versioning.client.uris import VersionUri, server_name
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.mlflow.experiment import Id, Sha256

if TYPE_CHECKING:
    from airflow_sv_versioning.mlflow.experiment import Experiment

SOURCE_TYPE = "supervisely_version"


@dataclass(frozen=True)
class SuperviselyVersionSource(DatasetSource):  # type: ignore[misc]
    """A version of a project, and how to open it again; no secret is in it.

    .. code-block:: python

        [dataset_input] = mlflow.get_run(run_id).inputs.dataset_inputs
        archive = mlflow.data.get_source(dataset_input).load("data")

    :param server: its address; where it came from a URI, the scheme is a guess.
    :param version_num: its number within the project, ``None`` where only the id is known.
    :param archive_sha256: hex digest of the archive, ``None`` where nobody told it.
    :raises ConfigurationError: the server's address cannot be one, or holds credentials.
    """

    server: str
    project_id: Id
    version_id: Id
    version_num: Id | None = None
    archive_sha256: Sha256 | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "server", normalize_server_address(self.server))

    @classmethod
    def of(cls, experiment: Experiment) -> SuperviselyVersionSource:
        """Take the version that a record names."""
        return cls(
            experiment.server,
            experiment.project_id,
            experiment.version_id,
            experiment.version_num,
            experiment.archive_sha256,
        )

    @property
    def uri(self) -> str:
        """Such as ``supervisely://app.supervisely.com/projects/42/versions/311``; MLflow resolves it."""
        return str(VersionUri(server_name(self.server), self.project_id, self.version_id))

    def load(self, directory: str | Path | None = None, *, supervisely_conn_id: str | None = None) -> Path:
        """Download the version's archive, and prove that it is the one that was recorded.

        :param directory: where to put it; it is made if need be. By default a new temporary folder, which
            nobody removes.
        :param supervisely_conn_id: an Airflow connection to the server; by default server and token are what
            ``SERVER_ADDRESS`` and ``API_TOKEN`` of the environment say.
        :returns: the archive's file, ``project-<id>-version-<id>.tar.zst``.
        :raises ConfigurationError: there is no connection, or it leads to another server and no digest was
            recorded that would tell the one's version from the other's.
        :raises NotFoundError: the project is gone, or the version.
        :raises ArchiveMissingError: the version is there, its archive is gone.
        :raises IntegrityError: the archive is not the one that was recorded.
        """
        from airflow_sv_versioning.mlflow.opening import RecordedVersion, connected

        recorded = RecordedVersion(self.server, self.project_id, self.version_id, self.archive_sha256)
        with connected(supervisely_conn_id) as client:
            return recorded.fetch(client, Path(directory or tempfile.mkdtemp(prefix="sv-version-")))

    def is_same_version(self, other: object) -> bool:
        """Say whether another source opens the same archive, however its server is called."""
        if not isinstance(other, SuperviselyVersionSource):
            return False
        if (self.project_id, self.version_id) != (other.project_id, other.version_id):
            return False
        if self.archive_sha256 and other.archive_sha256:
            return self.archive_sha256 == other.archive_sha256
        return server_name(self.server) == server_name(other.server)

    def to_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data, with its URI and page for people who read it in MLflow."""
        page = version_page(self.server, self.project_id, self.version_id)
        return {**asdict(self), "uri": self.uri, "url": page}

    @classmethod
    def from_dict(cls, source_dict: dict[Any, Any]) -> SuperviselyVersionSource:
        """Read what :meth:`to_dict` wrote.

        :raises ConfigurationError: it is something else.
        """
        try:
            return msgspec.convert(source_dict, cls)
        except msgspec.ValidationError as error:
            raise ConfigurationError(f"{source_dict!r} names no version of a project: {error}.") from error

    @staticmethod
    def _get_source_type() -> str:
        return SOURCE_TYPE

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:
        try:
            return isinstance(raw_source, str) and bool(VersionUri.parse(raw_source))
        except ValueError:
            return False

    @classmethod
    def _resolve(cls, raw_source: str) -> SuperviselyVersionSource:
        uri = VersionUri.parse(raw_source)
        return cls(uri.server, uri.project_id, uri.version_id)
