"""Stamps: what moves them, and that two changes never share one."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.api import SQUARE, Api, Clock, Project


@dataclass
class Annotated:
    """A project with an annotated image."""

    api: Api
    project: Project
    image_id: int
    figure_id: int
    alpha_id: int
    tag_id: int
    figure_tag_id: int


@pytest.fixture
def annotated(api: Api) -> Annotated:
    project = api.project()
    image_id = api.image(project)
    figure_id = api.figure(project, image_id)
    alpha_id = api.figure(project, image_id, geometryType="alpha_mask", geometry=None)
    number = project.tags["number"]
    tag = {"tagId": number, "entityId": image_id, "value": 1}
    figure_tag = {"tagId": number, "figureId": figure_id, "value": 1}
    return Annotated(
        api,
        project,
        image_id,
        figure_id,
        alpha_id,
        api.call("tags.entities.bulk.add", {"tags": [tag]})[0]["id"],
        api.call("figures.tags.bulk.add", {"tags": [figure_tag]})[0]["id"],
    )


def call(method: str, **body: Any) -> Callable[[Annotated], Any]:
    return lambda a: a.api.call(
        method, {key: value(a) if callable(value) else value for key, value in body.items()}
    )


CHANGES: dict[str, Callable[[Annotated], Any]] = {
    "name": call("images.editInfo", id=lambda a: a.image_id, name="renamed.png"),
    "meta": call("images.editInfo", id=lambda a: a.image_id, meta={"a": 1}),
    "description": call("images.editInfo", id=lambda a: a.image_id, description="d"),
    "annotation": call(
        "annotations.bulk.add",
        annotations=lambda a: [{"imageId": a.image_id, "annotation": {"description": "d"}}],
    ),
    "tag added": call(
        "tags.entities.bulk.add", tags=lambda a: [{"tagId": a.project.tags["flag"], "entityId": a.image_id}]
    ),
    "tag value": call("image-tags.update-tag-value", id=lambda a: a.tag_id, value=2),
    "tag data": call("image-tags.custom-data.update", id=lambda a: a.tag_id, customData={"a": 1}),
    "tag removed": call("image-tags.remove-from-image", id=lambda a: a.tag_id),
    "figure added": lambda a: a.api.figure(a.project, a.image_id),
    "figure edited": call("figures.editInfo", id=lambda a: a.figure_id, geometry=SQUARE),
    "figure priority": call("figures.priority.update", id=lambda a: a.figure_id, priority=9),
    "figure removed": call("figures.bulk.remove", figureIds=lambda a: [a.figure_id]),
    "figure tag added": call(
        "figures.tags.bulk.add", tags=lambda a: [{"tagId": a.project.tags["flag"], "figureId": a.figure_id}]
    ),
    "figure tag removed": call("object-tags.remove-from-figure", id=lambda a: a.figure_tag_id),
    "alpha geometry": lambda a: a.api.upload_geometries({a.alpha_id: b"{}"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_an_image_moves_its_stamp_and_its_projects(annotated: Annotated, change: str):
    api = annotated.api
    neighbour = api.image(annotated.project)
    before = api.image_stamp(annotated.image_id), api.stamp(annotated.project.id), api.image_stamp(neighbour)
    CHANGES[change](annotated)
    assert api.image_stamp(annotated.image_id) > before[0]
    assert api.stamp(annotated.project.id) > before[1]
    assert api.image_stamp(neighbour) == before[2]


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("datasets.add", {"name": "new"}),
        ("projects.editInfo", {"description": "d"}),
        ("projects.settings.update", {"settings": {"a": 1}}),
        (
            "projects.meta.update",
            {"meta": {"classes": [{"title": "box", "shape": "any", "color": "#123456"}]}},
        ),
        ("tags.bulk.add", {"tags": [{"title": "new", "settings": {"type": "none"}}]}),
    ],
)
def test_what_changes_a_project_moves_its_stamp(api: Api, project: Project, method, body):
    before = api.stamp(project.id)
    api.call(method, {"id": project.id, "projectId": project.id, **body})
    assert api.stamp(project.id) > before


@pytest.mark.parametrize(
    "method", ["projects.info", "projects.meta", "datasets.list", "images.list", "figures.list", "tags.list"]
)
def test_reading_moves_nothing(api: Api, project: Project, method: str):
    api.figure(project, api.image(project))
    before = api.stamp(project.id)
    api.call(method, {"id": project.id, "projectId": project.id, "datasetId": project.dataset_id})
    assert api.stamp(project.id) == before


def test_stamps_differ_though_the_clock_stands_still(timed_api: Api, clock: Clock):
    project = timed_api.project()
    stamps = []
    for number in range(5):
        timed_api.call("projects.editInfo", {"id": project.id, "description": str(number)})
        stamps.append(timed_api.stamp(project.id))
    assert stamps == sorted(set(stamps))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", stamp) for stamp in stamps)


def test_stamps_go_on_though_the_clock_goes_back(timed_api: Api, clock: Clock):
    project = timed_api.project()
    before = timed_api.stamp(project.id)
    clock.advance(days=-1)
    timed_api.call("projects.editInfo", {"id": project.id, "description": "later"})
    assert timed_api.stamp(project.id) > before


def test_stamps_follow_the_clock(timed_api: Api, clock: Clock):
    project = timed_api.project()
    clock.advance(days=1)
    timed_api.call("projects.editInfo", {"id": project.id, "description": "tomorrow"})
    assert timed_api.stamp(project.id) == "2026-01-06T10:00:00.000Z"


def test_a_refused_change_moves_nothing(api: Api, project: Project, image_id: int):
    before = api.image_stamp(image_id), api.stamp(project.id)
    api.refuse("tags.entities.bulk.add", {"tags": [{"tagId": 1, "entityId": image_id}]})
    assert (api.image_stamp(image_id), api.stamp(project.id)) == before
