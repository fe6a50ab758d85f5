"""``sv-versioning demo``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sv_versioning.cli.extras import extra_needed
from airflow_sv_versioning.cli.parsing import Commands, Parser, add_command
from airflow_sv_versioning.cli.printing import text_of
from airflow_sv_versioning.cli.tables import Table

if TYPE_CHECKING:
    from airflow_sv_versioning.demo.steps import Rows


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    text = "Back up, train, change and restore a real project, on a local server and real Airflow."
    command = add_command(commands, "demo", text, _demo)
    command.add_argument("--data", type=Path, default=Path("demo-data"), metavar="DIR", help="(%(default)s)")


def _demo(arguments: argparse.Namespace) -> int:
    with extra_needed("demo"):
        from airflow_sv_versioning.demo.run import run_demo
    return run_demo(_table, arguments.data)


def _table(rows: Rows) -> str:
    return text_of(Table(("STEP", "RESULT", "SECONDS"), rows, numbers=("SECONDS",)))
