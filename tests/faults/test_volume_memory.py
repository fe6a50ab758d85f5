"""What versions of large masks take of memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.sdk import ROOT
from tests.support.volumes import make_volume_project

pytestmark = pytest.mark.slow


def test_fifty_large_masks_take_little_memory(server, client, tmp_path):
    project_id = make_volume_project(client, tmp_path, large=50)
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from airflow_sv_versioning.client import SuperviselyClient\n"
        "from airflow_sv_versioning.versioning import ProjectVersions\n"
        "with SuperviselyClient(sys.argv[1], sys.argv[2]) as client:\n"
        "    print(ProjectVersions(client).create(int(sys.argv[3])).counts['figures'])\n"
        # `ru_maxrss` starts at what the parent held when it forked; this counts from the program's start.
        "status = open('/proc/self/status').read()\n"
        "print(int(status.partition('VmHWM:')[2].split()[0]) // 1024)\n"
    )

    done = subprocess.run(
        [sys.executable, script, server.url, server.token, str(project_id)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    figures, megabytes = map(int, done.stdout.split())
    assert figures == 22 + 50
    assert megabytes < 500
