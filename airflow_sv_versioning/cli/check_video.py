"""``sv-versioning check-video``."""

from __future__ import annotations

import argparse
from pathlib import Path

from airflow_sv_versioning.cli.connecting import connected
from airflow_sv_versioning.cli.parsing import (
    Commands,
    Parser,
    add_project_command,
    add_version_arguments,
    chosen_version,
    whole_id,
)
from airflow_sv_versioning.cli.printing import reporting, show


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    text = "Say what a version holds of one video, and hold a file or a project against it."
    command = add_project_command(commands, "check-video", text, _check_video)
    command.add_argument("path", metavar="PATH", help="dataset/path/video name")
    add_version_arguments(command, required=True)
    command.add_argument("--file", type=Path, metavar="FILE", help="should be the video's file")
    command.add_argument(
        "--in-project",
        type=whole_id,
        metavar="ID",
        help="should have the same video, with the same annotation",
    )


def _check_video(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.versioning.video_check import check_video

    with reporting() as report, connected(arguments) as client:
        found = check_video(
            client,
            arguments.project_id,
            arguments.path,
            **chosen_version(arguments),
            file=arguments.file,
            in_project=arguments.in_project,
            report=report,
        )
    size = "of unknown size" if found.size_bytes is None else f"{found.size_bytes:,} bytes"
    lines = [
        f"Video '{found.path}' (id {found.video_id}) of version {found.version_num} (id {found.version_id}):",
        f"  file        {size}, {found.frames_count} frames, {found.hash or found.link}",
        f"  annotation  {found.annotation_sha256}",
    ]
    if found.file:
        lines.append(f"{found.file} is this file.")
    if found.in_project:
        lines.append(f"Project {found.in_project} has the same video with the same annotation.")
    return show(arguments, found.as_dict(), *lines)
