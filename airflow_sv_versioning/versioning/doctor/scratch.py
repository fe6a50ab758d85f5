"""What only writing tells, tried on projects of our own that are removed afterwards."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import ApiError, SuperviselyError
from airflow_sv_versioning.versioning.doctor.findings import FAILS, SLOWER, UNKNOWN, WORKS, Finding
from airflow_sv_versioning.versioning.doctor.subject import Refusal, Subject

SIDE = 16
_INSIDE = {"points": {"exterior": [[1, 1], [5, 5]], "interior": []}}
_OUTSIDE = {"points": {"exterior": [[-4, 1], [SIDE + 4, 5]], "interior": []}}
_META: dict[str, Any] = {
    "classes": [{"title": "doctor", "shape": "any", "color": "#00FF00", "geometry_config": {}}],
    "tags": [{"name": "doctor", "value_type": "none", "color": "#00FF00"}],
}


class Scratch:
    """Two projects in a workspace, one of images and one of videos, for as long as the block lasts.

    :param left_behind: takes what could not be removed.
    """

    def __init__(self, client: SuperviselyClient, workspace_id: int, left_behind: list[str]) -> None:
        self._client = client
        self._workspace_id = workspace_id
        self._left_behind = left_behind
        self._projects: list[int] = []

    def __enter__(self) -> Scratch:
        try:
            self.images = _Bench(self._client, self._add("images"), "images")
            self.videos = _Bench(self._client, self._add("videos"), "videos")
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def trials(self) -> Iterator[Callable[[Subject], Iterator[Finding]]]:
        """What is tried, in turn."""
        yield from (self.try_bounds, self.try_null_value, self.try_lost_geometry)
        yield from (self.try_stamps, self.try_reservations)

    def try_bounds(self, _: Subject) -> Iterator[Finding]:
        """Draw outside of an image, without and with the wish not to be checked."""
        plain = self.images.draw(_OUTSIDE)
        forced = self.images.draw(_OUTSIDE, skipBoundsValidation=True)
        assumption = "figures that reach out of their image can be restored"
        observed = f"added: {_yes(plain)}; with skipBoundsValidation: {_yes(forced)}"
        rules = {"checks_bounds": isinstance(plain, Refusal)}
        if isinstance(forced, Refusal):
            advice = "Versions with figures outside of their images cannot be restored."
            yield Finding("bounds", assumption, observed, FAILS, advice, rules)
        else:
            yield Finding("bounds", assumption, observed, WORKS, rules=rules)

    def try_null_value(self, _: Subject) -> Iterator[Finding]:
        """Tag an object with the value null, and without a value."""
        tag = {"tagId": self.videos.tag_id, "objectId": self.videos.add_object()}
        method, project_id = "annotation-objects.tags.bulk.add", self.videos.project_id
        without = self.videos.write(method, projectId=project_id, tags=[tag])
        null = self.videos.write(method, projectId=project_id, tags=[{**tag, "value": None}])
        assumption = "tags without a value can be restored"
        observed = f"added without the member value: {_yes(without)}; with null: {_yes(null)}"
        rules = {"takes_null_values": not isinstance(null, Refusal)}
        if isinstance(without, Refusal):
            advice = "Versions with such tags cannot be restored."
            yield Finding("null_value", assumption, observed, FAILS, advice, rules)
        else:
            yield Finding("null_value", assumption, observed, WORKS, rules=rules)

    def try_lost_geometry(self, subject: Subject) -> Iterator[Finding]:
        """Ask for the geometry of a mask that has none yet."""
        added = self.images.draw(None, geometryType="alpha_mask")
        assumption = "a mask whose geometry is lost spoils no other"
        if isinstance(added, Refusal):
            yield Finding("lost_geometry", assumption, f"no mask could be added: {added}", UNKNOWN)
            return
        answer = self.images.write("figures.bulk.download.geometry", ids=[added[0]["id"]])
        refused = isinstance(answer, Refusal)
        observed = f"the request is refused: {answer}" if refused else "it is left out of the answer"
        rules = {"requires_every_geometry": refused}
        yield Finding("lost_geometry", assumption, observed, SLOWER if refused else WORKS, rules=rules)

    def try_stamps(self, _: Subject) -> Iterator[Finding]:
        """See which edits move the stamps that incremental captures rest on."""
        moved = {what: self.images.moves(edit) for what, edit in self.images.edits().items()}
        for whose, index, wanted in (("image", 0, self.images.annotation_edits), ("project", 1, moved)):
            tried = {what: stamps for what in wanted if (stamps := moved[what]) is not None}
            still = [what for what, stamps in tried.items() if not stamps[index]]
            untried = [what for what in wanted if what not in tried]
            assumption = f"updatedAt of the {whose} moves with each edit of it"
            observed = f"not moved by: {', '.join(still)}" if still else "moved by every edit"
            if untried:
                observed += f"; refused: {', '.join(untried)}"
            advice = "Such changes would be missed: make versions with capture='full'." if still else ""
            yield Finding(f"stamp.{whose}", assumption, observed, FAILS if still else WORKS, advice)

    def try_reservations(self, _: Subject) -> Iterator[Finding]:
        """Reserve a version twice, list it, and give it back."""
        assumption = "a version can be reserved once, and given back"
        first = self.images.write("projects.versions.reserve", projectId=self.images.project_id)
        if isinstance(first, Refusal):
            yield Finding("reservation", assumption, f"refused: {first}", FAILS, "No version can be made.")
            return
        second = self.images.write("projects.versions.reserve", projectId=self.images.project_id)
        listed = self.images.write("projects.versions.list", projectId=self.images.project_id, filter=[])
        back = self.images.write("projects.versions.cancel-reservation", **first)
        is_listed = isinstance(listed, dict) and any(
            entity.get("id") == first.get("id") for entity in listed.get("entities") or []
        )
        observed = f"a second time: {_yes(second)}; listed: {_yes(is_listed)}; given back: {_yes(back)}"
        is_right = isinstance(second, Refusal) and not isinstance(back, Refusal)
        advice = "" if is_right else "Two tasks at once may make each other's versions fail."
        rules = {"lists_reservations": is_listed}
        yield Finding("reservation", assumption, observed, WORKS if is_right else FAILS, advice, rules)

    def _add(self, project_type: str) -> int:
        name = f"sv-versioning doctor {uuid4().hex[:8]}"
        project = self._client.projects.add(self._workspace_id, name, project_type, "Made to be removed.")
        self._projects.append(project.id)
        return project.id

    def _remove(self) -> None:
        for project_id in self._projects:
            try:
                self._client.projects.archive(project_id)
            except SuperviselyError as error:
                self._left_behind.append(f"project {project_id}: {error.kind}")


class _Bench:
    """A project to try things on: a class, a tag, a dataset and, of images, an image."""

    annotation_edits = ("a figure added", "a figure edited", "a tag on the image", "a tag on a figure")

    def __init__(self, client: SuperviselyClient, project_id: int, project_type: str) -> None:
        self._client = client
        self.project_id = project_id
        meta = client.projects.update_meta(project_id, {**_META, "projectType": project_type})
        self.class_id: int = meta["classes"][0]["id"]
        self.tag_id: int = meta["tags"][0]["id"]
        self.dataset_id = client.datasets.add(project_id, "doctor").id
        self.image_id = self._add_image() if project_type == "images" else 0

    def write(self, method: str, **body: Any) -> Any | Refusal:
        """Call a method; a refusal is an answer, too."""
        try:
            return self._client.transport.call(method, body, idempotent=False)
        except ApiError as error:
            kind = error.details.get("type")
            return Refusal(error.status_code, kind if isinstance(kind, str) else None)

    def draw(self, geometry: Any, geometryType: str = "rectangle", **options: Any) -> Any | Refusal:  # noqa: N803 - the platform's word
        """Add a figure."""
        figure = {"entityId": self.image_id, "classId": self.class_id, "geometryType": geometryType}
        if geometry is not None:
            figure["geometry"] = geometry
        return self.write("figures.bulk.add", datasetId=self.dataset_id, figures=[figure], **options)

    def add_object(self) -> int:
        """Add an object of no item yet."""
        wanted = [{"classId": self.class_id}]
        return self._client.objects.add(self.dataset_id, wanted)[0]

    def edits(self) -> dict[str, Callable[[], Any | Refusal]]:
        """Edits by what they do."""
        figure: Any = self.draw(_INSIDE)
        figure_id = figure[0]["id"]
        label = {"classTitle": "doctor", "geometryType": "rectangle", "tags": [], **_INSIDE}
        document = {"description": "", "tags": [], "objects": [label, label]}
        on_image = {"tagId": self.tag_id, "entityId": self.image_id}
        on_figure = {"tagId": self.tag_id, "figureId": figure_id}
        project = {"projectId": self.project_id}
        return {
            "a figure added": lambda: self.draw(_INSIDE),
            "a tag on the image": lambda: self.write("tags.entities.bulk.add", **project, tags=[on_image]),
            "a tag on a figure": lambda: self.write("figures.tags.bulk.add", **project, tags=[on_figure]),
            "a figure edited": lambda: self.write(
                "annotations.bulk.add",
                datasetId=self.dataset_id,
                annotations=[{"imageId": self.image_id, "annotation": document}],
            ),
            "a description of the image": lambda: self.write(
                "images.editInfo", id=self.image_id, description="doctor"
            ),
            "a dataset renamed": lambda: self.write("datasets.editInfo", id=self.dataset_id, name="renamed"),
            "a class added": lambda: self.write(
                "projects.meta.update",
                id=self.project_id,
                meta={**_META, "classes": [*_META["classes"], {"title": "second", "shape": "any"}]},
            ),
        }

    def moves(self, edit: Callable[[], Any | Refusal]) -> tuple[bool, bool] | None:
        """Say whether an edit moves the image's and the project's stamp; ``None`` if it is refused."""
        before = self._stamps()
        if isinstance(edit(), Refusal):
            return None
        after = self._stamps()
        return before[0] != after[0], before[1] != after[1]

    def _stamps(self) -> tuple[str, str]:
        [image] = self._client.images.list_by_ids(self.dataset_id, [self.image_id])
        return image["updatedAt"], self._client.projects.get(self.project_id).updated_at

    def _add_image(self) -> int:
        with tempfile.TemporaryDirectory(prefix="sv-versioning-doctor-") as folder:
            path = Path(folder) / "doctor.png"
            path.write_bytes(_grey_png(SIDE))
            [image] = self._client.images.upload(self.dataset_id, [(path.name, path)])
        image_id: int = image["id"]
        return image_id


def _yes(answer: object) -> str:
    return str(answer) if isinstance(answer, Refusal) else "no" if answer is False else "yes"


def _grey_png(side: int) -> bytes:
    """A small square image: header, rows and end as the format has them."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + bytes([128]) * side for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
