"""Arguments that choose a part of a project or version, the same for every command."""

from __future__ import annotations

import argparse

from airflow_sv_versioning.cli.parsing import Parser
from airflow_sv_versioning.snapshot.selection import Selection

_OPTIONS = {
    "--dataset": ("datasets", "GLOB", "only datasets whose full path matches, such as 'train/**'"),
    "--item": (
        "items",
        "GLOB",
        "only items whose dataset/path/name matches; without a slash: whose name does",
    ),
    "--class": ("classes", "NAME", "only figures of this class"),
    "--tag": ("tags", "NAME", "only items that carry this tag"),
}


def add_selection_arguments(command: Parser) -> None:
    """Add the arguments of a selection, each of which may be repeated."""
    group = command.add_argument_group(
        "part", "what is chosen has to match one of each kind that is given; each may be repeated"
    )
    for option, (name, value, text) in _OPTIONS.items():
        group.add_argument(option, dest=name, action="append", default=[], metavar=value, help=text)
    group.add_argument(
        "--drop-empty-items",
        action="store_true",
        help="leave out items without a figure, of --class if given",
    )


def chosen_selection(arguments: argparse.Namespace) -> Selection:
    """Collect what the arguments of :func:`add_selection_arguments` say.

    :raises ConfigurationError: a pattern is none.
    """
    names = {name: getattr(arguments, name) for name, *_ in _OPTIONS.values()}
    return Selection(**names, drop_empty_items=arguments.drop_empty_items)
