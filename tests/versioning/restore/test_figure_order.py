"""Figures of an item keep their order, which is their depth, however a restore goes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.compare.differences import find_differences
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter
from airflow_sv_versioning.versioning import ProjectVersions
from tests.support.compare import assert_same
from tests.support.projects import make_project, read_images
from tests.support.proxy import Exchange, Fault, FaultProxy, Reply, lose_answer

# With two boxes each, more than one request of figures.
IMAGES = 130
ONE, TWO = {"geometry_json": '{"a":1}'}, {"geometry_json": '{"a":2}'}


@pytest.fixture
def labelled_in_passes(client: SuperviselyClient, photos: list[Path], tmp_path: Path) -> int:
    """A project whose images get their first box before any gets its second."""
    files = [tmp_path / f"{number:03}.png" for number in range(IMAGES)]
    for number, file in enumerate(files):
        file.symlink_to(photos[number % 2])
    return make_project(client, files)


@pytest.mark.parametrize(
    "then", [lambda exchange: exchange.forward(), lose_answer()], ids=["late", "late_and_lost"]
)
def test_a_request_that_another_one_overtakes_changes_no_order(
    then: Fault,
    labelled_in_passes: int,
    wire: FaultProxy,
    wired: ProjectVersions,
    versions: ProjectVersions,
    client: SuperviselyClient,
):
    made = versions.create(labelled_in_passes)
    overtaken = threading.Event()

    def pass_by(exchange: Exchange) -> Reply:
        reply = exchange.forward()
        overtaken.set()
        return reply

    def wait(exchange: Exchange) -> Reply | None:
        assert overtaken.wait(60)
        return then(exchange)

    wire.on("figures.bulk.add", wait, pass_by)
    restored = wired.restore(labelled_in_passes, made.version_id, verify="full")

    assert_same(read_images(client, restored.project_id), read_images(client, labelled_in_passes))


@pytest.fixture(params=["images", "videos", "volumes"])
def snapshot_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Snapshot]:
    """Write a snapshot of one item with figures."""
    project_type = request.param
    owner = {f"src_{project_type[:-1]}_id": 5}
    places: dict[str, dict[str, Any]] = {
        "videos": {"frame_index": 2},
        "volumes": {"plane_name": "axial", "slice_index": 2},
    }
    common = {**owner, "geometry_type": "rectangle", **places.get(project_type, {})}
    rows = {
        "datasets": [{"src_dataset_id": 1, "name": "d"}],
        project_type: [{**owner, "src_dataset_id": 1, "name": "i", "hash": "h"}],
    }
    if project_type != "images":
        rows["objects"] = [{**owner, "src_object_id": 9, "class_name": "c"}]
        common["src_object_id"] = 9

    def write(*figures: dict[str, Any]) -> Snapshot:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        with SnapshotWriter(folder, project_type) as writer:
            for table, found in {**rows, "figures": [{**common, **figure} for figure in figures]}.items():
                writer.append(table, found)
            return writer.finish({"name": "p", "custom_data": {}}, {"classes": [], "tags": []})

    return write


def test_a_comparison_sees_that_figures_changed_their_order(snapshot_of: Callable[..., Snapshot]) -> None:
    assert find_differences(snapshot_of(ONE, TWO), snapshot_of(TWO, ONE)) == [
        "1 item changed",
        "1 figure reordered, such as d/i",
    ]


@pytest.mark.parametrize("snapshot_of", ["videos", "volumes"], indirect=True)
def test_figures_on_different_frames_or_slices_have_no_order(snapshot_of: Callable[..., Snapshot]) -> None:
    far = {**TWO, "frame_index": 3, "slice_index": 3}
    far.pop("frame_index" if "plane_name" in snapshot_of(ONE).read("figures").column_names else "slice_index")

    assert find_differences(snapshot_of(ONE, far), snapshot_of(far, ONE)) == []
