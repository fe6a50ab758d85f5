"""``sv-versioning restore``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

from airflow_sv_versioning.cli.connecting import connected, stop_on_signal, versions_of
from airflow_sv_versioning.cli.parsing import (
    Commands,
    Parser,
    add_project_command,
    add_version_arguments,
    chosen_version,
    whole_id,
)
from airflow_sv_versioning.cli.printing import reporting, show
from airflow_sv_versioning.client.pages import project_page
from airflow_sv_versioning.versioning.options import MissingEntities, Verify

if TYPE_CHECKING:
    from airflow_sv_versioning.versioning.results import RestoreResult


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    command = add_project_command(commands, "restore", "Bring a version back as a new project.", _restore)
    add_version_arguments(command, required=True)
    command.add_argument("--workspace-id", type=whole_id, metavar="ID", help="(default: that of the project)")
    command.add_argument("--project-name", help="name of the new project")
    command.add_argument("--project-description", help="description of the new project")
    command.add_argument(
        "--skip-missed-entities", action="store_true", help="leave out items whose media are gone"
    )
    command.add_argument(
        "--missing-entities",
        choices=get_args(MissingEntities),
        default="fail",
        help="what to do about items whose media are gone (%(default)s)",
    )
    command.add_argument(
        "--media-store",
        metavar="URL",
        help="where reupload finds originals (default: what the version names)",
    )
    command.add_argument(
        "--private-links", action="store_true", help="contact links into private networks to check them"
    )
    command.add_argument("--plan-only", action="store_true", help="only say what would be made")
    command.add_argument(
        "--keep-incomplete", action="store_true", help="leave a half-made project where the restore fails"
    )
    command.add_argument("--verify", choices=get_args(Verify), default="counts", help="(%(default)s)")


def _restore(arguments: argparse.Namespace) -> int:
    chosen = {
        "project_id": arguments.project_id,
        **chosen_version(arguments),
        "skip_missed_entities": arguments.skip_missed_entities,
        "missing_entities": arguments.missing_entities,
        "media_store": arguments.media_store,
        "workspace_id": arguments.workspace_id,
        "project_name": arguments.project_name,
        "project_description": arguments.project_description,
        "verify": arguments.verify,
        "keep_incomplete": arguments.keep_incomplete,
    }
    with (
        reporting() as report,
        connected(arguments) as client,
        stop_on_signal(client.interrupt) as should_stop,
    ):
        versions = versions_of(client)
        if arguments.plan_only:
            plan = versions.plan_restore(**chosen, report=report, should_stop=should_stop)
        else:
            result = versions.restore(**chosen, report=report, should_stop=should_stop)
            page = project_page(client.server_url, result.project_id)
    if arguments.plan_only:
        return show(arguments, plan.as_dict(), *plan.lines())
    return show(arguments, result.as_dict(), f"{result.line()} {page}", *_details(result))


def _details(result: RestoreResult) -> Iterator[str]:
    for text, items in (
        ("Left out, for their media are gone", result.skipped),
        (f"Placeholders, tagged '{result.placeholder_tag}'", result.placeholders),
        ("Uploaded again", result.reuploaded),
        ("No longer links, but files of their own", result.unlinked),
    ):
        if items:
            yield f"{text}: {', '.join(items)}"
    yield from (f"Warning: {warning}" for warning in result.warnings)
