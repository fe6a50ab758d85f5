"""A disk that takes no more, where the archive is put together."""

import json
import os
import resource
import subprocess
import sys
from typing import Any

import pytest

from tests.support.types import Client, Server, Versions

# Enough for the JSON files, too little for tables and archives.
FILE_SIZE_LIMIT = 2_000


def run_on_a_full_disk(server, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "airflow_sv_versioning.cli", *arguments, "--json"],
        env={**os.environ, "SERVER_ADDRESS": server.url, "API_TOKEN": server.token},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE_LIMIT, FILE_SIZE_LIMIT)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    return json.loads(done.stdout)["error"]


@pytest.mark.slow
def test_a_version_that_finds_no_room_leaves_nothing_behind(
    server: Server, client: Client, versions: Versions, project_id: int
):
    error = run_on_a_full_disk(server, "create", str(project_id))

    assert error["kind"] == "snapshot"
    assert "TMPDIR" in error["message"] or "cannot be written" in error["message"]
    assert versions.get_list(project_id) == []
    folder = client.transport.call(
        "file-storage.list",
        {"teamId": server.team_id, "path": f"/system/versions/{project_id}/", "recursive": True},
    )
    assert folder == []
    assert versions.create(project_id, busy_timeout_seconds=0).created


@pytest.mark.slow
def test_a_restore_that_finds_no_room_makes_no_project(
    server: Server, client: Client, versions: Versions, project_id: int
):
    versions.create(project_id)
    name = f"never made of {project_id}"

    error = run_on_a_full_disk(
        server, "restore", str(project_id), "--version-num", "1", "--project-name", name
    )

    assert error["kind"] == "snapshot"
    assert client.projects.list_ids_by_name(1, name) == []
