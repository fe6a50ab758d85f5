"""The official SDK, unmodified, fills, versions, restores and reads back volume projects."""

import json
from typing import Any

import pytest

from airflow_sv_versioning.server.run import ServerInfo
from tests.support.sdk import run_script

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def seen(server: ServerInfo, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the SDK saw."""
    answer = tmp_path_factory.mktemp("sdk") / "answer.json"
    run_script("server_volumes.py", server.url, server.token, answer)
    return json.loads(answer.read_text())


def test_the_sdk_uploads_arrays_files_and_dicom_series(seen: Any) -> None:
    uploaded = seen["uploaded"]
    assert {name: volume["sizes"] for name, volume in uploaded.items()} == {
        "array.nrrd": [4, 5, 6],
        "file.nrrd": [4, 5, 6],
        "slice.nrrd": [128, 128, 1],
        "series.nrrd": [7, 16, 16],
    }
    assert all(volume["size"] > 100 for volume in uploaded.values())
    assert uploaded["slice.nrrd"]["meta"]["modality"] == "CT"
    assert uploaded["array.nrrd"]["meta"]["origin"] == [0, -1, 2.5]
    assert seen["source"]["array.nrrd"]["hash"] == seen["source"]["file.nrrd"]["hash"]


def test_the_sdk_reads_back_what_it_wrote(seen: Any) -> None:
    found = seen["source"]["array.nrrd"]["annotation"]
    assert found["tags"] == [["text", "first"], ["text", "second"]]
    assert found["objects"] == [["anything", []], ["box", ["side"]], ["organ", []]]
    assert [(plane, index, custom) for plane, index, _, custom in found["slices"]] == [
        ("sagittal", 3, {"plane": "sagittal"}),
        ("coronal", 0, {"plane": "coronal"}),
        ("coronal", 4, {"plane": "coronal"}),
        ("axial", 1, {}),
        ("axial", 5, {"plane": "axial"}),
    ]
    organ = found["masks"][1]
    assert organ[0] == "organ"
    assert sum(voxel for plane in organ[1] for row in plane for voxel in row) == 6
    assert organ[2] == ["right-anterior-superior", [0, -1, 2], [[1, 0, 0], [0, 1, 0], [0, 0, 2.5]]]


def test_the_sdk_versions_a_project_of_volumes_once(seen: Any) -> None:
    first, again = seen["versions"]
    assert first == again
    assert isinstance(first, int)


@pytest.mark.parametrize("copy", ["restored", "clone"])
def test_the_sdk_finds_the_same_in_every_copy(seen: Any, copy: str) -> None:
    assert seen[copy] == seen["source"]


def test_the_sdk_sees_slices(seen: Any) -> None:
    height, width, _ = seen["slice"]
    assert (width, height) == (4, 5)


def test_the_sdk_downloads_volumes_with_their_masks(seen: Any) -> None:
    names = sorted(seen["source"])
    assert [name for kind, name in seen["files"] if kind == "volume"] == names
    assert seen["mask files"] == 2
