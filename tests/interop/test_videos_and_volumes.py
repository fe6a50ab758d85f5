"""Versions of videos and volumes, made and restored by us and by the official SDK; it tells what is equal."""

from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import FilledProject
from tests.support.compare import assert_same
from tests.support.lost_by_sdk import archived_videos_by_sdk, restored_videos_by_sdk
from tests.support.media import serve_media
from tests.support.projects import touch
from tests.support.types import Client, Request, Sdk, Server, Versions
from tests.support.volumes import make_volume_project, read_volumes

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

MANY = 55  # more than a batch of the platform
FORMATS = pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])
MAKERS = pytest.mark.parametrize("command", ["create", "create_older_{}"], ids=["v2.1.0", "v2.0.0"])


@pytest.fixture(scope="module")
def filmed(sdk: Sdk, server: Server, film_folder: Path):
    """A project with every case that versioning gets wrong. Tests may version it, but not change it."""
    place: dict[str, Any] = {"workspace_id": server.workspace_id, "name": "filmed", "films": str(film_folder)}
    with serve_media((film_folder / "0001.mp4").read_bytes(), "video/mp4") as media:
        project_id = sdk("fill_videos", **place, link=media.url, many=MANY)
        yield FilledProject(project_id, sdk("read_videos", project_id=project_id), "videos")


@pytest.fixture(scope="module")
def views(sdk: Sdk, server: Server, film_folder: Path) -> FilledProject:
    """A multi-view project."""
    project_id = sdk("fill_views", workspace_id=server.workspace_id, name="views", films=str(film_folder))
    return FilledProject(project_id, sdk("read_videos", project_id=project_id), "videos")


@pytest.fixture(scope="module")
def scanned(sdk: Sdk, server: Server) -> FilledProject:
    """A real DICOM series, oblique volumes, equal names, many volumes. Tests may not change it."""
    project_id = sdk("fill_volumes", workspace_id=server.workspace_id, name="scanned", many=MANY)
    return FilledProject(project_id, sdk("read_volumes", project_id=project_id), "volumes")


@pytest.fixture(params=["filmed", "views", "scanned"])
def was(request: Request, client: Client) -> FilledProject:
    """A project that has changed, as far as the server knows."""
    project: FilledProject = request.getfixturevalue(request.param)
    touch(client, project.id)
    return project


@FORMATS
def test_our_round_trip_loses_nothing(was: FilledProject, archive_format, sdk: Sdk, versions: Versions):
    made = versions.create(was.id, archive_format=archive_format)

    restored = versions.restore(was.id, made.version_id, verify="full")

    assert made.archive_format == archive_format
    assert_same(sdk(f"read_{was.type}", project_id=restored.project_id), was.content)


@FORMATS
def test_the_sdk_restores_what_we_made(
    was: FilledProject, archive_format, sdk: Sdk, versions: Versions, tmp_path: Path
):
    made = versions.create(was.id, archive_format=archive_format, vault=tmp_path)

    project_id = sdk("restore", project_id=was.id, version_id=made.version_id)

    found, expected = sdk(f"read_{was.type}", project_id=project_id), was.content
    if was.type == "videos":
        expected = restored_videos_by_sdk(was.content, archive_format)
        for video in found["videos"].values():
            del video["as the SDK sees it"]
    assert_same(found, expected)


@MAKERS
def test_we_restore_what_the_sdk_made(was: FilledProject, command, sdk: Sdk, versions: Versions):
    version_id = sdk(command.format(was.type), project_id=was.id)

    restored = versions.restore(was.id, version_id, verify="full")

    assert not restored.skipped
    found = sdk(f"read_{was.type}", project_id=restored.project_id)
    assert_same(found, archived_videos_by_sdk(was.content) if was.type == "videos" else was.content)
    if was.type == "volumes":
        # Older clients wrote annotations of large datasets to the wrong volumes; no archive tells.
        flagged = ["scans/scans" in warning for warning in restored.warnings]
        assert flagged == ([] if command == "create" else [True])


def test_masks_that_the_sdk_cannot_version_come_back_from_ours(
    sdk: Sdk, client: Client, versions: Versions, tmp_path: Path
):
    project_id = make_volume_project(client, tmp_path)
    assert sdk("create", project_id=project_id) is None

    restored = versions.restore(project_id, versions.create(project_id).version_id, verify="full")

    assert_same(read_volumes(client, restored.project_id), read_volumes(client, project_id))


@pytest.mark.parametrize(("one", "other"), [("filmed", "views"), ("scanned", "scanned")])
def test_a_comparison_counts_on_both_sides_what_the_sdk_reads(
    one, other, request: Request, versions: Versions, client: Client
):
    before, after = (request.getfixturevalue(name) for name in (one, other))
    touch(client, before.id)
    made = versions.create(before.id)

    diff = versions.compare(before.id, f"id:{made.version_id}", "live", other_project_id=after.id)

    for when, project in (("before", before), ("after", after)):
        items = project.content[project.type].values()
        side = getattr(diff, when).counts
        assert side[project.type] == len(items)
        assert side["objects"] == sum(len(item["objects"]) for item in items)
        assert side["figures"] == sum(map(count_figures, items))
        assert side["tags"] == sum(
            len(item["tags"]) + sum(len(tags) for _, tags in item["objects"]) for item in items
        )
        assert sum(getattr(entry, when) for entry in diff.by_class.values()) == side["figures"]
        assert sum(getattr(entry, when) for entry in diff.by_tag.values()) == side["tags"]


def count_figures(item: dict[str, Any]) -> int:
    return sum(len(item.get(part, ())) for part in ("figures", "slices", "spatial"))
