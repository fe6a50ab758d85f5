"""A version read as data: from the server and from an archive, whole and in part."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.dataset import open_version
from airflow_sv_versioning.dataset.cache import Cache
from airflow_sv_versioning.dataset.entries import Placed
from airflow_sv_versioning.exceptions import ConfigurationError, IntegrityError
from airflow_sv_versioning.versioning import CreateResult, ProjectVersions
from tests.support.projects import read_archive
from tests.support.typed_projects import MAKERS, nest

BATCH_COLUMNS = {"images": "src_image_id", "videos": "src_video_id", "volumes": "src_volume_id"}


@pytest.fixture(params=MAKERS)
def project_type(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def made(client: SuperviselyClient, tmp_path: Path, project_type: str) -> CreateResult:
    project_id = MAKERS[project_type](client, tmp_path)
    nest(client, project_id)
    return ProjectVersions(client).create(project_id)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def _rows(reader: pa.RecordBatchReader) -> list[dict[str, Any]]:
    return reader.read_all().to_pylist()


def test_what_a_version_holds_is_read(client, made, cache, project_type):
    with open_version(client, made.project_id, made.version_id, cache=cache) as version:
        items, figures = _rows(version.items()), _rows(version.figures())
        classes = {entry["title"] for entry in version.meta["classes"]}
        datasets = {row["full_path"] for row in _rows(version.datasets())}

        assert version.facts.version_num == made.version_num
        assert version.facts.archive_sha256 == made.archive_sha256
        assert len(items) == made.counts[project_type]
        assert len(figures) == made.counts["figures"]
        assert {row["class_name"] for row in figures} <= classes
        assert {row["dataset_path"] for row in items} <= datasets
        assert "parent" in datasets


def test_figures_of_classes_and_datasets_are_chosen(client, made, cache):
    with open_version(client, made.project_id, made.version_id, cache=cache) as version:
        everything = _rows(version.figures())
        class_name = everything[0]["class_name"]

        of_class = _rows(version.figures(classes=[class_name]))
        assert of_class == [row for row in everything if row["class_name"] == class_name]
        assert _rows(version.figures(datasets=["parent/**"], columns=["class_name"])) == [
            {"class_name": row["class_name"]} for row in everything
        ]
        with pytest.raises(ConfigurationError, match="no class 'nothing'"):
            version.figures(classes=["nothing"])
        with pytest.raises(ConfigurationError, match="no column weight"):
            version.figures(columns=["weight"])


def test_files_come_by_their_content(client, made, cache):
    with open_version(client, made.project_id, made.version_id, cache=cache) as version:
        rows = _rows(version.items())
        contents = list(version.media(rows))

    assert [_content_hash(content) for content in contents] == [row["hash"] for row in rows]


def _content_hash(content: bytes) -> str:
    import base64

    return base64.b64encode(sha256(content).digest()).decode()


def test_an_archive_is_read_as_the_version(client, made, cache, tmp_path):
    archive = tmp_path / "a.tar.zst"
    archive.write_bytes(read_archive(client, made))

    with (
        open_version(archive, cache=tmp_path / "other") as of_file,
        open_version(client, made.project_id, version_num=made.version_num, cache=cache) as of_server,
    ):
        assert of_file.project_type == of_server.project_type
        for read in ("datasets", "items", "figures", "tags"):
            assert _rows(getattr(of_file, read)()) == _rows(getattr(of_server, read)())


def test_whole_items_hold_what_the_tables_hold(client, made, cache):
    with open_version(client, made.project_id, made.version_id, cache=cache) as version:
        placed = [Placed(entry, "all", entry.path) for entry in version.entries]
        items = list(version.whole_items(placed, with_media=True))
        some = list(version.whole_items(placed[1:]))
        figures, tags = _rows(version.figures()), _rows(version.tags())

        numbers = [figure.number for item in items for figure in item.figures]
        assert numbers == list(range(1, len(figures) + 1))
        assert [figure.figure_id for item in items for figure in item.figures] == [
            row["src_figure_id"] for row in figures
        ]
        assert [figure.class_name for item in items for figure in item.figures] == [
            row["class_name"] for row in figures
        ]
        assert sum(map(len, _tags_of(items))) == len(tags)
        assert [item.file_name for item in items] == [
            f"{item.dataset_path}/{item.row['name']}" for item in items
        ]
        # What an item is does not depend on which others are read.
        assert [_told(item) for item in some] == [_told(item) for item in items[1:]]
        for item in items:
            assert item.open_media
            with item.open_media() as file:
                assert _content_hash(file.read()) == item.row["hash"]


def _told(item: Any) -> Any:
    return item.number, list(item.figures), item.objects, item.tags, item.key


def _tags_of(items: Any) -> Iterator[Any]:
    for item in items:
        yield item.tags
        yield from (figure.tags for figure in item.figures)
        yield from (thing.tags for thing in item.objects)


def test_duckdb_asks_the_tables(client, made, cache, project_type):
    connection = duckdb.connect()
    with open_version(client, made.project_id, made.version_id, cache=cache) as version:
        version.to_duckdb(connection)

        [(items,)] = connection.execute(f"select count(*) from {project_type}").fetchall()
        [(figures,)] = connection.execute("select count(*) from figures").fetchall()
        classes = connection.execute("select class_name from classes").fetchall()

    assert (items, figures) == (made.counts[project_type], made.counts["figures"])
    assert sorted(name for (name,) in classes) == sorted(entry["title"] for entry in version.meta["classes"])


def test_the_second_reader_downloads_nothing(wired_client, wire, made, cache):
    with open_version(wired_client, made.project_id, made.version_id, cache=cache):
        pass
    first = len(wire.requests)
    with open_version(wired_client, made.project_id, made.version_id, cache=cache) as version:
        assert len(_rows(version.items()))

    assert first <= 6
    assert [request.method for request in wire.requests].count("file-storage.download") == 1


def test_another_archive_than_the_recorded_one_is_refused(client, made, cache):
    with pytest.raises(IntegrityError, match="not what was recorded"):
        open_version(client, made.project_id, made.version_id, cache=cache, archive_sha256="0" * 64)


@pytest.mark.parametrize("project_type", ["images"], indirect=True)
def test_a_part_is_read_as_if_it_were_all(client, made, cache):
    with open_version(client, made.project_id, made.version_id, cache=cache) as version:
        [first, *_] = version.entries
    with open_version(
        client, made.project_id, made.version_id, cache=cache, selection={"items": [first.path]}
    ) as part:
        assert [entry.path for entry in part.entries] == [first.path]
        assert len(_rows(part.figures())) == len(_rows(part.figures(datasets=["parent/**"])))


@pytest.mark.parametrize("project_type", ["images"], indirect=True)
def test_a_file_of_an_image_that_is_gone_comes_by_its_hash(client, made, cache):
    with open_version(client, made.project_id, made.version_id, cache=cache) as version:
        rows = _rows(version.items())
        client.transport.call("images.bulk.remove", {"imageIds": [rows[0]["src_image_id"]]})

        [content] = version.media(rows[:1])

    assert _content_hash(content) == rows[0]["hash"]
