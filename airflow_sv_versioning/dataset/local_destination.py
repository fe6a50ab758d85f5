"""A folder as the destination of an export.

Shards are made in ``.<name>.<key>.part`` beside it, on the same disk. The data set gets its name when all of
it has been written to the disk: renaming a folder is done at once, or not at all.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from airflow_sv_versioning.dataset.staging import (
    FILES,
    MANIFEST,
    RECORD,
    Assembly,
    FinishedElsewhereError,
    Shard,
    ShardRecord,
    manifest_of,
    names_below,
)
from airflow_sv_versioning.runtime.file_sharing import share_file
from airflow_sv_versioning.runtime.held_folder import held_folder, remove_abandoned
from airflow_sv_versioning.runtime.parallel import map_ordered

# What renaming onto something says.
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}
_MAKING, _WHOLE, _SHARD = "making-", "whole", "shard"
_WORKERS = 8
# Between shards of an export nobody holds what is there of it.
_ABANDONED_SECONDS = 24 * 3600.0


class LocalDestination:
    """A folder that is not there yet, or empty.

    :param path: a link is followed.
    """

    is_local = True

    def __init__(self, path: Path) -> None:
        self._path = Path(os.path.realpath(path))
        self.url = str(self._path)

    def find_manifest(self) -> Mapping[str, Any] | None:
        """Read the manifest of what is there."""
        if not self._path.exists() or (self._path.is_dir() and not any(self._path.iterdir())):
            return None
        if not (self._path / MANIFEST).is_file():
            return {}
        return manifest_of([(self._path / MANIFEST).read_bytes()])

    @contextmanager
    def staging(self, key: str) -> Iterator[LocalStaging]:
        """Begin an export, or go on with it; what killed ones left is removed."""
        folder = self._path.with_name(f".{self._path.name}.{key}.part")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._remove_leftovers(besides=folder)
        try:
            with held_folder(folder):
                yield LocalStaging(self._path, folder)
        finally:
            # What failed before is what the caller has to know; leftovers are for the next one, too.
            with suppress(OSError):
                self._clear_up(folder)

    def tidy(self) -> None:
        """Remove what nobody is at."""
        self._remove_leftovers()

    def _clear_up(self, folder: Path) -> None:
        if self.find_manifest():
            self.tidy()
        elif folder.exists() and not any(_is_shard(entry) for entry in folder.iterdir()):
            remove_abandoned(folder)

    def _remove_leftovers(self, besides: Path | None = None) -> None:
        """Remove what exports to this destination left that nobody is at; all of it where it is whole."""
        ours = re.compile(rf"\.{re.escape(self._path.name)}\.[0-9a-f]{{16}}\.part(-[0-9a-f]{{8}})?")
        for entry in self._path.parent.iterdir():
            if ours.fullmatch(entry.name) and entry != besides and (besides is None or _is_old(entry)):
                remove_abandoned(entry)


class LocalStaging:
    """Shards in a folder beside the destination."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path = path
        self._folder = folder

    @contextmanager
    def making(self) -> Iterator[Path]:
        """Give an empty folder, and remove those of killed processes."""
        for entry in self._folder.iterdir():
            if entry.name.startswith(_MAKING):
                remove_abandoned(entry)
        folder = self._folder / f"{_MAKING}{uuid.uuid4().hex}"
        with held_folder(folder):
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def holds(self, shard: Shard) -> bool:
        """Say whether a shard is there."""
        return (self._folder / shard.name / RECORD).exists()

    def keep(self, folder: Path, shard: Shard) -> None:
        """Write a shard to the disk, and give it its name."""
        _write_to_disk(folder, names_below(folder))
        with suppress(FileExistsError):
            _rename(folder, self._folder / shard.name)
        _sync(self._folder)

    @contextmanager
    def assembling(self, shards: Sequence[Shard]) -> Iterator[Assembly]:
        """Give all shards."""
        with self.making() as folder:
            files = folder / "made"
            files.mkdir()
            kept = [self._folder / shard.name for shard in shards]
            if len(kept) == 1:
                # Its files become those of the data set, without a link for each.
                kept = [self._take(kept[0], folder / _SHARD)]
            yield Assembly(kept, files)

    def complete(self, assembly: Assembly) -> None:
        """Put the files together, and give the data set its name."""
        whole = assembly.files.with_name(_WHOLE)
        if len(assembly.shards) == 1:
            (assembly.shards[0] / FILES).rename(whole)
        else:
            whole.mkdir()
            for shard in assembly.shards:
                _share_files(shard / FILES, ShardRecord.read(shard).files, whole)
        made = names_below(assembly.files)
        for name in made:
            (whole / name).parent.mkdir(parents=True, exist_ok=True)
            (assembly.files / name).rename(whole / name)
        # Shards are on the disk, but where it knows no links their files are copies.
        _write_to_disk(whole, made if len(assembly.shards) == 1 else names_below(whole))
        try:
            _rename(whole, self._path)
        except FileExistsError as error:
            raise FinishedElsewhereError.told_by(str(self._path), error) from error
        _sync(self._path.parent)

    def _take(self, shard: Path, folder: Path) -> Path:
        try:
            return shard.rename(folder)
        except FileNotFoundError as error:
            raise FinishedElsewhereError.told_by(str(self._path), error) from error


def _is_shard(entry: Path) -> bool:
    return not entry.name.startswith(_MAKING)


def _is_old(folder: Path) -> bool:
    """Say whether a folder has no shard of several that others may still wait for."""
    with suppress(FileNotFoundError):
        shards = [entry for entry in folder.iterdir() if _is_shard(entry)]
        if any(entry.name != Shard().name for entry in shards):
            return folder.stat().st_mtime < time.time() - _ABANDONED_SECONDS
    return True


def _share_files(source: Path, names: Iterable[str], target: Path) -> None:
    for folder in sorted({name.rpartition("/")[0] for name in names}):
        (target / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        share_file(source / name, target / name)


def _rename(source: Path, target: Path) -> None:
    """Rename a folder. :raises FileExistsError: something is there."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in _TAKEN:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        raise


def _write_to_disk(folder: Path, names: Sequence[str]) -> None:
    """See to it that files, and the names of all, outlive a loss of power."""
    folders = [folder, *(Path(each, name) for each, names_in, _ in os.walk(folder) for name in names_in)]
    for _ in map_ordered(_sync, [*(folder / name for name in names), *reversed(folders)], _WORKERS):
        pass


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
