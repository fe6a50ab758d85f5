"""What a backup of many media takes of memory, what the next one copies, and what a kill leaves."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.server.run import EmbeddedServer
from airflow_sv_versioning.server.storage import Storage
from airflow_sv_versioning.vault.audit import check_vault
from airflow_sv_versioning.vault.vault import Vault
from tests.support.media import hash_of
from tests.support.sdk import ROOT
from tests.support.types import Client, Server

MEDIA, SIZE, NEW = 800, 200_000, 50

CREATE = """
import json, sys
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.runtime.memory import save_memory
from airflow_sv_versioning.versioning import ProjectVersions
save_memory()
with SuperviselyClient(sys.argv[1], sys.argv[2]) as client:
    made = ProjectVersions(client).create(int(sys.argv[3]), vault=sys.argv[4])
# `ru_maxrss` starts at what the parent held when it forked; this counts from the program's start.
status = open('/proc/self/status').read()
peak = int(status.partition('VmHWM:')[2].split()[0]) // 1024
print(json.dumps({**made.as_dict()['media'], 'peak_mb': peak}))
"""


def start(info: Server, project_id: int, vault: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CREATE, info.url, info.token, str(project_id), str(vault)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def create(project: tuple[Server, int], vault: Path) -> dict[str, Any]:
    process = start(*project, vault)
    out, _ = process.communicate(timeout=280)
    assert process.returncode == 0
    return json.loads(out)


def plant(data: Path, client: Client, dataset_id: int, numbers: range, size: int) -> None:
    """Put files onto a server's disk, for sending so many would take longer than what is tested."""
    storage, rows = Storage(data), []
    for number in numbers:
        content = str(number).encode().ljust(size, b".")
        content_hash = hash_of(content)
        path = storage.path(content_hash)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        rows.append((content_hash, size, "image/png", 1, 1, "2026-01-01T00:00:00.000Z"))
    with sqlite3.connect(data / "server.sqlite", timeout=60) as connection:
        connection.executemany(
            "INSERT INTO media (hash, size, mime, width, height, created_at) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
    for first in range(0, len(rows), 200):
        images = [
            {"title": f"{row[0][:20].replace('/', '_')}.png", "hash": row[0]}
            for row in rows[first : first + 200]
        ]
        client.images.add(dataset_id, images)


class Clock:
    """The server's clock, which can be put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def crowd(tmp_path: Path, clock: Clock):
    """Make a server of its own with a project of so many media; yields a function that adds more."""
    with (
        EmbeddedServer(tmp_path / "server", clock=clock.now) as running,
        Client(running.info.url, running.info.token) as client,
    ):
        project_id = client.projects.add(1, "many").id
        dataset_id = client.datasets.add(project_id, "media").id

        def add(numbers: range, size: int) -> tuple[Server, int]:
            plant(tmp_path / "server", client, dataset_id, numbers, size)
            return running.info, project_id

        yield add


@pytest.mark.slow
def test_thousands_of_media_take_little_memory_and_only_new_ones_are_copied_next(crowd, tmp_path: Path):
    first = create(crowd(range(MEDIA), SIZE), tmp_path / "vault")
    second = create(crowd(range(MEDIA, MEDIA + NEW), SIZE), tmp_path / "vault")

    assert (first["copied"], first["copied_bytes"], first["present"]) == (MEDIA, MEDIA * SIZE, 0)
    assert (second["copied"], second["present"]) == (NEW, MEDIA)
    assert first["peak_mb"] < 250


def test_a_kill_in_mid_copy_leaves_a_vault_that_is_good_and_is_completed(crowd, clock: Clock, tmp_path: Path):
    info, project_id = crowd(range(300), 20_000)
    vault = Vault(tmp_path / "vault")
    process = start(info, project_id, tmp_path / "vault")
    while sum(1 for _ in vault.iter_media()) < 50:
        assert process.poll() is None, "it ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    checked = check_vault(vault, Progress())
    assert checked.is_good
    assert 50 <= checked.media < 300
    clock.ahead = timedelta(days=2)  # the reservation of the killed process has run out
    completed = create((info, project_id), tmp_path / "vault")
    assert (completed["copied"], completed["present"]) == (300 - checked.media, checked.media)
    assert check_vault(vault, Progress()).media == 300
