"""Files that stand in for media that are gone: of the same size, and plainly no originals."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.restore.placeholders.images import ImagePlaceholders
from airflow_sv_versioning.restore.placeholders.videos import VideoPlaceholders
from airflow_sv_versioning.restore.placeholders.volumes import VolumePlaceholders

EXTRA = "placeholders"


class Placeholders(Protocol):
    """Draws files for the items of one project type.

    :ivar packages: modules beyond the package's own dependencies that drawing needs.
    :ivar columns: of the table of items, from which a file is drawn.
    """

    packages: Sequence[str]
    columns: Sequence[str]

    def shape_of(self, row: Mapping[str, Any]) -> Hashable | None:
        """Tell what a file must be like; items of one shape share a file.

        :returns: ``None`` where it is not known, or is like nothing that was ever recorded.
        """

    def draw(self, row: Mapping[str, Any], path: Path) -> None:
        """Write the file for an item and all others of its shape; equal shapes give equal bytes."""


PLACEHOLDERS: dict[str, Placeholders] = {
    "images": ImagePlaceholders(),
    "videos": VideoPlaceholders(),
    "volumes": VolumePlaceholders(),
}


def placeholders_for(project_type: str) -> Placeholders:
    """Choose who draws for a project type.

    :raises ConfigurationError: a package that it needs is not installed.
    """
    placeholders = PLACEHOLDERS[project_type]
    if missing_packages := [name for name in placeholders.packages if find_spec(name) is None]:
        raise ConfigurationError(
            f"Placeholders of {project_type} need {' and '.join(missing_packages)}: "
            f"pip install 'airflow-sv-versioning[{EXTRA}]', or choose another missing_entities."
        )
    return placeholders
