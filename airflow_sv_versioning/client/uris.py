"""How Airflow's assets, OpenLineage and MLflow name projects and versions.

``supervisely://<server>/projects/<id>``, and behind it ``/versions/<id>`` for a version. The server is a name
that all agree on, its host and port; nothing connects to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from airflow_sv_versioning.client.ids import check_id

SCHEME = "supervisely"
_PROJECTS, _VERSIONS = "projects", "versions"


@dataclass(frozen=True)
class VersionUri:
    """A version as its URI names it."""

    server: str
    project_id: int
    version_id: int

    @classmethod
    def parse(cls, uri: str) -> VersionUri:
        """Read the URI of a version.

        :raises ValueError: it names no version.
        """
        parts = urlsplit(uri)
        ids = _read_ids(parts, _PROJECTS, _VERSIONS) if parts.scheme == SCHEME else None
        if ids is None:
            raise ValueError(
                f"{uri!r} is no version: write {SCHEME}://<server>/{_PROJECTS}/<id>/{_VERSIONS}/<id>."
            )
        return cls(server_name(uri), *ids)

    def __str__(self) -> str:
        return f"{project_uri(self.server, self.project_id)}/{_VERSIONS}/{self.version_id}"


def server_name(address: str) -> str:
    """Take a server's name out of its address or URI, the same however it is spelled."""
    return urlsplit(address if "://" in address else f"//{address}").netloc.rpartition("@")[2].lower()


def project_path(project_id: int) -> str:
    """Name a project within its server."""
    return f"{_PROJECTS}/{project_id}"


def project_uri(server: str, project_id: int) -> str:
    """Write the URI of a project.

    :param server: its address or only its name.
    :raises ValueError: no server or project is named.
    """
    uri = f"{SCHEME}://{server_name(server)}/{project_path(check_id('project_id', project_id))}"
    read_project_id(urlsplit(uri))
    return uri


def read_project_id(uri: SplitResult) -> int:
    """Read the id of a project out of its URI.

    :raises ValueError: it names no project.
    """
    ids = _read_ids(uri, _PROJECTS)
    if ids is None:
        raise ValueError(f"{uri.geturl()!r} is no project: write {SCHEME}://<server>/{_PROJECTS}/<id>.")
    return ids[0]


def _read_ids(uri: SplitResult, *kinds: str) -> list[int] | None:
    """Read the ids of a path such as ``/projects/42``; ``None`` where it is another one."""
    parts = [part for part in uri.path.split("/") if part]
    digits = parts[1::2]
    if not uri.netloc or parts[::2] != list(kinds) or len(digits) != len(kinds):
        return None
    if not all(text.isascii() and text.isdigit() and int(text) > 0 for text in digits):
        return None
    return [int(text) for text in digits]
