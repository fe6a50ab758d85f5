"""``sv-versioning``: arguments and printing, nothing else.

Results go to stdout, as a line or short table for people or, with ``--json``, as one JSON object.
Progress and errors go to stderr; with ``--json`` an error is also ``{"error": {...}}`` on stdout.

.. code-block:: text

    exit code    meaning
    0            done
    1            the demo failed, or an error that nobody foresaw
    2            usage or configuration: an argument, address or environment variable cannot work
    3            failed for good: the same call will fail again
    4            failed for now: server down, version busy, project changed; try again later
    130          interrupted, and cleaned up
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from airflow_sv_versioning.exceptions import CancelledError, ConfigurationError, SuperviselyError

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.models import VersionInfo
    from airflow_sv_versioning.versioning import ProjectVersions

DONE, USAGE, FAILED, TRY_LATER, INTERRUPTED = 0, 2, 3, 4, 130

EPILOG = """\
Server and token come from SERVER_ADDRESS and API_TOKEN, or from --server and --token.

exit codes: 0 done; 1 the demo failed, or an unforeseen error; 2 usage or configuration;
3 failed for good; 4 failed for now, try again later; 130 interrupted and cleaned up"""


class _Parser(argparse.ArgumentParser):
    def __init__(self, **settings: Any) -> None:
        super().__init__(
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **settings,
        )

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        raise ConfigurationError(f"{message}; see '{self.prog} --help'.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    :param argv: arguments without the program's name; those of the process if ``None``.
    :returns: the exit code.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        arguments = build_parser().parse_args(argv)
        return int(arguments.run(arguments))
    except (SuperviselyError, OSError) as error:
        return _fail(error, as_json="--json" in argv)
    except KeyboardInterrupt:
        return _fail(CancelledError("Interrupted."), as_json="--json" in argv)


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = _Parser(
        prog="sv-versioning",
        description="Version Supervisely projects: back up, list, restore exactly.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_serve(commands)
    _add_demo(commands)
    _add_create(commands)
    _add_list(commands)
    _add_restore(commands)
    return parser


_Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns


def _add_command(
    commands: _Commands[_Parser], name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> _Parser:
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    return command


def _add_project_command(
    commands: _Commands[_Parser], name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> _Parser:
    command = _add_command(commands, name, text, run)
    command.add_argument("project_id", type=int, metavar="PROJECT_ID")
    command.add_argument("--server", metavar="URL", help="address of the server (default: SERVER_ADDRESS)")
    command.add_argument("--token", help="API token (default: API_TOKEN)")
    command.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return command


def _add_serve(commands: _Commands[_Parser]) -> None:
    command = _add_command(commands, "serve", "Run the embedded server until it is told to stop.", _serve)
    command.add_argument("--data", type=Path, required=True, metavar="DIR", help="where everything is kept")
    command.add_argument(
        "--host", default="127.0.0.1", metavar="H", help="address to listen on (%(default)s)"
    )
    command.add_argument("--port", type=int, default=0, metavar="P", help="port; 0 picks a free one")
    command.add_argument("--token", metavar="T", help="API token to accept (default: one is made and kept)")


def _add_demo(commands: _Commands[_Parser]) -> None:
    text = "Back up, train, change and restore a real project, on a local server and real Airflow."
    command = _add_command(commands, "demo", text, _demo)
    command.add_argument("--data", type=Path, default=Path("demo-data"), metavar="DIR", help="(%(default)s)")


def _add_create(commands: _Commands[_Parser]) -> None:
    command = _add_project_command(commands, "create", "Back up a project as a new version.", _create)
    command.add_argument("--title")
    command.add_argument("--description")
    command.add_argument("--archive-format", choices=("auto", "v2.1.0", "v2.0.0", "v1.0.0"), default="auto")
    command.add_argument(
        "--on-concurrent-change",
        choices=("accept", "fail"),
        default="accept",
        help="what to do with a project that never stands still (%(default)s)",
    )
    command.add_argument(
        "--capture",
        choices=("incremental", "full"),
        default="incremental",
        help="take unchanged items from the latest version, or read everything (%(default)s)",
    )
    command.add_argument(
        "--enable-preview", action="store_true", help="make a project to look into the version"
    )


def _add_list(commands: _Commands[_Parser]) -> None:
    _add_project_command(commands, "list", "List the versions of a project.", _list)


def _add_restore(commands: _Commands[_Parser]) -> None:
    command = _add_project_command(commands, "restore", "Bring a version back as a new project.", _restore)
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("--version-id", type=int, metavar="ID")
    which.add_argument("--version-num", type=int, metavar="N")
    which.add_argument("--as-of", metavar="TIME", help="the newest version made at or before, ISO 8601")
    command.add_argument("--workspace-id", type=int, metavar="ID", help="(default: that of the project)")
    command.add_argument("--name", help="name of the new project")
    command.add_argument("--description", help="description of the new project")
    command.add_argument(
        "--skip-missed-entities", action="store_true", help="leave out items whose media are gone"
    )
    command.add_argument("--verify", choices=("counts", "full"), default="counts", help="(%(default)s)")


def _serve(arguments: argparse.Namespace) -> int:
    with _extra_needed("server"):
        from airflow_sv_versioning.server.run import serve
    serve(
        arguments.data,
        host=arguments.host,
        port=arguments.port,
        token=arguments.token,
        on_ready=lambda info: print(_json_text(dataclasses.asdict(info)), flush=True),
    )
    return DONE


def _demo(arguments: argparse.Namespace) -> int:
    with _extra_needed("demo"):
        from airflow_sv_versioning.demo.run import run_demo
    return run_demo(arguments.data)


def _create(arguments: argparse.Namespace) -> int:
    with _connected(arguments) as client, _stop_on_signal() as should_stop:
        result = _versions(client).create(
            arguments.project_id,
            arguments.title,
            arguments.description,
            enable_preview=arguments.enable_preview,
            archive_format=arguments.archive_format,
            on_concurrent_change=arguments.on_concurrent_change,
            capture=arguments.capture,
            report=_report,
            should_stop=should_stop,
        )
        page = _page(client, result.project_id, "versions")
    done = "Created" if result.created else "Nothing changed since"
    line = (
        f"{done} version {result.version_num} (id {result.version_id}) of project {result.project_id}"
        f" '{result.project_name}': {page}"
    )
    return _print(arguments, result.as_dict(), line)


def _list(arguments: argparse.Namespace) -> int:
    with _connected(arguments) as client:
        versions = _versions(client).get_list(arguments.project_id)
    rows = [dataclasses.asdict(version) for version in versions]
    return _print(arguments, {"project_id": arguments.project_id, "versions": rows}, *_table(versions))


def _restore(arguments: argparse.Namespace) -> int:
    with _connected(arguments) as client, _stop_on_signal() as should_stop:
        result = _versions(client).restore(
            arguments.project_id,
            arguments.version_id,
            arguments.version_num,
            skip_missed_entities=arguments.skip_missed_entities,
            workspace_id=arguments.workspace_id,
            project_name=arguments.name,
            project_description=arguments.description,
            as_of=arguments.as_of,
            verify=arguments.verify,
            report=_report,
            should_stop=should_stop,
        )
        page = _page(client, result.project_id, "datasets")
    line = (
        f"Restored version {result.version_num} (id {result.version_id}) of project"
        f" {result.source_project_id} as project {result.project_id} '{result.project_name}': {page}"
    )
    left_out = [f"Left out, for their media are gone: {', '.join(result.skipped)}"] if result.skipped else []
    return _print(arguments, result.as_dict(), line, *left_out)


def _connected(arguments: argparse.Namespace) -> SuperviselyClient:
    from airflow_sv_versioning.client import SuperviselyClient

    server = arguments.server or os.environ.get("SERVER_ADDRESS")
    token = arguments.token or os.environ.get("API_TOKEN")
    if not server:
        raise ConfigurationError("No server address: set SERVER_ADDRESS or give --server.")
    if not token:
        raise ConfigurationError("No API token: set API_TOKEN or give --token.")
    return SuperviselyClient(server, token)


def _versions(client: SuperviselyClient) -> ProjectVersions:
    from airflow_sv_versioning.versioning import ProjectVersions

    return ProjectVersions(client)


@contextmanager
def _extra_needed(extra: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"This command needs the package '{error.name}': pip install 'airflow-sv-versioning[{extra}]'."
        ) from error


@contextmanager
def _stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT or SIGTERM into an orderly stop; a second one ends the process at once."""
    received: list[int] = []

    def remember(signal_number: int, _frame: object) -> None:
        received.append(signal_number)
        _report("Stopping and cleaning up; a second signal stops at once.")
        for number, handler in previous.items():
            signal.signal(number, handler)

    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in previous:
        signal.signal(number, remember)
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _page(client: SuperviselyClient, project_id: int, tab: str) -> str:
    return f"{client.server_url}/projects/{project_id}/{tab}"


def _print(arguments: argparse.Namespace, data: dict[str, Any], *lines: str) -> int:
    print(_json_text(data) if arguments.json else "\n".join(lines))
    return DONE


def _json_text(data: dict[str, Any]) -> str:
    return json.dumps(data, default=str)


def _table(versions: Sequence[VersionInfo]) -> list[str]:
    if not versions:
        return ["No versions yet."]
    head = ("NUMBER", "ID", "CREATED", "TITLE")
    rows = [head, *((str(v.version), str(v.id), str(v.created_at), v.name or "") for v in versions)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _fail(error: SuperviselyError | OSError, *, as_json: bool) -> int:
    kind = error.kind if isinstance(error, SuperviselyError) else "system"
    transient = isinstance(error, SuperviselyError) and error.transient
    _report(f"sv-versioning: {' '.join(str(error).split())}")
    if as_json:
        print(_json_text({"error": {"kind": kind, "message": str(error), "transient": transient}}))
    if isinstance(error, CancelledError):
        return INTERRUPTED
    if isinstance(error, ConfigurationError):
        return USAGE
    return TRY_LATER if transient else FAILED


if __name__ == "__main__":
    sys.exit(main())
