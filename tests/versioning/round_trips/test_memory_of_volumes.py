"""What versions of large masks take of memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sdk import ROOT
from tests.support.types import Client, Server
from tests.support.volumes import make_volume_project

pytestmark = pytest.mark.slow


CREATE = "made = versions.create(project_id)\n    print(made.counts['figures'], made.version_id)"
RESTORE = (
    "made = versions.restore(project_id, version_id)\n    print(made.counts['figures'], made.project_id)"
)


def run(server, command: str, folder: Path, *arguments: int) -> tuple[int, int, int]:
    """Run a command in a process of its own: what it prints, and its peak of memory in megabytes."""
    script = folder / "script.py"
    script.write_text(
        "import sys\n"
        "from airflow_sv_versioning.client import SuperviselyClient\n"
        "from airflow_sv_versioning.runtime.memory import save_memory\n"
        "from airflow_sv_versioning.versioning import ProjectVersions\n"
        "save_memory()\n"
        "project_id, version_id = (*map(int, sys.argv[3:]), 0)[:2]\n"
        "with SuperviselyClient(sys.argv[1], sys.argv[2]) as client:\n"
        "    versions = ProjectVersions(client)\n"
        f"    {command}\n"
        # `ru_maxrss` starts at what the parent held when it forked; this counts from the program's start.
        "status = open('/proc/self/status').read()\n"
        "print(int(status.partition('VmHWM:')[2].split()[0]) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, script, server.url, server.token, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    figures, made, megabytes = map(int, done.stdout.split())
    return figures, made, megabytes


def test_twenty_large_masks_take_little_memory_each_way(server: Server, client: Client, tmp_path: Path):
    project_id = make_volume_project(client, tmp_path, large=20)

    figures, version_id, creating = run(server, CREATE, tmp_path, project_id)
    restored, _, restoring = run(server, RESTORE, tmp_path, project_id, version_id)

    assert figures == restored == 22 + 20
    assert creating < 500
    assert restoring < 500
