"""A worker that makes or restores a version: run as a program, so that it can be killed.

``python -m tests.support.killed_worker <project id> <run id> <store> [restore | restore-for-run]``; the store
is a JSON file that stands in for Airflow's task state store, or ``-`` where there is none.
"""

import json
import sys
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator

from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
from airflow_sv_versioning.operators.restored import RestoreForRunOperator
from tests.support.airflow_runs import StateStore, running_context


class FileStore(StateStore):
    """Keeps its values in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.exists():
            self.values = json.loads(path.read_text())

    def set(self, key: str, value: Any, retention: Any = None) -> None:
        super().set(key, value, retention)
        self._write()

    def delete(self, key: str) -> None:
        super().delete(key)
        self._write()

    def _write(self) -> None:
        # As a whole or not at all, like Airflow's: its writer may be killed at any line.
        unfinished = self._path.with_suffix(".new")
        unfinished.write_text(json.dumps(self.values))
        unfinished.replace(self._path)


def main(project_id: str, run_id: str, store: str, action: str = "create") -> None:
    context = running_context(run_id=run_id)
    if store != "-":
        context["task_state_store"] = FileStore(Path(store))
    operator: BaseOperator
    if action == "restore":
        operator = RestoreProjectVersionOperator(task_id="restore", project_id=project_id, version_num=1)
    elif action == "restore-for-run":
        operator = RestoreForRunOperator(
            task_id="restore", group="experiment", project_id=project_id, version_num=1
        )
    else:
        operator = CreateProjectVersionOperator(
            task_id="create",
            project_id=project_id,
            busy_timeout_seconds=60.0,
            on_rerun="same" if action == "create-same" else "new",
        )
    operator.execute(context)
    told = context["ti"].pushed["version" if action.startswith("create") else "restore"]
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
