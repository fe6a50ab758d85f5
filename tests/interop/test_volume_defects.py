"""What the official SDK does to volumes; tests of ours show that our versions of them do not."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.projects import count_projects
from tests.support.proxy import refuse
from tests.support.sdk import SdkError
from tests.support.types import Client, Sdk, Server, TempFolders, Wire
from tests.support.volumes import SIZES, make_masks_project, nrrd, on_slices

pytestmark = pytest.mark.sdk

NOISE = nrrd(np.random.default_rng(7).integers(0, 2, SIZES).astype(np.uint8))


@pytest.fixture(scope="module")
def project(server: Server, tmp_path_factory: TempFolders) -> int:
    """A volume with a description, figures between pixels, and a mask. Tests may not change it."""

    with Client(server.url, server.token) as client:
        project_id = make_masks_project(client, tmp_path_factory.mktemp("volume"), {"noise": NOISE})
        client.projects.update_settings(project_id, {"allowDuplicateTags": True})
        volume, annotation = only_volume(client, project_id)
        client.volumes.describe(volume["id"], "Описание")
        client.volumes.add_figures(volume["id"], list(on_slices(annotation["objects"][0]["id"])))
    return project_id


def only_volume(client, project_id):
    [dataset] = client.datasets.list_all(project_id)
    [[volume]] = client.volumes.iter_pages(dataset.id)
    return volume, client.volumes.get_annotations(dataset.id, [volume["id"]])[0]


@pytest.fixture(scope="module")
def versioned(sdk: Sdk, server: Server, project: int) -> int:
    """A version made by the SDK."""
    return sdk("create", project_id=project)


def test_it_loses_descriptions_settings_and_parts_of_pixels(
    sdk: Sdk, client: Client, project: int, versioned: int
):
    copy = sdk("restore", project_id=project, version_id=versioned)

    volume, annotation = only_volume(client, copy)
    figures = [
        figure for plane in annotation["planes"] for piece in plane["slices"] for figure in piece["figures"]
    ]
    assert not volume["description"]
    assert not client.projects.get(copy).settings.get("allowDuplicateTags")
    corners = [corner for f in figures for point in f["geometry"]["points"]["exterior"] for corner in point]
    assert all(corner == int(corner) for corner in corners)
    notes = client.figures.iter_notes(volume["datasetId"], [volume["id"]])
    assert not any(note["description"] for note in notes)
    assert client.projects.get(copy).custom_data["restored_from"]["version_num"] is None


def test_it_sends_ids_of_the_source_in_geometries(sdk: Sdk, wire: Wire, project: int, versioned: int):
    sdk.at(wire.url)("restore", project_id=project, version_id=versioned)

    sent = [figure for request in wire.seen("figures.bulk.add") for figure in request.json["figures"]]
    assert any("id" in figure.get("geometry", {}) for figure in sent)


def test_it_does_not_look_for_volumes_that_are_gone_and_leaves_half_a_project(
    sdk: Sdk, client: Client, wire: Wire, project: int, versioned: int
):
    projects = count_projects(client)
    wire.always("volumes.bulk.add", refuse(400, "1 hashes are not stored"))

    with pytest.raises(SdkError, match="400"):
        sdk.at(wire.url)("restore", project_id=project, version_id=versioned, skip_missed_entities=True)

    assert not wire.seen("images.internal.hashes.list")
    assert count_projects(client) == projects + 1


def test_it_cannot_read_a_small_mask_from_memory(sdk: Sdk, tmp_path: Path):
    (tmp_path / "mask.nrrd").write_bytes(NOISE)

    with pytest.raises(SdkError):
        sdk("read_mask", path=str(tmp_path / "mask.nrrd"))
