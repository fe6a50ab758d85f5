"""``sv-versioning``: arguments and printing.

Results go to stdout, as a line or short table for people or, with ``--json``, as one JSON object.
Progress and errors go to stderr; with ``--json`` an error is also ``{"error": {...}}`` on stdout.

.. code-block:: text

    exit code    meaning
    0            done
    1            the demo failed, or an error that nobody foresaw
    2            usage or configuration: an argument, address or environment variable cannot work
    3            failed for good: the same call will fail again
    4            failed for now: server down, version busy, project changed; try again later
    5            a rule that the user set is broken
    130          interrupted, and cleaned up
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from airflow_sv_versioning import __version__
from airflow_sv_versioning.cli import (
    check_item,
    create,
    demo,
    diff,
    doctor,
    export,
    listing,
    release,
    restore,
    retention,
    serve,
    vault,
    verify,
)
from airflow_sv_versioning.cli.parsing import Parser
from airflow_sv_versioning.cli.printing import fail, prepare_output
from airflow_sv_versioning.exceptions import CancelledError, SuperviselyError
from airflow_sv_versioning.runtime.collecting import collect_seldom
from airflow_sv_versioning.runtime.memory import save_memory


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    :param argv: arguments without the program's name; those of the process if ``None``.
    :returns: the exit code.
    """
    save_memory()
    collect_seldom()
    argv = sys.argv[1:] if argv is None else argv
    prepare_output()
    try:
        return _run(argv)
    except (SuperviselyError, OSError) as error:
        return fail(error, as_json="--json" in argv)
    except KeyboardInterrupt:
        return fail(CancelledError("Interrupted."), as_json="--json" in argv)


def _run(argv: Sequence[str]) -> int:
    try:
        arguments = build_parser().parse_args(argv)
    except SystemExit as ended:
        # So argparse ends after --help and --version.
        return int(ended.code or 0)
    return int(arguments.run(arguments))


def build_parser() -> Parser:
    """Describe the command line."""
    parser = Parser(
        prog="sv-versioning",
        description="Version Supervisely projects: back up, list, restore exactly.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    at_work = (create, listing, diff, restore, export, verify, check_item, release, vault, retention, doctor)
    for command in (serve, demo, *at_work):
        command.add_to(commands)
    return parser
