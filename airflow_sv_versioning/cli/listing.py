"""``sv-versioning list``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_sv_versioning.cli.connecting import working
from airflow_sv_versioning.cli.parsing import Commands, Parser, add_project_command
from airflow_sv_versioning.cli.printing import show
from airflow_sv_versioning.cli.tables import Table
from airflow_sv_versioning.exceptions import ConfigurationError

if TYPE_CHECKING:
    from airflow_sv_versioning.client.models import VersionInfo


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    add_project_command(commands, "list", "List the versions of a project.", _list)


def _list(arguments: argparse.Namespace) -> int:
    import msgspec

    with working(arguments) as work:
        versions = work.versions.get_list(arguments.project_id)
    rows = [msgspec.structs.asdict(version) for version in versions]
    return show(arguments, {"project_id": arguments.project_id, "versions": rows}, _text(versions))


def _created(version: VersionInfo) -> str:
    """Write when a version was made, as ``--as-of`` takes it, and how long ago that is."""
    from airflow_sv_versioning.runtime.moments import ago_text, parse_moment

    try:
        return f"{version.created_at} ({ago_text(parse_moment('createdAt', version.created_at))})"
    except ConfigurationError:
        # What the server says is shown in any case.
        return version.created_at


def _text(versions: Sequence[VersionInfo]) -> str | Table:
    if not versions:
        return "No versions yet."
    rows = [(str(v.version_num), str(v.version_id), _created(v), v.title or "") for v in versions]
    return Table(("NUMBER", "ID", "CREATED", "TITLE"), rows, numbers=("NUMBER", "ID"))
