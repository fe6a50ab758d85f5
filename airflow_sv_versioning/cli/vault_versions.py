"""``sv-versioning vault list``, ``push``, ``fill`` and ``pull``: the versions that a vault holds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sv_versioning.cli.connecting import working
from airflow_sv_versioning.cli.parsing import (
    Commands,
    Parser,
    add_as_server,
    add_command,
    add_server_arguments,
    add_vault_arguments,
    whole_id,
)
from airflow_sv_versioning.cli.printing import FAILED, show
from airflow_sv_versioning.cli.tables import Table

if TYPE_CHECKING:
    from airflow_sv_versioning.vault.versions import VaultVersion
    from airflow_sv_versioning.versioning.pushing import PushedVersion

_PLACE = "s3://bucket/prefix, gs://..., or a folder"


def add_to(commands: Commands[Parser]) -> None:
    """Describe the commands."""
    text = "List the versions that a vault holds whole."
    command = add_command(commands, "list", text, _list)
    command.add_argument("vault", metavar="VAULT", help=_PLACE)
    command.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    _add_push(commands)
    _add_fill(commands)
    text = "Write the archive of a version that a vault holds to a file."
    command = add_command(commands, "pull", text, _pull)
    command.add_argument("vault", metavar="VAULT", help=_PLACE)
    command.add_argument("vault_version", metavar="VERSION", help="SERVER/PROJECT/NUMBER, as list shows it")
    command.add_argument("file", type=Path, metavar="FILE", help="a new file")
    command.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def _add_push(commands: Commands[Parser]) -> None:
    text = "Bring versions of a project into a vault that it does not hold, or not whole."
    command = add_command(commands, "push", text, _push)
    command.add_argument("vault", metavar="VAULT", help=_PLACE)
    command.add_argument("project_id", type=whole_id, metavar="PROJECT_ID")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="all versions of the project")
    which.add_argument(
        "--version-nums", type=whole_id, nargs="+", metavar="N", help="versions by their numbers"
    )
    add_vault_arguments(command)
    add_server_arguments(command)


def _add_fill(commands: Commands[Parser]) -> None:
    text = "Bring the originals of a project into a vault, before its version is made; several machines may."
    command = add_command(commands, "fill", text, _fill)
    command.add_argument("vault", metavar="VAULT", help=_PLACE)
    command.add_argument("project_id", type=whole_id, metavar="PROJECT_ID")
    command.add_argument(
        "--shards", type=int, default=1, metavar="N", help="how many shares there are (%(default)s)"
    )
    command.add_argument(
        "--shard", type=int, default=0, metavar="I", help="copy only this one, from 0 (%(default)s)"
    )
    add_as_server(command)
    add_server_arguments(command)


def _list(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.vault.opening import open_vault
    from airflow_sv_versioning.vault.versions import iter_versions

    vault = open_vault(arguments.vault)
    versions = list(iter_versions(vault))
    rows = [
        (held.key, held.created_at, f"{held.archive_size_bytes:,}", _originals(held), held.title)
        for held in versions
    ]
    table = Table(
        ("VERSION", "CREATED", "ARCHIVE BYTES", "ORIGINALS", "TITLE"), rows, numbers=("ARCHIVE BYTES",)
    )
    data = {"vault": vault.url, "versions": [held.as_dict() for held in versions]}
    return show(arguments, data, table if rows else f"{vault.url} holds no version.")


def _push(arguments: argparse.Namespace) -> int:
    with working(arguments) as work:
        result = work.versions.push_to_vault(
            arguments.project_id,
            arguments.vault,
            arguments.version_nums,
            vault_contents=arguments.vault_contents,
            as_server=arguments.as_server,
            **work.watched,
        )
    rows = [(str(pushed.version_num), *_outcome(pushed)) for pushed in result.versions]
    table = Table(("NUMBER", "IN THE VAULT AS", "WHAT"), rows, numbers=("NUMBER",))
    show(arguments, result.as_dict(), table if rows else "The project has no versions.")
    return 0 if result.is_whole else FAILED


def _fill(arguments: argparse.Namespace) -> int:
    with working(arguments) as work:
        result = work.versions.fill_vault(
            arguments.project_id,
            arguments.vault,
            shards=arguments.shards,
            shard=arguments.shard,
            as_server=arguments.as_server,
            **work.watched,
        )
    return show(arguments, result.as_dict(), result.line())


def _pull(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.vault.opening import open_vault
    from airflow_sv_versioning.vault.pulling import pull_archive
    from airflow_sv_versioning.vault.versions import VaultVersionRef

    vault = open_vault(arguments.vault)
    held = VaultVersionRef.parse(arguments.vault_version).find(vault)
    pull_archive(vault, held, arguments.file)
    line = f"Wrote {held.archive_size_bytes:,} bytes of {held.key} to {arguments.file}."
    return show(arguments, {"file": str(arguments.file), **held.as_dict()}, line)


def _originals(held: VaultVersion) -> str:
    if held.vault_contents == "archives":
        return "none taken"
    lost = f", {held.lost_count:,} lost" if held.lost_count else ""
    return f"{held.media_count:,}{lost}"


def _outcome(pushed: PushedVersion) -> tuple[str, str]:
    if pushed.error is not None:
        return "-", pushed.error
    return pushed.vault_version or "", pushed.media.line() if pushed.media else "archive only"
