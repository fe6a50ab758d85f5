"""``sv-versioning check-item``."""

from __future__ import annotations

import argparse
from pathlib import Path

from airflow_sv_versioning.cli.connecting import working
from airflow_sv_versioning.cli.parsing import (
    Commands,
    Parser,
    add_project_command,
    add_version_arguments,
    chosen_version,
    whole_id,
)
from airflow_sv_versioning.cli.printing import show


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    text = "Say what a version holds of one item, and hold a file or a project against it."
    command = add_project_command(commands, "check-item", text, _check_item)
    command.add_argument("path", metavar="PATH", help="dataset/path/item name")
    add_version_arguments(command, required=True)
    command.add_argument("--file", type=Path, metavar="FILE", help="should be the item's file")
    command.add_argument(
        "--in-project",
        type=whole_id,
        metavar="ID",
        help="should have the same item, with the same annotation",
    )


def _check_item(arguments: argparse.Namespace) -> int:
    with working(arguments) as work:
        item = work.versions.check_item(
            arguments.project_id,
            arguments.path,
            **chosen_version(arguments),
            file=arguments.file,
            in_project=arguments.in_project,
            **work.watched,
        )
    facts = ["of unknown size" if item.size_bytes is None else f"{item.size_bytes:,} bytes"]
    if item.frames_count is not None:
        facts.append(f"{item.frames_count} frames")
    facts.append(item.hash or item.link or "of unknown content")
    lines = [
        f"Item '{item.path}' (id {item.item_id}) of version {item.version_num} (id {item.version_id}):",
        f"  file        {', '.join(facts)}",
    ]
    if item.annotation_sha256:
        lines.append(f"  annotation  {item.annotation_sha256}")
    if item.file:
        lines.append(f"{item.file} is this file.")
    if item.in_project:
        lines.append(f"Project {item.in_project} has the same item with the same annotation.")
    if item.not_compared:
        lines.append(f"Not compared, for the archive does not tell it: {', '.join(item.not_compared)}.")
    return show(arguments, item.as_dict(), *lines)
