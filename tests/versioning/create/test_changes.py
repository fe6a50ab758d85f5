"""What a version tells of itself against the version before it: in its result, its manifest, and the map."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airflow_sv_versioning.archive.unpack import UnpackedArchive
from airflow_sv_versioning.capture.passes import Capture
from airflow_sv_versioning.capture.sources import Usable
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.compare.records import ClassDiff, SideFacts, VersionDiff
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.versioning.changes import MAX_CLASSES, Changes, find_changes, summary
from tests.support.archives import unwrapped, write_snapshot
from tests.support.photos import write_photos
from tests.support.projects import ids_of, read_archive, read_map, replace_archive, touch, write_map
from tests.support.typed_projects import MAKERS, nest
from tests.support.types import Client, Made, Versions
from tests.support.video_projects import box, write_videos
from tests.support.volumes import NORMALS, SIZES, meta_of, nrrd

TYPES = pytest.mark.parametrize("project_type", ["images", "videos", "volumes"])
BOX = box(1, 1, 3, 3)
NAMES = "abc"
META: dict[str, Any] = {
    "classes": [
        {"title": title, "shape": "any", "color": "#FFEE00", "geometry_config": {}}
        for title in ("thing", "other thing")
    ],
    "tags": [],
}


@dataclass
class Drawing:
    """A project with two items; the first has a box of the class ``thing``."""

    client: Client
    project_type: str
    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.objects: list[int] = []
        title = f"drawing {self.folder} of {id(self.client)}"[-200:]
        self.id = self.client.projects.add(1, title, self.project_type).id
        self.client.projects.update_meta(self.id, {**META, "projectType": self.project_type})
        self.dataset_id = self.client.datasets.add(self.id, "some").id
        self.item_id, self.other_item_id = (self.add_item(name) for name in ("a", "b"))
        self.figure_id = self.draw()

    def add_item(self, name: str) -> int:
        [item] = _ADDED[self.project_type](self, name)
        item_id: int = item["id"]
        return item_id

    def remove_item(self) -> None:
        self.client.transport.call("images.bulk.remove", {"imageIds": [self.other_item_id]})

    def draw(self, title: str = "thing", geometry: Any = BOX) -> int:
        """Draw a box, of an object of its own where figures are of objects."""
        class_id = ids_of(self.client, self.id)[0][title]
        figure = {"geometryType": "rectangle", "geometry": geometry, "meta": _PLACES[self.project_type]}
        if self.project_type == "images":
            figure |= {"entityId": self.item_id, "classId": class_id}
            return self.client.figures.add(self.dataset_id, [figure])[0]
        owner = {"classId": class_id, "entityId": self.item_id}
        [object_id] = self.client.objects.add(self.dataset_id, [owner])
        self.objects.append(object_id)
        body = {"entityId": self.item_id, "figures": [{"objectId": object_id, **figure}]}
        drawn: int = self.client.transport.call("figures.bulk.add", body)[0]["id"]
        return drawn

    def reshape(self) -> None:
        body = {"id": self.figure_id, "geometry": box(2, 1, 4, 3)}
        self.client.transport.call("figures.editInfo", body)

    def erase(self) -> None:
        """Remove the box, and its object."""
        self.client.transport.call("figures.bulk.remove", {"figureIds": [self.figure_id]})
        if self.objects:
            self.client.transport.call("annotation-objects.bulk.remove", self.objects)

    def relabel(self) -> None:
        """Draw the box again, of another class."""
        self.erase()
        self.draw("other thing")


def _add_image(drawing: Drawing, name: str) -> list[Any]:
    file = sorted(write_photos(drawing.folder, len(NAMES)).iterdir())[NAMES.index(name)]
    return drawing.client.images.upload(drawing.dataset_id, [(f"{name}.png", file)])


def _add_video(drawing: Drawing, name: str) -> list[Any]:
    file = write_videos(drawing.folder, len(NAMES))[NAMES.index(name)]
    return drawing.client.videos.upload(drawing.dataset_id, [(f"{name}.mp4", file)])


def _add_volume(drawing: Drawing, name: str) -> list[Any]:
    file = drawing.folder / f"{name}.nrrd"
    file.write_bytes(nrrd((np.arange(120) + NAMES.index(name)).reshape(SIZES).astype("<i2")))
    return drawing.client.volumes.upload(drawing.dataset_id, [(file.name, file, meta_of(SIZES))])


_ADDED: dict[str, Callable[[Drawing, str], list[Any]]] = {
    "images": _add_image,
    "videos": _add_video,
    "volumes": _add_volume,
}
_PLACES: dict[str, dict[str, Any]] = {
    "images": {},
    "videos": {"frame": 0},
    "volumes": {"sliceIndex": 0, "planeName": "axial", "normal": NORMALS["axial"]},
}


@pytest.fixture
def drawing(project_type: str, client: Client, tmp_path: Path) -> Drawing:
    return Drawing(client, project_type, tmp_path / "files")


def _told(changes: Any) -> dict[str, Any]:
    """What is not zero of the counts."""
    counted = {
        what: {word: count for word, count in changes[what].items() if count}
        for what in ("datasets", "items", "figures", "objects", "tags")
    }
    return {what: counts for what, counts in counted.items() if counts}


@dataclass(frozen=True)
class Case:
    """An edit and what is told of it.

    :param objects: what is told of objects, where figures are of objects.
    """

    edit: Callable[[Drawing], Any]
    told: dict[str, Any]
    by_class: dict[str, Any]
    objects: dict[str, int]

    def told_of(self, project_type: str) -> dict[str, Any]:
        if project_type == "images" or not self.objects:
            return self.told
        # A figure is of its object's class.
        figures = {word: count for word, count in self.told["figures"].items() if word != "relabelled"}
        told = {**self.told, "figures": figures, "objects": self.objects}
        return {what: counts for what, counts in told.items() if counts}


def _of_figures(word: str) -> dict[str, Any]:
    return {"items": {"changed": 1}, "figures": {word: 1}}


CASES = {
    "an item added": Case(lambda drawing: drawing.add_item("c"), {"items": {"added": 1}}, {}, {}),
    "an item removed": Case(Drawing.remove_item, {"items": {"removed": 1}}, {}, {}),
    "a figure added": Case(
        lambda drawing: drawing.draw(geometry=box(5, 5, 7, 7)),
        _of_figures("added"),
        {"thing": {"added": 1}},
        {"added": 1},
    ),
    "a figure removed": Case(
        Drawing.erase, _of_figures("removed"), {"thing": {"removed": 1}}, {"removed": 1}
    ),
    "a figure reshaped": Case(Drawing.reshape, _of_figures("reshaped"), {"thing": {"reshaped": 1}}, {}),
    "a figure relabelled": Case(
        Drawing.relabel,
        _of_figures("relabelled"),
        {"thing": {"relabelled_out": 1}, "other thing": {"relabelled_in": 1}},
        {"relabelled": 1},
    ),
    "nothing": Case(lambda drawing: touch(drawing.client, drawing.id), {}, {}, {}),
}


@TYPES
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_version_tells_what_changed_since_the_one_before(case: Case, drawing: Drawing, versions: Versions):
    first = versions.create(drawing.id)
    case.edit(drawing)

    second = versions.create(drawing.id, capture="incremental")

    changes = second.changes or {}
    assert (second.capture, second.changes_note) == ("incremental", None)
    assert (changes["version_id"], changes["version_num"]) == (first.version_id, 1)
    assert _told(changes) == case.told_of(drawing.project_type)
    classes = {
        name: {word: n for word, n in entry.items() if n} for name, entry in changes["by_class"].items()
    }
    assert (classes, changes["classes_cut"]) == (case.by_class, 0)
    assert second.line().endswith(f" Since version 1: {changes['text']}.")
    assert set(changes["figures"]) == set(changes["objects"])


@TYPES
def test_a_comparison_of_both_versions_tells_the_same(
    project_type: str, client: Client, versions: Versions, tmp_path: Path
):
    """Also of what most of the project was not looked at for."""
    project_id = MAKERS[project_type](client, tmp_path)
    versions.create(project_id)
    dataset = next(iter(client.datasets.list_all(project_id)))
    reader = {"images": client.images, "videos": client.videos, "volumes": client.volumes}[project_type]
    [[*_, last]] = reader.iter_pages(dataset.id)
    listed = {"datasetId": dataset.id, "filter": [], "fields": ["id"]}
    figure, *_ = client.transport.call("figures.list", listed)["entities"]
    client.transport.call("figures.bulk.remove", {"figureIds": [figure["id"]]})
    client.transport.call("images.editInfo", {"id": last["id"], "name": f"renamed {last['name']}"})
    nest(client, project_id)

    second = versions.create(project_id, capture="incremental")

    assert second.capture == "incremental"
    assert second.changes == summary(versions.compare(project_id))
    assert (second.changes["items"]["renamed"], second.changes["figures"]["removed"]) == (1, 1)


def test_the_log_tells_it_in_words(project_id: int, client: Client, versions: Versions):
    versions.create(project_id)
    [dataset] = client.datasets.list_all(project_id)
    [items] = client.images.iter_pages(dataset.id)
    client.transport.call("images.bulk.remove", {"imageIds": [items[0]["id"]]})

    line = versions.create(project_id).line()

    assert "incremental capture. Since version 1: 1 image removed; 2 figures removed; 1 tag removed" in line


def _manifest(client: Client, made: Made, folder: Path) -> dict[str, Any]:
    archive = folder / "archive"
    archive.write_bytes(read_archive(client, made))
    provenance: dict[str, Any] = json.loads(unwrapped(archive)["integrity.json"])["provenance"]
    return provenance


def test_manifest_and_map_hold_it(project_id: int, client: Client, versions: Versions, tmp_path: Path):
    first = versions.create(project_id)
    touch(client, project_id)
    second = versions.create(project_id)

    held = [(_manifest(client, made, tmp_path), made) for made in (first, second)]
    held += [(read_map(client, project_id)[str(made.version_id)], made) for made in (first, second)]

    assert (first.changes, second.changes_note) == (None, None)
    for record, made in held:
        assert (record["changes"], record["changes_note"]) == (made.changes, made.changes_note)


def test_a_first_version_says_that_it_is_one(made: Made):
    assert (made.changes, made.changes_note) == (None, "it is the first version")
    assert made.line().endswith(" No changes to tell: it is the first version.")


def test_where_nothing_changed_there_are_none(project_id: int, made: Made, versions: Versions):
    again = versions.create(project_id)

    assert (again.status, again.changes, again.changes_note) == ("unchanged", None, "nothing changed")
    assert again.line().startswith("Nothing changed since version 1")
    assert "No changes to tell" not in again.line()


def test_a_full_capture_reads_no_version_before(
    project_id: int, made: Made, client: Client, versions: Versions
):
    touch(client, project_id)

    full = versions.create(project_id, capture="full")

    assert full.changes is None
    assert full.changes_note == "the capture was full, so no earlier version was read"
    assert full.line().endswith(f" No changes to tell: {full.changes_note}.")


def test_a_version_before_that_is_no_base_is_named(
    project_id: int, made: Made, client: Client, versions: Versions
):
    replace_archive(client, made, b"no archive")
    touch(client, project_id)

    second = versions.create(project_id)

    assert (second.capture, second.changes) == ("full", None)
    assert (second.changes_note or "").startswith("version 1 is no base: ")
    assert second.changes_note == second.capture_note
    assert ".." not in second.line()


def test_a_base_that_could_be_read_is_compared_although_nothing_was_taken_from_it(
    project_id: int, made: Made, client: Client, versions: Versions
):
    meta = client.projects.get_meta(project_id)
    meta["classes"][0]["title"] = "renamed"
    client.projects.update_meta(project_id, meta)
    [dataset] = client.datasets.list_all(project_id)
    [items] = client.images.iter_pages(dataset.id)
    client.transport.call("images.bulk.remove", {"imageIds": [items[0]["id"]]})

    second = versions.create(project_id)

    changes = second.changes or {}
    assert second.capture == "full"
    assert _told(changes) == {"items": {"removed": 1}, "figures": {"removed": 2}, "tags": {"removed": 1}}
    # What was renamed is no other class to its figures.
    assert changes["definitions"] == 1


def test_a_version_that_a_killed_try_made_is_told_of_by_the_map(
    project_id: int, client: Client, versions: Versions
):
    versions.create(project_id)
    touch(client, project_id)
    second = versions.create(project_id)
    entry = read_map(client, project_id)[str(second.version_id)]

    assert Changes.recorded(entry) == Changes(second.changes)


@pytest.mark.parametrize(
    "entry",
    [{}, {"changes": 3}, {"changes": {}}, {"changes": {"text": 1, "version_num": 1}}, {"changes_note": []}],
)
def test_a_map_that_others_wrote_tells_nothing(entry):
    assert Changes.recorded(entry) == Changes(note="versions.json does not tell")


def test_a_map_keeps_its_shape_for_the_official_client(project_id: int, client: Client, versions: Versions):
    made = versions.create(project_id)
    entries = read_map(client, project_id)
    entries[str(made.version_id)]["changes"] = "others wrote this"
    write_map(client, project_id, entries)
    touch(client, project_id)

    second = versions.create(project_id)

    entry = read_map(client, project_id)[str(second.version_id)]
    assert {"path", "updated_at", "previous", "number", "format"} <= entry.keys()
    assert second.changes is not None


def test_a_damaged_base_costs_the_comparison_alone(tmp_path: Path):
    base, held = (write_snapshot(tmp_path / name) for name in ("before", "after"))
    table = base.path("figures")
    content = table.read_bytes()
    table.write_bytes(content[:4] + bytes(64) + content[68:])
    capture = Capture(held, "now", True, 1, Usable(UnpackedArchive(base, "v2.1.0", {})), taken_over=IdSet([]))
    progress = Progress()

    changes = find_changes(_PROJECT, capture, _LATEST, tmp_path, progress)

    assert changes.found is None
    assert (changes.note or "").startswith("version 3 is damaged, so nothing can be compared with it: Table ")
    assert [warning[1:] for warning in progress.warnings] == [(changes.note or "")[1:]]


_PROJECT = Project(id=1, name="p", type="images", workspace_id=1, team_id=1, updated_at="now")
_LATEST = VersionInfo(version_id=33, project_id=1, version_num=3)


def test_of_many_classes_those_with_most_changes_are_told():
    by_class = {f"class {number:03d}": ClassDiff(added=number) for number in range(MAX_CLASSES + 11)}
    found = summary(VersionDiff("images", SideFacts("version 1"), SideFacts("new"), by_class=by_class))

    assert (len(found["by_class"]), found["classes_cut"]) == (MAX_CLASSES, 10)
    assert list(found["by_class"])[:2] == ["class 060", "class 059"]
    assert min(entry["added"] for entry in found["by_class"].values()) == 11
