"""The smallest projects of videos and of volumes, each with one thing on it and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from airflow_sv_versioning.client import SuperviselyClient
from tests.support.projects import ids_of
from tests.support.video_projects import box, read_videos, write_videos
from tests.support.volumes import NORMALS, SIZES, meta_of, nrrd, read_volumes

_META = {
    "classes": [
        {"title": title, "shape": "any", "color": "#FFEE00", "geometry_config": {}}
        for title in ("thing", "other thing")
    ],
    "tags": [{"name": "note", "value_type": "any_string", "color": "#0000FF"}],
}
_READ = {"videos": read_videos, "volumes": read_volumes}
_numbers = count(1)


@dataclass
class PlainProject:
    """A project that gets one thing after the other; what a thing stands on is made with it."""

    client: SuperviselyClient
    project_type: str
    folder: Path
    id: int = 0
    dataset_id: int = 0
    item_id: int = 0

    def add_project(self) -> None:
        title = f"plain {self.project_type} {next(_numbers)} of {id(self.client)}"
        self.id = self.client.projects.add(1, title, self.project_type).id

    def add_definitions(self) -> None:
        self.client.projects.update_meta(self.id, {**_META, "projectType": self.project_type})

    def add_dataset(self) -> None:
        self.dataset_id = self.client.datasets.add(self.id, "some").id

    def add_item(self) -> None:
        self.add_dataset()
        if self.project_type == "videos":
            [file] = write_videos(self.folder, 1)
            [item] = self.client.videos.upload(self.dataset_id, [("a.mp4", file)])
        else:
            file = self.folder / "a.nrrd"
            file.write_bytes(nrrd(np.arange(120).reshape(SIZES).astype("<i2")))
            [item] = self.client.volumes.upload(self.dataset_id, [("a.nrrd", file, meta_of(SIZES))])
        self.item_id = item["id"]

    def add_object(self) -> int:
        self.add_definitions()
        self.add_item()
        classes, _ = ids_of(self.client, self.id)
        owner = {"classId": classes["thing"], "entityId": self.item_id}
        [object_id] = self.client.objects.add(self.dataset_id, [owner])
        return object_id

    def add_tag(self, **more: Any) -> None:
        self.add_definitions()
        self.add_item()
        items = self.client.videos if self.project_type == "videos" else self.client.volumes
        items.add_tags(self.item_id, [self._tag(**more)])

    def add_object_tag(self, **more: Any) -> None:
        tag = {"objectId": self.add_object()}
        self.client.objects.add_tags({"projectId": self.id}, [self._tag(**tag, **more)])

    def add_figure(self, **more: Any) -> int:
        place: dict[str, Any] = {"frame": 0}
        if self.project_type == "volumes":
            place = {"sliceIndex": 0, "planeName": "axial", "normal": NORMALS["axial"]}
        plain = {"geometryType": "rectangle", "geometry": box(1, 1, 3, 3), "meta": place}
        figure = {"objectId": self.add_object(), **plain, **more}
        if self.project_type == "volumes":
            return self.client.volumes.add_figures(self.item_id, [figure])[0]
        self.client.videos.add_figures(self.item_id, [figure])
        return 0

    def add_mask(self) -> int:
        return self.add_figure(geometryType="mask_3d", geometry={}, meta={})

    def add_mask_with_voxels(self) -> None:
        file = self.folder / "mask.nrrd"
        file.write_bytes(nrrd(np.ones(SIZES, np.uint8)))
        self.client.volumes.upload_spatial_geometries({self.add_mask(): file})

    @property
    def figure_id(self) -> int:
        """The id of the one figure."""
        body = {"datasetId": self.dataset_id, "filter": [], "fields": ["id"]}
        [figure] = self.client.transport.call("figures.list", body)["entities"]
        return figure["id"]

    @property
    def tag_id(self) -> int:
        """The id of the one tag, be it on the item or on its object."""
        body = {"datasetId": self.dataset_id, f"{self.project_type[:-1]}Ids": [self.item_id]}
        [annotation] = self.client.transport.call(f"{self.project_type}.annotations.bulk.info", body)
        owners = [annotation, *annotation["objects"]]
        [found] = [tag["id"] for owner in owners for tag in owner["tags"]]
        return int(found)

    def edit_figure(self, **changes: Any) -> None:
        self.client.transport.call("figures.editInfo", {"id": self.figure_id, **changes})

    def repaint_mask(self) -> None:
        """Replace the voxels of the one mask."""
        file = self.folder / "repainted.nrrd"
        file.write_bytes(nrrd(np.eye(*SIZES[:2], dtype=np.uint8)[:, :, None].repeat(SIZES[2], axis=2)))
        self.client.volumes.upload_spatial_geometries({self.figure_id: file})

    def read(self, project_id: int = 0) -> dict[str, Any]:
        """Read what the items of the project, or of a copy, are and carry."""
        return _READ[self.project_type](self.client, project_id or self.id)

    def _tag(self, **more: Any) -> dict[str, Any]:
        _, tags = ids_of(self.client, self.id)
        return {"tagId": tags["note"], "value": "some", **more}


Addition = Callable[[PlainProject], Any]
_BOTH: dict[str, Addition] = {
    "nothing": lambda _: None,
    "definitions": PlainProject.add_definitions,
    "a dataset": PlainProject.add_dataset,
    "a bare item": PlainProject.add_item,
    "an object": PlainProject.add_object,
    "a figure": PlainProject.add_figure,
    "a tag": PlainProject.add_tag,
    "a tag of an object": PlainProject.add_object_tag,
}
_OF_VIDEOS: dict[str, Addition] = {
    "a tag on frames": lambda project: project.add_tag(frameRange=[0, 2]),
    "a tag of an object on frames": lambda project: project.add_object_tag(frameRange=[0, 2]),
}
_OF_VOLUMES: dict[str, Addition] = {
    "a mask": PlainProject.add_mask_with_voxels,
    "a mask without voxels": PlainProject.add_mask,
}
ADDITIONS = {"videos": {**_BOTH, **_OF_VIDEOS}, "volumes": {**_BOTH, **_OF_VOLUMES}}
"""Type of projects -> what a project may have alone -> how it is added."""


def make_plain_project(client: SuperviselyClient, folder: Path, project_type: str, what: str) -> int:
    """Make a project with nothing but ``what`` and that on which it stands; returns its id."""
    project = PlainProject(client, project_type, folder)
    project.add_project()
    ADDITIONS[project_type][what](project)
    return project.id
