"""Where on their items figures are: on the whole image, on a frame of a video, on a slice of a volume."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_project
from airflow_sv_versioning.server.behaviour.frames import check_frame, framed_items
from airflow_sv_versioning.server.behaviour.planes import placed_meta, volumes_among
from airflow_sv_versioning.server.database import Reader


@dataclass(frozen=True)
class Place:
    """Where one figure is.

    :param frame: number of a video's frame, or of a volume's slice; ``None`` where a figure has neither.
    :param meta: what is stored as the figure's meta.
    """

    frame: int | None
    meta: Mapping[str, Any]


class Placement:
    """Finds the places of figures on some items of one project."""

    def __init__(self, db: Reader, project_id: int, item_ids: Collection[int]) -> None:
        project_type = get_project(db, project_id)["type"]
        self._videos = (
            {row["id"]: row for row in framed_items(db, item_ids)} if project_type == "videos" else {}
        )
        self._volumes = volumes_among(db, item_ids) if project_type == "volumes" else {}

    def place(self, item_id: int, figure: Mapping[str, Any], geometry_type: str) -> Place:
        """Where a figure is, as its meta says.

        :raises RequestRejectedError: its item has no such frame, plane or slice.
        """
        meta = figure.get("meta") or {}
        if item_id in self._videos:
            return Place(check_frame(self._videos[item_id], meta.get("frame"), "A figure"), meta)
        if item_id in self._volumes:
            placed = placed_meta(self._volumes[item_id], figure, geometry_type)
            return Place(placed["sliceIndex"], placed)
        return Place(None, meta)
