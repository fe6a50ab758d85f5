"""``sv-versioning export``."""

import json
from pathlib import Path

import pytest

from tests.support.exports import read_tree
from tests.support.types import Made, Patch, Run


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_version_is_exported_and_told(run: Run, made: Made, tmp_path: Path):
    chosen = ("export", made.project_id, "--version-num", 1, "--format", "coco")
    how = (*chosen, "--split", "train=0.5,val=0.5", "--seed", 4, "--class", "lemon")

    code, out, _ = run(*how, "--destination", tmp_path / "made")
    again = run(*how, "--destination", tmp_path / "made", "--json")
    kept = run(*chosen, "--destination", tmp_path / "next", "--category-ids", tmp_path / "made", "--json")

    assert (code, again[0], kept[0]) == (0, 0, 0)
    assert out.startswith("Exported ")
    assert "PART" in out
    data = json.loads(again[1])
    assert (data["created"], data["version"]["version_id"]) == (False, made.version_id)
    assert json.loads((tmp_path / "next" / "manifest.json").read_text())["category_ids"] == {
        "lemon": 1,
        "a kiwi": 2,
    }


def test_several_machines_make_what_one_makes(run: Run, made: Made, tmp_path: Path):
    how = (
        "export",
        made.project_id,
        "--version-id",
        made.version_id,
        "--format",
        "yolo",
        "--task",
        "segment",
    )

    alone = run(*how, "--destination", tmp_path / "alone", "--allow-lossy", "--json")
    shared = (*how, "--destination", tmp_path / "shared", "--allow-lossy", "--shards", 2, "--json")
    too_early = run(*shared, "--finish")
    shards = [run(*shared, "--shard", number) for number in (0, 1)]
    finished = run(*shared, "--finish")

    assert (too_early[0], "shards 2 are missing" in too_early[1]) == (2, True)
    assert [json.loads(out) for _, out, _ in shards] == [
        {"destination": str(tmp_path / "shared"), "shard": number, "shards": 2, "created": True}
        for number in (0, 1)
    ]
    assert json.loads(finished[1])["parts"] == json.loads(alone[1])["parts"]
    assert read_tree(tmp_path / "shared") == read_tree(tmp_path / "alone")


def test_what_cannot_be_is_refused(run: Run, made: Made, tmp_path: Path):
    chosen = ("export", made.project_id, "--version-num", 1, "--format", "coco", "--json")

    for bad in (
        ("--destination", tmp_path),
        ("--destination", tmp_path / "x", "--split", "train=2"),
        ("--destination", tmp_path / "x", "--class", "no such class"),
        ("--destination", tmp_path / "x", "--category-ids", tmp_path),
        ("--destination", tmp_path / "x", "--shards", 2),
    ):
        (tmp_path / "there").touch()
        code, out, _ = run(*chosen, *bad)
        assert (code, json.loads(out)["error"]["kind"]) == (2, "configuration"), bad
