"""A new version stays news until a try of its task comes to its end.

Airflow raises the events of a task when it succeeds. A try that makes a version and fails after that, as
where the platform's Workflow page cannot be changed, raises none; the next one finds the version unchanged,
or uses it again, and nobody would ever hear that it is new.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.versioning.results import CreateResult

_KEY = "supervisely_untold_version"
# Longer than the tries of a task take.
_RETENTION = timedelta(days=7)


def keep_news(context: Context, result: CreateResult) -> CreateResult:
    """Keep in the task's state store that a version is new until :func:`forget_news`.

    Airflow before 3.3 has no such store.

    :returns: the version as the task's events are to tell of it: as created, also where an earlier try made
        it.
    """
    store = context.get("task_state_store")
    if store is None:
        return result
    if result.created:
        store.set(_KEY, result.version_id, retention=_RETENTION)
        return result
    return replace(result, created=True, reused=False) if store.get(_KEY) == result.version_id else result


def forget_news(context: Context) -> None:
    """Keep nothing: the task's events tell of its version."""
    if (store := context.get("task_state_store")) is not None:
        store.delete(_KEY)
