"""Runs inside an environment of the official SDK: makes and reads payloads without a server.

``make OUT`` writes archives of one project in every format that the SDK writes, and of older writers;
``read ARCHIVE...`` tells what the SDK's own loaders find in archives, as JSON on the last line.
"""

from __future__ import annotations

import collections
import importlib
import io
import json
import pickle
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import supervisely as sly
import zstd
from meta import make_meta
from supervisely.api.entity_annotation.figure_api import FigureInfo
from supervisely.api.image_api import ImageInfo
from supervisely.project.data_version import DataVersion

STAMP = "2026-01-02T03:04:05.678Z"
SHORTEST = {"ProjectInfo": 19, "DatasetInfo": 13, "ImageInfo": 17, "FigureInfo": 15}
NEWER_ATTRIBUTES = {
    "ObjClass": ["_geometry_type_name"],
    "TagMeta": [
        "_target_type",
        "_frame_range_min_length",
        "_frame_range_max_length",
        "_is_default",
        "_default_value",
        "_clears_default",
        "_clears_default_value",
    ],
    "ProjectSettings": ["spectrogram"],
}


def make(folder: Path) -> None:
    payload = make_payload()
    data = pickle.dumps(payload)
    pickled = folder / "version.bin"
    pickled.write_bytes(data)
    write_archive(data, folder / "v1.0.0.tar.zst")
    for protocol in (2, 3, 5):
        write_archive(pickle.dumps(payload, protocol), folder / f"v1.0.0-protocol-{protocol}.tar.zst")
    for version in ("v2.0.0", "v2.1.0"):
        data = sly.Project.repack_snapshot(str(pickled), schema_version=version).getvalue()
        write_archive(data, folder / f"{version}.tar.zst")
        write_archive(zstd.compress(data), folder / f"{version}-compressed.tar.zst")
    # Last, for it changes the SDK's classes.
    write_archive(pickle_as_of_2024(payload), folder / "v1.0.0-of-2024.tar.zst")


