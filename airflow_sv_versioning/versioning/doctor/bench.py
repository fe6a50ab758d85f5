"""Projects to try things on."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import ApiError, UnexpectedAnswerError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.versioning.doctor.subject import Refusal

IMAGE_SIDE = 64
INSIDE = {"points": {"exterior": [[1, 1], [5, 5]], "interior": []}}
MOVED = {"points": {"exterior": [[2, 1], [6, 5]], "interior": []}}
OUTSIDE = {"points": {"exterior": [[-4, 1], [IMAGE_SIDE + 4, 5]], "interior": []}}
_META: dict[str, Any] = {
    "classes": [{"title": "doctor", "shape": "any", "color": "#00FF00", "geometry_config": {}}],
    "tags": [
        {"name": "doctor", "value_type": "none", "color": "#00FF00"},
        {"name": "said", "value_type": "any_string", "color": "#0000FF"},
    ],
}


@dataclass(frozen=True)
class Edit:
    """Something that people do to a project.

    :param is_of_item: whether it changes an item or what hangs on it.
    """

    what: str
    do: Callable[[], Any]
    is_of_item: bool = True


class Bench(ABC):
    """A project with a class, two tags, of which one has a value, a dataset and an item."""

    project_type: ClassVar[str]

    def __init__(self, client: SuperviselyClient, project_id: int) -> None:
        self._client = client
        self.project_id = project_id
        meta = client.projects.update_meta(project_id, {**_META, "projectType": self.project_type})
        self.class_id: int = meta["classes"][0]["id"]
        tags: dict[str, int] = {tag["name"]: tag["id"] for tag in meta["tags"]}
        self.tag_id, self.said_id = tags["doctor"], tags["said"]
        self.dataset_id = client.datasets.add(project_id, "doctor").id
        with tempfile.TemporaryDirectory(prefix="sv-versioning-doctor-") as folder:
            self.item_id = self._add_item(Path(folder))

    @abstractmethod
    def edits(self) -> Sequence[Edit]:
        """What is to be tried."""

    @abstractmethod
    def _add_item(self, folder: Path) -> int:
        """Add an item whose file is made in a folder."""

    def _item_stamp(self) -> str:
        items = project_type_of(self.project_type).items(self._client)
        [item] = items.list_by_ids(self.dataset_id, [self.item_id])
        stamp: str = item["updatedAt"]
        return stamp

    def write(self, method: str, **body: Any) -> Any:
        """Call a method; a :class:`Refusal` is an answer, too."""
        return self.send(method, body)

    def send(self, method: str, body: Any) -> Any:
        """Call a method whose body is no object; otherwise like :meth:`write`."""
        return self._try(lambda: self._client.transport.call(method, body, idempotent=False))

    def moves(self, edit: Edit) -> tuple[bool, bool] | None:
        """Say whether an edit moves the item's and the project's stamp; ``None`` if it is refused."""
        stamps_before = self._stamps()
        if isinstance(edit.do(), Refusal):
            return None
        stamps_after = self._stamps()
        return stamps_before[0] != stamps_after[0], stamps_before[1] != stamps_after[1]

    def _stamps(self) -> tuple[str, str]:
        return self._item_stamp(), self._client.projects.get(self.project_id).updated_at

    def _try(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ApiError as error:
            return Refusal.of(error)


class ImageBench(Bench):
    """A project of one grey image."""

    project_type = "images"

    def draw(self, geometry: Any, shape: str = "rectangle", **options: Any) -> Any:
        """Add a figure."""
        figure = {"entityId": self.item_id, "classId": self.class_id, "geometryType": shape}
        if geometry is not None:
            figure["geometry"] = geometry
        return self.write("figures.bulk.add", datasetId=self.dataset_id, figures=[figure], **options)

    def ask_geometry(self, figure_id: int) -> Refusal | None:
        """Ask for a geometry that is stored apart; ``None`` where there is no refusal, but nothing either."""
        ask = self._client.transport.multipart
        try:
            answer = self._try(lambda: ask("figures.bulk.download.geometry", {"ids": [figure_id]}))
        except UnexpectedAnswerError:
            return None
        return answer if isinstance(answer, Refusal) else None

    def edits(self) -> Sequence[Edit]:
        """Edits of the image, of what is drawn on it, and of its project."""
        figure_id = self.draw(INSIDE)[0]["id"]
        label = {"classTitle": "doctor", "geometryType": "rectangle", "tags": [], **INSIDE}
        document = {"description": "", "tags": [], "objects": [label, label]}
        annotations = [{"imageId": self.item_id, "annotation": document}]
        on_image = {"tagId": self.tag_id, "entityId": self.item_id}
        on_figure = {"tagId": self.tag_id, "figureId": figure_id}
        classes = [*_META["classes"], {"title": "second", "shape": "any"}]

        def edit(what: str, method: str, *, is_of_item: bool = True, **body: Any) -> Edit:
            return Edit(what, lambda: self.write(method, **body), is_of_item)

        return (
            Edit("a figure added", lambda: self.draw(INSIDE)),
            edit("a figure moved", "figures.editInfo", id=figure_id, geometry=MOVED),
            edit("a tag on the image", "tags.entities.bulk.add", projectId=self.project_id, tags=[on_image]),
            edit("a tag on a figure", "figures.tags.bulk.add", projectId=self.project_id, tags=[on_figure]),
            edit(
                "figures replaced",
                "annotations.bulk.add",
                datasetId=self.dataset_id,
                annotations=annotations,
            ),
            edit("a description", "images.editInfo", id=self.item_id, description="doctor"),
            edit(
                "a dataset renamed", "datasets.editInfo", id=self.dataset_id, name="second", is_of_item=False
            ),
            edit(
                "a class added",
                "projects.meta.update",
                id=self.project_id,
                meta={**_META, "classes": classes},
                is_of_item=False,
            ),
        )

    def _add_item(self, folder: Path) -> int:
        from airflow_sv_versioning.restore.placeholders.images import ImagePlaceholders

        path = folder / "doctor.png"
        ImagePlaceholders().draw({"width": IMAGE_SIDE, "height": IMAGE_SIDE, "mime": "image/png"}, path)
        [image] = self._client.images.upload(self.dataset_id, [(path.name, path)])
        image_id: int = image["id"]
        return image_id
