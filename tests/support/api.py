"""A small client for the server's tests: what goes over the wire stays visible in the test."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from io import BytesIO
from typing import Any, ClassVar

import requests
from PIL import Image

from airflow_sv_versioning.server.run import ServerInfo

SQUARE = {"points": {"exterior": [[1, 2], [11, 12]], "interior": []}}
_numbers = itertools.count()


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, 10, 0, 0, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass(frozen=True)
class Project:
    """A project with one class, one tag a value type and one dataset."""

    id: int
    class_id: int
    tags: dict[str, int]
    dataset_id: int


@dataclass(frozen=True)
class ItemProject(Project):
    """A project of videos or of volumes, and the way to it."""

    api: Api
    item: ClassVar[str]
    owner: ClassVar[str]  # how a request for tags names the item

    def tag(self, item_id: int, name: str, **members: Any) -> int:
        """Put a tag on an item."""
        body = {self.owner: item_id, "tags": [{"tagId": self.tags[name], "name": name, **members}]}
        return self.api.call(f"{self.item}s.tags.bulk.add", body)[0]["id"]

    def tag_object(self, object_id: int, name: str, *, video_id: int | None = None, **members: Any) -> int:
        """Put a tag on an object."""
        owner = {"projectId": self.id} if video_id is None else {"entityId": video_id}
        tags = [{"tagId": self.tags[name], "objectId": object_id, **members}]
        return self.api.call("annotation-objects.tags.bulk.add", {**owner, "tags": tags})[0]["id"]

    def annotation(self, item_id: int, **options: Any) -> dict[str, Any]:
        """Read the annotation of an item."""
        body = {"datasetId": self.dataset_id, f"{self.item}Ids": [item_id], **options}
        return self.api.call(f"{self.item}s.annotations.bulk.info", body)[0]

    def info(self, item_id: int) -> dict[str, Any]:
        """Read what an item says about itself."""
        return self.api.call(f"{self.item}s.info", {"id": item_id})


class Api:
    """Calls methods of a server; ``ok`` methods fail the test on any error answer."""

    def __init__(self, info: ServerInfo) -> None:
        self.info = info
        self.session = requests.Session()
        self.session.headers["x-api-key"] = info.token

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def url(self, method: str) -> str:
        return f"{self.info.url}/public/api/v3/{method}"

    def post(self, method: str, body: Any = None, **options: Any) -> requests.Response:
        return self.session.post(self.url(method), json={} if body is None else body, timeout=30, **options)

    def call(self, method: str, body: Any = None) -> Any:
        answer = self.post(method, body)
        assert answer.status_code == 200, f"{method}: {answer.status_code} {answer.text}"
        return answer.json()

    def refuse(self, method: str, body: Any, status: int = 400) -> dict[str, Any]:
        """Expect an error answer in the one shape; return its details."""
        answer = self.post(method, body)
        assert answer.status_code == status, f"{method}: {answer.status_code} {answer.text}"
        return details_of(answer)

    def project(self, **values: Any) -> Project:
        name = f"project {next(_numbers)}"
        project_id = self.call("projects.add", {"workspaceId": 1, "name": name, **values})["id"]
        tags = [
            {"name": "flag", "value_type": "none"},
            {"name": "number", "value_type": "any_number"},
            {"name": "text", "value_type": "any_string"},
            {"name": "choice", "value_type": "oneof_string", "values": ["a", "b"]},
            {"name": "day", "value_type": "date"},
        ]
        classes = [{"title": "box", "shape": "any"}]
        meta = self.call(
            "projects.meta.update", {"id": project_id, "meta": {"classes": classes, "tags": tags}}
        )
        dataset_id = self.call("datasets.add", {"projectId": project_id, "name": "first"})["id"]
        tag_ids = {tag["name"]: tag["id"] for tag in meta["tags"]}
        return Project(project_id, meta["classes"][0]["id"], tag_ids, dataset_id)

    def upload(self, content: bytes) -> str:
        answer = self.session.post(
            self.url("images.bulk.upload"), files={"0-file": ("0", content, "image/*")}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return answer.json()[0]["hash"]

    def images(self, dataset_id: int, names: list[str]) -> list[int]:
        blob_hash = self.upload(png())
        images = [{"title": name, "hash": blob_hash} for name in names]
        return [
            image["id"] for image in self.call("images.bulk.add", {"datasetId": dataset_id, "images": images})
        ]

    def image(self, project: Project) -> int:
        return self.images(project.dataset_id, [f"image {next(_numbers)}.png"])[0]

    def figure(self, project: Project, image_id: int, **values: Any) -> int:
        figure = {
            "entityId": image_id,
            "classId": project.class_id,
            "geometryType": "rectangle",
            "geometry": SQUARE,
            **values,
        }
        body = {"datasetId": project.dataset_id, "figures": [figure]}
        return self.call("figures.bulk.add", body)[0]["id"]

    def upload_file(self, folder: str, name: str, content: bytes) -> dict[str, Any]:
        answer = self.session.post(
            self.url("file-storage.bulk.upload?teamId=1"),
            files=[("name", (None, name)), ("path", (None, folder)), ("file", (name, content))],
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()[0]

    def upload_geometries(self, geometries: dict[int, bytes]) -> requests.Response:
        parts: list[tuple[str, Any]] = []
        for figure_id, body in geometries.items():
            parts.append(("figureId", (None, str(figure_id))))
            parts.append(("geometry", (str(figure_id), body, "application/octet-stream")))
        return self.session.post(self.url("figures.bulk.upload.geometry"), files=parts, timeout=30)

    def stamp(self, project_id: int) -> str:
        return self.call("projects.info", {"id": project_id})["updatedAt"]

    def image_stamp(self, image_id: int) -> str:
        return self.call("images.info", {"id": image_id})["updatedAt"]


def details_of(answer: requests.Response) -> dict[str, Any]:
    """The details of an error answer, which must have one of two shapes.

    Those of a broken rule of a schema are a list, and get the type that the server knows them by.
    """
    body = answer.json()
    assert set(body) == {"error", "details"}, body
    assert isinstance(body["error"], str)
    details: dict[str, Any]
    if isinstance(body["details"], list):
        assert body["error"] == "Validation error"
        [broken] = body["details"]
        assert set(broken) == {"message", "path", "type", "context"}
        details = {**broken, "rule": broken["type"], "type": "VALIDATION_ERROR"}
    else:
        details = body["details"]
    assert isinstance(details["message"], str)
    return details


def ended(api: Api, task_id: int) -> dict[str, Any]:
    """Ask until the task has ended; every question is a round trip, so this is no busy loop."""
    for _ in range(10_000):
        task: dict[str, Any] = api.call("tasks.info", {"id": task_id})
        if task["status"] in ("finished", "error", "stopped"):
            return task
    raise AssertionError(f"task {task_id} does not end")


def png(width: int = 40, height: int = 30, color: str = "red") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), color).save(buffer, "PNG")
    return buffer.getvalue()
