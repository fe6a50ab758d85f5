"""A version exported: the same for any number of workers, and refused as a whole or not at all."""

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.dataset.bucket_destination import SUCCESS
from airflow_sv_versioning.dataset.cache import Cache
from airflow_sv_versioning.dataset.category_ids import number_classes, read_category_ids
from airflow_sv_versioning.dataset.destination import open_destination
from airflow_sv_versioning.dataset.export import export_shard, finish_export
from airflow_sv_versioning.dataset.export_options import ExportOptions
from airflow_sv_versioning.dataset.formats import registry
from airflow_sv_versioning.dataset.opening import open_version
from airflow_sv_versioning.dataset.reader import VersionReader
from airflow_sv_versioning.dataset.split import Split
from airflow_sv_versioning.dataset.staging import Shard
from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    LossyExportError,
    MissingMediaError,
    UnsupportedProjectError,
)
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.versioning import ProjectVersions
from tests.support.buckets import read_objects, s3_path, s3_server
from tests.support.exports import Job, export, make_mixed_project, read_tree
from tests.support.plain_format import PLACE
from tests.support.projects import read_archive
from tests.support.types import Patch, Request, Server, TempFolders

BUCKET = "datasets"
SPLIT = Split.parse("train=0.6,val=0.4", 3)
LOSSY = ExportOptions(format="coco", allow_lossy=True)
WHOLE = replace(LOSSY, media="copy", split=SPLIT)


@pytest.fixture(autouse=True)
def plain_format(monkeypatch: Patch) -> None:
    monkeypatch.setitem(registry._PLACES, "coco", PLACE)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[SuperviselyClient]:
    with SuperviselyClient(server.url, server.token) as connected:
        yield connected


@pytest.fixture(scope="module")
def place(tmp_path_factory: TempFolders) -> Path:
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def archive(client: SuperviselyClient, photos: list[Path], place: Path) -> Path:
    made = ProjectVersions(client).create(make_mixed_project(client, photos))
    (place / "version.tar.zst").write_bytes(read_archive(client, made))
    return place / "version.tar.zst"


@pytest.fixture(scope="module")
def reader(client: SuperviselyClient, archive: Path, place: Path) -> Iterator[VersionReader]:
    with open_version(archive, client=client, cache=place / "cache") as opened:
        yield opened


