"""Originals of volumes and their normalisation, where no official client is at hand to compare with."""

from pathlib import Path

import numpy as np
import pytest

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.volumes.nrrd import read_nrrd
from airflow_sv_versioning.project_types.volumes.upload import normalise_to_ras
from tests.support.volumes import meta_of, nrrd

VOXELS = np.arange(24).reshape(2, 3, 4).astype("<i2")
STRAIGHT = [[1.0, 0, 0], [0, 1.5, 0], [0, 0, 2.5]]
LPS = "left-posterior-superior"


@pytest.fixture
def written(tmp_path: Path):
    """A function that writes an original and normalises it."""

    def write(content: bytes, meta=None):
        (tmp_path / "original").write_bytes(content)
        geometry = normalise_to_ras(tmp_path / "original", tmp_path / "made", meta)
        return geometry, (tmp_path / "made").read_bytes()

    return write


def test_axes_to_the_left_and_to_the_back_are_turned_with_their_voxels(written):
    geometry, made = written(nrrd(VOXELS, directions=STRAIGHT, space=LPS))

    found = read_nrrd(made, "it")
    assert (found.voxels == VOXELS[::-1, ::-1]).all()
    assert (found.space, found.origin) == ("right-anterior-superior", (9.5, -3.25, 3.0))
    assert (geometry.sizes, geometry.spacing, geometry.origin) == ((2, 3, 4), (1.0, 1.5, 2.5), found.origin)


def test_what_is_normalised_stays_byte_by_byte_though_it_is_oblique(written):
    _, made = written(nrrd(VOXELS, space=LPS))

    _, again = written(made)

    assert again == made


def test_the_meta_of_a_version_tells_that_a_file_of_another_encoding_is_normalised(written):
    raw = nrrd(VOXELS, "raw")
    spacing = (1.0, 1.5, 2.5019992006393608)
    directions = [0.6, -0.8, 0.03996803836887157, 0.8, 0.6, 0, 0, 0, 0.9992009592217894]

    _, made = written(raw, {"spacing": spacing, "origin": [-10.5, 0.25, 3], "directions": directions})

    old, new = read_nrrd(raw, "it"), read_nrrd(made, "it")
    assert (new.voxels == old.voxels).all()
    assert (new.directions, new.origin, new.space) == (old.directions, old.origin, old.space)


def test_a_file_without_directions_has_its_spacings(written):
    content = nrrd(VOXELS, space_directions="", space="", spacings="1 2 3")

    geometry, _ = written(content)

    assert geometry.spacing == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("content", "meta", "why"),
    [
        (nrrd(VOXELS, "raw")[:-1], None, "original is cut off: it has 47 of 48"),
        (nrrd(VOXELS)[:-9], None, "original is cut off"),
        (nrrd(VOXELS, data_file="voxels.raw"), None, "keeps its voxels elsewhere"),
        (nrrd(VOXELS, directions=[[0, 0, 0], *STRAIGHT[1:]]), None, "one is of no length"),
        (b"DICM", None, "is no NRRD file"),
        (
            nrrd(VOXELS, directions=STRAIGHT),
            meta_of((2, 3, 5)),
            r"its dimensionsIJK are \[2, 3, 4\], not \[2, 3, 5\]",
        ),
    ],
    ids=["cut", "cut in gzip", "elsewhere", "flat", "foreign", "another one"],
)
def test_an_original_that_cannot_be_used_is_named_and_nothing_is_written(content, meta, why, tmp_path: Path):
    (tmp_path / "original").write_bytes(content)

    with pytest.raises(FormatError, match=why):
        normalise_to_ras(tmp_path / "original", tmp_path / "made", meta)

    assert not (tmp_path / "made").exists()
