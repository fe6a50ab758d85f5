"""A version by the official SDK is the base of our next one, which equals a full reading."""

import json

import pytest

from airflow_sv_versioning.archive import unpack_archive
from airflow_sv_versioning.snapshot.schemas import table_names
from tests.interop.conftest import FilledProject
from tests.support.projects import touch
from tests.support.types import Client, Sdk, Server, Versions

pytestmark = [pytest.mark.sdk]


def _read_rows(client, made, project_type, folder):
    """Read every column of every table of a version; JSON in one wording."""
    archive = folder.with_suffix(".tar.zst")
    client.files.download(client.projects.get(made.project_id).team_id, made.archive_path, archive)
    snapshot = unpack_archive(archive, project_type, folder).snapshot
    return {
        table: sorted(repr(sorted(_plain(row).items())) for row in snapshot.read(table).to_pylist())
        for table in table_names(project_type)
    }


def _plain(row):
    texts = {"meta", "custom_data", *(name for name in row if name.endswith("_json"))}
    return {
        name: json.dumps(json.loads(value), sort_keys=True) if name in texts and value else value
        for name, value in row.items()
    }


@pytest.mark.parametrize("archive_format", ["v2.1.0", "v1.0.0"])
@pytest.mark.parametrize("one_sdk", ["sdk", "plain_sdk"], ids=["upon v2.1.0", "upon a pickle"], indirect=True)
def test_images_upon_a_version_by_the_sdk_are_what_a_full_reading_finds(
    one_sdk, archive_format, client: Client, versions: Versions, nasty: FilledProject, tmp_path, monkeypatch
):
    # Which items are proven must not decide the test.
    monkeypatch.setattr("airflow_sv_versioning.capture.incremental.MIN_SAMPLE", 10_000)
    touch(client, nasty.id)
    one_sdk("create", project_id=nasty.id)
    touch(client, nasty.id)

    incremental = versions.create(nasty.id, archive_format=archive_format)
    touch(client, nasty.id)
    full = versions.create(nasty.id, archive_format=archive_format, capture="full")

    assert (incremental.capture, full.capture) == ("incremental", "full")
    assert _read_rows(client, incremental, "images", tmp_path / "incremental") == _read_rows(
        client, full, "images", tmp_path / "full"
    )


@pytest.mark.slow
def test_videos_upon_a_version_by_the_sdk_are_read_again_and_it_is_told(
    sdk: Sdk, server: Server, client: Client, versions: Versions, film_folder
):
    project_id = sdk(
        "fill_videos", workspace_id=server.workspace_id, name="filmed", films=str(film_folder), many=3
    )
    sdk("create", project_id=project_id)
    touch(client, project_id)

    made = versions.create(project_id, capture="incremental")

    assert made.capture == "full"
    assert "leaves out parts of videos" in (made.capture_note or "")
