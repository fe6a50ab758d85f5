"""Which projects of a workspace are to be versioned, and why others are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from airflow_sv_versioning.client.models import ListedProject, Project
from airflow_sv_versioning.exceptions import UnsupportedProjectError
from airflow_sv_versioning.project_types import VERSIONED_TYPES
from airflow_sv_versioning.snapshot.origin import is_draft, is_restored


@dataclass(frozen=True)
class ChosenProjects:
    """The projects to version.

    :param left_out: type and reason -> how many others there are.
    """

    ids: tuple[int, ...]
    left_out: Counter[tuple[str, str]]

    def line(self) -> str:
        """Say for people how many there are, and what was left out."""
        line = f"{len(self.ids):,} projects to version"
        if not self.left_out:
            return f"{line}."
        others = (f"{count:,} {kind} ({reason})" for (kind, reason), count in sorted(self.left_out.items()))
        return f"{line}; left out: {', '.join(others)}."


def check_versioned(project: Project) -> None:
    """Refuse a project of which no versions can be made.

    :raises UnsupportedProjectError: with the types that can be versioned.
    """
    if project.type not in VERSIONED_TYPES:
        raise UnsupportedProjectError(
            f"Project {project.id} {project.name!r} is of type {project.type!r}; versions can be made of "
            f"{', '.join(VERSIONED_TYPES)} projects.",
            project_id=project.id,
        )


def choose_projects(projects: Iterable[ListedProject], *, include_restored: bool) -> ChosenProjects:
    """Choose those that can be versioned and are whole; restored copies only on demand."""
    ids: list[int] = []
    left_out: Counter[tuple[str, str]] = Counter()
    for project in projects:
        if reason := _reason_against(project, include_restored):
            left_out[project.type, reason] += 1
        else:
            ids.append(project.id)
    return ChosenProjects(tuple(ids), left_out)


def _reason_against(project: ListedProject, include_restored: bool) -> str:
    if project.type not in VERSIONED_TYPES:
        return "cannot be versioned"
    if is_draft(project.name, project.custom_data):
        return "being restored"
    if is_restored(project.custom_data) and not include_restored:
        return "restored copies"
    return ""
