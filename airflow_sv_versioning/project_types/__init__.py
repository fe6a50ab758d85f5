"""What differs between the types of projects."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from airflow_sv_versioning.project_types.base import ProjectType
from airflow_sv_versioning.project_types.images import Images
from airflow_sv_versioning.project_types.videos import Videos
from airflow_sv_versioning.project_types.volumes import Volumes

PROJECT_TYPES: Mapping[str, ProjectType] = MappingProxyType(
    {type_.name: type_ for type_ in (Images(), Videos(), Volumes())}
)
"""All that can be versioned, by the platform's word."""

VERSIONED_TYPES = tuple(PROJECT_TYPES)


def project_type_of(name: str) -> ProjectType:
    """Choose a project type, one of :data:`VERSIONED_TYPES`."""
    return PROJECT_TYPES[name]
