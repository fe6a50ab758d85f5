"""Puts a project that is a value onto a server."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from tests.fidelity.media import Media
from tests.fidelity.rest import Rest
from tests.fidelity.values import Dataset, Figure, Item, Place, Project, Tag
from tests.support.volume_api import NORMALS

_numbers = count(1)


def build(rest: Rest, media: Media, workspace_id: int, project: Project) -> int:
    """Make the project; returns its id."""
    return _Builder(rest, media, project).run(workspace_id)


class _Builder:
    """One project in the making.

    :ivar item_ids: place of an item -> its id.
    :ivar shared: number of a dataset and name of a shared object -> the object's id.
    """

    def __init__(self, rest: Rest, media: Media, project: Project) -> None:
        self._rest = rest
        self._media = media
        self._project = project
        self._id = 0
        self._dataset_ids: list[int] = []
        self._class_ids: dict[str, int] = {}
        self._tag_ids: dict[str, int] = {}
        self._item_ids: dict[Place, int] = {}
        self._shared: dict[tuple[int, str], int] = {}

    def run(self, workspace_id: int) -> int:
        self._add_project(workspace_id)
        self._add_datasets()
        for place in self._project.places():
            self._item_id(place)
        for place in self._project.places():
            self._annotate(place, self._project.item(place))
        return self._id

    def _add_project(self, workspace_id: int) -> None:
        project, call = self._project, self._rest.call
        name = f"{project.type} {next(_numbers)}"
        body = {"workspaceId": workspace_id, "name": name, "type": project.type}
        self._id = call("projects.add", {**body, **_told(readme=project.readme)})["id"]
        if project.custom_data:
            call("projects.editInfo", {"id": self._id, "customData": project.custom_data})
        if project.classes or project.tags:
            meta = {"classes": list(project.classes), "tags": list(project.tags), "projectType": project.type}
            answer = call("projects.meta.update", {"id": self._id, "meta": meta})
            self._class_ids = {entry["title"]: entry["id"] for entry in answer["classes"]}
            self._tag_ids = {entry["name"]: entry["id"] for entry in answer["tags"]}
        settings = dict(project.settings)
        if "groupImagesByTagId" in settings:
            settings["groupImagesByTagId"] = self._tag_ids[settings["groupImagesByTagId"]]
        if settings:
            call("projects.settings.update", {"id": self._id, "settings": settings})

    def _add_datasets(self) -> None:
        """Make all at the root under names of their own, and then move them to their places."""
        for number, dataset in enumerate(self._project.datasets):
            more = _told(description=dataset.description, customData=dataset.custom_data)
            body = {"projectId": self._id, "name": self._first_name(number, dataset), **more}
            self._dataset_ids.append(self._rest.call("datasets.add", body)["id"])
        for number, dataset in enumerate(self._project.datasets):
            if dataset.parent is not None:
                parent_id = self._dataset_ids[dataset.parent]
                changes = {"name": dataset.name, "parentId": parent_id}
                self._rest.call("datasets.editInfo", {"id": self._dataset_ids[number], **changes})

    @staticmethod
    def _first_name(number: int, dataset: Dataset) -> str:
        return dataset.name if dataset.parent is None else f"to be moved {number}"

    def _item_id(self, place: Place) -> int:
        """Find an item, or add it: the image that another was made of may come later than that."""
        if place not in self._item_ids:
            self._item_ids[place] = self._add_item(place)
        return self._item_ids[place]

    def _add_item(self, place: Place) -> int:
        item, kind = self._project.item(place), self._project.type
        entry: dict[str, Any] = {"name": item.name, "title": item.name, "meta": dict(item.meta)}
        if item.is_link:
            entry["link"] = self._media.links[kind]
        else:
            entry["hash"] = self._media.hashes[kind][item.media]
        if kind == "volumes":
            entry |= {"meta": {**self._media.volume_meta, **item.meta}, **_told(customData=item.custom_data)}
        if item.parent is not None:
            entry["parentId"] = self._item_id(item.parent)
        body = {"datasetId": self._dataset_ids[place[0]], kind: [entry]}
        item_id: int = self._rest.call(f"{kind}.bulk.add", body)[0]["id"]
        if item.description is not None:
            self._rest.call("images.editInfo", {"id": item_id, "description": item.description})
        if kind == "videos" and item.custom_data is not None:
            body = {"id": item_id, "customData": item.custom_data}
            self._rest.call("videos.custom-data.set", body)
        return item_id

    def _annotate(self, place: Place, item: Item) -> None:
        item_id = self._item_ids[place]
        if item.tags:
            self._tag_item(place, item_id, item)
        object_ids = [self._object_id(place, number) for number in range(len(item.objects))]
        self._tag_objects(item_id, item, object_ids)
        if item.figures:
            entries = [self._figure(figure, object_ids) for figure in item.figures]
            body = {"datasetId": self._dataset_ids[place[0]], "entityId": item_id, "figures": entries}
            answer = self._rest.call("figures.bulk.add", body)
            self._upload_geometries(item, [entry["id"] for entry in answer])

    def _tag_item(self, place: Place, item_id: int, item: Item) -> None:
        tags, kind = [self._tag(tag) for tag in item.tags], self._project.type
        if kind == "images":
            # Of a whole annotation the server takes the same tag twice, whatever the settings.
            entry = {"imageId": item_id, "annotation": {"tags": tags, "objects": []}}
            body = {"datasetId": self._dataset_ids[place[0]], "annotations": [entry]}
            self._rest.call("annotations.bulk.add", body)
            return
        owner = "videoId" if kind == "videos" else "entityId"
        self._rest.call(f"{kind}.tags.bulk.add", {owner: item_id, "tags": tags})

    def _object_id(self, place: Place, number: int) -> int:
        wanted = self._project.item(place).objects[number]
        shared = wanted.shared
        if self._project.type == "videos" and self._project.settings.get("labelingInterface") == "multi_view":
            # There every object is of all views.
            shared = shared or f"{place} {number}"
        if shared and (place[0], shared) in self._shared:
            return self._shared[place[0], shared]
        entry = {"classId": self._class_ids[wanted.class_title], **wanted.more}
        if not shared:
            entry["entityId"] = self._item_ids[place]
        body = {"datasetId": self._dataset_ids[place[0]], "annotationObjects": [entry]}
        object_id: int = self._rest.call("annotation-objects.bulk.add", body)[0]["id"]
        if shared:
            self._shared[place[0], shared] = object_id
        return object_id

    def _tag_objects(self, item_id: int, item: Item, object_ids: list[int]) -> None:
        tags = [
            {**self._tag(tag), "objectId": object_id, "entityId": item_id}
            for one, object_id in zip(item.objects, object_ids, strict=True)
            for tag in one.tags
        ]
        if tags:
            self._rest.call("annotation-objects.tags.bulk.add", {"entityId": item_id, "tags": tags})

    def _tag(self, tag: Tag) -> dict[str, Any]:
        frames = None if tag.frames is None else list(tag.frames)
        told = _told(value=tag.value, frameRange=frames)
        return {"tagId": self._tag_ids[tag.name], **told, **tag.more}

    def _figure(self, figure: Figure, object_ids: list[int]) -> dict[str, Any]:
        entry: dict[str, Any] = {"geometryType": figure.geometry_type, **figure.more}
        if figure.owner is None:
            entry["classId"] = self._class_ids[figure.class_title]
        else:
            entry["objectId"] = object_ids[figure.owner]
        meta = {**figure.meta, **figure.place}
        if "planeName" in meta:
            meta["normal"] = NORMALS[meta["planeName"]]
        if meta:
            entry["meta"] = meta
        if not _is_apart(figure):
            entry["geometry"] = figure.geometry
        if figure.tags:
            entry["tags"] = [self._tag(tag) for tag in figure.tags]
        return entry

    def _upload_geometries(self, item: Item, figure_ids: list[int]) -> None:
        fields = [
            pair
            for figure, figure_id in zip(item.figures, figure_ids, strict=True)
            for pair in self._geometry(figure, figure_id)
        ]
        if fields:
            self._rest.upload("figures.bulk.upload.geometry", fields)

    def _geometry(self, figure: Figure, figure_id: int) -> Iterator[tuple[str, Any]]:
        if _is_apart(figure):
            content = self._media.spatial[figure.file] if figure.file else json_bytes(figure.geometry)
            yield "figureId", (None, str(figure_id))
            yield "geometry", (str(figure_id), content)


def _is_apart(figure: Figure) -> bool:
    return figure.file is not None or figure.geometry_type == "alpha_mask"


def json_bytes(value: Any) -> bytes:
    """Write JSON as a file."""
    import json

    return json.dumps(value).encode()


def _told(**members: Any) -> dict[str, Any]:
    """Only what is told."""
    return {name: value for name, value in members.items() if value is not None}
