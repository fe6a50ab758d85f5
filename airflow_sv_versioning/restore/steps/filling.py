"""Fill a new project, in the order that its type asks for."""

from __future__ import annotations

from airflow_sv_versioning.restore.steps.image_figures import FiguresRestore
from airflow_sv_versioning.restore.steps.image_tags import TagsRestore
from airflow_sv_versioning.restore.steps.images import ImagesRestore
from airflow_sv_versioning.restore.steps.placeholder_tags import PlaceholderMarks
from airflow_sv_versioning.restore.steps.video_annotations import AnnotationsRestore
from airflow_sv_versioning.restore.steps.videos import VideosRestore
from airflow_sv_versioning.restore.steps.volume_slices import SlicesRestore
from airflow_sv_versioning.restore.steps.volumes import VolumeAnnotationsRestore, VolumesRestore
from airflow_sv_versioning.restore.work import RestoreWork
from airflow_sv_versioning.runtime.memory import give_back

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
