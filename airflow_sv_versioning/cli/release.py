"""``sv-versioning release``."""

from __future__ import annotations

import argparse

from airflow_sv_versioning.cli.connecting import working
from airflow_sv_versioning.cli.parsing import Commands, Parser, add_project_command
from airflow_sv_versioning.cli.printing import show


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    text = "Give back what killed commands of yours on this machine still hold of a project."
    add_project_command(commands, "release", text, _release)


def _release(arguments: argparse.Namespace) -> int:
    with working(arguments) as work:
        result = work.versions.release(arguments.project_id, report=work.watched["report"])
    lines = [f"Still at work on project {result.project_id}: {owner}" for owner in result.at_work]
    if result.undone:
        lines.append(f"Project {result.project_id}: {result.undone} leftovers of killed processes undone.")
    elif not lines:
        lines.append(
            f"No killed process of yours on this machine has left anything of project {result.project_id}. "
            "If it is busy all the same, somebody else holds it: see the Versions tab, or wait until the "
            "reservation expires."
        )
    return show(arguments, result.as_dict(), *lines)
