"""``sv-versioning vault hold``, ``release`` and ``undelete``."""

from __future__ import annotations

import argparse
import getpass

from airflow_sv_versioning.cli.connecting import stop_on_signal
from airflow_sv_versioning.cli.parsing import Commands, Parser, add_command
from airflow_sv_versioning.cli.printing import reporting, show


def add_to(commands: Commands[Parser]) -> None:
    """Describe the commands."""
    text = "Hold a version, so that no retention removes it from the vault."
    hold = add_command(commands, "hold", text, _hold)
    _add_version(hold)
    hold.add_argument("--reason", required=True, metavar="TEXT", help="why, for whoever comes after you")
    hold.add_argument("--by", metavar="NAME", help="who holds it (default: the user of this machine)")
    text = "Hold a version no longer."
    _add_version(add_command(commands, "release", text, _release))
    text = "Bring a version back from the vault's trash, if all that it needs is there still."
    _add_version(add_command(commands, "undelete", text, _undelete))


def _add_version(command: Parser) -> None:
    command.add_argument("vault", metavar="VAULT", help="s3://bucket/prefix, gs://..., or a folder")
    command.add_argument("vault_version", metavar="VERSION", help="like app.supervisely.com/42/3")
    command.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def _hold(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.vault.opening import open_vault
    from airflow_sv_versioning.vault.versions import VaultVersionRef
    from airflow_sv_versioning.versioning.retention.holding import hold

    ref = VaultVersionRef.parse(arguments.vault_version)
    by = arguments.by or getpass.getuser()
    held = hold(open_vault(arguments.vault), ref, arguments.reason, by)
    trash = (
        " It lies in the trash; 'sv-versioning vault undelete' brings it back." if held.is_in_trash else ""
    )
    return show(arguments, held.as_dict(), f"Version {held.vault_version} is {held.hold}.{trash}")


def _release(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.vault.opening import open_vault
    from airflow_sv_versioning.vault.versions import VaultVersionRef
    from airflow_sv_versioning.versioning.retention.holding import release

    ref = VaultVersionRef.parse(arguments.vault_version)
    released = release(open_vault(arguments.vault), ref)
    was = f"was {released.hold}, and is held no longer" if released.hold else "was not held"
    return show(arguments, released.as_dict(), f"Version {released.vault_version} {was}.")


def _undelete(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.runtime.progress import Progress
    from airflow_sv_versioning.vault.opening import open_vault
    from airflow_sv_versioning.vault.versions import VaultVersionRef
    from airflow_sv_versioning.versioning.retention.undeleting import undelete_version

    ref = VaultVersionRef.parse(arguments.vault_version)
    with reporting() as report, stop_on_signal() as should_stop:
        version = undelete_version(open_vault(arguments.vault), ref, Progress(report, should_stop))
    return show(
        arguments, version.as_dict(), f"Version {version.key} {version.title!r} is back in {arguments.vault}."
    )
