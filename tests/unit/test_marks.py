"""Marks in files: whose process lives, who may read them, and where none can be kept."""

import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.versioning.marks import RESTORES, FileMarks, ProcessMarks, open_marks, recall_marks
from airflow_sv_versioning.versioning.reservations import Mark
from tests.support.types import Client, Patch


def left_behind(folder) -> list[dict]:
    return [dict(leftover.data) for leftover in FileMarks(folder, "work").recall()]


def test_a_mark_is_a_leftover_only_when_nobody_works_on_it_any_more(tmp_path: Path):
    working = FileMarks(tmp_path, "work")
    working.remember({"a": 1})
    assert left_behind(tmp_path) == []

    working.remember({"a": 2})
    assert left_behind(tmp_path) == []
    working.close()

    assert left_behind(tmp_path) == [{"a": 2}]


def test_a_mark_that_is_forgotten_is_gone(tmp_path: Path):
    marks = FileMarks(tmp_path, "work")
    marks.remember({"a": 1})

    marks.forget()

    assert left_behind(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_leftover_is_found_until_it_is_forgotten(tmp_path: Path):
    FileMarks(tmp_path, "work").write({"a": 1})
    killed = multiprocessing.get_context("fork").Process(target=_remember_and_die, args=(tmp_path,))
    killed.start()
    killed.join()

    [leftover] = (one for one in FileMarks(tmp_path, "work").recall() if one.data == {"killed": True})
    leftover.forget()

    assert {"killed": True} not in left_behind(tmp_path)


def _remember_and_die(folder):
    FileMarks(folder, "work").remember({"killed": True})
    os._exit(9)


def test_only_one_of_two_takes_a_leftover(tmp_path: Path):
    gone = FileMarks(tmp_path, "work")
    gone.remember({"a": 1})
    gone.close()

    for leftover in FileMarks(tmp_path, "work").recall():
        assert left_behind(tmp_path) == []
        leftover.forget()

    assert left_behind(tmp_path) == []


def test_those_at_work_can_be_named(tmp_path: Path):
    working = FileMarks(tmp_path, "work")
    working.remember({"owner": "me"})

    assert FileMarks(tmp_path, "work").list_at_work() == [{"owner": "me"}]


def test_nobody_else_may_read_a_mark(tmp_path: Path):
    folder = tmp_path / "new" / "folder"
    marks = FileMarks(folder, "work")
    marks.remember({"commit_token": "secret"})

    [file] = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff"])
def test_a_mark_that_says_nothing_is_removed(content, tmp_path: Path):
    (tmp_path / "work.torn.json").write_bytes(content)

    assert left_behind(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_where_no_file_can_be_kept_the_work_goes_on_with_a_warning(tmp_path: Path, monkeypatch: Patch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    progress = Progress()

    with open_marks(Client("our.server", "token"), RESTORES, progress, owner="me") as marks:
        assert isinstance(marks, ProcessMarks)
        assert marks.owner == "me"
        marks.remember({"a": 1})

    [warning] = progress.warnings
    assert "XDG_STATE_HOME" in warning


def test_marks_of_two_servers_or_users_do_not_meet(tmp_path: Path, monkeypatch: Patch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    one, other = (Client("our.server", token) for token in ("mine", "yours"))
    with open_marks(one, RESTORES, Progress()) as marks:
        marks.remember({"a": 1})

    with open_marks(other, RESTORES, Progress()) as marks:
        assert list(marks.recall()) == []
    with open_marks(one, RESTORES, Progress()) as marks:
        assert [leftover.data for leftover in marks.recall()] == [{"a": 1}]
    assert "mine" not in json.dumps([str(path) for path in tmp_path.rglob("*")])


def test_marks_of_two_kinds_of_work_do_not_meet(tmp_path: Path):
    FileMarks(tmp_path, "versions-of-4").remember({"a": 1})
    other = FileMarks(tmp_path, "versions-of-42")
    other.remember({"a": 42})
    other.close()

    assert [one.data for one in FileMarks(tmp_path, "versions-of-42").recall()] == [{"a": 42}]
    assert list(FileMarks(tmp_path, "versions-of-4").recall()) == []


@pytest.mark.parametrize(
    "data",
    [
        {"a": 1},
        {"owner": "me", "project_id": "x", "team_id": 1},
        # What was reserved cannot be given back with one of the two.
        {"owner": "me", "project_id": 1, "team_id": 1, "version_id": 7},
        {"owner": "me", "project_id": 1, "team_id": 1, "commit_token": "secret"},
    ],
)
def test_a_mark_that_cannot_be_understood_is_told_and_forgotten(data, tmp_path: Path):
    strange = FileMarks(tmp_path, "work")
    strange.remember(data)
    strange.close()
    progress = Progress()

    assert list(recall_marks(FileMarks(tmp_path, "work"), Mark, progress)) == []
    assert len(progress.warnings) == 1
    assert list(tmp_path.iterdir()) == []
