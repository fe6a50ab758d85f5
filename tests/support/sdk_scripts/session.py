"""Runs inside an environment of the official SDK: one JSON command a line on stdin, one answer each.

Importing the SDK takes seconds, so one process serves many tests. Every command gets an ``Api`` of its
own, because the SDK keeps the state of its versioning in that object.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any


def main() -> None:
    # The SDK logs to stdout, from its import on; the answers keep the real one for themselves.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    import content
    import converting
    import filling
    import opening
    import supervisely as sly
    import versions
    import video_content
    import video_filling
    import volume_projects
    import volume_uploads

    commands = {
        "fill": filling.fill,
        "fill_small": filling.fill_small,
        "grow": filling.grow,
        "read": content.read,
        "to_coco": converting.to_coco,
        "fill_videos": video_filling.fill_videos,
        "fill_views": video_filling.fill_views,
        "read_videos": video_content.read_videos,
        "open_images": opening.open_images,
        "open_videos": opening.open_videos,
        "open_volumes": opening.open_volumes,
        "fill_volumes": volume_projects.fill_volumes,
        "dicom_series": volume_projects.dicom_series,
        "read_volumes": volume_projects.read_volumes,
        "normalise_volumes": volume_uploads.normalise_volumes,
        "read_mask": volume_uploads.read_mask,
        "upload_volume": volume_uploads.upload_volume,
        "create_older_volumes": volume_projects.create_older_volumes,
        "create": versions.create,
        "create_older_videos": versions.create_older_videos,
        "restore": versions.restore,
        "restore_unhurried": versions.restore_unhurried,
        "list": versions.list_versions,
        "map": versions.read_map,
    }
    api = sly.Api(request.pop("server"), request.pop("token"))
    try:
        return {"result": commands[request.pop("command")](api, **request)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}


if __name__ == "__main__":
    main()
