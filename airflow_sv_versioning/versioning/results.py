"""What the use cases return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from airflow_sv_versioning.snapshot.media.copying import MediaBackup


@dataclass(frozen=True)
class CreateResult:
    """A version that was made, or the latest one, which still holds.

    :param created: ``False`` where nothing changed since this version.
    :param archive_sha256: hex digest of the archive, ``None`` where the server does not tell.
    :param archive_format: such as ``v2.1.0``, ``None`` where it is not recorded.
    :param counts: how many datasets, images or videos, figures and so on the version holds; an unchanged
        version made by another tool gives datasets and items only.
    :param consistent: ``False`` where the version holds items of different moments, because the project
        changed while it was read.
    :param capture: ``incremental`` where unchanged items were taken from the version before, ``full`` where
        everything was read, ``None`` where nothing changed.
    :param capture_note: why a capture that was to be incremental became ``full``.
    :param media: what the media store got, where one was given.
    """

    project_id: int
    project_name: str
    version_id: int
    version_num: int
    created: bool
    title: str
    description: str
    archive_path: str
    archive_sha256: str | None
    archive_format: str | None
    counts: Mapping[str, int]
    consistent: bool = True
    preview_project_id: int | None = None
    capture: str | None = None
    capture_note: str | None = None
    media: MediaBackup | None = None

    @property
    def status(self) -> str:
        """``created`` or ``unchanged``."""
        return "created" if self.created else "unchanged"

    def with_preview(self, project_id: int) -> CreateResult:
        """Add the preview project."""
        return replace(self, preview_project_id=project_id)

    def with_media(self, media: MediaBackup) -> CreateResult:
        """Add what the media store got."""
        return replace(self, media=media)

    def as_dict(self) -> dict[str, Any]:
        """Write the result as JSON-able data."""
        told = {"status": self.status, **asdict(self)}
        return {**told, "media": self.media.as_dict() if self.media else None}


@dataclass(frozen=True)
class RestoreResult:
    """A project made of a version.

    :param project_id: the new project.
    :param skipped: items left out because their media are gone, as ``dataset/path/item name``.
    :param renamed: items whose name was taken twice in their dataset, with the name they got.
    :param warnings: what a person should know before trusting the new project.
    """

    project_id: int
    project_name: str
    workspace_id: int
    source_project_id: int
    version_id: int
    version_num: int
    counts: Mapping[str, int]
    skipped: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    placeholders: tuple[str, ...] = ()
    reuploaded: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Write the result as JSON-able data."""
        data = asdict(self)
        for key in ("skipped", "placeholders", "reuploaded", "warnings"):
            data[key] = list(data[key])
        return data
