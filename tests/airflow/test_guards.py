"""What a run in one process cannot show: a scheduler's parsing time, a worker without database."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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


# Runs in a process of its own: reads DAG files, each as if it were the first, and notes what they and
# our modules import. Processor time, for others work on the machine, too.
PARSE = """
import builtins, json, runpy, sys, time
from airflow.sdk import Asset, BaseHook, BaseOperator, BaseOperatorLink, BaseSensorOperator, Param, dag, task
from airflow.sdk.execution_time.xcom import XCom

OURS = "airflow_sv_versioning"
Asset("file://loads/all-providers")
real, parsed = builtins.__import__, {}

def note(name, globals=None, locals=None, fromlist=(), level=0):
    if level == 0 and (globals or {}).get("__name__", "").startswith((OURS, "<run_path>")):
        imported.add(name.partition(".")[0])
    return real(name, globals, locals, fromlist, level)

builtins.__import__ = note
for path in sys.argv[1:]:
    for name in [name for name in sys.modules if name.startswith(OURS)]:
        del sys.modules[name]
    imported, started = set(), time.process_time()
    runpy.run_path(path)
    parsed[path] = {"seconds": time.process_time() - started, "imported": sorted(imported)}
print(json.dumps(parsed))
"""


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    """What it costs to read each DAG file."""
    done = subprocess.run(
        [sys.executable, "-c", PARSE, *map(str, DAGS)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize("path", DAGS, ids=_name)
def test_a_dag_file_is_read_in_less_than_a_second(path: Path, parsed: dict[str, Any]) -> None:
    assert parsed[str(path)]["seconds"] < 1


@pytest.mark.parametrize("path", DAGS, ids=_name)
def test_reading_a_dag_file_imports_nothing_but_airflow_and_ours(path: Path, parsed: dict[str, Any]) -> None:
    others = set(parsed[str(path)]["imported"]) - sys.stdlib_module_names

    # Not pyarrow, not numpy, not requests. Airflow itself has loaded pendulum.
    assert others - {"pendulum"} == {"airflow", "airflow_sv_versioning"}
