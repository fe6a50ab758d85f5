"""Fill a project with the photographs, through the client's API alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.demo.labels import ALPHA_MASK, Label, Tags
from airflow_sv_versioning.demo.meta import META
from airflow_sv_versioning.demo.photograph import Folder, Photograph

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient

PROJECT_NAME = "Demo: photographs"


@dataclass(frozen=True)
class LoadedProject:
    """A project that is being filled.

    :param dataset_ids: folder name -> id of its dataset.
    :param places: photograph name -> id of its dataset and id of its image.
    """

    id: int
    name: str
    dataset_ids: dict[str, int] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)


def make_project(client: SuperviselyClient, workspace_id: int) -> LoadedProject:
    """Make an empty project with the demo's classes and tags."""
    project = client.projects.add(
        workspace_id, _free_name(client, workspace_id), "images", "Photographs that scikit-image ships."
    )
    client.projects.update_meta(project.id, dict(META))
    return LoadedProject(project.id, project.name)


def load_folder(client: SuperviselyClient, project: LoadedProject, folder: Folder) -> None:
    """Make a dataset, upload its photographs and put the labels on them."""
    parent_id = project.dataset_ids[folder.parent] if folder.parent else None
    dataset = client.datasets.add(
        project.id, folder.name, parent_id, folder.description, dict(folder.custom_data)
    )
    project.dataset_ids[folder.name] = dataset.id
    images = client.images.upload(
        dataset.id,
        [(photograph.name, photograph.path()) for photograph in folder.photographs],
        {photograph.name: {"rights": photograph.rights} for photograph in folder.photographs},
    )
    for photograph, image in zip(folder.photographs, images, strict=True):
        project.places[photograph.name] = (dataset.id, image["id"])
        annotate(client, project, photograph)


def annotate(client: SuperviselyClient, project: LoadedProject, photograph: Photograph) -> None:
    """Make tags and figures of a photograph's image be exactly those that the photograph has."""
    dataset_id, image_id = project.places[photograph.name]
    labels = photograph.all_labels()
    client.figures.replace_annotations(dataset_id, {image_id: _annotation(photograph, labels)})
    _add_alpha_masks(client, project, photograph, labels)


def _add_alpha_masks(
    client: SuperviselyClient, project: LoadedProject, photograph: Photograph, labels: Sequence[Label]
) -> None:
    # The platform takes these apart from the annotation.
    masks = [label for label in labels if label.shape == ALPHA_MASK]
    if masks:
        dataset_id, image_id = project.places[photograph.name]
        figures = [{**_object(mask), "entityId": image_id} for mask in masks]
        ids = client.figures.add(dataset_id, figures)
        geometries = [json.dumps(mask.geometry) for mask in masks]
        client.figures.upload_geometries(dict(zip(ids, geometries, strict=True)))


def _annotation(photograph: Photograph, labels: Sequence[Label]) -> dict[str, Any]:
    from PIL import Image

    with Image.open(photograph.path()) as picture:
        size = {"width": picture.width, "height": picture.height}
    return {
        "description": "",
        "size": size,
        "tags": _tags(photograph.tags),
        "objects": [{**_object(label), **label.geometry} for label in labels if label.shape != ALPHA_MASK],
    }


def _object(label: Label) -> Mapping[str, Any]:
    return {
        "classTitle": label.class_name,
        "description": "",
        "geometryType": label.shape,
        "shape": label.shape,
        "tags": _tags(label.tags),
        "nnCreated": False,
        "nnUpdated": False,
    }


def _tags(tags: Tags) -> list[dict[str, Any]]:
    return [
        {"name": name} if value is None else {"name": name, "value": value} for name, value in tags.items()
    ]


def _free_name(client: SuperviselyClient, workspace_id: int) -> str:
    name, number = PROJECT_NAME, 1
    while client.projects.list_ids_by_name(workspace_id, name):
        number += 1
        name = f"{PROJECT_NAME} {number}"
    return name
