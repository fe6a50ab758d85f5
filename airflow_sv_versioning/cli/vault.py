"""``sv-versioning vault``: look after a vault."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from airflow_sv_versioning.cli import vault_holds, vault_versions
from airflow_sv_versioning.cli.connecting import stop_on_signal, working
from airflow_sv_versioning.cli.parsing import (
    Commands,
    Parser,
    add_command,
    add_server_arguments,
    parsed,
    whole_id,
)
from airflow_sv_versioning.cli.printing import FAILED, reporting, show
from airflow_sv_versioning.cli.tables import Table

if TYPE_CHECKING:
    from airflow_sv_versioning.vault.audit import VaultCheck
    from airflow_sv_versioning.vault.shares import Sample


def add_to(commands: Commands[Parser]) -> None:
    """Describe the commands."""
    vault_parser = commands.add_parser("vault", help="Look after a vault.", description="Look after a vault.")
    parts = vault_parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    vault_versions.add_to(parts)
    _add_verify(parts)
    _add_prune(parts)
    vault_holds.add_to(parts)


def _add_verify(commands: Commands[Parser]) -> None:
    text = (
        "Read a vault back against the digests of its contents, and all versions against what is there; "
        "fails if something is wrong."
    )
    command = add_command(commands, "verify", text, _verify)
    command.add_argument("vault", metavar="STORE", help="s3://bucket/prefix, gs://..., or a folder")
    command.add_argument(
        "--sample",
        type=_sample,
        metavar="1/N",
        help="read only an N-th of the contents, each day another one, all in N days",
    )
    command.add_argument(
        "--set-aside",
        action="store_true",
        help="move what is damaged to the folder 'damaged', and note the versions that lack something, so "
        "that the next version copies it again",
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
        help="projects that are gone for good: what only they needed is removed, but for versions that the "
        "vault holds whole",
    )
    command.add_argument("--plan-only", action="store_true", help="only say what would be removed")
    command.add_argument(
        "--as-server", metavar="HOST", help="under which server the vault keeps these projects, if another"
    )
    add_server_arguments(command)


def _sample(text: str) -> Sample:
    """Read the share of today; argparse asks for it only where it is given."""
    from airflow_sv_versioning.runtime.moments import now
    from airflow_sv_versioning.vault.shares import Sample

    return parsed(partial(Sample.parse, day=now().date()), text)


def _verify(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.runtime.progress import Progress
    from airflow_sv_versioning.vault.audit import check_vault
    from airflow_sv_versioning.vault.opening import open_vault

    with reporting() as report, stop_on_signal() as should_stop:
        checked = check_vault(
            open_vault(arguments.vault),
            Progress(report, should_stop),
            sample=arguments.sample,
            set_aside=arguments.set_aside,
        )
    rows = _problem_rows(checked)
    read = f" (the share of today, {checked.sample}, of {checked.listed:,})" if checked.sample else ""
    line = (
        f"{checked.media:,} media of {checked.size_bytes:,} bytes and {checked.archives:,} archives of "
        f"{checked.archive_bytes:,} bytes read{read}, and {checked.versions:,} versions looked at in "
        f"{checked.vault}: "
    ) + ("all are what they should be." if checked.is_good else f"{len(rows):,} are wrong.")
    show(
        arguments,
        checked.as_dict(),
        line,
        *([Table(("WHAT", "IS", "WHY"), rows)] if rows else []),
    )
    return 0 if checked.is_good else FAILED


def _problem_rows(checked: VaultCheck) -> list[tuple[str, str, str]]:
    from airflow_sv_versioning.vault.proof import hex_digest

    return [
        *((hex_digest(content), "damaged", why) for content, why in checked.damaged.items()),
        *((f"archive {sha256}", "damaged", why) for sha256, why in checked.damaged_archives.items()),
        *((hex_digest(content), "absent", f"needed by {who}") for content, who in checked.absent.items()),
        *((file, "wrong", why) for file, why in checked.wrong.items()),
    ]


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
