"""Run as a program: version a giant video project, restore it, and print what each step took, as JSON.

The platform is a stand-in that makes its answers up as they are asked for: no server could be filled with
millions of figures in the time of a test. Arguments: videos, figures a video, frames a video, format.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.snapshot.archive import pack_archive, unpack_archive
from airflow_sv_versioning.snapshot.capture import capture_project
from airflow_sv_versioning.snapshot.kinds.kind import names_of
from airflow_sv_versioning.snapshot.plan import check_references, plan_restore
from airflow_sv_versioning.snapshot.progress import Progress
from airflow_sv_versioning.snapshot.restore.project import Target, restore_project
from airflow_sv_versioning.snapshot.tree import dataset_paths

STAMP = "2026-03-01T10:00:00.000Z"
META = {"classes": [{"id": 1, "title": "car", "shape": "rectangle"}], "tags": []}

DATASET = {"id": 2, "name": "all", "projectId": 1, "parentId": None}

_ID = 700_000_000


class MadeUpPlatform:
    """Answers the calls of a capture."""

    server_url = "http://made.up"
    max_workers = 8

    def __init__(self, videos: int, figures: int, frames: int) -> None:
        self._videos, self._figures, self._frames = videos, figures, frames
        # Made once, for making values up takes longer than versioning them.
        self._annotation = json.dumps(self._annotation_of(_ID)).encode()

    def call(self, method: str, body: Any = None, **_: Any) -> Any:
        answers = {
            "projects.meta": META,
            "projects.meta.update": META,
            "images.internal.hashes.list": body,
            "datasets.add": DATASET,
            "annotation-objects.list": {"total": self._videos},
        }
        if method == "videos.bulk.add":
            return [{"id": int(video["hash"][5:]), "name": video["title"]} for video in body["videos"]]
        if method == "videos.list":
            return {"total": self._videos}
        if method == "figures.list":
            return {"total": self._videos * self._figures}
        for key in ("annotationObjects", "figures", "tags"):
            if method.endswith(".bulk.add") and key in body:
                return [{"id": _ID + number} for number in range(len(body[key]))]
        return answers.get(method) or self._project()

    def call_encoded(self, method: str, body: bytes, **_: Any) -> Any:
        return self.call(method, msgspec.json.decode(body))

    def call_typed(self, method: str, body: Any, answer_type: Any) -> Any:
        # As the real one, this has an answer's text in memory beside its values.
        ids = (str(video_id).encode() for video_id in body["videoIds"])
        text = b"[%s]" % b",".join(self._annotation.replace(str(_ID).encode(), video_id) for video_id in ids)
        return msgspec.json.decode(text, type=answer_type)

    def pages(self, method: str, _: Any, per_page: int = 500) -> Any:
        return iter([DATASET] if method == "datasets.list" else [])

    def token_pages(self, _: str, __: Any, per_page: int) -> Any:
        for start in range(0, self._videos, per_page):
            yield [self._video(_ID + 1 + n) for n in range(start, min(start + per_page, self._videos))]

    def close(self) -> None:
        """Nothing is open."""

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
    transport: Any = MadeUpPlatform(videos, figures, frames)
    client = SuperviselyClient("http://made.up", "token", transport=transport)
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
    check_references(made.snapshot, dataset_paths(made.snapshot), names_of(made.snapshot.project_meta))
    return pack_archive(made.snapshot, archive_format, folder / "archive", {}).path


def restore(client: SuperviselyClient, archive: Path, folder: Path) -> dict[str, int]:
    unpacked = unpack_archive(archive, "videos", folder / "unpacked")
    plan = plan_restore(client, unpacked.snapshot, "fail", Progress())
    target = Target(1, "restored", "", {})
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
    print(json.dumps(main(*map(int, sys.argv[1:4]), sys.argv[4])))
