"""A prefix of a bucket as the destination of an export.

There is no renaming there. Files go to their places at once, and ``_SUCCESS`` comes last: without it, what is
there is no data set. Until then ``_parts/<key>/`` says whose the objects are, and holds what is to be put
together. An export that was killed is done again by the same call, which overwrites what is there; what is
otherwise in the way is removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airflow_sv_versioning.dataset.destination_errors import destination_errors
from airflow_sv_versioning.dataset.staging import (
    FILES,
    FRAGMENTS,
    MANIFEST,
    RECORD,
    Assembly,
    FinishedElsewhereError,
    Shard,
    ShardRecord,
    manifest_of,
    names_below,
)
from airflow_sv_versioning.exceptions import ConfigurationError, DestinationError
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.vault.backends import Bucket

SUCCESS = "_SUCCESS"
PARTS = "_parts"
_CLAIM = "claim"
_WORKERS = 8


class BucketDestination:
    """A prefix that has no objects yet, or those of an export that was killed."""

    is_local = False

    def __init__(self, bucket: Bucket, url: str) -> None:
        self._bucket = bucket
        self.url = url

    def find_manifest(self) -> Mapping[str, Any] | None:
        """Read the manifest of what is there; an export that is not whole leaves room for itself."""
        names = {name for name, _ in self._bucket.list_folder("")}
        folders = set(self._bucket.list_folders(""))
        if SUCCESS not in names and (PARTS in folders or not (names or folders)):
            return None
        if not {SUCCESS, MANIFEST} <= names:
            return {}
        with self._bucket.open(MANIFEST) as file:
            return manifest_of([file.read()])

    @contextmanager
    def staging(self, key: str) -> Iterator[BucketStaging]:
        """Begin an export, or go on with it."""
        staging = BucketStaging(self._bucket, self.url, key)
        staging.check_alone()
        yield staging
        if self._bucket.find_size(SUCCESS) is not None:
            self.tidy()

    def tidy(self) -> None:
        """Remove what was needed until the data set was whole."""
        for name in self._bucket.list_all(f"{PARTS}/"):
            self._bucket.remove(name)


class BucketStaging:
    """Shards below ``_parts``, and files in their places."""

    def __init__(self, bucket: Bucket, url: str, key: str) -> None:
        self._bucket = bucket
        self._url = url
        self._key = key
        self._parts = f"{PARTS}/{key}"

    def check_alone(self) -> None:
        """See that no other export has begun there. :raises ConfigurationError: one has."""
        if other := self._find_other():
            raise ConfigurationError(
                f"{self._url} holds another export that is not whole ({other}): of another version, or with "
                "other options. Name another destination; or, if nobody is at it, remove all objects there."
            )

    def _find_other(self) -> str | None:
        others = (key for key in self._bucket.list_folders(PARTS) if key != self._key)
        return next((f"{PARTS}/{key}" for key in others), None)

    @contextmanager
    def making(self) -> Iterator[Path]:
        """Give an empty folder of this machine's disk, with room for a shard."""
        with work_folder() as folder:
            yield folder

    def holds(self, shard: Shard) -> bool:
        """Say whether a shard is there."""
        return self._bucket.find_size(f"{self._parts}/{shard.name}/{RECORD}") is not None

    def keep(self, folder: Path, shard: Shard) -> None:
        """Send a shard, its record last."""
        below = f"{self._parts}/{shard.name}"
        # Here, for what fails within `making` would else be taken for this machine's disk.
        with destination_errors(self._url):
            self._claim()
            self._send(folder / FILES, "")
            self._send(folder / FRAGMENTS, f"{below}/{FRAGMENTS}/")
            self._bucket.write_file(folder / RECORD, f"{below}/{RECORD}")

    @contextmanager
    def assembling(self, shards: Sequence[Shard]) -> Iterator[Assembly]:
        """Fetch the fragments of all shards."""
        with work_folder() as folder:
            files = folder / "made"
            files.mkdir()
            kept = [folder / shard.name for shard in shards]
            with destination_errors(self._url):
                for each in kept:
                    self._fetch(each)
            yield Assembly(kept, files)

    def complete(self, assembly: Assembly) -> None:
        """Send what was made, remove what is of no use, and say that all is there."""
        with destination_errors(self._url):
            self._complete(assembly)

    def _complete(self, assembly: Assembly) -> None:
        made = names_below(assembly.files)
        self._send(assembly.files, "")
        expected = {*made, *(name for shard in assembly.shards for name in ShardRecord.read(shard).files)}
        found = {name for name in self._bucket.list_all() if not name.startswith(f"{PARTS}/")}
        if lost := sorted(expected - found):
            raise DestinationError(
                f"{self._url} lacks {len(lost):,} files that were sent there, such as {lost[0]}; somebody "
                "removed them. Remove all objects there, and export again."
            )
        self._remove(found - expected - {SUCCESS})
        self._bucket.write([b""], lambda: SUCCESS)

    def _claim(self) -> None:
        """Say whose the objects will be, before there are any."""
        self.check_alone()
        claim = f"{self._parts}/{_CLAIM}"
        self._bucket.write([b""], lambda: claim)
        # Two may have found the prefix empty: at least one of them sees the other now.
        if other := self._find_other():
            self._bucket.remove(claim)
            raise DestinationError(
                f"Another export to {self._url} began at the same time ({other}); this one withdrew. Name "
                "another destination, or try again."
            )

    def _send(self, folder: Path, below: str) -> None:
        names = names_below(folder)
        send = self._bucket.write_file
        for _ in map_ordered(lambda name: send(folder / name, f"{below}{name}"), names, _WORKERS):
            pass

    def _fetch(self, folder: Path) -> None:
        below = f"{self._parts}/{folder.name}"
        (folder / FRAGMENTS).mkdir(parents=True)
        try:
            self._bucket.read_file(f"{below}/{RECORD}", folder / RECORD)
            for name in ShardRecord.read(folder).fragments:
                target = folder / FRAGMENTS / name
                target.parent.mkdir(parents=True, exist_ok=True)
                self._bucket.read_file(f"{below}/{FRAGMENTS}/{name}", target)
        except FileNotFoundError as error:
            raise FinishedElsewhereError.told_by(self._url, error) from error

    def _remove(self, names: set[str]) -> None:
        for _ in map_ordered(self._bucket.remove, sorted(names), _WORKERS):
            pass
