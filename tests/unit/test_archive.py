"""The container: what is written, what is read back, what is refused."""

import hashlib
import io
import json
import random
import tarfile
from pathlib import Path

import pytest
import zstandard

from airflow_sv_versioning.archive import ArchiveLimits, PackedArchive, pack_archive, unpack_archive
from airflow_sv_versioning.archive.formats import written_versions
from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    FormatError,
    IntegrityError,
    SnapshotError,
    UnsupportedProjectError,
)
from airflow_sv_versioning.project_types.images.figure_notes import MEMBER
from airflow_sv_versioning.snapshot.tables import Snapshot
from tests.support.archives import archive_of, content, figure, image, rows, tar_of, unwrapped, write_snapshot
from tests.support.types import TempFolders

FORMATS = pytest.mark.parametrize("archive_format", written_versions("images"))
PROVENANCE = {"dag_id": "nightly", "при": ["ё", 1, None]}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: TempFolders) -> Snapshot:
    return write_snapshot(tmp_path_factory.mktemp("snapshot"))


@pytest.fixture
def packed(snapshot: Snapshot, archive_format: str, tmp_path: Path) -> PackedArchive:
    return pack_archive(snapshot, archive_format, tmp_path / "archive.tar.zst", PROVENANCE)


@FORMATS
def test_everything_comes_back(packed: PackedArchive, archive_format, snapshot: Snapshot, tmp_path: Path):
    unpacked = unpack_archive(packed.path, "images", tmp_path / "out")

    assert unpacked.archive_format == packed.archive_format == archive_format
    assert unpacked.provenance == PROVENANCE
    assert content(unpacked.snapshot) == content(snapshot)


@FORMATS
def test_what_a_person_should_know_of_the_version_comes_back(archive_format, snapshot: Snapshot, tmp_path):
    warnings = ("It holds no tag of figure 7.", "ё")
    packed = pack_archive(snapshot, archive_format, tmp_path / "archive", PROVENANCE, warnings=warnings)

    assert unpack_archive(packed.path, "images", tmp_path / "out").warnings == warnings


@FORMATS
def test_a_project_without_content_comes_back(archive_format, tmp_path: Path):
    empty = write_snapshot(tmp_path / "empty", {}, {"classes": [], "tags": []})
    packed = pack_archive(empty, archive_format, tmp_path / "archive", {})

    unpacked = unpack_archive(packed.path, "images", tmp_path / "out")

    assert unpacked.provenance == {}
    assert set(unpacked.snapshot.counts().values()) == {0}


@FORMATS
def test_more_rows_than_a_row_group_or_a_batch_come_back_in_order(archive_format, tmp_path: Path):
    polygon = {"points": {"exterior": [[0, 1.5]] * 1500, "interior": []}}
    tables = {
        "images": [image(number, 22, f"{number}.png") for number in range(6_000)],
        "figures": [figure(100_000 + number, number * 7 % 5_999, 51, None) for number in range(11_000)]
        + [figure(99_999, 5_999, 51, polygon)],
    }
    large = write_snapshot(tmp_path / "large", tables)
    packed = pack_archive(large, archive_format, tmp_path / "archive", {})

    unpacked = unpack_archive(packed.path, "images", tmp_path / "out").snapshot

    assert content(unpacked) == content(large)
    assert unpacked.read("images").equals(large.read("images"))


@FORMATS
def test_the_digest_and_size_are_those_of_the_file(packed: PackedArchive):
    data = packed.path.read_bytes()

    assert (packed.sha256, packed.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))


@FORMATS
def test_the_same_snapshot_makes_the_same_bytes(
    packed: PackedArchive, archive_format, snapshot: Snapshot, tmp_path: Path
):
    again = pack_archive(snapshot, archive_format, tmp_path / "again", PROVENANCE)

    assert again.path.read_bytes() == packed.path.read_bytes()


@FORMATS
def test_one_frame_with_its_size_and_checksum_holds_a_plain_tar(packed: PackedArchive, archive_format):
    """The official reader decompresses in one call, and needs the size for it."""
    data = packed.path.read_bytes()
    frame = zstandard.get_frame_parameters(data)
    raw = zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)

    assert frame.has_checksum
    assert frame.content_size == len(raw)
    assert len(raw) % 10_240 == 0
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        members = tar.getmembers()
    beside = [MEMBER] if archive_format == "v1.0.0" else []
    assert [member.name for member in members] == [*beside, "version.bin", "integrity.json"]
    for member in members:
        assert (member.mode, member.uid, member.gid, member.mtime) == (0o644, 0, 0, 0)
        assert member.type == tarfile.REGTYPE
        assert not member.pax_headers


