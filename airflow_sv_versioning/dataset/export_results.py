"""What an export gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LISTED = 10


@dataclass(frozen=True)
class ExportResult:
    """A data set that is whole.

    :param created: ``False`` where an earlier call had made it already.
    """

    destination: str
    created: bool
    manifest: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data of a few kB; the manifest tells more."""
        parts = {
            name: {"items": part["items"], "figures": part["figures"]}
            for name, part in self.manifest["parts"].items()
        }
        media, export = self.manifest["media"], self.manifest["export"]
        return {
            "destination": self.destination,
            "created": self.created,
            "format": export["format"],
            "version": self.manifest["version"],
            "parts": parts,
            "losses": self.manifest["losses"][:_LISTED],
            "media": {"files": media["files"], "bytes": media["bytes"], "gone": len(media["gone"])},
            "renamed": self.manifest["renamed"],
        }

    def line(self) -> str:
        """Tell it in a sentence."""
        parts = ", ".join(
            f"{part['items']:,} items in {name}" for name, part in self.manifest["parts"].items()
        )
        state = "Exported" if self.created else "It was exported before:"
        return f"{state} {parts} as {self.manifest['export']['format']} to {self.destination}."


@dataclass(frozen=True)
class ShardResult:
    """A shard that waits for the others.

    :param created: ``False`` where an earlier call had made it already.
    """

    destination: str
    shard: int
    shards: int
    created: bool

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        return {
            "destination": self.destination,
            "shard": self.shard,
            "shards": self.shards,
            "created": self.created,
        }

    def line(self) -> str:
        """Tell it in a sentence."""
        state = "is made" if self.created else "was made before"
        return f"Shard {self.shard} of {self.shards} for {self.destination} {state}."
