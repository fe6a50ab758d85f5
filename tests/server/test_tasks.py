"""Background tasks."""

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.server.behaviour import clone, datasets, projects, tasks
from airflow_sv_versioning.server.platform import USER_ID, WORKSPACE_ID, Platform
from airflow_sv_versioning.server.settings import Settings
from tests.support.api import Api, ended
from tests.support.types import Patch


def run_app(api: Api, **body: Any) -> int:
    return api.call("tasks.run.app", {"workspaceId": 1, "appId": 7, **body})[0]["id"]


def test_a_clone_has_everything_of_its_source(api: Api):
    source = api.project(customData={"a": 1}, readme="r", settings={"allowDuplicateTags": True})
    api.call(
        "projects.settings.update", {"id": source.id, "settings": {"groupImagesByTagId": source.tags["text"]}}
    )
    late = api.call("datasets.add", {"projectId": source.id, "name": "late", "customData": {"b": 2}})["id"]
    api.call("datasets.move", {"srcId": source.dataset_id, "destId": late})
    image_id = api.image(source)
    api.call("images.editInfo", {"id": image_id, "meta": {"c": 3}, "description": "d"})
    twice = [{"tagId": source.tags["number"], "entityId": image_id, "value": 1}] * 2
    api.call("tags.entities.bulk.add", {"projectId": source.id, "tags": twice})
    api.figure(source, image_id, tags=[{"name": "choice", "value": "a"}], priority=3, customData={"e": 5})
    alpha = api.figure(source, image_id, geometryType="alpha_mask", geometry=None)
    api.upload_geometries({alpha: b'{"origin": [1, 1]}'})

    task_id = api.call("projects.clone", {"id": source.id, "workspaceId": 1, "name": "the copy"})["taskId"]
    task = ended(api, task_id)

    assert (task["status"], task["type"]) == ("finished", "clone")
    assert task["meta"]["input"] == {"project": {"id": source.id}}
    assert task["startedAt"] <= task["finishedAt"]
    copy_id = task["meta"]["output"]["project"]["id"]
    assert task["meta"]["output"]["project"]["title"] == "the copy"
    assert content(api, copy_id) == content(api, source.id)
    by_tag = api.call("projects.info", {"id": copy_id})["settings"]["groupImagesByTagId"]
    assert by_tag in [tag["id"] for tag in api.call("projects.meta", {"id": copy_id})["tags"]]


def content(api: Api, project_id: int) -> Any:
    """All of a project but ids and times."""
    project = api.call("projects.info", {"id": project_id})
    tree = api.call(
        "datasets.list", {"projectId": project_id, "recursive": True, "extraFields": ["customData"]}
    )
    names = {None: None, **{found["id"]: found["name"] for found in tree["entities"]}}
    found: list[Any] = [
        [names[dataset["parentId"]], dataset["name"], dataset["customData"]] for dataset in tree["entities"]
    ]
    for dataset in tree["entities"]:
        for image in api.call("images.list", {"datasetId": dataset["id"]})["entities"]:
            document = api.call("annotations.info", {"imageId": image["id"]})["annotation"]
            figures = api.call("figures.list", {"datasetId": dataset["id"]})["entities"]
            alpha = api.post("figures.bulk.download.geometry", {"ids": [figure["id"] for figure in figures]})
            found.append(
                [
                    dataset["name"],
                    image["name"],
                    image["hash"],
                    image["meta"],
                    b'{"origin": [1, 1]}' in alpha.content,
                ]
            )
            found.append(json.loads(json.dumps(document), object_hook=without_ids))
            found.append([(figure["priority"], figure["customData"]) for figure in figures])
    settings = {key: value for key, value in project["settings"].items() if key != "groupImagesByTagId"}
    return [project["customData"], project["readme"], settings, found]


def without_ids(value: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value[key] for key in value if key not in ("id", "classId", "tagId", "createdAt", "updatedAt")
    }


def test_a_clone_may_leave_parts_out(api: Api):
    source = api.project()
    api.figure(source, api.image(source), tags=[{"name": "flag"}])
    include = {"figures": False, "imagesTags": False}
    body = {"id": source.id, "workspaceId": 1, "name": "without figures", "include": include}
    task = ended(api, api.call("projects.clone", body)["taskId"])
    copy_id = task["meta"]["output"]["project"]["id"]
    copy = api.call("projects.info", {"id": copy_id})
    assert copy["itemsCount"] == 1
    dataset_id = api.call("datasets.list", {"projectId": copy_id})["entities"][0]["id"]
    assert api.call("figures.list", {"datasetId": dataset_id})["total"] == 0


def test_a_clone_finds_a_free_name(api: Api):
    source = api.project()
    body = {"id": source.id, "workspaceId": 1, "name": "wanted by two"}
    titles = [
        ended(api, api.call("projects.clone", body)["taskId"])["meta"]["output"]["project"]["title"]
        for _ in "ab"
    ]
    assert titles == ["wanted by two", "wanted by two_001"]


def test_a_clone_whose_source_is_gone_is_an_error(api: Api):
    api.refuse("projects.clone", {"id": 99_999_999, "workspaceId": 1, "name": "a"}, status=404)