@FORMATS
def test_the_manifest_tells_who_wrote_what(packed: PackedArchive, archive_format, snapshot: Snapshot):
    members = unwrapped(packed.path)
    manifest = json.loads(members["integrity.json"])

    assert manifest["generator"].startswith("airflow-sv-versioning ")
    assert manifest["archive_format"] == archive_format
    assert manifest["payload_sha256"] == hashlib.sha256(members["version.bin"]).hexdigest()
    assert manifest["payload_size_bytes"] == len(members["version.bin"])
    assert manifest["provenance"] == PROVENANCE
    assert {name: table["rows"] for name, table in manifest["tables"].items()} == snapshot.counts()


def test_the_manifest_of_tables_tells_their_digests(snapshot: Snapshot, tmp_path: Path):
    members = unwrapped(pack_archive(snapshot, "v2.1.0", tmp_path / "a", {}).path)

    for name, table in json.loads(members["integrity.json"])["tables"].items():
        assert table["sha256"] == hashlib.sha256(snapshot.path(name).read_bytes()).hexdigest()


@FORMATS
def test_a_missing_custom_data_becomes_an_object(archive_format, tmp_path: Path):
    """The official restore cannot bring back a version where it is null."""
    made = write_snapshot(tmp_path / "made", {}, custom_data=None)
    packed = pack_archive(made, archive_format, tmp_path / "archive", {})

    unpacked = unpack_archive(packed.path, "images", tmp_path / "out")

    assert unpacked.snapshot.project_info["custom_data"] == {}


@FORMATS
def test_a_failure_leaves_nothing_and_keeps_what_was_there(archive_format, tmp_path: Path):
    damaged = write_snapshot(tmp_path / "snapshot")
    destination = tmp_path / "out" / "archive"
    destination.parent.mkdir()
    destination.write_bytes(b"before")

    with pytest.raises(TypeError):
        pack_archive(damaged, archive_format, destination, {"not json": object()})

    assert list(destination.parent.iterdir()) == [destination]
    assert destination.read_bytes() == b"before"


def test_half_a_character_in_a_description_is_an_error_of_ours(tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path / "made")
    snapshot.project_info["description"] = "\ud800"

    with pytest.raises(SnapshotError, match="no valid Unicode"):
        pack_archive(snapshot, "v2.1.0", tmp_path / "archive", {})


@FORMATS
def test_a_folder_that_is_not_there_is_an_error_of_ours(archive_format, snapshot: Snapshot, tmp_path: Path):
    with pytest.raises(SnapshotError, match="cannot be written"):
        pack_archive(snapshot, archive_format, tmp_path / "absent" / "archive", {})


def test_an_archive_that_is_not_there_is_an_error_of_ours(tmp_path: Path):
    with pytest.raises(SnapshotError, match="cannot be unpacked"):
        unpack_archive(tmp_path / "absent", "images", tmp_path / "out")


def test_only_known_formats_are_written(snapshot: Snapshot, tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"choose one of v2\.1\.0, v1\.0\.0"):
        pack_archive(snapshot, "v2.0.0", tmp_path / "archive", {})


def test_other_project_types_are_refused(tmp_path: Path):
    with pytest.raises(UnsupportedProjectError, match="point_clouds"):
        unpack_archive(tmp_path / "any", "point_clouds", tmp_path / "out")


@pytest.fixture
def payload(snapshot: Snapshot, tmp_path: Path) -> bytes:
    return unwrapped(pack_archive(snapshot, "v2.1.0", tmp_path / "packed", {}).path)["version.bin"]


