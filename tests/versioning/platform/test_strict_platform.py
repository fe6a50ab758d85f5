"""The plain round trip on servers as strict, and as strange, as the platform may be."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.capture.passes import capture_project
from airflow_sv_versioning.capture.untold import untold_warnings
from airflow_sv_versioning.client.transport import Transport
from airflow_sv_versioning.exceptions import (
    ApiError,
    ConfigurationError,
    NotFoundError,
    OutdatedInstanceError,
    RequestRejectedError,
)
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.server.rules import SDK, VENDOR, Rules
from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.projects import count_projects
from tests.support.proxy import Exchange, Reply, refuse
from tests.support.typed_projects import MAKERS, nest
from tests.support.types import Client, Server, Versions, Wire


@dataclass(frozen=True)
class Strange:
    """A platform that is different from the others.

    :param refused: type of projects -> the sentence by which it is refused; all others come back equal.
    """

    rules: Rules = VENDOR
    settings: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


def _old(version: str, **refused: str) -> Strange:
    return Strange(
        settings={"instance_version": version},
        refused={kind: f"This instance is {version}, older than {told}" for kind, told in refused.items()},
    )


def _all(sentence: str) -> dict[str, str]:
    return dict.fromkeys(MAKERS, sentence)


TAGS = "6.13.1, which brought tags of many items in one request; have it updated"
VIDEOS = "6.15.40, which brought versions of videos and volumes"
PLATFORMS: dict[str, Strange] = {
    "vendor": Strange(),
    "as the SDK needs it": Strange(SDK),
    "no cursor": Strange(replace(VENDOR, cursor="ignored")),
    "numbers as cursors": Strange(replace(VENDOR, cursor="number")),
    "short pages": Strange(replace(VENDOR, max_per_page=2)),
    "recursive": Strange(
        replace(VENDOR, items_are_listed_recursively=True, figures_are_listed_recursively=True)
    ),
    "not recursive": Strange(replace(VENDOR, objects_are_listed_recursively=False)),
    "silent commit": Strange(replace(VENDOR, commit_says_success=False)),
    "gone is forbidden": Strange(replace(VENDOR, gone_status=403)),
    "without versions of videos": _old("6.14.0", videos=VIDEOS, volumes=VIDEOS),
    "old": _old("6.9.40", images=TAGS, videos=VIDEOS, volumes=VIDEOS),
    "without versions": _old("6.9.0", **_all("6.9.31, which brought versions of images")),
    "closed /system": Strange(
        replace(VENDOR, hides_system_folder=True),
        refused=_all("status 403: .* archives of versions are kept in Team Files below /system"),
    ),
    "free plan": Strange(settings={"plan": "free"}, refused=_all("has the free plan")),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, int]]:
    """Make a project of a type, once, on a server that is closed: its folder, and the project's id."""

    @cache
    def make(kind: str) -> tuple[Path, int]:
        folder = tmp_path_factory.mktemp(kind)
        with _served(folder / "server", VENDOR) as client:
            project_id = MAKERS[kind](client, folder)
            nest(client, project_id)
        return folder / "server", project_id

    return make


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", PLATFORMS)
def test_a_version_comes_back_as_it_was_or_the_reason_is_told(tmp_path: Path, made, name: str, kind: str):
    strange, folder = PLATFORMS[name], tmp_path / "server"
    source, project_id = made(kind)
    shutil.copytree(source, folder)

    with _served(folder, strange.rules, **strange.settings) as client:
        versions, projects = Versions(client), count_projects(client)
        if sentence := strange.refused.get(kind):
            with pytest.raises(ApiError, match=sentence):
                _go_round(versions, project_id)
            assert count_projects(client) == projects
        else:
            _go_round(versions, project_id)
            assert not versions.create(project_id).created


def _go_round(versions: Versions, project_id: int) -> None:
    made = versions.create(project_id)
    restored = versions.restore(project_id, made.version_id, verify="full")
    assert restored.counts == made.counts


@contextmanager
def _served(folder: Path, rules: Rules, **settings: Any) -> Iterator[Client]:
    with (
        EmbeddedServer(folder, rules=rules, **settings) as server,
        Client(server.info.url, server.info.token) as client,
    ):
        yield client


