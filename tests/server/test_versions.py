"""The life of a project version."""

from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.api import Api, Clock, Project

MEMBERS = {
    "id", "projectId", "createdBy", "teamFileId", "version", "description", "status", "createdAt",
    "updatedAt", "projectUpdatedAt", "teamId", "name", "previewProjectId",
}  # fmt: skip


def reserve(api: Api, project: Project) -> dict[str, Any]:
    return api.call("projects.versions.reserve", {"projectId": project.id})


def commit_body(api: Api, project: Project, **values: Any) -> dict[str, Any]:
    file_id = api.upload_file(f"/versions/{project.id}/", "archive.tar.zst", b"archive")["id"]
    return {"projectUpdatedAt": api.stamp(project.id), "teamFileId": file_id, **values}


def create(api: Api, project: Project, **values: Any) -> int:
    reservation = reserve(api, project)
    assert api.call("projects.versions.commit", {**reservation, **commit_body(api, project, **values)})[
        "success"
    ]
    return reservation["id"]


def versions(api: Api, project: Project) -> list[dict[str, Any]]:
    return api.call("projects.versions.list", {"projectId": project.id})["entities"]


def change(api: Api, project: Project) -> None:
    api.call("projects.editInfo", {"id": project.id, "description": "changed"})


def test_a_committed_version_is_listed_with_every_member(api: Api, project: Project):
    stamp = api.stamp(project.id)
    version_id = create(api, project, title="before clean-up", description="d")
    found = versions(api, project)
    assert len(found) == 1
    assert set(found[0]) == MEMBERS
    assert (found[0]["id"], found[0]["version"], found[0]["status"]) == (version_id, 1, "committed")
    assert (found[0]["name"], found[0]["description"]) == ("before clean-up", "d")
    assert found[0]["projectUpdatedAt"] == stamp == api.stamp(project.id)
    assert api.call("projects.info", {"id": project.id})["version"] == {"id": version_id, "version": 1}


def test_numbers_count_up_within_a_project(api: Api, project: Project):
    create(api, project)
    change(api, project)
    create(api, project, name="second")
    assert [(found["version"], found["name"]) for found in versions(api, project)] == [(1, ""), (2, "second")]
    other = api.project()
    create(api, other)
    assert [found["version"] for found in versions(api, other)] == [1]
    by_number = [{"field": "version", "operator": "=", "value": 2}]
    answer = api.call("projects.versions.list", {"projectId": project.id, "filter": by_number})
    assert [found["name"] for found in answer["entities"]] == ["second"]


def test_an_unchanged_project_has_its_version_already(api: Api, project: Project):
    version_id = create(api, project)
    details = api.refuse("projects.versions.reserve", {"projectId": project.id})
    assert details["useExistingVersion"] is True
    assert details["version"] == {"id": version_id, "version": 1}


def test_a_version_with_an_older_stamp_leaves_room_for_the_next(api: Api, project: Project):
    reservation = reserve(api, project)
    body = commit_body(api, project)
    change(api, project)
    api.call("projects.versions.commit", {**reservation, **body})
    reserve(api, project)


def test_one_reservation_at_a_time(api: Api, project: Project):
    reservation = reserve(api, project)
    details = api.refuse("projects.versions.reserve", {"projectId": project.id})
    assert "is already committing" in details["message"]
    assert details["reservedAt"] in details["message"]
    assert "useExistingVersion" not in details
    assert [found["status"] for found in versions(api, project)] == ["reserved"]
    assert api.call("projects.versions.cancel-reservation", reservation)["success"]
    reserve(api, project)


def test_an_abandoned_reservation_expires(timed_api: Api, clock: Clock):
    api = timed_api
    project = api.project()
    abandoned = reserve(api, project)
    body = commit_body(api, project)
    clock.advance(hours=23.9)
    api.refuse("projects.versions.reserve", {"projectId": project.id})
    clock.advance(hours=0.2)
    assert "expired" in api.refuse("projects.versions.commit", {**abandoned, **body})["message"]
    taken_over = reserve(api, project)
    api.refuse("projects.versions.cancel-reservation", abandoned, status=404)
    api.call("projects.versions.commit", {**taken_over, **body})


