"""Fills video projects through the SDK with the cases that versioning gets wrong.

What the SDK has no call for (sub-pixel vertices, custom data and notes of figures) goes through its
``api.post``, as apps do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import supervisely as sly
from supervisely.project.project_settings import ProjectSettings
from supervisely.video_annotation.key_id_map import KeyIdMap

HOLED = {
    "points": {
        "exterior": [[1.125, 2.25], [67.875, 2.3333333333333335], [66.1, 45.7], [2.0625, 44.2]],
        "interior": [[[5.5, 5.5], [8.25, 5.5], [7.1, 8.9]]],
    }
}
SETTINGS = {"allowDuplicateTags": True, "advancedSettings": {"isReadOnlyProject": False}}
FRAMES = 10


def fill_videos(
    api: sly.Api, workspace_id: int, name: str, *, films: str, link: str | None = None, many: int = 0
) -> int:
    """Make a project with every nasty case.

    :param films: folder of at least five video files.
    :param link: address of a video on some server.
    :param many: size of the dataset that does not fit one batch.
    """
    files = sorted(Path(films).iterdir())
    project_id, meta = make_video_project(api, workspace_id, name)
    add = api.dataset.create
    street = add(project_id, "street", description="by day", custom_data={"split": "train"}).id
    deep = add(project_id, "улица 道", parent_id=street).id
    add(project_id, "empty")
    moved = add(project_id, "moved").id
    below = add(project_id, "below", parent_id=moved).id
    # Its parent now has a larger id than it has.
    api.dataset.move_to_dataset(moved, add(project_id, "attic").id)
    videos = api.video.upload_paths(
        street, ["first.mp4", "пример 影片.mp4", "same.mp4", "bare.mp4"], [str(file) for file in files[:4]]
    )
    (other,) = api.video.upload_paths(deep, ["same.mp4"], [str(files[4])])
    (deepest,) = api.video.upload_hashes(below, ["same.mp4"], [videos[0].hash])
    for number, video in enumerate([*videos[:3], other, deepest]):
        append_annotation(api, video, meta, number)
    add_raw_figures(api, project_id, videos[0].id)
    api.video.update_custom_data(videos[0].id, {"weather": {"дождь": [1, None, 2.5]}})
    api.post("images.editInfo", {"id": videos[1].id, "description": "Описание of one video"})
    if link:
        (linked,) = api.video.upload_links(deep, [link], ["linked.mp4"])
        append_annotation(api, linked, meta, 4)
    if many:
        fill_many(api, add(project_id, "many").id, [video.hash for video in videos], meta, many)
    return project_id


def make_video_project(api: sly.Api, workspace_id: int, name: str) -> tuple[int, sly.ProjectMeta]:
    project = api.project.create(workspace_id, name, "videos", "Every case", change_name_if_conflict=True)
    api.project.edit_info(project.id, readme="# Фильмы")
    api.project.update_custom_data(project.id, {"batch": 7, "nested": {"ключ": [1, None, 2.5]}})
    api.project.update_meta(project.id, make_video_meta())
    api.project.update_settings(project.id, SETTINGS)
    return project.id, sly.ProjectMeta.from_json(api.project.get_meta(project.id))


def make_video_meta(interface: str | None = None) -> sly.ProjectMeta:
    # Neither by name nor by shape in order: mapping by position would show.
    classes = [
        sly.ObjClass("лицо", sly.Rectangle, color=[0, 255, 0]),
        sly.ObjClass("car", sly.Polygon, color=[255, 0, 0], hotkey="c"),
        sly.ObjClass("a car too", sly.Polygon, color=[254, 0, 0]),
        sly.ObjClass("anything", sly.AnyGeometry),
    ]
    tags = [
        sly.TagMeta("scene", sly.TagValueType.ANY_STRING),
        sly.TagMeta("speed", sly.TagValueType.ANY_NUMBER, color=[1, 2, 3]),
        sly.TagMeta("flag", sly.TagValueType.NONE),
        sly.TagMeta("light", sly.TagValueType.ONEOF_STRING, possible_values=["b", "a"]),
    ]
    settings = ProjectSettings(labeling_interface=interface) if interface else None
    return sly.ProjectMeta(
        sly.ObjClassCollection(classes), sly.TagMetaCollection(tags), "videos", project_settings=settings
    )


def append_annotation(api: sly.Api, video: sly.api.video.video_api.VideoInfo, meta: Any, number: int) -> None:
    api.video.annotation.append(video.id, annotation_of(video, meta, number))


def annotation_of(video: Any, meta: sly.ProjectMeta, number: int) -> sly.VideoAnnotation:
    """Objects that appear, vanish and reappear; tags on ranges that touch and overlap."""
    speeds = [_tag(meta, "speed", 1.5, (0, 3)), _tag(meta, "speed", 2, (3, 5)), _tag(meta, "flag")]
    face = sly.VideoObject(meta.get_obj_class("лицо"), tags=sly.VideoTagCollection(speeds))
    cars = [sly.VideoObject(meta.get_obj_class(name)) for name in ("a car too", "car")]
    shown = {face: (0, 1, 4, 5, 9), cars[0]: (2, number + 3), cars[1]: (1,)}
    frames = []
    for index in range(FRAMES):
        figures = [
            sly.VideoFigure(owner, _shape(owner, index), index, track_id=None)
            for owner, frames_of in shown.items()
            if index in frames_of
        ]
        if figures:
            frames.append(sly.Frame(index, figures))
    tags = [
        _tag(meta, "scene", "day", (0, 3)),
        _tag(meta, "scene", "night", (4, 9)),
        _tag(meta, "scene", "tunnel", (3, 5)),
        _tag(meta, "light", "ab"[number % 2]),
        _tag(meta, "flag"),
    ]
    return sly.VideoAnnotation(
        (video.frame_height, video.frame_width),
        video.frames_count,
        sly.VideoObjectCollection([face, *cars]),
        sly.FrameCollection(frames),
        sly.VideoTagCollection(tags),
    )


def _shape(owner: sly.VideoObject, index: int) -> Any:
    if owner.obj_class.geometry_type is sly.Rectangle:
        return sly.Rectangle(index, 2, 40 + index, 60)
    at = sly.PointLocation
    return sly.Polygon([at(1, 1 + index), at(1, 60), at(40, 60)])


def _tag(meta: sly.ProjectMeta, name: str, value: Any = None, span: tuple[int, int] | None = None) -> Any:
    return sly.VideoTag(meta.get_tag_meta(name), value, frame_range=span)


def add_raw_figures(api: sly.Api, project_id: int, video_id: int) -> None:
    """Add what has exact coordinates, tracks, priorities, custom data and notes."""
    classes = {entry["title"]: entry["id"] for entry in api.project.get_meta(project_id)["classes"]}
    dataset_id = api.video.get_info_by_id(video_id).dataset_id
    wanted = [{"classId": classes["anything"], "entityId": video_id}]
    body = {"datasetId": dataset_id, "annotationObjects": wanted}
    (made,) = api.post("annotation-objects.bulk.add", body).json()
    figures = [
        {
            "objectId": made["id"],
            "geometryType": "polygon",
            "geometry": HOLED,
            "meta": {"frame": frame},
            "priority": 7 - frame,
            "trackId": f"5e2c-{frame}",
            "smartToolInput": {"crop": [[0.5, 1], [20.25, 30]], "visible": True},
            "nnCreated": frame == 6,
            "nnUpdated": frame == 3,
            "customData": {"score": 0.1, "model": "лимон"},
            "description": "a note on a figure",
        }
        for frame in (3, 6)
    ]
    api.post("figures.bulk.add", {"entityId": video_id, "figures": figures})


def fill_many(api: sly.Api, dataset_id: int, hashes: list[str], meta: sly.ProjectMeta, many: int) -> None:
    names = [f"film {number:04}.mp4" for number in range(many)]
    videos = api.video.upload_hashes(dataset_id, names, [hashes[n % len(hashes)] for n in range(many)])
    for number, video in enumerate(videos):
        if number % 10 == 7:
            append_annotation(api, video, meta, number % 5)


def fill_views(api: sly.Api, workspace_id: int, name: str, films: str) -> int:
    """Make a multi-view project: two videos that share objects, and one object of the second alone."""
    project = api.project.create(workspace_id, name, "videos", change_name_if_conflict=True)
    interface = sly.project.project_settings.LabelingInterface.MULTIVIEW
    api.project.update_meta(project.id, make_video_meta(interface))
    api.project.update_settings(project.id, {"labelingInterface": interface, "allowDuplicateTags": False})
    meta = sly.ProjectMeta.from_json(api.project.get_meta(project.id, with_settings=True))
    dataset_id = api.dataset.create(project.id, "crossing").id
    files = sorted(Path(films).iterdir())[:2]
    videos = api.video.upload_paths(dataset_id, ["left.mp4", "right.mp4"], [str(file) for file in files])
    one = annotation_of(videos[0], meta, 0)
    own = sly.VideoObject(meta.get_obj_class("лицо"))
    frames = [*one.frames, sly.Frame(8, [sly.VideoFigure(own, sly.Rectangle(1, 2, 30, 40), 8)])]
    other = one.clone(objects=one.objects.add(own), frames=sly.FrameCollection(frames))
    ids = [video.id for video in videos]
    api.video.annotation.upload_anns_multiview(ids, [one, other], key_id_map=KeyIdMap())
    return project.id
