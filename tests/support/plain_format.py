"""The plainest format there is: a line an item, whole files by a number of its key, and points are lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from airflow_sv_versioning.dataset.formats.format import Contents
from airflow_sv_versioning.dataset.records import Item

UNITS = 16


class PlainWriter:
    """Writes a file an item, and a line of one that all share."""

    def __init__(self, files: Path, fragments: Path) -> None:
        self.losses: Counter[tuple[str, str]] = Counter()
        self._files = files
        self._lines = (fragments / "lines").open("w", encoding="utf-8")

    def write(self, item: Item) -> None:
        """Take an item."""
        note = self._files / "notes" / item.split / f"{item.file_name}.txt"
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(" ".join(figure.class_name for figure in item.figures), encoding="utf-8")
        media = "gone"
        if item.open_media is not None:
            with item.open_media() as file:
                media = str(len(file.read()))
        self._lines.write(f"{item.number}\t{item.split}/{item.file_name}\t{len(item.figures)}\t{media}\n")
        for figure in item.figures:
            if figure.geometry_type == "point":
                self.losses[figure.class_name, "point"] += 1

    def close(self) -> None:
        """Close the file."""
        self._lines.close()


class PlainFormat:
    """Such a format."""

    name: ClassVar[str] = "coco"
    project_types: ClassVar[frozenset[str]] = frozenset({"images"})
    first_category_id: ClassVar[int] = 1

    def media_folder(self, contents: Contents) -> str | None:
        """Name the folder of files, unless it is asked to have none."""
        return None if contents.options.get("embed") else "images"

    def check(self, contents: Contents) -> None:
        """Take all options."""

    def unit(self, contents: Contents, split: str, key: int) -> int:
        """Deal items out by their keys."""
        return key % UNITS

    def open_writer(self, contents: Contents, files: Path, fragments: Path) -> PlainWriter:
        """Begin a shard."""
        return PlainWriter(files, fragments)

    def assemble(self, contents: Contents, fragments: Sequence[Path], files: Path) -> None:
        """Sort all lines into one file."""
        lines = [line for each in fragments for line in (each / "lines").read_text("utf-8").splitlines()]
        lines.sort(key=lambda line: int(line.partition("\t")[0]))
        (files / "items.tsv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def file_names(self, contents: Contents) -> Iterable[str]:
        """Name what is made of all."""
        return ["items.tsv"]


PLACE = (__name__, PlainFormat.__name__)
"""Where the registry finds it."""
