"""What a comparison counts on both sides, beside what the official SDK finds in both archives."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from airflow_sv_versioning.archive import pack_archive, unpack_archive
from airflow_sv_versioning.compare.engine import compare_snapshots
from airflow_sv_versioning.compare.records import SideFacts
from airflow_sv_versioning.snapshot.excerpts import excerpt
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.tables import Snapshot
from tests.support.sdk import run_script
from tests.support.types import TempFolders

pytestmark = pytest.mark.sdk

FORMATS = ("v2.1.0", "v2.0.0", "v1.0.0")


@pytest.fixture(scope="module")
def made_by_sdk(tmp_path_factory: TempFolders) -> Path:
    """One project in every format, written by the SDK's own code."""
    folder = tmp_path_factory.mktemp("made-by-sdk")
    run_script("payloads.py", "make", folder)
    return folder


@pytest.mark.parametrize("written", ["v2.1.0", "v1.0.0"])
def test_both_count_the_same_before_and_after(written: str, made_by_sdk: Path, tmp_path: Path):
    before = [made_by_sdk / f"{archive_format}.tar.zst" for archive_format in FORMATS]
    snapshots = [unpack(path, tmp_path / path.name) for path in before]
    after = pack_archive(edited(snapshots[0], tmp_path / "edited"), written, tmp_path / "after.tar.zst", {})
    *as_sdk_reads, now = sdk_reads(*before, after.path)

    for snapshot, earlier in zip(snapshots, as_sdk_reads, strict=True):
        diff = compare_snapshots(
            snapshot,
            unpack(after.path, tmp_path / f"after {snapshot.directory.parent.name}"),
            (SideFacts("before"), SideFacts("after")),
            same_project=True,
        )

        assert (diff.items.removed, diff.figures.relabelled) == (1, 1)
        for when, found in (("before", earlier), ("after", now)):
            counted = {name: getattr(entry, when) for name, entry in diff.by_class.items()}
            assert +Counter(counted) == figures_by_class(found)
            assert +Counter({name: getattr(e, when) for name, e in diff.by_tag.items()}) == tags_by_name(
                found
            )
            items = sum(getattr(entry, f"items_{when}") for entry in diff.by_dataset.values())
            assert (items, len(diff.by_dataset)) == (len(found["images"]), len(found["datasets"]))


def unpack(archive: Path, folder: Path) -> Snapshot:
    return unpack_archive(archive, "images", folder / "snapshot").snapshot


def edited(snapshot: Snapshot, folder: Path) -> Snapshot:
    """Leave out an image that has figures, and give a figure of another one another class."""
    figures = snapshot.read("figures")
    left_out, *_ = set(figures["src_image_id"].to_pylist())
    part = excerpt(snapshot, IdSet([left_out]), folder)
    rows = part.read("figures").to_pylist()
    others = [entry for entry in part.project_meta["classes"] if entry["id"] != rows[0]["class_id"]]
    rows[0] |= {"class_id": others[0]["id"], "class_name": others[0]["title"]}
    # Masks of figures that went with their image.
    masks = part.read("alpha_geometries").to_pylist()
    kept = [mask for mask in masks if mask["src_figure_id"] in {row["src_figure_id"] for row in rows}]
    for table, its_rows in (("figures", rows), ("alpha_geometries", kept)):
        part.path(table).unlink()
        pq.write_table(
            part.schema(table).empty_table().from_pylist(its_rows, part.schema(table)), part.path(table)
        )
    return part


def sdk_reads(*archives: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run_script("payloads.py", "read", *archives).splitlines()[-1])
    return found


def figures_by_class(found: dict[str, Any]) -> Counter[str]:
    names = {entry["id"]: entry["title"] for entry in found["meta"]["classes"]}
    return Counter(names[figure["class_id"]] for figures in found["figures"].values() for figure in figures)


def tags_by_name(found: dict[str, Any]) -> Counter[str]:
    names = {entry["id"]: entry["name"] for entry in found["meta"]["tags"]}
    figures = [figure for figures in found["figures"].values() for figure in figures]
    return Counter(names[tag["tagId"]] for owner in (*found["images"], *figures) for tag in owner["tags"])
