"""Copies that are restored for one run of a workflow: what they say, and who removes them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from airflow_sv_versioning.exceptions import ServerError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.origin import RESTORED_FOR
from airflow_sv_versioning.versioning.restored_for import (
    RestoredFor,
    release_copy,
    remove_left_copies,
    remove_own_copies,
)
from tests.support.projects import read_images
from tests.support.proxy import refuse
from tests.support.types import Client, Made, Server, Versions, Wire

LEFT = RestoredFor("our airflow", "training", "experiment", "run 1")
NEXT = replace(LEFT, run_id="run 2")
Change = Callable[[Client, int], int]


@pytest.fixture
def copy(versions: Versions, made: Made) -> int:
    """What run 1 has left."""
    return restore(versions, made, LEFT)


def restore(versions: Versions, made: Made, run: RestoredFor | None) -> int:
    return versions.restore(made.project_id, made.version_id, restored_for=run).project_id


def sweep(client: Client, server: Server, run: RestoredFor = NEXT, *, over: bool = True) -> list[str]:
    """Remove what earlier runs left; returns the warnings."""
    progress = Progress()
    remove_left_copies(client, server.workspace_id, run, lambda _: over, progress)
    return progress.warnings


def is_there(client: Client, server: Server, project_id: int) -> bool:
    return project_id in client.projects.list_ids(server.workspace_id, {"images"})


def test_a_copy_for_a_run_equals_its_version_and_hands_the_mark_to_none_of_its_own(
    versions: Versions, made: Made, client: Client
):
    whole = versions.restore(made.project_id, made.version_id, restored_for=LEFT, verify="full")
    of_copy = versions.create(whole.project_id)
    again = versions.restore(whole.project_id, of_copy.version_id)

    told = client.projects.get(whole.project_id).custom_data[RESTORED_FOR]
    assert told == {**LEFT.as_dict(), "project_id": whole.project_id, "name": whole.project_name}
    assert RESTORED_FOR not in client.projects.get(again.project_id).custom_data
    difference = versions.compare(
        made.project_id, f"id:{made.version_id}", "live", other_project_id=whole.project_id
    )
    assert difference.equal
    assert read_images(client, again.project_id) == read_images(client, made.project_id)


@pytest.mark.parametrize("map_index", [-1, 4])
def test_what_a_run_left_is_removed_by_one_listing_once_that_run_is_over(
    map_index, wire: Wire, wired_client: Client, versions: Versions, made: Made, server: Server
):
    copy = restore(versions, made, replace(LEFT, map_index=map_index))

    sweep(wired_client, server, over=False)
    assert is_there(wired_client, server, copy)
    listings = len(wire.seen("projects.list"))
    sweep(wired_client, server)

    assert len(wire.seen("projects.list")) == listings + 1
    assert not is_there(wired_client, server, copy)


def clone(client: Client, project_id: int) -> int:
    """Copy a project with its custom data, under a name that the marked one could have."""
    project = client.projects.get(project_id)
    name = f"{project.name} copy"
    marked = {**project.custom_data[RESTORED_FOR], "name": name}
    return client.projects.add(
        project.workspace_id, name, custom_data={**project.custom_data, RESTORED_FOR: marked}
    ).id


def rename(client: Client, project_id: int) -> int:
    client.projects.edit(project_id, name=f"mine, once {project_id}")
    return project_id


def garble(client: Client, project_id: int) -> int:
    client.projects.edit(project_id, customData={RESTORED_FOR: {"run_id": 7}})
    return project_id


@pytest.mark.parametrize("change", [clone, rename, garble])
def test_what_somebody_made_their_own_stays(
    change: Change, copy: int, client: Client, server: Server, versions: Versions, made: Made
):
    theirs = change(client, copy)

    sweep(client, server)

    assert is_there(client, server, theirs)


@pytest.mark.parametrize(
    "other", [{"installation": "theirs"}, {"dag_id": "other"}, {"group_id": "other"}, {"run_id": "run 1"}]
)
def test_a_run_removes_neither_its_own_copies_nor_those_of_others(
    other: dict[str, Any], copy: int, client: Client, server: Server
):
    sweep(client, server, replace(NEXT, **other))

    assert is_there(client, server, copy)


def test_a_run_removes_all_of_its_own_in_the_end_and_no_others(
    copy: int, client: Client, server: Server, versions: Versions, made: Made
):
    mapped = restore(versions, made, replace(LEFT, map_index=1))
    unmarked = restore(versions, made, None)

    remove_own_copies(client, server.workspace_id, LEFT, Progress())

    assert [is_there(client, server, one) for one in (copy, mapped, unmarked)] == [False, True, True]


def test_what_cannot_be_removed_now_is_tried_again(
    copy: int, wire: Wire, wired_client: Client, server: Server
):
    wire.always("projects.archive", refuse(503))

    with pytest.raises(ServerError):
        sweep(wired_client, server)


def test_what_may_not_be_removed_is_told(copy: int, wire: Wire, wired_client: Client, server: Server):
    wire.always("projects.archive", refuse(403))

    warnings = sweep(wired_client, server)

    assert any(f"Project {copy}, which run 'run 1' left, stays: " in warning for warning in warnings)


@pytest.mark.parametrize(("keep", "is_renamed"), [(True, False), (False, True), (False, False)])
def test_a_copy_is_released_as_asked_and_a_kept_one_is_for_no_run_any_more(
    keep: bool, is_renamed: bool, copy: int, client: Client, server: Server
):
    name = client.projects.get(copy).name
    if is_renamed:
        rename(client, copy)
    is_kept = keep or is_renamed

    is_gone = release_copy(client, copy, name, keep=keep, progress=Progress())
    sweep(client, server)

    assert is_gone is not is_kept
    assert is_there(client, server, copy) is is_kept
    if is_kept:
        assert set(client.projects.get(copy).custom_data) == {"restored_from"}
    else:
        assert release_copy(client, copy, name, keep=keep, progress=Progress())
