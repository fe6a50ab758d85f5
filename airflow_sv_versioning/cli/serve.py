"""``sv-versioning serve``."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from airflow_sv_versioning.cli.extras import extra_needed
from airflow_sv_versioning.cli.parsing import Commands, Parser, add_command
from airflow_sv_versioning.cli.printing import DONE, json_text


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    command = add_command(commands, "serve", "Run the embedded server until it is told to stop.", _serve)
    command.add_argument("--data", type=Path, required=True, metavar="DIR", help="where everything is kept")
    command.add_argument(
        "--host", default="127.0.0.1", metavar="H", help="address to listen on (%(default)s)"
    )
    command.add_argument("--port", type=int, default=0, metavar="P", help="port; 0 picks a free one")
    command.add_argument("--token", metavar="T", help="API token to accept (default: one is made and kept)")


def _serve(arguments: argparse.Namespace) -> int:
    with extra_needed("server"):
        from airflow_sv_versioning.server.run import serve
    serve(
        arguments.data,
        host=arguments.host,
        port=arguments.port,
        token=arguments.token,
        on_ready=lambda info: print(json_text(dataclasses.asdict(info)), flush=True),
    )
    return DONE
