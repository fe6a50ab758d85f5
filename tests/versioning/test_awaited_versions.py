"""Which version of a project is waited for, told without asking anybody."""

from datetime import datetime, timezone
from typing import Any

import pytest

from airflow_sv_versioning.client.models import VersionInfo
from airflow_sv_versioning.exceptions import UnexpectedAnswerError
from airflow_sv_versioning.versioning.awaited_versions import AwaitedVersion

BEGAN = datetime(2026, 1, 5, tzinfo=timezone.utc)


def version(num: int, created_at: str = "2026-01-05T10:00:00.000Z", **more: Any) -> VersionInfo:
    facts: dict[str, Any] = {"version_id": 100 + num, "team_file_id": 1, **more}
    return VersionInfo(project_id=7, version_num=num, created_at=created_at, **facts)


def find(*versions: VersionInfo, **asked: Any) -> int | None:
    found = AwaitedVersion.of(7, **asked).find(versions)
    return None if found is None else found.version_num


def test_the_newest_that_fulfils_all_is_taken_in_whatever_order_they_come():
    assert find() is None
    assert find(version(2), version(3), version(1)) == 3
    assert find(version(2), version(3), version(1), damaged=[103]) == 2
    assert find(version(2), version(3), newer_than=3) is None
    assert find(version(2), version(3), newer_than="2", damaged=["103"]) is None
    assert find(version(1, team_file_id=None)) is None


def test_a_version_of_the_very_moment_counts():
    just_before, exactly = version(1, "2026-01-04T23:59:59.999Z"), version(2, "2026-01-05T00:00:00.000Z")

    assert find(just_before, made_since=BEGAN) is None
    assert find(just_before, exactly, made_since=BEGAN) == 2


def test_nobody_guesses_when_a_version_was_made():
    with pytest.raises(UnexpectedAnswerError, match=r"version 1 \(id 101\) of project 7 was made"):
        find(version(1, "soon"), made_since=BEGAN)
    assert find(version(1, "soon"), version(2), made_since=BEGAN) == 2
    assert find(version(1, "soon")) == 1


def test_it_says_what_is_waited_for_and_comes_back_from_what_it_writes():
    awaited = AwaitedVersion.of(7, 3, "2026-01-05", [104])

    assert str(awaited) == (
        "a version of project 7 with a number above 3 made at or after 2026-01-05T00:00:00+00:00; "
        "1 that are not whole do not count"
    )
    assert AwaitedVersion.of(**awaited.as_dict()) == awaited
