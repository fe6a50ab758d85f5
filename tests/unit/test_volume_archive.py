"""Archives and masks of volumes: what is read back, and what damage and malice get."""

import base64
import gzip
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_sv_versioning.archive import ArchiveLimits, UnpackedArchive, pack_archive, unpack_archive
from airflow_sv_versioning.archive.payloads import sections
from airflow_sv_versioning.archive.payloads.volumes.writing import tag_key, write_table
from airflow_sv_versioning.exceptions import FormatError, SnapshotError
from airflow_sv_versioning.project_types.keys import key_of
from airflow_sv_versioning.project_types.volumes.masks import VoxelBudget, mask_digest, mask_file, mask_json
from airflow_sv_versioning.project_types.volumes.nrrd import read_nrrd, write_nrrd
from tests.support.archives import archive_of
from tests.support.volumes import masks, nrrd

META = {"classes": [{"id": 1, "title": "organ", "shape": "mask_3d"}], "tags": [{"id": 2, "name": "text"}]}
VOXELS = np.random.default_rng(3).integers(0, 2, (2, 3, 4)).astype(np.uint8)
KINDS = pytest.mark.parametrize("kind", list(masks()))


def parquet(columns: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def figure(**more: Any) -> dict[str, Any]:
    return {
        "key": "f" * 32,
        "objectKey": "a" * 32,
        "geometryType": "mask_3d",
        "geometry": mask_json(nrrd(VOXELS), "a mask"),
        **more,
    }


def annotation(**more: Any) -> dict[str, Any]:
    return {
        "volumeMeta": {},
        "tags": [{"name": "text", "value": "x"}],
        "objects": [{"key": "a" * 32, "classTitle": "organ", "tags": []}],
        "planes": [],
        "spatialFigures": [figure()],
        **more,
    }


def contents(ann: dict[str, Any] | None = None, volumes: int = 1) -> list[bytes]:
    """Sections with the least that official archives hold."""
    records = [
        {"id": index, "name": f"{index}.nrrd", "hash": "h", "meta": {}, "dataset_id": 5}
        for index in range(1, volumes + 1)
    ]
    return [
        json.dumps({"id": 9, "name": "p", "schema_version": "v2.1.0"}).encode(),
        json.dumps(META).encode(),
        parquet({"src_dataset_id": [5], "json": ['{"id": 5, "name": "scans", "parent_id": null}']}),
        parquet({"src_volume_id": range(1, volumes + 1), "json": [json.dumps(one) for one in records]}),
        parquet({"src_volume_id": [1], "annotation": [json.dumps(annotation() if ann is None else ann)]}),
    ]


def payload(
    parts: list[bytes] | None = None, version: int = 2, kinds: tuple[int, ...] = (1, 2, 3, 4, 5)
) -> bytes:
    parts = contents() if parts is None else parts
    body = b"".join(
        struct.pack(">BQ", kind, len(part)) + part for kind, part in zip(kinds, parts, strict=True)
    )
    return sections.MAGIC + bytes((version, len(parts))) + body


def unpack(data: bytes, folder: Path, **limits: int) -> UnpackedArchive:
    return unpack_archive(archive_of(data, folder / "a"), "volumes", folder / "out", ArchiveLimits(**limits))


@pytest.mark.parametrize(("version", "schema"), [(1, "v2.0.0"), (2, "v2.1.0")])
def test_the_least_that_official_archives_hold_is_read(version, schema, tmp_path: Path):
    unpacked = unpack(payload(version=version), tmp_path)

    assert (unpacked.archive_format, unpacked.warnings) == (schema, ())
    counts = {"datasets": 1, "volumes": 1, "objects": 1, "figures": 1, "tags": 1}
    assert unpacked.snapshot.counts() == counts
    [row] = unpacked.snapshot.read("figures").to_pylist()
    found = read_nrrd(unpacked.snapshot.mask_path(row["src_figure_id"]).read_bytes(), "it")
    assert (found.voxels == VOXELS).all()


@pytest.mark.parametrize(("version", "flagged"), [(1, True), (2, False)])
def test_a_large_dataset_of_the_older_container_is_flagged(version, flagged, tmp_path: Path):
    unpacked = unpack(payload(contents(volumes=51), version), tmp_path)

    assert ["'scans' has 51 volumes" in warning for warning in unpacked.warnings] == [True] * flagged


def test_a_payload_that_is_cut_anywhere_is_refused(tmp_path: Path):
    whole = payload()
    for length in (*range(200), *range(200, len(whole), 37)):
        with pytest.raises(FormatError):
            sections.read_sections(io.BytesIO(whole[:length]), (1, 2), tmp_path, ArchiveLimits())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (payload(version=3), "container 3 .* known are 1, 2"),
        (payload(version=0), "container 0"),
        (payload(kinds=(1, 2, 3, 5, 4)), "type 5 where volumes is expected"),
        (payload(kinds=(1, 1, 3, 4, 5)), "type 1 where project_meta"),
        (payload(kinds=(1, 2, 3, 4, 9)), "type 9 where annotations"),
        (payload(contents()[:4], kinds=(1, 2, 3, 4)), "4 sections instead of 5"),
        (payload() + b"x", "goes on behind"),
        (sections.MAGIC + b"\x02\x05\x01" + b"\xff" * 8, "project_info has 18446744073709551615 bytes"),
        (b"\x80\x04.", "begins with"),
        (
            payload(
                [
                    *contents()[:2],
                    parquet({"src_dataset_id": [5], "json": ['{"id": 5, "name": 7}']}),
                    *contents()[3:],
                ]
            ),
            "a dataset in the version cannot be read",
        ),
        (
            payload([*contents()[:4], parquet({"src_volume_id": [7], "annotation": ["{}"]})]),
            "of volume 7, but no",
        ),
        (
            payload([*contents()[:3], parquet({"json": ['{"id": "x"}'], "src_volume_id": [1]}), b""]),
            "a volume",
        ),
        (
            payload([contents()[0], b'{"classes": [{"id": 1}]}', *contents()[2:]]),
            "project_meta cannot be read",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_no_writer_makes_is_refused(data, why, tmp_path: Path):
    with pytest.raises(FormatError, match=why):
        unpack(data, tmp_path)


def test_half_a_character_in_a_description_is_an_error_of_ours(tmp_path: Path) -> None:
    snapshot = unpack(payload(), tmp_path).snapshot
    snapshot.project_info["description"] = "\ud800"

    with pytest.raises(SnapshotError, match="no valid Unicode"):
        pack_archive(snapshot, "v2.1.0", tmp_path / "b", {})


def test_a_project_without_volumes_has_sections_of_nothing(tmp_path: Path) -> None:
    assert unpack(payload([*contents()[:2], b"", b"", b""]), tmp_path).snapshot.counts()["volumes"] == 0


def test_a_second_unpacking_into_the_same_folder_replaces_the_masks_of_the_first(tmp_path: Path) -> None:
    unpack(payload(), tmp_path)

    again = unpack(payload(contents(annotation(spatialFigures=[]))), tmp_path).snapshot

    assert again.counts()["figures"] == 0
    assert not list((tmp_path / "out").rglob("*.nrrd"))


ON_PLANE = {"name": "diagonal", "slices": [{"index": 0, "figures": [figure()]}]}


@pytest.mark.parametrize(
    ("ann", "why"),
    [
        (annotation(planes=[ON_PLANE]), "'1.nrrd' .* plane 'diagonal'; planes are sagittal, coronal, axial"),
        (annotation(spatialFigures=[figure(objectKey="b" * 32)]), "object that it does not hold"),
        (annotation(objects=5), "cannot be read"),
        (annotation(spatialFigures=[figure(id="../../x")]), "cannot be read"),
        (annotation(spatialFigures=[figure(geometry={"mask_3d": {"data": "%%"}})]), "is damaged"),
        (annotation(spatialFigures=[figure(geometry={"mask_3d": {}})]), r"has no mask_3d\.data"),
        (annotation(more="{" * 2_300_000), r"would take \d+ bytes of memory"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_annotation_that_cannot_be_is_refused_with_its_volume(ann, why, tmp_path: Path):
    with pytest.raises(FormatError, match=why):
        unpack(payload(contents(ann)), tmp_path)


@KINDS
def test_masks_of_every_kind_keep_voxels_type_and_place_in_json(kind):
    data = masks()[kind]

    again = mask_file(json.loads(json.dumps(mask_json(data, kind))), kind, VoxelBudget())

    assert again is not None
    assert mask_digest(again, kind) == mask_digest(data, kind)


@KINDS
def test_the_file_of_a_mask_is_written_as_it_was_read(kind):
    found = read_nrrd(masks()[kind], kind)

    again = read_nrrd(write_nrrd(found), kind)

    assert (again.voxels == found.voxels).all()
    assert (again.space, again.directions, again.origin) == (found.space, found.directions, found.origin)


def packed(shape: str, raw: bytes) -> dict[str, Any]:
    data = base64.b64encode(gzip.compress(shape.encode() + b"|" + raw)).decode()
    return {"mask_3d": {"data": data}}


def test_a_mask_of_two_bytes_a_voxel_is_read_as_the_official_client_does():
    made = mask_file(packed("1,1,3", np.array([0, 1, 7], "<i2").tobytes()), "it", VoxelBudget())

    assert made is not None
    assert read_nrrd(made, "it").voxels.tolist() == [[[0, 1, 1]]]


def test_a_mask_without_voxels_has_no_file():
    assert mask_file({}, "it", VoxelBudget()) is None


@pytest.mark.parametrize(
    ("shape", "raw"),
    [("1,1,3", b"\0"), ("1,1,3", b"\0" * 7), ("1,1", b"\0"), ("x", b""), ("0,1,1", b""), ("9" * 40, b"")],
)
def test_a_mask_whose_voxels_do_not_fit_its_shape_is_refused(shape, raw):
    with pytest.raises(FormatError):
        mask_file(packed(shape, raw), "it", VoxelBudget())


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_a_file_that_is_cut_anywhere_is_refused(encoding):
    whole = nrrd(VOXELS, encoding)
    for length in range(len(whole)):
        with pytest.raises(FormatError):
            read_nrrd(whole[:length], "it")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"encoding": "ascii"}, "encoded as 'ascii'"),
        ({"type": "block"}, "type 'block'"),
        ({"sizes": "2 3"}, "three are needed"),
        ({"sizes": "2 3 x"}, "malformed"),
        ({"data_file": "/etc/passwd"}, "elsewhere"),
        ({"space_origin": "(1,nan,2)"}, "malformed"),
        ({"sizes": "65536 65536 65536"}, "three are needed"),
        ({"sizes": "1 1 1"}, "more than 1 bytes"),
    ],
)
def test_a_file_that_is_no_mask_is_refused(fields, why):
    with pytest.raises(FormatError, match=why):
        read_nrrd(nrrd(VOXELS, **fields) if "encoding" not in fields else nrrd(VOXELS, "ascii"), "it")


def test_tags_without_ids_have_keys_of_their_own():
    owners = [("item", 1), ("object", 1), ("object", 2)]
    rows = [
        {"tag_assignment_id": None, "tag_id": tag_id, "owner_type": kind, "owner_id": owner_id}
        for kind, owner_id in owners
        for tag_id in (5, 6)
    ]

    assert len({tag_key(row) for row in rows}) == 6
    assert {tag_key({**row, "tag_assignment_id": 9}) for row in rows} == {key_of("tag", 9)}


@pytest.mark.parametrize(
    ("lengths", "groups"),
    [([400_000] * 7, [3, 3, 1]), ([2_000_000, 10, 10], [1, 2]), ([10] * 1200, [1000, 200]), ([], [])],
    ids=["many of some weight", "a heavy one first", "many light ones", "none"],
)
def test_rows_are_written_as_soon_as_they_weigh_a_megabyte_together(tmp_path, lengths, groups):
    rows = ({"id": number, "text": "x" * length} for number, length in enumerate(lengths))

    file = pq.ParquetFile(write_table(tmp_path / "table", ("id",), "text", rows))

    rows_of_groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert [count for count in rows_of_groups if count] == groups
