"""A new version stays news until a try of its task comes to its end.

Airflow raises the events of a task when it succeeds. A try that makes a version and fails after that, as
where the platform's Workflow page cannot be changed, raises none; the next one finds the version unchanged,
or uses it again, and nobody would ever hear that it is new.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.versioning.results import CreateResult

_KEY = "supervisely_untold_version"
# Longer than the tries of a task take.
_RETENTION = timedelta(days=7)


@contextmanager
def news_of(context: Context, result: CreateResult) -> Iterator[CreateResult]:
    """Keep that a version is new in the task's state store, until the block has come to its end.

    Airflow before 3.3 has no such store, and nothing is kept.

    :returns: the version as the task's events are to tell of it: as created, also where an earlier try made
        it.
    """
    if (store := context.get("task_state_store")) is None:
        yield result
        return
    if result.created:
        store.set(_KEY, result.version_id, retention=_RETENTION)
    is_new = result.created or store.get(_KEY) == result.version_id
    yield replace(result, created=True, reused=False) if is_new else result
    store.delete(_KEY)
