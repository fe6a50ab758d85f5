"""Archives without a server: ours in the official SDK's loaders, the SDK's in ours."""

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.archive import pack_archive, unpack_archive
from airflow_sv_versioning.snapshot.json_columns import json_value
from airflow_sv_versioning.snapshot.tables import Snapshot
from tests.support.archives import write_snapshot
from tests.support.compare import assert_same
from tests.support.sdk import run_script
from tests.support.types import TempFolders

pytestmark = pytest.mark.sdk

COLUMNAR = ("v2.1.0", "v2.0.0", "v2.1.0-compressed", "v2.0.0-compressed")
PICKLED = ("v1.0.0", "v1.0.0-protocol-2", "v1.0.0-protocol-3", "v1.0.0-protocol-5")
OLDEST = "v1.0.0-of-2024"


@pytest.fixture(scope="module")
def made_by_sdk(tmp_path_factory: TempFolders) -> Path:
    """One project in every format, written by the SDK's own code."""
    folder = tmp_path_factory.mktemp("made-by-sdk")
    run_script("payloads.py", "make", folder)
    return folder


@pytest.fixture(scope="module")
def as_sdk_reads(made_by_sdk: Path) -> dict[str, dict[str, Any]]:
    names = [*PICKLED, OLDEST, *COLUMNAR]
    return dict(zip(names, sdk_reads(*(made_by_sdk / f"{name}.tar.zst" for name in names)), strict=True))


@pytest.mark.parametrize("name", [*PICKLED, *COLUMNAR, OLDEST])
def test_we_read_what_the_sdk_wrote_as_the_sdk_does(
    name, made_by_sdk: Path, as_sdk_reads: dict[str, dict[str, Any]], tmp_path: Path
):
    unpacked = unpack_archive(made_by_sdk / f"{name}.tar.zst", "images", tmp_path / "snapshot")

    assert unpacked.archive_format == name[:6]
    assert unpacked.provenance is None
    assert_same(as_described(unpacked.snapshot), comparable(as_sdk_reads[name]))


def test_a_pickle_arrives_with_names_and_paths_that_it_implies(made_by_sdk: Path, tmp_path: Path):
    snapshot = unpack_archive(made_by_sdk / "v1.0.0.tar.zst", "images", tmp_path / "snapshot").snapshot

    assert snapshot.read("datasets")["full_path"].to_pylist() == ["parent/child", "empty", "parent"]
    assert set(snapshot.read("tags")["name"].to_pylist()) == {"number", "text", "choice", "moment", "flag"}
    assert set(snapshot.read("figures")["class_name"].to_pylist()) == {
        *("полигон", "matte", "pose", "block", "mask")
    }
    assert snapshot.read("images")["size"].to_pylist() == [1234, 1234, 1234]


@pytest.mark.parametrize("archive_format", ["v2.1.0", "v1.0.0"])
def test_the_sdk_reads_what_we_wrote_as_it_is(archive_format, tmp_path: Path):
    snapshot = write_snapshot(tmp_path / "snapshot")
    packed = pack_archive(snapshot, archive_format, tmp_path / "archive.tar.zst", {"run": "r"})

    (found,) = sdk_reads(packed.path)

    assert_same(comparable(found), as_described(snapshot))


@pytest.mark.parametrize("archive_format", ["v2.1.0", "v1.0.0"])
def test_what_the_sdk_wrote_and_we_wrote_again_it_reads_the_same(
    archive_format, made_by_sdk: Path, as_sdk_reads: dict[str, dict[str, Any]], tmp_path: Path
):
    snapshot = unpack_archive(made_by_sdk / f"{archive_format}.tar.zst", "images", tmp_path / "s").snapshot
    other = {"v2.1.0": "v1.0.0", "v1.0.0": "v2.1.0"}[archive_format]
    ours = [
        pack_archive(snapshot, ours, tmp_path / f"{ours}.tar.zst", {}).path
        for ours in (archive_format, other)
    ]

    for found in sdk_reads(*ours):
        assert_same(comparable(found), comparable(as_sdk_reads[archive_format]))


