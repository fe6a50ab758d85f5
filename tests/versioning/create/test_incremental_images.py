"""A version after a change reads only what changed, and trusts the one before only as far as it may."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.server.run import EmbeddedServer
from airflow_sv_versioning.versioning import ProjectVersions
from tests.support.projects import make_project, read_images, touch
from tests.support.proxy import FaultProxy


def _draw(client, project_id, image):
    class_id = client.projects.get_meta(project_id)["classes"][0]["id"]
    points = {"exterior": [[5.5, 6.25], [7.75, 8.5]], "interior": []}
    figure = {"entityId": image["id"], "classId": class_id, "geometryType": "rectangle"}
    client.figures.add(image["datasetId"], [{**figure, "geometry": {"points": points}}])


def _images(client, project_id):
    datasets = client.datasets.list_all(project_id)
    return [image for d in datasets for page in client.images.iter_pages(d.id) for image in page]


def _asked_for_figures(wire):
    return [request.json["filter"][0]["value"] for request in wire.seen("figures.list")]


def test_only_changed_images_are_read_again(
    wire: FaultProxy,
    wired: ProjectVersions,
    versions: ProjectVersions,
    client: SuperviselyClient,
    project_id: int,
) -> None:
    wired.create(project_id)
    changed = _images(client, project_id)[1]
    _draw(client, project_id, changed)
    wire.requests.clear()

    made = wired.create(project_id)

    assert made.capture == "incremental"
    assert [changed["id"]] in _asked_for_figures(wire)
    restored = versions.restore(project_id, made.version_id, verify="full")
    assert read_images(client, restored.project_id) == read_images(client, project_id)


def test_an_incremental_version_holds_what_a_full_one_holds(
    versions: ProjectVersions, client: SuperviselyClient, project_id: int
) -> None:
    versions.create(project_id)
    _draw(client, project_id, _images(client, project_id)[0])
    incremental = versions.create(project_id)
    touch(client, project_id)
    full = versions.create(project_id, capture="full")

    assert (incremental.capture, full.capture) == ("incremental", "full")
    assert incremental.counts == full.counts
    contents = [
        read_images(client, versions.restore(project_id, made.version_id).project_id)
        for made in (incremental, full)
    ]
    assert contents[0] == contents[1]


def test_removed_images_are_not_carried_on(
    versions: ProjectVersions, client: SuperviselyClient, project_id: int
) -> None:
    versions.create(project_id)
    gone = _images(client, project_id)[0]
    client.transport.call("images.bulk.remove", {"imageIds": [gone["id"]]})

    made = versions.create(project_id)

    assert made.capture == "incremental"
    assert made.counts["images"] == 2
    assert made.counts["figures"] == 4


def test_a_renamed_class_makes_the_capture_full_and_says_so(
    versions: ProjectVersions, client: SuperviselyClient, project_id: int
) -> None:
    versions.create(project_id)
    meta = client.projects.get_meta(project_id)
    meta["classes"][0]["title"] = "lime"
    client.projects.update_meta(project_id, meta)
    told: list[str] = []

    made = versions.create(project_id, report=told.append)

    assert made.capture == "full"
    assert "classes or tags changed" in (made.capture_note or "")
    assert any("classes or tags changed" in line for line in told)


def test_a_new_class_leaves_the_capture_incremental(
    versions: ProjectVersions, client: SuperviselyClient, project_id: int
) -> None:
    versions.create(project_id)
    meta = client.projects.get_meta(project_id)
    added = {"title": "lime", "shape": "rectangle", "color": "#AA0000", "geometry_config": {}}
    client.projects.update_meta(project_id, {**meta, "classes": [*meta["classes"], added]})

    assert versions.create(project_id).capture == "incremental"


@pytest.fixture
def own_server(tmp_path: Path):
    with EmbeddedServer(tmp_path) as running:
        yield running.info


def test_a_change_without_a_stamp_is_found_by_sample_and_makes_the_capture_full(
    own_server, tmp_path: Path, photos: list[Path]
) -> None:
    with SuperviselyClient(own_server.url, own_server.token) as client:
        versions = ProjectVersions(client)
        project_id = make_project(client, photos[:3])
        versions.create(project_id)
        with sqlite3.connect(tmp_path / "server.sqlite") as database:
            database.execute("UPDATE figures SET custom_data = '{\"moved\": 1}'")
        touch(client, project_id)
        told: list[str] = []

        made = versions.create(project_id, report=told.append)

        assert made.capture == "full"
        assert "seem unchanged" in (made.capture_note or "")
        assert any("seem unchanged" in line for line in told)
        versions.restore(project_id, made.version_id, verify="full")
        touch(client, project_id)
        assert versions.create(project_id).capture == "incremental"


def test_a_lost_archive_makes_the_capture_full_and_is_told(
    versions: ProjectVersions, client: SuperviselyClient, project_id: int
) -> None:
    made = versions.create(project_id)
    client.files.remove(client.projects.get(project_id).team_id, made.archive_path)
    touch(client, project_id)
    told: list[str] = []

    again = versions.create(project_id, report=told.append)

    assert again.capture == "full"
    assert any("is no base" in line for line in told)


def test_a_damaged_archive_makes_the_capture_full_and_is_told(
    versions: ProjectVersions, client: SuperviselyClient, project_id: int
) -> None:
    made = versions.create(project_id)
    client.files.upload(client.projects.get(project_id).team_id, b"no archive", made.archive_path)
    touch(client, project_id)
    told: list[str] = []

    again = versions.create(project_id, report=told.append)

    assert again.capture == "full"
    assert any("is no base" in line for line in told)


def test_an_unchanged_create_asks_five_times_at_most_and_downloads_no_archive(
    wire: FaultProxy, wired: ProjectVersions, project_id: int
) -> None:
    made = wired.create(project_id)
    wire.requests.clear()

    again = wired.create(project_id)

    assert (again.created, again.version_id) == (False, made.version_id)
    assert again.capture is None
    assert len(wire.requests) <= 6
    paths = [r.json["path"] for r in wire.requests if r.method == "file-storage.download"]
    assert [path for path in paths if not path.endswith("versions.json")] == []


def test_a_change_costs_a_listing_a_sample_and_what_changed(
    wire: FaultProxy, wired: ProjectVersions, client: SuperviselyClient, project_id: int
) -> None:
    wired.create(project_id)
    _draw(client, project_id, _images(client, project_id)[0])
    wire.requests.clear()

    wired.create(project_id)

    asked = Counter(request.method for request in wire.requests)
    # A page of the one dataset, and the sample before and after it was read.
    assert asked["images.list"] == 3
    # The sample, and the image that changed.
    assert asked["figures.list"] == 2
    assert len(wire.requests) <= 27


def test_a_full_capture_downloads_no_archive(
    wire: FaultProxy, wired: ProjectVersions, client: SuperviselyClient, project_id: int
) -> None:
    wired.create(project_id)
    touch(client, project_id)
    wire.requests.clear()

    wired.create(project_id, capture="full")

    paths = [r.json["path"] for r in wire.requests if r.method == "file-storage.download"]
    assert [path for path in paths if not path.endswith("versions.json")] == []
