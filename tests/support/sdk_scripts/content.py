"""Reads a whole project through the SDK into JSON that two equal projects share.

Keyed by identity (dataset path and image name), ids and times left out, coordinates exact. Raw answers
are read through the SDK's own paging, for its records alter names and drop fields.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import supervisely as sly

IMAGE_KEYS = ("hash", "link", "mime", "size", "width", "height", "meta", "description")
FIGURE_KEYS = ("geometryType", "geometry", "meta", "priority", "customData", "nnCreated", "nnUpdated")
# Ids, times and who drew it: never part of what a version restores.
UNEQUAL_KEYS = {"id", "classId", "tagId", "labelerLogin", "createdAt", "updatedAt", "imageId"}


def read(api: sly.Api, project_id: int) -> dict[str, Any]:
    names = _Names(api.project.get_meta(project_id))
    project = api.post("projects.info", {"id": project_id}).json()
    datasets, images = _read_datasets(api, project_id, names)
    return {
        "type": project["type"],
        "readme": project["readme"],
        "custom_data": {k: v for k, v in project["customData"].items() if k != "restored_from"},
        "settings": names.in_settings(project["settings"] or {}),
        "classes": names.classes,
        "tags": names.tags,
        "datasets": datasets,
        "images": images,
    }


class _Names:
    """Names of classes and tags by id: names are what two projects have in common."""

    def __init__(self, meta: dict[str, Any]) -> None:
        self._class_names = {item["id"]: item["title"] for item in meta["classes"]}
        self._tag_names = {item["id"]: item["name"] for item in meta["tags"]}
        self.classes = {item["title"]: _plain(item) for item in meta["classes"]}
        self.tags = {item["name"]: _plain(item) for item in meta["tags"]}

    def in_settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        tag_id = settings.get("groupImagesByTagId")
        return {**settings, "groupImagesByTagId": self._tag_names.get(tag_id)}

    def of_class(self, class_id: int) -> str:
        return self._class_names[class_id]

    def of_tags(self, tags: Iterable[dict[str, Any]]) -> list[list[Any]]:
        return _sorted([self._tag_names[tag["tagId"]], tag.get("value")] for tag in tags)


def _read_datasets(
    api: sly.Api, project_id: int, names: _Names
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    datasets, images = {}, {}
    listed = api.dataset.get_list(project_id, recursive=True, include_custom_data=True)
    custom_data = {info.id: info.custom_data or {} for info in listed}
    for parents, dataset in api.dataset.tree(project_id):
        path = "/".join([*parents, dataset.name])
        raw = api.post("datasets.info", {"id": dataset.id}).json()
        datasets[path] = {"description": raw["description"], "custom_data": custom_data[dataset.id]}
        images.update(_read_images(api, dataset.id, path, names))
    return datasets, images


def _read_images(api: sly.Api, dataset_id: int, path: str, names: _Names) -> dict[str, dict[str, Any]]:
    images = _list_raw(api, "images.list", {"datasetId": dataset_id, "forceMetadataForLinks": True})
    identity = {image["id"]: f"{path}//{image['name']}" for image in images}
    figures = _read_figures(api, dataset_id, list(identity), names)
    annotations = _read_annotations(api, dataset_id, list(identity))
    return {
        identity[image["id"]]: {
            **{key: image.get(key) for key in IMAGE_KEYS},
            "parent": identity.get(image.get("parentId")),
            "tags": names.of_tags(image["tags"]),
            "figures": _sorted(figures[image["id"]]),
            "annotation": annotations[image["id"]],
        }
        for image in images
    }


def _read_figures(api: sly.Api, dataset_id: int, ids: list[int], names: _Names) -> dict[int, list[Any]]:
    found = defaultdict(list)
    for batch in sly.batched(ids, 200):
        query = {
            "datasetId": dataset_id,
            "filter": [{"field": "entityId", "operator": "in", "value": batch}],
            "integerCoords": False,
        }
        for figure in _list_raw(api, "figures.list", query):
            known = {key: figure.get(key) for key in FIGURE_KEYS}
            name, tags = names.of_class(figure["classId"]), names.of_tags(figure["tags"])
            found[figure["entityId"]].append({"class": name, "tags": tags, **known})
    return found


def _read_annotations(api: sly.Api, dataset_id: int, ids: list[int]) -> dict[int, Any]:
    """The same once more as annotations: the SDK's own view, with alpha masks filled in."""
    found = {}
    for batch in sly.batched(ids, 50):
        downloaded = api.annotation.download_batch(dataset_id, batch)
        found.update({info.image_id: _canonical(info.annotation) for info in downloaded})
    return found


def _canonical(annotation: dict[str, Any]) -> dict[str, Any]:
    plain = _plain(annotation)
    objects = [{**item, "tags": _sorted(item["tags"])} for item in plain["objects"]]
    return {**plain, "tags": _sorted(plain["tags"]), "objects": _sorted(objects)}


def _list_raw(api: sly.Api, method: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    return api.image.get_list_all_pages(method, query, convert_json_info_cb=lambda entity: entity)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key not in UNEQUAL_KEYS}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _sorted(items: Iterable[Any]) -> list[Any]:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
