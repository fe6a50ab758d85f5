"""Opening, closing and crashing."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.server.run import EmbeddedServer, ServerInfo
from tests.support.api import Api, png
from tests.support.media import hash_of


@contextmanager
def process(data: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Api]]:
    command = [sys.executable, "-m", "airflow_sv_versioning.cli", "serve", "--data", str(data), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            assert line, running.communicate()
            with Api(ServerInfo(**json.loads(line))) as api:
                yield running, api
        finally:
            running.kill()
            running.communicate()


def everything(api: Api, project_id: int, dataset_id: int) -> list[object]:
    return [
        api.call("projects.info", {"id": project_id}),
        api.call("projects.meta", {"id": project_id}),
        api.call("datasets.list", {"projectId": project_id, "recursive": True}),
        api.call("figures.list", {"datasetId": dataset_id, "integerCoords": False}),
        api.call("projects.versions.list", {"projectId": project_id}),
        [image["id"] for image in api.call("images.list", {"datasetId": dataset_id})["entities"]],
    ]


def test_a_killed_server_has_lost_nothing(tmp_path: Path) -> None:
    with process(tmp_path) as (running, api):
        project = api.project()
        image_id = api.image(project)
        api.figure(project, image_id, tags=[{"tagId": project.tags["number"], "value": 1}])
        file_id = api.upload_file("/a/", "b.bin", b"content")["id"]
        reservation = api.call("projects.versions.reserve", {"projectId": project.id})
        commit = {"projectUpdatedAt": api.stamp(project.id), "teamFileId": file_id, "title": "first"}
        api.call("projects.versions.commit", {**reservation, **commit})
        before = everything(api, project.id, project.dataset_id)
        running.send_signal(signal.SIGKILL)
        running.wait(timeout=30)
        token = api.info.token
    with process(tmp_path) as (_, api):
        assert api.info.token == token
        assert everything(api, project.id, project.dataset_id) == before
        assert api.post("images.download", {"id": image_id}).content == png()
        assert api.post("file-storage.download", {"teamId": 1, "path": "/a/b.bin"}).content == b"content"


def test_tasks_that_a_crash_interrupted_are_errors(tmp_path: Path) -> None:
    with process(tmp_path) as (running, api):
        started, finished = (
            api.call("tasks.run.app", {"workspaceId": 1, "appId": 1})[0]["id"] for _ in range(2)
        )
        api.call("tasks.status.update", {"id": started, "status": "started"})
        api.call("tasks.status.update", {"id": finished, "status": "finished"})
        running.send_signal(signal.SIGKILL)
        running.wait(timeout=30)
    with process(tmp_path) as (_, api):
        assert api.call("tasks.info", {"id": started})["status"] == "error"
        assert api.call("tasks.info", {"id": finished})["status"] == "finished"
        assert "went down" in api.post("tasks.log.download", {"id": started}).text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_signal_ends_the_process_well(tmp_path: Path, number: signal.Signals) -> None:
    with process(tmp_path) as (running, api):
        assert api.call("users.me")["login"]
        running.send_signal(number)
        output, errors = running.communicate(timeout=30)
        assert running.returncode == 0
        assert output == ""
        assert errors == ""


def test_a_given_token_replaces_the_kept_one(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, token="mine") as server, Api(server.info) as api:
        assert server.info.token == "mine"
        api.call("users.me")
    with EmbeddedServer(tmp_path) as server:
        assert server.info.token == "mine"
    with EmbeddedServer(tmp_path, token="other") as server, Api(server.info) as api:
        api.call("users.me")
        api.session.headers["x-api-key"] = "mine"
        api.refuse("users.me", {}, status=401)


def test_a_folder_is_served_once(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path), pytest.raises(ConfigurationError, match="served by another"):
        EmbeddedServer(tmp_path).__enter__()
    with EmbeddedServer(tmp_path):
        pass


def test_a_folder_of_a_newer_server_is_left_alone(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "server.sqlite") as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(ConfigurationError, match="another version"):
        EmbeddedServer(tmp_path).__enter__()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "one") as server:
        port = int(server.info.url.rsplit(":", 1)[1])
        with pytest.raises(ConfigurationError, match=str(port)):
            EmbeddedServer(tmp_path / "two", port=port).__enter__()


def test_opening_and_closing_leaves_nothing_open(tmp_path: Path) -> None:
    def open_and_close() -> None:
        with EmbeddedServer(tmp_path) as server, Api(server.info) as api:
            api.upload(png())

    def open_things() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    open_and_close()
    descriptors, threads = open_things()
    for _ in range(20):
        open_and_close()
    descriptors_after, threads_after = open_things()
    # A thread may still be on its way out; a leak would leave twenty.
    assert descriptors_after <= descriptors + 2
    assert threads_after <= threads + 2


def test_what_a_broken_upload_left_is_swept_away(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path):
        pass
    (tmp_path / "incoming" / "half").write_bytes(b"half")
    with EmbeddedServer(tmp_path):
        assert list((tmp_path / "incoming").iterdir()) == []


def test_the_same_bytes_are_stored_once(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server, Api(server.info) as api:
        assert {api.upload(png()), api.upload(png())} == {hash_of(png())}
        api.upload_file("/a/", "same.png", png())
    assert len([path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]) == 1


@contextmanager
def served(data: Path) -> Iterator[tuple[ServerInfo, list[str]]]:
    """Run the command with demo data; what it says on stderr is complete at the end of the block."""
    command = [sys.executable, "-m", "airflow_sv_versioning.cli", "serve", "--data", str(data), "--demo-data"]
    errors: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        yield ServerInfo(**json.loads(line)), errors
        running.send_signal(signal.SIGTERM)
        errors += running.communicate(timeout=60)[1].splitlines()
        assert running.returncode == 0


def test_demo_data_fill_an_empty_server_once(tmp_path: Path) -> None:
    with served(tmp_path) as (info, told), Api(info) as api:
        [project] = api.call("projects.list", {"workspaceId": 1})["entities"]
        assert project["itemsCount"] > 5
    assert told == [f"Filled project {project['id']}: {info.url}/projects/{project['id']}"]

    with served(tmp_path) as (info, told), Api(info) as api:
        assert len(api.call("projects.list", {"workspaceId": 1})["entities"]) == 1
    assert told == ["The server has projects already; it gets no demo data."]
