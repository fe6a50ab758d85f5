"""``sv-versioning verify``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_sv_versioning.cli.connecting import working
from airflow_sv_versioning.cli.parsing import (
    Commands,
    Parser,
    add_project_command,
    add_version_arguments,
    chosen_version,
)
from airflow_sv_versioning.cli.printing import FAILED, show
from airflow_sv_versioning.cli.tables import Table

if TYPE_CHECKING:
    from airflow_sv_versioning.versioning.verify_report import VerifyReport

_LISTED = 20


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    text = "Check a version without restoring it: archive, tables, media; fails if something is wrong."
    command = add_project_command(commands, "verify", text, _verify)
    add_version_arguments(command, required=False)
    command.add_argument("--vault", metavar="URL", help="also look for the originals there")
    command.add_argument(
        "--private-links", action="store_true", help="contact links into private networks to check them"
    )


def _verify(arguments: argparse.Namespace) -> int:
    with working(arguments) as work:
        result = work.versions.verify(
            arguments.project_id,
            **chosen_version(arguments),
            vault=arguments.vault,
            **work.watched,
        )
    show(arguments, result.as_dict(), result.line(), *_parts(result))
    return 0 if result.is_good else FAILED


def _parts(result: VerifyReport) -> Iterator[str | Table]:
    yield Table(
        ("CHECK", "STATE", "FOUND"), [(check.name, check.state, check.message) for check in result.checks]
    )
    for check in result.checks:
        for number, (what, why) in enumerate(check.problems.items()):
            if number == _LISTED:
                yield f"... and {len(check.problems) - _LISTED:,} more, see --json"
                break
            yield f"{check.name}: {what}: {why}"
