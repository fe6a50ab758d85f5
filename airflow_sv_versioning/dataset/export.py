"""A version written as a data set that training reads: in shards, by one process or by many.

Each shard is whole files of its own, and fragments of files that all have in common; the last step puts the
fragments together and makes the data set whole. What is there at the end is the same, byte for byte, for any
number of shards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_sv_versioning.dataset.destination_errors import destination_errors
from airflow_sv_versioning.dataset.export_job import ExportJob
from airflow_sv_versioning.dataset.export_options import ExportOptions
from airflow_sv_versioning.dataset.item_media import ItemMedia
from airflow_sv_versioning.dataset.manifest import FORMAT, write_checksums, write_manifest, write_names
from airflow_sv_versioning.dataset.reader import VersionReader
from airflow_sv_versioning.dataset.records import Item
from airflow_sv_versioning.dataset.staging import (
    FILES,
    FRAGMENTS,
    Destination,
    FinishedElsewhereError,
    Shard,
    ShardRecord,
    Staging,
    names_below,
)
from airflow_sv_versioning.dataset.tally import Tally
from airflow_sv_versioning.exceptions import ConfigurationError, LossyExportError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.streams import sha256_of

_NAMED = 10


@dataclass(frozen=True)
class ExportResult:
    """A data set that is whole.

    :param created: ``False`` where an earlier call had made it already.
    """

    destination: str
    created: bool
    manifest: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data of a few kB; the manifest tells more."""
        parts = {
            name: {"items": part["items"], "figures": part["figures"]}
            for name, part in self.manifest["parts"].items()
        }
        media, export = self.manifest["media"], self.manifest["export"]
        return {
            "destination": self.destination,
            "created": self.created,
            "format": export["format"],
            "version": self.manifest["version"],
            "parts": parts,
            "losses": self.manifest["losses"][:_NAMED],
            "media": {"files": media["files"], "bytes": media["bytes"], "gone": len(media["gone"])},
            "renamed": self.manifest["renamed"],
        }

    def line(self) -> str:
        """Tell it in a sentence."""
        parts = ", ".join(
            f"{part['items']:,} items in {name}" for name, part in self.manifest["parts"].items()
        )
        state = "Exported" if self.created else "It was exported before:"
        return f"{state} {parts} as {self.manifest['export']['format']} to {self.destination}."


@dataclass(frozen=True)
class ShardResult:
    """A shard that waits for the others.

    :param created: ``False`` where an earlier call had made it already.
    """

    destination: str
    shard: int
    shards: int
    created: bool

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        return {
            "destination": self.destination,
            "shard": self.shard,
            "shards": self.shards,
            "created": self.created,
        }

    def line(self) -> str:
        """Tell it in a sentence."""
        state = "is made" if self.created else "was made before"
        return f"Shard {self.shard} of {self.shards} for {self.destination} {state}."


def export_dataset(
    reader: VersionReader, options: ExportOptions, destination: Destination, progress: Progress
) -> ExportResult:
    """Export all in this process.

    :raises ConfigurationError: the destination is not free, or an option cannot be.
    :raises LossyExportError: the format cannot hold all of it.
    :raises MissingMediaError: files of items are gone.
    :raises DestinationError: the destination failed; nothing that is left looks whole.
    """
    made = export_shard(reader, options, destination, Shard(), progress)
    return (
        made if isinstance(made, ExportResult) else finish_export(reader, options, destination, 1, progress)
    )


def export_shard(
    reader: VersionReader, options: ExportOptions, destination: Destination, shard: Shard, progress: Progress
) -> ShardResult | ExportResult:
    """Write one shard; one that is there already stays. It may be tried again, also by two at once.

    :returns: the data set, where it is whole already.
    """
    _check_media(options, destination)
    with destination_errors(destination.url):
        job = ExportJob.plan(reader, options)
        if manifest := _find_made(job, destination):
            return ExportResult(destination.url, created=False, manifest=manifest)
        with destination.staging(job.key) as staging:
            is_new = not staging.holds(shard)
            if is_new:
                _make_shard(job, staging, shard, progress)
    return ShardResult(destination.url, shard.number, shard.count, created=is_new)


def finish_export(
    reader: VersionReader, options: ExportOptions, destination: Destination, shards: int, progress: Progress
) -> ExportResult:
    """Put all shards together, and make the data set whole.

    :raises ConfigurationError: shards are not there: their tasks did not run, or with other arguments.
    """
    with destination_errors(destination.url):
        job = ExportJob.plan(reader, options)
        if manifest := _find_made(job, destination):
            return ExportResult(destination.url, created=False, manifest=manifest)
        with destination.staging(job.key) as staging:
            pieces = Shard.all_of(shards)
            _check_shards(staging, pieces, destination)
            try:
                made = _finish(job, staging, pieces, progress)
            except FinishedElsewhereError:
                if (manifest := _find_made(job, destination)) is None:
                    raise
                return ExportResult(destination.url, created=False, manifest=manifest)
    return ExportResult(destination.url, created=True, manifest=made)


