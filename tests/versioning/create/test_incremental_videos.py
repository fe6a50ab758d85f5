"""A version of videos after a change reads only what changed, and holds what a full one holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.versioning import ProjectVersions
from tests.support.archives import unwrapped
from tests.support.compare import assert_same
from tests.support.projects import read_archive, touch
from tests.support.proxy import FaultProxy
from tests.support.video_projects import annotate, make_video_project, read_videos, write_videos


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory):
    return write_videos(tmp_path_factory.mktemp("films"), 5)


@pytest.fixture
def street(client: SuperviselyClient, films):
    return make_video_project(client, films[:4])


def _videos(client, project_id):
    datasets = client.datasets.list_all(project_id)
    return [video for dataset in datasets for page in client.videos.iter_pages(dataset.id) for video in page]


def _annotate(client, project_id, films):
    video = _videos(client, project_id)[1]
    annotate(client, project_id, video["datasetId"], video["id"])


def _retouch(client, project_id, films):
    first, *_ = _videos(client, project_id)
    client.videos.set_custom_data(first["id"], {"weather": "sun"})


def _add(client, project_id, films):
    (dataset,) = client.datasets.list_all(project_id)
    (video,) = client.videos.upload(dataset.id, [("new.mp4", films[4])])
    annotate(client, project_id, dataset.id, video["id"])


def _remove(client, project_id, films):
    client.transport.call("images.bulk.remove", {"imageIds": [_videos(client, project_id)[0]["id"]]})


def _rename(client, project_id, films):
    client.transport.call(
        "images.editInfo", {"id": _videos(client, project_id)[2]["id"], "name": "renamed.mp4"}
    )


CHANGES = pytest.mark.parametrize("change", [_annotate, _retouch, _add, _remove, _rename])


@CHANGES
@pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])
def test_an_incremental_version_of_videos_holds_what_a_full_one_holds(
    change,
    archive_format,
    client: SuperviselyClient,
    versions: ProjectVersions,
    street,
    films,
    tmp_path: Path,
) -> None:
    versions.create(street, archive_format=archive_format)
    change(client, street, films)

    incremental = versions.create(street, capture="incremental")
    touch(client, street)
    full = versions.create(street, capture="full")

    assert (incremental.capture, full.capture) == ("incremental", "full")
    assert (incremental.archive_format, incremental.counts) == (archive_format, full.counts)
    assert _lines(client, incremental, tmp_path) == _lines(client, full, tmp_path)
    restored = versions.restore(street, incremental.version_id, verify="full")
    assert_same(read_videos(client, restored.project_id), read_videos(client, street))


def _lines(client, made, folder):
    archive = folder / "archive"
    archive.write_bytes(read_archive(client, made))
    return sorted(unwrapped(archive)["videos.integrity.jsonl"].splitlines())


def test_only_changed_videos_are_read_again(
    wire: FaultProxy, wired: ProjectVersions, client: SuperviselyClient, street, films
) -> None:
    wired.create(street)
    _annotate(client, street, films)
    changed = _videos(client, street)[1]["id"]
    wire.requests.clear()

    made = wired.create(street, capture="incremental")

    assert made.capture == "incremental"
    # The others are asked for as the sample that is checked, on which nothing waits.
    asked = [request.json["videoIds"] for request in wire.seen("videos.annotations.bulk.info")]
    assert [ids for ids in asked if changed in ids] == [[changed]]
    assert len(asked) == 2


def test_an_unchanged_video_of_a_renamed_class_is_read_again(
    client: SuperviselyClient, versions: ProjectVersions, street
) -> None:
    versions.create(street)
    meta = client.projects.get_meta(street)
    meta["classes"][0]["title"] = "Gesicht"
    client.projects.update_meta(street, meta)

    made = versions.create(street, capture="incremental")

    assert (made.capture, "classes or tags changed" in (made.capture_note or "")) == ("full", True)
    restored = versions.restore(street, made.version_id, verify="full")
    assert_same(read_videos(client, restored.project_id), read_videos(client, street))
