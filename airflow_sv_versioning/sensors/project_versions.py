"""Wait until a project has a version."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue

from airflow_sv_versioning.client.pages import version_page
from airflow_sv_versioning.exceptions import SuperviselyError, VersionNotFoundError
from airflow_sv_versioning.hooks.edge import airflow_outcome
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.links import ProjectLink, VersionLink, push_links
from airflow_sv_versioning.operators.base import DEFERRABLE, TRIGGERER_GRACE, SuperviselyOperator
from airflow_sv_versioning.sensors.memory import WaitMemory
from airflow_sv_versioning.triggers.project_versions import ProjectVersionTrigger, read_handed_back
from airflow_sv_versioning.triggers.waits import WaitEvent
from airflow_sv_versioning.versioning.awaited_versions import (
    AwaitedVersion,
    facts_of,
    list_versions,
    resolve_today,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.client.models import VersionInfo


class ProjectVersionSensor(SuperviselyOperator, BaseSensorOperator):
    """Wait until a project has a version that fulfils all that is asked; with nothing asked any is good.

    Returns the id of the newest that does. The XCom ``version`` holds its ``project_id``, ``version_id``,
    ``version_num``, ``title``, ``description`` and ``created_at``. Reservations and versions that were never
    finished do not count.

    What is asked stays as it was when the sensor first looked: midnight does not move ``today``, and a
    version that was found damaged is not downloaded again. On Airflow 3.3 that holds through the task's
    retries, too, until it is cleared; before, a new try begins anew, and in ``reschedule`` mode each look
    verifies anew.

    A deferred sensor holds no worker slot; all sensors that wait for versions of one project with one
    ``poke_interval`` share their requests. Passing failures of the server are waited out until ``timeout``.

    :param project_id: the project; templated.
    :param newer_than: a version number, 0 or more; only greater ones count; templated.
    :param made_since: a time, with or without its zone (UTC by default), or ``today``; only versions count
        that were made at or after it by the server's clock; templated.
    :param verified: a version counts only after the worker has downloaded its archive and found archive and
        tables whole. One that is not is logged and passed over. The XCom ``verification`` holds all that was
        found, as that of :class:`~airflow_sv_versioning.operators.verify.VerifyProjectVersionOperator`; media
        that are gone are logged, but the version counts.
    :param timezone: where ``today`` begins at midnight, such as ``Europe/Berlin``.
    :param deferrable: wait in the triggerer; by default what ``[operators] default_deferrable`` says.
    """

    template_fields: Sequence[str] = ("supervisely_conn_id", "project_id", "newer_than", "made_since")
    operator_extra_links = (VersionLink(), ProjectLink())
    ui_color = "#e6f1f2"

    def __init__(
        self,
        *,
        project_id: int | str,
        newer_than: int | str | None = None,
        made_since: str | datetime | None = None,
        verified: bool = False,
        timezone: str = "UTC",
        deferrable: bool = DEFERRABLE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.newer_than = newer_than
        self.made_since = made_since
        self.verified = verified
        self.timezone = timezone
        self.deferrable = deferrable

    def execute(self, context: Context) -> Any:
        """Wait here, or look once and leave the waiting to the triggerer."""
        self._settle(context)
        if not self.deferrable:
            return super().execute(context)
        return self._find_or_defer(context, time.time() + self.timeout)

    @airflow_outcome()
    def execute_complete(self, context: Context, event: Any) -> Any:
        """Take the version that the triggerer has seen, or go on waiting where it does not count."""
        ended = WaitEvent.from_payload(event)
        ended.raise_for_end()
        self.log.info("%s", ended.message)
        awaited, deadline = read_handed_back(event)
        self._settle(context, awaited)
        return self._find_or_defer(context, deadline)

    @airflow_outcome()
    def poke(self, context: Context) -> PokeReturnValue:
        """Say whether there is such a version, and its id."""
        version_id = self._look(context)
        return PokeReturnValue(version_id is not None, version_id)

    @airflow_outcome()
    def _settle(self, context: Context, awaited: AwaitedVersion | None = None) -> None:
        """Find out what is waited for, before the first look of this process.

        :param awaited: what was, where the wait goes on.
        """
        memory = WaitMemory.recall(context, self)
        made_since = resolve_today(self.made_since, self.timezone, memory.began)
        asked = (self.project_id, self.newer_than, made_since, memory.damaged)
        self._memory, self._awaited = memory, awaited or AwaitedVersion.of(*asked)
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            push_links(context, hook.client.server_url, self._awaited.project_id)

    @airflow_outcome()
    def _find_or_defer(self, context: Context, deadline: float) -> Any:
        try:
            if (version_id := self._look(context)) is not None:
                return version_id
        except SuperviselyError as error:
            if not error.transient:
                raise
            self.log.warning("%s The triggerer will look again.", error)
        trigger = ProjectVersionTrigger(
            supervisely_conn_id=self.supervisely_conn_id,
            **self._awaited.as_dict(),
            poke_interval=self.poke_interval,
            deadline=deadline,
        )
        time_left = timedelta(seconds=max(deadline - time.time(), 0.0))
        return self.defer(
            trigger=trigger, method_name="execute_complete", timeout=time_left + TRIGGERER_GRACE
        )

    def _look(self, context: Context) -> int | None:
        """Look once; return the id of the version that counts, ``None`` where there is none so far."""
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            self._stoppable(hook.client)
            versions = list_versions(hook.client, self._awaited.project_id)
            while (version := self._awaited.find(versions)) is not None:
                if not self.verified or self._is_whole(context, hook, version):
                    return self._tell(context, hook.client.server_url, version)
                self._pass_over(context, version)
        self.log.info("Waiting for %s.", self._awaited)
        return None

    def _is_whole(self, context: Context, hook: SuperviselyHook, version: VersionInfo) -> bool:
        try:
            report = hook.versions.verify(
                version.project_id,
                version.version_id,
                report=self._report,
                should_stop=lambda: hook.client.is_interrupted,
            )
        except VersionNotFoundError as error:
            self.log.warning("%s It went after it was listed.", error)
            return False
        context["ti"].xcom_push(key="verification", value=report.as_dict())
        self.log.log(logging.INFO if report.is_good else logging.WARNING, "%s", report.line())
        return report.is_whole

    def _pass_over(self, context: Context, version: VersionInfo) -> None:
        """Have a version that is not whole count no more, now and in later processes."""
        self.log.warning("Version %s is not whole and does not count.", version.version_num)
        self._awaited = self._awaited.without(version)
        self._memory.keep(context, self._awaited.damaged)

    def _tell(self, context: Context, server_url: str, version: VersionInfo) -> int:
        """Tell later tasks of the version that ends the wait."""
        context["ti"].xcom_push(key="version", value=facts_of(version))
        VersionLink.push(context, version_page(server_url, version.project_id, version.version_id))
        self._memory.forget(context)
        self.log.info(
            "Version %s (id %s), made at %s, is what was waited for.",
            *(version.version_num, version.version_id, version.created_at),
        )
        return version.version_id
