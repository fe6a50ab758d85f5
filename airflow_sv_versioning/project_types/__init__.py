"""What differs between the types of projects."""

from __future__ import annotations

from airflow_sv_versioning.project_types.base import Kind
from airflow_sv_versioning.project_types.images import Images
from airflow_sv_versioning.project_types.videos import Videos
from airflow_sv_versioning.project_types.volumes import Volumes

_KINDS: dict[str, Kind] = {kind.project_type: kind for kind in (Images(), Videos(), Volumes())}

VERSIONED_TYPES = tuple(_KINDS)


def kind_of(project_type: str) -> Kind:
    """Choose the kind of a project type, one of :data:`VERSIONED_TYPES`."""
    return _KINDS[project_type]
