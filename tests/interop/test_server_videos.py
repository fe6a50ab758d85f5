"""The official SDK, unmodified, fills, versions, restores and reads back video projects."""

import json
from typing import Any

import pytest

from airflow_sv_versioning.server.run import ServerInfo
from tests.support.media import serve_media
from tests.support.sdk import run_script
from tests.support.videos import real_video

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def seen(server: ServerInfo, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the SDK saw."""
    answer = tmp_path_factory.mktemp("sdk") / "answer.json"
    with serve_media(real_video().read_bytes()) as host:
        run_script("server_videos.py", server.url, server.token, real_video(), host.url, answer)
    return json.loads(answer.read_text())


def test_the_sdk_sees_the_frames_of_the_file(seen: Any) -> None:
    first = seen["first"]
    assert (first["frames_count"], first["frame_width"], first["frame_height"]) == (120, 176, 144)
    assert first["frames_to_timecodes"][:3] == [0.0, 0.033367, 0.066733]
    assert first["meta"] == {"videoStreamIndex": 0, "camera": 1}


def test_the_sdk_reads_back_what_it_wrote(seen: Any) -> None:
    uploaded, by_hash, by_link = seen["source"]
    assert by_hash["hash"] == uploaded["hash"]
    assert (by_link["hash"], by_link["frames"]) == (None, uploaded["frames"])
    assert uploaded["custom_data"] == {"a": [1]}
    annotation = uploaded["annotation"]
    assert [figure[0] for figure in annotation["figures"]] == [0, 0, 1, 2, 2, 10, 10, 11, 119]
    assert [tag[2] for tag in annotation["tags"]] == [[0, 10], [5, 20], [7, 7], None]
    assert [tag[3:] for tag in annotation["tags"]][2] == [False, True]
    assert annotation["objects"] == [
        ["box", [["text", "x", [0, 4], True, False], ["text", "y", [5, 9], True, False]]],
        ["area", []],
    ]


def test_the_sdk_versions_a_project_once(seen: Any) -> None:
    first, again = seen["versions"]
    assert first == again
    assert isinstance(first, int)


@pytest.mark.parametrize("copy", ["restored", "preview"])
def test_the_sdk_restores_what_it_versioned(seen: Any, copy: str) -> None:
    assert sorted(seen[copy], key=by_name) == seen["source"]


def test_the_sdk_downloads_files_and_uploads_them_again(seen: Any) -> None:
    assert seen["same_bytes"]
    annotations = [video["annotation"] for video in sorted(seen["uploaded"], key=by_name)]
    assert annotations == [video["annotation"] for video in seen["source"]]


def test_the_sdk_shares_objects_between_views(seen: Any) -> None:
    left, right = seen["views"]
    assert left == [[right[0][0], ["left"]]]
    assert [tags for _, tags in right] == [["right"], []]


def by_name(video: Any) -> str:
    return video["name"]
