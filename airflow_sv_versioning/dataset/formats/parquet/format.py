"""The format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from airflow_sv_versioning.dataset.formats.format import Contents, ShardWriter
from airflow_sv_versioning.dataset.formats.parquet.columns import TABLES, table_schema, writer_settings
from airflow_sv_versioning.dataset.formats.parquet.files import write_empty
from airflow_sv_versioning.dataset.formats.parquet.layout import Layout, embeds_pictures
from airflow_sv_versioning.dataset.formats.parquet.readme import README, readme
from airflow_sv_versioning.dataset.formats.parquet.writer import WRITTEN, ParquetShard
from airflow_sv_versioning.exceptions import ConfigurationError

_META = "project_meta.json"


class ParquetFormat:
    """See :class:`~airflow_sv_versioning.dataset.formats.format.Format`.

    Each shard writes whole files, for the one that an item goes to depends on its content. Nothing is lost:
    what has no column of its own is in the platform's JSON, which has one.
    """

    name: ClassVar[str] = "parquet"
    project_types: ClassVar[frozenset[str]] = frozenset(TABLES)
    first_category_id: ClassVar[int] = 0

    def media_folder(self, contents: Contents) -> str | None:
        """Name the folder of items' files; ``None`` where pictures are embedded."""
        return None if embeds_pictures(contents) else contents.project_type

    def check(self, contents: Contents) -> None:
        """Refuse options, for it has none."""
        if contents.options:
            raise ConfigurationError(f"Parquet has no option {', '.join(sorted(contents.options))}.")

    def unit(self, contents: Contents, split: str, key: int) -> int:
        """Tell the number of the file that an item goes to."""
        return Layout.of(contents).unit(split, key)

    def open_writer(self, contents: Contents, files: Path, fragments: Path) -> ShardWriter:
        """Begin a shard."""
        return ParquetShard(contents, files, fragments)

    def assemble(self, contents: Contents, fragments: Sequence[Path], files: Path) -> None:
        """Write what describes the data set, and the files that no item went to."""
        (files / README).write_text(readme(contents), encoding="utf-8")
        meta = json.dumps(contents.meta, ensure_ascii=False, indent=1)
        (files / _META).write_text(f"{meta}\n", encoding="utf-8")
        written = {unit for folder in fragments for unit in json.loads((folder / WRITTEN).read_text())}
        for unit, name in Layout.of(contents).files():
            if unit not in written:
                self._write_empty(contents, files, name)

    def file_names(self, contents: Contents) -> Iterable[str]:
        """Name what describes the data set."""
        return README, _META

    def _write_empty(self, contents: Contents, files: Path, name: str) -> None:
        for table in TABLES[contents.project_type]:
            schema = table_schema(contents.project_type, table, contents.category_ids)
            settings = writer_settings(contents.project_type, table)
            write_empty(schema, settings, files / table / name)