def test_a_bucket_is_asked_for_in_the_team_that_gets_the_items(tmp_path: Path):
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedServer(tmp_path / "server", rules=VENDOR))
        client = stack.enter_context(Client(server.info.url, server.info.token))
        bucket = tmp_path / "server" / "remote-storage" / "s3" / "bucket"
        bucket.mkdir(parents=True)
        from PIL import Image

        Image.new("RGB", (16, 16)).save(bucket / "a.png")
        project_id = client.projects.add(server.info.workspace_id, "linked").id
        dataset_id = client.datasets.add(project_id, "some").id
        client.images.add(dataset_id, [{"title": "a.png", "link": "s3://bucket/a.png"}])
        versions = Versions(client)
        made = versions.create(project_id)

        restored = versions.restore(project_id, made.version_id, verify="full")
        checked = versions.verify(project_id, made.version_id)

    assert restored.counts["images"] == 1
    assert checked.is_good


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(("version", "is_old"), [("6.11.7", True), ("6.11.8", False), ("next", False)])
def test_coordinates_that_an_old_instance_rounds_are_told_where_no_request_fails(
    tmp_path: Path, kind: str, version: str, is_old: bool
):
    folder = tmp_path / "server"
    with _served(folder, VENDOR) as client:
        project_id = MAKERS[kind](client, tmp_path)
    with _served(folder, VENDOR, instance_version=version) as client:
        captured = capture_project(
            client, project_id, tmp_path / "capture", on_concurrent_change="fail", progress=Progress()
        )
        warnings = list(untold_warnings(client, captured.snapshot))

    told = f"This instance is {version}, older than 6.11.8, which brought exact coordinates"
    assert [warning.startswith(told) for warning in warnings] == [True] * is_old


def test_a_restore_that_is_read_back_asks_for_no_version_of_the_instance(tmp_path: Path):
    with EmbeddedServer(tmp_path / "server") as server, Wire(server.info.url) as wire:
        with Client(wire.url, server.info.token) as client:
            project_id = MAKERS["images"](client, tmp_path)
            made = Versions(client).create(project_id)
        assert len(wire.seen("instance.version")) == 1
        with Client(wire.url, server.info.token) as client:
            Versions(client).restore(project_id, made.version_id, verify="full")

    assert len(wire.seen("instance.version")) == 1


def test_an_old_instance_is_asked_for_its_version_once(tmp_path: Path):
    with _over_wire(tmp_path, instance_version="6.13.0") as (client, wire):
        for _ in range(2):
            with pytest.raises(OutdatedInstanceError, match=r"6\.13\.0, older than 6\.13\.1") as refused:
                client.tags.add_to_items(1, [])

    assert refused.value.status_code == 404
    assert len(wire.seen("instance.version")) == 1


@pytest.mark.parametrize("version", ["6.18.0", "next"])
def test_a_refusal_that_no_age_explains_stays_as_it_is(tmp_path: Path, version: str):
    with _over_wire(tmp_path, instance_version=version) as (client, wire):
        wire.always("tags.entities.bulk.add", refuse(404))
        with pytest.raises(NotFoundError, match=r"^tags.entities.bulk.add\(projectId=1\) failed with"):
            client.tags.add_to_items(1, [])


def test_a_refusal_is_told_also_where_the_version_is_not(tmp_path: Path):
    with _over_wire(tmp_path, instance_version="6.13.0") as (client, wire):
        wire.always("instance.version", refuse(403))
        with pytest.raises(NotFoundError, match=r"^tags.entities.bulk.add\(projectId=1\) failed with"):
            client.tags.add_to_items(1, [])


def test_a_preview_on_an_instance_without_them_is_refused_with_the_reason(tmp_path: Path):
    with _over_wire(tmp_path, instance_version="6.15.50") as (client, _):
        project_id = client.projects.add(1, "plain").id
        made = Versions(client).create(project_id)
        projects = count_projects(client)
        with pytest.raises(RequestRejectedError, match="which brought previews of versions") as refused:
            Versions(client).enable_preview(project_id, made.version_id)
        assert count_projects(client) == projects

    # What the call is refused for may be something else.
    assert refused.value.kind == "request_rejected"


