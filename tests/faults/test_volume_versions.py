"""Versions of volumes: both formats, lost answers, volumes that are gone, damaged annotations."""

from __future__ import annotations

import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import UnsupportedProjectError
from tests.support.compare import assert_same
from tests.support.projects import touch
from tests.support.volumes import make_volume_project, read_volumes

FORMATS = pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])
MANY = 120  # more than two batches of the platform


@pytest.fixture(scope="module")
def project(server, tmp_path_factory) -> int:
    """A project with every case. Tests may version it, but not change it."""
    with SuperviselyClient(server.url, server.token) as client:
        return make_volume_project(client, tmp_path_factory.mktemp("volumes"), plain=MANY)


@FORMATS
def test_a_round_trip_loses_nothing(project, archive_format, client, versions):
    touch(client, project)
    made = versions.create(project, archive_format=archive_format)

    restored = versions.restore(project, made.version_id, verify="full")

    assert made.archive_format == archive_format
    assert made.counts == {"datasets": 2, "volumes": 124, "objects": 16, "figures": 22, "tags": 128}
    assert restored.warnings == ()
    assert_same(read_volumes(client, restored.project_id), read_volumes(client, project))
    told = client.projects.get(restored.project_id).custom_data
    assert told["scanner"] == {"номер": 7}
    assert told["restored_from"]["version_num"] == made.version_num


def test_a_second_version_of_an_unchanged_project_is_the_first(project, versions):
    first = versions.create(project)

    assert versions.create(project).version_id == first.version_id


def test_a_preview_is_refused_as_on_the_platform(project, versions):
    made = versions.create(project)

    with pytest.raises(UnsupportedProjectError, match="previews exist for images and videos"):
        versions.enable_preview(project, made.version_id)
