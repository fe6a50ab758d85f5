"""Destinations of exports: whole or not at all, on a disk and in a bucket."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.dataset import local_destination
from airflow_sv_versioning.dataset.bucket_destination import SUCCESS
from airflow_sv_versioning.dataset.destination import open_destination
from airflow_sv_versioning.dataset.destination_errors import destination_errors
from airflow_sv_versioning.dataset.staging import (
    FILES,
    FRAGMENTS,
    MANIFEST,
    Destination,
    FinishedElsewhereError,
    Shard,
    ShardRecord,
    Staging,
    names_below,
)
from airflow_sv_versioning.exceptions import ConfigurationError, DestinationError
from tests.support.buckets import read_objects, s3_path, s3_server
from tests.support.types import Patch, Request

BUCKET = "datasets"
KEY, OTHER = "0123456789abcdef", "fedcba9876543210"
NAMES = [f"images/train/{number % 3}/{number}.jpg" for number in range(12)]


class Place:
    """A destination, and what others see there."""

    def __init__(self, open_it: Callable[[], Destination], read: Callable[[], dict[str, bytes]]) -> None:
        self.open = open_it
        self.read = read


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    with s3_server(BUCKET) as client:
        yield client


@pytest.fixture
def bucket(s3: Any, request: Request) -> Place:
    name = request.node.name
    path = s3_path(s3, f"s3://{BUCKET}/{name}")
    return Place(lambda: open_destination(path), lambda: read_objects(s3, BUCKET, name))


@pytest.fixture
def folder(tmp_path: Path) -> Place:
    path = tmp_path / "below" / "data set"

    def read() -> dict[str, bytes]:
        return {name: (path / name).read_bytes() for name in names_below(path)} if path.exists() else {}

    return Place(lambda: open_destination(str(path)), read)


@pytest.fixture(params=["folder", "bucket"])
def place(request: Request) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


def make_shard(staging: Staging, shard: Shard) -> None:
    with staging.making() as folder:
        for name in NAMES[shard.number :: shard.count]:
            (folder / FILES / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / FILES / name).write_text(name)
        (folder / FILES).mkdir(exist_ok=True)
        (folder / FRAGMENTS).mkdir()
        (folder / FRAGMENTS / "names").write_text(" ".join(NAMES[shard.number :: shard.count]))
        files = {name: (len(name), None) for name in names_below(folder / FILES)}
        ShardRecord(files, ["names"], {}).write(folder)
        staging.keep(folder, shard)


def finish(staging: Staging, count: int) -> None:
    with staging.assembling(Shard.all_of(count)) as assembly:
        names = [
            name for each in assembly.shards for name in (each / FRAGMENTS / "names").read_text().split()
        ]
        (assembly.files / "all").mkdir()
        (assembly.files / "all" / "names.txt").write_text(" ".join(sorted(names)))
        (assembly.files / MANIFEST).write_text(json.dumps({"of": "all"}))
        staging.complete(assembly)


def export(destination: Destination, count: int, key: str = KEY) -> None:
    for shard in Shard.all_of(count):
        with destination.staging(key) as staging:
            make_shard(staging, shard)
    with destination.staging(key) as staging:
        finish(staging, count)


def expected() -> dict[str, bytes]:
    made = {"all/names.txt": " ".join(sorted(NAMES)), MANIFEST: json.dumps({"of": "all"})}
    return {name: text.encode() for name, text in {**made, **{name: name for name in NAMES}}.items()}


def is_whole(place: Place) -> bool:
    found = place.read()
    found.pop(SUCCESS, None)
    return found == expected()


@pytest.mark.parametrize("count", [1, 5])
def test_a_data_set_is_the_same_for_any_number_of_shards(place: Place, count: int):
    export(place.open(), count)

    assert is_whole(place)
    assert place.open().find_manifest() == {"of": "all"}


def test_nothing_is_left_beside_a_folder(folder: Place, tmp_path: Path):
    export(folder.open(), 2)

    assert os.listdir(tmp_path / "below") == ["data set"]


def test_a_shard_that_is_made_twice_does_no_harm(place: Place):
    destination = place.open()
    with destination.staging(KEY) as one, place.open().staging(KEY) as other:
        make_shard(one, Shard(0, 2))
        with other.making() as late:
            make_shard(one, Shard(1, 2))
            (late / FILES).mkdir()
            (late / FRAGMENTS).mkdir()
            (late / FRAGMENTS / "names").write_text(" ".join(NAMES[1::2]))
            ShardRecord(dict.fromkeys(NAMES[1::2], (1, None)), ["names"], {}).write(late)
            other.keep(late, Shard(1, 2))
        finish(one, 2)

    assert is_whole(place)


def test_what_is_not_whole_is_not_seen(place: Place):
    destination = place.open()
    with destination.staging(KEY) as staging:
        make_shard(staging, Shard(0, 2))
        assert [staging.holds(shard) for shard in Shard.all_of(2)] == [True, False]
        assert not staging.holds(Shard(0, 1))

    assert destination.find_manifest() is None
    assert SUCCESS not in place.read()


def test_an_export_that_failed_before_its_first_shard_leaves_nothing(place: Place, tmp_path: Path):
    def fail_half_way() -> None:
        with place.open().staging(KEY) as staging, staging.making() as folder:
            (folder / "half").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()

    assert place.read() == {}
    assert names_below(tmp_path) == []


def test_two_that_finish_at_once_make_one_data_set(folder: Place):
    with folder.open().staging(KEY) as one, folder.open().staging(KEY) as other:
        for shard in Shard.all_of(2):
            make_shard(one, shard)
        finish(one, 2)
        with pytest.raises(FinishedElsewhereError):
            finish(other, 2)

    assert is_whole(folder)


def test_things_of_others_are_told_apart(
    folder: Place, bucket: Place, s3: Any, request: Request, tmp_path: Path
):
    (tmp_path / "below" / "data set").mkdir(parents=True)
    assert folder.open().find_manifest() is None
    (tmp_path / "below" / "data set" / "mine.txt").touch()
    s3.put_object(Bucket=BUCKET, Key=f"{request.node.name}/mine.txt", Body=b"mine")

    assert folder.open().find_manifest() == bucket.open().find_manifest() == {}


def test_a_file_is_no_destination(tmp_path: Path):
    (tmp_path / "file").touch()

    assert open_destination(tmp_path / "file").find_manifest() == {}


def test_an_export_does_not_take_over_another_in_the_same_prefix(bucket: Place):
    with bucket.open().staging(KEY) as staging:
        make_shard(staging, Shard(0, 2))

    with pytest.raises(ConfigurationError, match="holds another export"), bucket.open().staging(OTHER):
        pass
    export(bucket.open(), 2)

    assert is_whole(bucket)


def test_what_stands_in_the_way_of_an_export_to_a_bucket_goes(bucket: Place, s3: Any, request: Request):
    with bucket.open().staging(KEY) as staging:
        make_shard(staging, Shard(0, 3))
    s3.put_object(Bucket=BUCKET, Key=f"{request.node.name}/images/train/stray.jpg", Body=b"of a killed try")

    export(bucket.open(), 1)

    assert is_whole(bucket)


def test_a_bucket_that_lost_a_file_is_not_called_whole(bucket: Place, s3: Any, request: Request):
    with bucket.open().staging(KEY) as staging:
        make_shard(staging, Shard())
        s3.delete_object(Bucket=BUCKET, Key=f"{request.node.name}/{NAMES[3]}")
        with pytest.raises(DestinationError, match=NAMES[3]):
            finish(staging, 1)

    assert SUCCESS not in bucket.read()


def test_what_killed_exports_left_beside_a_folder_goes_and_what_others_are_at_stays(
    folder: Place, tmp_path: Path, monkeypatch: Patch
):
    beside = tmp_path / "below"
    foreign = beside / f".data set.more.{OTHER}.part"
    foreign.mkdir(parents=True)
    with folder.open().staging(KEY) as at_work:
        make_shard(at_work, Shard())
        with folder.open().staging(OTHER) as sharded:
            make_shard(sharded, Shard(0, 2))
        assert at_work.holds(Shard())
    killed = beside / f".data set.{KEY}.part"
    assert killed.exists()

    with folder.open().staging("0" * 16):
        assert not killed.exists()
        assert (beside / f".data set.{OTHER}.part").exists()
    monkeypatch.setattr(local_destination, "_ABANDONED_SECONDS", -1.0)
    with folder.open().staging("0" * 16):
        pass

    assert os.listdir(beside) == [foreign.name]


@pytest.mark.parametrize("shard", [(-1, 2), (2, 2), (0, 0), (0, 10_001)])
def test_shards_are_numbered_from_zero(shard: tuple[int, int]):
    with pytest.raises(ConfigurationError, match="shard"):
        Shard(*shard)


@pytest.mark.parametrize("bad", ["", " ", "/", "a\0b", "memory://x", "nosuch://x/y", "s3://"])
def test_what_cannot_hold_a_data_set_is_refused(bad: str):
    with pytest.raises(ConfigurationError):
        open_destination(bad)


@pytest.mark.parametrize("bad", ["/sys/data set", "/dev/null/data set", f"/tmp/{'n' * 250}"])
def test_a_disk_that_refuses_is_named(bad: str):
    destination = open_destination(bad)

    def begin() -> None:
        with destination_errors(destination.url), destination.staging(KEY):
            pass

    with pytest.raises(ConfigurationError, match="The destination /"):
        begin()


def test_a_bucket_that_is_not_there_is_named(s3: Any):
    destination = open_destination(s3_path(s3, "s3://not-there/data"))

    with destination.staging(KEY) as staging, pytest.raises(ConfigurationError, match="Is its bucket"):
        make_shard(staging, Shard())
