"""Versions of volumes, made and restored by us and by the official SDK; it tells what is equal."""

from pathlib import Path

import pytest

from tests.interop.conftest import FilledProject
from tests.support.compare import assert_same
from tests.support.projects import touch
from tests.support.types import Client, Sdk, Server, Versions
from tests.support.volumes import make_volume_project, read_volumes

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

MANY = 120  # more than two batches of the platform
FORMATS = pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])
MAKERS = pytest.mark.parametrize("command", ["create", "create_older_volumes"], ids=["v2.1.0", "v2.0.0"])


@pytest.fixture(scope="module")
def scanned(sdk: Sdk, server: Server):
    """A real DICOM series, oblique volumes, equal names, many volumes. Tests may not change it."""
    project_id = sdk("fill_volumes", workspace_id=server.workspace_id, name="scanned", many=MANY)
    return FilledProject(project_id, sdk("read_volumes", project_id=project_id))


@FORMATS
def test_our_round_trip_loses_nothing(scanned, archive_format, sdk: Sdk, client: Client, versions: Versions):
    touch(client, scanned.id)
    made = versions.create(scanned.id, archive_format=archive_format)

    restored = versions.restore(scanned.id, made.version_id, verify="full")

    assert made.archive_format == archive_format
    assert_same(sdk("read_volumes", project_id=restored.project_id), scanned.content)


@FORMATS
def test_the_sdk_restores_what_we_made(
    scanned, archive_format, sdk: Sdk, client: Client, versions: Versions, tmp_path: Path
):
    touch(client, scanned.id)
    made = versions.create(scanned.id, archive_format=archive_format, media_store=tmp_path)

    project_id = sdk("restore", project_id=scanned.id, version_id=made.version_id)

    assert_same(sdk("read_volumes", project_id=project_id), scanned.content)


@MAKERS
def test_we_restore_what_the_sdk_made(scanned, command, sdk: Sdk, client: Client, versions: Versions):
    touch(client, scanned.id)
    version_id = sdk(command, project_id=scanned.id)

    restored = versions.restore(scanned.id, version_id, verify="full")

    assert_same(sdk("read_volumes", project_id=restored.project_id), scanned.content)
    # Older clients wrote annotations of large datasets to the wrong volumes; no archive tells.
    flagged = ["scans/scans" in warning for warning in restored.warnings]
    assert flagged == ([True] if command == "create_older_volumes" else [])


def test_masks_that_the_sdk_cannot_version_come_back_from_ours(
    sdk: Sdk, client: Client, versions: Versions, tmp_path: Path
):
    project_id = make_volume_project(client, tmp_path)
    assert sdk("create", project_id=project_id) is None

    restored = versions.restore(project_id, versions.create(project_id).version_id, verify="full")

    assert_same(read_volumes(client, restored.project_id), read_volumes(client, project_id))
