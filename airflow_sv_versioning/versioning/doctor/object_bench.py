"""Projects of items that carry annotation objects, and figures of theirs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from airflow_sv_versioning.versioning.doctor.bench import IMAGE_SIDE, INSIDE, MOVED, Bench, Edit

FRAMES = 3
_VOXELS_A_SIDE = 4


class ObjectBench(Bench):
    """A project of one item.

    :cvar place: ``meta`` of figures: where they stand.
    """

    place: ClassVar[Mapping[str, Any]]

    @abstractmethod
    def tag(self, **value: Any) -> Any:
        """Tag the item."""

    @abstractmethod
    def own_edits(self, object_id: int) -> Sequence[Edit]:
        """What is tried beside the edits that all such items know."""

    def edits(self) -> Sequence[Edit]:
        """Edits of what is annotated on the item: each is tried on something that stands already."""
        kept_id, doomed_id = (self.add_object()[0]["id"] for _ in range(2))
        moved_id, removed_id = (self.draw(kept_id)[0]["id"] for _ in range(2))
        item_tag = self.tag(tagId=self.said_id, value="one")[0]["id"]
        object_tag = self.tag_object(kept_id, tagId=self.said_id, value="one")[0]["id"]
        on_items, on_objects = f"{self.project_type}.tags", "annotation-objects.tags"

        def edit(what: str, method: str, **body: Any) -> Edit:
            return Edit(what, lambda: self.write(method, **body))

        return (
            Edit("an object added", self.add_object),
            Edit("a figure added", lambda: self.draw(kept_id)),
            edit("a figure moved", "figures.editInfo", id=moved_id, geometry=MOVED),
            edit(
                "custom data of a figure",
                "figures.custom-data.update",
                id=moved_id,
                customData={"doctor": "was here"},
                updateStrategy="merge",
            ),
            *self.own_edits(kept_id),
            edit("a figure removed", "figures.bulk.remove", figureIds=[removed_id]),
            Edit("a tag on the item", self.tag),
            edit("the value of a tag on the item", f"{on_items}.update-value", id=item_tag, value="two"),
            edit("a tag taken off the item", f"{on_items}.remove", id=item_tag),
            Edit("a tag on an object", lambda: self.tag_object(kept_id)),
            edit("the value of a tag on an object", f"{on_objects}.update-value", id=object_tag, value="two"),
            edit("a tag taken off an object", f"{on_objects}.remove", id=object_tag),
            Edit("an object removed", lambda: self.send("annotation-objects.bulk.remove", [doomed_id])),
        )

    def add_object(self) -> Any:
        """Add an object."""
        objects = [{"entityId": self.item_id, "classId": self.class_id}]
        return self.write("annotation-objects.bulk.add", datasetId=self.dataset_id, annotationObjects=objects)

    def tag_object(self, object_id: int, **value: Any) -> Any:
        """Tag an object."""
        tags = [{"tagId": self.tag_id, "objectId": object_id, **value}]
        return self.write("annotation-objects.tags.bulk.add", projectId=self.project_id, tags=tags)

    def draw(self, object_id: int, **figure: Any) -> Any:
        """Add a figure to an object."""
        box = {"geometryType": "rectangle", "geometry": INSIDE, "meta": self.place}
        entries = [{"objectId": object_id, **box, **figure}]
        return self.write("figures.bulk.add", entityId=self.item_id, figures=entries)


class VideoBench(ObjectBench):
    """A project of one short video.

    :raises ModuleNotFoundError: the extra ``placeholders``, which draws videos, is not installed.
    """

    project_type = "videos"
    place: ClassVar = {"frame": 0}

    def tag(self, **value: Any) -> Any:
        """Tag the video."""
        tags = [{"tagId": self.tag_id, **value}]
        return self.write("videos.tags.bulk.add", videoId=self.item_id, tags=tags)

    def own_edits(self, object_id: int) -> Sequence[Edit]:
        """Edits of tags on frames."""
        tag_id = self.tag(tagId=self.said_id, value="one", frameRange=[0, 1])[0]["id"]
        frames = {"id": tag_id, "frameRange": [0, 2]}
        return (Edit("frames of a tag", lambda: self.write("videos.tags.update", **frames)),)

    def _add_item(self, folder: Path) -> int:
        from airflow_sv_versioning.restore.placeholders.videos import VideoPlaceholders

        path = folder / "doctor.mp4"
        shape = {
            "frame_width": IMAGE_SIDE,
            "frame_height": IMAGE_SIDE,
            "frames_count": FRAMES,
            "frames_to_timecodes": None,
        }
        VideoPlaceholders().draw(shape, path)
        [video] = self._client.videos.upload(self.dataset_id, [(path.name, path)])
        video_id: int = video["id"]
        return video_id


class VolumeBench(ObjectBench):
    """A project of one volume of a few voxels."""

    project_type = "volumes"
    place: ClassVar = {"sliceIndex": 0, "planeName": "axial", "normal": {"x": 0, "y": 0, "z": 1}}

    def tag(self, **value: Any) -> Any:
        """Tag the volume."""
        tags = [{"tagId": self.tag_id, **value}]
        return self.write("volumes.tags.bulk.add", entityId=self.item_id, tags=tags)

    def own_edits(self, object_id: int) -> Sequence[Edit]:
        """Edits of masks, whose voxels are files beside their figures."""
        empty, full = (self._mask(object_id) for _ in range(2))
        self._fill(full, 0)
        return (
            Edit("voxels of a mask", lambda: self._fill(empty, 1)),
            Edit("other voxels of a mask", lambda: self._fill(full, 1)),
        )

    def _mask(self, object_id: int) -> int:
        added = self.draw(object_id, geometryType="mask_3d", geometry={}, meta={})
        figure_id: int = added[0]["id"]
        return figure_id

    def _fill(self, figure_id: int, level: int) -> Any:
        file = (str(figure_id), _cube(level), "application/sla")
        parts = [("figureId", str(figure_id)), ("geometry", file)]
        send = self._client.transport.upload
        return self._try(lambda: send("figures.bulk.upload.geometry", lambda: list(parts)))

    def _add_item(self, folder: Path) -> int:
        path = folder / "doctor.nrrd"
        path.write_bytes(_cube(0))
        [volume] = self._client.volumes.upload(self.dataset_id, [(path.name, path, _META)])
        volume_id: int = volume["id"]
        return volume_id


_META = {
    "channelsCount": 1,
    "rescaleSlope": 1,
    "rescaleIntercept": 0,
    "intensity": {"min": 0.0, "max": 1.0},
    "dimensionsIJK": dict.fromkeys("xyz", _VOXELS_A_SIDE),
    "ACS": "RAS",
    "spacing": [1.0, 1.0, 1.0],
    "origin": [0.0, 0.0, 0.0],
    "directions": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
    "windowWidth": 1.0,
    "windowCenter": 0.5,
}


def _cube(level: int) -> bytes:
    """A small volume, or the mask of one: header and voxels as the format has them."""
    sizes = " ".join([str(_VOXELS_A_SIDE)] * 3)
    lines = ("NRRD0004", "type: uint8", "dimension: 3", "space: right-anterior-superior", f"sizes: {sizes}")
    axes = "space directions: (1,0,0) (0,1,0) (0,0,1)"
    header = (*lines, axes, "endian: little", "encoding: raw", "space origin: (0,0,0)", "", "")
    return "\n".join(header).encode() + bytes([level]) * _VOXELS_A_SIDE**3
