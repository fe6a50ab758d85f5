"""What is not certain of the platform: strict as all that is known of it, lenient as the SDK needs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.server.rules import SDK, STRICTNESS, VENDOR, Rules
from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support import video_api
from tests.support.api import Api, Project
from tests.support.media import hash_of
from tests.support.volume_api import meta, nrrd, volume_project

BOTH = pytest.mark.parametrize("rules", [VENDOR, SDK], ids=["vendor", "sdk"])
Served = Callable[[Rules], AbstractContextManager[Api]]
OUTSIDE = {"points": {"exterior": [[-5, 2], [11, 12]], "interior": []}}


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """Servers of the test's own, by rules."""

    @contextmanager
    def serve(rules: Rules) -> Iterator[Api]:
        with EmbeddedServer(tmp_path / "data", rules=rules) as server, Api(server.info) as api:
            yield api

    return serve


def is_refused(api: Api, method: str, body: dict[str, Any], status: int = 400) -> bool:
    answer = api.post(method, body)
    assert answer.status_code in {200, status}, answer.text
    return answer.status_code == status


def video_project(api: Api) -> Project:
    return api.project(type="videos")


def test_strictness_is_a_name_for_rules():
    assert STRICTNESS == {"vendor": VENDOR, "sdk": SDK}


@BOTH
def test_objects_of_child_datasets_are_listed_unless_asked_not_to(served: Served, rules: Rules):
    with served(rules) as api:
        project = video_project(api)
        child = api.call(
            "datasets.add", {"projectId": project.id, "name": "in", "parentId": project.dataset_id}
        )
        for dataset_id in (project.dataset_id, child["id"]):
            shared = {"datasetId": dataset_id, "annotationObjects": [{"classId": project.class_id}]}
            api.call("annotation-objects.bulk.add", shared)

        def total(**options: bool) -> int:
            body = {"datasetId": project.dataset_id, "per_page": 1, **options}
            return api.call("annotation-objects.list", body)["total"]

        assert total(recursive=False) == 1
        assert total(recursive=True) == 2
        assert total() == (2 if rules.objects_are_listed_recursively else 1)


@BOTH
def test_figures_outside_of_their_image(served: Served, rules: Rules):
    with served(rules) as api:
        project = api.project()
        image_id = api.image(project)
        figure = {
            "entityId": image_id,
            "classId": project.class_id,
            "geometryType": "rectangle",
            "geometry": OUTSIDE,
        }
        body: dict[str, Any] = {"datasetId": project.dataset_id, "figures": [figure]}
        label = {"classTitle": "box", "geometryType": "rectangle", "tags": [], **OUTSIDE}
        annotation = {"description": "", "tags": [], "objects": [label]}
        document = {"annotations": [{"imageId": image_id, "annotation": annotation}]}

        assert is_refused(api, "figures.bulk.add", body) == rules.checks_bounds
        assert is_refused(api, "annotations.bulk.add", document) == rules.checks_bounds
        assert not is_refused(api, "figures.bulk.add", {**body, "skipBoundsValidation": True})
        assert not is_refused(api, "annotations.bulk.add", {**document, "skipBoundsValidation": True})
        settings = {"skipBoundsValidation": True}
        api.call("projects.settings.update", {"id": project.id, "settings": settings})
        assert not is_refused(api, "figures.bulk.add", body)


@BOTH
def test_a_tag_with_the_value_null(served: Served, rules: Rules):
    with served(rules) as api:
        project = video_project(api)
        shared = {"datasetId": project.dataset_id, "annotationObjects": [{"classId": project.class_id}]}
        [made] = api.call("annotation-objects.bulk.add", shared)
        tag = {"tagId": project.tags["flag"], "objectId": made["id"]}

        def add(**value: Any) -> bool:
            body = {"projectId": project.id, "tags": [{**tag, **value}]}
            answer = api.post("annotation-objects.tags.bulk.add", body)
            return "value" in answer.text and answer.status_code == 400

        assert add(value=None) is not rules.takes_null_values
        assert not add()


