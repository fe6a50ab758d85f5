"""Archives of video projects: what is written, what is read back, what is refused."""

import io
import json
import random
import tarfile
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from airflow_sv_versioning.archive import PackedArchive, pack_archive, unpack_archive
from airflow_sv_versioning.archive.formats import written_versions
from airflow_sv_versioning.exceptions import FormatError, IntegrityError, SnapshotError
from airflow_sv_versioning.project_types.videos.columns import COMPARED
from airflow_sv_versioning.project_types.videos.digests import MEMBER, integrity_lines
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.versioning.item_lines import ArchivedItems
from tests.support.archives import archive_of, content, tar_of, unwrapped
from tests.support.types import TempFolders
from tests.support.video_archives import META, video_rows, write_video_snapshot

FORMATS = pytest.mark.parametrize("archive_format", written_versions("videos"))
VIDEO = {"src_video_id": 1, "src_dataset_id": 5, "name": "a.mp4", "hash": "h", "link": None}
FIGURE = {"id": 9, "objectId": 3, "geometryType": "point", "geometry": {"points": {"exterior": [[1, 2]]}}}
ANNOTATION = {
    "videoId": 1,
    "description": "old",
    "tags": [{"id": 7, "tagId": 61, "name": "scene", "value": "x", "frameRange": [0, 4]}],
    "objects": [{"id": 3, "classTitle": "car", "tags": [{"tagId": 62, "value": 2}]}],
    "frames": [{"index": 4, "figures": [FIGURE]}],
}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: TempFolders) -> Snapshot:
    return write_video_snapshot(tmp_path_factory.mktemp("snapshot"))


@pytest.fixture
def packed(snapshot: Snapshot, archive_format: str, tmp_path: Path) -> PackedArchive:
    return pack_archive(snapshot, archive_format, tmp_path / "archive.tar.zst", {"run": "ё"})


@FORMATS
def test_everything_comes_back(packed: PackedArchive, archive_format, snapshot: Snapshot, tmp_path: Path):
    unpacked = unpack_archive(packed.path, "videos", tmp_path / "out")

    assert (unpacked.archive_format, unpacked.provenance) == (archive_format, {"run": "ё"})
    assert content(unpacked.snapshot) == content(snapshot)
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".parquet", ".json", ".jsonl"}


@FORMATS
def test_a_project_without_content_comes_back(archive_format, tmp_path: Path):
    empty = write_video_snapshot(tmp_path / "empty", {})
    packed = pack_archive(empty, archive_format, tmp_path / "archive", {})

    assert content(unpack_archive(packed.path, "videos", tmp_path / "out").snapshot) == content(empty)


@FORMATS
def test_the_same_snapshot_makes_the_same_bytes(
    packed: PackedArchive, archive_format, snapshot: Snapshot, tmp_path: Path
):
    again = pack_archive(snapshot, archive_format, tmp_path / "again", {"run": "ё"})

    assert again.sha256 == packed.sha256


def test_the_older_payload_is_as_older_writers_made_it(snapshot: Snapshot, tmp_path: Path):
    packed = pack_archive(snapshot, "v2.0.0", tmp_path / "archive", {})

    payload = unwrapped(packed.path)["version.bin"]
    members = files_of(zstandard.decompress(payload))

    assert json.loads(members["manifest.json"])["schema_version"] == "v2.0.0"
    assert {entry["name"] for entry in json.loads(members["manifest.json"])["tables"]} == {
        *("datasets", "videos", "objects", "figures")
    }
    keys = json.loads(members["key_id_map.json"])
    assert sorted(keys["objects"].values()) == [41, 42]
    videos = pq.ParquetFile(io.BytesIO(members["videos.parquet"]))
    assert videos.metadata.row_group(0).column(0).compression == "SNAPPY"
    annotation = json.loads(videos.read()["ann_json"].to_pylist()[0])
    assert [frame["index"] for frame in annotation["frames"]] == [0, 7]
    figures = pq.read_table(io.BytesIO(members["figures.parquet"]))
    assert figures["src_figure_id"].to_pylist() == [1, 2, 3, 4]


