"""A video of thousands of frames and figures, versioned and restored by us and by the official SDK."""

import pytest

from airflow_sv_versioning.client.batches import batches
from tests.interop.conftest import FilledProject
from tests.support.compare import assert_same
from tests.support.lost_by_sdk import archived_videos_by_sdk, restored_videos_by_sdk
from tests.support.projects import touch
from tests.support.types import Client, Sdk, Server, TempFolders, Versions
from tests.support.video_projects import box, make_video_project
from tests.support.videos import write_video

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

FRAMES, FIGURES = 3_000, 8_000


@pytest.fixture(scope="module")
def long(sdk: Sdk, server: Server, tmp_path_factory: TempFolders):
    """A project of one such video. Tests may version it, but not change it."""
    film = write_video(tmp_path_factory.mktemp("film") / "long.mp4", FRAMES)
    with Client(server.url, server.token) as client:
        project_id = make_video_project(client, [])
        client.projects.update_settings(project_id, {"allowDuplicateTags": False})
        dataset_id = client.datasets.add(project_id, "long").id
        (video,) = client.videos.upload(dataset_id, [(film.name, film)])
        classes = client.projects.get_meta(project_id)["classes"]
        owners = client.objects.add(
            dataset_id, [{"classId": entry["id"], "entityId": video["id"]} for entry in classes * 5]
        )
        figures = [
            {
                "objectId": owners[number % len(owners)],
                "geometryType": "rectangle",
                "geometry": box(number % 7 + 0.125, 1.5, 50, 40.25),
                "meta": {"frame": number * FRAMES // FIGURES},
            }
            for number in range(FIGURES)
        ]
        for part in batches(figures, 5000):
            client.videos.add_figures(video["id"], part)
    return FilledProject(project_id, read(sdk, server, project_id))


def read(sdk, server, project_id):
    return sdk("read_videos", project_id=project_id, seen=False)


@pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])
def test_a_long_video_of_ours_comes_back_whole(
    archive_format, sdk: Sdk, server: Server, client: Client, versions: Versions, long
):
    touch(client, long.id)
    made = versions.create(long.id, archive_format=archive_format, capture="full")

    ours = versions.restore(long.id, made.version_id)
    theirs = sdk("restore", project_id=long.id, version_id=made.version_id)

    assert ours.counts["figures"] == FIGURES
    assert_same(read(sdk, server, ours.project_id), long.content)
    assert_same(read(sdk, server, theirs), restored_videos_by_sdk(long.content, archive_format))


@pytest.mark.parametrize("command", ["create", "create_older_videos"], ids=["v2.1.0", "v2.0.0"])
def test_a_long_video_of_the_sdks_comes_back_whole(
    command, sdk: Sdk, server: Server, client: Client, versions: Versions, long
):
    touch(client, long.id)
    version_id = sdk(command, project_id=long.id)

    restored = versions.restore(long.id, version_id)

    assert_same(read(sdk, server, restored.project_id), archived_videos_by_sdk(long.content))
