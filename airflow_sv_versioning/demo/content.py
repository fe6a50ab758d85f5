"""What a project holds, read through the listings: nothing of an archive is involved.

Ids, times and places in a listing say nothing about content and are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.demo.labels import ALPHA_MASK

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.models import Dataset

_FIGURE_KEYS = ("geometryType", "geometry", "priority", "customData", "meta", "nnCreated", "nnUpdated")


@dataclass(frozen=True)
class Content:
    """A project's content.

    :param meta: classes, tags and settings.
    :param datasets: path, such as ``everyday/people`` -> description and custom data.
    :param images: path, such as ``everyday/people/camera.png`` -> hash, meta, tags and figures.
    """

    meta: Mapping[str, Any]
    datasets: Mapping[str, Any]
    images: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256(_text([self.meta, self.datasets, self.images]).encode()).hexdigest()

    @property
    def counts(self) -> dict[str, int]:
        """How many of each there are."""
        return {
            "datasets": len(self.datasets),
            "images": len(self.images),
            "figures": sum(len(image["figures"]) for image in self.images.values()),
            "tags": sum(len(image["tags"]) + _figure_tags(image) for image in self.images.values()),
        }


def read_content(client: SuperviselyClient, project_id: int) -> Content:
    """Read all that a project holds, except the pixels, of which the hash stands."""
    project = client.projects.get(project_id)
    meta = client.projects.get_meta(project_id)
    names = _Names(
        {entry["id"]: entry["title"] for entry in meta["classes"]},
        {entry["id"]: entry["name"] for entry in meta["tags"]},
    )
    datasets = list(client.datasets.list_all(project_id))
    paths = _paths(datasets)
    images = {}
    for dataset in datasets:
        images.update(_images(client, dataset.id, paths[dataset.id], names))
    return Content(
        {
            "classes": {entry["title"]: _without_id(entry) for entry in meta["classes"]},
            "tags": {entry["name"]: _without_id(entry) for entry in meta["tags"]},
            # A switch that is off says no more than one that is not there.
            "settings": {key: value for key, value in project.settings.items() if value},
        },
        {paths[dataset.id]: [dataset.description, dataset.custom_data] for dataset in datasets},
        images,
    )


def differences(one: Content, other: Content) -> list[str]:
    """Name what is not the same in two projects: ``meta``, paths of datasets and of images."""
    paths = [] if one.meta == other.meta else ["meta"]
    for contents, other_contents in ((one.datasets, other.datasets), (one.images, other.images)):
        paths += sorted(
            path
            for path in contents.keys() | other_contents.keys()
            if contents.get(path) != other_contents.get(path)
        )
    return paths


@dataclass(frozen=True)
class _Names:
    classes: Mapping[int, str]
    tags: Mapping[int, str]


def _images(client: SuperviselyClient, dataset_id: int, path: str, names: _Names) -> dict[str, Any]:
    images = {}
    for page in client.images.iter_pages(dataset_id):
        for start in range(0, len(page), 200):
            batch = page[start : start + 200]
            figures = _figures(client, dataset_id, [image["id"] for image in batch], names)
            for image in batch:
                images[f"{path}/{image['name']}"] = {
                    **{key: image.get(key) for key in ("hash", "link", "meta", "width", "height")},
                    "tags": _tags(image.get("tags") or [], names),
                    "figures": sorted(figures[image["id"]], key=_text),
                }
    return images


def _figures(
    client: SuperviselyClient, dataset_id: int, image_ids: list[int], names: _Names
) -> dict[int, list[dict[str, Any]]]:
    figures = client.figures.list_for_items(dataset_id, image_ids)
    masks = client.figures.download_geometries(
        [figure["id"] for figure in figures if figure["geometryType"] == ALPHA_MASK]
    )
    contents_by_image: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for figure in figures:
        content = {key: figure.get(key) for key in _FIGURE_KEYS}
        content["geometry"] = masks.get(figure["id"], content["geometry"])
        content["class"] = names.classes[figure["classId"]]
        content["tags"] = _tags(figure.get("tags") or [], names)
        contents_by_image[figure["entityId"]].append(content)
    return contents_by_image


def _tags(tags: Iterable[Mapping[str, Any]], names: _Names) -> list[list[Any]]:
    return sorted(([names.tags[tag["tagId"]], tag.get("value")] for tag in tags), key=_text)


def _paths(datasets: Iterable[Dataset]) -> dict[int, str]:
    by_id = {dataset.id: dataset for dataset in datasets}

    def path(dataset: Dataset) -> str:
        parent_path = f"{path(by_id[dataset.parent_id])}/" if dataset.parent_id else ""
        return parent_path + dataset.name

    return {dataset.id: path(dataset) for dataset in by_id.values()}


def _figure_tags(image: Mapping[str, Any]) -> int:
    return sum(len(figure["tags"]) for figure in image["figures"])


def _without_id(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "id"}


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
