"""Records of experiments as the create operator writes them."""

from __future__ import annotations

from typing import Any

from airflow_sv_versioning.versioning import CreateResult


def experiment_of(made: CreateResult, server_url: str, **members: Any) -> dict[str, Any]:
    """Write the record of a version; ``members`` are said instead."""
    record = {
        "format": "sv-experiment/1",
        "server": server_url,
        "project_id": made.project_id,
        "project_name": made.project_name,
        "project_type": "images",
        "version_id": made.version_id,
        "version_num": made.version_num,
        "title": made.title,
        "archive_sha256": made.archive_sha256,
        "content_digest": "c0ffee" * 10 + "0000",
        "counts": dict(made.counts),
        "classes": {"car": 5, "person": 4},
        "status": made.status,
        "previous_run": None,
        "differences": None,
        "differences_note": "it is the first run of this task whose record is known",
        "dag_id": "training",
        "run_id": "manual__1",
        "task_id": "create_version",
        "map_index": -1,
        "params": {"project_id": made.project_id},
        "run_key": "0123456789abcdef",
    }
    return record | members