@BOTH
def test_tools_and_shapes_that_are_not_listed(served: Served, rules: Rules):
    with served(rules) as api:
        project = api.project()
        figure = {
            "entityId": api.image(project),
            "classId": project.class_id,
            "geometryType": "rectangle",
            "geometry": {"points": {"exterior": [[1, 1], [2, 2]], "interior": []}},
        }

        def add(tool: str) -> bool:
            body = {"datasetId": project.dataset_id, "figures": [{**figure, "tool": tool}]}
            return is_refused(api, "figures.bulk.add", body)

        def define(shape: str) -> bool:
            classes = [{"title": "box", "shape": "any"}, {"title": "new", "shape": shape}]
            return is_refused(api, "projects.meta.update", {"id": project.id, "meta": {"classes": classes}})

        assert (add("rectangle"), add("closed_surface_mesh")) == (False, rules.checks_names)
        assert (define("closed_surface_mesh"), define("blob")) == (False, rules.checks_names)


@pytest.mark.parametrize("kind", ["videos", "volumes"])
def test_a_description_has_at_most_255_characters(served: Served, kind: str):
    with served(VENDOR) as api:
        project = api.project(type=kind)
        item = {"name": "a", "meta": {}, "hash": hash_of(b"missing")}

        def status(length: int) -> int:
            body = {"datasetId": project.dataset_id, kind: [{**item, "description": "x" * length}]}
            return api.post(f"{kind}.bulk.add", body).status_code

        assert (status(255), status(256)) == (404, 400)


@BOTH
def test_a_volume_says_what_it_is(served: Served, rules: Rules):
    with served(rules) as api:
        project = api.project(type="volumes")
        volume: dict[str, Any] = {"hash": api.upload(nrrd()), "name": "a.nrrd", "meta": meta()}
        wrong = [
            {**volume, "name": None, "title": "b.nrrd"},
            {**volume, "meta": None, "name": "c.nrrd"},
            {**volume, "meta": {**volume["meta"], "ACS": "LPS"}, "name": "d.nrrd"},
        ]

        def refused(volume: dict[str, Any]) -> bool:
            body = {"datasetId": project.dataset_id, "volumes": [volume]}
            return is_refused(api, "volumes.bulk.add", body)

        assert [refused(volume) for volume in wrong] == [rules.volumes_need_meta] * 3
        assert not refused(volume)


@BOTH
def test_filters_of_versions(served: Served, rules: Rules):
    with served(rules) as api:
        project = api.project()

        def refused(field: str, operator: str) -> bool:
            wanted = [{"field": field, "operator": operator, "value": 1}]
            return is_refused(api, "projects.versions.list", {"projectId": project.id, "filter": wanted})

        assert not refused("id", "=")
        assert not refused("version", "!=")
        assert refused("version", ">") == rules.filters_versions_narrowly
        assert refused("createdBy", "=") == rules.filters_versions_narrowly


@BOTH
def test_versions_that_are_not_committed(served: Served, rules: Rules):
    with served(rules) as api:
        project = api.project()
        reserved = api.call("projects.versions.reserve", {"projectId": project.id})

        listed = api.call("projects.versions.list", {"projectId": project.id})["entities"]

        expected = [(reserved["id"], None, None)] if rules.lists_reservations else []
        assert [(entry["id"], entry["version"], entry["teamFileId"]) for entry in listed] == expected


@pytest.mark.parametrize("says", [True, False])
def test_what_a_commit_is_answered_with(served: Served, says: bool):
    with served(replace(VENDOR, commit_says_success=says)) as api:
        project = api.project()
        reserved = api.call("projects.versions.reserve", {"projectId": project.id})
        file = api.upload_file("/a/", "v.tar.zst", b"archive")
        stamp = {"projectUpdatedAt": api.stamp(project.id), "teamFileId": file["id"]}

        assert bool(api.call("projects.versions.commit", {**reserved, **stamp})) is says


