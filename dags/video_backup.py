"""Back a video project up, and prove that the backup can be brought back.

A version of a video project holds a reference to every file (its hash or link) and every annotated frame:
objects, figures with exact coordinates, tags with their frame ranges. The files themselves stay on the
platform.

1. ``create_version`` makes a version. Where nothing changed since the latest one, that one's id is returned
   and nothing is stored twice.
2. ``restore_version`` restores that version as a new project and reads all of it back: the task fails if a
   single frame differs. Leave it out of a nightly backup, and run it before you rely on one.
3. ``summary`` says what was proven.

Before the first run add a connection ``supervisely_default`` of type Supervisely: the server address as
host, the API token as password. Then trigger the DAG and fill in the project's id.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task

from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator

log = logging.getLogger(__name__)


@dag(
    schedule=None,
    params={
        "project_id": Param(
            type="integer", minimum=1, title="Project", description="Id of a project of videos."
        )
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def video_backup() -> None:
    backup = CreateProjectVersionOperator(task_id="create_version", project_id="{{ params.project_id }}")
    restore = RestoreProjectVersionOperator(
        task_id="restore_version",
        project_id="{{ params.project_id }}",
        # The id that the first task returned; it also makes this task wait for it.
        version_id=backup.output,
        verify="full",
    )

    @task
    def summary(version: dict[str, Any], restored: dict[str, Any]) -> str:
        counts = restored["counts"]
        line = (
            f"Version {version['version_num']} came back as project {restored['project_id']}: "
            f"{counts['videos']} videos, {counts['objects']} objects, {counts['figures']} figures."
        )
        log.info(line)
        return line

    # `output` is an id; the keys "version" and "restore" hold all about it.
    summary(backup.output["version"], restore.output["restore"])


video_backup()
