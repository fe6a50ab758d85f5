"""One item of a version can be checked without restoring the rest."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.archive.formats import written_versions
from airflow_sv_versioning.capture.one_item import ProjectItems
from airflow_sv_versioning.client.items import Items
from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    IntegrityError,
    NotFoundError,
    ProjectChangedError,
    UnsupportedProjectError,
)
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.versioning import item_lines
from airflow_sv_versioning.versioning.check_item import ItemCheck
from tests.support.media import serve_media
from tests.support.projects import ids_of, touch
from tests.support.proxy import first
from tests.support.typed_projects import MAKERS
from tests.support.types import Client, Made, Patch, Request, Run, Versions, Wire
from tests.support.video_projects import add_video_dataset, annotate, box

PATHS = {"images": "photos/00000.png", "videos": "street/0000.mp4", "volumes": "CT/CT/a.nrrd"}
OTHERS = {"images": "photos/00001.jpg", "videos": "street/0001.mp4", "volumes": "CT/a.nrrd"}


@dataclass(frozen=True)
class Project:
    """A project of one type, of which a version was made; one item of it is looked at."""

    client: Client
    versions: Versions
    type: str
    id: int
    made: Made

    @property
    def path(self) -> str:
        return PATHS[self.type]

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def items(self) -> Items:
        return project_type_of(self.type).items(self.client)

    @property
    def place(self) -> tuple[int, int]:
        """The ids of the item's dataset and its own."""
        dataset_id = None
        *folders, name = self.path.split("/")
        for folder in folders:
            datasets = self.client.datasets.list_all(self.id)
            [dataset_id] = [d.id for d in datasets if (d.name, d.parent_id) == (folder, dataset_id)]
        assert dataset_id
        [item] = self.items.list_by_names(dataset_id, [name])
        return dataset_id, item["id"]

    def call(self, method: str, **body: Any) -> Any:
        return self.client.transport.call(method, body)

    def check(self, path: str = "", *, version_num: int = 1, in_project: int = 0) -> ItemCheck:
        return self.versions.check_item(
            self.id, path or self.path, version_num=version_num, in_project=in_project or self.id
        )


@pytest.fixture(params=MAKERS)
def project(request: Request, client: Client, versions: Versions, tmp_path: Path) -> Project:
    project_id = MAKERS[request.param](client, tmp_path)
    return Project(client, versions, request.param, project_id, versions.create(project_id))


def _move_figure(project: Project) -> None:
    dataset_id, item_id = project.place
    figures = project.call("figures.list", datasetId=dataset_id, filter=[])["entities"]
    figure_id = next(f["id"] for f in figures if (f["entityId"], f["geometryType"]) == (item_id, "rectangle"))
    project.call("figures.editInfo", id=figure_id, geometry=box(1, 1, 2, 3))


def _tag(project: Project) -> None:
    dataset_id, item_id = project.place
    _, tags = ids_of(project.client, project.id)
    if project.type == "images":
        tag = {"tagId": tags["quality"], "entityId": item_id, "value": "good"}
        project.client.tags.add_to_items(project.id, [tag])
        return
    body = {"datasetId": dataset_id, f"{project.type[:-1]}Ids": [item_id]}
    [annotation] = project.call(f"{project.type}.annotations.bulk.info", **body)
    project.call(f"{project.type}.tags.update-value", id=annotation["tags"][0]["id"], value="another")


def _edit(**changes: Any) -> Callable[[Project], Any]:
    return lambda project: project.call("images.editInfo", id=project.place[1], **changes)


EDITS: dict[str, tuple[Callable[[Project], Any], str]] = {
    "a figure was moved": (_move_figure, r"1 figure reshaped, such as .*{path}"),
    "a tag was changed": (_tag, r"1 tag (changed|added), such as .*{path}"),
    "it was described": (_edit(description="new"), r"1 item changed, such as .*{path}"),
    "it was renamed": (_edit(name="new name"), r"1 item renamed, such as .*new name"),
}


@pytest.mark.parametrize("age", [0, -1], ids=["newest", "oldest"])
def test_an_item_that_was_restored_is_what_the_version_says(
    age: int, project: Project, client: Client, versions: Versions
):
    touch(client, project.id)
    versions.create(project.id, archive_format=written_versions(project.type)[age])
    restored = versions.restore(project.id, version_num=2)

    checked = project.check(version_num=2, in_project=restored.project_id)

    assert (checked.path, checked.in_project) == (project.path, restored.project_id)
    assert (checked.item_id, checked.not_compared) == (project.place[1], ())
    assert checked.hash
    assert checked.size_bytes


@pytest.mark.parametrize("what", EDITS)
def test_what_differs_of_an_item_is_said_in_words_and_others_are_equal(what: str, project: Project):
    edit, message = EDITS[what]
    assert project.check().not_compared == ()

    edit(project)

    where = "new name" if "renamed" in what else project.path
    with pytest.raises(IntegrityError, match=message.format(path=where)) as caught:
        project.check()
    assert caught.value.context["where"] == project.path
    assert len(caught.value.context["differences"]) == 1
    assert project.check(OTHERS[project.type]).path == OTHERS[project.type]


def test_an_item_that_is_gone_is_told(project: Project):
    project.call("images.bulk.remove", imageIds=[project.place[1]])

    with pytest.raises(NotFoundError, match=rf"has no {project.type[:-1]} '{project.path}'"):
        project.check()
    project.check(OTHERS[project.type])


def test_an_item_that_the_version_lacks_is_told(project: Project):
    with pytest.raises(ConfigurationError, match=r"holds no item 'photos/nothing'"):
        project.check("photos/nothing")


