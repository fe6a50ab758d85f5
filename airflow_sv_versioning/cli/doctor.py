"""``sv-versioning doctor``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sv_versioning.cli.connecting import working
from airflow_sv_versioning.cli.extras import extra_needed
from airflow_sv_versioning.cli.parsing import (
    Commands,
    Parser,
    add_command,
    add_server_arguments,
    seconds,
    whole_id,
)
from airflow_sv_versioning.cli.printing import DONE, FAILED, json_text, show
from airflow_sv_versioning.cli.tables import Table
from airflow_sv_versioning.exceptions import ConfigurationError

if TYPE_CHECKING:
    from airflow_sv_versioning.versioning.doctor import Diagnosis, Finding

_WIDTH = 64


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    text = "Ask a server how it does what nobody outside of it can know, and what follows for versions."
    command = add_command(commands, "doctor", text, _doctor)
    command.add_argument("--project-id", type=whole_id, metavar="ID", help="a project to look at")
    command.add_argument("--save", type=Path, metavar="FILE", help="keep the findings, for serve --like")
    command.add_argument(
        "--scratch",
        type=whole_id,
        metavar="WORKSPACE_ID",
        help="also try what only writing tells, on projects made there and removed again",
    )
    command.add_argument(
        "--expiry-wait",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="with --scratch: also see whether a reservation expires within so many seconds",
    )
    add_server_arguments(command)


def _doctor(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.runtime.progress import Progress
    from airflow_sv_versioning.versioning.doctor import diagnose

    if arguments.expiry_wait and arguments.scratch is None:
        raise ConfigurationError("--expiry-wait needs a workspace to reserve a version in: give --scratch.")
    with extra_needed("placeholders"), working(arguments) as work:
        progress = Progress(**work.watched)
        diagnosis = diagnose(
            work.client, arguments.project_id, arguments.scratch, progress, arguments.expiry_wait
        )
    if arguments.save:
        arguments.save.write_text(json_text(diagnosis.as_dict()) + "\n", encoding="utf-8")
    show(arguments, diagnosis.as_dict(), *_parts(diagnosis, is_of_project=arguments.project_id is not None))
    return DONE if diagnosis.is_good else FAILED


def _parts(diagnosis: Diagnosis, *, is_of_project: bool) -> Iterator[str | Table]:
    findings = diagnosis.findings
    yield f"Instance {diagnosis.instance_version or 'of unknown version'}"
    rows = [(finding.verdict, finding.assumption, _description(finding)) for finding in findings]
    yield Table(("VERDICT", "ASSUMPTION", "WHAT IT DOES, AND WHAT FOLLOWS"), rows, wrap_at=_WIDTH)
    yield from (f"Not removed: {what}" for what in diagnosis.left_behind)
    failed = sum(finding.verdict == "fails" for finding in findings)
    summary = f"Versions, or some of them, will fail: {failed} of {len(findings)} findings say so."
    yield summary if failed else "Nothing was found by which versions will fail."
    if not is_of_project:
        yield "Give --project-id for more: one with versions, nested datasets and figures tells most."


def _description(finding: Finding) -> str:
    return f"{finding.observed}\n-> {finding.consequence}" if finding.consequence else finding.observed
