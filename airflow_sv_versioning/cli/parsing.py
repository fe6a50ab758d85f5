"""What the descriptions of commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn, TypeVar, get_args

from airflow_sv_versioning.cli.printing import report, write
from airflow_sv_versioning.client.bounds import MAX_SECONDS, MAX_WORKERS
from airflow_sv_versioning.client.ids import check_id
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.vault.vault import VaultContents

T = TypeVar("T")

EPILOG = """\
Server and token come from SERVER_ADDRESS and API_TOKEN, from --server and --token, or from --conn-id.

exit codes: 0 done; 1 the demo failed, or an unforeseen error; 2 usage or configuration;
3 failed for good; 4 failed for now, try again later; 5 a rule that you set is broken;
130 interrupted and cleaned up"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are those of the package, and whose help tells the exit codes."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **settings,
        )

    def _print_message(self, message: str, file: Any = None) -> None:
        # What argparse prints by itself, it drops where it cannot be written.
        (write if file in {None, sys.stdout} else report)(message.removesuffix("\n"))

    def error(self, message: str) -> NoReturn:
        """Refuse arguments."""
        self.print_usage(sys.stderr)
        raise ConfigurationError(f"{message}; see '{self.prog} --help'.")


def whole_id(text: str) -> int:
    """Read an id or a version number of the command line.

    :raises ArgumentTypeError: it is none; argparse puts the argument's name before it.
    """
    return parsed(partial(check_id, "it"), text)


def parsed(read: Callable[[str], T], text: str) -> T:
    """Read an argument of the command line as Python callers have it read.

    :raises ArgumentTypeError: it is none; argparse puts the argument's name before it.
    """
    try:
        return read(text)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error).removesuffix(".")) from error


def seconds(text: str) -> float:
    """Read a number of seconds of the command line.

    :raises ArgumentTypeError: it is none, is below 0, or never ends.
    """
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a number of seconds, but it is {text!r}") from error
    if not 0 <= value <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"must be from 0 to {MAX_SECONDS} seconds, but it is {text!r}")
    return value


def _timeout(text: str) -> float:
    if (value := seconds(text)) == 0:
        raise argparse.ArgumentTypeError("must be above 0 seconds")
    return value


def _workers(text: str) -> int:
    if (count := whole_id(text)) > MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"must be at most {MAX_WORKERS}, but it is {text!r}")
    return count


Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns


def add_command(
    commands: Commands[Parser], name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> Parser:
    """Add a command; ``run`` does it and returns the exit code."""
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    return command


def add_project_command(
    commands: Commands[Parser], name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> Parser:
    """Add a command that works on a project of a server."""
    command = add_command(commands, name, text, run)
    command.add_argument("project_id", type=whole_id, metavar="PROJECT_ID")
    add_server_arguments(command)
    return command


def add_choice(command: Parser, name: str, words: Any, text: str = "") -> None:
    """Add an argument that is one of a ``Literal``'s words, by default the first."""
    choices = get_args(words)
    command.add_argument(name, choices=choices, default=choices[0], help=f"{text} (%(default)s)".strip())


def add_vault_arguments(command: Parser) -> None:
    """Add what says how a vault keeps the versions of a project."""
    add_choice(command, "--vault-contents", VaultContents, "what the vault takes of a version")
    add_as_server(command)


def add_as_server(command: Parser) -> None:
    """Add what says under which server a vault keeps a project."""
    command.add_argument(
        "--as-server",
        metavar="HOST",
        help="keep the project in the vault under this server, such as the old name of one that moved",
    )


def add_version_arguments(command: Parser, *, required: bool) -> Any:
    """Add the ways to name a version, of which one may be given; returns their group."""
    which = command.add_mutually_exclusive_group(required=required)
    which.add_argument("--version-id", type=whole_id, metavar="ID")
    which.add_argument("--version-num", type=whole_id, metavar="N")
    which.add_argument(
        "--as-of",
        metavar="TIME",
        help="the newest version made at or before this moment, in ISO 8601: UTC where it names no zone; "
        "a date alone means its beginning, 00:00",
    )
    return which


def chosen_version(arguments: argparse.Namespace) -> dict[str, Any]:
    """Collect what the arguments of :func:`add_version_arguments` say."""
    return {name: getattr(arguments, name) for name in ("version_id", "version_num", "as_of")}


def add_server_arguments(command: Parser) -> None:
    """Add what every command takes that talks to a server."""
    command.add_argument("--server", metavar="URL", help="address of the server (default: SERVER_ADDRESS)")
    command.add_argument("--token", help="API token (default: API_TOKEN)")
    command.add_argument(
        "--conn-id", metavar="ID", help="take both from this Airflow connection, where Airflow is installed"
    )
    certificates = command.add_mutually_exclusive_group()
    certificates.add_argument(
        "--ca-file",
        metavar="FILE",
        help="certificates of the CAs to believe, in PEM form (default: what REQUESTS_CA_BUNDLE, "
        "CURL_CA_BUNDLE or SSL_CERT_FILE name, else the public ones)",
    )
    certificates.add_argument(
        "--no-verify-ssl", action="store_true", help="check no certificates; only for a server you trust"
    )
    command.add_argument(
        "--timeout",
        type=_timeout,
        metavar="SECONDS",
        help="how long to wait for the next bytes of an answer (default: 60)",
    )
    command.add_argument(
        "--max-workers",
        type=_workers,
        metavar="N",
        help="requests at the same time (default: 7 to the vendor's cloud, 8 to others)",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object on stdout")