@pytest.fixture(scope="module")
def whole(reader: VersionReader, place: Path) -> dict[str, bytes]:
    """What an export in one piece is."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(registry._PLACES, "coco", PLACE)
        export(reader, WHOLE, open_destination(place / "whole"))
    return read_tree(place / "whole")


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    with s3_server(BUCKET) as client:
        yield client


def test_an_export_tells_all_about_itself(reader: VersionReader, whole: dict[str, bytes]):
    manifest = json.loads(whole["manifest.json"])

    assert manifest["format"] == "sv-dataset/1"
    assert manifest["version"]["archive_sha256"] == reader.facts.archive_sha256
    assert manifest["export"]["split"] == SPLIT.as_dict()
    assert manifest["category_ids"] == {"a kiwi": 1, "dot": 2, "lemon": 3}
    parts = manifest["parts"]
    assert [*parts] == ["train", "val"]
    assert sum(part["items"] for part in parts.values()) == 12
    assert sum(part["classes"]["lemon"]["figures"] for part in parts.values()) == 12
    assert manifest["losses"] == [{"class": "dot", "what": "point", "figures": 1}]
    assert (manifest["media"]["files"], manifest["media"]["gone"]) == (12, [])
    names = {
        row["item"]: row["file_name"] for row in csv.DictReader(whole["names.csv"].decode().splitlines())
    }
    assert len(names) == manifest["renamed"] == 9
    assert all(item.startswith("images/") for item in names)
    assert len(whole["items.tsv"].splitlines()) == 12
    for line in whole["checksums.sha256"].decode().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256(whole[name]).hexdigest() == digest
    assert hashlib.sha256(whole["checksums.sha256"]).hexdigest() == manifest["files"]["checksums_sha256"]


@pytest.mark.parametrize("shards", [2, 3, 7])
def test_the_folder_is_the_same_for_any_number_of_shards(
    reader: VersionReader, whole: dict[str, bytes], shards: int, tmp_path: Path
):
    export(reader, WHOLE, open_destination(tmp_path / "made"), shards)

    assert read_tree(tmp_path / "made") == whole
    assert os.listdir(tmp_path) == ["made"]


@pytest.mark.parametrize("media", ["none", "copy"])
@pytest.mark.parametrize("name", registry.FORMATS)
def test_each_format_gives_the_same_for_any_number_of_shards(
    reader: VersionReader, name: str, media: Any, tmp_path: Path, monkeypatch: Patch
):
    monkeypatch.undo()
    options = replace(WHOLE, format=name, media=media)
    for shards in (1, 3):
        export(reader, options, open_destination(tmp_path / str(shards)), shards)

    found = read_tree(tmp_path / "1")
    assert found == read_tree(tmp_path / "3")
    assert len(json.loads(found["manifest.json"])["category_ids"]) == 3


@pytest.mark.parametrize("shards", [1, 3])
def test_a_bucket_gets_the_same(
    reader: VersionReader, whole: dict[str, bytes], shards: int, s3: Any, request: Request
):
    path = s3_path(s3, f"s3://{BUCKET}/{request.node.name}")

    result = export(reader, WHOLE, open_destination(path), shards)

    assert read_objects(s3, BUCKET, request.node.name) == {**whole, SUCCESS: b""}
    assert result.destination == str(path)


def test_files_are_linked_or_written_by_the_format(reader: VersionReader, place: Path, tmp_path: Path):
    linked = replace(LOSSY, media="link")
    embedded = replace(LOSSY, media="copy", format_options={"embed": True})

    export(reader, linked, open_destination(tmp_path / "linked"), 2)
    export(reader, embedded, open_destination(tmp_path / "embedded"), 2)

    files = [*(tmp_path / "linked" / "images").rglob("*.jpg")]
    cached = {path.stat().st_ino for path in (place / "cache" / "media").rglob("*") if path.is_file()}
    assert files
    assert {file.stat().st_ino for file in files} <= cached
    assert not (tmp_path / "embedded" / "images").exists()
    assert (tmp_path / "embedded" / "items.tsv").read_bytes() == (
        tmp_path / "linked" / "items.tsv"
    ).read_bytes()


def test_the_same_export_again_finds_itself_and_another_is_refused(reader: VersionReader, tmp_path: Path):
    destination = open_destination(tmp_path / "made")
    first = export(reader, LOSSY, destination)
    before = read_tree(tmp_path)

    again = export(reader, LOSSY, destination)
    late_shard = export_shard(reader, LOSSY, destination, Shard(1, 4), Progress())

    assert (first.created, again.created, late_shard.created) == (True, False, False)
    assert again.manifest == first.manifest == json.loads((tmp_path / "made" / "manifest.json").read_text())
    assert "exported before" in again.line()
    with pytest.raises(ConfigurationError, match="holds something else"):
        export(reader, replace(LOSSY, split=SPLIT), destination)
    assert read_tree(tmp_path) == before


@pytest.mark.parametrize("there", ["a file", "a folder"])
def test_a_destination_that_exists_is_refused(reader: VersionReader, there: str, tmp_path: Path):
    (tmp_path / "made").touch() if there == "a file" else (tmp_path / "made" / "mine").mkdir(parents=True)
    before = [*tmp_path.rglob("*")]

    with pytest.raises(ConfigurationError, match="holds something else"):
        export(reader, LOSSY, open_destination(tmp_path / "made"))

    assert [*tmp_path.rglob("*")] == before


@pytest.mark.parametrize("shards", [1, 2])
def test_what_would_be_lost_is_told_before_anything_is_there(
    reader: VersionReader, shards: int, tmp_path: Path
):
    with pytest.raises(LossyExportError, match=r"1 of 'dot' \(point\)") as caught:
        export(reader, replace(LOSSY, allow_lossy=False), open_destination(tmp_path / "made"), shards)

    assert caught.value.losses == [{"class": "dot", "what": "point", "figures": 1}]
    assert not (tmp_path / "made").exists()


@pytest.mark.usefixtures("whole")
def test_files_that_are_gone_fail_the_export_or_are_left_out_and_told(
    archive: Path, place: Path, tmp_path: Path
):
    """Without a server, only what is in the cache can be had."""
    cache = Cache(tmp_path / "cache")
    with open_version(archive, cache=cache) as alone:
        with pytest.raises(MissingMediaError, match=r"files of 12 items can be had nowhere: .* and 2 more"):
            export(alone, WHOLE, open_destination(tmp_path / "made"))
        assert not [*tmp_path.glob(".made*")]
        for file in sorted((place / "cache" / "media").rglob("*"))[-1:]:
            cache.put_media(file.name, [file.read_bytes()]).close()

        made = export(alone, replace(WHOLE, media_gone="skip"), open_destination(tmp_path / "made"), 3)

    gone = made.manifest["media"]["gone"]
    assert 0 < len(gone) < 12
    assert (
        len([*(tmp_path / "made" / "images").rglob("*.*")])
        == made.manifest["media"]["files"]
        == 12 - len(gone)
    )
    assert (tmp_path / "made" / "items.tsv").read_text().count("gone") == len(gone)


def test_a_finish_names_the_shards_that_are_missing(reader: VersionReader, tmp_path: Path):
    destination = open_destination(tmp_path / "made")
    export_shard(reader, LOSSY, destination, Shard(1, 3), Progress())

    with pytest.raises(ConfigurationError, match="of 3 shards 2 are missing: 0, 2"):
        finish_export(reader, LOSSY, destination, 3, Progress())
    with pytest.raises(ConfigurationError, match="of 3 shards 3 are missing"):
        finish_export(reader, replace(LOSSY, split=SPLIT), destination, 3, Progress())

    assert not (tmp_path / "made").exists()


def test_classes_keep_the_numbers_of_an_earlier_export(reader: VersionReader, tmp_path: Path, s3: Any):
    kept = replace(LOSSY, category_ids={"lemon": 7, "no more": 3})
    on_s3 = s3_path(s3, f"s3://{BUCKET}/earlier")

    export(reader, kept, open_destination(tmp_path / "first"))
    export(reader, kept, open_destination(on_s3))
    for number, earlier in enumerate(
        (str(tmp_path / "first"), str(tmp_path / "first" / "manifest.json"), on_s3)
    ):
        again = export(
            reader, replace(LOSSY, category_ids=earlier), open_destination(tmp_path / f"again {number}")
        )

        assert again.manifest["category_ids"] == {"no more": 3, "lemon": 7, "a kiwi": 8, "dot": 9}
    assert read_category_ids(tmp_path / "first", 0) == {"no more": 2, "lemon": 6, "a kiwi": 7, "dot": 8}


@pytest.mark.parametrize(
    "bad",
    [
        {"a": -1},
        {"a": True},
        {"a": "1"},
        {"a": 1.0},
        {1: 1},
        {"a": 4, "b": 4},
        {"a": 0},
        "nowhere",
        "/dev/null",
    ],
)
def test_numbers_of_classes_that_cannot_be_are_refused(bad: Any):
    with pytest.raises(ConfigurationError, match="category_ids"):
        read_category_ids(bad, 1)


def test_new_classes_go_last():
    assert number_classes(["b", "a"], {}, 0) == {"a": 0, "b": 1}
    assert number_classes(["b", "a", "c"], {"b": 5, "z": 1}, 1) == {"z": 1, "b": 5, "a": 6, "c": 7}


@pytest.mark.parametrize(
    "options", [{"format": "voc"}, {"media": "some"}, {"media_gone": "ignore"}, {"format": None}], ids=str
)
def test_words_that_are_no_choice_are_refused(options: dict[str, Any]):
    with pytest.raises(ConfigurationError, match="choose one of"):
        ExportOptions(**{"format": "coco", **options})


def test_links_into_the_cache_do_not_go_to_a_bucket(reader: VersionReader, s3: Any):
    destination = open_destination(s3_path(s3, f"s3://{BUCKET}/linked"))

    with pytest.raises(ConfigurationError, match="use media='copy'"):
        export(reader, replace(LOSSY, media="link"), destination)


def test_a_format_says_which_projects_it_cannot_hold(
    reader: VersionReader, tmp_path: Path, monkeypatch: Patch
):
    monkeypatch.setattr("tests.support.plain_format.PlainFormat.project_types", frozenset({"videos"}))

    with pytest.raises(UnsupportedProjectError, match="it holds videos"):
        export(reader, LOSSY, open_destination(tmp_path / "made"))


def test_two_processes_at_one_destination_make_one_data_set(
    archive: Path, place: Path, whole: dict[str, bytes], tmp_path: Path
):
    jobs = [Job(archive, place / "cache", WHOLE, tmp_path / "made", shards) for shards in (1, 1, 3)]

    processes = [job.start() for job in jobs]
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert read_tree(tmp_path / "made") == whole


@pytest.mark.usefixtures("whole")
def test_a_full_disk_is_told_and_nothing_is_left(archive: Path, place: Path, tmp_path: Path):
    (tmp_path / "beside").mkdir()
    job = Job(archive, place / "cache", WHOLE, tmp_path / "beside" / "made")

    told = job.find_error(file_bytes=2_000)

    assert told.startswith(f"destination: The destination {tmp_path / 'beside' / 'made'} is full")
    assert os.listdir(tmp_path / "beside") == []


@pytest.mark.slow
@pytest.mark.parametrize(("shards", "kills"), [(1, 31), (3, 16)])
def test_a_killed_export_leaves_nothing_that_looks_whole(
    shards: int, kills: int, archive: Path, place: Path, whole: dict[str, bytes], tmp_path: Path
):
    job = Job(archive, place / "cache", WHOLE, tmp_path / "made", shards)
    moments = job.count_moments()
    assert moments > kills

    for moment in [number * moments // kills for number in range(kills)]:
        shutil.rmtree(tmp_path / "made")
        job.kill_at(moment)

        if (tmp_path / "made").exists():
            assert read_tree(tmp_path / "made") == whole
        job.run()

        assert read_tree(tmp_path / "made") == whole
        assert os.listdir(tmp_path) == ["made"]


@pytest.mark.slow
def test_a_killed_export_to_a_bucket_leaves_nothing_that_looks_whole(
    archive: Path, place: Path, reader: VersionReader, s3: Any, tmp_path: Path
):
    export(reader, LOSSY, open_destination(tmp_path / "whole"))
    whole = read_tree(tmp_path / "whole")
    options = dict(s3_path(s3, f"s3://{BUCKET}").storage_options)
    jobs = (Job(archive, place / "cache", LOSSY, (f"s3://{BUCKET}/killed{n}", options)) for n in range(4))
    moments = next(jobs).count_moments()

    for number, job in enumerate(jobs, 1):
        # The last one when all is there, but for what is to be removed.
        job.kill_at((number - 1) * (moments - 1) // 2)
        found = read_objects(s3, BUCKET, f"killed{number}")
        if SUCCESS in found:
            assert {name: found[name] for name in whole} == whole
        job.run()

        assert read_objects(s3, BUCKET, f"killed{number}") == {**whole, SUCCESS: b""}
