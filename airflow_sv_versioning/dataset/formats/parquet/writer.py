"""One shard of a data set in Parquet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airflow_sv_versioning.dataset.formats.format import Contents, Losses
from airflow_sv_versioning.dataset.formats.parquet.columns import TABLES, table_schema, writer_settings
from airflow_sv_versioning.dataset.formats.parquet.files import TableFiles
from airflow_sv_versioning.dataset.formats.parquet.layout import Layout, embeds_pictures
from airflow_sv_versioning.dataset.formats.parquet.rows import RowMaker, mask_path
from airflow_sv_versioning.dataset.records import Item
from airflow_sv_versioning.exceptions import ConfigurationError

WRITTEN = "written.json"
"""Of a shard's fragments: the numbers of the files that it wrote."""
MAX_PICTURE_BYTES = 2**31 - 1
"""Source: Arrow's ``binary``."""
_ROW_BYTES, _FIGURE_BYTES, _GEOMETRY_COPIES = 1_000, 500, 3


class ParquetShard:
    """See :class:`~airflow_sv_versioning.dataset.formats.format.ShardWriter`."""

    losses: Losses

    def __init__(self, contents: Contents, files: Path, fragments: Path) -> None:
        self.losses = {}
        self._contents = contents
        self._files = files
        self._fragments = fragments
        self._layout = Layout.of(contents)
        self._embeds = embeds_pictures(contents)
        self._rows = RowMaker(contents.project_type, contents.category_ids, contents.media != "none")
        self._aside = TemporaryDirectory(dir=fragments)
        self._tables = {name: self._open(name) for name in TABLES[contents.project_type]}
        self._units: set[int] = set()
        self._has_failed = False

    def write(self, item: Item) -> None:
        """Take an item."""
        try:
            self._write(item)
        except BaseException:
            self._has_failed = True
            raise

    def close(self) -> None:
        """Write the files, unless an item could not be taken: then they would not be whole."""
        with self._aside:
            if self._has_failed:
                return
            for unit, name in self._layout.files():
                if unit in self._units:
                    for table, rows in self._tables.items():
                        rows.write(unit, self._files / table / name)
        (self._fragments / WRITTEN).write_text(json.dumps(sorted(self._units)), encoding="utf-8")

    def _open(self, table: str) -> TableFiles:
        project_type = self._contents.project_type
        aside = Path(self._aside.name) / table
        aside.mkdir()
        schema = table_schema(project_type, table, self._contents.category_ids)
        return TableFiles(schema, writer_settings(project_type, table), aside)

    def _write(self, item: Item) -> None:
        unit = self._layout.unit(item.split, item.key)
        self._units.add(unit)
        picture = self._read_picture(item)
        for table, row in self._rows.rows(item):
            if picture is not None:
                row["image"] = {"bytes": picture, "path": item.file_name}
            self._tables[table].append(unit, row, _size(row) + len(picture or b""))
        self._copy_masks(item)

    def _read_picture(self, item: Item) -> bytes | None:
        if not self._embeds or item.open_media is None:
            return None
        with item.open_media() as file:
            picture = file.read(MAX_PICTURE_BYTES + 1)
        if len(picture) > MAX_PICTURE_BYTES:
            raise ConfigurationError(
                f"{item.file_name} has more than {MAX_PICTURE_BYTES} bytes, which Parquet cannot embed: "
                'export with media="link", or without media.'
            )
        return picture

    def _copy_masks(self, item: Item) -> None:
        for figure in item.figures:
            if figure.mask is not None:
                path = self._files / str(mask_path(item, figure))
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(figure.mask, path)


def _size(row: Mapping[str, Any]) -> int:
    """Estimate the bytes of a row without its picture."""
    figures = row.get("annotations") or (row,)
    geometries = sum(len(figure.get("geometry") or "") for figure in figures)
    things = len(figures) + len(row.get("objects") or ())
    return _ROW_BYTES + _FIGURE_BYTES * things + _GEOMETRY_COPIES * geometries
