"""Commits that are refused, answered oddly, or land late: a version is whole and listed, or not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_sv_versioning.exceptions import IntegrityError, PlanRequiredError, RequestRejectedError
from tests.support.projects import list_version_files, read_map
from tests.support.proxy import Exchange, Fault, Reply, alter, answer, refuse
from tests.support.types import Client, Versions, Wire

COMMIT, LIST = "projects.versions.commit", "projects.versions.list"


def listed(change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Fault:
    """List other versions than there are; without those of which nothing is left."""

    def changed(told: dict[str, Any]) -> dict[str, Any]:
        entities = [entity for entity in map(change, told["entities"]) if entity]
        return {**told, "entities": entities, "total": len(entities)}

    return alter(changed)


def test_a_reservation_that_the_plan_does_not_include_is_a_matter_of_the_plan(
    wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    """The team may not tell its plan."""
    wire.on("teams.info", alter(lambda team: {**team, "usage": None}))
    wire.on("projects.versions.reserve", refuse(402, "Payment Required"))

    with pytest.raises(PlanRequiredError, match=r"Team 1 has the present plan, .* Pro and Enterprise"):
        wired.create(project_id)

    assert versions.create(project_id).version_num == 1


def test_a_commit_without_success_leaves_nothing(
    wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int
):
    wire.on(COMMIT, lambda _: answer(200, {"success": False}))

    with pytest.raises(
        RequestRejectedError, match=r"refused to commit version \d+ .* make the version again"
    ):
        wired.create(project_id)

    assert versions.get_list(project_id) == []
    assert list_version_files(client, project_id) <= {"versions.json"}
    assert versions.create(project_id).version_num == 1


def test_a_commit_without_success_that_took_effect_is_a_version(
    wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    wire.on(COMMIT, alter(lambda _: {"success": False}))

    made = wired.create(project_id)

    assert made.created
    assert versions.verify(project_id, made.version_id).is_good


def test_a_commit_that_lands_when_its_reservation_is_given_back_is_a_version(
    wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    def land_late(exchange: Exchange) -> Reply:
        [commit] = wire.seen(COMMIT)
        assert wire.forward(commit).status == 200
        return exchange.forward()

    wire.on(COMMIT, lambda _: None)
    wire.on("projects.versions.cancel-reservation", land_late)

    made = wired.create(project_id)

    assert [version.version_id for version in versions.get_list(project_id)] == [made.version_id]
    assert versions.verify(project_id, made.version_id).is_good


@pytest.mark.parametrize("is_made", [False, True])
def test_a_version_that_the_server_speaks_of_and_does_not_list_is_no_result(
    is_made: bool, wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    if is_made:
        versions.create(project_id)
    wire.always(LIST, listed(lambda _: None))

    says = "nothing changed since" if is_made else "it committed"
    with pytest.raises(IntegrityError, match=rf"says {says} version \d+ .*, but does not list it"):
        wired.create(project_id)

    # It may be there all the same, so nothing of it was taken away.
    [version] = versions.get_list(project_id)
    assert versions.verify(project_id, version.version_id).is_good


def test_the_map_takes_over_the_number_that_the_server_gives(
    wire: Wire, wired: Versions, client: Client, project_id: int
):
    wire.always(
        LIST, listed(lambda version: {**version, "version": version["version"] and version["version"] + 6})
    )

    made = wired.create(project_id)

    assert made.version_num == 7
    assert read_map(client, project_id)[str(made.version_id)]["number"] == 7
