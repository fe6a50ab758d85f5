"""Media of many items: what is asked of the server, and what is found wherever it stands."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow_sv_versioning.restore import media_column
from airflow_sv_versioning.restore.media_check import NO_REFERENCE, NOT_STORED, check_media
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.ids import digests
from airflow_sv_versioning.snapshot.tables import ROW_GROUP_ROWS, Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter
from tests.support.types import Patch

LAST = 2 * ROW_GROUP_ROWS


class Server:
    """Says which contents it holds, and remembers what it was asked."""

    max_workers = 4

    def __init__(self, *lost: str) -> None:
        self.asked: list[str] = []
        self.images = SimpleNamespace(find_existing_hashes=lambda part: self._find(part) - {*lost})

    def _find(self, hashes: list[str]) -> set[str]:
        self.asked += hashes
        return set(hashes)


def write(folder: Path, hashes: Sequence[str | None]) -> Snapshot:
    with SnapshotWriter(folder, "images") as writer:
        writer.append("images", ({"src_image_id": i, "hash": text} for i, text in enumerate(hashes)))
        return writer.finish({}, {})


def gone(server: Any, snapshot: Snapshot) -> dict[int, str]:
    return dict(check_media(server, snapshot, 1, Progress(), unreachable_is_lost=True).lost)


def test_a_lost_media_is_found_in_the_last_rows(tmp_path: Path):
    server = Server(f"hash {LAST}")
    hashes = [f"hash {number}" for number in range(LAST + 1)]

    assert gone(server, write(tmp_path, hashes)) == {LAST: NOT_STORED}
    assert sorted(server.asked) == sorted(hashes)


def test_a_content_of_many_items_is_asked_for_once_and_all_of_them_lack_it(tmp_path: Path):
    server = Server("shared")
    hashes = ["shared", *(f"hash {number}" for number in range(LAST)), "shared", "shared"]

    assert gone(server, write(tmp_path, hashes)) == dict.fromkeys((0, LAST + 1, LAST + 2), NOT_STORED)
    assert len(server.asked) == len(set(server.asked)) == LAST + 1


def test_an_item_without_hash_and_link_is_gone_and_nobody_is_asked(tmp_path: Path):
    server = Server()

    assert gone(server, write(tmp_path, [None, None])) == dict.fromkeys((0, 1), NO_REFERENCE)
    assert server.asked == []


def test_contents_that_only_share_a_digest_are_all_asked_for(tmp_path: Path, monkeypatch: Patch):
    monkeypatch.setattr(media_column, "digests", lambda texts: digests(text[:1] for text in texts))
    server = Server("b2")

    assert gone(server, write(tmp_path, ["a1", "b1", "a2", "b2", "b1"])) == {3: NOT_STORED}
    assert server.asked == ["a1", "b1", "a2", "b2"]
