"""No request holds a field or a value that is neither documented nor sent by the official client."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Reservation
from airflow_sv_versioning.exceptions import RemoteTaskFailedError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.server.rules import VENDOR
from airflow_sv_versioning.server.run import EmbeddedServer
from airflow_sv_versioning.versioning import ProjectVersions
from airflow_sv_versioning.versioning.doctor import diagnose
from airflow_sv_versioning.versioning.leftovers import RestoreMark
from airflow_sv_versioning.versioning.marks import Leftover, ProcessMarks
from airflow_sv_versioning.versioning.reservations import Mark
from tests.fidelity.building import build
from tests.fidelity.cases import alone
from tests.fidelity.features import TYPES
from tests.fidelity.media import Media, stored_media
from tests.fidelity.rest import Rest
from tests.fidelity.run import plainest
from tests.fidelity.values import Project
from tests.support.proxy import API, FaultProxy, Request, lose_answer
from tests.support.sdk import sdk_python
from tests.versioning.platform.request_list import Place, held_against, read_list

_OBJECTS = ("annotation-objects.bulk.add", "annotation-objects.tags.bulk.add")
WRITING = {
    "images": ("images.bulk.add", "tags.entities.bulk.add", "figures.tags.bulk.add"),
    "videos": ("videos.bulk.add", "videos.tags.bulk.add", *_OBJECTS),
    "volumes": ("volumes.bulk.add", "volumes.tags.bulk.add", *_OBJECTS),
}
"""What restores of a type write with, beside what all do."""


@dataclass(frozen=True)
class Bench:
    """A server, and everything that a project can hold on it.

    :param rest: the way past the recording, for what people do to projects.
    """

    server: EmbeddedServer
    client: SuperviselyClient
    rest: Rest
    media: Media
    folder: Path

    @property
    def versions(self) -> ProjectVersions:
        return ProjectVersions(self.client)

    def build(self, project: Project) -> int:
        return build(self.rest, self.media, self.server.info.workspace_id, project)

    @property
    def vault(self) -> str:
        return str(self.folder / "vault")


def rich(project_type: str) -> Project:
    """A project with each feature that its type can have."""
    return plainest(project_type, tuple(name for feature in alone(project_type) for name in feature))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Request]]:
    """All requests of everything that is done with versions of projects of each type."""
    folder = tmp_path_factory.mktemp("requests")
    with (
        EmbeddedServer(folder / "server", rules=VENDOR) as server,
        FaultProxy(server.info.url) as wire,
        SuperviselyClient(wire.url, server.info.token, private_links=True) as client,
    ):
        rest = Rest(server.info.url, server.info.token)
        with stored_media(rest, folder) as media:
            bench = Bench(server, client, rest, media, folder)
            for project_type in TYPES:
                source_id = bench.build(rich(project_type))
                if project_type == "images":
                    add_from_bucket(bench, source_id)
                use_versions(bench, project_type, source_id)
                find_leftovers(bench, source_id)
                lose_answers(bench, wire, project_type, source_id)
                lose_media(bench, project_type, source_id)
                found = diagnose(client, source_id, server.info.workspace_id)
                assert {"stamp.image", "stamp.video"} <= {finding.name for finding in found.findings}
            share_objects(bench)
            wait_for_tasks(bench, source_id)
        rest.close()
        yield list(wire.requests)


def use_versions(bench: Bench, project_type: str, source_id: int) -> None:
    versions, vault = bench.versions, bench.vault
    is_previewed = project_type != "volumes"
    made = versions.create(source_id, "first", {"by": "a test"}, is_previewed, vault=vault)
    bench.rest.call("projects.editInfo", {"id": source_id, "description": "changed"})
    versions.create(source_id, "second", vault=vault)
    assert not versions.create(source_id).created
    bench.rest.call("projects.editInfo", {"id": source_id, "description": "changed again"})
    versions.create(source_id, capture="full")
    restored = versions.restore(source_id, made.version_id, verify="full")
    versions.restore(source_id, version_num=1, workspace_id=bench.server.info.workspace_id)
    versions.plan_restore(source_id, as_of="2100-01-01")
    versions.verify(source_id, vault=vault)
    path = path_of_an_item(bench, project_type, source_id)
    versions.check_item(source_id, path, version_num=1, in_project=source_id)
    versions.get_list(source_id, [{"field": "version", "operator": "in", "value": [1, 2]}])
    versions.update(made.version_id, title="renamed", description="of a test")
    versions.check_vault(vault)
    versions.prune_vault(vault, [source_id], plan_only=True)
    versions.list_project_ids(bench.server.info.workspace_id)
    versions.release(source_id)
    bench.client.accounts.find_member(bench.server.info.team_id, "of nobody")
    bench.client.projects.archive(restored.project_id)


def path_of_an_item(bench: Bench, project_type: str, project_id: int) -> str:
    items = project_type_of(project_type).items(bench.client)
    datasets = bench.client.datasets.list_all(project_id)
    return next(
        f"{dataset.name}/{page[0]['name']}"
        for dataset in datasets
        if dataset.parent_id is None
        for page in items.iter_pages(dataset.id)
        if page
    )


class Killed(ProcessMarks):
    """What a process remembered that was killed."""

    def __init__(self, mark: Mark | RestoreMark) -> None:
        super().__init__()
        self._mark = mark

    def recall(self) -> Iterator[Leftover]:
        yield Leftover(self._mark.as_dict(), lambda: None)


def find_leftovers(bench: Bench, source_id: int) -> None:
    """Begin a version and a restore, and clear up after them."""
    project = bench.client.projects.get(source_id)
    archive = f"/system/versions/{source_id}/left.tar.zst"
    bench.client.files.upload(project.team_id, b"half", archive)
    bench.rest.call("projects.editInfo", {"id": source_id, "description": "changed once more"})
    reserved = bench.client.versions.reserve(source_id)
    assert isinstance(reserved, Reservation)
    mark = Mark("", source_id, project.team_id, reserved.version_id, reserved.commit_token, archive)
    made = bench.versions.create(source_id, marks=Killed(mark))
    draft = RestoreMark(source_id, made.version_id, project.workspace_id, "half made")
    bench.client.projects.add(project.workspace_id, draft.name, project.type)
    bench.versions.restore(source_id, made.version_id, marks=Killed(draft))


def lose_answers(bench: Bench, wire: FaultProxy, project_type: str, source_id: int) -> None:
    """Restore where the server does what it is asked for, but nobody learns of it."""
    for method in ("projects.add", "datasets.add", "figures.bulk.add", *WRITING[project_type]):
        wire.on(method, lose_answer())
    bench.versions.restore(source_id, version_num=1)


def add_from_bucket(bench: Bench, source_id: int) -> None:
    """Add an image that the server finds in a bucket."""
    bucket = bench.folder / "server" / "remote-storage" / "s3" / "bucket"
    bucket.mkdir(parents=True)
    Image.new("RGB", (16, 16)).save(bucket / "a.png")
    [dataset, *_] = bench.client.datasets.list_all(source_id)
    image = {"title": "from a bucket.png", "link": "s3://bucket/a.png"}
    bench.rest.call("images.bulk.add", {"datasetId": dataset.id, "images": [image]})


def share_objects(bench: Bench) -> None:
    """Make a version of videos that show the same objects from several sides, and restore it."""
    project = rich("videos")
    settings = {**project.settings, "labelingInterface": "multi_view"}
    source_id = bench.build(replace(project, settings=settings))
    bench.versions.restore(source_id, bench.versions.create(source_id).version_id)


def lose_media(bench: Bench, project_type: str, source_id: int) -> None:
    """Restore where media are gone, each way that there is."""
    for blob_hash in bench.media.hashes[project_type]:
        bench.server.remove_media(blob_hash)
    for missing in ("placeholder", "skip", "reupload"):
        bench.versions.restore(source_id, version_num=2, missing_entities=missing)


def wait_for_tasks(bench: Bench, source_id: int) -> None:
    """See a task of the project run, and fail."""
    from airflow_sv_versioning.versioning.background_tasks import Waiting, look

    state = {"params": {"state": {"slyProjectId": source_id}}, "moduleId": 1, "description": "Import"}
    workspace_id = bench.server.info.workspace_id
    [task] = bench.rest.call("tasks.run.app", {"workspaceId": workspace_id, **state})
    waiting = Waiting(source_id, None)
    for status in ("started", "error"):
        bench.rest.call("tasks.status.update", {"id": task["id"], "status": status})
        with suppress(RemoteTaskFailedError):
            look(bench.client, waiting, 0.0)

    workflow = bench.client.workflow
    for add in (workflow.add_input_version, workflow.add_output_version):
        add(bench.server.info.team_id, task["id"], 1, {"customNodeSettings": {"title": "a"}})


KNOWN = read_list()


def test_every_request_is_on_the_list(recorded: list[Request]) -> None:
    unknown: dict[str, str] = {}
    for request in recorded:
        unknown |= held_against(KNOWN, request)[1]

    lines = [f"{what} {example}" for what, example in sorted(unknown.items())]
    assert not unknown, "\n".join(["Not in requests.txt:", *lines])


def test_everything_on_the_list_is_sent(recorded: list[Request]) -> None:
    used = set[tuple[Place, str]]()
    for request in recorded:
        used |= held_against(KNOWN, request)[0]

    listed = {(place, spec) for place, specs in KNOWN.members.items() for spec in specs if place[1]}
    unused = [f"{method}: {path} {spec}" for (method, path), spec in sorted(listed - used)]
    assert not unused, "\n".join(["Nobody sends:", *unused])
    assert KNOWN.methods == {request.method for request in recorded}


def test_every_line_of_the_list_says_where_it_is_from() -> None:
    assert all(re.search(r"\b(reference|SDK|ours:|doctor's)", source) for source in KNOWN.sources)
    assert len(KNOWN.sources) >= len(KNOWN.methods)


@pytest.mark.sdk
def test_the_official_client_has_what_the_list_names_of_it() -> None:
    package = next(sdk_python(plain=True).parents[1].glob("lib/python*/site-packages/supervisely"))
    named = [name for source in KNOWN.sources for name in re.findall(r"SDK ([\w/]+)\.(\w+)", source)]

    for module, function in named:
        files = [package / f"{module}.py", package / "api" / f"{module}.py"]
        text = next(file for file in files if file.exists()).read_text(encoding="utf-8")
        assert re.search(rf"def {function}\b", text), f"{module}.{function}"
    assert len(named) > 100


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"datasetId": 1}, "filter is lacking"),
        ({"datasetId": "1"}, 'datasetId "1"'),
        ({"sort": "name"}, 'sort "name"'),
        ({"recursive": None}, "recursive null"),
        ({"withShared": True}, "withShared true"),
        ({"filter": [{"field": "id"}]}, "filter[].field"),
        ({"per_page": 50_000}, "per_page 50000"),
    ],
)
def test_what_is_not_on_the_list_is_noticed(body: dict[str, Any], told: str) -> None:
    request = Request("POST", f"{API}annotation-objects.list", {}, json.dumps(body).encode())

    unknown = held_against(KNOWN, request)[1]
    assert any(told in f"{what} {example}" for what, example in unknown.items())
