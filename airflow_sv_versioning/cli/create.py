"""``sv-versioning create``."""

from __future__ import annotations

import argparse
from typing import get_args

from airflow_sv_versioning.cli.connecting import connected, stop_on_signal, versions_of
from airflow_sv_versioning.cli.parsing import Commands, Parser, add_project_command, seconds
from airflow_sv_versioning.cli.printing import reporting, show
from airflow_sv_versioning.client.item_types import TYPES
from airflow_sv_versioning.client.pages import version_page
from airflow_sv_versioning.versioning.options import CaptureMode, OnBusy, OnConcurrentChange


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
    command.add_argument(
        "--on-concurrent-change",
        choices=get_args(OnConcurrentChange),
        default="accept",
        help="what to do with a project that never stands still (%(default)s)",
    )
    command.add_argument(
        "--capture",
        choices=get_args(CaptureMode),
        default="auto",
        help="take unchanged items from the latest version, or read everything; auto: incremental where "
        "updatedAt is known to move with every edit, as it is of images (%(default)s)",
    )
    command.add_argument(
        "--media-store",
        metavar="URL",
        help="also keep the originals, each content once: s3://bucket/prefix, gs://..., or a folder",
    )
    command.add_argument(
        "--private-links",
        action="store_true",
        help="read links into private networks for the media store; otherwise the server does",
    )
    command.add_argument(
        "--on-busy",
        choices=get_args(OnBusy),
        default="wait",
        help="what to do while another process makes a version (%(default)s)",
    )
    command.add_argument(
        "--busy-timeout",
        type=seconds,
        default=600.0,
        metavar="SECONDS",
        help="how long to wait for it, or for the pruning of the media store (%(default).0f)",
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
    with (
        reporting() as report,
        connected(arguments) as client,
        stop_on_signal(client.interrupt) as should_stop,
    ):
        result = versions_of(client).create(
            arguments.project_id,
            arguments.title,
            arguments.description,
            enable_preview=arguments.enable_preview,
            archive_format=arguments.archive_format,
            on_concurrent_change=arguments.on_concurrent_change,
            capture=arguments.capture,
            busy_timeout_seconds=arguments.busy_timeout,
            on_busy=arguments.on_busy,
            media_store=arguments.media_store,
            report=report,
            should_stop=should_stop,
        )
        page = version_page(client.server_url, result.project_id, result.version_id)
    media_lines = [f"{result.media.store}: {result.media.line()}."] if result.media else []
    warnings = [f"Warning: {warning}" for warning in result.warnings]
    return show(arguments, result.as_dict(), f"{result.line()} {page}", *media_lines, *warnings)
