"""Version commands, through the SDK's public calls."""

from __future__ import annotations

import io
from typing import Any

import supervisely as sly
import zstd


def create(
    api: sly.Api,
    project_id: int,
    title: str | None = None,
    description: str | None = None,
    preview: bool = False,
) -> int | None:
    return api.project.version.create(project_id, title, description, enable_preview=preview)


def create_older_videos(api: sly.Api, project_id: int) -> int | None:
    """Make a version of videos as the SDK wrote them before v2.1.0."""
    newer = sly.VideoProject.build_snapshot

    def older(*args: Any, **more: Any) -> io.BytesIO:
        plain = newer(*args, **more, schema_version="v2.0.0").getvalue()
        return io.BytesIO(zstd.compress(plain))

    sly.VideoProject.build_snapshot = staticmethod(older)
    try:
        return create(api, project_id)
    finally:
        sly.VideoProject.build_snapshot = staticmethod(newer)


def restore(
    api: sly.Api,
    project_id: int,
    version_id: int | None = None,
    version_num: int | None = None,
    skip_missed_entities: bool = False,
) -> int:
    restored = api.project.version.restore(
        project_id, version_id, version_num, skip_missed_entities=skip_missed_entities
    )
    return restored.id


def restore_unhurried(api: sly.Api, project_id: int, version_id: int) -> int:
    """Restore without the minutes that the SDK waits between its tries."""
    from unittest.mock import patch

    with patch("time.sleep"):
        return restore(api, project_id, version_id)


def list_versions(api: sly.Api, project_id: int) -> list[dict[str, Any]]:
    return [info._asdict() for info in api.project.version.get_list(project_id)]


def read_map(api: sly.Api, project_id: int) -> dict[str, Any]:
    return api.project.version.get_map(project_id)