def test_a_commit_needs_its_token(api: Api, project: Project):
    reservation = reserve(api, project)
    body = commit_body(api, project)
    for token in ("0" * 64, "ü"):
        api.refuse("projects.versions.commit", {**body, "id": reservation["id"], "commitToken": token})
        api.refuse("projects.versions.cancel-reservation", {"id": reservation["id"], "commitToken": token})
    api.call("projects.versions.commit", {**reservation, **body})
    api.refuse("projects.versions.commit", {**reservation, **body})
    api.refuse("projects.versions.cancel-reservation", reservation)


@pytest.mark.parametrize(
    "wrong",
    [
        {"teamFileId": 99_999_999},
        {"teamFileId": None},
        {"projectUpdatedAt": None},
        {"description": "x" * 256},
        {"name": "x" * 256},
        {"title": "x" * 256},
        {"commitToken": "x" * 63},
        {"commitToken": "-" * 64},
    ],
)
def test_a_commit_that_cannot_be_leaves_the_reservation_open(api: Api, project: Project, wrong):
    reservation = reserve(api, project)
    body = commit_body(api, project, description="x" * 255)
    api.refuse("projects.versions.commit", {**reservation, **body, **wrong})
    assert [found["status"] for found in versions(api, project)] == ["reserved"]
    api.call("projects.versions.commit", {**reservation, **body})


@pytest.mark.parametrize(
    ("member", "value", "rule"),
    [("name", "x" * 256, "string.max"), ("commitToken", "x" * 65, "string.pattern.base")],
)
def test_a_commit_is_refused_by_its_schema(api: Api, project: Project, member: str, value: str, rule: str):
    body = {**reserve(api, project), **commit_body(api, project), member: value}
    details = api.refuse("projects.versions.commit", body)
    assert (details["path"], details["rule"]) == ([member], rule)


def test_a_version_is_renamed_and_gets_a_preview(api: Api, project: Project):
    version_id = create(api, project, title="old", description="kept")
    api.call("projects.versions.update", {"id": version_id, "name": "new", "previewProjectId": 5})
    found = versions(api, project)[0]
    assert (found["name"], found["description"], found["previewProjectId"]) == ("new", "kept", 5)
    api.refuse("projects.versions.update", {"id": version_id})
    api.refuse("projects.versions.update", {"id": version_id, "description": "x" * 256})
    api.refuse("projects.versions.update", {"id": 99_999_999, "name": "a"}, status=404)


def test_versions_do_not_change_their_project(api: Api, project: Project):
    before = api.stamp(project.id)
    version_id = create(api, project)
    api.call("projects.versions.update", {"id": version_id, "name": "a"})
    assert api.stamp(project.id) == before


@pytest.mark.parametrize("kind", ["point_clouds", "point_cloud_episodes"])
def test_a_type_that_cannot_be_versioned_is_refused(api: Api, kind: str):
    project_id = api.call("projects.add", {"workspaceId": 1, "name": f"a {kind} project", "type": kind})["id"]
    assert kind in api.refuse("projects.versions.reserve", {"projectId": project_id})["message"]


def test_the_free_plan_has_no_versions(tmp_path: Path):
    with EmbeddedServer(tmp_path, plan="free") as server, Api(server.info) as api:
        project = api.project()
        answer = api.post("projects.versions.reserve", {"projectId": project.id})
        assert (answer.status_code, answer.json()["error"]) == (402, "Payment Required")


def test_an_unknown_project_has_no_versions(api: Api):
    for method in ("projects.versions.reserve", "projects.versions.list"):
        api.refuse(method, {"projectId": 99_999_999}, status=404)
