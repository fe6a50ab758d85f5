"""Another process, the official SDK, changes a project while we read it."""

from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import ProjectChangedError
from tests.support.compare import assert_same
from tests.support.proxy import first
from tests.support.types import Sdk, Server, Versions, Wire

pytestmark = [pytest.mark.sdk, pytest.mark.slow]


@pytest.fixture
def grow(sdk: Sdk, server: Server, small: int, photo_folder: Path):
    return first(lambda: sdk("grow", project_id=small, photos=str(photo_folder)))


@pytest.mark.parametrize("policy", ["accept", "fail"])
def test_a_project_that_changes_once_is_read_again_and_held_in_its_new_state(
    policy, wire: Wire, wired, grow, sdk: Sdk, versions: Versions, small: int
):
    wire.on("figures.list", grow)

    made = wired.create(small, on_concurrent_change=policy)

    assert (made.consistent, made.counts["images"]) == (True, 5)
    restored = versions.restore(small, made.version_id)
    assert_same(sdk("read", project_id=restored.project_id), sdk("read", project_id=small))
    assert not versions.create(small).created


def test_a_project_that_changes_all_the_time_is_accepted_as_it_was_read(
    wire: Wire, wired, grow, sdk: Sdk, versions: Versions, small: int
):
    wire.always("figures.list", grow)

    made = wired.create(small)

    assert not made.consistent
    project_id = sdk("restore", project_id=small, version_id=made.version_id)
    restored = sdk("read", project_id=project_id)
    now = sdk("read", project_id=small)
    assert_same(restored["images"], {key: now["images"][key] for key in restored["images"]})
    assert versions.create(small).created


def test_a_project_that_changes_all_the_time_is_refused_when_asked(
    wire: Wire, wired, grow, versions: Versions, small: int
):
    wire.always("figures.list", grow)

    with pytest.raises(ProjectChangedError):
        wired.create(small, on_concurrent_change="fail")

    assert versions.get_list(small) == []
