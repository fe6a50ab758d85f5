"""How a data set is exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from airflow_sv_versioning.dataset.formats.registry import FORMATS
from airflow_sv_versioning.dataset.split import NO_SPLIT, Split
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.snapshot.selection import EVERYTHING, Selection

Media = Literal["none", "link", "copy"]
MediaGone = Literal["fail", "skip"]


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What callers may choose.

    :param format: ``coco``, ``yolo`` or ``parquet``.
    :param media: the items' own files: ``none``; ``copy``; or ``link`` for hard links into the cache, which
        take no room of their own, and only go to a local destination on the same disk.
    :param media_gone: what to do where a file can be had nowhere: ``fail``, or ``skip``, which leaves the
        file out and lists the item in the manifest.
    :param split: parts, and how large each is.
    :param selection: the part of the version that is read; told in the manifest.
    :param allow_lossy: export also what the format cannot hold all of.
    :param category_ids: class name -> number to keep; or where an earlier export is.
    :param format_options: the format's own, such as ``{"task": "segment"}`` of YOLO.
    :raises ConfigurationError: a word is none of the choices.
    """

    format: str
    media: Media = "none"
    media_gone: MediaGone = "fail"
    split: Split = NO_SPLIT
    selection: Selection = EVERYTHING
    allow_lossy: bool = False
    category_ids: Any = None
    format_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        choices = {"format": FORMATS, "media": get_args(Media), "media_gone": get_args(MediaGone)}
        for name, words in choices.items():
            if (value := getattr(self, name)) not in words:
                raise ConfigurationError(f"{name} is {value!r}; choose one of {', '.join(words)}.")

    def as_dict(self) -> dict[str, Any]:
        """Write them as JSON-able data, without the numbers of classes, which are told apart."""
        return {
            "format": self.format,
            "options": dict(self.format_options),
            "media": self.media,
            "media_gone": self.media_gone,
            "split": self.split.as_dict(),
            "selection": None if self.selection.is_everything else self.selection.as_dict(),
            "allow_lossy": self.allow_lossy,
        }
