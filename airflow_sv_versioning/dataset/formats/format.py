"""What an export asks of a format.

An export writes a data set in shards, one or several, on one machine or on many. Each shard writes whole
files that are of it alone, and fragments of files that all write together; then one process puts the
fragments together. The bytes at the end are the same for any number of shards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from airflow_sv_versioning.dataset.records import Item

Losses = Mapping[tuple[str, str], int]
"""(Class name, what the format cannot hold of it, such as ``polyline`` or ``holes``) -> how many figures."""


@dataclass(frozen=True)
class Contents:
    """What is exported, as far as it is known before the first item.

    :param version: which version it is, for formats that tell: ``server``, ``project_id``, ``project_name``,
        ``version_id``, ``version_num``, ``archive_sha256``, as far as known.
    :param meta: the project's classes and tags as the platform's meta JSON.
    :param category_ids: class name -> id, in the format's own counting; also of classes that are no more.
    :param items: part -> how many items it has, in the order of the parts.
    :param item_bytes: part -> the bytes of its items' files, as far as known.
    :param media: ``none``, ``link`` or ``copy``.
    :param options: the format's own, such as ``task``.
    """

    version: Mapping[str, Any]
    project_type: str
    meta: Mapping[str, Any]
    category_ids: Mapping[str, int]
    items: Mapping[str, int]
    item_bytes: Mapping[str, int]
    media: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_frames(self) -> bool:
        """Say whether items have many pictures, and figures lie on one of them."""
        # The command line knows the formats' names without what types need.
        from airflow_sv_versioning.project_types import project_type_of

        return not project_type_of(self.project_type).is_picture


class ShardWriter(Protocol):
    """Writes the items of one shard, in their order."""

    losses: Losses

    def write(self, item: Item) -> None:
        """Take an item."""

    def close(self) -> None:
        """Write what is left, and close all files; called once, also after an error."""


class Format(Protocol):
    """One format.

    :cvar name: as callers say it.
    :cvar project_types: what it can hold.
    :cvar first_category_id: where it counts classes from.
    """

    name: ClassVar[str]
    project_types: ClassVar[frozenset[str]]
    first_category_id: ClassVar[int]

    def media_folder(self, contents: Contents) -> str | None:
        """Name the folder where it finds the files of items, as ``<folder>/<part>/<file name>``.

        ``None`` where it writes them itself. Asked only where media are not left out.
        """

    def check(self, contents: Contents) -> None:
        """Refuse options that are none. :raises ConfigurationError: they are."""

    def unit(self, contents: Contents, split: str, key: int) -> int:
        """Tell which piece of work an item is of: pieces are dealt out to shards by their number."""

    def open_writer(self, contents: Contents, files: Path, fragments: Path) -> ShardWriter:
        """Begin a shard.

        :param files: the folder that takes whole files, by their path in the data set.
        :param fragments: an empty folder of this shard alone.
        """

    def assemble(self, contents: Contents, fragments: Sequence[Path], files: Path) -> None:
        """Make files of the fragments of all shards, and those that do not depend on items.

        :param fragments: the folders of all shards, in their order.
        """

    def file_names(self, contents: Contents) -> Iterable[str]:
        """Name what :meth:`assemble` writes, such as ``data.yaml``."""
