"""What is looked at: a server, and a project of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Dataset, Project
from airflow_sv_versioning.exceptions import ApiError, OutdatedInstanceError


@dataclass(frozen=True)
class Refusal:
    """An error answer, without its text, which may hold names.

    :param is_outdated: whether the instance is older than what it was asked.
    """

    status: int | None
    type: str | None
    is_outdated: bool = False

    @classmethod
    def of(cls, error: ApiError) -> Refusal:
        """Take the refusal out of an error."""
        kind = error.details.get("type")
        is_outdated = isinstance(error, OutdatedInstanceError)
        return cls(error.status_code, kind if isinstance(kind, str) else None, is_outdated)

    def __str__(self) -> str:
        text = f"status {self.status}" + (f" ({self.type})" if self.type else "")
        return f"{text}, the instance is too old for it" if self.is_outdated else text


@dataclass(frozen=True)
class Subject:
    """A server, and where one is given a project with its datasets.

    :param instance_version: as the server tells it.
    :param plan: subscription of the project's team, where it is told.
    """

    client: SuperviselyClient
    instance_version: str | None = None
    plan: str | None = None
    project: Project | None = None
    datasets: Sequence[Dataset] = ()

    def ask(self, method: str, **body: Any) -> Any:
        """Call a method that changes nothing."""
        return self.client.transport.call(method, body)

    def try_(self, method: str, **body: Any) -> Any | Refusal:
        """Call a method that may be refused; the refusal is an answer, too."""
        try:
            return self.ask(method, **body)
        except ApiError as error:
            return Refusal.of(error)

    def parent(self) -> Dataset | None:
        """A dataset that has children."""
        parents = {dataset.parent_id for dataset in self.datasets}
        return next((dataset for dataset in self.datasets if dataset.id in parents), None)
