"""YOLO: a text file a picture, ``labels/<part>/<name>.txt``, and ``data.yaml``.

Source: "Datasets" of docs.ultralytics.com, and what ``ultralytics.data.utils`` 8.4 checks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from airflow_sv_versioning.dataset.formats.format import Contents
from airflow_sv_versioning.dataset.formats.frames import check_decoder, media_folder
from airflow_sv_versioning.dataset.formats.skeletons import read_skeletons
from airflow_sv_versioning.dataset.formats.yolo_labels import TASKS
from airflow_sv_versioning.dataset.formats.yolo_writer import YoloWriter
from airflow_sv_versioning.dataset.records import ALL
from airflow_sv_versioning.exceptions import ConfigurationError

_FILE = "data.yaml"


class YoloFormat:
    """Pictures and what is on them, as ultralytics reads it.

    Option ``task``: ``detect``, the default, ``segment``, ``pose`` or ``obb``.
    """

    name: ClassVar[str] = "yolo"
    project_types: ClassVar[frozenset[str]] = frozenset({"images", "videos"})
    first_category_id: ClassVar[int] = 0

    def media_folder(self, contents: Contents) -> str | None:
        """Images are looked for under ``images``, and there frames of videos become pictures."""
        return media_folder(contents)

    def check(self, contents: Contents) -> None:
        """Refuse options that are none, and ids that YOLO cannot have.

        :raises ConfigurationError: there are some.
        """
        unknown = sorted(contents.options.keys() - {"task"})
        if unknown:
            raise ConfigurationError(f"YOLO has the option task alone; leave out {', '.join(unknown)}.")
        if (task := _task(contents)) not in TASKS:
            raise ConfigurationError(f"task is {task!r}; YOLO has {', '.join(TASKS)}.", task=task)
        if sorted(contents.category_ids.values()) != list(range(len(contents.category_ids))):
            raise ConfigurationError("Ids of classes in YOLO count from 0 and leave nothing out.")
        check_decoder(contents)
        if task == "pose" and not any(each.keys for each in read_skeletons(contents.meta).values()):
            raise ConfigurationError("No class has key points; choose another task than pose.")

    def unit(self, contents: Contents, split: str, key: int) -> int:
        """Deal items out one by one."""
        return key

    def open_writer(self, contents: Contents, files: Path, fragments: Path) -> YoloWriter:
        """Begin a shard."""
        return YoloWriter(contents, _task(contents), files)

    def assemble(self, contents: Contents, fragments: Sequence[Path], files: Path) -> None:
        """Say where pictures are, and what classes are called."""
        files.mkdir(parents=True, exist_ok=True)
        (files / _FILE).write_bytes("".join(f"{line}\n" for line in _lines(contents)).encode())

    def file_names(self, contents: Contents) -> Iterable[str]:
        """Name the file that tells of all others."""
        return [_FILE]


def _task(contents: Contents) -> str:
    return str(contents.options.get("task", "detect"))


def _lines(contents: Contents) -> Iterable[str]:
    """Say it without a path: readers then take the folder of this file, wherever it is moved."""
    parts = list(contents.items)
    # Readers ask for both; what is not split is trained on and looked at.
    places = {"train": ALL, "val": ALL} if parts == [ALL] else {part: part for part in parts}
    yield from (f"{_quoted(part)}: {_quoted(f'images/{folder}')}" for part, folder in places.items())
    yield "names:"
    for name, category_id in sorted(contents.category_ids.items(), key=lambda entry: entry[1]):
        yield f"  {category_id}: {_quoted(name)}"
    if _task(contents) == "pose":
        most = max(len(each.keys) for each in read_skeletons(contents.meta).values())
        yield f"kpt_shape: [{most}, 3]"


def _quoted(text: str) -> str:
    """Write a text as YAML does in double quotes, which JSON's are but for what cannot be printed."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in quoted)
