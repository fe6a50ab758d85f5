"""A version, or a part of it, is restored into a project that is there; what is there stays as it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project
from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    RestoreConflictError,
    SuperviselyError,
    UnsupportedProjectError,
)
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.versioning import CreateResult, ProjectVersions
from tests.support.clients import impatient_client
from tests.support.projects import leaves_no_project
from tests.support.proxy import Exchange, Reply, lose_answer, refuse
from tests.support.typed_projects import MAKERS, nest
from tests.support.types import Request, Server, TempFolders, Wire
from tests.versioning.compare.states import counts

_numbers = count(1)
ANNOTATING = {
    "images": "figures.bulk.add",
    "videos": "annotation-objects.bulk.add",
    "volumes": "annotation-objects.bulk.add",
}


@dataclass(frozen=True)
class Source:
    """A project with a version."""

    client: SuperviselyClient
    versions: ProjectVersions
    type: str
    made: CreateResult

    def copy(self) -> int:
        """Make a whole copy of it."""
        return self.versions.restore(self.made.project_id, self.made.version_id).project_id

    def bare(self) -> Project:
        """Make a project of its type with one empty dataset, a class and a tag of its own, and a version."""
        project = self.client.projects.add(1, f"bare {next(_numbers)} of {id(self)}", self.type)
        own = {"title": "own", "shape": "any", "color": "#112233", "geometry_config": {}}
        meta = {
            "classes": [own],
            "tags": [{"name": "own tag", "value_type": "none", "color": "#112233"}],
            "projectType": self.type,
        }
        self.client.projects.update_meta(project.id, meta)
        self.client.datasets.add(project.id, "own", description="its own")
        self.versions.create(project.id)
        return project

    def into(self, project_id: int, **how: Any) -> Any:
        """Restore the version into a project."""
        return self.versions.restore(self.made.project_id, self.made.version_id, into=project_id, **how)

    def items(self, project_id: int) -> list[tuple[int, str, int]]:
        """List the items of a project: dataset, name, id."""
        items = project_type_of(self.type).items(self.client)
        return [
            (dataset.id, item["name"], item["id"])
            for dataset in self.client.datasets.list_all(project_id)
            for page in items.iter_pages(dataset.id)
            for item in page
        ]

    def is_as_before(self, project_id: int) -> bool:
        """Say whether a project is what its version says, and has the same items."""
        return self.versions.compare(project_id, "latest", "live").equal


@pytest.fixture(scope="module", params=MAKERS)
def source(request: Request, server: Server, tmp_path_factory: TempFolders) -> Iterator[Source]:
    with SuperviselyClient(server.url, server.token) as client:
        versions = ProjectVersions(client)
        project_id = MAKERS[request.param](client, tmp_path_factory.mktemp("source"))
        nest(client, project_id)
        yield Source(client, versions, request.param, versions.create(project_id))


only_images = pytest.mark.parametrize("source", ["images"], indirect=True)


def of_items(found: Any) -> dict[str, int]:
    """Tell what a comparison found of items, and not of the project itself and its datasets."""
    return {what: n for what, n in counts(found).items() if not what.startswith(("project", "datasets"))}


def test_what_was_removed_comes_back_beside_what_is_there(source: Source):
    target = source.copy()
    dataset_id, name, removed = source.items(target)[0]
    project_type_of(source.type).items(source.client).remove([removed])
    source.versions.create(target)
    ids = {item_id for *_, item_id in source.items(target)}

    result = source.into(target, on_conflict="skip", verify="full")

    now = source.items(target)
    assert ids < {item_id for *_, item_id in now}
    assert (dataset_id, name) in {(dataset, title) for dataset, title, _ in now}
    assert (result.project_id, result.counts[source.type], result.counts["datasets"]) == (target, 1, 0)
    assert len(result.into.taken) == source.made.counts[source.type] - 1
    assert (result.into.datasets, result.into.classes, result.into.tags) == ((), (), ())
    found = source.versions.compare(source.made.project_id, "latest", "live", other_project_id=target)
    assert found.equal, counts(found)


def test_names_that_are_taken_get_others(source: Source):
    target = source.copy()
    source.versions.create(target)

    result = source.into(target, on_conflict="rename", verify="full")

    assert len(result.renamed) == source.made.counts[source.type]
    stem, dot, end = next(iter(result.renamed)).split(" (")[0].rpartition("/")[2].rpartition(".")
    assert next(iter(result.renamed.values())) == f"{stem}_001{dot}{end}"
    assert of_items(source.versions.compare(target, "latest", "live")).keys() <= {
        "items.added", "figures.added", "objects.added", "tags.added"
    }  # fmt: skip
    again = source.into(target, on_conflict="rename")
    assert next(iter(again.renamed.values())) == f"{stem}_002{dot}{end}"


@only_images
def test_names_that_are_taken_are_all_listed_before_anything_is_made(source: Source):
    target = source.copy()
    source.versions.create(target)

    with pytest.raises(RestoreConflictError, match="is there already") as raised:
        source.into(target)

    assert len(raised.value.context["conflicts"]) == source.made.counts[source.type]
    assert source.is_as_before(target)
    plan = source.versions.plan_restore(source.made.project_id, version_num=1, into=target)
    assert (plan.is_possible, list(plan.conflicts)) == (False, raised.value.context["conflicts"])


def test_a_part_goes_into_a_project_with_what_it_needs(source: Source):
    target = source.bare()

    result = source.into(target.id, selection={"drop_empty_items": True}, verify="full")

    assert result.into.datasets
    assert set(result.into.classes) == set(source.made.classes or {}) | set(result.into.classes)
    found = source.versions.compare(
        source.made.project_id,
        "latest",
        "live",
        other_project_id=target.id,
        selection={"drop_empty_items": True},
    )
    assert of_items(found) == {}, counts(found)
    meta = source.client.projects.get_meta(target.id)
    assert [meta["classes"][0]["title"], meta["tags"][0]["name"]] == ["own", "own tag"]
    assert source.client.projects.get(target.id).custom_data == {}
    [own] = [d for d in source.client.datasets.list_all(target.id) if d.name == "own"]
    assert own.description == "its own"


def test_a_restore_that_fails_takes_back_what_it_added(source: Source, server: Server, wire: Wire):
    target = source.bare()
    wire.always(ANNOTATING[source.type], refuse(400))

    with impatient_client(wire.url, server.token) as wired, pytest.raises(SuperviselyError):
        ProjectVersions(wired).restore(source.made.project_id, version_num=1, into=target.id)

    assert source.is_as_before(target.id)


def test_items_whose_answer_was_lost_are_taken_back_too(source: Source, server: Server, wire: Wire):
    """They landed, and nobody heard their ids."""
    target = source.bare()
    items = f"{source.type}.bulk.add"

    def lost_then_gone(exchange: Any) -> Any:
        reply = lose_answer()(exchange)
        wire.always(f"{source.type}.list", refuse(403))
        return reply

    wire.on(items, lost_then_gone)
    with impatient_client(wire.url, server.token) as wired:
        versions = ProjectVersions(wired)
        with pytest.raises(SuperviselyError):
            versions.restore(source.made.project_id, version_num=1, into=target.id)
        assert source.items(target.id)
        wire.heal()

        # What could not be taken back then is still remembered.
        released = versions.release(target.id)

    assert released.undone == 1
    assert source.is_as_before(target.id)


@only_images
def test_all_definitions_that_do_not_fit_are_listed(source: Source):
    target = source.bare()
    meta = source.client.projects.get_meta(source.made.project_id)
    other = {"rectangle": "polygon", "any": "polygon", "mask_3d": "polygon"}
    classes = [{**entry, "id": None, "shape": other[entry["shape"]]} for entry in meta["classes"]]
    tags = [{**entry, "id": None, "value_type": "none", "values": None} for entry in meta["tags"]]
    told = {
        key: [{name: value for name, value in entry.items() if value is not None} for entry in entries]
        for key, entries in (("classes", classes), ("tags", tags))
    }
    source.client.projects.update_meta(target.id, {**told, "projectType": source.type})
    source.versions.create(target.id)

    with pytest.raises(RestoreConflictError, match="has the shape polygon in the project and") as raised:
        source.into(target.id)

    assert len(raised.value.context["conflicts"]) == len(meta["classes"]) + len(meta["tags"])
    assert source.is_as_before(target.id)


@only_images
def test_another_type_is_refused(source: Source):
    kind = "videos" if source.type == "images" else "images"
    target = source.client.projects.add(1, f"other {id(source)} {kind}", kind)

    with pytest.raises(UnsupportedProjectError, match="cannot be restored into that"):
        source.into(target.id)


@only_images
def test_what_is_of_a_new_project_is_refused(source: Source):
    with leaves_no_project(source.client), pytest.raises(ConfigurationError, match="project_name"):
        source.into(source.made.project_id, project_name="some")


def test_somebody_elses_item_of_the_same_name_is_never_touched(source: Source, server: Server, wire: Wire):
    """It comes between the plan and the request, which the server then refuses."""
    target = source.bare()
    items = project_type_of(source.type).items(source.client)
    [(dataset_id, name, item_id), *_] = source.items(source.made.project_id)
    [original] = items.list_by_ids(dataset_id, [item_id])
    theirs: list[int] = []

    def come_between(exchange: Exchange) -> Reply:
        theirs.append(_add_like(source, original, exchange.request.json["datasetId"], name))
        return exchange.forward()

    wire.on(f"{source.type}.bulk.add", come_between)
    with impatient_client(wire.url, server.token) as wired, pytest.raises(SuperviselyError):
        ProjectVersions(wired).restore(
            source.made.project_id, version_num=1, into=target.id, selection={"items": [name]}
        )

    assert theirs
    assert {each for *_, each in source.items(target.id)} == set(theirs)
    names = {dataset.name for dataset in source.client.datasets.list_all(target.id)}
    assert names > {"own"}


def _add_like(source: Source, original: dict[str, Any], dataset_id: int, name: str) -> int:
    entry = {"title": name, "name": name, "hash": original["hash"], "meta": original.get("meta") or {}}
    added: list[dict[str, Any]] = project_type_of(source.type).items(source.client).add(dataset_id, [entry])
    return int(added[0]["id"])
