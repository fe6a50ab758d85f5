"""Masks in every space and of every type, and meshes, that the official SDK restores from our archives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airflow_sv_versioning.project_types.volumes.nrrd import read_nrrd
from tests.support.compare import assert_same
from tests.support.projects import touch
from tests.support.types import Client, Sdk, Versions
from tests.support.volumes import SIZES, figures_in_space, make_masks_project, masks, nrrd, read_volumes

pytestmark = pytest.mark.sdk

STRAIGHT = [[1.0, 0, 0], [0, 1.5, 0], [0, 0, 2.5]]
TURNED = [[0.8, 0.6, 0], [-0.6, 0.8, 0], [0, 0, 2.5]]
FAR_TURNED = [[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, 2.5]]  # by more than 45 degrees
FAR_VOLUME = [0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0, 1]
IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1]
NOISE = np.random.default_rng(7).integers(0, 2, SIZES).astype(np.uint8)
STL = b"solid mesh\nendsolid mesh\n"
FORMATS = pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])


def voxels_by_kind(client, project_id) -> dict[str, Any]:
    """Read the masks of a project: kind -> voxels, space, directions, origin."""
    found = {}
    for figure, content in figures_in_space(client, project_id):
        mask = read_nrrd(content or b"", "it")
        found[figure["customData"]["kind"]] = (mask.voxels.tolist(), mask.space, mask.directions, mask.origin)
    return found


@FORMATS
@pytest.mark.parametrize(
    ("directions", "of_volume"),
    [(STRAIGHT, IDENTITY), (TURNED, IDENTITY), (FAR_TURNED, FAR_VOLUME)],
    ids=["straight", "turned", "far turned"],
)
def test_masks_in_other_spaces_come_back_as_from_the_sdks_own_archives(
    directions, of_volume, archive_format, sdk: Sdk, client: Client, versions: Versions, tmp_path: Path
):
    contents = {
        space: nrrd(NOISE, directions=directions, space=space)
        for space in ("left-posterior-superior", "left-anterior-superior", "RAS")
    }
    project_id = make_masks_project(client, tmp_path, contents, directions=of_volume)
    theirs = sdk("create", project_id=project_id)
    touch(client, project_id)
    ours = versions.create(project_id, archive_format=archive_format)

    by_ours, by_theirs = (
        voxels_by_kind(client, sdk("restore", project_id=project_id, version_id=version_id))
        for version_id in (ours.version_id, theirs)
    )

    assert_same(by_ours, by_theirs)
    # What the SDK turned, we leave as it was.
    restored = versions.restore(project_id, ours.version_id, verify="full")
    assert_same(read_volumes(client, restored.project_id), read_volumes(client, project_id))


@FORMATS
def test_the_sdk_restores_masks_of_every_type_from_our_archives(
    archive_format, sdk: Sdk, client: Client, versions: Versions, tmp_path: Path
):
    contents = {**masks(), "far": nrrd(NOISE, directions=FAR_TURNED)}
    project_id = make_masks_project(client, tmp_path, contents)
    made = versions.create(project_id, archive_format=archive_format)

    restored = sdk("restore", project_id=project_id, version_id=made.version_id)

    found = voxels_by_kind(client, restored)
    for kind, (voxels, space, directions, origin) in voxels_by_kind(client, project_id).items():
        # The SDK holds the origins of masks in whole millimetres.
        shown = ((np.array(voxels) != 0).astype(int).tolist(), space, directions, tuple(map(round, origin)))
        assert found[kind] == shown, kind


def test_we_restore_oblique_masks_whose_axes_the_sdk_put_in_another_order(
    sdk: Sdk, client: Client, versions: Versions, tmp_path: Path
):
    contents = {"far": nrrd(NOISE, directions=FAR_TURNED)}
    project_id = make_masks_project(client, tmp_path, contents, directions=FAR_VOLUME)
    version_id = sdk("create", project_id=project_id)

    ours = versions.restore(project_id, version_id)
    theirs = sdk("restore", project_id=project_id, version_id=version_id)

    assert np.shape(voxels_by_kind(client, ours.project_id)["far"][0]) == (5, 4, 6)
    assert_same(voxels_by_kind(client, ours.project_id), voxels_by_kind(client, theirs))


@FORMATS
def test_meshes_keep_their_files_with_us_and_their_figures_with_the_sdk(
    archive_format, sdk: Sdk, client: Client, versions: Versions, tmp_path: Path
):
    project_id = make_masks_project(client, tmp_path, {"mesh": STL}, "closed_surface_mesh")
    made = versions.create(project_id, archive_format=archive_format)

    ours = versions.restore(project_id, made.version_id, verify="full")
    theirs = sdk("restore", project_id=project_id, version_id=made.version_id)

    [(figure, content)] = figures_in_space(client, ours.project_id)
    assert (figure["geometryType"], figure["customData"], content) == (
        "closed_surface_mesh",
        {"kind": "mesh"},
        STL,
    )
    [(figure, content)] = figures_in_space(client, theirs)
    assert (figure["geometryType"], content) == ("closed_surface_mesh", None)


def test_the_mesh_that_the_sdk_left_out_of_its_version_is_left_out_by_us_too(
    sdk: Sdk, client: Client, versions: Versions, tmp_path: Path
):
    project_id = make_masks_project(client, tmp_path, {"mesh": STL}, "closed_surface_mesh")
    version_id = sdk("create", project_id=project_id)

    restored = versions.restore(project_id, version_id)

    [(figure, content)] = figures_in_space(client, restored.project_id)
    assert (figure["geometryType"], content) == ("closed_surface_mesh", None)