@pytest.fixture
def platform(tmp_path: Path) -> Any:
    opened = Platform(Settings(tmp_path))
    yield opened
    opened.close()


def big_project(platform: Platform) -> int:
    with platform.database.write() as tx:
        project_id: int = projects.add_project(tx, WORKSPACE_ID, "big", {}, USER_ID)["id"]
        dataset_id = datasets.add_dataset(tx, project_id, "d", {}, USER_ID)["id"]
        for number in range(clone.BATCH_ITEMS + 1):
            tx.insert(
                "items", dataset_id=dataset_id, name=str(number), created_at=tx.stamp, updated_at=tx.stamp
            )
    return project_id


def settle(platform: Platform, task_id: int) -> dict[str, Any]:
    platform.jobs.wait()
    with platform.database.read() as db:
        return tasks.task_info(db, task_id)


def test_a_stopped_clone_leaves_no_half_project(platform: Platform, monkeypatch: Patch):
    statuses = []
    # The first report comes between two batches.
    monkeypatch.setattr(
        platform.jobs, "_report", lambda task_id, _: statuses.append(platform.jobs.stop(task_id))
    )
    task_id = platform.jobs.submit_clone(big_project(platform), WORKSPACE_ID, "copy", {}, USER_ID)
    assert settle(platform, task_id)["status"] == "stopped"
    assert statuses == ["terminating"]
    with platform.database.read() as db:
        assert db.value("SELECT COUNT(*) FROM projects") == 1


def test_a_failing_clone_says_why_and_leaves_no_half_project(platform: Platform, monkeypatch: Patch):
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(platform.jobs, "_report", fail)
    task_id = platform.jobs.submit_clone(big_project(platform), WORKSPACE_ID, "copy", {}, USER_ID)
    task = settle(platform, task_id)
    assert task["status"] == "error"
    with platform.database.read() as db:
        assert db.value("SELECT COUNT(*) FROM projects") == 1
        assert "disk full" in tasks.log_text(db, task_id)


def test_the_log_is_one_json_object_a_line(api: Api):
    source = api.project()
    task_id = api.call("projects.clone", {"id": source.id, "workspaceId": 1, "name": "logged"})["taskId"]
    ended(api, task_id)
    answer = api.session.get(api.url("tasks.log.download"), params={"id": task_id}, timeout=30)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert str(source.id) in lines[0]["message"]
    assert lines[-1]["message"] == "Finished"


def test_an_app_task_is_what_others_make_of_it(api: Api):
    state = {"slyProjectId": 40}
    task_id = run_app(api, params={"state": state}, taskName="import")
    task = api.call("tasks.info", {"id": task_id})
    assert (task["status"], task["type"], task["name"]) == ("queued", "app", "import")
    assert task["settings"]["message"]["state"] == state
    assert task["meta"]["params"]["state"] == state
    assert (task["workspaceId"], task["teamId"]) == (1, 1)
    api.call("tasks.status.update", {"id": task_id, "status": "started"})
    api.call("tasks.output.set", {"taskId": task_id, "output": {"project": {"id": 1, "title": "a"}}})
    api.call("tasks.output.set", {"taskId": task_id, "output": {"general": {"title": "b"}}})
    api.call("tasks.meta.update", {"id": task_id, "step": 3})
    meta = api.call("tasks.info", {"id": task_id})["meta"]
    assert meta["output"] == {"project": {"id": 1, "title": "a"}, "general": {"title": "b"}}
    assert meta["step"] == 3
    task = api.call("tasks.status.update", {"id": task_id, "status": "finished"})
    assert task["startedAt"] < task["finishedAt"]
    api.refuse("tasks.status.update", {"id": task_id, "status": "started"})
    api.refuse("tasks.status.update", {"id": task_id, "status": "sleeping"})


def test_a_task_that_nobody_works_on_stops_at_once(api: Api):
    task_id = run_app(api)
    assert api.call("tasks.stop", {"id": task_id})["status"] == "stopped"
    assert api.call("tasks.stop", {"id": task_id})["status"] == "stopped"


def test_running_tasks_of_a_workspace_are_found(api: Api):
    workspace_id = api.call("workspaces.add", {"teamId": 1, "name": "of tasks"})["id"]
    running, done = (run_app(api, workspaceId=workspace_id) for _ in range(2))
    api.call("tasks.status.update", {"id": done, "status": "finished"})
    condition = {
        "field": "status",
        "operator": "in",
        "value": ["queued", "consumed", "started", "terminating"],
    }
    found = api.call("tasks.list", {"workspaceId": workspace_id, "filter": [condition]})["entities"]
    assert [task["id"] for task in found] == [running]


def test_workflow_edges_are_taken(api: Api):
    node = {"teamId": 1, "node": {"type": "task", "id": 55}}
    api.call("workflow.node.add-input", {**node, "type": "project", "id": 1000})
    api.call("workflow.node.add-output", {**node, "type": "file", "id": "/a/b", "meta": {"a": 1}})
    api.refuse("workflow.node.add-input", {**node, "id": 1000})
