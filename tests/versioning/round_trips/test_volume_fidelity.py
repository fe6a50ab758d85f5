"""What others lose of volumes, which versions keep; and what it costs."""

import re
from pathlib import Path

import numpy as np
import pytest

from airflow_sv_versioning.capture import incremental
from airflow_sv_versioning.project_types import volumes
from tests.support.compare import assert_same
from tests.support.projects import touch
from tests.support.proxy import alter
from tests.support.types import Client, Patch, Versions, Wire
from tests.support.volumes import SIZES, make_masks_project, make_volume_project, meta_of, nrrd, read_volumes

FORMATS = pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])
SPECK = nrrd(np.eye(4, 5, dtype=np.uint8)[:, :, None].repeat(6, axis=2))


@pytest.fixture
def project(client: Client, tmp_path: Path) -> int:
    return make_volume_project(client, tmp_path)


@FORMATS
def test_custom_data_and_descriptions_of_figures_come_back(
    archive_format, project: int, client: Client, versions: Versions
):
    made = versions.create(project, archive_format=archive_format)

    restored = versions.restore(project, made.version_id)

    notes = [
        sorted(
            (note["description"], note["customData"])
            for dataset in client.datasets.list_all(project_id)
            for page in client.volumes.iter_pages(dataset.id)
            for note in client.figures.iter_notes(dataset.id, [volume["id"] for volume in page])
        )
        for project_id in (restored.project_id, project)
    ]
    assert notes[0] == notes[1]
    assert ("Срез axial", {"plane": "axial"}) in notes[0]
    assert ("Маска zeros", {"kind": "zeros"}) in notes[0]


@FORMATS
def test_coordinates_between_pixels_come_back(
    archive_format, project: int, client: Client, versions: Versions
):
    made = versions.create(project, archive_format=archive_format)

    restored = read_volumes(client, versions.restore(project, made.version_id).project_id)

    points = [figure["geometry"]["points"]["exterior"] for *_, figure in restored["root/CT/a.nrrd"]["slices"]]
    assert [[0.25, 0.5], [1.125, 2]] in points


def test_settings_of_the_project_come_back(project: int, client: Client, versions: Versions):
    settings = {"allowDuplicateTags": True, "labelingInterface": "multi_view"}
    client.projects.update_settings(project, settings)
    made = versions.create(project)

    restored = versions.restore(project, made.version_id)

    found = client.projects.get(restored.project_id).settings
    assert {key: found[key] for key in settings} == settings


@pytest.fixture
def with_custom_data(client: Client, project: int, tmp_path: Path) -> int:
    """A project with a volume that has custom data of its own."""
    dataset = next(iter(client.datasets.list_all(project)))
    (tmp_path / "own.nrrd").write_bytes(SPECK)
    hashes = client.volumes.store_files([tmp_path / "own.nrrd"])
    own = {"name": "own.nrrd", "hash": hashes[tmp_path / "own.nrrd"], "meta": meta_of(SIZES)}
    client.volumes.add(dataset.id, [{**own, "customData": {"patient": "№ 7"}}])
    return project


@FORMATS
def test_custom_data_of_volumes_comes_back(
    archive_format, with_custom_data: int, client: Client, versions: Versions
):
    made = versions.create(with_custom_data, archive_format=archive_format)

    restored = versions.restore(with_custom_data, made.version_id)

    assert restored.warnings == ()
    assert custom_data_of(client, restored.project_id) == {"own.nrrd": {"patient": "№ 7"}}


def test_custom_data_of_volumes_that_a_server_passes_over_is_told(
    with_custom_data: int, versions: Versions, wire: Wire, wired: Versions
):
    made = versions.create(with_custom_data)
    wire.always("volumes.list", alter(without_custom_data))

    restored = wired.restore(with_custom_data, made.version_id, verify="full")

    [warning] = restored.warnings
    assert re.match(r"The custom data of volume 'own\.nrrd' \(id \d+\) could not be restored", warning)
    assert "{'patient': '№ 7'}" in warning


def without_custom_data(page):
    return {**page, "entities": [{**volume, "customData": {}} for volume in page["entities"]]}


def custom_data_of(client, project_id):
    return {
        volume["name"]: volume["customData"]
        for dataset in client.datasets.list_all(project_id)
        for page in client.volumes.iter_pages(dataset.id)
        for volume in page
        if volume["customData"]
    }


def test_ids_of_the_source_are_not_sent_to_the_new_project(
    project: int, versions: Versions, wire: Wire, wired: Versions
):
    made = versions.create(project)

    wired.restore(project, made.version_id)

    sent = [figure for request in wire.seen("figures.bulk.add") for figure in request.json["figures"]]
    assert len(sent) == made.counts["figures"]
    assert all("id" not in figure and "id" not in figure.get("geometry", {}) for figure in sent)


def test_the_new_project_tells_the_version_that_it_is_of(project: int, client: Client, versions: Versions):
    versions.create(project)
    touch(client, project)
    second = versions.create(project)
    copy = versions.restore(project, second.version_id).project_id
    touch(client, copy)

    # The version of a copy inherits what the copy says of its own origin.
    again = versions.restore(copy, versions.create(copy).version_id).project_id

    origins = [client.projects.get(one).custom_data["restored_from"] for one in (copy, again)]
    assert [(origin["project_id"], origin["version_num"]) for origin in origins] == [(project, 2), (copy, 1)]


def test_small_masks_take_one_request_each_way(client: Client, tmp_path: Path, wire: Wire, wired: Versions):
    contents = {str(number): SPECK for number in range(40)}
    project = make_masks_project(client, tmp_path, contents)

    made = wired.create(project)
    assert len(wire.seen("figures.bulk.download.geometry")) == 1
    restored = wired.restore(project, made.version_id)

    assert len(wire.seen("figures.bulk.upload.geometry")) == 1
    assert len(SPECK) < 500
    assert_same(read_volumes(client, restored.project_id), read_volumes(client, project))


def test_large_masks_take_requests_of_their_own(
    client: Client, tmp_path: Path, monkeypatch: Patch, wire: Wire, wired: Versions
):
    monkeypatch.setattr(volumes, "MASK_BYTES_AT_ONCE", 2 * 4 * 5 * 6)
    project = make_masks_project(client, tmp_path, {str(number): SPECK for number in range(5)})

    wired.create(project)

    assert [len(request.json["ids"]) for request in wire.seen("figures.bulk.download.geometry")] == [2, 2, 1]


def test_a_version_after_a_change_reads_the_changed_volume_and_a_sample(
    client: Client, versions: Versions, tmp_path: Path, monkeypatch: Patch, wire: Wire, wired: Versions
):
    monkeypatch.setattr(incremental, "MIN_SAMPLE", 3)
    project = make_volume_project(client, tmp_path, plain=10)
    versions.create(project)
    dataset = list(client.datasets.list_all(project))[-1]
    changed, *others = [volume["id"] for page in client.volumes.iter_pages(dataset.id) for volume in page]
    client.volumes.describe(changed, "Новое")

    made = wired.create(project, capture="incremental")

    seen = wire.seen("volumes.annotations.bulk.info")
    asked = {volume_id for request in seen for volume_id in request.json["volumeIds"]}
    assert made.capture == "incremental"
    assert changed in asked
    assert len(asked) <= 3 + 1 < len(others)
    restored = versions.restore(project, made.version_id, verify="full")
    assert_same(read_volumes(client, restored.project_id), read_volumes(client, project))
