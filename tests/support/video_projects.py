"""Small projects of real videos made through our own client."""

import struct
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from tests.support.projects import ids_of
from tests.support.types import Client
from tests.support.videos import real_video

META = {
    "classes": [
        {"title": "лицо", "shape": "rectangle", "color": "#FFEE00", "geometry_config": {}},
        {"title": "a car", "shape": "any", "color": "#11AA00", "geometry_config": {}},
    ],
    "tags": [
        {"name": "scene", "value_type": "any_string", "color": "#0000FF"},
        {"name": "speed", "value_type": "any_number", "color": "#00FF00"},
    ],
    "projectType": "videos",
}
_numbers = count(1)


def write_videos(folder: Path, number: int) -> list[Path]:
    """Write files of one film that differ in a box that players skip, so each has a hash of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    film = real_video().read_bytes()
    paths = [folder / f"{index:04}.mp4" for index in range(number)]
    for index, path in enumerate(paths):
        path.write_bytes(film + struct.pack(">I4sQ", 16, b"free", index))
    return paths


def box(left: float, top: float, right: float, bottom: float) -> dict[str, Any]:
    return {"points": {"exterior": [[left, top], [right, bottom]], "interior": []}}


def make_video_project(
    client: Client, files: Sequence[Path], *, workspace_id: int = 1, name: str = "traffic"
) -> int:
    """Make a project of one dataset; all videos but the last are annotated.

    :returns: its id.
    """
    title = f"{name} {next(_numbers)} of {id(client)}"
    project_id = client.projects.add(workspace_id, title, "videos").id
    client.projects.update_meta(project_id, META)
    client.projects.edit(project_id, customData={"camera": {"номер": 7}})
    if files:
        add_video_dataset(client, project_id, "street", files)
    return project_id


def add_video_dataset(client: Client, project_id: int, name: str, files: Sequence[Path]) -> int:
    """Add a dataset of videos to a project of :func:`make_video_project`."""
    dataset_id = client.datasets.add(project_id, name, custom_data={"split": name}).id
    videos = client.videos.upload(dataset_id, [(file.name, file) for file in files])
    for video in videos[: max(1, len(videos) - 1)]:
        annotate(client, project_id, dataset_id, video["id"])
    client.videos.set_custom_data(videos[0]["id"], {"weather": ["rain", None]})
    client.videos.describe(videos[0]["id"], "Описание of a video")
    return dataset_id


def annotate(client: Client, project_id: int, dataset_id: int, video_id: int) -> None:
    """Annotate a video: objects that appear, vanish and reappear, tags on ranges that touch and overlap."""
    classes, tags = ids_of(client, project_id)
    face, car = client.objects.add(
        dataset_id, [{"classId": classes[title], "entityId": video_id} for title in ("лицо", "a car")]
    )
    client.videos.add_tags(video_id, [_tag(tags["scene"], value, *span) for value, span in _SCENES])
    speeds = [
        {**_tag(tags["speed"], 1.5, 2, 5), "objectId": car},
        {**_tag(tags["speed"], 3), "objectId": car},
    ]
    client.objects.add_tags({"projectId": project_id}, speeds)
    client.videos.add_figures(video_id, [*_figures(face, (0, 1, 5, 6)), *_figures(car, (1, 2, 9))])


_SCENES = (("day", (0, 3)), ("night", (4, 9)), ("tunnel", (3, 5)), ("whole", ()))


def _figures(object_id: int, frames: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {
            "objectId": object_id,
            "geometryType": "rectangle",
            "geometry": box(1.25 + frame, 2.5, 40.125, 50.0625 + frame),
            "meta": {"frame": frame},
            "priority": 2 + frame,
            "trackId": f"5e2c-{len(frames)}",
            "nnCreated": bool(frame % 2),
            "nnUpdated": False,
            "customData": {"score": frame / 8} if frame % 2 else {},
            "description": "seen twice" if frame == 1 else "",
        }
        for frame in frames
    ]


def _tag(tag_id: int, value: Any, *span: int) -> dict[str, Any]:
    tag: dict[str, Any] = {"tagId": tag_id, "value": value}
    return {**tag, "frameRange": list(span)} if span else tag


def read_videos(client: Client, project_id: int) -> dict[str, Any]:
    """Read what a project's videos are and carry, keyed by dataset and name."""
    return dict(_videos(client, project_id))


def _videos(client: Client, project_id: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for dataset in client.datasets.list_all(project_id):
        for page in client.videos.iter_pages(dataset.id):
            ids = [video["id"] for video in page]
            notes = {note["id"]: note for note in client.figures.iter_notes(dataset.id, ids)}
            exact = {"datasetId": dataset.id, "videoIds": ids, "integerCoords": False}
            annotations = client.transport.call("videos.annotations.bulk.info", exact)
            for video, annotation in zip(page, annotations, strict=True):
                known = {key: video.get(key) for key in ("hash", "link", "customData", "description")}
                yield f"{dataset.name}/{video['name']}", {**known, **_annotated(annotation, notes)}


def _annotated(annotation: dict[str, Any], notes: dict[int, dict[str, Any]]) -> dict[str, Any]:
    numbers = {entry["id"]: number for number, entry in enumerate(annotation["objects"])}
    return {
        "tags": [_plain(tag) for tag in annotation["tags"]],
        "objects": [
            [entry["classTitle"], [_plain(tag) for tag in entry["tags"]]] for entry in annotation["objects"]
        ],
        "figures": [
            {
                **_plain(figure),
                "frame": frame["index"],
                "object": numbers[figure["objectId"]],
                **{key: notes[figure["id"]][key] for key in ("customData", "description")},
            }
            for frame in annotation["frames"]
            for figure in frame["figures"]
        ],
    }


_UNEQUAL = {"id", "tagId", "objectId", "createdAt", "updatedAt"}


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in _UNEQUAL}
