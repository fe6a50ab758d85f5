"""A part of a version comes back as the same part of a whole restore."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.snapshot.selection import Selection
from airflow_sv_versioning.versioning import CreateResult, ProjectVersions
from airflow_sv_versioning.versioning.options import Verify
from tests.support.photos import write_photos
from tests.support.projects import leaves_no_project
from tests.support.typed_projects import MAKERS, nest
from tests.support.types import Request, Server, TempFolders
from tests.versioning.compare.states import counts, definitions

ITEM = {"videos": "0000.mp4", "volumes": "bare.nrrd"}
CLASS = {"images": "lemon", "videos": "лицо", "volumes": "anything"}
TAG = {"images": "count", "videos": "scene", "volumes": "series"}


@dataclass(frozen=True)
class Whole:
    """A project with a version, and a whole copy of that."""

    client: SuperviselyClient
    versions: ProjectVersions
    type: str
    made: CreateResult
    copy: int
    item: str

    def told(self, kind: str) -> dict[str, Any]:
        """Say a selection of one kind."""
        classes, tags = [CLASS[self.type]], [TAG[self.type]]
        selections: dict[str, dict[str, Any]] = {
            "datasets": {"datasets": ["parent/**"]},
            "items": {"items": [f"**/{self.item}"]},
            "a class": {"classes": classes},
            "a class, without empty items": {"classes": classes, "drop_empty_items": True},
            "tags": {"tags": tags},
            "several": {"datasets": ["**"], "items": ["parent/**"], "classes": classes, "tags": tags},
        }
        return selections[kind]


KINDS = ("datasets", "items", "a class", "a class, without empty items", "tags", "several")


@pytest.fixture(scope="module", params=MAKERS)
def whole(request: Request, server: Server, tmp_path_factory: TempFolders) -> Iterator[Whole]:
    folder = tmp_path_factory.mktemp("whole")
    with SuperviselyClient(server.url, server.token) as client:
        versions = ProjectVersions(client)
        project_id = MAKERS[request.param](client, folder)
        nest(client, project_id)
        item = ITEM.get(request.param, "")
        if request.param == "images":
            [photo, *_] = write_photos(folder / "more", 4).iterdir()
            item = sorted(path.name for path in (folder / "photos").iterdir())[0]
            client.images.upload(client.datasets.add(project_id, "bare").id, [("bare.jpg", photo)])
        made = versions.create(project_id)
        copy = versions.restore(project_id, made.version_id).project_id
        yield Whole(client, versions, request.param, made, copy, item)


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_equals_the_same_part_of_a_whole_restore(kind, whole: Whole):
    told, made = whole.told(kind), whole.made
    verify: Verify = "full" if kind == "several" else "counts"

    part = whole.versions.restore(made.project_id, made.version_id, selection=told, verify=verify)

    found = whole.versions.compare(
        whole.copy, "live", "live", other_project_id=part.project_id, selection=told
    )
    assert found.equal, (counts(found), definitions(found))
    assert found.selection == part.selection == Selection.parse(told).as_dict()
    assert {table: found.before.counts[table] for table in part.counts} == part.counts
    assert {table: made.counts[table] - part.left_out[table] for table in part.counts} == part.counts
    origin = whole.client.projects.get(part.project_id).custom_data["restored_from"]
    assert origin["selection"] == part.selection
    assert part.line().startswith("Restored a part of version 1 ")


def test_a_plan_of_a_part_tells_what_would_be_left_out(whole: Whole):
    told = whole.told("items")

    plan = whole.versions.plan_restore(whole.made.project_id, version_num=1, selection=Selection.parse(told))

    assert plan.selection == Selection.parse(told).as_dict()
    assert plan.counts[whole.type] + plan.left_out[whole.type] == whole.made.counts[whole.type]
    assert plan.lines()[0].startswith("A part of version 1 ")
    assert f"Part: items {told['items'][0]}. Left out: " in plan.lines()[2]


def test_a_part_that_there_is_not_is_refused_before_anything_is_made(whole: Whole):
    with (
        leaves_no_project(whole.client),
        pytest.raises(ConfigurationError, match="no dataset that matches 'x'"),
    ):
        whole.versions.restore(whole.made.project_id, version_num=1, selection={"datasets": "x"})


def test_a_comparison_of_parts_may_name_what_one_side_has_alone(whole: Whole):
    whole.client.datasets.add(whole.copy, "later")

    found = whole.versions.compare(
        whole.made.project_id,
        "latest",
        "live",
        other_project_id=whole.copy,
        selection={"datasets": ["later", "parent/**"]},
    )

    assert counts(found) == {"datasets.added": 1}
    with pytest.raises(ConfigurationError, match="no class 'none'"):
        whole.versions.compare(whole.copy, "live", "live", selection={"classes": ["none"]})
