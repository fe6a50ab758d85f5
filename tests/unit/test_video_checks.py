"""What is found wrong with annotations of videos, however their rows are cut into batches."""

from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.references import check_references
from airflow_sv_versioning.project_types.videos.digests import integrity_lines
from airflow_sv_versioning.snapshot import tables
from tests.support.video_archives import tag, video_rows, write_video_snapshot

ONE_AT_A_TIME = pytest.mark.parametrize("batch_rows", [1, tables.BATCH_ROWS])


@pytest.fixture(autouse=True)
def in_batches(batch_rows, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "BATCH_ROWS", batch_rows)


def check(snapshot):
    check_references(snapshot)


@ONE_AT_A_TIME
def test_tags_without_frames_are_in_order(tmp_path: Path) -> None:
    whole = [tag(71, "item", 31, 31, "день"), tag(72, "object", 41, 31, 1.5)]
    snapshot = write_video_snapshot(tmp_path, {**video_rows(), "tags": whole})

    check(snapshot)

    assert len(list(integrity_lines(snapshot))) == 3


@ONE_AT_A_TIME
@pytest.mark.parametrize("table", ["objects", "figures", "tags"])
def test_a_table_without_rows_is_in_order(table, tmp_path: Path) -> None:
    needing = {"objects": ("objects", "figures", "tags"), "figures": ("figures",), "tags": ("tags",)}
    snapshot = write_video_snapshot(tmp_path, {**video_rows(), **{name: [] for name in needing[table]}})

    check(snapshot)

    assert len(list(integrity_lines(snapshot))) == 3


@ONE_AT_A_TIME
@pytest.mark.parametrize("span", [(0, 10), (-1, 3), (4, None)])
def test_a_tag_on_frames_that_its_video_lacks_is_named(span, tmp_path: Path) -> None:
    whole = tag(72, "item", 31, 31, None)
    snapshot = write_video_snapshot(
        tmp_path, {**video_rows(), "tags": [whole, tag(71, "item", 31, 31, "день", *span), whole]}
    )

    with pytest.raises(FormatError, match=r"'a/b/кот\.mp4' \(id 31\) .* tag 'scene' is on frames"):
        check(snapshot)


@ONE_AT_A_TIME
def test_videos_that_tell_no_number_of_frames_bound_nothing(tmp_path: Path) -> None:
    rows = video_rows()
    videos = [{**video, "frames_count": None} for video in rows["videos"]]
    snapshot = write_video_snapshot(tmp_path, {**rows, "videos": videos})

    check(snapshot)
