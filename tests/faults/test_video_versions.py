"""Versions of video projects, and what goes wrong with them."""

from __future__ import annotations

import pytest

from tests.support.compare import assert_same
from tests.support.video_projects import make_video_project, read_videos, write_videos


@pytest.fixture(scope="session")
def films(tmp_path_factory):
    return write_videos(tmp_path_factory.mktemp("films"), 4)


@pytest.fixture
def video_project(client, films):
    return make_video_project(client, films[:3])


FORMATS = pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])


@FORMATS
def test_a_video_project_comes_back_as_it_was(archive_format, client, versions, video_project):
    made = versions.create(video_project, archive_format=archive_format)

    restored = versions.restore(video_project, made.version_id, verify="full")

    assert made.counts == {"datasets": 1, "videos": 3, "objects": 4, "figures": 14, "tags": 12}
    assert restored.counts == made.counts
    assert_same(read_videos(client, restored.project_id), read_videos(client, video_project))
