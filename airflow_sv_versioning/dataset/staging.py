"""What a destination keeps of an export until it is whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from airflow_sv_versioning.exceptions import ConfigurationError, DestinationError

MANIFEST = "manifest.json"
FILES, FRAGMENTS, RECORD = "files", "fragments", "shard.json"
_MOST_SHARDS = 10_000


class FinishedElsewhereError(DestinationError):
    """Another process has finished the export, or is about to."""

    kind = DestinationError.kind

    @classmethod
    def told_by(cls, url: str, error: OSError) -> FinishedElsewhereError:
        """Make one of what the storage said."""
        return cls(
            f"Another process finishes the export to {url}, or removed parts of it: {error}. Try again."
        )


@dataclass(frozen=True, order=True)
class Shard:
    """One of the pieces that workers write.

    :param number: from 0.
    :raises ConfigurationError: there is no such piece.
    """

    number: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.count <= _MOST_SHARDS:
            raise ConfigurationError(f"shards is {self.count}; give a number from 1 to {_MOST_SHARDS}.")
        if not 0 <= self.number < self.count:
            raise ConfigurationError(
                f"shard is {self.number}; of {self.count} shards it is from 0 to {self.count - 1}."
            )

    @property
    def name(self) -> str:
        """Names its folder."""
        return f"{self.number:05}-of-{self.count:05}"

    @classmethod
    def all_of(cls, count: int) -> list[Shard]:
        """List all pieces."""
        return [cls(number, count) for number in range(cls(0, count).count)]


@dataclass(frozen=True)
class ShardRecord:
    """What a shard has written, in a file that is its last.

    :param files: path in the data set -> size in bytes, and hex SHA-256 of what is no item's own file.
    :param summary: what the manifest needs of it.
    """

    files: Mapping[str, tuple[int, str | None]]
    fragments: Sequence[str]
    summary: Mapping[str, Any]

    def write(self, folder: Path) -> None:
        """Write it into the shard's folder."""
        content = {"files": self.files, "fragments": self.fragments, "summary": self.summary}
        (folder / RECORD).write_text(json.dumps(content), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> ShardRecord:
        """Read that of a shard.

        :raises DestinationError: it is none; somebody else wrote there.
        """
        try:
            content = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            files = {name: (int(size), digest) for name, (size, digest) in content["files"].items()}
            return cls(files, list(content["fragments"]), dict(content["summary"]))
        except (ValueError, KeyError, TypeError) as error:
            raise DestinationError(
                f"{folder / RECORD} is damaged: {error}. Remove what the export has left, and export again."
            ) from error


@dataclass(frozen=True)
class Assembly:
    """All shards at hand, to be put together.

    :param shards: folder of each, in their order, with its record and fragments.
    :param files: an empty folder for what is made of them.
    """

    shards: Sequence[Path]
    files: Path


class Staging(Protocol):
    """Shards on their way to one destination; several processes may be at it."""

    def making(self) -> AbstractContextManager[Path]:
        """Give an empty folder of this machine for a shard in the making."""

    def holds(self, shard: Shard) -> bool:
        """Say whether a shard is there, whole."""

    def keep(self, folder: Path, shard: Shard) -> None:
        """Keep a shard that is made. One that is there already stays: they are equal."""

    def assembling(self, shards: Sequence[Shard]) -> AbstractContextManager[Assembly]:
        """Give all shards. :raises FinishedElsewhereError: another process has put them together."""

    def complete(self, assembly: Assembly) -> None:
        """Make the data set whole, of the files of all shards and those that were made of them.

        :raises FinishedElsewhereError: another process has done that.
        """


class Destination(Protocol):
    """Where a data set goes: whole or not at all.

    :ivar url: for messages.
    :ivar is_local: it is a folder of this machine.
    """

    url: str
    is_local: bool

    def find_manifest(self) -> Mapping[str, Any] | None:
        """Read the manifest of what is there.

        :returns: ``None`` where there is room for a data set, an empty one where what is there has none.
        """

    def tidy(self) -> None:
        """Remove what is left of exports, where the data set is whole."""

    def staging(self, key: str) -> AbstractContextManager[Staging]:
        """Begin an export, or go on with it.

        :param key: 16 hex digits that name what is exported, and how.
        :raises ConfigurationError: what is there is of others.
        """


def names_below(folder: Path) -> list[str]:
    """List the files below a folder, relative, with ``/``, sorted."""
    return sorted(_names_below(folder, ""))


def _names_below(folder: Path, prefix: str) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _names_below(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}"


def manifest_of(read: Iterable[bytes]) -> Mapping[str, Any]:
    """Read a manifest; an empty one of what is none."""
    try:
        content = json.loads(b"".join(read))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
