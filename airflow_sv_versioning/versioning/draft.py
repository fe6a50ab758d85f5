"""A version between its upload and its commit, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from airflow_sv_versioning.client.models import Reservation


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A version whose archive lies in Team Files, and which is not committed yet.

    It can be written down: whoever has it, in whatever process, can commit the version.

    :param project_updated_at: the stamp of what was read.
    :param counts: how many of each the version holds.
    :param capture: ``incremental`` or ``full``.
    """

    project_id: int
    version_id: int
    commit_token: str = field(repr=False)
    project_updated_at: str
    team_file_id: int
    archive_path: str
    archive_format: str
    archive_sha256: str
    archive_size_bytes: int
    counts: Mapping[str, int]
    consistent: bool
    capture: str
    capture_note: str | None
    warnings: tuple[str, ...]

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> Draft:
        """Read what :meth:`as_dict` wrote."""
        return cls(**{**written, "warnings": tuple(written["warnings"])})

    def as_dict(self) -> dict[str, Any]:
        """Write the draft as JSON-able data."""
        return {**asdict(self), "warnings": list(self.warnings)}

    @property
    def reservation(self) -> Reservation:
        """The right to commit it."""
        return Reservation(self.version_id, self.commit_token)

    def map_entry(self) -> dict[str, Any]:
        """Write what the map of versions says of it."""
        return {
            "path": self.archive_path,
            "updated_at": self.project_updated_at,
            "format": self.archive_format,
            # Beyond what the official client writes; it keeps what it does not know.
            "sha256": self.archive_sha256,
            "size": self.archive_size_bytes,
            "counts": dict(self.counts),
            "consistent": self.consistent,
            "warnings": list(self.warnings),
        }
