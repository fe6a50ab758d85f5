"""Fills projects through the SDK with the cases that versioning gets wrong.

What the SDK has no call for (sub-pixel vertices, priority, custom data of figures, the same tag twice)
goes through its ``api.post``, as apps do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import figures
import supervisely as sly
from meta import make_meta

SETTINGS = {"allowDuplicateTags": True}
ODD_NAMES = (
    "no extension",
    "a photo.tif",
    "пример 图片 🍋.png",
    "100% #1 & more.jpeg",
    "PHOTO.JPG",
    "v1.2.final",
)


def fill(
    api: sly.Api, workspace_id: int, name: str, *, photos: str, link: str | None = None, many: int = 0
) -> int:
    """Make a project with every nasty case.

    :param photos: folder of image files, at least as many as ``many`` and 12.
    :param link: address of an image on some server, for images by link.
    :param many: size of the dataset that does not fit one page or batch.
    """
    files = sorted(Path(photos).iterdir())
    project_id = _make_project(api, workspace_id, name)
    meta = _update_meta(api, project_id)
    datasets = _make_datasets(api, project_id)
    _fill_shapes(api, datasets["shapes"], files[:6], meta)
    _fill_odd_names(api, datasets["odd names"], files[6:12])
    _fill_equal_names(api, [datasets[name] for name in ("train", "deep", "other train")], files[0])
    if link:
        _fill_links(api, datasets["odd names"], link)
    _fill_many(api, datasets["many"], files[:many], meta)
    return project_id


def fill_small(api: sly.Api, workspace_id: int, name: str, photos: str, images: int = 3) -> int:
    """Make a project of one dataset and a few images with one rectangle and one tag each."""
    files = sorted(Path(photos).iterdir())[:images]
    project_id = api.project.create(workspace_id, name, change_name_if_conflict=True).id
    meta = _update_meta(api, project_id)
    _fill_many(api, api.dataset.create(project_id, "photos").id, files, meta)
    return project_id


def grow(api: sly.Api, project_id: int, photos: str, images: int = 2) -> None:
    """Add a dataset of annotated images to a project of :func:`fill_small`."""
    meta = sly.ProjectMeta.from_json(api.project.get_meta(project_id))
    dataset = api.dataset.create(project_id, "grown", change_name_if_conflict=True)
    _fill_many(api, dataset.id, sorted(Path(photos).iterdir())[-images:], meta)


def _make_project(api: sly.Api, workspace_id: int, name: str) -> int:
    project = api.project.create(
        workspace_id, name, description="Every nasty case", change_name_if_conflict=True
    )
    api.project.edit_info(project.id, readme="# Read me\n\nLemons & лимоны.")
    api.project.update_custom_data(project.id, {"batch": 7, "nested": {"ключ": [1, None, 2.5]}})
    return project.id


def _update_meta(api: sly.Api, project_id: int) -> sly.ProjectMeta:
    api.project.update_meta(project_id, make_meta())
    api.project.update_settings(project_id, SETTINGS)
    return sly.ProjectMeta.from_json(api.project.get_meta(project_id))


def _make_datasets(api: sly.Api, project_id: int) -> dict[str, int]:
    """The first dataset, which holds another, moves into the last one: its parent's id is larger."""

    def add(name: str, parent: int | None = None, **more: Any) -> int:
        return api.dataset.create(project_id, name, parent_id=parent, **more).id

    ids = {"train": add("train", description="was at the root", custom_data={"split": "train", "n": None})}
    ids["deep"] = add("deep", ids["train"], custom_data={"depth": 3})
    ids["shapes"] = add("shapes", custom_data={"kind": ["every", "shape"]})
    ids["odd names"] = add("имена 名前", ids["shapes"])
    ids["many"] = add("many")
    ids["empty"] = add("empty", ids["many"], description="nothing in it")
    ids["other"] = add("other")
    ids["other train"] = add("train", ids["other"])
    ids["archive"] = add("archive")
    api.dataset.move_to_dataset(ids["train"], ids["archive"])
    return ids


def _fill_shapes(api: sly.Api, dataset_id: int, files: list[Path], meta: sly.ProjectMeta) -> None:
    names = [f"shape {number}{file.suffix}" for number, file in enumerate(files)]
    metas = [{"camera": "front", "exposure": 1 / 3, "list": [number, None]} for number in range(len(files))]
    images = api.image.upload_paths(dataset_id, names, [str(file) for file in files], metas=metas)
    for image, annotation in zip(images, figures.annotations(images, meta), strict=False):
        api.annotation.upload_ann(image.id, annotation)
    figures.add_raw(api, dataset_id, images[-1].id, meta)
    api.image.edit(images[0].id, description="Описание of one image")
    _tag_images(api, images, meta)
    child = api.image.upload_hash(dataset_id, "child.png", images[0].hash, parent_id=images[0].id)
    api.image.upload_hash(dataset_id, "same content.png", child.hash)


def _tag_images(api: sly.Api, images: list[sly.ImageInfo], meta: sly.ProjectMeta) -> None:
    values = [
        ("flag", None),
        ("number", 1.5),
        ("number", 2),
        ("text", "лимон"),
        ("text", "лимон"),
        ("choice", "b"),
        ("moment", "2026-01-05T10:00:00.000Z"),
        ("group", "left"),
    ]
    tags = [
        {"tagId": meta.get_tag_meta(name).sly_id, "entityId": image.id, "value": value}
        for image in images[:2]
        for name, value in values
    ]
    project_id = api.dataset.get_info_by_id(images[0].dataset_id).project_id
    api.post("tags.entities.bulk.add", {"projectId": project_id, "tags": tags})


def _fill_odd_names(api: sly.Api, dataset_id: int, files: list[Path]) -> None:
    api.image.upload_paths(dataset_id, list(ODD_NAMES), [str(file) for file in files])


def _fill_equal_names(api: sly.Api, dataset_ids: list[int], file: Path) -> None:
    for dataset_id in dataset_ids:
        api.image.upload_path(dataset_id, "a.png", str(file))


def _fill_links(api: sly.Api, dataset_id: int, link: str) -> None:
    api.image.upload_links(
        dataset_id, ["linked.png", "linked again.png"], [link, link], metas=[{"by": "link"}, {}]
    )


def _fill_many(api: sly.Api, dataset_id: int, files: list[Path], meta: sly.ProjectMeta) -> None:
    names = [f"photo {number:05}{file.suffix}" for number, file in enumerate(files)]
    images = api.image.upload_paths(dataset_id, names, [str(file) for file in files])
    annotations = [figures.simple_annotation(image, meta, number) for number, image in enumerate(images)]
    api.annotation.upload_anns([image.id for image in images], annotations)
