"""``sv-versioning diff``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sv_versioning.cli.connecting import Work, working
from airflow_sv_versioning.cli.parsing import Commands, Parser, add_project_command, parsed, whole_id
from airflow_sv_versioning.cli.printing import DONE, fail, show
from airflow_sv_versioning.cli.selecting import add_selection_arguments, chosen_selection
from airflow_sv_versioning.exceptions import ConfigurationError, RuleBrokenError

if TYPE_CHECKING:
    from airflow_sv_versioning.compare.changes_file import ChangesFile
    from airflow_sv_versioning.compare.options import CompareOptions
    from airflow_sv_versioning.compare.records import VersionDiff
    from airflow_sv_versioning.compare.report import Report
    from airflow_sv_versioning.compare.rules import Judgement, Rule
    from airflow_sv_versioning.versioning.compare import SideRef
    from airflow_sv_versioning.versioning.pictures import Pictures

_MAX_PIXELS = 1_000_000
_MAX_PICTURES = 200


def add_to(commands: Commands[Parser]) -> None:
    """Describe the command."""
    text = "Tell by content what differs between two versions, or of one and the project as it is now."
    command = add_project_command(commands, "diff", text, _diff)
    _add_sides(command)
    add_selection_arguments(command)
    command.add_argument(
        "--html",
        type=_output,
        metavar="FILE",
        help="also write a page with outlines before and after, which needs no network",
    )
    command.add_argument(
        "--pictures",
        type=_pictures,
        default=0,
        metavar="N",
        help="with --html: put small pictures under the first N items, where their files are still there",
    )
    command.add_argument(
        "--changes", type=_output, metavar="FILE.parquet", help="also write a table with a row a change"
    )
    command.add_argument(
        "--fail-if",
        type=_rule,
        nargs="+",
        action="extend",
        default=[],
        metavar="RULE",
        help="end with exit code 5 where this is so, such as 'figures.removed > 2%%'",
    )
    command.add_argument(
        "--tolerance",
        type=_tolerance,
        default=0.0,
        metavar="PX",
        help="shapes whose points lie no farther apart are equal (%(default)s)",
    )
    command.add_argument(
        "--match-iou",
        type=_share,
        default=0.5,
        metavar="X",
        help="the least overlap of two figures of one class that are taken for one (%(default)s)",
    )
    command.add_argument(
        "--accept-changing",
        action="store_true",
        help="compare a live project that never stands still, with items of different moments",
    )


def _add_sides(command: Parser) -> None:
    command.add_argument(
        "before",
        type=_side,
        nargs="?",
        default="previous",
        metavar="BEFORE",
        help="number of a version, id:ID, latest, previous, live (the project as it is now), a moment, or an "
        "archive file (*.tar.zst) (%(default)s)",
    )
    command.add_argument(
        "after", type=_side, nargs="?", default="latest", metavar="AFTER", help="the same (%(default)s)"
    )
    command.add_argument(
        "--other-project",
        type=whole_id,
        metavar="ID",
        help="the project that AFTER is of (default: the same)",
    )


def _side(text: str) -> SideRef:
    """Read which state of a project is meant.

    :raises ArgumentTypeError: it is none; argparse puts the argument's name before it.
    """
    from airflow_sv_versioning.versioning.compare import SideRef

    return parsed(SideRef.parse, text)


def _rule(text: str) -> Rule:
    """Read a rule.

    :raises ArgumentTypeError: it is none; argparse puts the argument's name before it.
    """
    from airflow_sv_versioning.compare.rules import Rule

    return parsed(Rule.parse, text)


def _output(text: str) -> Path:
    """Take a file that can be written, as far as can be seen before the work.

    :raises ArgumentTypeError: it cannot; argparse puts the argument's name before it.
    """
    path = Path(text).expanduser()
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder")
    if not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"nothing may be written into {str(path.parent)!r}")
    return path


def _pictures(text: str) -> int:
    count = 0 if text == "0" else whole_id(text)
    if count > _MAX_PICTURES:
        raise argparse.ArgumentTypeError(f"must be at most {_MAX_PICTURES}, but it is {text!r}")
    return count


def _tolerance(text: str) -> float:
    return _number(text, _MAX_PIXELS, "pixels")


def _share(text: str) -> float:
    if (value := _number(text, 1, "of the area")) == 0:
        raise argparse.ArgumentTypeError("must be above 0, for shapes apart from each other are not one")
    return value


def _number(text: str, most: int, unit: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a number, but it is {text!r}") from error
    if not 0 <= value <= most:
        raise argparse.ArgumentTypeError(f"must be from 0 to {most:,} {unit}, but it is {text!r}")
    return value


def _diff(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.cli.diff_text import parts_of
    from airflow_sv_versioning.compare.rules import judge

    page, selection = _page(arguments), chosen_selection(arguments)
    with working(arguments) as work:
        with _changes_file(arguments) as changes:
            diff = work.versions.compare(
                arguments.project_id,
                arguments.before,
                arguments.after,
                other_project_id=arguments.other_project,
                selection=selection,
                options=_options(arguments),
                rules=arguments.fail_if,
                sinks=[sink.add for sink in (page, changes) if sink is not None],
                on_concurrent_change="accept" if arguments.accept_changing else "fail",
                **work.watched,
            )
        judgements = judge(arguments.fail_if, diff)
        if page is not None:
            page.write(arguments.html, diff, _judged(judgements), _pictures_of(work, diff, arguments))
    data = {**diff.as_dict(), "rules": [judgement.as_dict() for judgement in judgements]}
    show(arguments, data, *parts_of(diff, judgements))
    return _exit_code(judgements)


def _page(arguments: argparse.Namespace) -> Report | None:
    """Prepare the page, if one is wanted.

    :raises ConfigurationError: pictures are wanted without it.
    """
    if arguments.html is None:
        if arguments.pictures:
            raise ConfigurationError("--pictures needs a page that they stand on: give --html.")
        return None
    from airflow_sv_versioning.compare.report import Report

    return Report(pictures_count=arguments.pictures)


def _pictures_of(work: Work, diff: VersionDiff, arguments: argparse.Namespace) -> Pictures | None:
    if not arguments.pictures:
        return None
    from airflow_sv_versioning.versioning.pictures import Pictures

    return Pictures(work.client, diff.project_type, work.watched["report"])


def _changes_file(arguments: argparse.Namespace) -> AbstractContextManager[ChangesFile | None]:
    if arguments.changes is None:
        return nullcontext()
    from airflow_sv_versioning.compare.changes_file import ChangesFile

    return ChangesFile(arguments.changes)


def _options(arguments: argparse.Namespace) -> CompareOptions:
    from airflow_sv_versioning.compare.options import CompareOptions

    return CompareOptions(tolerance=arguments.tolerance, match_iou=arguments.match_iou)


def _judged(judgements: Sequence[Judgement]) -> list[tuple[str, bool, str]]:
    return [(judgement.rule.text, judgement.broken, judgement.message) for judgement in judgements]


def _exit_code(judgements: Sequence[Judgement]) -> int:
    """Say how the command ends; a broken rule is told on stderr."""
    from airflow_sv_versioning.compare.rules import check_unbroken

    try:
        check_unbroken(judgements)
    except RuleBrokenError as error:
        # The object on stdout has the rules already, and must be the only one.
        return fail(error, as_json=False)
    return DONE
