"""Fill a new project, in the order that its type asks for."""

from __future__ import annotations

from airflow_sv_versioning.snapshot.memory import give_back
from airflow_sv_versioning.snapshot.restore.annotations import AnnotationsRestore
from airflow_sv_versioning.snapshot.restore.figures import FiguresRestore
from airflow_sv_versioning.snapshot.restore.images import ImagesRestore
from airflow_sv_versioning.snapshot.restore.marking import PlaceholderMarks
from airflow_sv_versioning.snapshot.restore.slices import SlicesRestore
from airflow_sv_versioning.snapshot.restore.tags import TagsRestore
from airflow_sv_versioning.snapshot.restore.videos import VideosRestore
from airflow_sv_versioning.snapshot.restore.volumes import VolumeAnnotationsRestore, VolumesRestore
from airflow_sv_versioning.snapshot.restore.work import RestoreWork

_STEPS = {
    "images": (ImagesRestore, FiguresRestore, TagsRestore),
    "videos": (VideosRestore, AnnotationsRestore),
    "volumes": (VolumesRestore, SlicesRestore, VolumeAnnotationsRestore),
}


def fill_project(work: RestoreWork) -> None:
    """Make items and all that hangs on them in a new project."""
    for step in _STEPS[work.plan.kind.project_type]:
        step(work).run()
        give_back()
    if work.ids.placeholder_tag is not None:
        PlaceholderMarks(work).run()
