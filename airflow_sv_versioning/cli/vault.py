"""``sv-versioning vault``: look after a vault."""

from __future__ import annotations

import argparse

from airflow_sv_versioning.cli import vault_holds, vault_versions
from airflow_sv_versioning.cli.connecting import stop_on_signal, working
from airflow_sv_versioning.cli.parsing import Commands, Parser, add_command, add_server_arguments, whole_id
from airflow_sv_versioning.cli.printing import FAILED, reporting, show
from airflow_sv_versioning.cli.tables import Table


def add_to(commands: Commands[Parser]) -> None:
    """Describe the commands."""
    vault_parser = commands.add_parser("vault", help="Look after a vault.", description="Look after a vault.")
    parts = vault_parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    vault_versions.add_to(parts)
    _add_verify(parts)
    _add_prune(parts)
    vault_holds.add_to(parts)


def _add_verify(commands: Commands[Parser]) -> None:
    text = "Read a vault back against the digests of its contents; fails if something is wrong."
    command = add_command(commands, "verify", text, _verify)
    command.add_argument("vault", metavar="STORE", help="s3://bucket/prefix, gs://..., or a folder")
    command.add_argument(
        "--set-aside",
        action="store_true",
        help="move what is damaged to the folder 'damaged', so that the next version copies it again",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def _add_prune(commands: Commands[Parser]) -> None:
    text = "Remove media that no version needs, neither of the given projects nor of any other in the vault."
    command = add_command(commands, "prune", text, _prune)
    command.add_argument("vault", metavar="STORE", help="s3://bucket/prefix, gs://..., or a folder")
    command.add_argument(
        "--project-ids",
        type=whole_id,
        nargs="+",
        default=[],
        metavar="ID",
        help="projects whose versions are looked up; what only versions needed that are gone is removed",
    )
    command.add_argument(
        "--forget",
        type=whole_id,
        nargs="+",
        default=[],
        metavar="ID",
        help="projects that are gone for good: what only they needed is removed",
    )
    command.add_argument("--plan-only", action="store_true", help="only say what would be removed")
    command.add_argument(
        "--as-server", metavar="HOST", help="under which server the vault keeps these projects, if another"
    )
    add_server_arguments(command)


def _verify(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.runtime.progress import Progress
    from airflow_sv_versioning.vault.audit import check_vault
    from airflow_sv_versioning.vault.opening import open_vault
    from airflow_sv_versioning.vault.proof import hex_digest

    with reporting() as report, stop_on_signal() as should_stop:
        checked = check_vault(
            open_vault(arguments.vault), Progress(report, should_stop), set_aside=arguments.set_aside
        )
    problem_rows = [(hex_digest(content), "damaged", why) for content, why in checked.damaged.items()]
    problem_rows += [
        (hex_digest(content), "absent", f"needed by {who}") for content, who in checked.absent.items()
    ]
    line = f"{checked.media:,} media of {checked.size_bytes:,} bytes in {checked.vault}: " + (
        "all are what they should be." if checked.is_good else f"{len(problem_rows):,} are wrong."
    )
    show(
        arguments,
        checked.as_dict(),
        line,
        *([Table(("SHA-256", "IS", "WHY"), problem_rows)] if problem_rows else []),
    )
    return 0 if checked.is_good else FAILED


def _prune(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.exceptions import ConfigurationError

    if not arguments.project_ids and not arguments.forget:
        raise ConfigurationError("Name at least one project with --project-ids or --forget.")
    with working(arguments) as work:
        result = work.versions.prune_vault(
            arguments.vault,
            arguments.project_ids,
            forget=arguments.forget,
            plan_only=arguments.plan_only,
            as_server=arguments.as_server,
            **work.watched,
        )
    verb = "Would remove" if result.plan_only else "Removed"
    rows = [
        (verb.lower(), f"{result.removed:,}", f"{result.removed_bytes:,}"),
        ("kept", f"{result.kept:,}", f"{result.kept_bytes:,}"),
        *([("locked", f"{result.locked:,}", f"{result.locked_bytes:,}")] if result.locked else []),
    ]
    other_lines = (
        [f"Not named, and all that they need is kept: {', '.join(result.others)}"] if result.others else []
    )
    return show(
        arguments,
        result.as_dict(),
        Table(("", "MEDIA", "BYTES"), rows, numbers=("MEDIA", "BYTES")),
        *other_lines,
    )
