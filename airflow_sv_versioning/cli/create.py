"""``sv-versioning create``."""

from __future__ import annotations

import argparse

from airflow_sv_versioning.cli.connecting import working
from airflow_sv_versioning.cli.parsing import (
    Commands,
    Parser,
    add_choice,
    add_project_command,
    add_vault_arguments,
    seconds,
)
from airflow_sv_versioning.cli.printing import show
from airflow_sv_versioning.client.item_types import TYPES
from airflow_sv_versioning.client.pages import version_page
from airflow_sv_versioning.versioning.options import CaptureMode, OnBusy, OnConcurrentChange

_CHOSEN = (
    "title", "description", "enable_preview", "archive_format", "on_concurrent_change", "capture",
    "busy_timeout_seconds", "on_busy", "vault", "vault_contents", "as_server",
)  # fmt: skip


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    command = add_project_command(commands, "create", "Back up a project as a new version.", _create)
    command.add_argument("--title")
    command.add_argument("--description")
    command.add_argument(
        "--archive-format",
        type=_archive_format,
        default="auto",
        metavar="FORMAT",
        help="of the archive: auto follows the latest version, other words name one (%(default)s)",
    )
    add_choice(
        command,
        "--on-concurrent-change",
        OnConcurrentChange,
        "what to do with a project that never stands still",
    )
    add_choice(
        command,
        "--capture",
        CaptureMode,
        "take unchanged items from the latest version, or read everything; auto: incremental where "
        "updatedAt is known to move with every edit, as it is of images",
    )
    command.add_argument(
        "--vault",
        metavar="URL",
        help="also keep archive and originals outside the platform, each content once: s3://bucket/prefix, "
        "gs://..., or a folder",
    )
    add_vault_arguments(command)
    command.add_argument(
        "--private-links",
        action="store_true",
        help="read links into private networks for the vault; otherwise the server does",
    )
    add_choice(command, "--on-busy", OnBusy, "what to do while another process makes a version")
    command.add_argument(
        "--busy-timeout",
        dest="busy_timeout_seconds",
        type=seconds,
        default=600.0,
        metavar="SECONDS",
        help="how long to wait for it, or for the pruning of the vault (%(default).0f)",
    )
    command.add_argument(
        "--trusted-stamps",
        nargs="+",
        choices=TYPES,
        metavar="TYPE",
        help="types of projects whose updatedAt this server was seen to move with every edit, "
        "as a doctor shows (default: what the connection says)",
    )
    command.add_argument(
        "--enable-preview", action="store_true", help="make a project to look into the version"
    )


def _archive_format(text: str) -> str:
    """Take a format by its name.

    :raises ArgumentTypeError: there is no such one; argparse puts the argument's name before it.
    """
    from airflow_sv_versioning.archive.formats import VERSIONS

    formats = ("auto", *VERSIONS)
    if text not in formats:
        raise argparse.ArgumentTypeError(f"{text!r} is no format; choose from {', '.join(formats)}")
    return text


def _create(arguments: argparse.Namespace) -> int:
    with working(arguments) as work:
        result = work.versions.create(
            arguments.project_id,
            **{name: getattr(arguments, name) for name in _CHOSEN},
            **work.watched,
        )
        page = version_page(work.client.server_url, result.project_id, result.version_id)
    vault_lines = [f"In the vault as {result.vault_version}."] if result.vault_version else []
    if result.media:
        vault_lines.append(f"{result.media.vault}: {result.media.line()}.")
    warnings = [f"Warning: {warning}" for warning in result.warnings]
    return show(arguments, result.as_dict(), f"{result.line()} {page}", *vault_lines, *warnings)
