"""What runs saw, in files beside a project's versions, for workflows that remember nothing themselves.

.. code-block:: text

    /system/versions/40/runs/0f3a9c…d1.json

A file belongs to one run, so nobody else writes it, unlike ``versions.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_sv_versioning.archive.stored.version_map import FOLDER
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import VersionInfo


def read_run_file(
    client: SuperviselyClient, project_id: int, run_key: str, listed: Iterable[VersionInfo]
) -> Any:
    """Read what a run saw; ``None`` where it saw nothing yet.

    :param listed: the versions of the project, which tell the team that they are of.
    """
    teams = (version.team_id for version in listed if version.team_id is not None)
    team_id = next(teams, None) or client.projects.get(project_id).team_id
    stored = client.files.find_bytes(team_id, _path(project_id, run_key))
    return None if stored is None else _parse(stored)


def write_run_file(client: SuperviselyClient, project_id: int, run_key: str, data: Mapping[str, Any]) -> None:
    """Write what a run saw."""
    team_id = client.projects.get(project_id).team_id
    client.files.upload(team_id, json.dumps(data).encode(), _path(project_id, run_key))


def _path(project_id: int, run_key: str) -> str:
    return f"{FOLDER}/{project_id}/runs/{run_key}.json"


def _parse(stored: bytes) -> Any:
    """Read JSON; what is none is for the caller to refuse, as other content is."""
    try:
        return json.loads(stored)
    except ValueError:
        return stored.decode(errors="replace")
