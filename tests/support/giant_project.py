"""Run as a program: version a giant video project, restore it, and print what each step took, as JSON.

The platform is a stand-in that makes its answers up as they are asked for: no server could be filled with
millions of figures in the time of a test. Arguments: videos, figures a video, frames a video, format.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airflow_sv_versioning.archive import pack_archive, unpack_archive
from airflow_sv_versioning.capture.passes import capture_project
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.project_types.references import check_references
from airflow_sv_versioning.restore.plan import plan_restore
from airflow_sv_versioning.restore.project import Target, restore_project
from airflow_sv_versioning.runtime.progress import Progress
from tests.support.made_up import client_of, page

STAMP = "2026-03-01T10:00:00.000Z"
META = {"classes": [{"id": 1, "title": "car", "shape": "rectangle"}], "tags": []}

DATASET = {"id": 2, "name": "all", "projectId": 1, "parentId": None}

_ID = 700_000_000


class MadeUpPlatform:
    """Answers the calls of a capture."""

    def __init__(self, videos: int, figures: int, frames: int) -> None:
        self._videos, self._figures, self._frames = videos, figures, frames
        # Made once, for making values up takes longer than versioning them.
        self._annotation = json.dumps(self._annotation_of(_ID)).encode()

    def answer(self, method: str, body: Any) -> Any:
        """Answer a call."""
        makers: dict[str, Callable[[], Any]] = {
            "projects.meta": lambda: META,
            "projects.meta.update": lambda: META,
            "projects.list": lambda: page(body, 0, lambda _: []),
            "datasets.add": lambda: DATASET,
            "datasets.list": lambda: page(body, 1, lambda places: [DATASET for _ in places]),
            "images.internal.hashes.list": lambda: body,
            "videos.list": lambda: page(
                body, self._videos, lambda ns: [self._video(_ID + 1 + n) for n in ns]
            ),
            "videos.bulk.add": lambda: [
                {"id": int(video["hash"][5:]), "name": video["title"]} for video in body["videos"]
            ],
            "videos.annotations.bulk.info": lambda: self._annotations(body["videoIds"]),
            "annotation-objects.list": lambda: page(
                body, self._videos, lambda places: [{"id": _ID + 1 + n} for n in places]
            ),
            "figures.list": lambda: self._figures_of(body),
        }
        for key in ("annotationObjects", "figures", "tags"):
            if method.endswith(".bulk.add") and key in body:
                return [{"id": _ID + number} for number in range(len(body[key]))]
        return makers.get(method, self._project)()

    def _annotations(self, video_ids: Sequence[int]) -> bytes:
        ids = (str(video_id).encode() for video_id in video_ids)
        texts = (self._annotation.replace(str(_ID).encode(), video_id) for video_id in ids)
        return b"[%s]" % b",".join(texts)

    def _figures_of(self, body: Any) -> Any:
        """List the figures of some videos, or only count those of all."""
        wanted = [condition["value"] for condition in body["filter"]] or [[]]
        videos = wanted[0] or range(_ID + 1, _ID + 1 + self._videos)

        def entities(places: range) -> list[Any]:
            owners = ((videos[n // self._figures], n % self._figures) for n in places)
            return [{"id": int(f"{video}{number:06}"), "entityId": video} for video, number in owners]

        return page(body, len(videos) * self._figures, entities)

    def _project(self) -> Any:
        ids = {"id": 1, "workspaceId": 1, "teamId": 1}
        return {**ids, "name": "giant", "type": "videos", "updatedAt": STAMP, "itemsCount": self._videos}

    def _video(self, video_id: int) -> Any:
        times = [n / 25 for n in range(self._frames)]
        file = {"framesCount": self._frames, "framesToTimecodes": times, "width": 64, "height": 48, "size": 9}
        known = {"id": video_id, "datasetId": 2, "name": f"{video_id}.mp4", "hash": f"hash {video_id}"}
        return {**known, "updatedAt": STAMP, "fileMeta": file, "meta": {}}

    def _annotation_of(self, video_id: int) -> Any:
        frames = [
            {"index": n, "figures": list(self._on_frame(video_id, n))}
            for n in range(min(self._frames, self._figures))
        ]
        objects = [{"id": video_id, "classTitle": "car", "tags": []}]
        return {"videoId": video_id, "tags": [], "objects": objects, "frames": frames}

    def _on_frame(self, video_id: int, frame: int) -> Any:
        for number in range(frame, self._figures, self._frames):
            yield {
                "id": int(f"{video_id}{number:06}"),
                "objectId": video_id,
                "geometryType": "rectangle",
                "geometry": {
                    "points": {"exterior": [[number / 7, 1.25], [40.5, number / 3]], "interior": []}
                },
                "meta": {"frame": frame},
                "trackId": "5e2c",
                "priority": 1,
                "nnCreated": False,
                "nnUpdated": False,
                "createdAt": STAMP,
                "updatedAt": STAMP,
            }


def main(videos: int, figures: int, frames: int, archive_format: str) -> dict[str, Any]:
    client = client_of(MadeUpPlatform(videos, figures, frames).answer)
    with TemporaryDirectory() as name:
        began = time.monotonic()
        archive = create(client, Path(name), archive_format)
        created = {"peak_mb": peak_mb(), "seconds": time.monotonic() - began}
        began = time.monotonic()
        counts = restore(client, archive, Path(name))
        restored = {"peak_mb": peak_mb(), "seconds": time.monotonic() - began}
    return {"counts": counts, "create": created, "restore": restored}


def create(client: SuperviselyClient, folder: Path, archive_format: str) -> Path:
    made = capture_project(client, 1, folder / "capture", on_concurrent_change="fail", progress=Progress())
    check_references(made.snapshot)
    return pack_archive(made.snapshot, archive_format, folder / "archive", {}).path


def restore(client: SuperviselyClient, archive: Path, folder: Path) -> dict[str, int]:
    unpacked = unpack_archive(archive, "videos", folder / "unpacked")
    plan = plan_restore(client, unpacked.snapshot, 1, "fail", Progress())
    target = Target(1, 1, "restored", "", {})
    restore_project(
        client, plan, target, work_dir=folder, verify="counts", keep_incomplete=False, progress=Progress()
    )
    return dict(plan.counts)


def peak_mb() -> float:
    # Linux says kilobytes.
    # `ru_maxrss` starts at what the parent held when it forked; this counts from the program's start.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    first, second, third, last = sys.argv[1:]
    print(json.dumps(main(int(first), int(second), int(third), last)))