@pytest.mark.parametrize("archive_format", ["v2.1.0", "v1.0.0"])
def test_the_sdk_reads_a_project_without_content(archive_format, tmp_path: Path):
    meta = {"classes": [], "tags": [], "projectType": "images"}
    snapshot = write_snapshot(tmp_path / "snapshot", {}, meta, custom_data=None)
    packed = pack_archive(snapshot, archive_format, tmp_path / "archive.tar.zst", {})

    (found,) = sdk_reads(packed.path)

    assert found["project"]["custom_data"] == {}
    no_groups = {"multiView": {"enabled": False, "tagName": None, "tagId": None, "isSynced": False}}
    assert found["meta"] == {**meta, "projectSettings": no_groups}
    assert [found[part] for part in ("datasets", "images", "figures", "alpha")] == [[], [], {}, {}]


def sdk_reads(*archives: Path) -> list[dict[str, Any]]:
    return json.loads(run_script("payloads.py", "read", *archives).splitlines()[-1])


def comparable(described: dict[str, Any]) -> dict[str, Any]:
    """What the SDK found, without what only one of the formats can hold."""
    figures = [figure for found in described["figures"].values() for figure in found]
    return {
        "project": described["project"],
        "meta": described["meta"],
        "datasets": {
            dataset["id"]: chosen(dataset, "name description parent_id custom_data")
            for dataset in described["datasets"]
        },
        "images": {
            image["id"]: {
                **chosen(image, "name link hash mime ext width height dataset_id created_at updated_at meta"),
                **chosen(image, "created_by related_data_id download_id offset_start offset_end"),
                **chosen(image, "description parent_id"),
                "size": int(image["size"]),
                "tags": tags(image),
            }
            for image in described["images"]
        },
        "figures": {
            figure["id"]: {
                **chosen(
                    figure, "class_id updated_at created_at entity_id dataset_id geometry_type priority"
                ),
                "geometry": None if figure["geometry_type"] == "alpha_mask" else figure["geometry"],
                "geometry_meta": figure["geometry_meta"] or {},
                "meta": figure["meta"] or {},
                "custom_data": figure["custom_data"] or {},
                "tags": tags(figure),
            }
            for figure in figures
        },
        "alpha": described["alpha"],
    }


def chosen(values: dict[str, Any], names: str) -> dict[str, Any]:
    return {
        name: values[name] or ({} if name in {"meta", "custom_data"} else values[name])
        for name in names.split()
    }


def tags(owner: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {key: tag.get(key) for key in ("id", "tagId", "value", "labelerLogin", "createdAt", "updatedAt")}
        for tag in owner["tags"]
    ]


def as_described(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot in the shape of :func:`comparable`, straight from its columns."""
    return {
        "project": snapshot.project_info,
        "meta": snapshot.project_meta,
        "datasets": {
            row["src_dataset_id"]: {
                **chosen(row, "name description"),
                "parent_id": row["parent_src_dataset_id"],
                "custom_data": json_value(row["custom_data"]) or {},
            }
            for row in snapshot.read("datasets").to_pylist()
        },
        "images": {
            row["src_image_id"]: {
                **chosen(row, "name link hash mime ext width height created_at updated_at size"),
                **chosen(row, "related_data_id download_id offset_start offset_end description"),
                "dataset_id": row["src_dataset_id"],
                "created_by": row["created_by_id"],
                "parent_id": row["parent_src_image_id"],
                "meta": json_value(row["meta"]) or {},
                "tags": tag_rows(snapshot, "item", row["src_image_id"]),
            }
            for row in snapshot.read("images").to_pylist()
        },
        "figures": {
            row["src_figure_id"]: {
                **chosen(row, "class_id updated_at created_at geometry_type priority"),
                "entity_id": row["src_image_id"],
                "dataset_id": row["src_dataset_id"],
                "geometry": json_value(row["geometry_json"]),
                "geometry_meta": json_value(row["geometry_meta_json"]) or {},
                "meta": json_value(row["meta"]) or {},
                "custom_data": json_value(row["custom_data"]) or {},
                "tags": tag_rows(snapshot, "figure", row["src_figure_id"]),
            }
            for row in snapshot.read("figures").to_pylist()
        },
        "alpha": {
            str(row["src_figure_id"]): json_value(row["geometry_json"])
            for row in snapshot.read("alpha_geometries").to_pylist()
        },
    }


def tag_rows(snapshot: Snapshot, owner_type: str, owner_id: int) -> list[dict[str, Any]]:
    return [
        {
            "id": row["tag_assignment_id"],
            "tagId": row["tag_id"],
            "value": json_value(row["value_json"]),
            "labelerLogin": row["labeler_login"],
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
        }
        for row in snapshot.read("tags").to_pylist()
        if (row["owner_type"], row["owner_id"]) == (owner_type, owner_id)
    ]
