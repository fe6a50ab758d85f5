"""Buttons on a task that open the platform's pages."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from airflow.sdk import BaseOperatorLink
from airflow.sdk.execution_time.xcom import XCom

from airflow_sv_versioning.client.pages import project_page, version_page

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context
    from airflow.sdk.types import TaskInstanceKey


class PlatformLink(BaseOperatorLink):
    """A link to a page of the platform.

    ``execute`` pushes the address as soon as it knows it, so the button works while the task runs.
    """

    @classmethod
    def push(cls, context: Context, url: str) -> None:
        """Make the button live, or have it lead to another page."""
        context["ti"].xcom_push(key=cls().xcom_key, value=url)

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the address that ``execute`` pushed, or an empty one where it did not come so far."""
        # A link must never break the page of a task.
        with suppress(Exception):
            return str(XCom.get_value(ti_key=ti_key, key=self.xcom_key) or "")
        return ""


class VersionLink(PlatformLink):
    """Open the version, and until it is known the project's versions."""

    name = "Open version"


class ProjectLink(PlatformLink):
    """Open the project."""

    name = "Open project"


class RestoredProjectLink(PlatformLink):
    """Open the project that a restore made."""

    name = "Open restored project"


def push_links(context: Context, server_url: str, project_id: int, version_id: int | None = None) -> None:
    """Make the buttons of a project and its version live.

    :param version_id: where it is known; push :class:`VersionLink` again once it is.
    """
    ProjectLink.push(context, project_page(server_url, project_id))
    VersionLink.push(context, version_page(server_url, project_id, version_id))
