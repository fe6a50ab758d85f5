"""What callers may choose, once for Python, operators and the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args, get_origin, get_type_hints

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.snapshot.selection import EVERYTHING, Selection
from airflow_sv_versioning.versioning.restored_for import RestoredFor
from airflow_sv_versioning.versioning.texts import check_choice, check_name, check_text

CaptureMode = Literal["auto", "incremental", "full"]
OnConcurrentChange = Literal["accept", "fail"]
OnBusy = Literal["wait", "fail"]
OnRerun = Literal["new", "same"]
MissingEntities = Literal["fail", "skip", "placeholder", "reupload"]
OnConflict = Literal["fail", "skip", "rename"]
Verify = Literal["counts", "full"]
_RUN_KEY = re.compile(r"[0-9a-f]{16}")


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
class Run(_Options):
    """A run of a workflow, which may be tried again.

    :param key: 16 digits, each one of 0-9 and a-f, that no other run has; the version carries them.
    :param on_rerun: ``new`` makes a version for every try; ``same`` returns the version that an earlier try
        of the run made, whatever changed since.
    :param began: the run made no version before this moment. Where ``versions.json`` was lost, the archives
        of versions made since are asked for their run; without a moment none.
    """

    key: str
    on_rerun: OnRerun = "new"
    began: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what is no key, too.

        :raises ConfigurationError: it is none.
        """
        super().__post_init__()
        if not (isinstance(self.key, str) and _RUN_KEY.fullmatch(self.key)):
            raise ConfigurationError(
                f"The key of a run is {self.key!r}; it has 16 digits, each one of 0-9 and a-f."
            )


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
    run: Run | None = None

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

    selection: Selection = EVERYTHING
    into: int | None = None
    on_conflict: OnConflict = "fail"
    missing_entities: MissingEntities = "fail"
    vault: Any = None
    workspace_id: int | None = None
    project_name: str | None = None
    project_description: str | None = None
    verify: Verify = "counts"
    keep_incomplete: bool = False
    restored_for: RestoredFor | None = None

    def __post_init__(self) -> None:
        """Refuse what no project can be called, too."""
        super().__post_init__()
        if self.into is not None:
            self._check_into()
        if self.project_name is not None:
            check_name("project_name", self.project_name)

    def _check_into(self) -> None:
        names = (
            "workspace_id", "project_name", "project_description", "keep_incomplete", "restored_for"
        )  # fmt: skip
        if given := [name for name in names if getattr(self, name)]:
            raise ConfigurationError(
                f"into={self.into} restores into a project that is there; {', '.join(given)} would be of a "
                "new one. Leave out one or the other."
            )
