"""Raise asset events for versions that anybody makes on the platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airflow_sv_versioning.client.ids import check_id
from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.triggers.base import SuperviselyTrigger
from airflow_sv_versioning.versioning.version_filter import VersionFilter

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.models import VersionInfo

_CURSOR = "supervisely_version_num"
_MAX_BACK_OFF_SECONDS = 600.0


class NewVersionTrigger(SuperviselyTrigger, BaseEventTrigger):
    """Fire for every new version of a project, whoever makes it: a person, an application, a DAG.

    .. code-block:: python

        watcher = AssetWatcher(name="versions", trigger=NewVersionTrigger(project_id=42))
        project = project_asset("app.supervisely.com", 42, watchers=[watcher])

    On Airflow 3.3 the last version that was told of is kept with the asset, so a triggerer that was down
    tells what it missed, if the trigger watches one asset; before, it begins with the versions that come
    after its start. An asset that is also the outlet of a task gets two events for that task's version.

    What is asked of a version by ``title``, ``author`` and ``least_changes`` must all be so; one that is left
    out is logged, and not looked at again. Reservations and unfinished versions are not told of.

    :param poke_interval: seconds between two looks.
    :param title: a pattern for the whole title, such as ``release *`` or ``v[0-9]*``; case matters.
    :param author: who makes the version: a user's id, or the login of a member of the project's team.
    :param least_changes: how many changes since the version before it must have at least: datasets, items,
        figures, objects, tags and definitions, as this package records them with its versions. A version
        that records none is told of, for nobody knows: that of another tool, the first one, and one of a
        full capture.
    :raises ConfigurationError: an argument has a value that cannot be meant.
    """

    def __init__(
        self,
        *,
        project_id: int,
        supervisely_conn_id: str = SuperviselyHook.default_conn_name,
        poke_interval: float = 60.0,
        title: str | None = None,
        author: int | str | None = None,
        least_changes: int | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.project_id = check_id("project_id", project_id)
        self.supervisely_conn_id = supervisely_conn_id
        self.poke_interval = poke_interval
        self.title = title
        self.author = author
        self.least_changes = least_changes
        self._filter = VersionFilter(title, author, least_changes)
        self._cursor: int | None = None
        self._shared = False

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event for each new version, for ever."""
        failures = 0
        while True:
            try:
                for version in await self._list_new():
                    if (facts := await self._read_facts(version)) is not None:
                        yield TriggerEvent(facts)  # type: ignore[no-untyped-call]
                    await self._keep(version.version_num)
                failures = 0
            except SuperviselyError as error:
                # Nobody would start a watcher again, so it outlives also what a person must repair.
                failures += 1
                self.log.warning("%s Looking again later.", error)
                await self.cleanup()
            await asyncio.sleep(min(self.poke_interval * 2.0 ** min(failures, 16), self._longest_pause()))

    async def _read_facts(self, version: VersionInfo) -> dict[str, Any] | None:
        """Read what to tell of a version; ``None`` where it is left out."""
        client = await self.open_client()
        if reason := await asyncio.to_thread(self._filter.reason_against, client, version):
            self.log.info("Version %s is not told of: %s.", version.version_num, reason)
            return None
        return await asyncio.to_thread(_read_facts, client, version)

    def _longest_pause(self) -> float:
        return max(self.poke_interval, _MAX_BACK_OFF_SECONDS)

    async def _list_new(self) -> list[VersionInfo]:
        client = await self.open_client()
        cursor = await self._find_cursor()
        # The platform's filters know no "newer than".
        versions = await asyncio.to_thread(_list_versions, client, self.project_id)
        if cursor is None:
            await self._keep(max((version.version_num for version in versions), default=0))
            return []
        return sorted(
            (v for v in versions if v.version_num > cursor), key=lambda version: version.version_num
        )

    async def _find_cursor(self) -> int | None:
        if self._cursor is None and (store := self._store()) is not None:
            try:
                kept_cursor = await store.aget(_CURSOR)
            except ValueError:
                # Several assets share this trigger, so Airflow cannot say whose store it is.
                self._shared = True
            else:
                self._cursor = None if kept_cursor is None else int(kept_cursor)
        return self._cursor

    async def _keep(self, version_num: int) -> None:
        self._cursor = version_num
        if (store := self._store()) is not None:
            await store.aset(_CURSOR, version_num)

    def _store(self) -> Any:
        # Airflow before 3.3 has none.
        return None if self._shared else getattr(self, "asset_state_store", None)


def _list_versions(client: SuperviselyClient, project_id: int) -> list[VersionInfo]:
    from airflow_sv_versioning.client.versions import committed

    return committed(client.versions.list_all(project_id))


def _read_facts(client: SuperviselyClient, version: VersionInfo) -> dict[str, Any]:
    file = client.files.find_by_id(version.team_file_id) if version.team_file_id is not None else None
    return {
        "project_id": version.project_id,
        "project_name": client.projects.get(version.project_id).name,
        "version_id": version.version_id,
        "version_num": version.version_num,
        "title": version.title,
        "created": True,
        "created_at": version.created_at,
        "archive_path": file.path if file else None,
        "archive_sha256": file.sha256 if file else None,
    }