def test_an_item_whose_name_holds_slashes_is_found(project: Project):
    _, item_id = project.place
    _edit(name="a/b/c")(project)
    project.versions.create(project.id)

    assert project.check(f"{project.folder}/a/b/c", version_num=2).item_id == item_id


def test_a_path_of_two_items_is_refused(project: Project, client: Client, tmp_path: Path):
    dataset_id, item_id = project.place
    [item] = project.items.list_by_ids(dataset_id, [item_id])
    _edit(name="x/y")(project)
    child = client.datasets.add(project.id, "x", dataset_id).id
    title = "name" if project.type == "volumes" else "title"
    project.items.add(child, [{title: "y", "hash": item["hash"], "meta": item["meta"]}])
    project.versions.create(project.id)

    with pytest.raises(ConfigurationError, match=r"The version holds 2 items of the path"):
        project.check(f"{project.folder}/x/y", version_num=2)
    with pytest.raises(ConfigurationError, match=rf"Project {project.id} holds 2 items of the path"):
        ProjectItems(client, client.projects.get(project.id), tmp_path / "new").find(f"{project.folder}/x/y")


def test_an_item_that_changes_whenever_it_is_read_is_told(project: Project, wire: Wire, wired: Versions):
    numbers = count()
    wire.always(f"{project.type}.list", first(lambda: _edit(description=f"new {next(numbers)}")(project)))

    with pytest.raises(ProjectChangedError, match="changed during each of"):
        wired.check_item(project.id, project.path, version_num=1, in_project=project.id)


def test_a_project_of_another_type_has_nothing_to_compare(project: Project, client: Client):
    other_type = next(name for name in MAKERS if name != project.type)
    other = client.projects.add(1, f"other than {project.id}", other_type).id

    with pytest.raises(ConfigurationError, match=f"is of type '{other_type}'"):
        project.check(in_project=other)


def test_the_command_line_checks_an_item(project: Project, run: Run):
    command = ["check-item", project.id, project.path, "--version-num", 1, "--in-project", project.id]

    code, told, _ = run(*command)
    assert code == 0
    assert f"Project {project.id} has the same item with the same annotation." in told
    assert "None" not in told
    code, out, _ = run(*command, "--json")
    assert (code, json.loads(out)["path"]) == (0, project.path)
    _move_figure(project)
    code, _, told = run(*command)
    assert code == 3
    assert "1 figure reshaped" in told


def test_a_project_of_a_type_that_has_no_versions_is_refused(client: Client, versions: Versions):
    clouds = client.projects.add(1, "clouds to check", "point_clouds").id

    with pytest.raises(UnsupportedProjectError, match="'point_clouds'"):
        versions.check_item(clouds, "a/b.pcd", version_num=1)


# --- videos, whose archives say enough without being unpacked --------------------------------------


@pytest.fixture
def street(client: Client, street: int, films) -> int:
    add_video_dataset(client, street, "street/night", films[:2])
    return street


@pytest.mark.parametrize("archive_format", written_versions("videos"))
@pytest.mark.parametrize("path", ["street/0001.mp4", "street/night/0000.mp4"])
def test_a_restored_video_and_its_file_are_told_equal_by_digests(
    path, archive_format, versions: Versions, street, films, monkeypatch: Patch
):
    made = versions.create(street, archive_format=archive_format)
    restored = versions.restore(street, made.version_id)
    monkeypatch.setattr(item_lines, "unpack_archive", None)  # nobody unpacks anything

    checked = versions.check_item(
        street, path, made.version_id, file=films[int(path[-5])], in_project=restored.project_id
    )

    assert (checked.path, checked.version_num, checked.frames_count) == (path, 1, 120)
    assert checked.size_bytes == films[int(path[-5])].stat().st_size
    assert len(checked.annotation_sha256 or "") == 64


def test_another_file_is_told(versions: Versions, street: int, films):
    made = versions.create(street)

    with pytest.raises(
        IntegrityError, match=r"0002\.mp4 is not the file of item 'street/0001\.mp4' \(id \d+\)"
    ):
        versions.check_item(street, "street/0001.mp4", made.version_id, file=films[2])


def test_all_kinds_of_differences_are_said(client: Client, versions: Versions, street: int, films):
    made = versions.create(street)
    [dataset] = [d for d in client.datasets.list_all(street) if d.name == "street"]
    [video] = client.videos.list_by_names(dataset.id, ["0001.mp4"])
    annotate(client, street, dataset.id, video["id"])

    with pytest.raises(IntegrityError, match=r"7 figures added.*2 objects added.*6 tags added") as caught:
        versions.check_item(street, "street/0001.mp4", made.version_id, in_project=street)
    assert caught.value.context["expected"] != caught.value.context["actual"]


def test_a_linked_video_has_no_file_to_compare(client: Client, versions: Versions, street, films):
    dataset_id = client.datasets.add(street, "linked").id
    with serve_media(films[0].read_bytes(), "video/mp4") as media:
        client.videos.add(dataset_id, [{"title": "far.mp4", "link": media.url, "meta": {}}])
    made = versions.create(street)

    assert versions.check_item(street, "linked/far.mp4", made.version_id, in_project=street).link
    with pytest.raises(ConfigurationError, match="by its link"):
        versions.check_item(street, "linked/far.mp4", made.version_id, file=films[0])


def test_the_command_line_holds_a_file_against_a_video(run: Run, versions: Versions, street: int, films):
    versions.create(street)
    command = ["check-item", street, "street/0001.mp4", "--version-num", "1"]

    code, told, _ = run(*command, "--file", films[1])
    assert code == 0
    assert "is this file" in told
    code, out, _ = run(*command, "--json")
    assert code == 0
    assert json.loads(out)["annotation_sha256"] in told
    assert run(*command, "--file", films[2])[0] == 3
    assert run("check-item", street, "nowhere.mp4", "--version-num", "1")[0] == 2
