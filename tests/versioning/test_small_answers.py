"""What the methods of ``ProjectVersions`` say where there is little to say, or the server does otherwise."""

import json
from dataclasses import replace

import pytest

from airflow_sv_versioning.exceptions import ConfigurationError, PermissionDeniedError, RequestRejectedError
from tests.support.proxy import Exchange, Reply, answer, refuse
from tests.support.types import Client, Versions, Wire


def test_a_version_is_found_by_its_number(versions: Versions, project_id: int):
    made = versions.create(project_id)

    assert versions.get_id_by_number(project_id, 1) == made.version_id


def test_a_workspace_without_projects_says_so_and_nothing_else(versions: Versions, client: Client):
    workspace = client.accounts.add_workspace(1, "without projects")
    lines: list[str] = []

    assert versions.list_project_ids(workspace.id, report=lines.append) == []
    assert lines == ["0 projects to version."]


def test_a_vault_that_is_not_named_is_asked_for(versions: Versions):
    with pytest.raises(ConfigurationError, match="Name a vault"):
        versions.check_vault(None)


def test_an_update_of_nothing_is_refused_before_it_is_sent(wire: Wire, wired: Versions):
    with pytest.raises(ConfigurationError, match="at least one of title, description"):
        wired.update(1)

    assert not wire.requests


def test_an_update_that_the_server_does_not_make_is_an_error(
    wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    made = versions.create(project_id, "before")
    wire.on("projects.versions.update", lambda _: answer(200, {"success": False}))

    with pytest.raises(RequestRejectedError, match=f"did not change version {made.version_id}"):
        wired.update(made.version_id, title="after")

    assert versions.get_info_by_id(project_id, made.version_id).title == "before"


def test_a_version_whose_preview_fails_is_made_and_that_is_told(
    wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    wire.always("workspaces.list", refuse(403, "not yours"))
    lines: list[str] = []

    with pytest.raises(PermissionDeniedError, match="not yours"):
        wired.create(project_id, enable_preview=True, report=lines.append)

    [version] = versions.get_list(project_id)
    assert any(f"Version {version.version_id} is made; its preview failed" in line for line in lines)


def test_previews_stand_in_a_workspace_of_their_own_also_where_filters_are_passed_over(
    wire: Wire, wired: Versions, client: Client, project_id: int
):
    def unfiltered(exchange: Exchange) -> Reply:
        body = {**exchange.request.json, "filter": []}
        return wire.forward(replace(exchange.request, body=json.dumps(body).encode()))

    wire.always("workspaces.list", unfiltered)
    workspaces = set()

    for _ in range(2):
        made = wired.create(project_id, enable_preview=True)
        assert made.preview_project_id is not None
        workspaces.add(client.projects.get(made.preview_project_id).workspace_id)
        client.projects.edit(project_id, description=f"after {made.version_num}")

    assert len(workspaces) == 1
    assert client.projects.get(project_id).workspace_id not in workspaces
