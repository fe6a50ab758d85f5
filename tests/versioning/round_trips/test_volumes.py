"""Versions of volumes: both formats, lost answers, volumes that are gone, damaged annotations."""

from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.capture.passes import capture_project
from airflow_sv_versioning.exceptions import FormatError, MissingMediaError, UnsupportedProjectError
from airflow_sv_versioning.restore.plan import plan_restore
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.schemas import table_names
from airflow_sv_versioning.snapshot.tables import MASKS
from airflow_sv_versioning.snapshot.writer import SnapshotWriter
from tests.support.compare import assert_same
from tests.support.projects import touch
from tests.support.proxy import lose_answer
from tests.support.types import Client, Server, TempFolders, Versions, Wire
from tests.support.volumes import make_volume_project, read_volumes

FORMATS = pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])
MANY = 120  # more than two batches of the platform


@pytest.fixture(scope="module")
def project(server: Server, tmp_path_factory: TempFolders) -> int:
    """A project with every case. Tests may version it, but not change it."""
    with Client(server.url, server.token) as client:
        return make_volume_project(client, tmp_path_factory.mktemp("volumes"), plain=MANY)


@FORMATS
def test_a_round_trip_loses_nothing(project: int, archive_format, client: Client, versions: Versions):
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


def test_a_second_version_of_an_unchanged_project_is_the_first(project: int, versions: Versions):
    first = versions.create(project)

    assert versions.create(project).version_id == first.version_id


def test_a_preview_is_refused_as_on_the_platform(project: int, versions: Versions):
    made = versions.create(project)

    with pytest.raises(UnsupportedProjectError, match="previews exist for images and videos"):
        versions.enable_preview(project, made.version_id)


@pytest.fixture
def small(client: Client, tmp_path: Path) -> int:
    return make_volume_project(client, tmp_path)


@pytest.mark.parametrize(
    "method",
    [
        "volumes.bulk.add",
        "volumes.tags.bulk.add",
        "annotation-objects.bulk.add",
        "annotation-objects.tags.bulk.add",
        "figures.bulk.add",
        "figures.bulk.upload.geometry",
    ],
)
def test_a_lost_answer_makes_nothing_twice(
    method, small: int, client: Client, wire: Wire, wired: Versions, versions: Versions
):
    made = versions.create(small)
    wire.on(method, lose_answer())

    restored = wired.restore(small, made.version_id, verify="full")

    assert_same(read_volumes(client, restored.project_id), read_volumes(client, small))


def rewritten(client: Client, project_id: int, folder: Path, change: Any) -> Any:
    """Read a project as a snapshot and change its rows."""
    capture = capture_project(client, project_id, folder, on_concurrent_change="fail", progress=Progress())
    base = capture.snapshot
    (folder / "changed").mkdir()
    with SnapshotWriter(folder / "changed", "volumes") as writer:
        for table in table_names("volumes"):
            writer.append(table, [change(table, row) for row in base.read(table).to_pylist()])
        changed = writer.finish(base.project_info, base.project_meta)
    if (base.directory / MASKS).exists():
        (base.directory / MASKS).rename(folder / "changed" / MASKS)
    return changed


@pytest.mark.parametrize(
    ("table", "values", "error", "why"),
    [
        ("volumes", {"hash": None, "link": "s3://a/b"}, MissingMediaError, "have no media"),
        ("figures", {"plane_name": "diagonal"}, FormatError, "'CT/a.nrrd' .* plane 'diagonal'"),
        ("figures", {"slice_index": 6}, FormatError, "slice 6, but the volume has"),
        ("figures", {"src_object_id": 1}, FormatError, "of object 1"),
        (
            "objects",
            {"class_name": "novel"},
            FormatError,
            "16 objects, whose classes .novel. are defined no more",
        ),
        (
            "volumes",
            {"meta": '{"dimensionsIJK":{"x":4,"y":5,"z":7}}'},
            FormatError,
            "has 4x5x6 voxels, the volume 4x5x7",
        ),
    ],
    ids=["no hash", "plane", "slice", "object", "class", "shape"],
)
def test_what_cannot_be_restored_is_named_before_anything_is_made(
    table, values, error, why, small: int, client: Client, tmp_path: Path
):
    snapshot = rewritten(
        client,
        small,
        tmp_path,
        lambda name, row: (
            {**row, **values} if name == table and row.get("geometry_type") != "mask_3d" else row
        ),
    )

    with pytest.raises(error, match=why):
        plan_restore(client, snapshot, 1, "fail", Progress()).check_remedies()
