import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = [sys.executable, "-m", "airflow_sv_versioning.cli", "demo", "--data"]


@pytest.mark.slow
def test_the_demo_backs_up_changes_and_restores_on_real_airflow(tmp_path: Path) -> None:
    # Settings of a stranger's Airflow must not reach the demo's.
    stranger = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////nowhere/at/all.db"}

    done = subprocess.run(
        [*DEMO, str(tmp_path)],
        env={**os.environ, **stranger},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    table = done.stdout
    made = re.search(r"version 1 \(id (\d+)\) created: 12 images, 102 figures", table)
    assert made is not None, table
    assert f"version 1 (id {made[1]}) unchanged" in table
    assert "version 2 (id " in table
    assert "is what version 1 was" in table
    assert str(tmp_path / "server") in table
    assert (tmp_path / "env.sh").stat().st_mode & 0o077 == 0
    assert "balanced accuracy" in table
    assert _runs(tmp_path / "airflow" / "airflow.db") == {
        "pre_training_backup": 3,
        "reproducible_rerun": 1,
        "train_on_version": 1,
    }


def _runs(database: Path) -> dict[str, int]:
    with sqlite3.connect(database) as connection:
        query = "SELECT dag_id, count(*) FROM dag_run WHERE state = 'success' GROUP BY dag_id"
        return dict(connection.execute(query).fetchall())
