"""A video of 20,000 frames with 50,000 figures, as the official SDK sees it."""

from __future__ import annotations

import pytest

from airflow_sv_versioning.client.batches import batches
from tests.support.compare import assert_same
from tests.support.video_projects import box, make_video_project
from tests.support.videos import write_video

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

FRAMES, FIGURES = 20_000, 50_000


def test_a_long_video_comes_back_whole(sdk, server, client, versions, tmp_path):
    film = write_video(tmp_path / "long.mp4", FRAMES)
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

    restored = versions.restore(project_id, versions.create(project_id).version_id)

    assert restored.counts["figures"] == FIGURES
    assert_same(
        sdk.call(server, "read_videos", project_id=restored.project_id),
        sdk.call(server, "read_videos", project_id=project_id),
    )
