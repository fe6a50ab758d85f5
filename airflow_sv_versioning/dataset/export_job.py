"""What is exported, worked out before the first item: the same in every shard, wherever it runs."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from airflow_sv_versioning.dataset.category_ids import number_classes, read_category_ids
from airflow_sv_versioning.dataset.entries import Placed
from airflow_sv_versioning.dataset.export_options import ExportOptions
from airflow_sv_versioning.dataset.file_names import find_renamed
from airflow_sv_versioning.dataset.formats.format import Contents, Format
from airflow_sv_versioning.dataset.formats.registry import find_format
from airflow_sv_versioning.dataset.reader import VersionReader
from airflow_sv_versioning.dataset.staging import Shard
from airflow_sv_versioning.exceptions import UnsupportedProjectError
from airflow_sv_versioning.runtime.generator import generator

_FACTS = ("server", "project_id", "project_name", "version_id", "version_num", "archive_sha256")
# What says which content it is; the rest may be told otherwise next time.
_IDENTITY = ("project_id", "version_id", "archive_sha256")


@dataclass(frozen=True)
class ExportJob:
    """A version, and how it is exported.

    :param contents: what the format is told.
    :param parts: of each item, in their order.
    """

    reader: VersionReader
    options: ExportOptions
    format: Format
    contents: Contents
    parts: Sequence[str]

    @classmethod
    def plan(cls, reader: VersionReader, options: ExportOptions) -> ExportJob:
        """Work out what is exported.

        :raises UnsupportedProjectError: the format cannot hold projects of this type.
        :raises ConfigurationError: an option is none.
        """
        found = find_format(options.format)
        if reader.project_type not in found.project_types:
            raise UnsupportedProjectError(
                f"{options.format} cannot hold {reader.project_type}; it holds "
                f"{', '.join(sorted(found.project_types))}. Choose another format."
            )
        first = found.first_category_id
        earlier = read_category_ids(options.category_ids, first)
        names = [entry["title"] for entry in reader.meta.get("classes") or []]
        parts = [options.split.part_of(entry.content) for entry in reader.entries]
        contents = _contents(reader, options, parts, number_classes(names, earlier, first))
        found.check(contents)
        return cls(reader, options, found, contents, parts)

    @cached_property
    def request(self) -> dict[str, Any]:
        """What is asked for, as the manifest tells it: equal requests give equal data sets."""
        return {
            "version": {name: self.contents.version.get(name) for name in _IDENTITY},
            "export": self.options.as_dict(),
            "category_ids": dict(self.contents.category_ids),
            "generator": generator(),
        }

    @property
    def key(self) -> str:
        """Name the request, in 16 hex digits."""
        return hashlib.sha256(json.dumps(self.request, sort_keys=True).encode()).hexdigest()[:16]

    def is_told_by(self, manifest: Mapping[str, Any]) -> bool:
        """Say whether a manifest is that of a data set as is asked for."""
        told = {name: manifest.get(name) for name in self.request}
        version = told["version"] if isinstance(told["version"], Mapping) else {}
        told["version"] = {name: version.get(name) for name in _IDENTITY}
        # As JSON gives it back.
        return bool(told == json.loads(json.dumps(self.request)))

    def items_of(self, shard: Shard) -> Iterator[Placed]:
        """Name the items of a shard, in their order, with their parts and files."""
        entries, unit = self.reader.entries, self.format.unit
        renamed = find_renamed(lambda: ((entry.dataset_path, entry.name) for entry in entries))
        for place, (entry, part) in enumerate(zip(entries, self.parts, strict=True)):
            if shard.count == 1 or unit(self.contents, part, entry.key) % shard.count == shard.number:
                yield Placed(entry, part, renamed.get(place, entry.path))


def _contents(
    reader: VersionReader, options: ExportOptions, parts: Sequence[str], category_ids: Mapping[str, int]
) -> Contents:
    items, sizes = Counter(parts), Counter[str]()
    for entry, part in zip(reader.entries, parts, strict=True):
        sizes[part] += entry.size_bytes or 0
    names = [*options.split.ratios]
    return Contents(
        version=_version(reader),
        project_type=reader.project_type,
        meta=reader.meta,
        category_ids=category_ids,
        items={part: items[part] for part in names},
        item_bytes={part: sizes[part] for part in names},
        media=options.media,
        options=options.format_options,
    )


def _version(reader: VersionReader) -> dict[str, Any]:
    told = {name: getattr(reader.facts, name) for name in _FACTS}
    return {**told, "content_digest": reader.facts.provenance.get("content_digest")}
