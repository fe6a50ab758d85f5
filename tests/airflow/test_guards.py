"""What a run in one process cannot show: a scheduler's parsing time, a worker without database."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "airflow_sv_versioning"
DAGS = sorted((ROOT / "dags").glob("*.py"))
AIRFLOW_SIDE = sorted(
    [
        PACKAGE / "_airflow.py",
        PACKAGE / "assets.py",
        PACKAGE / "links.py",
        *(
            path
            for folder in ("hooks", "operators", "sensors", "triggers")
            for path in PACKAGE.glob(f"{folder}/**/*.py")
        ),
        *DAGS,
    ]
)
# Talking to the database from a task is refused in a real run, but not in `dag.test()`.
ORM = ("airflow.models", "airflow.settings", "airflow.utils.session", "airflow.utils.db", "sqlalchemy")
HEAVY = {"pyarrow", "numpy", "requests", "requests_toolbelt", "PIL", "fastapi", "sqlite3"}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("path", AIRFLOW_SIDE, ids=_name)
def test_nothing_reaches_for_the_database(path: Path) -> None:
    assert [name for name in _imported(path) if name.startswith(ORM)] == []


def test_parsing_the_dags_loads_nothing_heavy_and_takes_less_than_a_second() -> None:
    code = """if True:
        import json, runpy, sys, time
        from airflow.sdk import BaseHook, BaseOperator, BaseOperatorLink, BaseSensorOperator, Param, dag, task
        from airflow.sdk.execution_time.xcom import XCom

        before, started = set(sys.modules), time.perf_counter()
        for path in sys.argv[1:]:
            runpy.run_path(path)
        print(json.dumps([time.perf_counter() - started, sorted(set(sys.modules) - before)]))
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, DAGS)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seconds, loaded = json.loads(done.stdout.strip().splitlines()[-1])

    assert {name.partition(".")[0] for name in loaded}.isdisjoint(HEAVY)
    assert seconds < 1
