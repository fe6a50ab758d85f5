"""What a pickle has no place for lies beside it, and comes back to its figures."""

import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from airflow_sv_versioning.archive import pack_archive, unpack_archive
from airflow_sv_versioning.exceptions import FormatError, IntegrityError
from airflow_sv_versioning.project_types.images.figure_notes import MEMBER, lacks_notes
from airflow_sv_versioning.snapshot.tables import Snapshot
from tests.support.archives import archive_of, content, figure, rows, tar_of, unwrapped, write_snapshot

BOX = {"points": {"exterior": [[1, 1], [2, 2]], "interior": []}}
NOTED: dict[int, dict[str, Any]] = {
    41: {"description": "Описание"},
    43: {"smart_tool_input": '{"crop":[[1.5,2],[3,4]]}', "nn_created": True},
    44: {"nn_updated": True, "instance": "a"},
}


@pytest.fixture
def noted(tmp_path: Path) -> Snapshot:
    """Figures of which some are noted, listed in another order than their images."""
    figures = [
        figure(number, image, 51, BOX, **NOTED.get(number, {}))
        for number, image in ((44, 33), (41, 31), (42, 31), (43, 32), (45, 31))
    ]
    return write_snapshot(tmp_path / "in", {**rows(), "figures": figures, "alpha_geometries": []})


def test_notes_come_back_to_their_figures(noted: Snapshot, tmp_path: Path):
    packed = pack_archive(noted, "v1.0.0", tmp_path / "archive", {})

    found = unpack_archive(packed.path, "images", tmp_path / "out").snapshot

    told = {row["src_figure_id"]: row for row in found.read("figures").to_pylist()}
    for number, row in told.items():
        wanted = NOTED.get(number, {})
        for name in ("description", "smart_tool_input", "instance"):
            assert row[name] == wanted.get(name)
        for name in ("nn_created", "nn_updated"):
            assert row[name] is wanted.get(name)
    assert content(found)["tags"] == content(noted)["tags"]
    assert not lacks_notes(found)


def test_a_pickle_by_others_is_known_to_tell_nothing_of_them(noted: Snapshot, tmp_path: Path):
    payload = unwrapped(pack_archive(noted, "v1.0.0", tmp_path / "ours", {}).path)["version.bin"]

    found = unpack_archive(archive_of(payload, tmp_path / "archive"), "images", tmp_path / "out").snapshot

    assert lacks_notes(found)
    assert not found.has_column("figures", "description")


def notes_changed(packed: Path, path: Path, lines: list[dict[str, Any]], *, is_told: bool) -> Path:
    members = unwrapped(packed)
    members[MEMBER] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    if is_told:
        from hashlib import sha256

        manifest = json.loads(members["integrity.json"])
        manifest["figure_notes"]["sha256"] = sha256(members[MEMBER]).hexdigest()
        members["integrity.json"] = json.dumps(manifest).encode()
    path.write_bytes(zstandard.compress(tar_of(members)))
    return path


@pytest.mark.parametrize(
    ("lines", "is_told", "error"),
    [
        ([{"id": 41, "description": "another"}], False, IntegrityError),
        ([{"id": 44}, {"id": 41}], True, FormatError),
        ([{"id": 999, "description": "of none"}], True, FormatError),
        ([{"id": 41, "description": 5}], True, FormatError),
        ([{"id": 41, "smartToolInput": [[[[[]]]]]}, {"description": "of none"}], True, FormatError),
    ],
    ids=["not_as_told", "out_of_order", "of_no_figure", "no_text", "without_id"],
)
def test_notes_that_no_writer_makes_are_refused(lines, is_told, error, noted: Snapshot, tmp_path: Path):
    packed = pack_archive(noted, "v1.0.0", tmp_path / "packed", {})
    archive = notes_changed(packed.path, tmp_path / "archive", lines, is_told=is_told)

    with pytest.raises(error):
        unpack_archive(archive, "images", tmp_path / "out")
