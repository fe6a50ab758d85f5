"""Projects of each type whose every item has media of its own, to be taken away."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from airflow_sv_versioning.client import SuperviselyClient
from tests.support import volumes as volume_support
from tests.support.media import MediaServer
from tests.support.photos import write_photos
from tests.support.projects import add_dataset, make_project, read_images
from tests.support.video_projects import annotate as annotate_video
from tests.support.video_projects import make_video_project, read_videos, write_videos


class Maker(ABC):
    """Makes and reads projects of one type.

    :ivar files: path of an item -> its file.
    :ivar linked_content: of the item by link.
    """

    content_type = ""
    linked_content = b""

    def __init__(self, client: SuperviselyClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.files: dict[str, Path] = {}

    @abstractmethod
    def make(self, host: MediaServer) -> tuple[int, str | None]:
        """Make a project; returns its id and the path of the item by link."""

    @abstractmethod
    def read(self, project_id: int) -> dict[str, Any]:
        """Read what a project's items are and carry, by path."""

    @abstractmethod
    def pages(self, dataset_id: int) -> Any:
        """List items as the server says them."""

    def items(self, project_id: int) -> dict[str, dict[str, Any]]:
        """List all items, by path."""
        return {
            f"{dataset.name}/{item['name']}": item
            for dataset in self.client.datasets.list_all(project_id)
            for page in self.pages(dataset.id)
            for item in page
        }

    def hashes(self, project_id: int) -> dict[str, str]:
        """Tell the hash of each item that is no link."""
        return {path: item["hash"] for path, item in self.items(project_id).items() if item["hash"]}

    def content(self, item: dict[str, Any], path: Path) -> Path:
        """Download an item's file."""
        with path.open("wb") as file:
            file.writelines(self.client.originals.iter_chunks(self.type, item["id"]))
        return path

    @property
    def type(self) -> str:
        return type(self).__name__.lower()


class Images(Maker):
    content_type = "image/png"

    def __init__(self, client: SuperviselyClient, folder: Path) -> None:
        super().__init__(client, folder)
        photos = sorted(write_photos(folder / "photos", 4).iterdir())
        self.files = {f"photos/{photo.name}": photo for photo in photos[:3]}
        self.linked_content = photos[3].read_bytes()

    def make(self, host: MediaServer) -> tuple[int, str | None]:
        project_id = make_project(self.client, list(self.files.values()))
        dataset_id = add_dataset(self.client, project_id, "linked", [])
        [image] = self.client.images.add(
            dataset_id, [{"title": "far.png", "link": host.url, "meta": {"a": 1}}]
        )
        classes = {
            entry["title"]: entry["id"] for entry in self.client.projects.get_meta(project_id)["classes"]
        }
        corners = [[1.5, 2.25], [6, 7]]
        box = {"points": {"exterior": corners, "interior": []}}
        figure = {"entityId": image["id"], "classId": classes["lemon"], "geometryType": "rectangle"}
        self.client.figures.add(dataset_id, [{**figure, "geometry": box}])
        return project_id, "linked/far.png"

    def read(self, project_id: int) -> dict[str, Any]:
        items = self.items(project_id)
        return {
            path: {**image, **{key: items[path][key] for key in ("link", "width", "height", "meta")}}
            for path, image in read_images(self.client, project_id).items()
        }

    def pages(self, dataset_id: int) -> Any:
        return self.client.images.iter_pages(dataset_id)


class Videos(Maker):
    content_type = "video/mp4"

    def __init__(self, client: SuperviselyClient, folder: Path) -> None:
        super().__init__(client, folder)
        films = write_videos(folder / "films", 4)
        self.files = {f"street/{film.name}": film for film in films[:3]}
        self.linked_content = films[3].read_bytes()

    def make(self, host: MediaServer) -> tuple[int, str | None]:
        project_id = make_video_project(self.client, list(self.files.values()))
        dataset_id = self.client.datasets.add(project_id, "linked").id
        [video] = self.client.videos.add(dataset_id, [{"title": "far.mp4", "link": host.url, "meta": {}}])
        annotate_video(self.client, project_id, dataset_id, video["id"])
        return project_id, "linked/far.mp4"

    def read(self, project_id: int) -> dict[str, Any]:
        items = self.items(project_id)
        facts = ("framesCount", "framesToTimecodes", "width", "height")
        return {
            path: {**video, **{key: items[path]["fileMeta"].get(key) for key in facts}}
            for path, video in read_videos(self.client, project_id).items()
        }

    def pages(self, dataset_id: int) -> Any:
        return self.client.videos.iter_pages(dataset_id)


class Volumes(Maker):
    """The platform has no volumes by link. The first one, which is the first to be lost, is annotated."""

    def make(self, host: MediaServer) -> tuple[int, str | None]:
        name = f"scans of {self.folder.name}"
        project_id = self.client.projects.add(1, name, "volumes").id
        self.client.projects.update_meta(project_id, volume_support.META)
        dataset_id = self.client.datasets.add(project_id, "CT").id
        for number in range(3):
            file = self.folder / f"{number}.nrrd"
            voxels = np.arange(120).reshape(volume_support.SIZES) + number
            file.write_bytes(volume_support.nrrd(voxels.astype("<i2")))
            self.files[f"CT/{file.name}"] = file
            meta = volume_support.meta_of(volume_support.SIZES)
            [volume] = self.client.volumes.upload(dataset_id, [(file.name, file, meta)])
            if number < 1:
                volume_support.annotate(self.client, project_id, dataset_id, volume["id"], self.folder)
        return project_id, None

    def read(self, project_id: int) -> dict[str, Any]:
        found = volume_support.read_volumes(self.client, project_id)
        return {path.partition("/")[2]: volume for path, volume in found.items()}

    def pages(self, dataset_id: int) -> Any:
        return self.client.volumes.iter_pages(dataset_id)


MAKERS: dict[str, type[Maker]] = {"images": Images, "videos": Videos, "volumes": Volumes}


@dataclass(frozen=True)
class Filled:
    """A project, and its version with all originals in a vault.

    :param hashes: path of an item -> its hash, of those that are no links.
    :param host: of the item by link, whose path is ``link``.
    """

    maker: Maker
    project_id: int
    version_id: int
    hashes: dict[str, str]
    host: MediaServer
    link: str | None
    vault: Path

    @property
    def type(self) -> str:
        return self.maker.type

    @property
    def version(self) -> tuple[int, int]:
        """What a restore needs: project id and version id."""
        return self.project_id, self.version_id

    def read(self, project_id: int | None = None) -> dict[str, Any]:
        """Read the project, or one made of it."""
        return self.maker.read(project_id or self.project_id)
