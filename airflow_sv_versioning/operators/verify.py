"""Check a version without restoring it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client.pages import version_page
from airflow_sv_versioning.exceptions import IntegrityError
from airflow_sv_versioning.hooks.edge import airflow_outcome, chosen_version, get_id
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.hooks.vaults import find_vault
from airflow_sv_versioning.links import ProjectLink, VersionLink, push_links
from airflow_sv_versioning.operators.base import SuperviselyOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.versioning.verify_report import Check

_LEVELS = {"wrong": logging.ERROR, "unknown": logging.WARNING}
_LOGGED = 20


class VerifyProjectVersionOperator(SuperviselyOperator):
    """Check a version: its archive, its tables, its media, and its originals in a vault.

    The task fails, without a retry, where something is wrong. Either way the XCom ``verification`` holds
    ``is_good``, ``version_id``, ``version_num`` and ``checks``, each with its ``name``, ``state`` (``good``,
    ``wrong``, ``unknown`` or ``skipped``), a ``message``,
    ``problem_count`` and the first of the ``problems``.
    Returns the version's id.

    :param project_id: the project; templated.
    :param version_id: the version; by default the project's latest one; templated.
    :param version_num: the version's number within the project instead; templated.
    :param as_of: or the newest version made at or before this moment; templated.
    :param vault: also look whether this vault holds the originals: any path that Airflow's object
        storage understands, such as ``s3://aws@bucket/prefix``; templated.
    """

    template_fields: Sequence[str] = (
        "supervisely_conn_id", "project_id", "version_id", "version_num", "as_of", "vault",
    )  # fmt: skip
    operator_extra_links = (VersionLink(), ProjectLink())
    ui_color = "#e2f0d9"

    def __init__(
        self,
        *,
        project_id: int | str,
        version_id: int | str | None = None,
        version_num: int | str | None = None,
        as_of: str | datetime | None = None,
        vault: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.version_id = version_id
        self.version_num = version_num
        self.as_of = as_of
        self.vault = vault

    @airflow_outcome()
    def execute(self, context: Context) -> int:
        """Check the version and return its id."""
        project_id = get_id("project_id", self.project_id)
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            should_stop = self._stoppable(hook.client)
            server_url = hook.client.server_url
            push_links(context, server_url, project_id)
            report = hook.versions.verify(
                project_id,
                **chosen_version(self),
                vault=find_vault(self.vault),
                report=self._report,
                should_stop=should_stop,
            )
        context["ti"].xcom_push(key="verification", value=report.as_dict())
        VersionLink.push(context, version_page(server_url, project_id, report.version_id))
        for check in report.checks:
            self._log_check(check)
        if not report.is_good:
            raise IntegrityError(
                f"{report.line()} The XCom 'verification' tells more.", project_id=project_id
            )
        self.log.info("%s", report.line())
        return report.version_id

    def _log_check(self, check: Check) -> None:
        """Log what a check found, and the first of what is wrong."""
        level = _LEVELS.get(check.state, logging.INFO)
        self.log.log(level, "%s: %s. %s", check.name, check.state, check.message)
        for what, why in islice(check.problems.items(), _LOGGED):
            self.log.log(level, "%s: %s: %s", check.name, what, why)
        if (more_count := len(check.problems) - _LOGGED) > 0:
            self.log.log(
                level,
                "%s: %s more; the XCom 'verification' lists the first 100.",
                check.name,
                f"{more_count:,}",
            )