@pytest.mark.parametrize(
    "wanted",
    [
        {"field": "version", "operator": ">", "value": 1},
        {"field": "name", "operator": "=", "value": "a"},
        {"field": "id", "value": 1},
    ],
)
def test_filters_that_nobody_knows_of_are_not_sent(tmp_path: Path, wanted: dict[str, Any]):
    message = "operator one of =, eq, !=, not, in, !in"
    with _over_wire(tmp_path) as (client, wire), pytest.raises(ConfigurationError, match=message):
        Versions(client).get_list(1, [wanted])

    assert not wire.requests


@contextmanager
def _over_wire(folder: Path, **settings: Any) -> Iterator[tuple[Client, Wire]]:
    with (
        EmbeddedServer(folder / "server", rules=VENDOR, **settings) as server,
        Wire(server.info.url) as wire,
        Client(wire.url, server.info.token) as client,
    ):
        yield client, wire


OUTSIDE = {"points": {"exterior": [[-5.5, 2], [11, 12]], "interior": []}}


@pytest.mark.parametrize("kind", ["images", "videos"])
def test_figures_that_reach_out_of_their_item_come_back(tmp_path: Path, kind: str):
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedServer(tmp_path / "server", rules=VENDOR))
        client = stack.enter_context(Client(server.info.url, server.info.token))
        project_id = MAKERS[kind](client, tmp_path)
        _draw_outside(client, project_id, kind)
        versions = Versions(client)

        made = versions.create(project_id)
        restored = versions.restore(project_id, made.version_id, verify="full")

    assert restored.counts == made.counts


def _draw_outside(client: Client, project_id: int, kind: str) -> None:
    dataset = next(iter(client.datasets.list_all(project_id)))
    class_id = client.projects.get_meta(project_id)["classes"][0]["id"]
    figure = {"classId": class_id, "geometryType": "rectangle", "geometry": OUTSIDE, "meta": {}}
    if kind == "images":
        [page] = client.images.iter_pages(dataset.id)
        figures = [{**figure, "entityId": page[0]["id"]}]
        with pytest.raises(RequestRejectedError):
            client.figures.add(dataset.id, figures)
        client.figures.add(dataset.id, figures, skip_bounds_validation=True)
        return
    [page] = client.videos.iter_pages(dataset.id)
    video_id = page[0]["id"]
    [object_id] = client.objects.add(dataset.id, [{"entityId": video_id, "classId": class_id}])
    figures = [{**figure, "objectId": object_id, "meta": {"frame": 0}}]
    with pytest.raises(RequestRejectedError):
        client.videos.add_figures(video_id, figures)
    client.videos.add_figures(video_id, figures, skip_bounds_validation=True)


@pytest.mark.parametrize("kind", ["videos", "volumes"])
@pytest.mark.parametrize("takes_them", [True, False])
def test_descriptions_go_with_their_items_and_are_told_again_where_they_did_not_arrive(
    tmp_path: Path, wire: Wire, server: Server, kind: str, takes_them: bool
):
    method = f"{kind}.bulk.add"
    with Client(wire.url, server.token) as client:
        project_id = MAKERS[kind](client, tmp_path)
        dataset = next(iter(client.datasets.list_all(project_id)))
        items = client.videos if kind == "videos" else client.volumes
        first = next(iter(items.iter_pages(dataset.id)))[0]
        items.describe(first["id"], "Seen from above.")
        versions = Versions(client)
        made = versions.create(project_id)
        if not takes_them:
            wire.always(method, _without_descriptions(wire, kind))
        described = len(wire.seen("images.editInfo"))

        versions.restore(project_id, made.version_id, verify="full")

        told_again = len(wire.seen("images.editInfo")) - described
    assert told_again == 0 if takes_them else told_again > 0


def _without_descriptions(wire: Wire, kind: str) -> Callable[[Exchange], Reply]:
    def pass_on(exchange: Exchange) -> Reply:
        body = json.loads(exchange.request.body)
        bare = [{key: value for key, value in item.items() if key != "description"} for item in body[kind]]
        return wire.forward(replace(exchange.request, body=json.dumps({**body, kind: bare}).encode()))

    return pass_on


@pytest.mark.parametrize(
    ("address", "workers"),
    [("https://app.supervisely.com", 7), ("https://app.supervise.ly", 7), ("https://sv.example.com", 8)],
)
def test_the_vendors_cloud_gets_as_many_requests_as_its_own_client_sends(address: str, workers: int):
    assert Transport(address, "token").max_workers == workers
    assert Transport(address, "token", max_workers=3).max_workers == 3
