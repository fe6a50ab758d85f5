"""Compare two versions, and decide by what changed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning._airflow import AirflowSkipException
from airflow_sv_versioning.client.pages import version_page
from airflow_sv_versioning.hooks.edge import airflow_outcome, chosen_selection, find_id, get_id
from airflow_sv_versioning.hooks.object_storage import find_destination
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.links import ProjectLink, VersionLink, push_links
from airflow_sv_versioning.operators.base import SuperviselyOperator
from airflow_sv_versioning.operators.compare_files import collecting
from airflow_sv_versioning.operators.lineage import LineageTeller, Moved, Place

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.compare.records import VersionDiff
    from airflow_sv_versioning.compare.rules import Judgement, Rule
    from airflow_sv_versioning.snapshot.selection import Selection
    from airflow_sv_versioning.versioning.options import OnConcurrentChange

_BEFORE, _AFTER = "previous", "latest"
_IS_SO = {True: "is so", False: "is not so"}


class CompareProjectVersionsOperator(LineageTeller, SuperviselyOperator):
    """Tell by content what differs between two versions, and go on, skip what follows, or fail.

    A side is the number of a version, ``id:311``, ``latest``, ``previous``, ``live`` (the project as it is
    now), a moment (the newest version made at or before it), or an archive file of the worker
    (``*.tar.zst``). The id that :class:`CreateProjectVersionOperator` returns is none by itself, for it would
    be taken for a number: write ``after="id:{{ ti.xcom_pull('create') }}"``.

    Rules, such as ``figures.removed > 2%`` or ``class[car].after < 500``, are told by the page about rules.
    Returns a summary of at most 48 kB: counts of datasets, items, figures, objects and tags, ``by_class``,
    ``by_dataset`` and ``by_tag`` with the largest changes first, ``left_out``, how many others there are, and
    in ``fail_if`` and ``skip_if`` what came of each rule. The XCom ``summary`` holds the same, also where the
    task fails or is skipped by a rule; the files are written then, too.

    :param project_id: the project; templated.
    :param before: the older side; templated.
    :param after: the newer side; templated.
    :param selection: the part of both sides that is compared: a
        :class:`~airflow_sv_versioning.snapshot.selection.Selection`, a mapping of its members, such as
        ``{"datasets": ["train/**"], "classes": ["car"]}``, or such a mapping as JSON; templated.
    :param fail_if: rules, or a text of one rule a line; where one of them is so, the task fails without a
        retry; templated.
    :param skip_if: rules in the same way; where one of them is so, the task and what follows are skipped;
        templated.
    :param report: where to write an HTML page for people: a local path, or any path that Airflow's object
        storage understands, such as ``s3://aws@bucket/{{ run_id }}.html``; templated.
    :param changes: where to write a Parquet file with a row for each change; templated.
    :param other_project_id: the project that ``after`` is of, where that is another one; templated.
    :param on_concurrent_change: what to do if a ``live`` project never stands still while it is read:
        ``fail`` the try, or ``accept`` items of different moments.
    :param tolerance: shapes whose points lie no farther apart are equal, in pixels.
    :param match_iou: the least overlap, from 0 to 1, of two figures of one class that are taken for one.
    """

    template_fields: Sequence[str] = (
        "supervisely_conn_id", "project_id", "before", "after", "fail_if", "skip_if", "report", "changes",
        "other_project_id", "selection",
    )  # fmt: skip
    operator_extra_links = (VersionLink(), ProjectLink())
    ui_color = "#f3e6ff"

    def __init__(
        self,
        *,
        project_id: int | str,
        before: int | str = _BEFORE,
        after: int | str = _AFTER,
        selection: Selection | Mapping[str, Any] | str | None = None,
        fail_if: str | Sequence[str] = (),
        skip_if: str | Sequence[str] = (),
        report: str | None = None,
        changes: str | None = None,
        other_project_id: int | str | None = None,
        on_concurrent_change: OnConcurrentChange = "fail",
        tolerance: float = 0.0,
        match_iou: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.before = before
        self.after = after
        self.selection = selection
        self.fail_if = fail_if
        self.skip_if = skip_if
        self.report = report
        self.changes = changes
        self.other_project_id = other_project_id
        self.on_concurrent_change = on_concurrent_change
        self.tolerance = tolerance
        self.match_iou = match_iou

    @airflow_outcome()
    def execute(self, context: Context) -> dict[str, Any]:
        """Compare, write the files, hand the summary on, and judge."""
        from airflow_sv_versioning.compare.rules import check_unbroken
        from airflow_sv_versioning.compare.summary import summary

        rules = {"fail_if": _parsed(self.fail_if), "skip_if": _parsed(self.skip_if)}
        diff, judgements = self._compare(context, self._arguments(), rules)
        told = summary(diff, judgements)
        context["ti"].xcom_push(key="summary", value=told)
        self._log(diff, judgements)
        check_unbroken(judgements["fail_if"])
        if skipping := [judgement.rule.text for judgement in judgements["skip_if"] if judgement.broken]:
            raise AirflowSkipException(f"What follows is skipped, for {', '.join(skipping)}.")
        return told

    def _arguments(self) -> dict[str, Any]:
        """Collect what the comparison is of, once all of it can be understood."""
        from airflow_sv_versioning.compare.options import CompareOptions
        from airflow_sv_versioning.versioning.compare import SideRef

        return {
            "project_id": get_id("project_id", self.project_id),
            "before": SideRef.parse(_BEFORE if self.before is None else self.before),
            "after": SideRef.parse(_AFTER if self.after is None else self.after),
            "selection": chosen_selection(self.selection),
            "other_project_id": find_id("other_project_id", self.other_project_id),
            "on_concurrent_change": self.on_concurrent_change,
            "options": CompareOptions(tolerance=self.tolerance, match_iou=self.match_iou),
        }

    def _compare(
        self, context: Context, arguments: dict[str, Any], rules: Mapping[str, tuple[Rule, ...]]
    ) -> tuple[VersionDiff, dict[str, tuple[Judgement, ...]]]:
        """Compare and write the files; also returns what each list of rules says of it."""
        from airflow_sv_versioning.compare.rules import judge

        report, changes = (find_destination(name, getattr(self, name)) for name in ("report", "changes"))
        with SuperviselyHook(self.supervisely_conn_id) as hook, collecting(report, changes) as files:
            should_stop = self._stoppable(hook.client)
            server_url = hook.client.server_url
            push_links(context, server_url, arguments["project_id"])
            diff = hook.versions.compare(
                **arguments,
                rules=tuple(chain.from_iterable(rules.values())),
                sinks=files.sinks,
                report=self._report,
                should_stop=should_stop,
            )
            judgements = {name: judge(of, diff) for name, of in rules.items()}
            files.deliver(diff, tuple(chain.from_iterable(judgements.values())))
        self._moved = Moved(server_url, _places(diff))
        if diff.after.project_id is not None and diff.after.version_id is not None:
            page = version_page(server_url, diff.after.project_id, diff.after.version_id)
            VersionLink.push(context, page)
        return diff, judgements

    def _log(self, diff: VersionDiff, judgements: Mapping[str, tuple[Judgement, ...]]) -> None:
        """Log what changed in one line, and what came of each rule."""
        from airflow_sv_versioning.compare.texts import headline

        self.log.info("%s", headline(diff))
        for name, of in judgements.items():
            for judgement in of:
                level = logging.WARNING if judgement.broken else logging.INFO
                self.log.log(level, "%s %s: %s", name, _IS_SO[judgement.broken], judgement.message)


def _places(diff: VersionDiff) -> tuple[Place, ...]:
    """Name both sides; an archive file is of no project that is known."""
    sides = (diff.before, diff.after)
    return tuple((side.project_id, side.version_id) for side in sides if side.project_id is not None)


def _parsed(rules: str | Sequence[str] | None) -> tuple[Rule, ...]:
    """Read rules; a text has one a line.

    :raises ConfigurationError: one of them is none.
    """
    from airflow_sv_versioning.compare.rules import Rule

    lines = [line for line in rules.splitlines() if line.strip()] if isinstance(rules, str) else rules
    return tuple(Rule.parse(rule) for rule in lines or ())
