"""Volumes that are put back: normalised where they were not, with the pictures of all their slices."""

import json
from pathlib import Path

import numpy as np
import pytest

from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.project_types.base import Names
from airflow_sv_versioning.project_types.volumes.nrrd import read_nrrd
from airflow_sv_versioning.restore.media_files import media_file
from airflow_sv_versioning.restore.missing_media import Remedy
from airflow_sv_versioning.restore.plan import RestorePlan
from airflow_sv_versioning.snapshot.writer import SnapshotWriter
from airflow_sv_versioning.vault.vault import Vault
from tests.support.clients import impatient_client
from tests.support.missing_media import Filled
from tests.support.types import Server, Versions, Wire
from tests.support.volumes import SIZES, nrrd

META = {"dimensionsIJK": {"x": 2, "y": 3, "z": 4}, "ACS": "RAS", "spacing": [1.0, 1.0, 1.0]}


@pytest.mark.parametrize("filled", ["volumes"], indirect=True)
@pytest.mark.parametrize("policy", ["reupload", "placeholder"])
def test_a_volume_that_is_put_back_has_a_picture_of_every_slice(filled: Filled, lose, server: Server, policy):
    lose(1)
    with Wire(server.url) as wire, impatient_client(wire.url, server.token) as client:
        Versions(client).restore(*filled.version, missing_entities=policy)
        requests = wire.seen("volumes.slices.bulk.add")

    assert len({request.json["volumeId"] for request in requests}) == 1
    assert sum(len(request.json["volumeSlices"]) for request in requests) == sum(SIZES)


def test_what_was_behind_a_link_of_a_volume_is_normalised(tmp_path: Path):
    """No platform takes volumes by link, but a version may hold one."""
    voxels = np.arange(24).reshape(2, 3, 4).astype("<i2")
    original = nrrd(voxels, space="left-posterior-superior", directions=np.eye(3).tolist())
    vault = Vault(tmp_path / "vault")
    media = vault.add([original])
    (tmp_path / "snapshot").mkdir()
    with SnapshotWriter(tmp_path / "snapshot", "volumes") as writer:
        row = {"src_volume_id": 7, "name": "a.nrrd", "link": "https://x.example/a", "meta": json.dumps(META)}
        writer.append_rows({"volumes": [row]})
        snapshot = writer.finish({"id": 1}, {"classes": [], "tags": []})
    remedy = Remedy(originals={7: media.content_hash}, unlinked=frozenset({7}), vault=vault)
    plan = RestorePlan(snapshot, [], {}, Names({}, {}), "reupload", {}, remedy, {}, {}, {})

    with media_file(plan, 7) as path:
        found = read_nrrd(path.read_bytes(), "The volume")
        assert content_hash(path) != media.content_hash

    assert found.space == "right-anterior-superior"
    assert (found.voxels == voxels[::-1, ::-1]).all()
    assert not path.exists()
