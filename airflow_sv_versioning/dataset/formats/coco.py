"""COCO: detection, segmentation and key points in one file a part, ``annotations/instances_<part>.json``.

Source: "Data format" of cocodataset.org, and what pycocotools and SDK 6.74.51 make of it.
"""

from __future__ import annotations

import heapq
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from airflow_sv_versioning.dataset.formats.coco_writer import LINE_BEGIN, LINE_END, CocoWriter
from airflow_sv_versioning.dataset.formats.format import Contents
from airflow_sv_versioning.dataset.formats.frames import check_decoder, media_folder
from airflow_sv_versioning.dataset.formats.skeletons import read_skeletons
from airflow_sv_versioning.exceptions import ConfigurationError

_KINDS = ("images", "annotations")


class CocoFormat:
    """Pictures and what is on them, as pycocotools reads it."""

    name: ClassVar[str] = "coco"
    project_types: ClassVar[frozenset[str]] = frozenset({"images", "videos"})
    first_category_id: ClassVar[int] = 1

    def media_folder(self, contents: Contents) -> str | None:
        """Images are looked for under ``images``, and there frames of videos become pictures."""
        return media_folder(contents)

    def check(self, contents: Contents) -> None:
        """Refuse options: there are none.

        :raises ConfigurationError: there are some.
        """
        if contents.options:
            raise ConfigurationError(f"COCO has no options; leave out {', '.join(sorted(contents.options))}.")
        check_decoder(contents)
        read_skeletons(contents.meta)

    def unit(self, contents: Contents, split: str, key: int) -> int:
        """Deal items out one by one."""
        return key

    def open_writer(self, contents: Contents, files: Path, fragments: Path) -> CocoWriter:
        """Begin a shard."""
        return CocoWriter(contents, files, fragments)

    def assemble(self, contents: Contents, fragments: Sequence[Path], files: Path) -> None:
        """Put the fragments of each part together."""
        for place, name in enumerate(self.file_names(contents)):
            path = files / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                _assemble(contents, [(folder, place) for folder in fragments], file)

    def file_names(self, contents: Contents) -> Iterable[str]:
        """Name the file of each part."""
        return [f"annotations/instances_{split}.json" for split in contents.items]


def _assemble(contents: Contents, fragments: Sequence[tuple[Path, int]], file: BinaryIO) -> None:
    import msgspec

    members = {"info": _info(contents.version), "licenses": [], "categories": list(_categories(contents))}
    file.write(msgspec.json.encode(members)[:-1])
    for kind in ("videos", *_KINDS) if contents.has_frames else _KINDS:
        file.write(f',"{kind}":[\n'.encode())
        _merge([folder / f"{kind}-{place}" for folder, place in fragments], file)
        file.write(b"]")
    file.write(b"}\n")


def _info(version: Mapping[str, Any]) -> Mapping[str, Any]:
    """Say what was exported; no moment, for the same version is to give the same bytes."""
    return {
        "description": version.get("project_name") or "",
        "version": str(version.get("version_num") or ""),
        "contributor": "",
        "url": "",
        "supervisely": version,
    }


def _categories(contents: Contents) -> Iterable[Mapping[str, Any]]:
    """Yield all classes, also those that are no more: ids mean the same as in an earlier export."""
    skeletons = read_skeletons(contents.meta)
    for name, category_id in sorted(contents.category_ids.items(), key=lambda entry: entry[1]):
        category: dict[str, Any] = {"id": category_id, "name": name, "supercategory": name}
        if name in skeletons:
            category |= {"keypoints": skeletons[name].names, "skeleton": skeletons[name].edges}
        yield category


def _merge(paths: Sequence[Path], file: BinaryIO) -> None:
    """Write the lines of all fragments by their ids, the last without its comma."""
    begin = file.tell()
    with ExitStack() as stack:
        opened: list[BinaryIO] = [stack.enter_context(path.open("rb")) for path in paths if path.exists()]
        if len(opened) == 1:
            shutil.copyfileobj(opened[0], file, 1024 * 1024)
        else:
            file.writelines(heapq.merge(*opened, key=_id))
    if file.tell() > begin:
        file.seek(-len(LINE_END), os.SEEK_END)
        file.truncate()


def _id(line: bytes) -> int:
    return int(line[len(LINE_BEGIN) : line.index(b",")])
