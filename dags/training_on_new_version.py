"""Train whenever a project has a new version.

The DAG is scheduled on the project's asset, not on a clock. ``nightly_versioning``, ``pre_training_backup``
and every other task with this asset, or an alias of it, as outlet raises its events. To train also on
versions that people make on the platform, watch the asset: ``project_asset`` takes an ``AssetWatcher`` with
a ``NewVersionTrigger``.

1. ``choose_version`` takes the newest version of the events that started the run. Where none of them is
   new, there is nothing to train on. A run that a person starts takes the project's latest version.
2. ``train`` trains on that version. Put your training here.

Set ``SUPERVISELY_SERVER`` and ``SUPERVISELY_PROJECT_ID`` to the server and project where this file is read,
and add a connection ``supervisely_default`` of type Supervisely.
"""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task

from airflow_sv_versioning.assets import find_new_version, project_asset
from airflow_sv_versioning.hooks.edge import airflow_outcome
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook

log = logging.getLogger(__name__)

PROJECT_ID = int(os.environ.get("SUPERVISELY_PROJECT_ID", "1"))
PROJECT = project_asset(os.environ.get("SUPERVISELY_SERVER", "app.supervisely.com"), PROJECT_ID)


@dag(
    schedule=[PROJECT],
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def training_on_new_version() -> None:
    # What follows a check that says no is skipped.
    @task.short_circuit
    @airflow_outcome()
    def choose_version(triggering_asset_events: Any = None) -> dict[str, Any] | None:
        if triggering_asset_events:
            return find_new_version(triggering_asset_events)
        with SuperviselyHook() as hook:
            versions = hook.versions.get_list(PROJECT_ID)
        if not versions:
            return None
        return {"version_id": versions[-1].version_id, "version_num": versions[-1].version_num}

    @task
    def train(version: dict[str, Any]) -> str:
        log.info("Training on version %(version_num)s (id %(version_id)s).", version)
        return f"model-of-version-{version['version_id']}"

    train(choose_version())


training_on_new_version()
