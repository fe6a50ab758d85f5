"""Bad input of volumes: the error names the volume, and nothing half-made stays."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_sv_versioning.archive import ArchiveLimits
from airflow_sv_versioning.archive.payloads import sections
from airflow_sv_versioning.exceptions import FormatError, MissingMediaError
from airflow_sv_versioning.project_types.volumes.masks import mask_json
from tests.support.archives import archive_of, unwrapped
from tests.support.compare import assert_same
from tests.support.projects import leaves_no_project, list_version_files, read_archive, replace_archive
from tests.support.proxy import Exchange, Fault, Reply, alter
from tests.support.types import Client, Versions, Wire
from tests.support.volumes import make_masks_project, masks, nrrd, read_volumes

MASKS = {kind: masks()[kind] for kind in ("one layer", "noise")}


@pytest.fixture
def project(client: Client, tmp_path: Path) -> int:
    return make_masks_project(client, tmp_path, MASKS)


def altered_bytes(old: bytes, new: bytes) -> Fault:
    """Change the body of an answer."""

    def fault(exchange: Exchange) -> Reply:
        reply = exchange.forward()
        assert old in reply.body
        return replace(reply, body=reply.body.replace(old, new))

    return fault


def on_diagonal(annotations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    annotations[0]["planes"].append({"name": "diagonal", "slices": []})
    return annotations


@pytest.mark.parametrize(
    ("method", "fault", "why"),
    [
        (
            "figures.bulk.download.geometry",
            altered_bytes(b"sizes: 4 5 6", b"sizes: 4 5 7"),
            r"volume 'scans/a\.nrrd' \(id \d+\).* mask of figure \d+ has 4x5x7 voxels, the volume 4x5x6",
        ),
        (
            "volumes.annotations.bulk.info",
            alter(on_diagonal),
            r"volume 'a\.nrrd' \(id \d+\) has a plane 'diagonal'; planes are sagittal, coronal, axial",
        ),
    ],
    ids=["mask of another shape", "unknown plane"],
)
def test_create_names_the_volume_and_leaves_nothing(
    method, fault, why, project: int, wire: Wire, wired: Versions, client: Client
):
    wire.always(method, fault)

    with pytest.raises(FormatError, match=why):
        wired.create(project)

    assert wired.get_list(project) == []
    assert list_version_files(client, project) == set()
    wire.heal()
    # The reservation was given back.
    assert wired.create(project).version_num == 1


def test_a_mask_that_was_not_drawn_yet_is_versioned_without_voxels(
    client: Client, versions: Versions, tmp_path: Path
):
    project = make_masks_project(client, tmp_path, {})
    [dataset] = client.datasets.list_all(project)
    [[volume]] = client.volumes.iter_pages(dataset.id)
    owner = {"classId": client.projects.get_meta(project)["classes"][0]["id"], "entityId": volume["id"]}
    [object_id] = client.objects.add(dataset.id, [owner])
    figure = {"objectId": object_id, "geometryType": "mask_3d", "tool": "mask_3d"}
    client.volumes.add_figures(volume["id"], [figure])

    restored = versions.restore(project, versions.create(project).version_id, verify="full")

    assert restored.counts["figures"] == 1
    assert_same(read_volumes(client, restored.project_id), read_volumes(client, project))


@pytest.fixture
def restore_forged(project: int, client: Client, versions: Versions, tmp_path: Path) -> Callable[..., Any]:
    """Restore a version whose archive somebody changed: a record of it, all digests included."""
    made = versions.create(project)

    def restore(section: str, change: Callable[[dict[str, Any]], None], **how: Any) -> Any:
        payload = unwrapped_payload(read_archive(client, made), tmp_path)
        forged = with_record(payload, section, change, tmp_path)
        content = archive_of(forged, tmp_path / "forged").read_bytes()
        replace_archive(client, made, content)
        return versions.restore(project, made.version_id, **how)

    return restore


def unwrapped_payload(archive: bytes, folder: Path) -> bytes:
    (folder / "archive").write_bytes(archive)
    return unwrapped(folder / "archive")["version.bin"]


def with_record(
    payload: bytes, section: str, change: Callable[[dict[str, Any]], None], folder: Path
) -> bytes:
    """Change the first record of a table in a payload."""
    version, files = sections.read_sections(io.BytesIO(payload), (1, 2), folder, ArchiveLimits())
    column = "annotation" if section == "annotations" else "json"
    rows = pq.read_table(files[section]).to_pylist()
    record = json.loads(rows[0][column])
    change(record)
    rows[0][column] = json.dumps(record)
    pq.write_table(pa.Table.from_pylist(rows), files[section])
    forged = io.BytesIO()
    sections.write_sections(version, [files[name] for name in sections.SECTIONS], forged)
    return forged.getvalue()


def with_mask(**mask: str) -> Callable[[dict[str, Any]], None]:
    def change(annotation: dict[str, Any]) -> None:
        annotation["spatialFigures"][0]["geometry"]["mask_3d"].update(mask)

    return change


def with_larger_mask(annotation: dict[str, Any]) -> None:
    mask = mask_json(nrrd(np.ones((4, 5, 7), np.uint8)), "it")
    annotation["spatialFigures"][0]["geometry"] = mask


@pytest.mark.parametrize(
    ("section", "change", "error", "why"),
    [
        (
            "annotations",
            with_mask(data="H4sIAAAAAAAAAzMw"),
            FormatError,
            r"volume 'a\.nrrd' \(id \d+\): the geometry of figure \d+",
        ),
        (
            "annotations",
            with_mask(nrrd="TlJSRDAwMDQK"),
            FormatError,
            r"volume 'a\.nrrd' \(id \d+\): the geometry of figure \d+ is cut off",
        ),
        (
            "annotations",
            with_larger_mask,
            FormatError,
            r"'scans/a\.nrrd' \(id \d+\) .* mask of figure \d+ has 4x5x7 voxels, the volume 4x5x6",
        ),
        (
            "annotations",
            lambda annotation: on_diagonal([annotation]),
            FormatError,
            r"volume 'a\.nrrd' \(id \d+\) in the version has a plane 'diagonal'",
        ),
        (
            "volumes",
            lambda volume: volume.update(hash=None),
            MissingMediaError,
            r"1 of 1 volumes have no media any more: scans/a\.nrrd \(id \d+\)",
        ),
        (
            "volumes",
            lambda volume: volume.update(hash="never stored"),
            MissingMediaError,
            r"1 of 1 volumes have no media .* scans/a\.nrrd \(id \d+\)",
        ),
    ],
    ids=["truncated mask", "truncated file", "shape", "plane", "no hash", "hash that is gone"],
)
def test_restore_names_the_volume_and_makes_no_project(
    section, change, error, why, restore_forged: Callable[..., Any], client: Client
):
    with leaves_no_project(client), pytest.raises(error, match=why):
        restore_forged(section, change)


@pytest.mark.parametrize("digest", [None, "never stored"])
def test_a_volume_that_is_gone_is_left_out_when_asked_and_told(
    digest, restore_forged: Callable[..., Any], client: Client
):
    restored = restore_forged("volumes", lambda volume: volume.update(hash=digest), skip_missed_entities=True)

    assert restored.skipped == ("scans/a.nrrd",)
    assert (restored.counts["volumes"], restored.counts["figures"]) == (0, 0)
    assert read_volumes(client, restored.project_id) == {}