@BOTH
@pytest.mark.parametrize("kind", ["images", "videos", "volumes"])
def test_a_hash_that_the_server_has_not(served: Served, rules: Rules, kind: str):
    with served(rules) as api:
        project = api.project(type=kind)
        item = {"name": "a", "hash": hash_of(b"missing"), "meta": {}}
        status = 404 if rules.missing_hash_is_404 else 400

        details = api.refuse(f"{kind}.bulk.add", {"datasetId": project.dataset_id, kind: [item]}, status)

        assert details["type"] == ("HASH_NOT_FOUND" if rules.missing_hash_is_404 else "HASHES_NOT_FOUND")


@BOTH
def test_a_bucket_belongs_to_a_team(served: Served, rules: Rules, tmp_path: Path):
    with served(rules) as api:
        folder = tmp_path / "data" / "remote-storage" / "s3" / "bucket"
        folder.mkdir(parents=True)
        (folder / "a.png").write_bytes(b"a")

        def is_seen(**team: int) -> bool:
            body = {"path": "s3://bucket/a.png", **team}
            return api.call("remote-storage.exists", body)["exists"]

        assert is_seen(groupId=1)
        assert is_seen() is not rules.storages_belong_to_teams


def test_a_server_that_ignores_cursors_answers_the_page_that_is_named(served: Served):
    with served(replace(VENDOR, cursor="ignored")) as api:
        project = api.project()
        ids = api.images(project.dataset_id, [f"{number}.png" for number in range(5)])
        body = {"datasetId": project.dataset_id, "pagination_mode": "token", "per_page": 2}

        first = api.call("images.list", body)
        assert [image["id"] for image in first["entities"]] == ids[:2]
        assert ("after" in first, first["pagesCount"]) == (False, 3)
        assert [i["id"] for i in api.call("images.list", {**body, "page": 3})["entities"]] == ids[4:]


def test_cursors_may_be_numbers(served: Served):
    with served(replace(VENDOR, cursor="number")) as api:
        project = api.project()
        ids = api.images(project.dataset_id, [f"{number}.png" for number in range(5)])
        body = {"datasetId": project.dataset_id, "pagination_mode": "token", "per_page": 2}

        answer = api.call("images.list", body)
        seen = [image["id"] for image in answer["entities"]]
        while answer["after"] is not None:
            assert isinstance(answer["after"], int)
            answer = api.call("images.list", {**body, "after": answer["after"]})
            seen += [image["id"] for image in answer["entities"]]

        assert seen == ids


def test_pages_may_be_smaller_than_asked_for(served: Served):
    with served(replace(VENDOR, max_per_page=2)) as api:
        project = api.project()
        api.images(project.dataset_id, ["a", "b", "c"])

        page = api.call("images.list", {"datasetId": project.dataset_id, "per_page": 1000})

        assert (len(page["entities"]), page["perPage"], page["pagesCount"], page["total"]) == (2, 2, 2, 3)


def test_the_system_folder_may_be_hidden(served: Served):
    with served(replace(VENDOR, hides_system_folder=True)) as api:
        assert is_refused(api, "file-storage.list", {"teamId": 1, "path": "/system/versions/1/"}, 403)
        assert not is_refused(api, "file-storage.list", {"teamId": 1, "path": "/mine/"}, 403)


@BOTH
def test_a_broken_rule_of_a_schema_is_told_as_the_platform_does(served: Served, rules: Rules):
    with served(rules) as api:
        body = api.post("projects.info", {"id": "x"}).json()

        assert isinstance(body["details"], list) is rules.details_are_a_list
        if rules.details_are_a_list:
            assert body["error"] == "Validation error"
            assert body["details"][0].keys() == {"message", "path", "type", "context"}


