"""Items that are taken out of an archive."""

from pathlib import Path

from airflow_sv_versioning.snapshot.writer import SnapshotWriter
from airflow_sv_versioning.versioning.check_item import compare_item
from airflow_sv_versioning.versioning.item_lines import alone
from tests.support.archives import META, rows, write_snapshot


def test_a_column_that_an_archive_does_not_tell_is_not_taken_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with SnapshotWriter(tmp_path / "old", "images", {"figures": ["custom_data"]}) as writer:
        for table, entries in rows().items():
            writer.append_rows({table: entries})
        old = writer.finish({}, META)
    new = write_snapshot(tmp_path / "new", rows())
    (item_id, *_) = (row["src_image_id"] for row in rows()["figures"])

    pieces = [alone(base, item_id, tmp_path / f"cut-{n}") for n, base in enumerate((old, new))]

    assert compare_item(*pieces, same_project=True) == ([], ("figures.custom_data",))