def write_archive(payload: bytes, path: Path) -> None:
    """Wrap a payload as ``DataVersion`` does before it uploads."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo(name="version.bin")
        member.size = len(payload)
        tar.addfile(member, io.BytesIO(payload))
    path.write_bytes(zstd.compress(buffer.getvalue()))


def pickle_as_of_2024(payload: tuple) -> bytes:
    project, meta, datasets, images, figures, alpha = payload
    for obj in (*meta.obj_classes, *meta.tag_metas, meta.project_settings):
        for attribute in NEWER_ATTRIBUTES[type(obj).__name__]:
            del obj.__dict__[attribute]
    return pickle.dumps(
        (
            _shortened(project),
            meta,
            [_shortened(dataset) for dataset in datasets],
            [_shortened(image) for image in images],
            {image_id: [_shortened(figure) for figure in found] for image_id, found in figures.items()},
            alpha,
        )
    )


def _shortened(record: Any) -> Any:
    module, name = type(record).__module__, type(record).__name__
    fields = type(record)._fields[: SHORTEST[name]]
    older = getattr(importlib.import_module(module), name)
    if older._fields != fields:
        older = collections.namedtuple(name, fields, module=module)
        setattr(importlib.import_module(module), name, older)
    return older(*record[: len(fields)])


def make_payload() -> tuple:
    meta = make_meta()
    cuboid = sly.ObjClass("block", sly.Cuboid2d, color=[16, 32, 48])
    default = sly.TagMeta(
        "default",
        sly.TagValueType.ONEOF_STRING,
        possible_values=["good", "bad"],
        applicable_to=sly.TagApplicableTo.OBJECTS_ONLY,
        applicable_classes=["box"],
        is_default=True,
        default_value="good",
        frame_range_min_length=2,
    )
    meta = meta.add_obj_class(cuboid).add_tag_meta(default)
    for number, obj_class in enumerate(meta.obj_classes, 1):
        obj_class._set_id(100 + number)
    for number, tag_meta in enumerate(meta.tag_metas, 1):
        tag_meta._set_id(200 + number)
    meta.project_settings.multiview_tag_id = meta.get_tag_meta("group").sly_id
    images = [_image(meta, number) for number in range(3)]
    figures, alpha = _figures(meta)
    return (_project(), meta, _datasets(), images, figures, alpha)


def _project() -> Any:
    values = dict.fromkeys(sly.ProjectInfo._fields)
    values.update(
        id=1, name="проект", description="d", size="7", readme="# r", workspace_id=2, images_count=3,
        items_count=3, datasets_count=3, created_at=STAMP, updated_at=STAMP, type="images",
        custom_data={"a": {"д": [1, -2.5, None, True, 2**40]}}, backup_archive={}, team_id=3,
        settings={"groupImages": True}, import_settings={}, version={"id": 5, "version": 6},
    )  # fmt: skip
    return sly.ProjectInfo(**values)


def _datasets() -> list:
    made = []
    for dataset_id, name, parent in ((12, "child", 13), (11, "empty", None), (13, "parent", None)):
        values = dict.fromkeys(sly.DatasetInfo._fields)
        values.update(id=dataset_id, name=name, description=f"about {name}", parent_id=parent, project_id=1)
        values.update(custom_data={"n": dataset_id} if parent else {}, created_at=STAMP, updated_at=STAMP)
        made.append(sly.DatasetInfo(**values))
    return made


def _image(meta: sly.ProjectMeta, number: int) -> Any:
    values = dict.fromkeys(ImageInfo._fields)
    values.update(
        id=31 + number, name=f"кот {number}.png", hash=None if number == 1 else f"h{number}=",
        link="https://media.example.com/x.png" if number == 1 else None, mime="image/png", ext="png",
        size="1234" if number else 1234, width=640, height=480, labels_count=number, dataset_id=12,
        created_at=STAMP, updated_at=STAMP, meta={"m": number} if number else {}, created_by=9,
        tags=_tags(meta, 1000 + 10 * number) if number < 2 else [], project_id=1,
        path_original="/h5un/x", full_storage_url="https://app.example.com/h5un/x",
    )  # fmt: skip
    if number == 2:
        values.update(
            related_data_id=4, download_id="blob", offset_start=5, offset_end=6, description="д", parent_id=31
        )
    return ImageInfo(**values)


def _tags(meta: sly.ProjectMeta, first_id: int) -> list[dict]:
    values = {"number": 1.5, "text": "текст", "choice": "b", "moment": "2026-03-01", "flag": None}
    tags = []
    for number, (name, value) in enumerate([*values.items(), ("number", 2)]):
        tag = {"id": first_id + number, "tagId": meta.get_tag_meta(name).sly_id, "labelerLogin": "me"}
        tags.append(tag if value is None else {**tag, "value": value, "createdAt": STAMP, "updatedAt": STAMP})
    return tags


def _figures(meta: sly.ProjectMeta) -> tuple[dict, dict]:
    polygon = {"points": {"exterior": [[0.5, 1], [2, 3.25], [4, 5]], "interior": [[[1, 1], [2, 2], [1, 2]]]}}
    shapes = [
        (31, "полигон", polygon),
        (31, "matte", None),
        (31, "pose", {"nodes": {"голова": {"loc": [1.5, 2]}, "tail": {"loc": [1, 2], "disabled": True}}}),
        (33, "block", {"vertices": {"face1-topleft": {"loc": [1, 2]}}}),
        (33, "mask", {"bitmap": {"origin": [1, 2], "data": "eJ" + "x" * 70_000}}),
    ]
    figures: dict[int, list] = {}
    alpha = {}
    for number, (image_id, class_name, geometry) in enumerate(shapes):
        obj_class = meta.get_obj_class(class_name)
        values = dict.fromkeys(FigureInfo._fields)
        values.update(
            id=51 + number, class_id=obj_class.sly_id, updated_at=STAMP, created_at=STAMP, entity_id=image_id,
            project_id=1, dataset_id=12, geometry_type=obj_class.geometry_type.geometry_name(),
            geometry=geometry, geometry_meta={"bbox": [1, 2, 3, 4]}, meta={"s": number} if number else {},
            tags=_tags(meta, 2000 + 10 * number) if number == 1 else [], area="12.5", priority=number,
            custom_data={"c": number} if number else {},
        )  # fmt: skip
        if geometry is None:
            alpha[51 + number] = {"origin": [3, 4], "data": "eJalpha"}
        figures.setdefault(image_id, []).append(FigureInfo(**values))
    return figures, alpha


def read(archive: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        payload = Path(folder) / "payload"
        DataVersion._extract_version_bin_to_file(str(archive), str(payload))
        as_file = sly.Project._read_snapshot(str(payload))
        as_bytes = sly.Project._read_snapshot(_downloaded(archive))
    from supervisely.io.pickle_compat import restore_legacy_defaults

    for _, meta, *_ in (as_file, as_bytes):
        restore_legacy_defaults(meta, meta.project_settings, *meta.obj_classes, *meta.tag_metas)
    described = describe(as_file)
    assert described == describe(as_bytes)
    return described


def _downloaded(archive: Path) -> io.BytesIO:
    """Take the way of a restore, with the download of a file in place of that from a server."""

    class Files:
        def download(self, _team_id: int, path: str, local_path: str) -> None:
            Path(local_path).write_bytes(Path(path).read_bytes())

    version = DataVersion.__new__(DataVersion)
    version._api = collections.namedtuple("Api", "file")(Files())
    version.project_info = collections.namedtuple("Project", "team_id")(1)
    return version._download_and_extract(str(archive))


def describe(payload: tuple) -> dict[str, Any]:
    project, meta, datasets, images, figures, alpha = payload
    return {
        "project": project._asdict(),
        "meta": meta.to_json(),
        "datasets": [dataset._asdict() for dataset in datasets],
        "images": [image._asdict() for image in images],
        "figures": {
            str(image_id): [figure._asdict() for figure in found] for image_id, found in figures.items()
        },
        "alpha": {str(figure_id): geometry for figure_id, geometry in alpha.items()},
    }


def main(command: str, *arguments: str) -> None:
    if command == "make":
        make(Path(arguments[0]))
    else:
        print("\n" + json.dumps([read(Path(argument)) for argument in arguments]))


if __name__ == "__main__":
    main(*sys.argv[1:])