@pytest.mark.parametrize("moves", [True, False])
def test_the_stamp_of_an_item_whose_annotation_alone_changes(served: Served, moves: bool):
    types = VENDOR.stamps_of_annotated_items_move - (set() if moves else {"images"})
    with served(replace(VENDOR, stamps_of_annotated_items_move=types)) as api:
        project = api.project()
        image_id = api.image(project)
        stamp, project_stamp = api.image_stamp(image_id), api.stamp(project.id)

        api.figure(project, image_id)
        tag = {"tagId": project.tags["flag"], "entityId": image_id}
        api.call("tags.entities.bulk.add", {"tags": [tag]})

        assert (api.image_stamp(image_id) != stamp) is moves
        assert api.stamp(project.id) != project_stamp
        api.call("images.editInfo", {"id": image_id, "name": "renamed.png"})
        assert api.image_stamp(image_id) != stamp


def test_the_stamps_of_items_that_share_an_object(served: Served):
    with served(replace(VENDOR, stamps_of_annotated_items_move=frozenset({"images"}))) as api:
        project = video_api.video_project(api, settings={"labelingInterface": "multi_view"})
        video_id = project.add()
        stamp = project.info(video_id)["updatedAt"]

        [shared] = project.objects([None])
        project.figures(video_id, shared, [0])

        assert project.info(video_id)["updatedAt"] == stamp


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_project_that_is_gone_is_told_in_the_platforms_words(served: Served, status: Any):
    with served(replace(VENDOR, gone_status=status)) as api:
        answer = api.post("projects.info", {"id": 77})

        assert answer.status_code == status
        assert "Project with projectId 77 is either archived, doesn't exist or" in answer.text


@pytest.mark.parametrize("is_recursive", [True, False])
def test_items_and_figures_of_child_datasets_are_listed_where_nobody_says_otherwise(
    served: Served, is_recursive: bool
):
    rules = replace(
        VENDOR, items_are_listed_recursively=is_recursive, figures_are_listed_recursively=is_recursive
    )
    with served(rules) as api:
        project = api.project()
        api.figure(project, api.image(project))
        parent = api.call("datasets.add", {"projectId": project.id, "name": "parent"})["id"]
        api.call("datasets.move", {"srcId": project.dataset_id, "destId": parent})

        for method in ("images.list", "figures.list"):
            totals = [
                api.call(method, {"datasetId": parent, **options})["total"]
                for options in ({}, {"recursive": False}, {"recursive": True})
            ]
            assert totals == [int(is_recursive), 0, 1], method


@pytest.mark.parametrize("kind", ["videos", "volumes"])
def test_videos_and_volumes_are_listed_so_too(served: Served, kind: str):
    with served(replace(VENDOR, items_are_listed_recursively=True)) as api:
        make: Callable[[Api], Any] = video_api.video_project if kind == "videos" else volume_project
        project = make(api)
        project.add()
        parent = api.call("datasets.add", {"projectId": project.id, "name": "parent"})["id"]
        api.call("datasets.move", {"srcId": project.dataset_id, "destId": parent})

        assert api.call(f"{kind}.list", {"datasetId": parent})["total"] == 1
        assert api.call(f"{kind}.list", {"datasetId": parent, "recursive": False})["total"] == 0


@pytest.mark.parametrize(
    ("version", "lacks_versions", "is_rounded", "lacks_videos"),
    [
        ("6.9.0", True, True, True),
        ("6.9.31", False, True, True),
        ("6.11.8", False, False, True),
        ("6.15.40", False, False, False),
        ("next", False, False, False),
    ],
)
def test_an_older_instance_lacks_what_came_later(tmp_path, version, lacks_versions, is_rounded, lacks_videos):
    with EmbeddedServer(tmp_path / "data", instance_version=version) as server, Api(server.info) as api:
        project = api.project()
        exact = {"points": {"exterior": [[1.25, 2], [9, 8]], "interior": []}}
        api.figure(project, api.image(project), geometry=exact)
        listing = {"datasetId": project.dataset_id, "integerCoords": False}
        [figure] = api.call("figures.list", listing)["entities"]
        videos = api.project(type="videos")

        assert is_refused(api, "projects.versions.list", {"projectId": project.id}, 404) is lacks_versions
        assert (figure["geometry"] != exact) is is_rounded
        if not lacks_versions:
            assert is_refused(api, "projects.versions.reserve", {"projectId": videos.id}) is lacks_videos