def files_of(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {
            member.name.removeprefix("./"): tar.extractfile(member).read()  # type: ignore[union-attr]
            for member in tar
            if member.isfile()
        }


def older(videos: list[dict[str, Any]], wrap: Any = zstandard.compress) -> bytes:
    """A payload of the older schema by hand, as poor as readers take it."""
    table = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(videos), table)
    datasets = io.BytesIO()
    pq.write_table(pa.table({"src_dataset_id": [5], "name": ["d"]}), datasets)
    return wrap(
        tar_of(
            {
                "project_info.json": b'{"name": "p"}',
                "project_meta.json": json.dumps(META).encode(),
                "manifest.json": b'{"schema_version": "v2.0.0", "tables": []}',
                "datasets.parquet": datasets.getvalue(),
                "videos.parquet": table.getvalue(),
                "objects.parquet": b"nobody reads this",
            }
        )
    )


@pytest.mark.parametrize("wrap", [zstandard.compress, bytes])
def test_the_least_that_an_older_version_holds_is_read(wrap, tmp_path: Path):
    payload = older([{**VIDEO, "ann_json": json.dumps(ANNOTATION)}], wrap)

    unpacked = unpack_archive(archive_of(payload, tmp_path / "archive"), "videos", tmp_path / "out")

    assert (unpacked.archive_format, unpacked.provenance) == ("v2.0.0", None)
    found = unpacked.snapshot
    assert found.counts() == {"datasets": 1, "videos": 1, "objects": 1, "figures": 1, "tags": 2}
    (figure,) = found.read("figures").to_pylist()
    assert (figure["src_object_id"], figure["frame_index"]) == (3, 4)
    assert found.read("tags", ["name", "frame_from", "frame_to"]).to_pylist() == [
        {"name": "scene", "frame_from": 0, "frame_to": 4},
        {"name": "speed", "frame_from": None, "frame_to": None},
    ]
    assert found.read("videos", ["description"]).to_pylist() == [{"description": "old"}]


def test_a_video_without_annotation_is_read(tmp_path: Path):
    payload = older([{**VIDEO, "ann_json": None}, {**VIDEO, "src_video_id": 2, "ann_json": "{}"}])

    unpacked = unpack_archive(archive_of(payload, tmp_path / "archive"), "videos", tmp_path / "out")

    assert unpacked.snapshot.counts()["videos"] == 2


@pytest.mark.parametrize(
    "annotation",
    [
        "{",
        "[]",
        "5",
        "[" * 100_000,
        '{"description":"' + "{" * 2_300_000 + '"}',
        '{"objects": 5}',
        '{"objects": [{"classTitle": "car"}]}',
        '{"objects": [{"id": "x"}]}',
        '{"frames": [{"figures": [{}]}]}',
        '{"frames": {"index": 1}}',
        '{"frames": [{"index": "a", "figures": [' + json.dumps(FIGURE) + "]}]}",
        '{"tags": [{"name": "scene"}]}',
        '{"tags": [{"tagId": 61, "frameRange": [1]}]}',
        '{"tags": [{"tagId": 61, "frameRange": [1, 99999999999]}]}',
    ],
)
def test_an_annotation_that_cannot_be_read_is_refused_with_its_video(annotation, tmp_path: Path):
    payload = older([{**VIDEO, "ann_json": annotation}])

    with pytest.raises(FormatError, match=r"video 'a\.mp4' \(id 1\)"):
        unpack_archive(archive_of(payload, tmp_path / "archive"), "videos", tmp_path / "out")


def test_an_older_version_without_annotations_is_refused(tmp_path: Path):
    with pytest.raises(FormatError, match="ann_json"):
        unpack_archive(archive_of(older([VIDEO]), tmp_path / "archive"), "videos", tmp_path / "out")


def test_annotations_that_are_no_text_are_refused(tmp_path: Path):
    payload = older([{**VIDEO, "ann_json": 5}])

    with pytest.raises(FormatError):
        unpack_archive(archive_of(payload, tmp_path / "archive"), "videos", tmp_path / "out")


@FORMATS
def test_a_flipped_bit_is_noticed_or_changes_nothing(packed: PackedArchive, snapshot: Snapshot, tmp_path):
    data = bytearray(packed.path.read_bytes())
    chance = random.Random(7)
    for _ in range(60):
        place = chance.randrange(len(data))
        data[place] ^= 1 << (bit := chance.randrange(8))
        packed.path.write_bytes(data)
        try:
            unpacked = unpack_archive(packed.path, "videos", tmp_path / "out")
        except SnapshotError:
            pass
        else:
            assert content(unpacked.snapshot) == content(snapshot)
        data[place] ^= 1 << bit


