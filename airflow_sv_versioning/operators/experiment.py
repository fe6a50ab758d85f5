"""The record of an experiment: which run saw which data, and what had changed since the run before."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.operators.runs import run_key
from airflow_sv_versioning.runtime.generator import generator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.hooks.object_storage import Destination
    from airflow_sv_versioning.versioning.results import CreateResult

FORMAT = "sv-experiment/1"
KEY = "experiment"
"""The record's XCom."""
_OF_PREVIOUS = ("run_id", "version_id", "version_num")
# The record goes through XCom and the task's state store, which takes 64 kB.
_MAX_PARAMS = 16_000

Compare = Callable[[int, int], Mapping[str, Any]]
"""From two ids of versions to what differs between them, as the ``changes`` of a version."""


@dataclass(frozen=True)
class Differences:
    """What changed since the version of the run before.

    :param found: as the ``changes`` of a version; ``None`` where it is not known.
    :param note: why it is not, or that both runs saw one version.
    """

    previous: Mapping[str, Any] | None = None
    found: Mapping[str, Any] | None = None
    note: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Write it as members of the record."""
        return {"previous_run": self.previous, "differences": self.found, "differences_note": self.note}


def experiment_record(
    context: Context, server_url: str, result: CreateResult, differences: Differences
) -> dict[str, Any]:
    """Write down which data a run saw, as JSON-able data of a bounded size."""
    same = (
        "project_id", "project_name", "version_id", "version_num", "title", "archive_sha256",
        "content_digest", "classes", "status",
    )  # fmt: skip
    return {
        "format": FORMAT,
        "server": server_url,
        **{name: getattr(result, name) for name in same},
        "project_type": result.project_type,
        "counts": dict(result.counts),
        **differences.as_dict(),
        **_run_facts(context),
        "run_key": run_key(context, server_url, result.project_id),
        "generator": generator(),
    }


def find_differences(
    context: Context, server_url: str, result: CreateResult, compare: Compare | None
) -> Differences:
    """Tell what changed since the version that the run before saw.

    :param compare: asked where other versions lie between the two; without it that is told instead. What it
        cannot compare is told, too: this run's version is made, whatever became of an older one.
    """
    record = _record_before(context)
    if record is None:
        return Differences(note="it is the first run of this task whose record is known")
    if (record.get("server"), record.get("project_id")) != (server_url, result.project_id):
        return Differences(note="the run before was on another project")
    return _since({name: record.get(name) for name in _OF_PREVIOUS}, result, compare)


def _since(previous: Mapping[str, Any], result: CreateResult, compare: Compare | None) -> Differences:
    """Tell what changed since a version: for nothing where that is told already, else by a comparison."""
    if previous["version_id"] == result.version_id:
        return Differences(previous, note="the run before saw the same version")
    if result.changes and result.changes.get("version_id") == previous["version_id"]:
        return Differences(previous, result.changes)
    if compare is None or not isinstance(previous["version_id"], int):
        return Differences(previous, note="other versions lie between; compare the two to see")
    try:
        return Differences(previous, compare(previous["version_id"], result.version_id))
    except SuperviselyError as error:
        if error.transient:
            raise
        return Differences(previous, note=f"the two cannot be compared: {error.message}")


def deliver(record: Mapping[str, Any], destination: Destination) -> None:
    """Write a record where it is wanted as a file.

    :raises VaultError: the storage cannot be written now.
    """
    from airflow_sv_versioning.runtime.work_folder import work_folder

    with work_folder() as folder:
        file = folder / "experiment.json"
        file.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        destination.take(file)


def _record_before(context: Context) -> Mapping[str, Any] | None:
    """Find the record of the latest run before this one; that of this run is gone since its try began."""
    task = context["ti"]
    record = task.xcom_pull(
        task_ids=task.task_id, key=KEY, map_indexes=task.map_index, include_prior_dates=True
    )
    if not isinstance(record, Mapping) or record.get("run_id") == task.run_id:
        return None
    return record


def _run_facts(context: Context) -> dict[str, Any]:
    task, logical_date = context["ti"], context.get("logical_date")
    # Runs of `dag.test` have no bundle.
    bundle = getattr(task, "bundle_instance", None)
    return {
        "dag_id": task.dag_id,
        "run_id": task.run_id,
        "task_id": task.task_id,
        "map_index": task.map_index,
        "logical_date": logical_date.isoformat() if logical_date else None,
        "bundle_name": getattr(bundle, "name", None),
        "bundle_version": getattr(bundle, "version", None),
        **_params(context),
    }


def _params(context: Context) -> dict[str, Any]:
    text = json.dumps(dict(context.get("params") or {}), default=str)
    if len(text) > _MAX_PARAMS:
        return {"params": None, "params_note": f"they are longer than {_MAX_PARAMS:,} characters"}
    return {"params": json.loads(text)}
