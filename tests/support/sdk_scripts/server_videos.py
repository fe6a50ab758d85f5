"""Runs inside an environment of the official SDK: fills video projects, versions them, reads them back.

The SDK logs to stdout, so what it saw goes to a file.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import supervisely as sly
from supervisely.project.project_settings import LabelingInterface, ProjectSettings

SIZE = (144, 176)
FRAMES = 120


def main() -> None:
    url, token, video, link, answer = sys.argv[1:]
    api = sly.Api(url, token)
    seen = {"views": views(api, link), **whole(api, Path(video), link)}
    Path(answer).write_text(json.dumps(seen))


def whole(api: sly.Api, video: Path, link: str) -> dict[str, Any]:
    project, dataset, meta = new_project(api, "videos of the SDK", ProjectSettings())
    uploaded = api.video.upload_path(dataset.id, "a.mp4", str(video), meta={"camera": 1})
    api.video.upload_hash(dataset.id, "b.mp4", uploaded.hash)
    api.video.upload_link(dataset.id, link, "c.mp4", skip_download=True)
    api.video.update_custom_data(uploaded.id, {"a": [1]})
    api.video.annotation.append(uploaded.id, annotation(meta))
    before = content(api, project.id)
    version_id = api.project.version.create(api.project.get_info_by_id(project.id), "v")
    again = api.project.version.create(api.project.get_info_by_id(project.id), "v")
    source = api.project.get_info_by_id(project.id)
    restored = api.project.version.restore(source, version_id=version_id)
    preview = api.project.version.enable_preview(source, version_id=version_id)
    with tempfile.TemporaryDirectory() as folder:
        sly.VideoProject.download(api, project.id, folder + "/p", save_video_info=True)
        same_bytes = Path(folder, "p", "first", "video", "a.mp4").read_bytes() == video.read_bytes()
        uploaded_id, _ = sly.VideoProject.upload(folder + "/p", api, 1, "uploaded again")
    return {
        "first": uploaded._asdict(),
        "versions": [version_id, again],
        "source": before,
        "restored": content(api, restored.id),
        "preview": content(api, preview.id),
        "uploaded": content(api, uploaded_id),
        "same_bytes": same_bytes,
    }


def views(api: sly.Api, link: str) -> list[Any]:
    """Two views of one scene; the second car is in the right one only."""
    settings = ProjectSettings(labeling_interface=LabelingInterface.MULTIVIEW)
    _, dataset, meta = new_project(api, "views", settings)
    infos = api.video.upload_links(dataset.id, [link, link], ["left.mp4", "right.mp4"])
    ids = [info.id for info in infos]
    box, text = meta.get_obj_class("box"), meta.get_tag_meta("text")
    both = [
        sly.VideoObject(box, tags=sly.VideoTagCollection([sly.VideoTag(text, "left", frame_range=(0, 3))]))
    ]
    both.append(both[0].clone(tags=sly.VideoTagCollection([sly.VideoTag(text, "right", frame_range=(2, 3))])))
    second = sly.VideoObject(box)
    shown = [[(both[0], 1)], [(both[1], 2), (second, 5)]]
    annotations = [
        sly.VideoAnnotation(
            SIZE,
            FRAMES,
            sly.VideoObjectCollection([item for item, _ in figures]),
            sly.FrameCollection([frame(item, at) for item, at in figures]),
        )
        for figures in shown
    ]
    api.video.annotation.upload_anns_multiview(ids, annotations)
    return [
        [[item["id"], [tag["value"] for tag in item["tags"]]] for item in found["objects"]]
        for found in api.video.annotation.download_bulk(dataset.id, ids)
    ]


def frame(item: sly.VideoObject, index: int) -> sly.Frame:
    return sly.Frame(index, [sly.VideoFigure(item, sly.Rectangle(1, 2, 30, 40), index)])


def new_project(api: sly.Api, name: str, settings: ProjectSettings) -> Any:
    project = api.project.create(1, name, type=sly.ProjectType.VIDEOS, change_name_if_conflict=True)
    classes = [sly.ObjClass("box", sly.Rectangle), sly.ObjClass("area", sly.Polygon)]
    tags = [sly.TagMeta("text", sly.TagValueType.ANY_STRING), sly.TagMeta("flag", sly.TagValueType.NONE)]
    wanted = sly.ProjectMeta(
        sly.ObjClassCollection(classes),
        sly.TagMetaCollection(tags),
        project_type="videos",
        project_settings=settings,
    )
    meta = api.project.update_meta(project.id, wanted.to_json())
    return project, api.dataset.create(project.id, "first"), meta


def annotation(meta: sly.ProjectMeta) -> sly.VideoAnnotation:
    """Objects that appear, vanish and appear again; tags on frames that touch and overlap."""
    text, flag = meta.get_tag_meta("text"), meta.get_tag_meta("flag")
    touching = [sly.VideoTag(text, "x", frame_range=(0, 4)), sly.VideoTag(text, "y", frame_range=(5, 9))]
    box = sly.VideoObject(meta.get_obj_class("box"), tags=sly.VideoTagCollection(touching))
    area = sly.VideoObject(meta.get_obj_class("area"))
    polygon = sly.Polygon([[1, 2], [10, 2], [10, 20]], [[[3, 4], [5, 4], [5, 6]]])
    frames = []
    for index in (0, 1, 2, 10, 11, FRAMES - 1):
        figures = [sly.VideoFigure(box, sly.Rectangle(1, 2, 30, 40 + index % 5), index)]
        if index % 2 == 0:
            figures.append(sly.VideoFigure(area, polygon, index, priority=3, track_id="t"))
        frames.append(sly.Frame(index, figures))
    tags = [
        sly.VideoTag(flag, frame_range=(0, 10)),
        sly.VideoTag(flag, frame_range=(5, 20)),
        sly.VideoTag(flag, frame_range=(7, 7), is_finished=False, non_final_value=True),
        sly.VideoTag(text, "always"),
    ]
    objects = sly.VideoObjectCollection([box, area])
    return sly.VideoAnnotation(
        SIZE, FRAMES, objects, sly.FrameCollection(frames), sly.VideoTagCollection(tags)
    )


def content(api: sly.Api, project_id: int) -> list[Any]:
    return [
        {
            "name": video.name,
            "hash": video.hash,
            "link": video.link,
            "custom_data": video.custom_data,
            "frames": [video.frames_count, video.frames_to_timecodes],
            "annotation": plain(api.video.annotation.download(video.id)),
        }
        for dataset in api.dataset.get_list(project_id)
        for video in api.video.get_list(dataset.id)
    ]


def plain(found: dict[str, Any]) -> dict[str, Any]:
    classes = {item["id"]: item["classTitle"] for item in found["objects"]}
    kept = ("geometry", "priority", "trackId")
    return {
        "tags": tags_of(found),
        "objects": [[item["classTitle"], tags_of(item)] for item in found["objects"]],
        "figures": [
            [frame["index"], classes[figure["objectId"]], *(figure[member] for member in kept)]
            for frame in found["frames"]
            for figure in frame["figures"]
        ],
    }


def tags_of(owner: dict[str, Any]) -> list[Any]:
    members = ("name", "value", "frameRange", "isFinished", "nonFinalValue")
    return [[tag.get(member) for member in members] for tag in owner["tags"]]


if __name__ == "__main__":
    main()
