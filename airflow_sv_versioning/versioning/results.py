"""What the use cases return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from airflow_sv_versioning.client.item_types import TYPES
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.snapshot.selection import Selection
from airflow_sv_versioning.vault.backup import MediaBackup
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.versioning.changes import NOTHING_CHANGED, Changes
from airflow_sv_versioning.versioning.contents import Contents
from airflow_sv_versioning.versioning.texts import counts_text
from airflow_sv_versioning.versioning.vaults import InVault

_VERBS = {"created": "Created", "unchanged": "Nothing changed since", "reused": "This run uses again"}


@dataclass(frozen=True)
class CreateResult:
    """A version that was made, or the latest one, which still holds, or the one that a run saw before.

    :param created: ``False`` where nothing changed since this version.
    :param reused: ``True`` where an earlier try of the same run saw this version, whatever changed since.
    :param archive_sha256: hex digest of the archive, ``None`` where the server does not tell.
    :param archive_size_bytes: of the archive, ``None`` where it is not recorded.
    :param archive_format: such as ``v2.1.0``, ``None`` where it is not recorded.
    :param counts: how many datasets, images or videos, figures and so on the version holds; an unchanged
        version made by another tool gives datasets and items only.
    :param content_digest: 64 hex digits; versions and projects have the same one where a comparison finds
        nothing, see :mod:`~airflow_sv_versioning.compare.fingerprint`. ``None`` where it is not recorded.
    :param classes: name of a class -> its figures, of the classes that have any; ``None`` where these are
        more than 100, or it is not recorded.
    :param changes: what changed since the version before, see
        :func:`~airflow_sv_versioning.versioning.changes.summary`; ``None`` where it is not known.
    :param changes_note: why it is not.
    :param consistent: ``False`` where the version holds items of different moments, because the project
        changed while it was read.
    :param capture: ``incremental`` where unchanged items were taken from the version before, ``full`` where
        everything was read, ``None`` where nothing changed.
    :param capture_note: why a capture that could have been incremental was ``full``.
    :param vault_version: how the vault names the version, where one was given:
        ``<server>/<project id>/<version num>``.
    :param media: what that vault got of originals, unless it takes none.
    :param warnings: what a person should know before trusting the version, such as content of the project
        that no version can hold; where nothing changed, what was said of it when it was made.
    :param seconds: how long it took.
    """

    project_id: int
    project_name: str
    version_id: int
    version_num: int
    created: bool
    title: str
    description: str
    archive_path: str
    archive_sha256: str | None
    archive_format: str | None
    counts: Mapping[str, int]
    archive_size_bytes: int | None = None
    content_digest: str | None = None
    classes: Mapping[str, int] | None = None
    changes: Mapping[str, Any] | None = None
    changes_note: str | None = None
    consistent: bool = True
    preview_project_id: int | None = None
    capture: str | None = None
    capture_note: str | None = None
    vault_version: str | None = None
    media: MediaBackup | None = None
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    reused: bool = False

    @classmethod
    def of(
        cls,
        project: Project,
        version: VersionInfo,
        entry: Mapping[str, Any],
        *,
        created: bool,
        warnings: tuple[str, ...],
    ) -> CreateResult:
        """Describe a version.

        :param entry: what the map of versions says of it, with ``path`` and ``counts``.
        """
        changes = Changes.recorded(entry) if created else NOTHING_CHANGED
        contents = Contents.recorded(entry)
        return cls(
            project_id=project.id,
            project_name=project.name,
            version_id=version.version_id,
            version_num=version.version_num,
            created=created,
            title=version.title,
            description=version.description,
            archive_path=entry["path"],
            archive_sha256=entry.get("sha256"),
            archive_format=entry.get("format"),
            counts=entry["counts"],
            archive_size_bytes=size if isinstance(size := entry.get("size"), int) else None,
            content_digest=contents.digest,
            classes=contents.classes,
            changes=changes.found,
            changes_note=changes.note,
            consistent=bool(entry.get("consistent", True)),
            preview_project_id=version.preview_project_id,
            warnings=warnings,
        )

    @property
    def project_type(self) -> str | None:
        """``images``, ``videos``, ``volumes``: what the counts are of; ``None`` where they do not tell."""
        return next((name for name in TYPES if name in self.counts), None)

    @property
    def status(self) -> str:
        """``created``, ``unchanged`` or ``reused``."""
        if self.reused:
            return "reused"
        return "created" if self.created else "unchanged"

    def with_preview(self, project_id: int) -> CreateResult:
        """Add the preview project."""
        return replace(self, preview_project_id=project_id)

    def with_vault(self, held: InVault | None) -> CreateResult:
        """Add what the vault has of the version by now."""
        return replace(self, vault_version=held.version.key, media=held.backup) if held else self

    def line(self) -> str:
        """Say it in one line."""
        verb = _VERBS[self.status]
        capture_text = f", {self.capture} capture" if self.capture else ""
        mixed = "" if self.consistent else " It holds items of different moments, for people worked on them."
        return (
            f"{verb} version {self.version_num} (id {self.version_id}) of project {self.project_id} "
            f"{self.project_name!r}: {counts_text(self.counts)}; "
            f"{self.seconds:,.1f} s{capture_text}.{mixed}{self._changes_text()}"
        )

    def _changes_text(self) -> str:
        if self.changes:
            return f" Since version {self.changes['version_num']}: {self.changes['text']}."
        if not (self.created and self.changes_note):
            return ""
        return f" No changes to tell: {self.changes_note.rstrip('.')}."

    def as_dict(self) -> dict[str, Any]:
        """Write the result as JSON-able data."""
        data = {"status": self.status, **asdict(self)}
        media = self.media.as_dict() if self.media else None
        return {**data, "media": media, "warnings": list(self.warnings)}


@dataclass(frozen=True)
class IntoResult:
    """What a restore into a project that was there has found and made.

    :param on_conflict: what was done about items whose name was taken.
    :param datasets: paths of the datasets that were made; the others were there.
    :param classes: names of the classes that were added; the others were there.
    :param tags: names of tags in the same way.
    :param taken: items that were left out, for their name was taken, as ``dataset/path/item name``.
    """

    on_conflict: str
    datasets: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()

    def as_dict(self, max_listed: int | None = None) -> dict[str, Any]:
        """Write it as JSON-able data.

        :param max_listed: shorten longer lists; ``truncated`` then tells how long they were.
        """
        return _as_data(self, ("datasets", "classes", "tags", "taken"), max_listed)


@dataclass(frozen=True)
class RestoreResult:
    """A project made of a version.

    :param project_id: the new project, or the one that it was restored into.
    :param skipped: items left out because their media are gone, as ``dataset/path/item name``.
    :param renamed: items whose name was taken twice in their dataset, with the name they got.
    :param placeholders: items that are placeholders, for their media are gone.
    :param placeholder_tag: name of the tag that these have, ``None`` where there are none.
    :param reuploaded: items whose media were uploaded again from the vault.
    :param unlinked: those of them that were links, and now are files of their own.
    :param warnings: what a person should know before trusting the new project.
    :param verify: how the new project was compared with the version: ``counts`` or ``full``.
    :param seconds: how long it took.
    :param selection: the part of the version that was asked for, ``None`` for all of it.
    :param left_out: table -> how many of the version's rows are no part of that.
    :param into: what a restore into a project that was there has found and made; ``None`` of a new one.
    :param source_server: the server that the version is of, as a vault names it, where it came from a vault.
    :param vault_version: how the vault names it.
    """

    project_id: int
    project_name: str
    workspace_id: int
    source_project_id: int
    version_id: int
    version_num: int
    counts: Mapping[str, int]
    skipped: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    placeholders: tuple[str, ...] = ()
    placeholder_tag: str | None = None
    reuploaded: tuple[str, ...] = ()
    unlinked: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    verify: str = "counts"
    seconds: float = 0.0
    selection: Mapping[str, Any] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    into: IntoResult | None = None
    source_server: str | None = None
    vault_version: str | None = None

    def line(self) -> str:
        """Say it in one line."""
        special = (
            (self.skipped, "left out"),
            (self.placeholders, "placeholders"),
            (self.reuploaded, "uploaded again"),
            (self.into.taken if self.into else (), "there already"),
        )
        counts_line = ", ".join(
            [counts_text(self.counts), *(f"{len(items):,} {what}" for items, what in special if items)]
        )
        compared = "all content" if self.verify == "full" else "counts"
        what = "version" if self.selection is None else "a part of version"
        how = "as" if self.into is None else "into"
        return (
            f"Restored {what} {self.version_num} (id {self.version_id}) of "
            f"{_source_text(self.source_project_id, self.source_server)} {how} "
            f"project {self.project_id} {self.project_name!r}: {counts_line}; {self.seconds:,.1f} s, "
            f"{compared} compared with the version."
        )

    def as_dict(self, max_listed: int | None = None) -> dict[str, Any]:
        """Write the result as JSON-able data.

        :param max_listed: shorten longer lists of items; ``truncated`` then tells how long they were.
        """
        data = _as_data(self, ("skipped", "placeholders", "reuploaded", "unlinked"), max_listed)
        return {**data, "into": self.into.as_dict(max_listed) if self.into else None}


@dataclass(frozen=True)
class PlannedItem:
    """An item whose media are gone.

    :param path: ``dataset/path/item name``.
    :param item_id: its id in the version.
    :param reason: why the media cannot be had.
    :param action: ``skip``, ``placeholder`` or ``reupload``; ``fail`` where it stops the restore.
    """

    path: str
    item_id: int
    reason: str
    action: str


@dataclass(frozen=True)
class RestorePlanReport:
    """What a restore would make.

    :param project_name: the new project's name, unless somebody takes it meanwhile.
    :param missing_entities: what is done about missing items.
    :param is_possible: ``False`` where the restore would stop, for something is missing beyond remedy or in
        the way.
    :param datasets: paths of the datasets, parents before children.
    :param counts: how many datasets, items, figures and so on there would be.
    :param missing: items whose media are gone, and what is done about each.
    :param renamed: items whose name is taken twice in their dataset, with the name they would get.
    :param selection: the part of the version that was asked for, ``None`` for all of it.
    :param left_out: table -> how many of the version's rows are no part of that.
    :param into: what would be made in a project that is there; ``None`` where a new one is made.
    :param conflicts: what of the version does not fit that project, in words.
    :param source_server: the server that the version is of, as a vault names it, where it is in a vault.
    :param vault_version: how the vault names it.
    """

    source_project_id: int
    version_id: int
    version_num: int
    workspace_id: int
    project_name: str
    missing_entities: str
    is_possible: bool
    datasets: tuple[str, ...]
    counts: Mapping[str, int]
    missing: tuple[PlannedItem, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    selection: Mapping[str, Any] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    into: IntoResult | None = None
    conflicts: tuple[str, ...] = ()
    source_server: str | None = None
    vault_version: str | None = None

    def as_dict(self, max_listed: int | None = None) -> dict[str, Any]:
        """Write the plan as JSON-able data.

        :param max_listed: shorten longer lists; ``truncated`` then tells how long they were.
        """
        data = _as_data(self, ("datasets", "missing"), max_listed)
        return {**data, "into": self.into.as_dict(max_listed) if self.into else None}

    def lines(self) -> list[str]:
        """Write the plan for people."""
        counts_line = counts_text(self.counts)
        what = "Version" if self.selection is None else "A part of version"
        how = "become" if self.into is None else "go into"
        lines = [
            f"{what} {self.version_num} (id {self.version_id}) of "
            f"{_source_text(self.source_project_id, self.source_server)} would {how} "
            f"project '{self.project_name}' in workspace {self.workspace_id}: {counts_line}.",
            f"Datasets: {', '.join(self.datasets) or 'none'}",
        ]
        if self.selection is not None:
            lines.append(f"Part: {Selection.parse(self.selection)}. Left out: {counts_text(self.left_out)}.")
        lines += [f"Renamed: {path} -> {name}" for path, name in self.renamed.items()]
        lines += [f"Missing: {item.path}: {item.reason} -> {item.action}" for item in self.missing]
        lines += [f"Warning: {warning}" for warning in self.warnings]
        lines += [f"In the way: {conflict}" for conflict in self.conflicts]
        if self.conflicts:
            lines.append("The restore would stop here.")
        elif not self.is_possible:
            lines.append(f"With missing_entities={self.missing_entities!r} the restore would stop here.")
        return lines


def _source_text(project_id: int, server: str | None) -> str:
    return f"project {project_id}" if server is None else str(Owner(server, project_id))


def _as_data(record: Any, lists: tuple[str, ...], max_listed: int | None) -> dict[str, Any]:
    """Write a record as JSON-able data, some of its lists no longer than asked for."""
    written = asdict(record).items()
    data = {key: list(value) if isinstance(value, tuple) else value for key, value in written}
    if max_listed is None:
        return data
    truncated = {key: len(data[key]) for key in lists if len(data[key]) > max_listed}
    data |= {key: data[key][:max_listed] for key in truncated}
    return {**data, "truncated": truncated} if truncated else data
