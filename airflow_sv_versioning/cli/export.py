"""``sv-versioning export``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.cli.connecting import working
from airflow_sv_versioning.cli.parsing import (
    Commands,
    Parser,
    add_choice,
    add_project_command,
    add_version_arguments,
    chosen_version,
    parsed,
)
from airflow_sv_versioning.cli.printing import show
from airflow_sv_versioning.cli.selecting import add_selection_arguments, chosen_selection
from airflow_sv_versioning.cli.tables import Table
from airflow_sv_versioning.dataset.export_options import Media, MediaGone
from airflow_sv_versioning.dataset.formats.registry import FORMATS

if TYPE_CHECKING:
    from airflow_sv_versioning.dataset.split import Split
    from airflow_sv_versioning.versioning.export import Exported

_CHOSEN = (
    "project_id", "format", "destination", "seed", "media", "media_gone", "allow_lossy", "category_ids",
    "vault", "cache", "shards", "shard", "finish",
)  # fmt: skip
_TASKS = ("detect", "segment", "pose", "obb")


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    text = "Write a version as a data set that training reads, whole or not at all."
    command = add_project_command(commands, "export", text, _export)
    add_version_arguments(command, required=True)
    command.add_argument("--format", choices=FORMATS, required=True)
    command.add_argument(
        "--destination",
        required=True,
        metavar="PATH",
        help="a folder that is not there, or s3://bucket/prefix",
    )
    add_selection_arguments(command)
    command.add_argument(
        "--split", type=_split, metavar="PART=SHARE,...", help="parts by content, such as train=0.8,val=0.2"
    )
    command.add_argument("--seed", type=int, default=0, metavar="N", help="another one gives other parts")
    add_choice(command, "--media", Media, "the items' own files; link makes hard links into the cache")
    add_choice(command, "--media-gone", MediaGone, "what to do where a file can be had nowhere")
    command.add_argument("--task", choices=_TASKS, help="of YOLO (default: detect)")
    command.add_argument(
        "--category-ids", metavar="PATH", help="an earlier export, whose classes keep their numbers"
    )
    command.add_argument("--allow-lossy", action="store_true", help="go without what the format cannot hold")
    _add_places(command)


def _add_places(command: Parser) -> None:
    command.add_argument(
        "--vault", metavar="URL", help="where the originals are (default: what the version names)"
    )
    command.add_argument(
        "--cache", metavar="FOLDER", help="where versions and files are kept on this machine"
    )
    command.add_argument(
        "--private-links", action="store_true", help="contact links into private networks for their files"
    )
    several = command.add_argument_group(
        "several machines", "each makes a shard; then one puts them together"
    )
    several.add_argument(
        "--shards", type=int, default=1, metavar="N", help="how many there are (%(default)s)"
    )
    which = several.add_mutually_exclusive_group()
    which.add_argument("--shard", type=int, metavar="I", help="make only this one, from 0")
    which.add_argument("--finish", action="store_true", help="put all together")


def _split(text: str) -> Split:
    """Read shares of parts.

    :raises ArgumentTypeError: they are none; argparse puts the argument's name before it.
    """
    from airflow_sv_versioning.dataset.split import Split

    return parsed(Split.parse, text)


def _export(arguments: argparse.Namespace) -> int:
    options: dict[str, Any] = chosen_version(arguments) | {name: getattr(arguments, name) for name in _CHOSEN}
    with working(arguments) as work:
        result = work.versions.export(
            **options,
            selection=chosen_selection(arguments),
            split=None if arguments.split is None else arguments.split.ratios,
            format_options={"task": arguments.task} if arguments.task else None,
            **work.watched,
        )
    data = result.as_dict()
    return show(arguments, data, result.line(), *_parts(result, data))


def _parts(result: Exported, data: dict[str, Any]) -> Iterator[str | Table]:
    if "parts" not in data:
        return
    rows = [(name, f"{part['items']:,}", f"{part['figures']:,}") for name, part in data["parts"].items()]
    yield Table(("PART", "ITEMS", "FIGURES"), rows)
    for loss in data["losses"]:
        yield f"Lost of {loss['class']}: {loss['what']}, {loss['figures']:,} figures"
    if data["media"]["gone"]:
        yield f"Without their files, which can be had nowhere: {data['media']['gone']:,} items"
    if data["renamed"]:
        yield f"{data['renamed']:,} files have other names than their items; names.csv tells which"