@FORMATS
def test_an_archive_cut_anywhere_is_refused(packed: PackedArchive, tmp_path: Path):
    data = packed.path.read_bytes()
    for end in range(0, len(data), len(data) // 40):
        packed.path.write_bytes(data[:end])
        with pytest.raises(FormatError):
            unpack_archive(packed.path, "videos", tmp_path / "out")


def repacked(path: Path, change: Any) -> Path:
    members = unwrapped(path)
    change(members)
    path.write_bytes(zstandard.compress(tar_of(members)))
    return path


def _drop(members):
    del members[MEMBER]


def _shorten(members):
    members[MEMBER] = members[MEMBER][:-10]


def _lengthen(members):
    members[MEMBER] += b"{}\n"


def _change(members):
    members[MEMBER] = members[MEMBER].replace(b'"frames_count": 10', b'"frames_count": 11', 1)


@FORMATS
@pytest.mark.parametrize("change", [_drop, _shorten, _lengthen, _change])
def test_lines_that_do_not_fit_the_tables_are_refused(change, packed: PackedArchive, tmp_path: Path):
    with pytest.raises(IntegrityError):
        unpack_archive(repacked(packed.path, change), "videos", tmp_path / "out")


@FORMATS
def test_lines_without_the_digest_of_the_item_are_taken_as_they_were_written_once(
    packed: PackedArchive, tmp_path: Path
):
    def shorten(members):
        lines = [json.loads(line) for line in members[MEMBER].splitlines()]
        for line in lines:
            del line["item_sha256"]
        members[MEMBER] = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)

    unpack_archive(repacked(packed.path, shorten), "videos", tmp_path / "out")


def test_lines_tell_all_that_is_compared_of_videos():
    module = import_module(integrity_lines.__module__)
    assert set(COMPARED.of_items) == set(module._ITEM)
    assert set(COMPARED.of("figures")) == set(module._FIGURES)
    assert {"name", *COMPARED.of_tags} == set(module._TAGS)


def test_a_line_tells_what_a_video_is(snapshot: Snapshot):
    lines = [json.loads(line) for line in integrity_lines(snapshot)]

    assert [line["path"] for line in lines] == ["a/b/кот.mp4", "a/b/far.mp4", "a/bare.mp4"]
    assert {key: lines[1][key] for key in ("id", "hash", "link", "size_bytes", "frames_count")} == {
        "id": 32,
        "hash": None,
        "link": "https://media.example.com/far.mp4",
        "size_bytes": None,
        "frames_count": 10,
    }
    assert len({line["annotation_sha256"] for line in lines}) == 3


def test_the_digest_is_the_one_that_is_documented(tmp_path: Path):
    from hashlib import sha256

    rows = video_rows()
    (line,) = (
        json.loads(line)
        for line in integrity_lines(write_video_snapshot(tmp_path, rows))
        if b'"id": 32' in line
    )

    geometry = '{"points":{"exterior":[[0.5,1.25],[10,18]],"interior":[]}}'
    objects = '["car"]\n'
    figures = f'[0,9,"rectangle",{geometry},null,1,{{"frame":9}},null,false,true,null,null]\n'
    tags = '[0,"speed",2,null,null,true,false,null]\n'
    # One line of tags: the sum of one digest.
    parts = "".join(f"{sha256(part.encode()).hexdigest()}\n" for part in (objects, figures, tags))
    assert line["annotation_sha256"] == sha256(parts.encode()).hexdigest()


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("figures", "geometry_json", "{}"),
        ("figures", "frame_index", 1),
        ("figures", "track_id", 'a"b'),
        ("figures", "custom_data", '{"x":1}'),
        ("figures", "src_object_id", 41),
        ("objects", "class_name", "лицо"),
        ("tags", "frame_to", 8),
        ("tags", "value_json", "3"),
    ],
)
def test_whatever_changes_in_an_annotation_changes_its_digest(
    table, column, value, snapshot: Snapshot, tmp_path: Path
):
    rows = video_rows()
    rows[table][1][column] = value

    assert digests(write_video_snapshot(tmp_path, rows))[0] != digests(snapshot)[0]


def test_a_digest_does_not_depend_on_how_a_server_spells_json(snapshot: Snapshot, tmp_path: Path):
    rows = video_rows()
    for row in rows["figures"]:
        points = json.loads(row["geometry_json"])["points"]
        exterior = [[0.50, 1.250], [10.0, points["exterior"][1][1]]]
        row["geometry_json"] = json.dumps({"points": {"interior": [], "exterior": exterior}}, indent=1)
    rows["videos"][2]["custom_data"] = '{ "д" : [1, null] }'
    rows["figures"][1]["smart_tool_input"] = '{"crop": [[5e-1, 1.0], [2, 3]]}'

    assert digests(write_video_snapshot(tmp_path, rows)) == digests(snapshot)


