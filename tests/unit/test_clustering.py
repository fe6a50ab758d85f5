"""Rows of one owner stand together, whoever wrote them."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from airflow_sv_versioning.archive import pack_archive, unpack_archive
from airflow_sv_versioning.archive.formats import written_versions
from airflow_sv_versioning.snapshot import resorting
from airflow_sv_versioning.snapshot.clustering import is_clustered
from airflow_sv_versioning.snapshot.resorting import make_clustered
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter, table_of
from tests.support.archives import figure, rows, write_snapshot

BOX = {"points": {"exterior": [[1, 1], [2, 2]], "interior": []}}


def write(folder: Path, project_type: str, table: str, columns: Mapping[str, Any]) -> Snapshot:
    folder.mkdir()
    with SnapshotWriter(folder, project_type) as writer:
        writer.append_arrow(table, table_of(project_type, table, columns))
        return writer.finish({"name": "p"}, {"classes": []})


def figures_of(folder: Path, images: list[int]) -> Snapshot:
    return write(
        folder, "images", "figures", {"src_image_id": images, "src_figure_id": list(range(len(images)))}
    )


def pairs(snapshot: Snapshot, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in snapshot.read(table, columns).to_pylist()]


@pytest.mark.parametrize(
    ("images", "stand_together"),
    [([], True), ([7], True), ([7, 7, 5, 5, 9], True), ([7, 5, 7], False), ([7, 7, 5, 9, 5], False)],
)
def test_an_owner_whose_rows_are_parted_is_found(images: list[int], stand_together: bool, tmp_path: Path):
    assert is_clustered(figures_of(tmp_path / "s", images), "figures") is stand_together


def test_owners_are_found_parted_across_batches_and_whole_across_batches(tmp_path: Path):
    whole = [number // 7000 for number in range(21_000)]
    assert is_clustered(figures_of(tmp_path / "whole", whole), "figures")
    assert not is_clustered(figures_of(tmp_path / "parted", [*whole, 0]), "figures")


def test_frames_that_do_not_ascend_within_their_video_are_found(tmp_path: Path):
    def of(name: str, frames: list[int]) -> Snapshot:
        columns = {"src_video_id": [1, 1, 2, 2], "frame_index": frames}
        return write(tmp_path / name, "videos", "figures", columns)

    assert is_clustered(of("good", [3, 3, 0, 4]), "figures")
    assert not is_clustered(of("bad", [3, 3, 4, 0]), "figures")


def test_tags_of_an_image_and_of_a_figure_with_its_id_are_told_apart(tmp_path: Path):
    ids = [1, 1, 2]
    columns = {"owner_type": ["item", "figure", "item"], "owner_id": ids, "src_item_id": ids}
    assert is_clustered(write(tmp_path / "s", "images", "tags", columns), "tags")


@pytest.mark.parametrize("portion_bytes", [32 << 20, 2000], ids=["in_one_portion", "cut_again_and_again"])
def test_scattered_rows_are_put_together_and_keep_their_order(portion_bytes, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(resorting, "PORTION_BYTES", portion_bytes)
    images = random.Random(5).choices(range(60), k=700)
    snapshot = figures_of(tmp_path / "s", images)

    assert make_clustered(snapshot) == {"figures"}

    first_seen = {image: images.index(image) for image in images}
    expected = sorted(enumerate(images), key=lambda row: first_seen[row[1]])
    assert pairs(snapshot, "figures", "src_figure_id", "src_image_id") == expected
    assert make_clustered(snapshot) == set()
    assert {path.name for path in snapshot.directory.iterdir() if path.is_dir()} == set()


def test_frames_of_a_video_are_put_into_order_and_keep_the_depth_of_their_figures(tmp_path: Path):
    columns = {
        "src_video_id": [8, 3, 8, 8, 3],
        "frame_index": [2, 0, 1, 2, 0],
        "src_figure_id": [95, 94, 93, 92, 91],
    }
    snapshot = write(tmp_path / "s", "videos", "figures", columns)

    make_clustered(snapshot)

    found = pairs(snapshot, "figures", "src_video_id", "frame_index", "src_figure_id")
    assert found == [(8, 1, 93), (8, 2, 95), (8, 2, 92), (3, 0, 94), (3, 0, 91)]


def test_what_a_writer_did_not_tell_is_not_told_afterwards_either(tmp_path: Path):
    snapshot = figures_of(tmp_path / "s", [1, 2, 1])
    older = pq.read_table(snapshot.path("figures")).drop_columns(["nn_created"])
    pq.write_table(older, snapshot.path("figures"))

    make_clustered(snapshot)

    assert not snapshot.has_column("figures", "nn_created")
    assert snapshot.has_column("figures", "nn_updated")


@pytest.mark.parametrize("archive_format", written_versions("images"))
def test_an_archive_of_a_project_labelled_in_passes_is_read_image_by_image(archive_format, tmp_path: Path):
    passes = [
        figure(10 * number + image, image, 51, BOX) for number in (3, 1, 2) for image in (31, 32, 33, 34)
    ]
    scattered = write_snapshot(tmp_path / "in", {**rows(), "figures": passes, "alpha_geometries": []})
    packed = pack_archive(scattered, archive_format, tmp_path / "archive", {})

    snapshot = unpack_archive(packed.path, "images", tmp_path / "out").snapshot

    expected = [(10 * number + image, image) for image in (31, 32, 33, 34) for number in (3, 1, 2)]
    assert pairs(snapshot, "figures", "src_figure_id", "src_image_id") == expected


def test_the_writer_puts_what_is_captured_together(tmp_path: Path):
    batch = table_of("images", "figures", {"src_image_id": [1, 2, 1], "src_figure_id": [7, 8, 9]})
    with SnapshotWriter(tmp_path, "images") as writer:
        writer.append_rows({"figures": batch, "tags": [tag(4), tag(5), tag(4)]})
        snapshot = writer.finish({"name": "p"}, {"classes": []})

    assert pairs(snapshot, "figures", "src_image_id", "src_figure_id") == [(1, 7), (1, 9), (2, 8)]
    assert pairs(snapshot, "tags", "owner_id") == [(4,), (4,), (5,)]


def tag(owner_id: int) -> dict[str, Any]:
    return {"owner_type": "figure", "owner_id": owner_id}
