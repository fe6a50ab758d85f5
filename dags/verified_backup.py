"""Back a project up, and prove that the backup can be brought back: images, videos or volumes.

A version holds a reference to the file of every item (its hash or link) and all that is known about it:
datasets, tags, custom data, objects and figures with exact coordinates, of videos every annotated frame, of
volumes every voxel of a mask. The files themselves stay on the platform.

1. ``create_version`` makes a version. Where nothing changed since the latest one, that one's id is returned
   and nothing is stored twice.
2. ``restore_version`` restores that version as a new project and reads all of it back: the task fails if a
   single figure, frame or voxel differs. Leave it out of a nightly backup, and run it before you rely on one.
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
        "project_id": Param(type="integer", minimum=1, title="Project", description="Id of the project.")
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def verified_backup() -> None:
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
        counts = ", ".join(f"{number} {things}" for things, number in restored["counts"].items())
        line = f"Version {version['version_num']} came back as project {restored['project_id']}: {counts}."
        log.info(line)
        return line

    # `output` is an id; the keys "version" and "restore" hold all about it.
    summary(backup.output["version"], restore.output["restore"])


verified_backup()
