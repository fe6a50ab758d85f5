"""What the server learns from a video file."""

import sys
from pathlib import Path

import pytest

from airflow_sv_versioning.server.behaviour.video_files import probe_video
from tests.support.api import Api, details_of, png
from tests.support.media import hash_of
from tests.support.types import Patch
from tests.support.video_api import VideoProject, upload, video_project
from tests.support.videos import real_video, write_video


@pytest.fixture
def project(api: Api) -> VideoProject:
    return video_project(api)


def test_a_real_video_is_known_by_its_frames(api: Api):
    path = real_video()
    answer = upload(api, path)[0]
    assert answer["hash"] == hash_of(path.read_bytes())
    assert api.call("images.internal.hashes.list", [answer["hash"]]) == [answer["hash"]]
    listed = api.call("import-storage.internal.meta.list", {"hashes": [answer["hash"]]})[0]
    stream = listed["meta"]["streams"][0]
    assert (listed["hash"], listed["meta"]["size"]) == (answer["hash"], path.stat().st_size)
    assert (stream["codecType"], stream["codecName"], stream["index"]) == ("video", "h264", 0)
    assert (stream["width"], stream["height"], stream["framesCount"]) == (176, 144, 120)
    assert stream["framesToTimecodes"][:3] == [0.0, 0.033367, 0.066733]
    assert len(stream["framesToTimecodes"]) == 120


@pytest.mark.parametrize("name", ["carphone_distorted.mp4", "bikes.mp4", "bigbuckbunny.mp4"])
def test_frames_and_their_times_are_those_that_a_player_shows(name: str):
    import av

    path = real_video(name)
    with av.open(str(path)) as container:
        shown = [round(float(frame.pts * frame.time_base), 6) for frame in container.decode(video=0)]
    facts = probe_video(path, path.stat().st_size)
    assert facts is not None
    assert facts["streams"][0]["framesToTimecodes"] == shown


def test_sound_is_a_stream_but_no_video(api: Api):
    blob_hash = upload(api, real_video("bigbuckbunny.mp4"))[0]["hash"]
    meta = api.call("import-storage.internal.meta.list", {"hashes": [blob_hash]})[0]["meta"]
    assert [stream["codecType"] for stream in meta["streams"]] == ["video", "audio"]


@pytest.mark.parametrize("extension", ["mp4", "mkv", "avi", "mov"])
def test_containers_of_all_kinds_are_read(project: VideoProject, tmp_path: Path, extension: str):
    video = project.info(project.add(path=write_video(tmp_path / f"v.{extension}", 7)))
    assert (video["fileMeta"]["framesCount"], video["fileMeta"]["width"]) == (7, 64)
    assert video["mime"].startswith("video/")


def test_frames_need_not_be_evenly_spread(project: VideoProject, tmp_path: Path):
    path = write_video(tmp_path / "v.mp4", 4, times=[0, 5, 6, 50])
    assert project.info(project.add(path=path))["fileMeta"]["framesToTimecodes"] == [0.0, 0.2, 0.24, 2.0]


def test_a_video_that_players_turn_has_the_size_that_they_show(api: Api, tmp_path: Path):
    import av

    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        if not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV cannot write turned videos")
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(90)
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())
    project = video_project(api)
    meta = project.info(project.add(path=path))["fileMeta"]
    assert (meta["width"], meta["height"]) == (48, 64)


def test_each_video_stream_can_be_an_item(api: Api, project: VideoProject, tmp_path: Path):
    path = write_video(tmp_path / "v.mkv", 3, streams=2)
    first, second = (project.add(path=path, meta={"videoStreamIndex": index}) for index in (0, 1))
    assert [project.info(video)["fileMeta"]["width"] for video in (first, second)] == [64, 80]
    blob_hash = project.info(first)["hash"]
    video = {"title": "third.mkv", "hash": blob_hash, "meta": {"videoStreamIndex": 2}}
    body = {"datasetId": project.dataset_id, "videos": [video]}
    assert "third.mkv" in api.refuse("videos.bulk.add", body)["message"]


@pytest.mark.parametrize("content", [b"", b"no video", png()])
def test_what_is_no_video_is_answered_with_its_error_and_not_kept(api: Api, tmp_path: Path, content: bytes):
    path = tmp_path / "v.mp4"
    path.write_bytes(content)
    refused, taken = upload(api, path, real_video())
    assert "not a video" in refused["errors"][0]["message"]
    assert taken["hash"] == hash_of(real_video().read_bytes())
    assert not api.call("images.internal.hashes.list", [hash_of(content + b"!")])


def test_a_cut_off_video_is_refused(api: Api, tmp_path: Path):
    path = tmp_path / "v.mp4"
    path.write_bytes(real_video("bikes.mp4").read_bytes()[:2000])
    assert "errors" in upload(api, path)[0]


def test_a_video_that_came_as_another_kind_of_file_is_looked_into_when_it_is_added(
    api: Api, project: VideoProject, tmp_path: Path
):
    content = write_video(tmp_path / "v.mp4", 6, seed=99).read_bytes()
    video = {"title": "v.mp4", "hash": api.upload(content)}
    added = api.call("videos.bulk.add", {"datasetId": project.dataset_id, "videos": [video]})[0]
    assert added["fileMeta"]["framesCount"] == 6


def test_an_uploaded_image_is_no_video(api: Api):
    project, blob_hash = video_project(api), api.upload(png())
    body = {"datasetId": project.dataset_id, "videos": [{"title": "v.mp4", "hash": blob_hash}]}
    assert api.refuse("videos.bulk.add", body)["hashes"] == [blob_hash]
    api.refuse("import-storage.internal.meta.list", {"hashes": [blob_hash]})


def test_without_pyav_videos_are_refused_by_the_name_of_the_extra(
    api: Api, project: VideoProject, monkeypatch: Patch
):
    blob_hash = upload(api, real_video())[0]["hash"]
    monkeypatch.setitem(sys.modules, "av", None)
    answer = api.session.post(
        api.url("videos.bulk.upload"), files={"0-file": ("0", b"x", "video/*")}, timeout=30
    )
    assert answer.status_code == 400
    assert "airflow-sv-versioning[video]" in details_of(answer)["message"]
    body = {"datasetId": project.dataset_id, "videos": [{"title": "v.mp4", "hash": blob_hash}]}
    assert "airflow-sv-versioning[video]" in api.refuse("videos.bulk.add", body)["message"]
    assert api.images(api.project().dataset_id, ["a.png"])
