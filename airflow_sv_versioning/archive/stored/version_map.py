"""``versions.json``: the map in Team Files by which the official SDK finds archives.

The truth is the server's list of versions; the map is kept right for the SDK's sake:

.. code-block:: text

    {"311": {"path": "/system/versions/40/….tar.zst", "updated_at": "…", "previous": 298,
             "number": 4, "format": "v2.1.0"},
     "latest": 311, "format": "v1.0.0"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.client.versions import committed

FOLDER = "/system/versions"
WARNING_PATH = "/system/DO_NOT_DELETE_ANYTHING_HERE.txt"
WARNING_TEXT = b"Project versions live in this folder. Removing files here destroys backups.\n"


def map_path(project_id: int) -> str:
    """Name the map of a project."""
    return f"{FOLDER}/{project_id}/versions.json"


class VersionMap:
    """The map of one project, as it is in Team Files now."""

    def __init__(self, client: SuperviselyClient, project: Project, stored_bytes: bytes | None) -> None:
        self._client = client
        self._project = project
        self._path = map_path(project.id)
        self._stored_bytes = stored_bytes
        self._written_bytes: bytes | None = None
        self.entries = _parse(stored_bytes)

    @classmethod
    def read(cls, client: SuperviselyClient, project: Project) -> VersionMap:
        """Download the map; an empty one if there is none."""
        return cls(client, project, client.files.find_bytes(project.team_id, map_path(project.id)))

    @classmethod
    def read_healed(
        cls, client: SuperviselyClient, project: Project, versions: Sequence[VersionInfo]
    ) -> VersionMap:
        """Download the map, and make it say what the server's list says."""
        version_map = cls.read(client, project)
        version_map.heal(versions)
        return version_map

    def entry(self, version_id: int | None) -> dict[str, Any]:
        """Take the entry of a version; ``{}`` where the map has none."""
        entry = self.entries.get(str(version_id))
        return entry if isinstance(entry, dict) else {}

    def heal(self, versions: Sequence[VersionInfo]) -> None:
        """Make the map say what the server's list says.

        Entries of versions that the server does not know are dropped; versions that the map lacks, or
        counts otherwise, are put right.
        """
        version_ids = {str(version.version_id) for version in versions}
        for key in [key for key in self.entries if key.isdigit() and key not in version_ids]:
            del self.entries[key]
        previous: int | None = None
        for version in sorted(committed(versions), key=lambda version: version.version_num):
            entry = self.entry(version.version_id)
            if not entry.get("path"):
                entry = {
                    **entry,
                    "path": self._find_archive(version),
                    "updated_at": version.project_updated_at,
                }
            entry.update(number=version.version_num, previous=entry.get("previous") or previous)
            self.entries[str(version.version_id)] = entry
            previous = version.version_id
        if previous is None:
            self.entries.pop("latest", None)
        else:
            self.entries["latest"] = previous

    def add(self, version_id: int, entry: Mapping[str, Any]) -> None:
        """Enter a version as the latest, with the number that the server is likely to give it."""
        latest = self.entries.get("latest")
        number = int(self.entry(latest).get("number") or 0) + 1 if latest is not None else 1
        self.entries[str(version_id)] = {**entry, "number": number, "previous": latest}
        self.entries["latest"] = version_id
        self.entries.setdefault("format", entry["format"])

    def settle(self, version: VersionInfo) -> None:
        """Take over the number that the server gave, where the map foretold another."""
        entry = self.entry(version.version_id)
        if entry.get("number") != version.version_num:
            entry["number"] = version.version_num
            self.save()

    def save(self) -> None:
        """Write the map to Team Files if it differs from what is there."""
        content = json.dumps(self.entries, indent=4).encode()
        if content != self._stored_bytes:
            self._written_bytes = content
            self._client.files.upload(self._project.team_id, content, self._path)

    def put_back(self) -> None:
        """Undo :meth:`save`, unless somebody else has written the map since."""
        team_id = self._project.team_id
        if (
            self._written_bytes is None
            or self._client.files.find_bytes(team_id, self._path) != self._written_bytes
        ):
            return
        if self._stored_bytes is None:
            self._client.files.remove(team_id, self._path)
        else:
            self._client.files.upload(team_id, self._stored_bytes, self._path)
        self._written_bytes = None

    def _find_archive(self, version: VersionInfo) -> str | None:
        if version.team_file_id is None:
            return None
        file = self._client.files.find_by_id(version.team_file_id)
        return file.path if file else None


def write_warning(client: SuperviselyClient, team_id: int) -> None:
    """Tell people who browse Team Files what the folder is for, as the official client does."""
    if client.files.find(team_id, WARNING_PATH) is None:
        client.files.upload(team_id, WARNING_TEXT, WARNING_PATH)


def _parse(stored_bytes: bytes | None) -> dict[str, Any]:
    """Read the map; a broken one counts as empty, because healing makes it anew from the server's list."""
    try:
        entries = json.loads(stored_bytes or b"{}")
    except ValueError:
        return {}
    return entries if isinstance(entries, dict) else {}
