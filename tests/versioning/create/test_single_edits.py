"""One edit of what is annotated on a video or a volume, and nothing else, makes a version that holds it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.compare import assert_same
from tests.support.plain_projects import PlainProject
from tests.support.projects import ids_of, touch
from tests.support.types import Client, TempFolders, Versions
from tests.support.volumes import NORMALS


@pytest.fixture(scope="module")
def data(tmp_path_factory: TempFolders) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def connected(data: Path) -> Iterator[Client]:
    """A client of a server whose database a test can reach, for what only the platform's own page can do."""
    with EmbeddedServer(data) as server, Client(server.info.url, server.info.token) as client:
        yield client


Edit = Callable[[PlainProject, Path], None]


def _figure(**changes: Any) -> Edit:
    return lambda project, _: project.edit_figure(**changes)


def _priority(project: PlainProject, _: Path) -> None:
    project.client.transport.call("figures.priority.update", {"id": project.figure_id, "priority": 7})


def _frames(method: str) -> Edit:
    def edit(project: PlainProject, _: Path) -> None:
        project.client.transport.call(f"{method}.update", {"id": project.tag_id, "frameRange": [1, 5]})

    return edit


def _class(project: PlainProject, data: Path) -> None:
    """Turn the object into another thing; no method of the API is known for it."""
    classes, _ = ids_of(project.client, project.id)
    values = (classes["other thing"], classes["thing"])
    with sqlite3.connect(data / "server.sqlite", timeout=60) as database:
        for table in ("objects", "figures"):
            database.execute(f"UPDATE {table} SET class_id = ? WHERE class_id = ?", values)
    touch(project.client, project.id)


def _mask(project: PlainProject, _: Path) -> None:
    project.repaint_mask()


def _on_slice(plane: str, index: int) -> dict[str, Any]:
    return {"planeName": plane, "sliceIndex": index, "normal": NORMALS[plane]}


FIGURE, MASK = PlainProject.add_figure, PlainProject.add_mask_with_voxels
FRAMES = {"frameRange": [0, 2]}
EDITS: dict[str, tuple[str, Callable[[PlainProject], Any], Edit]] = {
    "an object of another class": ("videos", FIGURE, _class),
    "a figure on another frame": ("videos", FIGURE, _figure(meta={"frame": 3})),
    "the priority of a figure": ("videos", FIGURE, _priority),
    "a figure that a model made": ("videos", FIGURE, _figure(nnCreated=True)),
    "a figure that was corrected": (
        "videos",
        lambda p: p.add_figure(nnCreated=True),
        _figure(nnUpdated=True),
    ),
    "frames of a tag": ("videos", lambda p: p.add_tag(**FRAMES), _frames("videos.tags")),
    "frames of a tag of an object": (
        "videos",
        lambda p: p.add_object_tag(**FRAMES),
        _frames("annotation-objects.tags"),
    ),
    "an object of another class in a volume": ("volumes", FIGURE, _class),
    "a figure on another slice": ("volumes", FIGURE, _figure(meta=_on_slice("axial", 2))),
    "a figure on another plane": ("volumes", FIGURE, _figure(meta=_on_slice("coronal", 0))),
    "other voxels of a mask": ("volumes", MASK, _mask),
}


@pytest.mark.parametrize("what", EDITS)
def test_a_version_after_one_edit_holds_it(what: str, connected: Client, data: Path, tmp_path: Path):
    project_type, add, edit = EDITS[what]
    project, versions = PlainProject(connected, project_type, tmp_path), Versions(connected)
    project.add_project()
    add(project)
    first, before = versions.create(project.id), project.read()

    edit(project, data)
    second, now = versions.create(project.id), project.read()

    assert now != before, "the edit does not show"
    assert (second.created, second.version_num) == (True, 2)
    for made, held in ((first, before), (second, now)):
        restored = versions.restore(project.id, made.version_id, verify="full")
        assert_same(project.read(restored.project_id), held)
