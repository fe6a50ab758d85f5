"""The items' own files on their way into a data set."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from airflow_sv_versioning.dataset.export_job import ExportJob
from airflow_sv_versioning.dataset.records import Item
from airflow_sv_versioning.dataset.tally import Tally
from airflow_sv_versioning.exceptions import MediaAbsentError, MissingMediaError
from airflow_sv_versioning.runtime.parallel import map_ordered

_WORKERS = 8
_NAMED = 10
_CHUNK_BYTES = 1024 * 1024


class ItemMedia:
    """Brings the files of a shard's items, several at a time.

    :param files: the folder of the shard's files.
    :param tally: is told of files that are gone, and how many came.
    """

    def __init__(self, job: ExportJob, files: Path, tally: Tally) -> None:
        self._source = job.reader.media_source
        self._is_linked = job.options.media == "link"
        self._may_be_gone = job.options.media_gone == "skip"
        self._folder = job.format.media_folder(job.contents)
        self._files = files
        self._tally = tally

    def bring(self, items: Iterator[Item]) -> Iterator[Item]:
        """Yield items whose files are there; those whose files are gone have none.

        Where that must not be, all are looked for before it fails: what was fetched stays in the cache.

        :raises MissingMediaError: files are gone.
        """
        for item, file in map_ordered(self._bring, items, _WORKERS):
            if file is None:
                self._tally.gone[item.number] = f"{item.dataset_path}/{item.row['name']}"
                yield msgspec.structs.replace(item, open_media=None)
            else:
                self._tally.media_files += 1
                self._tally.media_bytes += file.size_bytes
                yield msgspec.structs.replace(item, open_media=file.open)
        self.check()

    def check(self) -> None:
        """See that no files are gone that must be there. :raises MissingMediaError: they are."""
        gone = [*self._tally.gone.values()]
        if gone and not self._may_be_gone:
            more = f" and {len(gone) - _NAMED:,} more" if len(gone) > _NAMED else ""
            raise MissingMediaError(
                f"The files of {len(gone):,} items can be had nowhere: {', '.join(gone[:_NAMED])}{more}. "
                "Name the vault that has them, or use media_gone='skip' to go without them.",
                missing=gone,
            )

    def _bring(self, item: Item) -> tuple[Item, _Brought | None]:
        try:
            if self._folder is None:
                return item, _Opened(item)
            return item, _Kept(self._keep(item, self._files / self._folder / item.split / item.file_name))
        except MediaAbsentError:
            return item, None

    def _keep(self, item: Item, target: Path) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        if self._is_linked:
            self._source.link(item.row, target)
            return target
        with self._source.open(item.row) as source, target.open("xb") as file:
            shutil.copyfileobj(source, file, _CHUNK_BYTES)
        return target


class _Brought(Protocol):
    """A file of an item, at hand."""

    size_bytes: int

    def open(self) -> BinaryIO:
        """Open it at its beginning."""


class _Kept:
    """A file of the data set."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size_bytes = path.stat().st_size

    def open(self) -> BinaryIO:
        return self._path.open("rb")


class _Opened:
    """A file for the format, opened ahead of it."""

    def __init__(self, item: Item) -> None:
        if item.open_media is None:
            raise ValueError("items were read without their files")
        self._open = item.open_media
        self._file: BinaryIO | None = self._open()
        self.size_bytes = os.fstat(self._file.fileno()).st_size

    def open(self) -> BinaryIO:
        file, self._file = self._file, None
        return self._open() if file is None else file
