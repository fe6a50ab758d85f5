"""``sv-versioning restore``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_sv_versioning.cli.connecting import working
from airflow_sv_versioning.cli.parsing import (
    Commands,
    Parser,
    add_choice,
    add_command,
    add_server_arguments,
    add_version_arguments,
    chosen_version,
    whole_id,
)
from airflow_sv_versioning.cli.printing import show
from airflow_sv_versioning.cli.selecting import add_selection_arguments, chosen_selection
from airflow_sv_versioning.client.pages import project_page
from airflow_sv_versioning.snapshot.selection import Selection
from airflow_sv_versioning.versioning.options import MissingEntities, OnConflict, Verify
from airflow_sv_versioning.versioning.texts import counts_text

if TYPE_CHECKING:
    from airflow_sv_versioning.versioning.results import IntoResult, RestoreResult

_CHOSEN = (
    "project_id", "skip_missed_entities", "missing_entities", "vault", "vault_version", "workspace_id",
    "project_name", "project_description", "verify", "keep_incomplete", "into", "on_conflict",
)  # fmt: skip


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    command = add_command(commands, "restore", "Bring a version back as a new project.", _restore)
    command.add_argument(
        "project_id", type=whole_id, nargs="?", metavar="PROJECT_ID", help="not needed with --vault-version"
    )
    add_server_arguments(command)
    which = add_version_arguments(command, required=True)
    which.add_argument(
        "--vault-version",
        metavar="VERSION",
        help="a version that the vault holds, whatever became of its server: SERVER/PROJECT/NUMBER, or "
        "latest in place of the number",
    )
    add_selection_arguments(command)
    command.add_argument(
        "--into", type=whole_id, metavar="ID", help="restore into this project, instead of a new one"
    )
    add_choice(
        command, "--on-conflict", OnConflict, "with --into: what to do about items whose name is taken"
    )
    command.add_argument("--workspace-id", type=whole_id, metavar="ID", help="(default: that of the project)")
    command.add_argument("--project-name", help="name of the new project")
    command.add_argument("--project-description", help="description of the new project")
    command.add_argument(
        "--skip-missed-entities", action="store_true", help="leave out items whose media are gone"
    )
    add_choice(command, "--missing-entities", MissingEntities, "what to do about items whose media are gone")
    command.add_argument(
        "--vault",
        metavar="URL",
        help="where reupload and --vault-version look (default: what the version names)",
    )
    command.add_argument(
        "--private-links", action="store_true", help="contact links into private networks to check them"
    )
    command.add_argument("--plan-only", action="store_true", help="only say what would be made")
    command.add_argument(
        "--keep-incomplete", action="store_true", help="leave a half-made project where the restore fails"
    )
    add_choice(command, "--verify", Verify)


def _restore(arguments: argparse.Namespace) -> int:
    options = chosen_version(arguments) | {name: getattr(arguments, name) for name in _CHOSEN}
    options["selection"] = chosen_selection(arguments)
    with working(arguments) as work:
        if arguments.plan_only:
            plan = work.versions.plan_restore(**options, **work.watched)
        else:
            result = work.versions.restore(**options, **work.watched)
            page = project_page(work.client.server_url, result.project_id)
    if arguments.plan_only:
        return show(arguments, plan.as_dict(), *plan.lines())
    return show(arguments, result.as_dict(), f"{result.line()} {page}", *_details(result))


def _details(result: RestoreResult) -> Iterator[str]:
    if result.selection is not None:
        yield f"Part: {Selection.parse(result.selection)}. Left out: {counts_text(result.left_out)}."
    for text, items in (
        ("Left out, for their media are gone", result.skipped),
        (f"Placeholders, tagged '{result.placeholder_tag}'", result.placeholders),
        ("Uploaded again", result.reuploaded),
        ("No longer links, but files of their own", result.unlinked),
    ):
        if items:
            yield f"{text}: {', '.join(items)}"
    if result.into is not None:
        yield from _into_details(result.into)
    yield from (f"Warning: {warning}" for warning in result.warnings)


def _into_details(into: IntoResult) -> Iterator[str]:
    for text, names in (
        ("Left out, for their name is taken", into.taken),
        ("Datasets made", into.datasets),
        ("Classes added", into.classes),
        ("Tags added", into.tags),
    ):
        if names:
            yield f"{text}: {', '.join(names)}"
