"""A restore's settings, classes and tags: set before the content, as far as the server takes them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.exceptions import IntegrityError, RequestRejectedError
from airflow_sv_versioning.server.limits import UNLIMITED
from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.projects import leaves_no_project, make_project
from tests.support.proxy import Exchange, Reply, answer, refuse
from tests.support.types import Client, Versions, Wire
from tests.support.video_projects import make_video_project, write_videos
from tests.support.volumes import make_volume_project

SETTINGS = "projects.settings.update"
INTERFACE = "The Labeling Interface is available only in the videos MAX package"


def _grouped(client: Client, photos: list[Path]) -> int:
    project_id = make_project(client, photos[:2])
    tag = client.projects.get_meta(project_id)["tags"][1]["id"]
    client.projects.update_settings(project_id, {"groupImages": True, "groupImagesByTagId": tag})
    return project_id


def _tag_twice(client: Client, project_id: int) -> None:
    client.projects.update_settings(project_id, {"allowDuplicateTags": True})
    [dataset] = client.datasets.list_all(project_id)
    [page] = client.images.iter_pages(dataset.id)
    tag = {"tagId": page[0]["tags"][0]["tagId"], "entityId": page[0]["id"], "value": 0}
    client.tags.add_to_items(project_id, [tag])
    client.projects.update_settings(project_id, {"allowDuplicateTags": False})


@pytest.mark.parametrize("is_tagged_twice", [False, True])
def test_settings_come_before_content_and_only_what_was_forced_is_put_back(
    client: Client, wired: Versions, wire: Wire, photos: list[Path], is_tagged_twice: bool
):
    project_id = _grouped(client, photos)
    if is_tagged_twice:
        _tag_twice(client, project_id)
    made = wired.create(project_id)
    wire.heal()

    restored = wired.restore(project_id, made.version_id, verify="full")

    first, *rest = [request.json["settings"] for request in wire.seen(SETTINGS)]
    methods = [request.method for request in wire.requests]
    assert methods.index("projects.meta.update") < methods.index(SETTINGS) < methods.index("datasets.add")
    tags = {tag["name"]: tag["id"] for tag in client.projects.get_meta(restored.project_id)["tags"]}
    assert (first["groupImages"], first["groupImagesByTagId"]) == (True, tags["count"])
    assert first.get("allowDuplicateTags", False) is is_tagged_twice
    assert rest == ([{"allowDuplicateTags": False}] if is_tagged_twice else [])
    assert not restored.warnings


MAKERS: dict[str, Callable[[Client, Path], int]] = {
    "videos": lambda client, folder: make_video_project(client, write_videos(folder, 2)),
    "volumes": make_volume_project,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_labelling_interface_that_the_plan_lacks_is_left_out_with_a_warning(tmp_path: Path, kind: str):
    with EmbeddedServer(tmp_path / "server") as server, _connected(server) as client:
        project_id = MAKERS[kind](client, tmp_path)
        client.projects.update_settings(project_id, {"labelingInterface": "multi_view"})
        made = Versions(client).create(project_id)
    limits = replace(UNLIMITED, takes_labeling_interfaces=False)

    with EmbeddedServer(tmp_path / "server", limits=limits) as server, _connected(server) as client:
        restored = Versions(client).restore(project_id, made.version_id, verify="full")
        settings = client.projects.get(restored.project_id).settings

    assert restored.counts == made.counts
    assert settings.get("labelingInterface") in {None, "default"}
    told, *rest = restored.warnings
    assert "'multi_view'" in told
    assert INTERFACE in told
    assert all("labelingInterface" in line for line in rest)


def _connected(server: EmbeddedServer) -> Client:
    return Client(server.info.url, server.info.token)


def test_other_refusals_of_settings_end_the_restore(client: Client, wired: Versions, wire: Wire, photos):
    project_id = _grouped(client, photos)
    made = wired.create(project_id)
    wire.always(SETTINGS, refuse(403, "Settings are for managers"))

    with leaves_no_project(client), pytest.raises(Exception, match="Settings are for managers"):
        wired.restore(project_id, made.version_id)


def _rewriting(wire: Wire, changes: Mapping[str, Any]) -> Callable[[Exchange], Reply]:
    def fault(exchange: Exchange) -> Reply:
        body = exchange.request.json
        changed = {**body, "settings": {**body["settings"], **changes}}
        return wire.forward(replace(exchange.request, body=json.dumps(changed).encode()))

    return fault


def test_a_grouping_that_the_server_rewrites_is_a_warning(
    client: Client, wired: Versions, wire: Wire, photos: list[Path]
):
    project_id = _grouped(client, photos)
    made = wired.create(project_id)
    wire.always(SETTINGS, _rewriting(wire, {"groupImages": False, "groupImagesSync": True}))

    restored = wired.restore(project_id, made.version_id, verify="full")

    assert list(restored.warnings) == [
        "For the setting groupImages the server chose unset, where the version has True.",
        "For the setting groupImagesSync the server chose True, where the version has unset.",
    ]


def test_other_settings_that_the_server_rewrites_are_a_failure(
    client: Client, wired: Versions, wire: Wire, photos: list[Path]
):
    project_id = _grouped(client, photos)
    made = wired.create(project_id)
    wire.always(SETTINGS, _rewriting(wire, {"allowDuplicateTags": True}))

    with pytest.raises(IntegrityError, match="setting 'allowDuplicateTags' added"):
        wired.restore(project_id, made.version_id, verify="full")


def test_a_class_of_a_shape_that_the_instance_does_not_know_is_named(
    client: Client, wired: Versions, wire: Wire, photos: list[Path]
):
    project_id = make_project(client, photos[:1])
    made = wired.create(project_id)
    detail = {
        "message": "must be one of [polygon, line]",
        "path": ["meta", "classes", 1, "shape"],
        "type": "any.only",
    }
    wire.always(
        "projects.meta.update", lambda _: answer(400, {"error": "Validation error", "details": [detail]})
    )

    with pytest.raises(
        RequestRejectedError, match=r"shape 'rectangle'.*: '(lemon|a kiwi)', '(lemon|a kiwi)'\."
    ):
        wired.restore(project_id, made.version_id)
