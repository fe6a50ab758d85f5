"""Runs example DAGs in an Airflow of its own; a program, started by :mod:`airflow_runs`, imported by nobody.

Takes one request a line on stdin and answers each with one line on stdout that starts with ``ANSWER``;
all other lines are Airflow's logs.

.. code-block:: text

    request   {"dag_id": "...", "conf": {...}, "xcoms": [["task_id", "key"], ...]}
    answer    {"state": "success", "failed": [task ids], "xcoms": {"task_id.key": value}}
"""

from __future__ import annotations

import json
import sys
from typing import Any

from airflow.configuration import conf

from airflow_sv_versioning.demo.airflow_runs import ANSWER

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # 3.1
    from airflow.models.dagbag import DagBag  # type: ignore[attr-defined,no-redef,unused-ignore]

_LOOK_EVERY_SECONDS = 1.0


def main() -> None:
    """Answer requests until stdin ends."""
    dags = DagBag(dag_folder=conf.get_mandatory_value("core", "dags_folder")).dags
    for line in sys.stdin:
        request = json.loads(line)
        # A log line may be unfinished.
        print(f"\n{ANSWER}{json.dumps(_run(dags[request['dag_id']], request))}", flush=True)


def _run(dag: Any, request: dict[str, Any]) -> dict[str, Any]:
    for task in dag.tasks:
        # A person can wait a minute for the next look; the demo's reader should not have to.
        if hasattr(task, "poke_interval"):
            task.poke_interval = _LOOK_EVERY_SECONDS
    run = dag.test(run_conf=request["conf"])
    instances = {instance.task_id: instance for instance in run.get_task_instances()}
    return {
        "state": str(run.state),
        "failed": sorted(task_id for task_id, instance in instances.items() if instance.state == "failed"),
        "xcoms": {
            f"{task_id}.{key}": instances[task_id].xcom_pull(task_ids=task_id, key=key)
            for task_id, key in request["xcoms"]
        },
    }


if __name__ == "__main__":
    main()