def without_size(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(data)


def in_two_frames(data: bytes) -> bytes:
    return zstandard.compress(data[:1000]) + without_size(data[1000:])


def after_a_skippable_frame(data: bytes) -> bytes:
    return b"\x5a\x2a\x4d\x18\x03\x00\x00\x00abc" + zstandard.compress(data)


@pytest.mark.parametrize("compress", [without_size, in_two_frames, after_a_skippable_frame])
def test_frames_of_any_kind_are_read(compress, payload: bytes, snapshot: Snapshot, tmp_path: Path):
    path = tmp_path / "archive"
    path.write_bytes(compress(tar_of({"version.bin": payload})))

    unpacked = unpack_archive(path, "images", tmp_path / "out")

    assert unpacked.provenance is None
    assert content(unpacked.snapshot) == content(snapshot)


@pytest.mark.parametrize("dialect", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_the_payload_is_found_anywhere_in_the_tar(dialect, payload: bytes, tmp_path: Path):
    members = {
        "a" * 90 + "/" + "b" * 90: b"1",
        "folder/version.bin": b"2",
        "./version.bin": payload,
        "z" * 99: b"3",
    }
    path = tmp_path / "archive"
    path.write_bytes(zstandard.compress(tar_of(members, format=dialect)))

    assert unpack_archive(path, "images", tmp_path / "out").snapshot.row_count("images") == 4


def tar_without_payload() -> bytes:
    return tar_of({"other.bin": b"x"})


def tar_with_two_payloads() -> bytes:
    two = io.BytesIO()
    with tarfile.open(fileobj=two, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("version.bin"))
        tar.addfile(tarfile.TarInfo("./version.bin"))
    return two.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 a zip of something", "not a zstd file"),
        (b"\x28\xb5\x2f\xfd", "damaged"),
        (b"\x28\xb5\x2f\xfd\x20\x01\x0f\x00\x00x", "unknown block at byte 6"),
        (zstandard.compress(b""), "cut off"),
        (zstandard.compress(b"no tar" * 200), "not a tar"),
        (zstandard.compress(tar_without_payload()), r"holds no version\.bin"),
        (zstandard.compress(tar_with_two_payloads()), r"holds version\.bin twice"),
        (zstandard.compress(tar_without_payload()) + b"junk after it", "not a zstd file"),
    ],
)
def test_what_is_no_archive_is_refused(data, message, tmp_path: Path):
    path = tmp_path / "archive"
    path.write_bytes(data)

    with pytest.raises(FormatError, match=message):
        unpack_archive(path, "images", tmp_path / "out")


@pytest.mark.parametrize("data", [b"", b"SLYVOLPAR\x01", b"{}", b"\x80", b"\x80\x09N.", bytes(600)])
def test_what_is_no_payload_of_the_project_type_is_refused(data, tmp_path: Path):
    with pytest.raises(FormatError):
        unpack_archive(archive_of(data, tmp_path / "archive"), "images", tmp_path / "out")


@FORMATS
def test_a_payload_that_changed_is_refused_before_it_is_parsed(packed: PackedArchive, tmp_path: Path):
    members = unwrapped(packed.path)
    members["version.bin"] = b"\x80\x04cos\nsystem\n."
    packed.path.write_bytes(zstandard.compress(tar_of(members)))

    with pytest.raises(IntegrityError, match="SHA-256"):
        unpack_archive(packed.path, "images", tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"archive_format": "v1.0.0"}, IntegrityError),
        ({"tables": {"images": {"rows": 3}}}, IntegrityError),
        ({"tables": None}, IntegrityError),
        ({"payload_sha256": 5}, FormatError),
        ({"provenance": [1]}, FormatError),
        ({"warnings": "none"}, FormatError),
        ({"warnings": [None]}, FormatError),
        ({"incomplete_items": ["31"]}, FormatError),
        ({"media": 5}, FormatError),
        ({"media": {"vault": "/vault", "sha256": "x"}}, FormatError),
        ({"more": "x" * 17_000_000}, FormatError),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(change, error, snapshot: Snapshot, tmp_path: Path):
    members = unwrapped(pack_archive(snapshot, "v2.1.0", tmp_path / "packed", {}).path)
    manifest = json.loads(members["integrity.json"]) | change
    path = tmp_path / "archive"
    path.write_bytes(zstandard.compress(tar_of({**members, "integrity.json": json.dumps(manifest).encode()})))

    with pytest.raises(error):
        unpack_archive(path, "images", tmp_path / "out")


