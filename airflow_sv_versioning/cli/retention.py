"""``sv-versioning retention``: thin out the versions that a vault holds."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.cli.connecting import working
from airflow_sv_versioning.cli.parsing import (
    Commands,
    Parser,
    add_choice,
    add_command,
    add_project_command,
    add_server_arguments,
)
from airflow_sv_versioning.cli.printing import show
from airflow_sv_versioning.cli.tables import Table
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.vault.retention.decide import Allow
from airflow_sv_versioning.vault.retention.policy import COUNTS

if TYPE_CHECKING:
    from airflow_sv_versioning.versioning.retention.plan import RetentionPlan

_OF = {"last": "newest versions", "hourly": "hours", "daily": "days", "weekly": "weeks"}
_OF |= {"monthly": "months", "yearly": "years"}


def add_to(commands: Commands[Parser]) -> None:
    """Describe the commands."""
    text = "Thin out the versions that a vault holds: a plan with reasons, and what was planned done."
    parser = commands.add_parser("retention", help=text, description=text)
    parts = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_plan(parts)
    _add_apply(parts)


def _add_plan(commands: Commands[Parser]) -> None:
    text = "Say of each version in a vault whether it is kept, and why; writes nothing to the vault."
    command = add_project_command(commands, "plan", text, _plan)
    command.add_argument("--vault", required=True, metavar="URL", help="s3://bucket/prefix, or a folder")
    _add_rules(command)
    command.add_argument(
        "--timezone", default="UTC", metavar="ZONE", help="whose days, weeks, months and years (%(default)s)"
    )
    add_choice(command, "--allow", Allow, "half lets more than half of the versions go")
    _add_shared(command)
    command.add_argument("--out", type=Path, metavar="FILE", help="write the plan for 'retention apply'")


def _add_rules(command: Parser) -> None:
    for name in COUNTS:
        word = name.removeprefix("keep_")
        one = "" if word == "last" else "the newest version of each of "
        text = f"keep {one}N {_OF[word]}, or 'unlimited'"
        command.add_argument(f"--keep-{word}", metavar="N", help=text)
    command.add_argument(
        "--keep-within", metavar="SPAN", help="keep all of this span before the newest, such as 2y5m7d3h"
    )
    command.add_argument(
        "--keep-titles",
        nargs="+",
        action="extend",
        default=[],
        metavar="PATTERN",
        help="keep versions whose title is like this, such as 'release *'",
    )
    command.add_argument("--keep-used", action="store_true", help="keep versions that somebody uses")


def _add_apply(commands: Commands[Parser]) -> None:
    text = "Do what a plan says, if it would be the same now: its versions go to the trash, for seven days."
    command = add_command(commands, "apply", text, _apply)
    command.add_argument("plan", type=Path, metavar="PLAN", help="file of 'retention plan --out'")
    _add_shared(command)
    add_server_arguments(command)


def _add_shared(command: Parser) -> None:
    command.add_argument(
        "--experiments",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="records of experiments, or folders of them, whose versions stay",
    )
    command.add_argument(
        "--as-server", metavar="HOST", help="under which server the vault keeps the project, if another"
    )


def _plan(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.vault.retention.policy import RetentionPolicy
    from airflow_sv_versioning.versioning.retention.experiments import read_experiments

    rules = (*COUNTS, "keep_within", "keep_titles", "keep_used")
    policy = RetentionPolicy.parse({name: getattr(arguments, name) for name in rules})
    with working(arguments) as work:
        plan = work.versions.plan_retention(
            arguments.project_id,
            vault=arguments.vault,
            policy=policy,
            timezone=arguments.timezone,
            allow=arguments.allow,
            experiments=read_experiments(arguments.experiments),
            as_server=arguments.as_server,
            **work.watched,
        )
    data = plan.as_dict()
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return show(arguments, data, plan.line(), _table(plan), *_cannot(plan.summary()))


def _apply(arguments: argparse.Namespace) -> int:
    from airflow_sv_versioning.versioning.retention.experiments import read_experiments

    plan = _read(arguments.plan)
    with working(arguments) as work:
        result = work.versions.apply_retention(
            plan,
            experiments=read_experiments(arguments.experiments),
            as_server=arguments.as_server,
            **work.watched,
        )
    data = result.as_dict()
    locked = [f"Version {version_num} stays: it is {lock}." for version_num, lock in result.locked]
    return show(arguments, data, result.line(), *locked, *_cannot(data))


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise ConfigurationError(f"{file} is no plan of retention: {error}.") from error


def _table(plan: RetentionPlan) -> Table:
    rows = []
    for version in plan.versions:
        candidate = version.decision.version
        made = candidate.made_at.strftime("%Y-%m-%d %H:%M") if candidate.made_at else ""
        does = "keep" if version.decision.keep else "remove"
        why = "; ".join(version.decision.reasons)
        rows.append(
            (str(candidate.version_num), made, candidate.title, does, f"{version.only_bytes or 0:,}", why)
        )
    head = ("VERSION", "MADE", "TITLE", "DOES", "ONLY ITS BYTES", "WHY")
    return Table(head, rows, numbers=("VERSION", "ONLY ITS BYTES"))


def _cannot(data: dict[str, Any]) -> Sequence[str]:
    if not data["cannot_count"]:
        return ()
    return (
        f"The platform keeps {data['cannot_count']:,} of their archives, {data['cannot_bytes']:,} bytes: "
        f"{data['cannot'][0]['why']}.",
    )
