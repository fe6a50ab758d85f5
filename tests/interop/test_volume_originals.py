"""Originals of volumes, normalised by us and by the official SDK."""

from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.volumes.upload import normalise_to_ras, upload_slices
from tests.support.types import Client, Sdk, Server, TempFolders, Wire
from tests.support.volumes import nrrd

pytestmark = pytest.mark.sdk

SPACES = {
    "ras": "right-anterior-superior",
    "las": "left-anterior-superior",
    "lps": "left-posterior-superior",
    "short": "LPS",
    "scanner": "scanner-xyz",
}
TYPES = ("<i2", ">i2", "u1", "<f4")
RANDOM = np.random.default_rng(11)


def turned(kind: Any) -> Any:
    """Make steps between voxels."""
    spacing = RANDOM.choice([1, 0.5, 2.5, 0.7617189884185793], 3)
    if kind == "identity":
        return np.eye(3)
    if kind == "anisotropic":
        return np.diag(spacing)
    if kind == "oblique":
        return np.linalg.qr(RANDOM.normal(size=(3, 3)))[0] * spacing[:, None]
    order, signs = kind
    return (np.eye(3)[list(order)] * np.array(signs)[:, None]) * spacing[:, None]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: TempFolders) -> Path:
    """Files in every space, with axes in every order and direction, and turned at random."""
    folder = tmp_path_factory.mktemp("originals")
    kinds: list[Any] = [
        "identity",
        "anisotropic",
        *["oblique"] * 12,
        *product(permutations(range(3)), product((1, -1), repeat=3)),
    ]
    for number, kind in enumerate(kinds):
        dtype = TYPES[number % len(TYPES)]
        sizes = RANDOM.integers(1, 5, 3)
        voxels = (RANDOM.integers(0, 120, sizes) * (1 if dtype == "u1" else -1.5)).astype(dtype)
        origin = "(0,0,0)" if number % 3 == 0 else "(-10.5,0.25,3)"
        for name, space in SPACES.items():
            encoding = "raw" if number % 2 else "gzip"
            content = nrrd(
                voxels, encoding, directions=turned(kind).tolist(), space=space, space_origin=origin
            )
            (folder / f"{name}-{number:02}.nrrd").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def metas(originals: Path, sdk: Sdk, server: Server) -> dict[str, Any]:
    """What the SDK says of each, after it wrote beside it what it would upload."""
    return sdk("normalise_volumes", folder=str(originals))


def test_every_original_is_normalised_as_by_the_sdk_bit_by_bit(originals: Path, metas: dict[str, Any]):
    assert len(metas) > 300
    for name, meta in metas.items():
        geometry = normalise_to_ras(originals / f"{name}.nrrd", originals / f"{name}.ours")
        assert (originals / f"{name}.ours").read_bytes() == (originals / f"{name}.sdk").read_bytes(), name
        assert geometry.difference(meta) is None, name


def test_what_the_sdk_uploaded_is_not_normalised_again(originals: Path, metas: dict[str, Any], tmp_path):
    for name, meta in metas.items():
        stored, again = originals / f"{name}.sdk", tmp_path / name
        normalise_to_ras(stored, again, meta)
        assert again.read_bytes() == stored.read_bytes(), name


def test_an_original_that_lies_elsewhere_is_refused(originals: Path, metas: dict[str, Any], tmp_path: Path):
    meta = metas["lps-03"]

    with pytest.raises(FormatError, match="another one than was looked for: its origin"):
        normalise_to_ras(originals / "lps-03.nrrd", tmp_path / "it", {**meta, "origin": [1, 2, 3]})


def test_a_volume_is_put_back_with_every_slice_that_the_sdk_uploads(
    originals: Path, sdk: Sdk, server: Server, wire: Wire, tmp_path: Path
):
    source, file = originals / "lps-08.nrrd", tmp_path / "it.nrrd"
    uploaded = sdk.at(wire.url)("upload_volume", workspace_id=server.workspace_id, path=str(source))
    by_sdk = slices_sent(wire)

    with Client(wire.url, server.token) as client:
        geometry = normalise_to_ras(source, file, uploaded["meta"])
        hashes = client.volumes.store_files([file])
        entry = {"name": "again.nrrd", "hash": hashes[file], "meta": uploaded["meta"]}
        [volume] = client.volumes.add(uploaded["dataset"], [entry])
        upload_slices(client, volume["id"], file)

    assert hashes[file] == uploaded["hash"]
    assert len(by_sdk) == sum(geometry.sizes)
    assert slices_sent(wire)[len(by_sdk) :] == by_sdk


def slices_sent(wire: Wire) -> list[dict[str, Any]]:
    return [
        piece for request in wire.seen("volumes.slices.bulk.add") for piece in request.json["volumeSlices"]
    ]
