"""What differs between the types of projects."""

from __future__ import annotations

from airflow_sv_versioning.snapshot.kinds.kind import Kind

VERSIONED_TYPES = ("images", "videos")


def kind_of(project_type: str) -> Kind:
    """Choose the kind of a project type, one of :data:`VERSIONED_TYPES`."""
    # Kinds know how they are restored, and a restore asks for its kind.
    from airflow_sv_versioning.snapshot.kinds.images import Images
    from airflow_sv_versioning.snapshot.kinds.videos import Videos

    kinds: tuple[Kind, ...] = (Images(), Videos())
    return next(kind for kind in kinds if kind.project_type == project_type)