@FORMATS
def test_an_archive_cut_anywhere_is_refused(archive_format, tmp_path: Path):
    alone = write_snapshot(tmp_path / "alone", {"datasets": rows()["datasets"]}, {"classes": [], "tags": []})
    packed = pack_archive(alone, archive_format, tmp_path / "archive", {})
    data = packed.path.read_bytes()
    for length in range(len(data)):
        packed.path.write_bytes(data[:length])
        with pytest.raises(FormatError):
            unpack_archive(packed.path, "images", tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == []


@FORMATS
def test_a_flipped_bit_is_noticed_or_changes_nothing(packed: PackedArchive, snapshot: Snapshot, tmp_path):
    data = bytearray(packed.path.read_bytes())
    chosen = random.Random(7)
    whole = content(snapshot)
    for position in range(0, len(data), 10):
        bit = 1 << chosen.randrange(8)
        data[position] ^= bit
        packed.path.write_bytes(data)
        assert_refused_or_equal(packed.path, tmp_path / "box" / f"{position}", whole)
        data[position] ^= bit


@FORMATS
def test_a_flipped_bit_under_the_compression_is_noticed_or_changes_nothing(
    packed: PackedArchive, snapshot: Snapshot, tmp_path: Path
):
    data = bytearray(zstandard.decompress(packed.path.read_bytes()))
    chosen = random.Random(8)
    whole = content(snapshot)
    for position in range(0, len(data), len(data) // 150):
        bit = 1 << chosen.randrange(8)
        data[position] ^= bit
        packed.path.write_bytes(zstandard.compress(bytes(data)))
        assert_refused_or_equal(packed.path, tmp_path / "box" / f"{position}", whole)
        data[position] ^= bit


def assert_refused_or_equal(archive: Path, directory: Path, expected: object) -> None:
    try:
        unpacked = unpack_archive(archive, "images", directory)
    except (FormatError, IntegrityError):
        return
    assert content(unpacked.snapshot) == expected


def test_a_size_beyond_the_limit_is_refused(snapshot: Snapshot, tmp_path: Path):
    packed = pack_archive(snapshot, "v1.0.0", tmp_path / "archive", {})

    with pytest.raises(FormatError, match="more than 1000 bytes"):
        unpack_archive(packed.path, "images", tmp_path / "out", ArchiveLimits(max_payload_bytes=1000))


def test_an_account_of_media_larger_than_memory_is_for_is_refused(snapshot: Snapshot, tmp_path: Path) -> None:
    members = unwrapped(pack_archive(snapshot, "v2.1.0", tmp_path / "packed", {}).path)
    path = tmp_path / "archive"
    path.write_bytes(zstandard.compress(tar_of({"media.jsonl": bytes(33 << 20), **members})))

    with pytest.raises(FormatError, match=r"media\.jsonl has 34603008 bytes"):
        unpack_archive(path, "images", tmp_path / "out")


def test_an_account_of_media_is_held_against_its_digest_and_names_its_store(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    members = unwrapped(pack_archive(snapshot, "v2.1.0", tmp_path / "packed", {}).path)
    manifest = json.loads(members["integrity.json"])
    lines = b'{"lost": "hash", "reason": "gone"}\n'
    digest = hashlib.sha256(lines).hexdigest()
    for entry, error in (
        ({"sha256": "0" * 64, "vault": "/vault"}, IntegrityError),
        ({"sha256": digest}, FormatError),
        ({"sha256": digest, "vault": 5}, FormatError),
    ):
        changed = json.dumps({**manifest, "media": entry}).encode()
        path = tmp_path / "archive"
        tar = tar_of({**members, "media.jsonl": lines, "integrity.json": changed})
        path.write_bytes(zstandard.compress(tar))

        with pytest.raises(error, match=r"media"):
            unpack_archive(path, "images", tmp_path / "out")


def test_a_second_unpacking_into_the_same_folder_replaces_the_first(snapshot: Snapshot, tmp_path: Path):
    full = pack_archive(snapshot, "v2.1.0", tmp_path / "full", {})
    empty = pack_archive(write_snapshot(tmp_path / "empty", {}), "v1.0.0", tmp_path / "none", {})

    unpack_archive(full.path, "images", tmp_path / "out")
    again = unpack_archive(empty.path, "images", tmp_path / "out").snapshot

    assert set(again.counts().values()) == {0}
