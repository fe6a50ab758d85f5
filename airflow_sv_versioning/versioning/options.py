"""What callers may choose, once for Python, operators and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from airflow_sv_versioning.versioning.texts import check_choice, check_name, check_text

CaptureMode = Literal["auto", "incremental", "full"]
OnConcurrentChange = Literal["accept", "fail"]
OnBusy = Literal["wait", "fail"]
MissingEntities = Literal["fail", "skip", "placeholder", "reupload"]
Verify = Literal["counts", "full"]


@dataclass(frozen=True, kw_only=True)
class _Options:
    def __post_init__(self) -> None:
        """Refuse words that are none of the choices.

        :raises ConfigurationError: with the choices.
        """
        for name, kind in get_type_hints(type(self)).items():
            if get_origin(kind) is Literal:
                check_choice(name, getattr(self, name), get_args(kind))


@dataclass(frozen=True, kw_only=True)
class CreateOptions(_Options):
    """How a version is made; :meth:`~.project_versions.ProjectVersions.create` says what each means."""

    title: str | None = None
    description: str | None = None
    archive_format: str = "auto"
    on_concurrent_change: OnConcurrentChange = "accept"
    capture: CaptureMode = "auto"
    busy_timeout_seconds: float = 600.0
    on_busy: OnBusy = "wait"

    def __post_init__(self) -> None:
        """Refuse what cannot be stored, too."""
        super().__post_init__()
        check_text("title", self.title)
        check_text("description", self.description)

    @property
    def wait_seconds(self) -> float:
        """How long to wait while another process makes a version."""
        return self.busy_timeout_seconds if self.on_busy == "wait" else 0.0


@dataclass(frozen=True, kw_only=True)
class RestoreOptions(_Options):
    """How a version is restored; :meth:`~.project_versions.ProjectVersions.restore` says what each means."""

    missing_entities: MissingEntities = "fail"
    media_store: Any = None
    workspace_id: int | None = None
    project_name: str | None = None
    project_description: str | None = None
    verify: Verify = "counts"
    keep_incomplete: bool = False

    def __post_init__(self) -> None:
        """Refuse what no project can be called, too."""
        super().__post_init__()
        if self.project_name is not None:
            check_name("project_name", self.project_name)
