"""Buttons on a task that open the platform's pages."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from airflow.sdk import BaseOperatorLink
from airflow.sdk.execution_time.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context
    from airflow.sdk.types import TaskInstanceKey


class PlatformLink(BaseOperatorLink):
    """A link to a page of a project.

    ``execute`` pushes the address as soon as it knows it, so the button works while the task runs.
    """

    tab: ClassVar[str]

    @classmethod
    def push(cls, context: Context, server_url: str, project_id: int) -> None:
        """Make the button live.

        :param server_url: the server's address without trailing slash.
        """
        url = f"{server_url}/projects/{project_id}/{cls.tab}"
        context["ti"].xcom_push(key=cls().xcom_key, value=url)

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the address that ``execute`` pushed, or an empty one where it did not come so far."""
        # A link must never break the page of a task.
        with suppress(Exception):
            return str(XCom.get_value(ti_key=ti_key, key=self.xcom_key) or "")
        return ""


class VersionLink(PlatformLink):
    """Open the Versions tab of the project."""

    name = "Open version"
    tab = "versions"


class ProjectLink(PlatformLink):
    """Open the project."""

    name = "Open project"
    tab = "datasets"


class RestoredProjectLink(PlatformLink):
    """Open the project that a restore made."""

    name = "Open restored project"
    tab = "datasets"