def _check_media(options: ExportOptions, destination: Destination) -> None:
    if options.media == "link" and not destination.is_local:
        raise ConfigurationError(
            f"media='link' makes links on a local disk, and {destination.url} is none; use media='copy'."
        )


def _find_made(job: ExportJob, destination: Destination) -> Mapping[str, Any] | None:
    """Find this very data set, made before. :raises ConfigurationError: something else is there."""
    manifest = destination.find_manifest()
    if manifest is None:
        return None
    if job.is_told_by(manifest):
        destination.tidy()
        return manifest
    raise ConfigurationError(
        f"The destination {destination.url} exists and holds something else; name one that does not exist."
    )


def _check_shards(staging: Staging, pieces: list[Shard], destination: Destination) -> None:
    missing = [str(shard.number) for shard in pieces if not staging.holds(shard)]
    if missing:
        raise ConfigurationError(
            f"{destination.url} cannot be finished: of {len(pieces)} shards {len(missing)} are missing: "
            f"{', '.join(missing[:_NAMED])}. Run them with the same arguments first."
        )


def _make_shard(job: ExportJob, staging: Staging, shard: Shard, progress: Progress) -> None:
    with staging.making() as folder:
        files, fragments = folder / FILES, folder / FRAGMENTS
        files.mkdir()
        fragments.mkdir()
        tally = _write_items(job, shard, folder, progress)
        check_losses(job.options, tally)
        _record(job, folder, tally).write(folder)
        progress.check()
        staging.keep(folder, shard)


def _write_items(job: ExportJob, shard: Shard, folder: Path, progress: Progress) -> Tally:
    tally = Tally()
    placed = list(job.items_of(shard))
    writer = job.format.open_writer(job.contents, folder / FILES, folder / FRAGMENTS)
    try:
        for number, item in enumerate(_items(job, placed, folder / FILES, tally), 1):
            writer.write(item)
            tally.count(item)
            progress.count("Items exported", number, len(placed))
    finally:
        writer.close()
    tally.count_losses(writer.losses)
    return tally


def _items(job: ExportJob, placed: list[Any], files: Path, tally: Tally) -> Iterator[Item]:
    if job.options.media == "none":
        return job.reader.whole_items(placed)
    return ItemMedia(job, files, tally).bring(job.reader.whole_items(placed, with_media=True))


def check_losses(options: ExportOptions, tally: Tally) -> None:
    """See that nothing is lost that must not be. :raises LossyExportError: something is."""
    losses = tally.loss_list()
    if losses and not options.allow_lossy:
        named = (f"{loss['figures']:,} of {loss['class']!r} ({loss['what']})" for loss in losses[:_NAMED])
        more = ", ..." if len(losses) > _NAMED else ""
        raise LossyExportError(
            f"{options.format} cannot hold all figures: {', '.join(named)}{more}. Choose another format, "
            "select other classes, or use allow_lossy to go without what cannot be held.",
            losses=losses,
        )


def _record(job: ExportJob, folder: Path, tally: Tally) -> ShardRecord:
    """Tell what a shard has; the items' own files were proved when they came."""
    media = job.format.media_folder(job.contents) if job.options.media != "none" else None
    files = {}
    for name in names_below(folder / FILES):
        path = folder / FILES / name
        is_media = media is not None and name.startswith(f"{media}/")
        files[name] = (path.stat().st_size, None if is_media else sha256_of(path))
    return ShardRecord(files, names_below(folder / FRAGMENTS), tally.as_dict())


def _finish(job: ExportJob, staging: Staging, pieces: list[Shard], progress: Progress) -> Mapping[str, Any]:
    with staging.assembling(pieces) as assembly:
        records = [ShardRecord.read(folder) for folder in assembly.shards]
        tally = Tally.sum_of(record.summary for record in records)
        check_losses(job.options, tally)
        fragments = [folder / FRAGMENTS for folder in assembly.shards]
        job.format.assemble(job.contents, fragments, assembly.files)
        write_names(tally, assembly.files)
        manifest = _manifest(job, tally, write_checksums(records, assembly.files))
        write_manifest(manifest, assembly)
        progress.check()
        staging.complete(assembly)
    return manifest


def _manifest(job: ExportJob, tally: Tally, files: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        **job.request,
        "version": dict(job.contents.version),
        "project_type": job.contents.project_type,
        "parts": tally.parts(job.contents.items),
        "losses": tally.loss_list(),
        "media": {"files": tally.media_files, "bytes": tally.media_bytes, "gone": [*tally.gone.values()]},
        "renamed": len(tally.renamed),
        "files": files,
    }
