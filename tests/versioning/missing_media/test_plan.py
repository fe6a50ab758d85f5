"""Plans: what they say, and that they change nothing."""

import hashlib
import sqlite3
from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import MissingMediaError, VersionNotFoundError
from airflow_sv_versioning.server.run import EmbeddedServer
from airflow_sv_versioning.versioning import RestorePlanReport
from airflow_sv_versioning.versioning.results import PlannedItem
from tests.support.missing_media import Filled
from tests.support.types import Versions

IMAGES = pytest.mark.parametrize("filled", ["images"], indirect=True)


def _state(lossy) -> tuple[str, list[Path]]:
    """All that the server knows and holds."""
    data = lossy._settings.data
    with sqlite3.connect(f"file:{data / 'server.sqlite'}?mode=ro", uri=True) as database:
        known = hashlib.sha256("\n".join(database.iterdump()).encode()).hexdigest()
    database.close()
    return known, sorted(path for path in (data / "blobs").rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("filled", "policy", "is_possible"),
    [
        ("images", "fail", False),
        ("images", "skip", True),
        ("images", "reupload", True),
        ("images", "placeholder", True),
        ("videos", "placeholder", True),
        ("volumes", "placeholder", True),
    ],
    indirect=["filled"],
)
def test_a_plan_tells_what_a_restore_makes_and_changes_nothing(
    filled: Filled, lose, lossy: EmbeddedServer, versions: Versions, policy, is_possible
):
    lost = lose(2, link=True)
    before = _state(lossy)

    plan = versions.plan_restore(*filled.version, missing_entities=policy)

    assert _state(lossy) == before
    assert plan.is_possible is is_possible
    assert [item.path for item in plan.missing] == lost
    assert {item.action for item in plan.missing} == {policy}
    if is_possible:
        restored = versions.restore(*filled.version, missing_entities=policy)
        assert plan.counts == restored.counts
        assert plan.project_name == restored.project_name
        assert plan.workspace_id == restored.workspace_id


@IMAGES
def test_a_plan_tells_each_reason_and_stops_where_the_policy_has_no_answer(
    filled: Filled, lose, versions: Versions, tmp_path: Path
):
    lost = lose(1)

    plan = versions.plan_restore(*filled.version, missing_entities="reupload", vault=tmp_path)

    (item,) = plan.missing
    assert (item.path, item.action) == (lost[0], "fail")
    assert "the server has no file" in item.reason
    assert f"{tmp_path.as_uri()} does not hold" in item.reason
    assert not plan.is_possible
    assert plan.lines()[-1].endswith("the restore would stop here.")


@IMAGES
def test_a_plan_of_a_whole_version_lists_datasets_and_counts(filled: Filled, versions: Versions):
    plan = versions.plan_restore(*filled.version, project_name="elsewhere")

    assert plan.missing == ()
    assert plan.is_possible
    assert plan.project_name == "elsewhere"
    assert set(plan.datasets) == {path.split("/")[0] for path in filled.read()}
    assert plan.counts[filled.type] == len(filled.read())


@IMAGES
def test_a_plan_of_no_version_is_an_error(filled: Filled, versions: Versions):
    with pytest.raises(VersionNotFoundError):
        versions.plan_restore(filled.project_id, version_num=99)


def test_a_long_list_is_truncated_where_it_is_asked_and_tells_its_length():
    missing = tuple(PlannedItem(f"d/{number}", number, "gone", "skip") for number in range(5))
    plan = RestorePlanReport(1, 2, 1, 1, "name", "skip", True, ("d",), {"images": 0}, missing)

    assert len(plan.as_dict()["missing"]) == 5
    assert "truncated" not in plan.as_dict(5)
    shortened = plan.as_dict(2)
    assert [item["path"] for item in shortened["missing"]] == ["d/0", "d/1"]
    assert shortened["truncated"] == {"missing": 5}


@IMAGES
def test_the_log_of_a_restore_names_every_missing_item(filled: Filled, lose, versions: Versions):
    lost = lose(3, link=True)
    log: list[str] = []

    with pytest.raises(MissingMediaError):
        versions.restore(*filled.version, report=log.append)

    told = [line for line in log if line.startswith("Missing: ")]
    assert len(told) == len(lost)
    assert all(any(path in line for line in told) for path in lost)
