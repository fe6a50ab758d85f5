"""Projects, workspaces and teams."""

from pathlib import Path

import pytest

from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.api import Api, Project


def test_a_fresh_folder_has_one_user_team_and_workspace(tmp_path: Path):
    with EmbeddedServer(tmp_path) as server, Api(server.info) as api:
        assert [user["id"] for user in api.call("users.list")["entities"]] == [api.call("users.me")["id"]]
        assert [team["id"] for team in api.call("teams.list")["entities"]] == [server.info.team_id]
        workspaces = api.call("workspaces.list", {"teamId": server.info.team_id})["entities"]
        assert [workspace["id"] for workspace in workspaces] == [server.info.workspace_id]


def test_the_plan_of_the_teams_can_be_set(tmp_path: Path, api: Api):
    assert api.call("teams.info", {"id": 1})["usage"] == {"plan": "enterprise"}
    with EmbeddedServer(tmp_path, plan="free") as server, Api(server.info) as free:
        assert free.call("teams.info", {"id": 1})["usage"] == {"plan": "free"}


def test_a_new_project_has_every_member_that_clients_read(api: Api):
    project = api.call(
        "projects.add", {"workspaceId": 1, "name": "all members", "description": "d", "readme": "r"}
    )
    assert project["customData"] == {}
    assert project["version"] is None
    assert project["settings"]["groupImages"] is False
    assert (project["teamId"], project["workspaceId"], project["size"]) == (1, 1, "0")
    assert (project["type"], project["description"], project["readme"]) == ("images", "d", "r")
    assert "version" not in api.call("projects.list", {"workspaceId": 1})["entities"][0]


def test_counters_follow_the_content(api: Api, project: Project):
    api.call("datasets.add", {"projectId": project.id, "name": "second", "parentId": project.dataset_id})
    size = api.call("images.info", {"id": api.image(project)})["size"]
    found = api.call("projects.info", {"id": project.id})
    assert (found["imagesCount"], found["itemsCount"], found["datasetsCount"]) == (1, 1, 2)
    assert found["size"] == str(size)


def test_a_project_name_is_unique_in_its_workspace(api: Api):
    body = {"workspaceId": 1, "name": "taken once"}
    project_id = api.call("projects.add", body)["id"]
    details = api.refuse("projects.add", body)
    assert details["type"] == "NONUNIQUE"
    assert details["errors"] == [{"name": "taken once", "id": project_id}]
    other = api.call("workspaces.add", {"teamId": 1, "name": "for equal names"})["id"]
    api.call("projects.add", {**body, "workspaceId": other})


def test_projects_are_listed_by_workspace_and_team(api: Api):
    workspace_id = api.call("workspaces.add", {"teamId": 1, "name": "a place of its own"})["id"]
    project_id = api.call("projects.add", {"workspaceId": workspace_id, "name": "alone"})["id"]
    in_workspace = api.call("projects.list", {"workspaceId": workspace_id})
    by_name = [{"field": "name", "operator": "=", "value": "alone"}]
    in_team = api.call("projects.list", {"groupId": 1, "filter": by_name})
    assert [found["id"] for found in in_workspace["entities"]] == [project_id]
    assert [found["id"] for found in in_team["entities"]] == [project_id]


def test_settings_are_merged_by_their_top_level_keys(api: Api):
    project = api.project(settings={"advancedSettings": {"a": 1, "b": 2}, "kept": True})
    api.call(
        "projects.settings.update",
        {"id": project.id, "settings": {"advancedSettings": {"a": 3}, "labelingInterface": None}},
    )
    settings = api.call("projects.info", {"id": project.id})["settings"]
    assert settings["advancedSettings"] == {"a": 3}
    assert settings["kept"] is True
    assert settings["labelingInterface"] == "default"


def test_only_a_silent_edit_keeps_the_stamp(api: Api, project: Project):
    before = api.stamp(project.id)
    edit = {"id": project.id, "customData": {"ü": [1, None]}}
    api.call("projects.editInfo", {**edit, "silent": True})
    assert api.stamp(project.id) == before
    assert api.call("projects.info", {"id": project.id})["customData"] == {"ü": [1, None]}
    api.call("projects.editInfo", edit)
    assert api.stamp(project.id) > before


def test_an_edit_leaves_alone_what_it_does_not_name(api: Api):
    project = api.project(description="kept", customData={"a": 1})
    edited = api.call("projects.editInfo", {"id": project.id, "name": "renamed project", "readme": "new"})
    assert (edited["name"], edited["description"], edited["readme"]) == ("renamed project", "kept", "new")
    assert edited["customData"] == {"a": 1}


@pytest.mark.parametrize("key", ["id", "ids", "projects"])
def test_a_removed_project_is_gone_with_all_it_holds(api: Api, project: Project, image_id: int, key: str):
    body = {"id": project.id} if key == "id" else {"ids": [project.id]}
    api.call("projects.remove.permanently", {"projects": [{"id": project.id}]} if key == "projects" else body)
    api.refuse("projects.info", {"id": project.id}, status=404)
    api.refuse("images.info", {"id": image_id}, status=404)


def test_an_archived_project_is_out_of_sight_and_its_name_is_free(api: Api, project: Project):
    name = api.call("projects.info", {"id": project.id})["name"]
    api.call("projects.archive", {"id": project.id})
    api.refuse("projects.info", {"id": project.id}, status=404)
    by_name = [{"field": "name", "operator": "=", "value": name}]
    assert api.call("projects.list", {"workspaceId": 1, "filter": by_name})["total"] == 0
    api.call("projects.add", {"workspaceId": 1, "name": name})


def test_a_workspace_can_be_hidden(api: Api):
    workspace_id = api.call("workspaces.add", {"teamId": 1, "name": "to be hidden"})["id"]
    api.call("workspaces.visibility.set", {"id": workspace_id, "hidden": True})
    assert api.call("workspaces.info", {"id": workspace_id})["hidden"] is True