def test_a_digest_tells_numbers_that_differ_by_a_hair(snapshot: Snapshot, tmp_path: Path):
    rows = video_rows()
    text = rows["figures"][0]["geometry_json"]
    rows["figures"][0]["geometry_json"] = text.replace("1.25", "1.2500000000000002")

    assert digests(write_video_snapshot(tmp_path, rows)) != digests(snapshot)


def test_the_order_of_tags_does_not_change_a_digest_but_a_tag_that_is_there_twice_does(
    snapshot: Snapshot, tmp_path: Path
):
    reversed_rows, doubled_rows = video_rows(), video_rows()
    reversed_rows["tags"].reverse()
    doubled_rows["tags"].append(doubled_rows["tags"][0])

    assert digests(write_video_snapshot(tmp_path / "reversed", reversed_rows)) == digests(snapshot)
    assert digests(write_video_snapshot(tmp_path / "doubled", doubled_rows)) != digests(snapshot)


@FORMATS
def test_json_that_another_writer_spelled_comes_back_with_its_digest(archive_format, tmp_path: Path):
    rows = video_rows()
    rows["figures"][0]["geometry_json"] = '{ "points": {"interior": [], "exterior": [[1.0, 2], [3, 4e0]]} }'
    spelled = write_video_snapshot(tmp_path / "spelled", rows)

    packed = pack_archive(spelled, archive_format, tmp_path / "archive", {})

    assert digests(unpack_archive(packed.path, "videos", tmp_path / "out").snapshot) == digests(spelled)


def test_frames_that_a_newer_version_lists_out_of_order_are_put_in_order(tmp_path: Path):
    rows = video_rows()
    rows["figures"][:3] = reversed(rows["figures"][:3])
    packed = pack_archive(write_video_snapshot(tmp_path / "in", rows), "v2.1.0", tmp_path / "archive", {})

    snapshot = unpack_archive(packed.path, "videos", tmp_path / "out").snapshot
    older = pack_archive(snapshot, "v2.0.0", tmp_path / "older", {})

    frames = unpack_archive(older.path, "videos", tmp_path / "again").snapshot.read("figures")["frame_index"]
    assert frames.to_pylist()[:3] == [row["frame_index"] for row in reversed(rows["figures"][:3])]


def test_frames_that_an_older_version_lists_out_of_order_are_put_in_order(tmp_path: Path):
    frames = [{"index": index, "figures": [{**FIGURE, "id": index}]} for index in (8, 2, 4)]
    payload = older([{**VIDEO, "ann_json": json.dumps({**ANNOTATION, "frames": frames})}])

    unpacked = unpack_archive(archive_of(payload, tmp_path / "archive"), "videos", tmp_path / "out")

    assert unpacked.snapshot.read("figures")["frame_index"].to_pylist() == [2, 4, 8]


def test_a_video_of_an_archive_that_another_tool_wrote_is_found(tmp_path: Path):
    payload = older([{**VIDEO, "ann_json": json.dumps(ANNOTATION)}])
    archive = archive_of(payload, tmp_path / "archive")

    found = ArchivedItems(archive, "videos", tmp_path / "out").find("d/a.mp4")

    assert found is not None
    assert (found.id, found.hash, len(found.annotation_sha256 or "")) == (1, "h", 64)
    assert ArchivedItems(archive, "videos", tmp_path / "out").find("d/b.mp4") is None


def test_ids_and_times_do_not_change_a_digest(snapshot: Snapshot, tmp_path: Path):
    rows = video_rows()
    for name, table in rows.items():
        for row in table:
            row.update({key: row[key] + 1000 for key in row if key.startswith("src_")} | {"updated_at": "x"})
            if name == "datasets" and row["parent_src_dataset_id"]:
                row["parent_src_dataset_id"] += 1000
            if name == "tags":
                row["owner_id"] += 1000
            if name == "datasets":
                del row["updated_at"]

    assert digests(write_video_snapshot(tmp_path, rows)) == digests(snapshot)


def digests(snapshot: Snapshot) -> list[str]:
    return [json.loads(line)["annotation_sha256"] for line in integrity_lines(snapshot)]
