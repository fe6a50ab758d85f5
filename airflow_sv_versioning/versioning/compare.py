"""Compare two sides: versions, the project as it is now, archive files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from airflow_sv_versioning.archive.stored.fetching import download_archive
from airflow_sv_versioning.archive.stored.version_ref import LATEST, PREVIOUS, VersionRef
from airflow_sv_versioning.capture.passes import capture_project
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project
from airflow_sv_versioning.compare.engine import Sink, compare_snapshots
from airflow_sv_versioning.compare.options import CompareOptions
from airflow_sv_versioning.compare.records import SideFacts, VersionDiff
from airflow_sv_versioning.compare.rules import Rule
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.project_types.base import names_of
from airflow_sv_versioning.project_types.references import check_references
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.streams import sha256_of
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.snapshot.part import take_parts
from airflow_sv_versioning.snapshot.selection import Selection, as_told
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import dataset_paths
from airflow_sv_versioning.versioning.options import OnConcurrentChange

_WORDS = {"latest": LATEST, "previous": PREVIOUS}
_ID = "id:"
_ARCHIVE = ".tar.zst"


@dataclass(frozen=True)
class SideRef:
    """One side of a comparison as people name it.

    :param version: a version of the project.
    :param archive: a file; without both, the project as it is now is meant.
    """

    version: VersionRef | None = None
    archive: Path | None = None

    @classmethod
    def parse(cls, value: int | str | Path | VersionRef | SideRef) -> SideRef:
        """Take what a caller gives.

        ``latest``, ``previous``, ``live`` (the project as it is now); a number, as text or not, is that of a
        version; ``id:311`` is a version by its id; what ends with ``.tar.zst`` is an archive file; other
        text is a moment, and means the newest version made at or before it.

        :raises ConfigurationError: it is none of these.
        """
        if isinstance(value, SideRef):
            return value
        if isinstance(value, VersionRef):
            return cls(value)
        if isinstance(value, Path) or (isinstance(value, str) and value.endswith(_ARCHIVE)):
            return cls(archive=Path(value).expanduser())
        text = str(value).strip()
        return LIVE if text == "live" else cls(_WORDS.get(text) or _version_of(text))


def _version_of(text: str) -> VersionRef:
    number = text.removeprefix(_ID)
    if number.isascii() and number.isdigit():
        return VersionRef("id" if text.startswith(_ID) else "number", int(number))
    try:
        return VersionRef.parse(as_of=text)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{text!r} names no side of a comparison: give a version's number, id:<its id>, latest, "
            f"previous, live, a moment, or an archive file (*{_ARCHIVE})."
        ) from error


LIVE = SideRef()


@dataclass(frozen=True)
class OpenedSide:
    """A side, unpacked or captured.

    :param project_id: the project of this server that ids are of; ``None`` for a file, which may be of any.
    """

    snapshot: Snapshot
    facts: SideFacts
    project_id: int | None


def compare_sides(
    client: SuperviselyClient,
    before: tuple[Project, SideRef],
    after: tuple[Project, SideRef],
    *,
    selection: Selection,
    options: CompareOptions,
    rules: Sequence[Rule],
    sinks: Sequence[Sink],
    on_concurrent_change: OnConcurrentChange,
    progress: Progress,
) -> VersionDiff:
    """Open two sides, each a project and which state of it, and compare them.

    :param selection: the part of both sides that is compared.
    :param rules: their names are checked once both sides are open, before anything is compared.
    """
    with work_folder() as folder:
        whole_sides = [
            _open(client, project, ref, folder / name, on_concurrent_change, progress)
            for name, (project, ref) in (("before", before), ("after", after))
        ]
        one, other = _cut(whole_sides, selection, folder)
        for rule in rules:
            rule.check_names(*_known_names(one.snapshot, other.snapshot))
        progress.say(f"Comparing {one.facts.name} with {other.facts.name}.")
        diff = compare_snapshots(
            one.snapshot,
            other.snapshot,
            (one.facts, other.facts),
            same_project=one.project_id is not None and one.project_id == other.project_id,
            options=options,
            sinks=sinks,
        )
        return replace(diff, selection=as_told(selection))


def _cut(sides: Sequence[OpenedSide], selection: Selection, folder: Path) -> list[OpenedSide]:
    """Leave the chosen part of each side."""
    wholes = [(side.snapshot, folder / f"part-{number}") for number, side in enumerate(sides)]
    return [
        replace(side, snapshot=part, facts=replace(side.facts, counts=part.counts()))
        for side, part in zip(sides, take_parts(wholes, selection), strict=True)
    ]


def _known_names(*snapshots: Snapshot) -> tuple[set[str], set[str], set[str]]:
    """Name the classes, tags and datasets of both sides."""
    classes: set[str] = set()
    tags: set[str] = set()
    datasets: set[str] = set()
    for snapshot in snapshots:
        names = names_of(snapshot.project_meta)
        classes.update(names.classes.values())
        tags.update(names.tags.values())
        datasets.update(dataset_paths(snapshot).values())
    return classes, tags, datasets


def _open(
    client: SuperviselyClient,
    project: Project,
    ref: SideRef,
    directory: Path,
    on_concurrent_change: OnConcurrentChange,
    progress: Progress,
) -> OpenedSide:
    if ref.archive is not None:
        return _open_archive(ref.archive, project, SideFacts(f"archive {ref.archive.name}"), directory)
    facts = SideFacts("live", project_id=project.id, project_name=project.name)
    if ref.version is None:
        progress.say(f"Reading project {project.id}.")
        captured = capture_project(
            client,
            project.id,
            directory,
            on_concurrent_change=on_concurrent_change,
            progress=progress,
        )
        counted = replace(facts, counts=captured.snapshot.counts())
        return OpenedSide(captured.snapshot, counted, project.id)
    version = ref.version.find(client, project.id)
    directory.mkdir()
    file = download_archive(client, project, version, directory, progress)
    facts = replace(
        facts,
        name=f"version {version.version_num}",
        version_id=version.version_id,
        version_num=version.version_num,
    )
    try:
        return replace(_open_archive(file, project, facts, directory), project_id=project.id)
    finally:
        file.unlink()


def _open_archive(file: Path, project: Project, facts: SideFacts, directory: Path) -> OpenedSide:
    """Read an archive and check that what it refers to is there."""
    from airflow_sv_versioning.archive import unpack_archive

    try:
        digest = sha256_of(file)
    except OSError as error:
        raise ConfigurationError(f"Archive {str(file)!r} cannot be read: {error}.") from error
    snapshot = unpack_archive(file, project.type, directory / "snapshot").snapshot
    check_references(snapshot)
    counted = replace(facts, archive_sha256=digest, counts=snapshot.counts())
    return OpenedSide(snapshot, counted, None)
