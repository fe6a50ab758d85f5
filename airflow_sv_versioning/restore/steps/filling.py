"""Fill a new project, in the order that its type asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from airflow_sv_versioning.restore.steps.image_figures import FiguresRestore
from airflow_sv_versioning.restore.steps.image_tags import TagsRestore
from airflow_sv_versioning.restore.steps.images import ImagesRestore
from airflow_sv_versioning.restore.steps.placeholder_tags import (
    ImagePlaceholderTags,
    VideoPlaceholderTags,
    VolumePlaceholderTags,
)
from airflow_sv_versioning.restore.steps.video_annotations import AnnotationsRestore
from airflow_sv_versioning.restore.steps.videos import VideosRestore
from airflow_sv_versioning.restore.steps.volume_slices import SlicesRestore
from airflow_sv_versioning.restore.steps.volumes import VolumeAnnotationsRestore, VolumesRestore
from airflow_sv_versioning.restore.work import RestoreWork, Step
from airflow_sv_versioning.runtime.memory import give_back


@dataclass(frozen=True)
class Steps:
    """What a restore of one project type does, one after the other.

    :param tag_placeholders: comes last, where there are placeholders.
    """

    fill: tuple[Callable[[RestoreWork], Step], ...]
    tag_placeholders: Callable[[RestoreWork], Step]


STEPS: Mapping[str, Steps] = MappingProxyType(
    {
        "images": Steps((ImagesRestore, FiguresRestore, TagsRestore), ImagePlaceholderTags),
        "videos": Steps((VideosRestore, AnnotationsRestore), VideoPlaceholderTags),
        "volumes": Steps((VolumesRestore, SlicesRestore, VolumeAnnotationsRestore), VolumePlaceholderTags),
    }
)


def fill_project(work: RestoreWork) -> None:
    """Make items and all that hangs on them in a new project."""
    steps = STEPS[work.plan.project_type.name]
    for step in steps.fill:
        step(work).run()
        give_back()
    if work.ids.placeholder_tag is not None:
        steps.tag_placeholders(work).run()
