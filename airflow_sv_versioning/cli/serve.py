"""``sv-versioning serve``."""

from __future__ import annotations

import argparse
import dataclasses
import os
import signal
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.cli.extras import extra_needed
from airflow_sv_versioning.cli.parsing import Commands, Parser, add_command
from airflow_sv_versioning.cli.printing import DONE, json_text, report, write

if TYPE_CHECKING:
    from airflow_sv_versioning.server.run import ServerInfo


_LAST_PORT = 65_535


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    command = add_command(commands, "serve", "Run the embedded server until it is told to stop.", _serve)
    command.add_argument("--data", type=Path, required=True, metavar="DIR", help="where everything is kept")
    command.add_argument(
        "--host", default="127.0.0.1", metavar="H", help="address to listen on (%(default)s)"
    )
    command.add_argument("--port", type=_port, default=0, metavar="P", help="port; 0 picks a free one")
    command.add_argument("--token", metavar="T", help="API token to accept (default: one is made and kept)")
    like = command.add_mutually_exclusive_group()
    like.add_argument(
        "--strictness",
        choices=("vendor", "sdk"),
        default="vendor",
        help="as strict as all that is publicly known of the platform, or as the official SDK needs it "
        "(default: %(default)s)",
    )
    like.add_argument(
        "--like", type=Path, metavar="FILE", help="do as the instance did of which doctor saved its findings"
    )
    command.add_argument(
        "--demo-data", action="store_true", help="fill a server that has no projects with photographs"
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f"it must be a number from 0 to {_LAST_PORT}, but it is {text!r}")
    return int(text)


def _serve(arguments: argparse.Namespace) -> int:
    with extra_needed("server"):
        from airflow_sv_versioning.server.run import serve
    start = _DemoData() if arguments.demo_data else _tell
    serve(
        arguments.data,
        host=arguments.host,
        port=arguments.port,
        token=arguments.token,
        on_ready=start,
        **_manners(arguments),
    )
    if isinstance(start, _DemoData) and start.failure:
        raise start.failure
    return DONE


def _manners(arguments: argparse.Namespace) -> dict[str, Any]:
    """Members of the server's settings that say how it behaves."""
    from airflow_sv_versioning.server.rules import STRICTNESS, read_findings

    if arguments.like is None:
        return {"rules": STRICTNESS[arguments.strictness]}
    return read_findings(arguments.like)


def _tell(info: ServerInfo) -> None:
    write(json_text(dataclasses.asdict(info)))


class _DemoData:
    """Fills the server once it answers, and only then tells that it is ready."""

    def __init__(self) -> None:
        with extra_needed("demo"):
            # The pictures come from this package, which is asked for one by one.
            import_module("skimage")
        self.failure: Exception | None = None

    def __call__(self, info: ServerInfo) -> None:
        """Begin: the thread that calls this is the one that answers."""
        threading.Thread(target=self._fill, args=(info,), name="demo-data", daemon=True).start()

    def _fill(self, info: ServerInfo) -> None:
        from airflow_sv_versioning.demo.fill import fill_if_empty

        try:
            project_id = fill_if_empty(info.url, info.token, info.workspace_id)
        except Exception as error:
            self.failure = error
            os.kill(os.getpid(), signal.SIGTERM)
            return
        there = "The server has projects already; it gets no demo data."
        report(
            there if project_id is None else f"Filled project {project_id}: {info.url}/projects/{project_id}"
        )
        _tell(info)
