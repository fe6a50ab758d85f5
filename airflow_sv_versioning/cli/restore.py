"""``sv-versioning restore``."""

from __future__ import annotations

import argparse

from airflow_sv_versioning.cli.connecting import connected, page_of, stop_on_signal, versions_of
from airflow_sv_versioning.cli.parsing import Commands, Parser, add_project_command
from airflow_sv_versioning.cli.printing import report, show


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    command = add_project_command(commands, "restore", "Bring a version back as a new project.", _restore)
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("--version-id", type=int, metavar="ID")
    which.add_argument("--version-num", type=int, metavar="N")
    which.add_argument("--as-of", metavar="TIME", help="the newest version made at or before, ISO 8601")
    command.add_argument("--workspace-id", type=int, metavar="ID", help="(default: that of the project)")
    command.add_argument("--name", help="name of the new project")
    command.add_argument("--description", help="description of the new project")
    command.add_argument(
        "--skip-missed-entities", action="store_true", help="leave out items whose media are gone"
    )
    command.add_argument("--verify", choices=("counts", "full"), default="counts", help="(%(default)s)")


def _restore(arguments: argparse.Namespace) -> int:
    with connected(arguments) as client, stop_on_signal() as should_stop:
        result = versions_of(client).restore(
            arguments.project_id,
            arguments.version_id,
            arguments.version_num,
            skip_missed_entities=arguments.skip_missed_entities,
            workspace_id=arguments.workspace_id,
            project_name=arguments.name,
            project_description=arguments.description,
            as_of=arguments.as_of,
            verify=arguments.verify,
            report=report,
            should_stop=should_stop,
        )
        page = page_of(client, result.project_id, "datasets")
    line = (
        f"Restored version {result.version_num} (id {result.version_id}) of project"
        f" {result.source_project_id} as project {result.project_id} '{result.project_name}': {page}"
    )
    left_out = [f"Left out, for their media are gone: {', '.join(result.skipped)}"] if result.skipped else []
    return show(arguments, result.as_dict(), line, *left_out)
