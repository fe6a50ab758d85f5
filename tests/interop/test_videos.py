"""Versions of videos, made and restored by us and by the official SDK; it tells what is equal."""

from pathlib import Path

import pytest

from tests.interop.conftest import FilledProject
from tests.support.compare import assert_same
from tests.support.lost_by_sdk import archived_videos_by_sdk, restored_videos_by_sdk
from tests.support.media import serve_media
from tests.support.projects import touch
from tests.support.types import Client, Request, Sdk, Server, TempFolders, Versions
from tests.support.video_projects import write_videos

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

MANY = 120  # more than two batches of the platform
FORMATS = pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])
MAKERS = pytest.mark.parametrize("command", ["create", "create_older_videos"], ids=["v2.1.0", "v2.0.0"])


@pytest.fixture(scope="module")
def films(tmp_path_factory: TempFolders) -> Path:
    folder = tmp_path_factory.mktemp("films")
    write_videos(folder, 5)
    return folder


@pytest.fixture(scope="module")
def filmed(sdk: Sdk, server: Server, films: Path):
    """A project with every case that versioning gets wrong. Tests may version it, but not change it."""
    with serve_media((films / "0001.mp4").read_bytes(), "video/mp4") as media:
        project_id = sdk(
            "fill_videos",
            workspace_id=server.workspace_id,
            name="filmed",
            films=str(films),
            link=media.url,
            many=MANY,
        )
        yield FilledProject(project_id, sdk("read_videos", project_id=project_id))


@pytest.fixture(scope="module")
def views(sdk: Sdk, server: Server, films: Path):
    """A multi-view project."""
    project_id = sdk("fill_views", workspace_id=server.workspace_id, name="views", films=str(films))
    return FilledProject(project_id, sdk("read_videos", project_id=project_id))


@FORMATS
@pytest.mark.parametrize("project", ["filmed", "views"])
def test_our_round_trip_loses_nothing(
    project, archive_format, request: Request, sdk: Sdk, client: Client, versions: Versions
):
    was = request.getfixturevalue(project)
    touch(client, was.id)
    made = versions.create(was.id, archive_format=archive_format)

    restored = versions.restore(was.id, made.version_id, verify="full")

    assert made.archive_format == archive_format
    assert_same(sdk("read_videos", project_id=restored.project_id), was.content)


@FORMATS
@pytest.mark.parametrize("project", ["filmed", "views"])
def test_the_sdk_restores_what_we_made(
    project, archive_format, request: Request, sdk: Sdk, client: Client, versions: Versions, tmp_path: Path
):
    was = request.getfixturevalue(project)
    touch(client, was.id)
    made = versions.create(was.id, archive_format=archive_format, media_store=tmp_path)

    project_id = sdk("restore", project_id=was.id, version_id=made.version_id)

    found = sdk("read_videos", project_id=project_id)
    for video in found["videos"].values():
        del video["as the SDK sees it"]
    assert_same(found, restored_videos_by_sdk(was.content, archive_format))


@MAKERS
@pytest.mark.parametrize("project", ["filmed", "views"])
def test_we_restore_what_the_sdk_made(
    project, command, request: Request, sdk: Sdk, client: Client, versions: Versions
):
    was = request.getfixturevalue(project)
    touch(client, was.id)
    version_id = sdk(command, project_id=was.id)

    restored = versions.restore(was.id, version_id, verify="full")

    assert not restored.skipped
    found = sdk("read_videos", project_id=restored.project_id)
    assert_same(found, archived_videos_by_sdk(was.content))
